"""Pointers: "speak to us before contacting this supplier", proposed by one person and let out by a second.

The same proposal whatever it is for, at this node too: reviewers see no reason in it, a focal point is always one of
the two, and one supplier never has two, since a second would tell that something has happened.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from comity_node.db import Store
from comity_node.db.reviews import Review
from comity_node.domain.errors import AlreadyProposed, Contradictory
from comity_node.domain.people import Person
from comity_node.domain.pointing import Whom, pointer_to, whom_of
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id
from comity_node.services.publishing.published import RELEASE, WITHDRAW, published_item, require_unrevised, said_later
from comity_schemas.pointer import POINTER_TERMS, Pointer
from comity_schemas.statement import Kind


class PointerState(StrEnum):
    """Where a pointer of this member stands."""

    PROPOSED = "proposed"
    REJECTED = "rejected"
    RELEASED = "released"
    """On its way, or out."""
    PROLONGED = "prolonged"
    ENDED = "ended"
    EXPIRED = "expired"


OPEN = frozenset({PointerState.PROPOSED, PointerState.RELEASED})
"""States in which no other pointer leaves for the same supplier."""


@dataclass(frozen=True, slots=True)
class OwnPointer:
    """A pointer that this member proposed."""

    review: Review
    pointer: Pointer
    state: PointerState
    statement: str | None
    """Its hash once it is signed."""


async def propose_pointer(
    store: Store, person: Person, whom: Whom, now: datetime, *, revises: str | None = None
) -> Review:
    """Propose that a pointer leaves.

    Args:
        store: The open transaction.
        person: Who proposes.
        whom: The supplier.
        now: The time.
        revises: Hash of an own pointer that this one prolongs.

    Raises:
        AlreadyProposed: one for this supplier stands or is proposed.
        NotPublished: what it would prolong is not published, or was prolonged or ended already.
        Contradictory: what it would prolong is another supplier's.
    """
    if revises is not None:
        outgoing = (await published_item(store, revises, Kind.POINTER)).outgoing
        await require_unrevised(store, revises)
        before = whom_of(Pointer.from_parsed({**outgoing.body, **outgoing.disclosed}))
        if before.marks and before.marks.isdisjoint(whom.marks):
            raise Contradictory(
                "what it would prolong points to another supplier, and would end by it: neither a name in that country "
                "nor a number is the same. Nothing was proposed"
            )
    for other in await pointers_to(store, whom, now):
        if other.state in OPEN and (revises is None or other.statement != revises):
            raise AlreadyProposed(
                f"a pointer for this supplier is {other.state} already (review {other.review.id}): a second one would "
                "tell others that something has happened"
            )
    content = {"pointer": pointer_to(whom, now.date(), revises).to_parsed(), "handling": POINTER_TERMS.to_parsed()}
    review = Review(
        id=new_id(),
        act=RELEASE,
        state="proposed",
        content=json.dumps(content, ensure_ascii=False),
        proposed_by=person.id,
        proposed_at=now,
        target=revises,
    )
    await store.reviews.add(review)
    await store.own_pointers.mark(review.id, whom.marks)
    await store.trail.add(now, person.id, Event.REVIEW_PROPOSED, review.id, act=RELEASE)
    return review


async def pointers_to(store: Store, whom: Whom, now: datetime) -> list[OwnPointer]:
    """Return this member's pointers for a supplier, whatever became of them."""
    return [await own_pointer(store, review, now) for review in await store.own_pointers.marked(whom.marks)]


async def own_pointer(store: Store, review: Review, now: datetime) -> OwnPointer:
    """Return where a proposed pointer stands."""
    pointer = Pointer.from_parsed(json.loads(review.content)["pointer"])
    item = await store.outbox.of_review(review.id) if review.state == "approved" else None
    statement = None if item is None else item.hash
    return OwnPointer(review, pointer, await _state(store, review, pointer, statement, now), statement)


async def _state(store: Store, review: Review, pointer: Pointer, statement: str | None, now: datetime) -> PointerState:
    if review.state != "approved":
        return PointerState(review.state)
    about = [] if statement is None else await said_later(store, statement)
    approved = {later.act for later in about if later.state == "approved"}
    if WITHDRAW in approved:
        return PointerState.ENDED
    if RELEASE in approved:
        return PointerState.PROLONGED
    return PointerState.EXPIRED if pointer.valid_until < now.date() else PointerState.RELEASED
