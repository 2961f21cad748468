"""Offsets of the bus that hold nothing for us, kept with the reason beside the quarantine, and never many.

Ranges that touch and have one reason become one. Beyond `MOST_RANGES` a member's newest range is widened and says how
many offsets in it were skipped: a publisher can fill its own topic, but not our disk.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_federation.bus import Skipped
from comity_node.db.rows.bus import SkippedRow

MOST_RANGES = 100
"""Kept for one member."""

SEVERAL = "several reasons"


@dataclass(frozen=True, slots=True)
class SkippedRange:
    """Offsets `first..last` of a topic, `offsets` of which were skipped: all, unless the range was widened."""

    id: int
    member: str
    topic: str
    first: int
    last: int
    offsets: int
    reason: str
    since: datetime


@dataclass(slots=True)
class _End:
    """A topic's newest range while more is noted, outside its row: each look into that costs as much as a step here."""

    row: SkippedRow
    last: int
    offsets: int
    reason: str

    @classmethod
    def of(cls, row: SkippedRow) -> "_End":
        return cls(row, row.last, row.offsets, row.reason)

    def write(self) -> None:
        self.row.last, self.row.offsets, self.row.reason = self.last, self.offsets, self.reason


class SkippedOffsets:
    """Repository of what was skipped."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def note(self, member: str, items: Iterable[Skipped], now: datetime) -> int:
        """Note what was skipped of a member's topics, in the order it came; return how many offsets were new."""
        new = 0
        room = MOST_RANGES - await self._count(member)
        ends: dict[str, _End | None] = {}
        for item in _merged(items):
            if item.topic not in ends:
                newest = await self._newest(member, item.topic)
                ends[item.topic] = None if newest is None else _End.of(newest)
            end = ends[item.topic]
            # Read again after a lost position: what is known is not counted twice.
            first = item.first if end is None else max(item.first, end.last + 1)
            if first > item.last:
                continue
            offsets = item.last - first + 1
            new += offsets
            touches = end is not None and end.last + 1 == first and end.reason == item.reason
            if end is not None and (touches or room <= 0):
                end.last, end.offsets = item.last, end.offsets + offsets
                end.reason = end.reason if end.reason == item.reason else SEVERAL
                continue
            if end is not None:
                end.write()
            row = SkippedRow(
                member=member,
                topic=item.topic,
                first=first,
                last=item.last,
                offsets=offsets,
                reason=item.reason,
                since=now,
            )
            self._session.add(row)
            ends[item.topic] = _End.of(row)
            room -= 1
        for end in ends.values():
            if end is not None:
                end.write()
        await self._session.flush()
        return new

    async def page(self, member: str | None, *, before: int | None, most: int) -> list[SkippedRange]:
        """Return ranges, newest first; of all members or of one."""
        query = select(SkippedRow).order_by(col(SkippedRow.id).desc()).limit(most)
        if member is not None:
            query = query.where(SkippedRow.member == member)
        if before is not None:
            query = query.where(col(SkippedRow.id) < before)
        return [_range(row) for row in await self._session.exec(query)]

    async def any_for(self, member: str, reason: str) -> bool:
        """Tell whether something of a member was skipped for a reason, be it one of several."""
        query = select(SkippedRow.id).where(SkippedRow.member == member, col(SkippedRow.reason).in_((reason, SEVERAL)))
        return (await self._session.exec(query.limit(1))).first() is not None

    async def _count(self, member: str) -> int:
        query = select(func.count()).select_from(SkippedRow).where(SkippedRow.member == member)
        return (await self._session.exec(query)).one()

    async def _newest(self, member: str, topic: str) -> SkippedRow | None:
        query = select(SkippedRow).where(SkippedRow.member == member, SkippedRow.topic == topic)
        return (await self._session.exec(query.order_by(col(SkippedRow.last).desc()).limit(1))).first()


def _merged(items: Iterable[Skipped]) -> list[Skipped]:
    merged: list[Skipped] = []
    for item in items:
        before = merged[-1] if merged else None
        if before is not None and (before.topic, before.last + 1, before.reason) == (
            item.topic,
            item.first,
            item.reason,
        ):
            merged[-1] = Skipped(item.topic, before.first, item.last, item.reason)
        else:
            merged.append(item)
    return merged


def _range(row: SkippedRow) -> SkippedRange:
    return SkippedRange(row.id or 0, row.member, row.topic, row.first, row.last, row.offsets, row.reason, row.since)
