"""What is known of every log as a whole, and where reading of each topic goes on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.bulk import put_rows, stored_time, values_of
from comity_node.db.reading import Reading
from comity_node.db.rows.bus import LogRow, PositionRow


@dataclass(frozen=True, slots=True)
class LogStatus:
    """What this node knows of one member's log."""

    member: str
    head: int = 0
    head_hash: str = ""
    """Hash of the statement at the head; empty before the first."""
    head_key: int = 0
    """Index in the member's list of the key that signed it."""
    frozen_from: int | None = None
    repeats: int = 0
    skipped: int = 0
    decided_under: str = ""
    """Hash of the member's registry entry under which all of the log was decided."""
    heard_at: datetime | None = None
    announced_seq: int | None = None
    announced_hash: str | None = None
    announced_registry: int | None = None
    counted_on: str = ""
    """Day (UTC, ISO 8601) on which `counted` records came that were new when they came."""
    counted: int = 0


class Logs:
    """Repository of logs."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def of(self, member: str) -> LogStatus:
        """Return what is known of a log; an empty one when nothing is."""
        return (await self.of_each([member]))[member]

    async def all(self) -> list[LogStatus]:
        """Return all known logs by member."""
        return [_status(row) for row in await Reading(self._session).rows(f"{_EVERY_LOG} order by member")]

    async def of_each(self, members: Collection[str]) -> dict[str, LogStatus]:
        """Return by member what is known of these logs; an empty one where nothing is."""
        known = dict[str, LogStatus]()
        if members:
            places = ", ".join("?" * len(members))
            rows = await Reading(self._session).rows(f"{_EVERY_LOG} where member in ({places})", (), sorted(members))
            known = {log.member: log for log in map(_status, rows)}
        return {member: known.get(member) or LogStatus(member) for member in members}

    async def put(self, *logs: LogStatus) -> None:
        """Store what is known of logs."""
        rows = []
        for log in logs:
            values = values_of(log)
            values["heard_at"] = None if log.heard_at is None else stored_time(log.heard_at)
            rows.append([values[name] for name in _LOG_FIELDS])
        await put_rows(self._session, LogRow, "member", _LOG_FIELDS, rows)

    async def positions(self, bus_id: str) -> dict[str, int]:
        """Return by topic where reading goes on; a topic not read on this bus yet is absent."""
        return dict(await Reading(self._session).rows(_POSITIONS, (), [bus_id]))

    async def move(self, next_offsets: Mapping[str, int], bus_id: str) -> None:
        """Note where reading goes on, in the transaction that stores what was read."""
        rows = [(topic, bus_id, offset) for topic, offset in next_offsets.items()]
        await put_rows(self._session, PositionRow, "topic", ("topic", "bus_id", "next_offset"), rows)

    async def read_again(self, topic: str) -> None:
        """Read a topic from its beginning again."""
        await self._session.exec(update(PositionRow).where(col(PositionRow.topic) == topic).values(next_offset=0))


_LOG_FIELDS = tuple(f.name for f in fields(LogStatus))
_EVERY_LOG = f"select {', '.join(_LOG_FIELDS)} from log"  # noqa: S608 (names of our own columns)
_POSITIONS = "select topic, next_offset from position where bus_id = ?"


def _status(row: Sequence[Any]) -> LogStatus:
    values = dict(zip(_LOG_FIELDS, row, strict=True))
    heard = values.pop("heard_at")
    return LogStatus(**values, heard_at=None if heard is None else datetime.fromisoformat(heard))
