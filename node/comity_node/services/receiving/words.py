"""What members say outside their logs: checkpoints, and in them the heads that they have verified of others."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from comity_federation.checkpoints import CheckpointRefused, open_checkpoint
from comity_federation.registry import Registry
from comity_federation.statements import genesis
from comity_node.db import Store
from comity_node.db.peers import ReportedHead
from comity_node.services.receiving.hearing import heard_at
from comity_schemas.member import Member, MemberStatus
from comity_schemas.peers import PeerHead
from comity_schemas.statement import Checkpoint


async def note_checkpoint(
    store: Store, member: Member, raw: bytes, registry: Registry, now: datetime
) -> Checkpoint | None:
    """Take in a checkpoint, wherever it came from; None where it is none of this member.

    An older one than is known changes nothing, unless the key that signed what is known counts no more: a thief's
    last word would stand for ever.
    """
    try:
        checkpoint = open_checkpoint(raw, member)
    except CheckpointRefused:
        return None
    # By this node's day: a member cannot fill the table with days of its own.
    await store.peers.keep_of_day(member.slug, now.date(), raw)
    log = await store.logs.of(member.slug)
    if (
        log.announced_seq is not None
        and checkpoint.seq < log.announced_seq
        and await _still_counts(store, member, checkpoint)
    ):
        return checkpoint
    await store.logs.put(
        replace(
            log,
            heard_at=heard_at(log.heard_at, checkpoint.iat, now),
            announced_seq=checkpoint.seq,
            announced_hash=checkpoint.hash,
            announced_registry=checkpoint.registry_version,
        )
    )
    at = datetime.fromtimestamp(min(checkpoint.iat, int(now.timestamp())), UTC)
    await store.peers.put_checkpoint(member.slug, raw, checkpoint.seq, at)
    if checkpoint.peers is not None:
        await note_heads(store, member.slug, checkpoint.peers.heads, registry, now, said_at=at)
    return checkpoint


async def _still_counts(store: Store, member: Member, instead: Checkpoint) -> bool:
    """Tell whether the latest word of a member is one under its entry as it is now."""
    known = await store.peers.checkpoint(member.slug)
    try:
        return known is None or open_checkpoint(known, member).seq > instead.seq
    except CheckpointRefused:
        return False


async def note_heads(
    store: Store,
    reporter: str,
    heads: Iterable[PeerHead],
    registry: Registry,
    now: datetime,
    said_at: datetime | None = None,
) -> list[ReportedHead]:
    """Keep those reported heads that this node does not have, to be looked into; return them.

    Args:
        store: The open transaction.
        reporter: Who says so.
        heads: How far it has verified each log; of this node's own: how far it has applied that.
        registry: As trusted now.
        now: The time.
        said_at: When it said so, where that is not now.
    """
    unknown = []
    for head in heads:
        member = registry.member(head.member)
        if member is None or member.status is MemberStatus.PENDING:
            continue
        if await is_known(store, member, head.seq, head.hash):
            # Nobody else's statements are in the outbox.
            if await store.outbox.of_hash(head.hash) is not None:
                await store.deliveries.note(reporter, head.seq, said_at or now)
            continue
        reported = ReportedHead(reporter, head.member, head.seq, head.hash, now)
        await store.peers.note_head(reported)
        unknown.append(reported)
    return unknown


async def verified_heads(store: Store, registry: Registry) -> list[PeerHead]:
    """Return how far this node has verified every log, its own included."""
    return [
        PeerHead(member=log.member, seq=log.head, hash=log.head_hash)
        for log in await store.logs.all()
        if registry.member(log.member) is not None and log.head_hash
    ]


async def is_known(store: Store, member: Member, seq: int, name: str) -> bool:
    """Tell whether this statement stands in this node's verified part of the member's log."""
    if seq == 0:
        return name == genesis(member.did)
    log = await store.logs.of(member.slug)
    place = (await store.received.places(member.slug, [seq])).get(seq) if seq <= log.head else None
    return place is not None and place.hash == name
