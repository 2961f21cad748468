"""Nodes that are wrong on purpose, each in one way: a sweep that finds nothing wrong with them finds nothing at all."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from comity_federation.bus import Bus, Delivered, Skipped, statements_topic
from comity_federation.keys import SigningPair
from comity_federation.statements import sign_statement
from comity_node.db import Database
from comity_node.services.relay import Head
from comity_node.wiring import Node
from comity_node.workers import receiver, relay
from comity_schemas.member import Member


def move_before_keeping() -> None:
    """Let the receiver move its position in a transaction of its own, before it keeps what it read."""
    keep = receiver.take_in

    async def take_in(
        database: Database, delivered: Sequence[Delivered | Skipped], registry: Any, bus_id: str, *more: Any
    ) -> int:
        async with database.write() as store:
            for item in delivered:
                last = item.last if isinstance(item, Skipped) else item.offset
                await store.received.move(item.topic, bus_id, last + 1)
        return await keep(database, delivered, registry, bus_id, *more)

    receiver.take_in = take_in  # type: ignore[assignment]


def send_before_keeping() -> None:
    """Let the relay send what it has signed before it has committed that it did."""
    buses: list[Bus] = []
    real = Node.bus

    def bus(node: Node) -> Bus:
        buses.append(real(node))
        return buses[-1]

    async def sign_queued(
        database: Database, member: Member, pair: SigningPair, floor: Head, now: datetime, *_: Any
    ) -> int:
        async with database.write() as store:
            items = await store.outbox.in_state("queued", most=1)
            mine = await store.outbox.head()
            head = Head(*mine) if mine is not None and mine[0] >= floor.seq else floor
            for item in items:
                signed = sign_statement(
                    item.outgoing,
                    iss=member.did,
                    kid=pair.kid,
                    key=pair.secret,
                    seq=head.seq + 1,
                    prev=head.hash,
                    now=now,
                )
                await buses[-1].publish(statements_topic(member.slug), signed.record, {})
                await store.outbox.put_signed(item.id, signed, now)
                await store.outbox.mark_sent(signed.seq, now)
        return len(items)

    Node.bus = bus  # type: ignore[method-assign]
    relay.sign_queued = sign_queued  # type: ignore[assignment]


SABOTAGES: dict[str, Callable[[], None]] = {
    "move-before-keeping": move_before_keeping,
    "send-before-keeping": send_before_keeping,
}
