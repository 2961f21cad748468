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


class SkippedOffsets:
    """Repository of what was skipped."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def note(self, member: str, items: Iterable[Skipped], now: datetime) -> int:
        """Note what was skipped of a member's topics, in the order it came; return how many offsets were new."""
        new = 0
        kept = await self._count(member)
        for item in _merged(items):
            newest = await self._newest(member, item.topic)
            # Read again after a lost position: what is known is not counted twice.
            first = item.first if newest is None else max(item.first, newest.last + 1)
            if first > item.last:
                continue
            new += item.last - first + 1
            touches = newest is not None and newest.last + 1 == first and newest.reason == item.reason
            if newest is not None and (touches or kept >= MOST_RANGES):
                newest.last, newest.offsets = item.last, newest.offsets + item.last - first + 1
                newest.reason = newest.reason if newest.reason == item.reason else SEVERAL
            else:
                self._session.add(
                    SkippedRow(
                        member=member,
                        topic=item.topic,
                        first=first,
                        last=item.last,
                        offsets=item.last - first + 1,
                        reason=item.reason,
                        since=now,
                    )
                )
                kept += 1
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
