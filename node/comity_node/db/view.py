"""The supplier view: entries, and the names and identifiers under which they are found."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Select, delete, func, text
from sqlalchemy import select as sa_select
from sqlalchemy.orm import Mapped
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.bulk import insert_rows, stored_time
from comity_node.db.rows import ChangeRow, EntryIdentifierRow, EntryNameRow, EntryRow, ReceivedRow
from comity_node.domain.names import fold_name
from comity_node.domain.supplier_view import Entry, EntryState
from comity_schemas.finding import Finding
from comity_schemas.handling import Handling
from comity_schemas.identifiers import Identifier

T = TypeVar("T")

_CHUNK = 500
"""Bound of one `in (...)`, below every database's limit of parameters."""


class Folded(NamedTuple):
    """A new entry as it is stored."""

    number: int
    """Of its record."""
    handling: str
    finding: str | None
    """JSON text."""
    country: str
    names: tuple[tuple[str, str], ...]
    """As written, and folded."""
    identifiers: tuple[tuple[str, str], ...]
    """Scheme and value."""


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
        return await self._chunked(_ENTRIES, col(ReceivedRow.hash), hashes, _entry)

    async def entries_by_number(self, numbers: Sequence[int]) -> dict[int, Entry]:
        """Return the entries of these records' numbers, as `names` and `with_identifiers` give them."""
        query = _ENTRIES.add_columns(col(EntryRow.id))
        return dict(await self._chunked(query, col(EntryRow.id), numbers, lambda row: (row[-1], _entry(row))))

    async def _chunked(
        self, query: Select[*tuple[Any, ...]], column: Mapped[Any], values: Sequence[Any], make: Callable[[Any], T]
    ) -> list[T]:
        found: list[T] = []
        connection = await self._session.connection()
        for start in range(0, len(values), _CHUNK):
            rows = await connection.execute(query.where(column.in_(values[start : start + _CHUNK])))
            found.extend(make(row) for row in rows)
        return found

    async def put(self, entries: Sequence[Entry], now: datetime) -> None:
        """Add or change entries whose records are accepted."""
        await self._session.flush()
        numbers = await self._numbers([entry.hash for entry in entries])
        known = set(await self._chunked(_NUMBERS, col(EntryRow.id), list(numbers.values()), lambda row: row[0]))
        await self.add([_folded(numbers[e.hash], e) for e in entries if numbers[e.hash] not in known], now)
        # What was added on its way through another state is changed too.
        await self._change([(numbers[e.hash], e) for e in entries if e.state is not EntryState.CURRENT], now)

    async def add(self, folded: Sequence[Folded], now: datetime) -> None:
        """Add entries that are new, with the names and identifiers under which they are found."""
        entries = [(f.number, f.handling, f.finding, bool(f.names), EntryState.CURRENT.value) for f in folded]
        await insert_rows(self._session, EntryRow, ("id", "handling", "finding", "named", "state"), entries)
        names = [(f.number, n, name, key, f.country) for f in folded for n, (name, key) in enumerate(f.names)]
        await insert_rows(self._session, EntryNameRow, ("entry", "number", "text", "folded", "country"), names)
        identifiers = [(scheme, value, f.number) for f in folded for scheme, value in set(f.identifiers)]
        await insert_rows(self._session, EntryIdentifierRow, ("scheme", "value", "entry"), identifiers)
        await self._note([f.number for f in folded], now)

    async def change(self, entries: Sequence[Entry], now: datetime) -> None:
        """Write what became of entries that are there."""
        numbers = await self._numbers([entry.hash for entry in entries])
        await self._change([(numbers[entry.hash], entry) for entry in entries], now)

    async def _change(self, changed: Sequence[tuple[int, Entry]], now: datetime) -> None:
        if changed:
            rows = [{"n": n, "state": e.state, "by": e.by, "reason": e.reason} for n, e in changed]
            await (await self._session.connection()).execute(_CHANGE, rows)
            await self._note([number for number, _ in changed], now)

    async def _note(self, numbers: Sequence[int], now: datetime) -> None:
        """Note that these entries are new or changed, for whoever follows the view."""
        at = stored_time(now)
        await insert_rows(self._session, ChangeRow, ("entry", "at"), [(number, at) for number in numbers])

    async def forget_log(self, member: str) -> None:
        """Remove a member's entries, to be folded anew."""
        of_member = select(ReceivedRow.id).where(ReceivedRow.member == member).scalar_subquery()
        await self._session.exec(delete(EntryNameRow).where(col(EntryNameRow.entry).in_(of_member)))
        await self._session.exec(delete(EntryIdentifierRow).where(col(EntryIdentifierRow.entry).in_(of_member)))
        await self._session.exec(delete(EntryRow).where(col(EntryRow.id).in_(of_member)))

    async def of_log(self, member: str) -> dict[str, Entry]:
        """Return all entries of one member's log."""
        rows = await (await self._session.connection()).execute(_ENTRIES.where(col(ReceivedRow.member) == member))
        return {entry.hash: entry for entry in map(_entry, rows)}

    async def members(self) -> list[str]:
        """Return whose entries the view holds."""
        query = select(ReceivedRow.member).join(EntryRow, col(EntryRow.id) == ReceivedRow.id).distinct()
        return sorted(await self._session.exec(query))

    async def with_identifiers(self, identifiers: Iterable[Identifier]) -> dict[int, Identifier]:
        """Return number to identifier of the entries that carry one of these."""
        found: dict[int, Identifier] = {}
        for wanted in identifiers:
            query = select(EntryIdentifierRow.entry).where(
                EntryIdentifierRow.scheme == wanted.scheme, EntryIdentifierRow.value == wanted.id
            )
            found.update(dict.fromkeys(await self._session.exec(query), wanted))
        return found

    async def names(self) -> list[tuple[int, str, str, str]]:
        """Return (number, name as written, folded name, country) of every name in the view."""
        query = select(EntryNameRow.entry, EntryNameRow.text, EntryNameRow.folded, EntryNameRow.country)
        return [(n, t, f, c) for n, t, f, c in await self._session.exec(query)]

    async def unnamed(self) -> int:
        """Return how many entries have no readable name: they are counted, and nobody can find them."""
        return (await self._session.exec(select(func.count()).select_from(EntryRow).where(~col(EntryRow.named)))).one()

    async def indexed(self) -> tuple[set[tuple[str, str, str, str]], set[tuple[str, str, str]]]:
        """Return (hash, name as written, folded name, country) and (hash, scheme, value) of everything that can be
        found, for `comity check`."""
        names = select(ReceivedRow.hash, EntryNameRow.text, EntryNameRow.folded, EntryNameRow.country).join(
            ReceivedRow, col(ReceivedRow.id) == EntryNameRow.entry
        )
        identifiers = select(ReceivedRow.hash, EntryIdentifierRow.scheme, EntryIdentifierRow.value).join(
            ReceivedRow, col(ReceivedRow.id) == EntryIdentifierRow.entry
        )
        return (
            {(h or "", t, f, c) for h, t, f, c in await self._session.exec(names)},
            {(h or "", s, v) for h, s, v in await self._session.exec(identifiers)},
        )

    async def orphans(self) -> int:
        """Return how many rows belong to no record that was received, for `comity check`."""
        found = 0
        for column in (EntryRow.id, EntryNameRow.entry, EntryIdentifierRow.entry):
            query = select(func.count()).where(col(column).not_in(select(ReceivedRow.id).scalar_subquery()))
            found += (await self._session.exec(query)).one()
        return found

    async def _numbers(self, hashes: Sequence[str]) -> dict[str, int]:
        """Return hash to the number of the record that counts."""
        query = sa_select(col(ReceivedRow.hash), col(ReceivedRow.id)).where(col(ReceivedRow.state) == "accepted")
        return dict(await self._chunked(query, col(ReceivedRow.hash), hashes, tuple))


_ENTRIES = sa_select(
    col(ReceivedRow.hash),
    col(ReceivedRow.member),
    col(ReceivedRow.seq),
    col(EntryRow.handling),
    col(EntryRow.finding),
    col(EntryRow.state),
    col(EntryRow.by),
    col(EntryRow.reason),
).join(EntryRow, col(EntryRow.id) == col(ReceivedRow.id))
_NUMBERS = sa_select(col(EntryRow.id))
_CHANGE = text('update entry set state = :state, "by" = :by, reason = :reason where id = :n')


def _folded(number: int, entry: Entry) -> Folded:
    finding = entry.finding
    return Folded(
        number=number,
        handling=json.dumps(entry.handling.to_parsed()),
        finding=None if finding is None else json.dumps(finding.to_parsed(), ensure_ascii=False),
        country="" if finding is None else finding.country,
        names=() if finding is None else tuple((n.text, fold_name(n.text)) for n in finding.names or ()),
        identifiers=() if finding is None else tuple((i.scheme, i.id) for i in finding.identifiers or ()),
    )


def _entry(row: Any) -> Entry:
    hash_, member, seq, handling, finding, state, by, reason = row[:8]
    return Entry(
        hash_,
        member,
        seq,
        Handling.model_validate_json(handling),
        None if finding is None else Finding.model_validate_json(finding),
        EntryState(state),
        by,
        reason,
    )
