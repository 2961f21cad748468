"""Suppliers that were heard: what must come before a release, in one call, with a window that is over at once."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from comity_node.db import Store
from comity_node.domain.due_process import FIXED, AtRisk, Outcome, RetaliationCheck, Windows
from comity_node.domain.people import Person
from comity_node.services.review.due_process import check_retaliation, notify_supplier, why_exempt
from comity_schemas.handling import Contact

AT_ONCE = Windows(timedelta(0), timedelta(0), FIXED.postponed, FIXED.dispute)
NOBODY_BLAMED = {"blamed": ["nobody"], "outcome": "notify"}
"""The same for the API."""


async def open_sample(get: Callable[[str], Awaitable[Any]], batch: str) -> None:
    """Open all that one person must open of a batch before its release, by the API."""
    for review in (await get(f"batches/{batch}"))["sample"]:
        await get(f"reviews/{review}")


async def hear(store: Store, person: Person, review_id: str, now: datetime) -> None:
    """Let a proposal's supplier be heard, unless it need not be."""
    review = await store.reviews.find(review_id)
    assert review is not None
    if await why_exempt(store, review) is not None:
        return
    check = RetaliationCheck(frozenset({AtRisk.NOBODY}), Outcome.NOTIFY, Contact.ENGAGE)
    await check_retaliation(store, person, review_id, check, AT_ONCE, now)
    await notify_supplier(store, person, review_id, AT_ONCE, now)
