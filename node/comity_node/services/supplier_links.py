"""A supplier's personal link to one finding: what it sees through it, saves, extends, replies and disputes.

Opening it uses nothing up. It is good while the finding stands, until somebody revokes it. Through it the supplier sees
exactly what the network sees: no withheld field, nothing of the report, nobody's name.
"""

import json
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from comity_federation.encoding import digest
from comity_node.db import Store
from comity_node.db.reviews import Review
from comity_node.db.supplier_links import SupplierLink
from comity_node.db.supplier_words import SupplierWord
from comity_node.domain.due_process import Outcome, Windows
from comity_node.domain.errors import Contradictory, NotFound, NotSignedIn, NotYet
from comity_node.domain.people import Person
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id
from comity_node.services.due_process import Clock, clock_of, why_exempt
from comity_node.services.published import OF_A_SUPPLIER, RELEASE, WITHDRAW
from comity_node.services.release import read_outgoing
from comity_node.services.replies import Said, write_down
from comity_schemas.reply import ReplyAct, ReplyCode

LINK_PREFIX = "comity_supplier_"
_SUPPLIER = "supplier"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a supplier sees through its link."""

    statement: str | None
    """Hash of the published finding; None before."""
    state: str
    """`proposed`, `published`, or `withdrawn`."""
    says: dict[str, Any]
    """What the network sees, or would see."""
    handling: dict[str, Any]
    clock: Clock
    words: list[SupplierWord]
    draft: dict[str, Any] | None


async def make_link(store: Store, person: Person, review_id: str, now: datetime) -> tuple[str, str]:
    """Make a link for the supplier of a proposal; return its id and its secret, which is shown this once.

    Raises:
        NotFound: there is no such proposal of a finding.
        NotYet: the supplier is not told yet: a link would tell it.
    """
    review = await store.reviews.find(review_id)
    if (
        review is None
        or review.act != RELEASE
        or review.state == "rejected"
        or OF_A_SUPPLIER.isdisjoint(json.loads(review.content))
    ):
        raise NotFound("no such proposal")
    process = await store.due_process.find(review_id)
    told = process is not None and process.check.outcome is Outcome.NOTIFY and process.notified_at is not None
    if not told and await why_exempt(store, review) is None:
        raise NotYet("the supplier is not told yet, and a link would tell it; nothing was made")
    secret = LINK_PREFIX + secrets.token_urlsafe(32)
    link = SupplierLink(new_id(), review_id, person.id, now)
    await store.links.add(link, digest(secret))
    await store.trail.add(now, person.id, Event.LINK_MADE, link.id, review=review_id)
    return link.id, secret


async def revoke_link(store: Store, person: Person, link_id: str, now: datetime) -> None:
    """Revoke a link at once.

    Raises:
        NotFound: there is no such link, or it was revoked.
    """
    if not await store.links.revoke(link_id, now):
        raise NotFound("no such link")
    await store.trail.add(now, person.id, Event.LINK_REVOKED, link_id)


async def open_link(store: Store, secret: str) -> SupplierLink:
    """Return the link of a secret.

    Raises:
        NotSignedIn: wrong or revoked; which of the two is not told.
    """
    found = await store.links.by_secret(digest(secret)) if secret.isascii() else None
    if found is None:
        raise NotSignedIn("this link is wrong or was revoked; ask whoever sent it to you")
    return found


async def show(store: Store, link: SupplierLink, now: datetime) -> Shown:
    """Return what the supplier sees: exactly what the network sees, and its own words."""
    review = await _review(store, link)
    outgoing = read_outgoing(review)
    item = await store.outbox.of_review(review.id)
    statement = None if item is None else item.hash
    gone = statement is not None and any(
        r.act == WITHDRAW and r.state == "approved" for r in await store.reviews.of_target(statement)
    )
    return Shown(
        statement,
        "withdrawn" if gone else "proposed" if statement is None else "published",
        {**outgoing.body, **outgoing.disclosed},
        outgoing.handling.to_parsed(),
        await clock_of(store, review, now),
        await store.words.of_review(review.id),
        None if link.draft is None else json.loads(link.draft),
    )


async def save_draft(store: Store, link: SupplierLink, draft: dict[str, Any]) -> None:
    """Keep what the supplier has begun to say; nobody here is shown it."""
    await store.links.put_draft(link.id, json.dumps(draft, ensure_ascii=False))


async def extend_window(store: Store, link: SupplierLink, windows: Windows, now: datetime) -> Clock:
    """Extend the reply window, once and while it runs.

    Raises:
        Contradictory: no window runs, or it was extended already.
    """
    process = await store.due_process.find(link.review_id)
    review = await _review(store, link)
    if process is None or process.window_ends is None or process.window_ends <= now or review.state != "proposed":
        raise Contradictory("no reply window runs now; you can still reply, and it will say that it came late")
    if process.extended_at is not None:
        raise Contradictory("the reply window was extended already, and only once can it be")
    ends = process.window_ends + windows.extension
    await store.due_process.put(replace(process, window_ends=ends, extended_at=now))
    await store.trail.add(now, _SUPPLIER, Event.WINDOW_EXTENDED, link.review_id, window_ends=ends.isoformat())
    return await clock_of(store, review, now)


async def say(
    store: Store, link: SupplierLink, act: ReplyAct, codes: tuple[ReplyCode, ...], text: str | None, now: datetime
) -> SupplierWord:
    """Take the supplier's reply or dispute; its draft is done with.

    Raises:
        TextRefused, Contradictory: nothing was kept; the draft stays.
    """
    word = await write_down(store, Said(act, codes, text, review_id=link.review_id), None, now)
    await store.links.put_draft(link.id, None)
    return word


async def _review(store: Store, link: SupplierLink) -> Review:
    review = await store.reviews.find(link.review_id)
    assert review is not None
    return review
