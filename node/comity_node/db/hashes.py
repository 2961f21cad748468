"""Finding records by the hash of their statement.

A hash falls anywhere into an index: with 400,000 records, a batch of 4,000 would change each of its pages, which
doubles what a record costs. So new hashes go into a small table, and from there in order into the large one, once for
some 65,000 records. A hash leads to numbers of records that may carry it; what counts is what stands in the record.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, and_, delete, func, select, text, union_all
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.bulk import insert_rows
from comity_node.db.rows.bus import HashRow, ReceivedRow, RecentHashRow

MOVED_TOGETHER = 1 << 16
"""Hashes move on when the numbers of records pass a multiple of this."""


def has_hash(hashes: Collection[str], member: str | None = None) -> ColumnElement[bool]:
    """Return the condition that a record's statement has one of these hashes: always a quick question.

    Args:
        hashes: of statements.
        member: in whose log; asked in this form, since SQLite would go through the whole log by its index.
    """
    wanted = sorted(set(hashes))
    numbers = union_all(
        *(select(col(table.record)).where(col(table.hash).in_(wanted)) for table in (RecentHashRow, HashRow))
    )
    found = and_(col(ReceivedRow.id).in_(numbers), col(ReceivedRow.hash).in_(wanted))
    return found if member is None else and_(found, func.coalesce(ReceivedRow.member, "") == member)


async def note_hashes(session: AsyncSession, hashes: Sequence[tuple[str, int]]) -> None:
    """Note under which hashes new records are found: (hash, number), numbers growing."""
    if not hashes:
        return
    if (hashes[0][1] - 1) // MOVED_TOGETHER != hashes[-1][1] // MOVED_TOGETHER:
        await session.flush()
        await (await session.connection()).execute(_MOVE_ON)
        await session.exec(delete(RecentHashRow))
    # In order: each page of the table is then found once.
    await insert_rows(session, RecentHashRow, ("hash", "record"), sorted(hashes))


async def note_again(session: AsyncSession, hashes: Sequence[tuple[str, int]]) -> None:
    """Note under which hashes records are found now that they were decided: nearly always those from before."""
    if hashes:
        rows = [{"hash": name, "record": number} for name, number in hashes]
        await (await session.connection()).execute(_NOTE, rows)


async def forget_hash(session: AsyncSession, record: int) -> None:
    """Forget a record that is about to go: its number may be given again."""
    carried = select(col(ReceivedRow.hash)).where(col(ReceivedRow.id) == record).scalar_subquery()
    for table in (RecentHashRow, HashRow):
        await session.exec(delete(table).where(col(table.hash) == carried, col(table.record) == record))


_NOTE = text("insert into recent_hash (hash, record) values (:hash, :record) on conflict do nothing")
# "where true", or SQLite reads "on conflict" as part of a join.
_MOVE_ON = text(
    "insert into hash (hash, record) select hash, record from recent_hash where true order by hash"
    " on conflict do nothing"
)
