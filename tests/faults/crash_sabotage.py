"""Nodes that are wrong on purpose, each in one way: a sweep that finds nothing wrong with them finds nothing at all."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from comity_federation.bus import Bus, Delivered, Skipped, statements_topic
from comity_federation.keys import SigningPair
from comity_federation.statements import sign_statement
from comity_node.db import Database
from comity_node.services.intake import TakenIn
from comity_node.services.relay import Head
from comity_node.workers import receiver, relay
from comity_schemas.member import Member


def move_before_keeping() -> None:
    """Let the receiver move its position in a transaction of its own, before it keeps what it read."""
    keep = receiver.take_in

    async def take_in(
        database: Database, delivered: Sequence[Delivered | Skipped], registry: Any, bus_id: str, *more: Any
    ) -> TakenIn:
        async with database.write() as store:
            for item in delivered:
                last = item.last if isinstance(item, Skipped) else item.offset
                await store.received.move({item.topic: last + 1}, bus_id)
        return await keep(database, delivered, registry, bus_id, *more)

    receiver.take_in = take_in


def send_before_keeping() -> None:
    """Let the relay send what it has signed before it has committed that it did."""

    async def sign_and_send(
        database: Database, bus: Bus, member: Member, pair: SigningPair, floor: Head, now: datetime
    ) -> int:
        async with database.write() as store:
            items = await store.outbox.queued(most=1)
            mine = await store.outbox.head()
            head = Head(*mine) if mine is not None and mine[0] >= floor.seq else floor
            for number, outgoing in items:
                signed = sign_statement(
                    outgoing, iss=member.did, kid=pair.kid, key=pair.secret, seq=head.seq + 1, prev=head.hash, now=now
                )
                await bus.publish(statements_topic(member.slug), signed.record, {})
                await store.outbox.put_signed([(number, signed)], now)
                await store.outbox.mark_sent(signed.seq, signed.seq, now)
        return len(items)

    assert callable(relay.sign_and_send)
    relay.sign_and_send = sign_and_send


SABOTAGES: dict[str, Callable[[], None]] = {
    "move-before-keeping": move_before_keeping,
    "send-before-keeping": send_before_keeping,
}
