"""Offsets of the bus that hold nothing for us, kept with the reason beside the quarantine, and never many.

Ranges that touch and have one reason become one. Beyond `MOST_RANGES` a member's newest range is widened and says how
many offsets in it were skipped: a publisher can fill its own topic, but not our disk.
"""

from bisect import insort
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
class _Topic:
    """What is noted of a topic while more is, outside its rows: each look into one costs as much as a step here."""

    row: SkippedRow | None = None
    """Its newest range, with the next four not written yet."""
    first: int = 0
    last: int = -1
    offsets: int = 0
    reason: str = ""
    ranges: list[tuple[int, int, str]] | None = None
    """All of its ranges in order, once something came that is not beyond them."""

    def begin(self, row: SkippedRow) -> None:
        self.write()
        self.row, self.first, self.last = row, row.first, row.last
        self.offsets, self.reason = row.offsets, row.reason

    def widen(self, item: Skipped) -> None:
        self.first, self.last = min(self.first, item.first), max(self.last, item.last)
        self.offsets += item.last - item.first + 1
        self.reason = self.reason if self.reason == item.reason else SEVERAL

    def write(self) -> None:
        row = self.row
        if row is not None:
            row.first, row.last, row.offsets, row.reason = self.first, self.last, self.offsets, self.reason


class SkippedOffsets:
    """Repository of what was skipped."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def note(self, member: str, items: Iterable[Skipped], now: datetime) -> int:
        """Note what was skipped of a member's topics, in any order; return how many offsets were new."""
        new = 0
        room = MOST_RANGES - await self._count(member)
        topics: dict[str, _Topic] = {}
        for item in _merged(items):
            if item.topic not in topics:
                topics[item.topic] = await self._topic(member, item.topic)
            topic = topics[item.topic]
            for part in await self._not_noted(member, item, topic):
                new += part.last - part.first + 1
                touches = topic.row is not None and topic.last + 1 == part.first and topic.reason == part.reason
                if topic.row is not None and (touches or room <= 0):
                    topic.widen(part)
                    continue
                row = SkippedRow(
                    member=member,
                    topic=part.topic,
                    first=part.first,
                    last=part.last,
                    offsets=part.last - part.first + 1,
                    reason=part.reason,
                    since=now,
                )
                self._session.add(row)
                room -= 1
                if part.last > topic.last:
                    topic.begin(row)
        for topic in topics.values():
            topic.write()
        await self._session.flush()
        return new

    async def _topic(self, member: str, name: str) -> _Topic:
        topic = _Topic()
        query = select(SkippedRow).where(SkippedRow.member == member, SkippedRow.topic == name)
        newest = (await self._session.exec(query.order_by(col(SkippedRow.last).desc()).limit(1))).first()
        if newest is not None:
            topic.begin(newest)
        return topic

    async def _not_noted(self, member: str, item: Skipped, topic: _Topic) -> list[Skipped]:
        """Return the parts of a range that are not noted for this reason: a topic is read again after a lost position,
        and of a record that is refused it may turn out late that there is no room for it."""
        if topic.ranges is None:
            if item.first > topic.last:
                return [item]
            topic.write()
            query = select(SkippedRow.first, SkippedRow.last, SkippedRow.reason)
            of_topic = query.where(SkippedRow.member == member, SkippedRow.topic == item.topic)
            topic.ranges = sorted((await self._session.exec(of_topic)).all())
        parts, first = list[Skipped](), item.first
        for begin, end, reason in topic.ranges:
            if reason not in (item.reason, SEVERAL) or end < first or begin > item.last:
                continue
            if begin > first:
                parts.append(Skipped(item.topic, first, begin - 1, item.reason))
            first = end + 1
        if first <= item.last:
            parts.append(Skipped(item.topic, first, item.last, item.reason))
        for part in parts:
            insort(topic.ranges, (part.first, part.last, part.reason))
        return parts

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
