"""The supplier view: entries, and the names and identifiers under which they are found."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.rows import ChangeRow, EntryIdentifierRow, EntryNameRow, EntryRow
from comity_node.domain.names import fold_name
from comity_node.domain.supplier_view import Entry, EntryState
from comity_schemas.finding import Finding
from comity_schemas.handling import Handling
from comity_schemas.identifiers import Identifier

_CHUNK = 500
"""Bound of one `in (...)`, below every database's limit of parameters."""


class View:
    """Repository of the supplier view."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def load(self, hashes: Iterable[str]) -> dict[str, Entry]:
        """Return the named entries and everything that superseded them."""
        found: dict[str, Entry] = {}
        wanted = set(hashes)
        while wanted:
            entries = await self.entries(sorted(wanted))
            found.update({entry.hash: entry for entry in entries})
            wanted = {e.by for e in entries if e.state is EntryState.SUPERSEDED and e.by} - set(found)
        return found

    async def entries(self, hashes: Sequence[str]) -> list[Entry]:
        """Return the entries of these hashes that exist."""
        entries: list[Entry] = []
        for start in range(0, len(hashes), _CHUNK):
            query = select(EntryRow).where(col(EntryRow.hash).in_(hashes[start : start + _CHUNK]))
            entries.extend(_entry(row) for row in await self._session.exec(query))
        return entries

    async def put(self, entry: Entry, now: datetime) -> None:
        """Add or change an entry, and note the change for whoever follows the view."""
        row = await self._session.get(EntryRow, entry.hash)
        if row is None:
            self._session.add(_row(entry))
            await self._session.flush()
            self._index(entry)
        else:
            row.state, row.by, row.reason = entry.state, entry.by, entry.reason
        self._session.add(ChangeRow(hash=entry.hash, at=now))
        await self._session.flush()

    async def forget_log(self, member: str) -> None:
        """Remove a member's entries, to be folded anew."""
        hashes = select(EntryRow.hash).where(EntryRow.member == member).scalar_subquery()
        await self._session.exec(delete(EntryNameRow).where(col(EntryNameRow.hash).in_(hashes)))
        await self._session.exec(delete(EntryIdentifierRow).where(col(EntryIdentifierRow.hash).in_(hashes)))
        await self._session.exec(delete(EntryRow).where(col(EntryRow.member) == member))

    async def of_log(self, member: str) -> dict[str, Entry]:
        """Return all entries of one member's log."""
        query = select(EntryRow).where(EntryRow.member == member)
        return {row.hash: _entry(row) for row in await self._session.exec(query)}

    async def members(self) -> list[str]:
        """Return whose entries the view holds."""
        return sorted(set(await self._session.exec(select(EntryRow.member).distinct())))

    async def with_identifiers(self, identifiers: Iterable[Identifier]) -> dict[str, Identifier]:
        """Return hash to identifier of the entries that carry one of these."""
        found: dict[str, Identifier] = {}
        for wanted in identifiers:
            query = select(EntryIdentifierRow.hash).where(
                EntryIdentifierRow.scheme == wanted.scheme, EntryIdentifierRow.value == wanted.id
            )
            found.update(dict.fromkeys(await self._session.exec(query), wanted))
        return found

    async def names(self) -> list[tuple[str, str, str, str]]:
        """Return (hash, name as written, folded name, country) of every name in the view."""
        query = select(EntryNameRow.hash, EntryNameRow.text, EntryNameRow.folded, EntryNameRow.country)
        return [(h, t, f, c) for h, t, f, c in await self._session.exec(query)]

    async def unnamed(self) -> int:
        """Return how many entries have no readable name: they are counted, and nobody can find them."""
        named = select(EntryNameRow.hash).scalar_subquery()
        query = select(func.count()).select_from(EntryRow).where(col(EntryRow.hash).not_in(named))
        return (await self._session.exec(query)).one()

    async def indexed(self) -> tuple[set[tuple[str, str, str, str]], set[tuple[str, str, str]]]:
        """Return `names` and (hash, scheme, value) of everything that can be found, for `comity check`."""
        identifiers = await self._session.exec(
            select(EntryIdentifierRow.hash, EntryIdentifierRow.scheme, EntryIdentifierRow.value)
        )
        return set(await self.names()), {(h, s, v) for h, s, v in identifiers}

    def _index(self, entry: Entry) -> None:
        if entry.finding is None:
            return
        for name in entry.finding.names or ():
            self._session.add(
                EntryNameRow(
                    hash=entry.hash, text=name.text, folded=fold_name(name.text), country=entry.finding.country
                )
            )
        for identifier in entry.finding.identifiers or ():
            self._session.add(EntryIdentifierRow(hash=entry.hash, scheme=identifier.scheme, value=identifier.id))


def _row(entry: Entry) -> EntryRow:
    return EntryRow(
        hash=entry.hash,
        member=entry.member,
        seq=entry.seq,
        handling=json.dumps(entry.handling.to_parsed()),
        finding=None if entry.finding is None else json.dumps(entry.finding.to_parsed(), ensure_ascii=False),
        state=entry.state,
        by=entry.by,
        reason=entry.reason,
    )


def _entry(row: EntryRow) -> Entry:
    return Entry(
        row.hash,
        row.member,
        row.seq,
        Handling.model_validate_json(row.handling),
        None if row.finding is None else Finding.model_validate_json(row.finding),
        EntryState(row.state),
        row.by,
        row.reason,
    )
