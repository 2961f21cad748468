"""Deciding anew about a record that was refused, because a person asks for it."""

from datetime import datetime

from comity_node.db import Store
from comity_node.db.received import Received
from comity_node.domain.errors import NotFound
from comity_node.domain.trail import Event


async def find_refused(store: Store, record_id: int) -> Received:
    """Return a record of the quarantine.

    Raises:
        NotFound: there is none of this number, or it counts by now.
    """
    record = await store.quarantine.find(record_id)
    if record is None:
        raise NotFound("no such record in quarantine; it may count by now, or have been the same as one that does")
    return record


async def retry(store: Store, record_id: int, by: str, now: datetime) -> Received:
    """Let a refused record be decided anew, by the same thirteen steps, and note who asked.

    A record that has used its place up is decided with its whole log, because what follows rests on it.

    Raises:
        NotFound: see `find_refused`.
    """
    record = await find_refused(store, record_id)
    if record.state == "kept":
        await store.quarantine.reopen_log(record.member)
    else:
        await store.quarantine.reopen(record_id)
    await store.trail.add(
        now,
        by,
        Event.RECORD_RETRIED,
        record.hash or f"record {record.id}",
        member=record.member,
        step=record.step,
        code=record.code,
    )
    return record
