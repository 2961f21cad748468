"""Nodes that are wrong on purpose, each in one way: a sweep that finds nothing wrong with them finds nothing at all."""

from collections.abc import Callable, Sequence
from typing import Any

from comity_federation.bus import Delivered, Skipped
from comity_federation.statements import genesis
from comity_node.db import Database
from comity_node.services.publishing.relay import Head
from comity_node.services.receiving.intake import TakenIn
from comity_node.workers import receiver, relay


def move_before_keeping() -> None:
    """Let the receiver move its position in a transaction of its own, before it keeps what it read."""
    keep = receiver.take_in

    async def take_in(
        database: Database,
        delivered: Sequence[Delivered | Skipped],
        registry: Any,
        bus_id: str,
        *more: Any,
        ends: Any,
        left: Any,
        is_newest: Any,
    ) -> TakenIn | None:
        async with database.write() as store:
            for item in delivered:
                last = item.last if isinstance(item, Skipped) else item.offset
                await store.logs.move({item.topic: last + 1}, bus_id)
        # Without the position it was read from, by which the node would notice; and whatever the registry says now, or
        # it would lose without being killed.
        return await keep(database, delivered, registry, bus_id, *more[:2], ends=ends, left=left)

    receiver.take_in = take_in


def sign_anew() -> None:
    """Let the relay sign anew, after a start, what it had signed and not yet noted as sent; and never look whether it
    was said already."""
    look = relay.reconcile
    forgets: bool | None = None

    async def reconcile(database: Database, *more: Any) -> Head:
        nonlocal forgets
        if forgets is None:
            # Only what it does after its start is wrong: without a kill it would find nothing unsure.
            forgets = await _unsign(database)
        if not forgets:
            return await look(database, *more)
        async with database.read() as store:
            return Head(*await store.outbox.head() or (0, genesis(more[1].did)))

    relay.reconcile = reconcile


async def _unsign(database: Database) -> bool:
    async with database.write() as store:
        unsure = await store.outbox.in_state("signed", most=1_000)
        for item in unsure:
            assert item.seq is not None
            await store.outbox.unsign(item.seq)
    return bool(unsure)


SABOTAGES: dict[str, Callable[[], None]] = {"move-before-keeping": move_before_keeping, "sign-anew": sign_anew}
