"""The trail: append only."""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_federation.encoding import b64encode
from comity_node.db.bulk import insert_rows, stored_time
from comity_node.db.reading import Reading
from comity_node.db.rows.trail import TrailAnchorRow, TrailExportRow, TrailRow
from comity_node.domain.trail import START, Anchor, Event, Numbered, TrailEntry, entry_digest, link
from comity_node.domain.trail_catalogue import check_detail

_COLUMNS = ("id", "at", "actor", "event", "subject", "detail", "salt", "hash")
_AT_ONCE = 500


class Trail:
    """Repository of the trail."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, now: datetime, actor: str, event: Event, subject: str, **detail: Any) -> int:
        """Append an entry; return its number. `detail` holds references and numbers, never content or names.

        Raises:
            NotInCatalogue: the catalogue does not describe it so.
        """
        return await self.add_all(now, actor, event, [(subject, detail)])

    async def add_all(
        self, now: datetime, actor: str, event: Event, entries: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> int:
        """Append an entry for each subject and detail, in their order; return the last one's number.

        Writers take turns, so nobody else appends between the head that is read here and the commit.
        """
        rows: list[tuple[Any, ...]] = []
        (number, hash_), at = await self.head(), stored_time(now)
        random = secrets.token_bytes(16 * len(entries))
        for place, (subject, detail) in enumerate(entries):
            entry = _new(now, actor, event, subject, detail)
            salt = b64encode(random[16 * place : 16 * place + 16])
            number += 1
            hash_ = link(hash_, entry_digest(number, salt, entry))
            rows.append((number, at, actor, event.value, subject, entry.detail, salt, hash_))
        await insert_rows(self._session, TrailRow, _COLUMNS, rows)
        return number

    async def head(self) -> tuple[int, str]:
        """Return the number of the last entry and what the chain comes to there."""
        found = await Reading(self._session).rows("select id, hash from trail order by id desc limit 1")
        return (found[0][0], found[0][1]) if found else (0, START)

    async def at(self, number: int) -> Numbered | None:
        """Return one entry."""
        row = await self._session.get(TrailRow, number)
        return None if row is None else _numbered(row)

    async def page(self, *, before: int | None, most: int) -> list[tuple[int, TrailEntry]]:
        """Return entries with their numbers, newest first."""
        query = select(TrailRow).order_by(col(TrailRow.id).desc()).limit(most)
        if before is not None:
            query = query.where(col(TrailRow.id) < before)
        return [(row.id or 0, _entry(row)) for row in await self._session.exec(query)]

    async def after(self, number: int, *, most: int, upto: int | None = None) -> list[Numbered]:
        """Return what follows a place, in order."""
        query = select(TrailRow).where(col(TrailRow.id) > number)
        if upto is not None:
            query = query.where(col(TrailRow.id) <= upto)
        rows = await self._session.exec(query.order_by(col(TrailRow.id)).limit(most))
        return [_numbered(row) for row in rows]

    async def first_break(self) -> int | None:
        """Return the number of the first entry that does not follow, or None when the chain holds.

        An anchor that names another hash, or an entry that is no more, is a break too.
        """
        number, hash_ = 0, START
        anchors = {anchor.number: anchor.hash for anchor in await self.anchors(0)}
        while rows := await self.after(number, most=_AT_ONCE):
            for row in rows:
                number, hash_ = number + 1, link(hash_, row.digest)
                if row.number != number or row.hash != hash_ or anchors.pop(number, hash_) != hash_:
                    return row.number
        return min(anchors, default=None)

    async def put_anchor(self, anchor: Anchor) -> None:
        """Keep a signed checkpoint as proof of how the trail stood."""
        row = TrailAnchorRow(number=anchor.number, hash=anchor.hash, checkpoint=anchor.checkpoint, at=anchor.at)
        await self._session.merge(row)
        await self._session.flush()

    async def anchors(self, since: int, *, upto: int | None = None, most: int | None = None) -> list[Anchor]:
        """Return the anchors from a place on, in order."""
        query = select(TrailAnchorRow).where(col(TrailAnchorRow.number) >= since).order_by(col(TrailAnchorRow.number))
        if upto is not None:
            query = query.where(col(TrailAnchorRow.number) <= upto)
        return [Anchor(r.number, r.hash, r.checkpoint, r.at) for r in await self._session.exec(query.limit(most))]

    async def last_anchor(self) -> Anchor | None:
        """Return the newest anchor."""
        query = select(TrailAnchorRow).order_by(col(TrailAnchorRow.number).desc()).limit(1)
        row = (await self._session.exec(query)).first()
        return None if row is None else Anchor(row.number, row.hash, row.checkpoint, row.at)

    async def want_anchor(self, number: int) -> None:
        """Note that a checkpoint has to fix the trail up to a place soon."""
        self._session.add(TrailExportRow(number=number))
        await self._session.flush()

    async def last_wanted(self) -> int:
        """Return the last place that a checkpoint had to fix; 0 where there was none."""
        query = select(TrailExportRow.number).order_by(col(TrailExportRow.number).desc()).limit(1)
        return (await self._session.exec(query)).first() or 0


def _new(now: datetime, actor: str, event: Event, subject: str, detail: Mapping[str, Any]) -> TrailEntry:
    check_detail(event, detail)
    return TrailEntry(now, actor, event, subject, json.dumps(detail, separators=(",", ":"), sort_keys=True))


def _entry(row: TrailRow) -> TrailEntry:
    return TrailEntry(row.at, row.actor, Event(row.event), row.subject, row.detail)


def _numbered(row: TrailRow) -> Numbered:
    return Numbered(row.id or 0, _entry(row), row.salt, row.hash)
