"""Signing what was released, in order, and getting it onto the bus: the only user of the signing key.

Each step says what a crash leaves behind. A timeout means unknown, never failed: the own topic's tail tells.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from comity_federation.bus import Bus, statements_topic
from comity_federation.keys import SigningPair
from comity_federation.statements import Outgoing, Signed, cloud_event_headers, sign_statement
from comity_node.db import Database, Store
from comity_node.domain.trail import Event
from comity_schemas.errors import ComityError
from comity_schemas.member import Member
from comity_schemas.statement import ALLOWED_KINDS

_ACTOR = "relay"
AT_ONCE = 500
"""How many statements are signed in one transaction, and how many are on their way to the bus together."""


class MayNotSay(ComityError):
    """The registry has given this member another role since people released something: every node would refuse it."""

    code: ClassVar[str] = "own-log.may-not-say"


@dataclass(frozen=True, slots=True)
class Head:
    """The last place of the own log, wherever it is known from."""

    seq: int
    hash: str


async def sign_and_send(
    database: Database, bus: Bus, member: Member, pair: SigningPair, floor: Head, now: datetime
) -> int:
    """Send what is signed and meanwhile sign what is queued; return how many were sent or signed.

    What is signed here is committed before it is sent, by the next call. When sending fails, signing is finished
    first: nothing is left half done for whoever reconciles.

    Raises:
        OutcomeUnknown: reconcile before the next call.
        BusUnavailable, PublishRefused: what was not sent stays signed.
    """
    done = await asyncio.gather(
        send_signed(database, bus, member, now),
        sign_queued(database, member, pair, floor, now),
        return_exceptions=True,
    )
    for each in done:
        if isinstance(each, BaseException):
            raise each
    return sum(count for count in done if isinstance(count, int))


async def sign_queued(database: Database, member: Member, pair: SigningPair, floor: Head, now: datetime) -> int:
    """Sign what is queued, in order, and commit it before anything is sent; return how many.

    What the member may not say any more stays queued: signed, it would use up a place and count nowhere. Nothing is
    signed after a head that lies beyond this database's own: it was set back, and whoever looks next finds that.

    A crash before the commit leaves the items queued, and nobody saw the signatures; after it, signed and unsent: they
    go out as they are.
    """
    async with database.read() as store:
        head = await _head(store, floor)
        queued = await store.outbox.queued(most=AT_ONCE)
    items = [(number, outgoing) for number, outgoing in queued if _may_say(member, outgoing)]
    if not items or head is None:
        return 0
    # In a thread and outside the transaction: who approves meanwhile waits for the writing only.
    signed = await asyncio.to_thread(_sign, [outgoing for _, outgoing in items], member, pair, head, now)
    async with database.write() as store:
        if await _head(store, floor) != head:
            return 0  # Somebody placed a statement meanwhile. Nobody saw these signatures: the next call signs anew.
        await store.outbox.put_signed([(number, s) for (number, _), s in zip(items, signed, strict=True)], now)
        await store.trail.add_all(now, _ACTOR, Event.STATEMENT_SIGNED, [(s.hash, {"seq": s.seq}) for s in signed])
    return len(signed)


async def require_sayable(database: Database, member: Member) -> None:
    """Let what is queued pass only if the member may say it.

    Raises:
        MayNotSay: some of it waits for the registrar; all else was signed.
    """
    async with database.read() as store:
        queued = await store.outbox.queued(most=AT_ONCE)
    kinds = sorted({outgoing.kind for _, outgoing in queued if not _may_say(member, outgoing)})
    if kinds:
        raise MayNotSay(
            f"the registry lists {member.slug} as {member.role} now, and every node would refuse its {', '.join(kinds)}"
            ": what was released of these kinds is not signed and waits in the outbox. If the role is wrong, call the "
            "registrar; everything else goes on"
        )


async def send_signed(database: Database, bus: Bus, member: Member, now: datetime) -> int:
    """Send what is signed, in order, unchanged, and mark what the bus has stored; return how many.

    All are on their way together: the bus keeps their order, and stores none behind one that it has not surely
    stored. A crash before they are marked sends them again: receivers count a repeat, nothing more.

    Raises:
        OutcomeUnknown: reconcile before the next send.
        BusUnavailable, PublishRefused: it stays signed.
    """
    async with database.read() as store:
        items = await store.outbox.ready(most=AT_ONCE)
    topic = statements_topic(member.slug)
    publishing = [
        bus.publish(topic, item.record, cloud_event_headers(member.did, item.seq, item.kind, item.signed_at or now))
        for item in items
    ]
    failed: BaseException | None = None
    stored = 0
    for answer in await asyncio.gather(*publishing, return_exceptions=True):
        if isinstance(answer, BaseException):
            failed = answer
            break
        stored += 1
    if stored:
        async with database.write() as store:
            await store.outbox.mark_sent(items[0].seq, items[stored - 1].seq, now)
    if failed is not None:
        raise failed
    return stored


def _sign(items: Sequence[Outgoing], member: Member, pair: SigningPair, head: Head, now: datetime) -> list[Signed]:
    signed: list[Signed] = []
    for outgoing in items:
        signed.append(
            sign_statement(
                outgoing, iss=member.did, kid=pair.kid, key=pair.secret, seq=head.seq + 1, prev=head.hash, now=now
            )
        )
        head = Head(signed[-1].seq, signed[-1].hash)
    return signed


def _may_say(member: Member, outgoing: Outgoing) -> bool:
    return outgoing.kind in ALLOWED_KINDS[member.role]


async def _head(store: Store, floor: Head) -> Head | None:
    """Return after which statement the own log goes on; None where this database lacks what lies before."""
    mine = await store.outbox.head()
    if mine is not None and mine[0] >= floor.seq:
        return Head(*mine)
    return floor if floor.seq == 0 else None
