"""What members said outside their logs: the latest checkpoint of each, and heads that this node does not have."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

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
        await self._session.merge(CheckpointRow(member=member, raw=raw, seq=seq, at=at))
        await self._session.flush()

    async def checkpoint(self, member: str) -> bytes | None:
        """Return a member's latest verified checkpoint."""
        row = await self._session.get(CheckpointRow, member)
        return None if row is None else row.raw

    async def keep_of_day(self, member: str, day: date, raw: bytes) -> None:
        """Keep a member's checkpoint for good, unless one was kept on this day: a witness of its trail."""
        if await self._session.get(KeptCheckpointRow, (member, day.isoformat())) is None:
            self._session.add(KeptCheckpointRow(member=member, day=day.isoformat(), raw=raw))
            await self._session.flush()

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

    async def reported_heads(self, *, most: int) -> list[ReportedHead]:
        """Return what was reported and not looked into, the oldest first."""
        query = select(ReportedHeadRow).order_by(col(ReportedHeadRow.at)).limit(most)
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
