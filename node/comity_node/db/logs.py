"""What is known of every log as a whole, and where reading of each topic goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, TextClause, bindparam, text, update
from sqlalchemy import select as sa_select
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.bulk import values_of
from comity_node.db.reading import Reading
from comity_node.db.rows.bus import LogRow, PositionRow
from comity_node.db.rows.columns import UtcTime


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
        return next(iter(await self._logs(_ALL_LOGS.where(col(LogRow.member) == member))), LogStatus(member))

    async def all(self) -> list[LogStatus]:
        """Return all known logs by member."""
        found = []
        for row in await Reading(self._session).rows(_EVERY_LOG):
            values = dict(zip(_LOG_FIELDS, row, strict=True))
            heard = values.pop("heard_at")
            found.append(LogStatus(**values, heard_at=None if heard is None else datetime.fromisoformat(heard)))
        return found

    async def _logs(self, query: Select[*tuple[Any, ...]]) -> list[LogStatus]:
        return [LogStatus(*row) for row in await (await self._session.connection()).execute(query)]

    async def put(self, *logs: LogStatus) -> None:
        """Store what is known of logs."""
        if logs:
            await (await self._session.connection()).execute(_PUT_LOG, [values_of(log) for log in logs])

    async def positions(self, bus_id: str) -> dict[str, int]:
        """Return by topic where reading goes on; a topic not read on this bus yet is absent."""
        rows = await (await self._session.connection()).execute(_POSITIONS.where(col(PositionRow.bus_id) == bus_id))
        return {row.topic: row.next_offset for row in rows}

    async def move(self, next_offsets: Mapping[str, int], bus_id: str) -> None:
        """Note where reading goes on, in the transaction that stores what was read."""
        if next_offsets:
            rows = [{"topic": t, "bus_id": bus_id, "next_offset": offset} for t, offset in next_offsets.items()]
            await (await self._session.connection()).execute(_PUT_POSITION, rows)

    async def read_again(self, topic: str) -> None:
        """Read a topic from its beginning again."""
        await self._session.exec(update(PositionRow).where(col(PositionRow.topic) == topic).values(next_offset=0))


_LOG_FIELDS = tuple(f.name for f in fields(LogStatus))
_EVERY_LOG = f"select {', '.join(_LOG_FIELDS)} from log order by member"  # noqa: S608 (names of our own columns)
_POSITIONS = sa_select(col(PositionRow.topic), col(PositionRow.next_offset))
_ALL_LOGS = sa_select(*(col(getattr(LogRow, name)) for name in _LOG_FIELDS))


def _put(table: type[SQLModel], key: str, columns: Sequence[str]) -> TextClause:
    """Return the statement that adds a row or changes the one of this key: the same on both databases."""
    values = ", ".join(f":{c}" for c in columns)
    changes = ", ".join(f"{c} = excluded.{c}" for c in columns if c != key)
    statement = f"insert into {table.__tablename__} ({', '.join(columns)}) values ({values})"  # noqa: S608
    times = [bindparam(c, type_=UtcTime()) for c in columns if c.endswith("_at")]
    return text(f"{statement} on conflict ({key}) do update set {changes}").bindparams(*times)


_PUT_LOG = _put(LogRow, "member", _LOG_FIELDS)
_PUT_POSITION = _put(PositionRow, "topic", ("topic", "bus_id", "next_offset"))
