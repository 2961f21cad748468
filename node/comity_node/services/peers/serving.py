"""What this node gives to other members' nodes: records by place or hash, checkpoints and heads, proofs of forks.

Only what every active member may read: records that are accepted or kept, exactly as they travel, and own statements
that the bus has stored. Disclosures that were withheld are in no record; they stay.
"""

from comity_federation.forks import contradiction
from comity_node.db import Store
from comity_schemas.member import Member

MOST_RECORDS = 200
"""Most records in one answer."""

MOST_BYTES = 1024 * 1024
"""Most bytes of records in one answer; one record is always given."""

_COPIES = 200
"""How many copies of one place are looked through for a proof."""


async def records_from(store: Store, member: str, first: int, most: int, *, own: bool) -> list[bytes]:
    """Return a log's records from a place on, in order, without holes, bounded in number and bytes.

    Args:
        store: The open view.
        member: Whose log.
        first: The first place wanted.
        most: At most so many.
        own: Whether it is this node's own log, of which it knows more than it has read back from the bus.
    """
    most = min(most, MOST_RECORDS)
    found = {r.seq: r.raw for r in await store.received.run(member, first, most=most) if r.seq is not None}
    if own:
        sent = await store.outbox.sent(first, most=most)
        found = {i.seq: i.record for i in sent if i.seq is not None and i.record is not None} | found
    given: list[bytes] = []
    size = 0
    for seq in range(first, first + most):
        raw = found.get(seq)
        size += 0 if raw is None else len(raw)
        if raw is None or (given and size > MOST_BYTES):
            break
        given.append(raw)
    return given


async def record_of(store: Store, member: str, name: str, *, own: bool) -> bytes | None:
    """Return the record of one statement of a log, or None where this node has it not, or not to give."""
    holder = await store.received.holder(member, name)
    if holder is not None:
        return holder.raw
    item = await store.outbox.of_hash(name) if own else None
    return item.record if item is not None and item.state == "sent" else None


async def fork_proof(store: Store, member: Member) -> tuple[bytes, bytes] | None:
    """Return two statements of a frozen log that contradict each other; None while it is not frozen."""
    log = await store.logs.of(member.slug)
    if log.frozen_from is None:
        return None
    copies = await store.received.copies(member.slug, [log.frozen_from, log.frozen_from + 1])
    return contradiction([copy.raw for copy in copies[:_COPIES]], member)
