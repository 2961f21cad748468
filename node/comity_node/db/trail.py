"""The trail: append only."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.bulk import insert_rows, stored_time
from comity_node.db.rows import TrailRow
from comity_node.domain.trail import START, Event, TrailEntry, link
from comity_node.domain.trail_catalogue import check_detail


class Trail:
    """Repository of the trail."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, now: datetime, actor: str, event: Event, subject: str, **detail: Any) -> None:
        """Append an entry. `detail` holds references and numbers, never content or names.

        Raises:
            NotInCatalogue: the catalogue does not describe it so.
        """
        entry = _new(now, actor, event, subject, detail)
        hash_ = link(await self.head(), entry)
        self._session.add(TrailRow(at=now, actor=actor, event=event, subject=subject, detail=entry.detail, hash=hash_))
        await self._session.flush()

    async def add_all(
        self, now: datetime, actor: str, event: Event, entries: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> None:
        """Append an entry for each subject and detail, in their order."""
        rows: list[tuple[str, ...]] = []
        hash_, at = await self.head(), stored_time(now)
        for subject, detail in entries:
            entry = _new(now, actor, event, subject, detail)
            hash_ = link(hash_, entry)
            rows.append((at, actor, event.value, subject, entry.detail, hash_))
        await insert_rows(self._session, TrailRow, ("at", "actor", "event", "subject", "detail", "hash"), rows)

    async def head(self) -> str:
        """Return the hash of the last entry."""
        query = select(TrailRow.hash).order_by(col(TrailRow.id).desc()).limit(1)
        return (await self._session.exec(query)).first() or START

    async def page(self, *, before: int | None, most: int) -> list[tuple[int, TrailEntry]]:
        """Return entries with their numbers, newest first."""
        query = select(TrailRow).order_by(col(TrailRow.id).desc()).limit(most)
        if before is not None:
            query = query.where(col(TrailRow.id) < before)
        return [(row.id or 0, _entry(row)) for row in await self._session.exec(query)]

    async def first_break(self) -> int | None:
        """Return the number of the first entry whose hash does not follow, or None when the chain holds."""
        previous = START
        async for row in self._rows():
            if link(previous, _entry(row)) != row.hash:
                return row.id
            previous = row.hash
        return None

    async def _rows(self) -> AsyncIterator[TrailRow]:
        for row in await self._session.exec(
            select(TrailRow).order_by(col(TrailRow.id)).execution_options(yield_per=500)
        ):
            yield row


def _new(now: datetime, actor: str, event: Event, subject: str, detail: Mapping[str, Any]) -> TrailEntry:
    check_detail(event, detail)
    return TrailEntry(now, actor, event, subject, json.dumps(detail, separators=(",", ":"), sort_keys=True))


def _entry(row: TrailRow) -> TrailEntry:
    return TrailEntry(row.at, row.actor, Event(row.event), row.subject, row.detail)
