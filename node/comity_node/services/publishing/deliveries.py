"""Who has applied what this node took back or corrected: by the heads that other members say to have verified.

A member that says to have verified this node's log up to a place has folded it: both are one transaction. It is the
member's own word and proves nothing more; that it has not said so for a day is worth asking.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from comity_federation.registry import Registry
from comity_node.db import Store
from comity_node.domain.errors import NotFound
from comity_node.services.publishing.published import WITHDRAW, said_later
from comity_schemas.member import Member, MemberStatus

LATE_AFTER = timedelta(days=1)
"""Every member publishes once a day how far it has verified all others."""

_NEWEST = 500
"""So many corrections are followed, the newest."""


@dataclass(frozen=True, slots=True)
class Correction:
    """An own statement that takes another back or stands in its place."""

    statement: str
    seq: int
    kind: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """Who has applied one own statement."""

    statement: str
    """What was asked about, or the newest thing said of it: its withdrawal, or its correction."""
    kind: str
    seq: int
    sent_at: datetime | None
    members: Sequence[tuple[str, datetime | None, int]]
    """Member, since when it says to have applied it (None: not yet), and the last place it has told of (0: none)."""


async def who_has_applied(store: Store, registry: Registry, own: str, statement: str) -> Delivery:
    """Return who has applied an own statement; of one that was taken back or corrected, what was said last.

    Raises:
        NotFound: this node has published no such statement.
    """
    item = await store.outbox.of_hash(await _last_word(store, statement))
    if item is None or item.hash is None or item.seq is None:
        raise NotFound("this node has published no such statement")
    since, furthest = await store.deliveries.since(item.seq), await store.deliveries.furthest()
    told = [(m.slug, since.get(m.slug), furthest.get(m.slug, 0)) for m in others(registry, own)]
    return Delivery(item.hash, item.outgoing.kind, item.seq, item.sent_at, told)


async def _last_word(store: Store, statement: str) -> str:
    """Follow corrections, and at their end a withdrawal."""
    while True:
        approved = [each for each in await said_later(store, statement) if each.state == "approved"]
        # What takes back is the last word, whatever else was said.
        approved.sort(key=lambda each: each.act == WITHDRAW)
        last = approved[-1].statement if approved else None
        if last is None:
            return statement
        statement = last


async def corrections(store: Store) -> list[Correction]:
    """Return what this node took back or corrected lately, newest first."""
    return [
        Correction(item.hash, item.seq, item.outgoing.kind, item.sent_at)
        for item in await store.outbox.corrections(most=_NEWEST)
        if item.hash is not None and item.seq is not None and item.sent_at is not None
    ]


def not_applied(
    found: Sequence[Correction], furthest: Mapping[str, int], members: Sequence[Member], now: datetime
) -> dict[str, list[Correction]]:
    """Return member to what it has not said to have applied although a day has passed, oldest first."""
    late = [each for each in reversed(found) if now - each.sent_at > LATE_AFTER]
    lacking = {m.slug: [each for each in late if each.seq > furthest.get(m.slug, 0)] for m in members}
    return {slug: missing for slug, missing in lacking.items() if missing}


def others(registry: Registry, own: str) -> list[Member]:
    """Return the other active members."""
    return [m for m in registry.members if m.status is MemberStatus.ACTIVE and m.slug != own]
