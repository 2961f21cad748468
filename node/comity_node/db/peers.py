"""What members said outside their logs: the latest checkpoint of each, and heads that this node does not have."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.bulk import insert_rows, put_rows, stored_time
from comity_node.db.reading import Reading
from comity_node.db.rows.bus import CheckpointRow, ReportedHeadRow
from comity_node.db.rows.trail import KeptCheckpointRow


@dataclass(frozen=True, slots=True)
class ReportedHead:
    """One member's word about another one's log; it proves nothing."""

    reporter: str
    member: str
    seq: int
    hash: str
    at: datetime


class PeerWords:
    """Repository of checkpoints and reported heads."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put_checkpoint(self, member: str, raw: bytes, seq: int, at: datetime) -> None:
        """Keep a member's latest verified checkpoint, as signed."""
        columns, row = ("member", "raw", "seq", "at"), (member, raw, seq, stored_time(at))
        await put_rows(self._session, CheckpointRow, "member", columns, [row])

    async def checkpoint(self, member: str) -> bytes | None:
        """Return a member's latest verified checkpoint."""
        rows = await Reading(self._session).rows("select raw from checkpoint where member = ?", (), [member])
        return bytes(rows[0][0]) if rows else None

    async def keep_of_day(self, member: str, day: date, raw: bytes) -> None:
        """Keep a member's checkpoint for good, unless one was kept on this day: a witness of its trail."""
        is_kept = "select 1 from kept_checkpoint where member = ? and day = ?"
        if not await Reading(self._session).rows(is_kept, (), [member, day.isoformat()]):
            row = (member, day.isoformat(), raw)
            await insert_rows(self._session, KeptCheckpointRow, ("member", "day", "raw"), [row])

    async def kept(self, member: str, *, since: date | None, most: int) -> list[tuple[date, bytes]]:
        """Return the checkpoints kept of a member by the day they came, in order."""
        query = select(KeptCheckpointRow).where(KeptCheckpointRow.member == member)
        if since is not None:
            query = query.where(col(KeptCheckpointRow.day) >= since.isoformat())
        rows = await self._session.exec(query.order_by(col(KeptCheckpointRow.day)).limit(most))
        return [(date.fromisoformat(row.day), row.raw) for row in rows]

    async def note_head(self, head: ReportedHead) -> None:
        """Note what one member reports of another; its newer word replaces the older."""
        await self._session.merge(
            ReportedHeadRow(reporter=head.reporter, member=head.member, seq=head.seq, hash=head.hash, at=head.at)
        )
        await self._session.flush()

    async def reported_heads(self, *, most: int, but: Collection[str] = ()) -> list[ReportedHead]:
        """Return what was reported and not looked into, the oldest first, without what these members reported."""
        query = select(ReportedHeadRow).where(col(ReportedHeadRow.reporter).not_in(but))
        query = query.order_by(col(ReportedHeadRow.at)).limit(most)
        rows = await self._session.exec(query)
        return [ReportedHead(row.reporter, row.member, row.seq, row.hash, row.at) for row in rows]

    async def forget_head(self, head: ReportedHead) -> None:
        """Remove a report that was looked into, unless a newer one has replaced it."""
        await self._session.exec(
            delete(ReportedHeadRow).where(
                col(ReportedHeadRow.reporter) == head.reporter,
                col(ReportedHeadRow.member) == head.member,
                col(ReportedHeadRow.hash) == head.hash,
            )
        )
