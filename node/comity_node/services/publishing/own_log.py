"""A node never forks itself: before the first signature it finds out how far its own log goes.

Three may know more than this database, which can have been set back (a restored backup, a fail-over, a snapshot): the
own topic, peers, and what this node has received. What they have is taken back in, from them into the inbox and the
outbox, and signing goes on after the highest. While one of them shows that more was signed than can be found, nothing
is signed: a second statement at a taken place could not be undone.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from comity_federation.bus import Bus, checkpoints_topic, statements_topic
from comity_federation.checkpoints import CheckpointRefused, open_checkpoint
from comity_federation.decide import demanded
from comity_federation.decision import Accepted, Refused
from comity_federation.log_state import Peek, peek
from comity_federation.lone_record import decide_alone, read_outgoing
from comity_federation.registry import Registry
from comity_federation.statements import genesis
from comity_node.db import Database, Store
from comity_node.db.outbox import TakenBack
from comity_node.domain.trail import Event
from comity_node.services.peers.client import Given
from comity_node.services.peers.taking_in import put_given
from comity_node.services.publishing.relay import AT_ONCE, Head
from comity_node.services.receiving.subscriptions import trust_fingerprint
from comity_schemas.errors import ComityError
from comity_schemas.member import Member

_ACTOR = "relay"
_TAIL = 2 * AT_ONCE
"""How much of the own topic's end is read back: more than a relay ever has on its way at once."""

_CHECKPOINTS = 20
_AT_ONCE = 1_000
"""How many received statements are taken back in one transaction."""


class OwnLogIncomplete(ComityError):
    """This node has signed more than anybody can show it now: nothing is signed until it is found.

    Attributes:
        missing: the first place that is missing.
        known: the last place that is known to be taken.
    """

    code: ClassVar[str] = "own-log.incomplete"

    def __init__(self, missing: int, known: int) -> None:
        super().__init__(
            f"this node has signed up to statement {known} and lacks its own statement {missing}: its database was set "
            "back. Nothing is signed, what was released waits in the outbox, everything else goes on. It is looked for "
            "in the own topic and at peers. If nobody has it: restore a newer backup, or let the registrar close this "
            f"key with the last statement that counts and list a new one"
        )
        self.missing = missing
        self.known = known


class OwnLogFrozen(ComityError):
    """Two statements with this node's signature contradict each other: nothing is signed until the registry says."""

    code: ClassVar[str] = "own-log.frozen"


class OwnLogUndecided(ComityError):
    """The registry has closed a part of the own log, and what of it still counts is being found out."""

    code: ClassVar[str] = "own-log.undecided"


@dataclass(frozen=True, slots=True)
class Told:
    """What peers have shown of this node's own log."""

    records: Sequence[tuple[str, Given]] = ()
    """Slug of the giver, and the record."""
    checkpoints: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """An own statement that is not in the outbox, or may not be."""

    claimed: Peek
    raw: bytes
    giver: str | None = None
    """None: the topic, or this node's own received records."""


async def reconcile(
    database: Database, bus: Bus, member: Member, registry: Registry, now: datetime, told: Told | None = None
) -> Head:
    """Compare the own log with the own topic and what peers told, and return after which statement to go on.

    Nothing may be signed before this has succeeded. What was signed and never sent while its place was taken by
    another statement (a restored backup) goes back into the queue; what the topic lost is sent again; what only the
    topic or peers knew becomes part of the outbox. A crash on the way leaves a part of it taken back: the next call
    takes the rest.

    Raises:
        BusUnavailable: the topic did not answer; nothing may be signed.
        OwnLogIncomplete, OwnLogFrozen: see there.
    """
    told = told or Told()
    tail = await bus.tail(statements_topic(member.slug), most=_TAIL)
    checkpoints = await bus.tail(checkpoints_topic(member.slug), most=_CHECKPOINTS)
    on_topic = await asyncio.to_thread(_genuine, [(None, d.value) for d in tail], member, registry)
    given = [(giver, one.raw) for giver, one in told.records]
    from_peers = await asyncio.to_thread(_genuine, given, member, registry)
    announced = _announced([*(c.value for c in checkpoints), *told.checkpoints], member)
    found = [*on_topic, *from_peers]
    async with database.write() as store:
        await _require_no_fork(store, member)
        again = await _queue_void_again(store, member, registry)
        before = await store.outbox.head()
        await _settle_places(store, found, {one.claimed.seq: one.claimed.hash for one in reversed(on_topic)}, now)
    topic_end = max((one.claimed.seq for one in on_topic), default=0)
    head = await _take_back(database, member, registry, now, found, topic_end)
    known = max([announced, *(one.claimed.seq for one in found)])
    if known > head.seq:
        raise OwnLogIncomplete(head.seq + 1, known)
    if again or head.seq > (before[0] if before else 0):
        detail = {"seq": head.seq, "hash": head.hash, "queued_again": again}
        async with database.write() as store:
            await store.trail.add(now, _ACTOR, Event.LOG_ADOPTED, member.slug, **detail)
    return head


async def _require_no_fork(store: Store, member: Member) -> None:
    log = await store.logs.of(member.slug)
    if log.frozen_from is not None:
        raise OwnLogFrozen(
            f"two statements with this node's own signature contradict each other from place {log.frozen_from} on. "
            "Nothing is signed; what was released waits in the outbox. Find out who holds this key, then let the "
            "registrar name the branch that counts"
        )


async def _queue_void_again(store: Store, member: Member, registry: Registry) -> int:
    """Queue again what the registry has cut off: said beyond the `last` of a closed key, or on a branch not named.

    It counts nowhere, and two people released it. Return how many.
    """
    head = await store.outbox.head()
    if head is None or not demanded(member):
        return 0
    if (await store.logs.of(member.slug)).decided_under not in ("", trust_fingerprint(member)):
        raise OwnLogUndecided("the registry has changed its word on this node's own log, which is decided anew first")
    first = await _first_void(store, member, registry, head[0])
    if first is None:
        return 0
    for seq in range(head[0], first - 1, -1):
        await store.outbox.unsign(seq)
    return head[0] - first + 1


async def _first_void(store: Store, member: Member, registry: Registry, head: int) -> int | None:
    log = await store.logs.of(member.slug)
    first, seq = None, min(log.head, head)
    while seq >= 1 and await _differs(store, member, seq):
        first, seq = seq, seq - 1
    if first is not None:
        return first
    for seq in range(log.head + 1, head + 1):
        item = await store.outbox.at(seq)
        raw = b"" if item is None or item.record is None else item.record
        claimed = peek(raw)
        if claimed is None or not _counts(raw, claimed, member, registry):
            return seq
    return None


async def _differs(store: Store, member: Member, seq: int) -> bool:
    item = await store.outbox.at(seq)
    place = (await store.received.places(member.slug, [seq])).get(seq)
    return item is not None and place is not None and item.hash != place.hash


async def _settle_places(store: Store, found: Sequence[_Found], on_topic: dict[int, str], now: datetime) -> None:
    """Mark what the topic has, queue again what stands at a taken place, and send again what the topic lost."""
    taken: dict[int, str] = {}
    for one in found:
        taken.setdefault(one.claimed.seq, one.claimed.hash)
    furthest = max(taken, default=0)
    displaced = False
    for item in await store.outbox.in_state("signed", most=10_000):
        assert item.seq is not None
        if on_topic.get(item.seq) == item.hash:
            await store.outbox.mark_sent(item.seq, item.seq, now)
        elif taken.get(item.seq) == item.hash and not displaced:
            continue  # A peer has it and the topic lost it: it goes out again.
        elif item.seq <= furthest or displaced:
            # What was signed after it names it as predecessor: sent, it would contradict what others have.
            await store.outbox.unsign(item.seq)
            displaced = True
    await store.outbox.resend_after(max(on_topic, default=0))


async def _take_back(
    database: Database, member: Member, registry: Registry, now: datetime, found: list[_Found], topic_end: int
) -> Head:
    """Enter into the outbox, place after place, what follows its head; return the new head."""
    while True:
        async with database.write() as store:
            head = Head(*(await store.outbox.head() or (0, genesis(member.did))))
            received = await store.received.beyond(member.slug, head.seq, most=_AT_ONCE)
            known = [*found, *_genuine([(None, record.raw) for record in received], member, registry)]
            chain = _chain(head, known)[:_AT_ONCE]
            for one in chain:
                if one.giver is not None:
                    await put_given(store, member, [Given(one.claimed, one.raw)], one.giver, now)
            # What the topic lost is sent again, the same bytes.
            await store.outbox.take_back(
                [_taken_back(one, now if one.claimed.seq <= topic_end else None) for one in chain]
            )
        if len(chain) < _AT_ONCE:
            return Head(chain[-1].claimed.seq, chain[-1].claimed.hash) if chain else head


def _taken_back(one: _Found, sent_at: datetime | None) -> TakenBack:
    outgoing, signed_at = read_outgoing(one.raw)
    return TakenBack(outgoing, one.claimed.seq, one.claimed.hash, one.raw, signed_at, sent_at)


def _chain(head: Head, known: Iterable[_Found]) -> list[_Found]:
    """Return what follows the head without a hole."""
    following: dict[tuple[int, str], _Found] = {}
    for one in known:
        following.setdefault((one.claimed.seq, one.claimed.prev), one)
    chain: list[_Found] = []
    at = (head.seq + 1, head.hash)
    while at in following:
        chain.append(following[at])
        at = (at[0] + 1, following[at].claimed.hash)
    return chain


def _announced(checkpoints: Iterable[bytes], member: Member) -> int:
    """Return the last place that own checkpoints name: what this node has said to have signed."""
    furthest = 0
    for raw in checkpoints:
        try:
            furthest = max(furthest, open_checkpoint(raw, member).seq)
        except CheckpointRefused:
            continue
    return furthest


def _genuine(raws: Sequence[tuple[str | None, bytes]], member: Member, registry: Registry) -> list[_Found]:
    """Return what of this is the member's own under the keys that count; anything else is ignored."""
    found = []
    for giver, raw in raws:
        claimed = peek(raw)
        if claimed is not None and _counts(raw, claimed, member, registry):
            found.append(_Found(claimed, raw, giver))
    return found


def _counts(raw: bytes, claimed: Peek, member: Member, registry: Registry) -> bool:
    match decide_alone(raw, registry.by_did, member.did):
        case Accepted(hash=name):
            return name == claimed.hash
        case Refused() as refused:
            return refused.uses_place and refused.hash == claimed.hash
        case _:
            return False
