"""Taking in what the bus delivers: raw records into the inbox, checkpoints noted, positions in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from comity_federation.bus import Delivered, Skipped, checkpoints_topic, statements_topic
from comity_federation.log_state import peek
from comity_federation.registry import Registry
from comity_node.db import Database, Store
from comity_node.services.peers.words import note_checkpoint
from comity_schemas.member import Member, MemberStatus
from comity_schemas.statement import MAX_RECORD_BYTES


def topics(registry: Registry) -> dict[str, tuple[str, Member]]:
    """Return every topic to read with its purpose (`statements`, `checkpoints`) and member."""
    wanted: dict[str, tuple[str, Member]] = {}
    for member in registry.members:
        if member.status is not MemberStatus.PENDING:
            wanted[statements_topic(member.slug)] = ("statements", member)
            wanted[checkpoints_topic(member.slug)] = ("checkpoints", member)
    return wanted


async def positions(database: Database, registry: Registry, bus_id: str) -> dict[str, int]:
    """Return where reading of every topic goes on."""
    async with database.read() as store:
        return {topic: await store.received.position(topic, bus_id) for topic in topics(registry)}


async def take_in(
    database: Database, delivered: Sequence[Delivered | Skipped], registry: Registry, bus_id: str, now: datetime
) -> int:
    """Store a batch and where reading goes on, in one transaction; return how many statements came.

    A crash before the commit repeats the batch, a crash after it loses nothing.
    """
    wanted = topics(registry)
    next_offsets: dict[str, int] = {}
    statements = 0
    skipped: dict[str, list[Skipped]] = {}
    async with database.write() as store:
        for item in delivered:
            purpose, member = wanted[item.topic]
            if isinstance(item, Skipped):
                next_offsets[item.topic] = item.last + 1
                skipped.setdefault(member.slug, []).append(item)
                continue
            next_offsets[item.topic] = item.offset + 1
            if purpose == "checkpoints":
                await note_checkpoint(store, member, item.value, registry, now)
            else:
                statements += 1
                # One byte too many is enough to refuse it; a peer cannot fill the disk with more.
                kept = item.value[: MAX_RECORD_BYTES + 1]
                claimed = peek(kept) if len(kept) <= MAX_RECORD_BYTES else None
                await store.received.add(member.slug, kept, claimed, now, item.offset)
        for slug, items in skipped.items():
            await _note_skipped(store, slug, items, now)
        await _move(store, next_offsets, bus_id)
    return statements


async def forget_position(database: Database, topic: str, bus_id: str) -> None:
    """Read a topic from its beginning again: the bus no longer holds where we were. Repeats are dropped later."""
    async with database.write() as store:
        await store.received.move(topic, bus_id, 0)


async def _move(store: Store, next_offsets: Mapping[str, int], bus_id: str) -> None:
    for topic, offset in next_offsets.items():
        await store.received.move(topic, bus_id, offset)


async def _note_skipped(store: Store, slug: str, items: Sequence[Skipped], now: datetime) -> None:
    log = await store.received.log(slug)
    await store.received.put_log(replace(log, skipped=log.skipped + await store.skipped.note(slug, items, now)))
