"""The entries of one kind in the supplier view. Under which names and identifiers they are found, the suppliers know.

Findings, decisions and pointers have tables of their own and are the same here: `Shelf` says which tables and which
words.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Select, TextClause, delete, func, text, true
from sqlalchemy import select as sa_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.as_of import Heads, as_they_were, reached, record_reached
from comity_node.db.bulk import insert_rows
from comity_node.db.changes import note_changes, note_same, stamps
from comity_node.db.hashes import has_hash
from comity_node.db.rows.bus import ReceivedRow
from comity_node.db.rows.pointers import PointerRow
from comity_node.db.rows.view import (
    DecisionRow,
    EntryRow,
)
from comity_node.db.rows.voices import NoticeRow
from comity_node.domain.changing import Change, what_became
from comity_node.domain.supplier_view import DecisionEntry, Entry, EntryState, NoticeEntry, PointerEntry
from comity_schemas.audit_notice import AuditNotice
from comity_schemas.decision import Decision
from comity_schemas.finding import Finding
from comity_schemas.handling import Handling
from comity_schemas.pointer import Pointer

T = TypeVar("T")
E = TypeVar("E", Entry, DecisionEntry, PointerEntry, NoticeEntry)

_CHUNK = 500
"""Bound of one `in (...)`, below every database's limit of parameters."""


class Folded(NamedTuple):
    """A new entry as it is stored."""

    number: int
    """Of its record."""
    handling: str
    body: str | None
    """JSON text of what is said."""
    named: bool
    """Whether anybody can find it by name."""


@dataclass(frozen=True)
class Shelf(Generic[E]):
    """Where the entries of one kind stand."""

    entry: type[EntryRow] | type[DecisionRow] | type[PointerRow] | type[NoticeRow]
    body: str
    """The column of what is said."""
    model: type[Finding] | type[Decision] | type[Pointer] | type[AuditNotice]
    body_of: Callable[[E], Finding | Decision | Pointer | AuditNotice | None]
    make: Callable[..., E]

    @cached_property
    def entries(self) -> Select[*tuple[Any, ...]]:
        """Everything of an entry but its number."""
        record, entry = ReceivedRow, self.entry
        return sa_select(
            col(record.hash),
            col(record.member),
            col(record.seq),
            col(entry.handling),
            getattr(entry, self.body),
            col(entry.state),
            col(entry.by),
            col(entry.reason),
            col(entry.earlier_by),
        ).join(entry, col(entry.id) == col(record.id))

    @cached_property
    def change(self) -> TextClause:
        """What later statements make of an entry."""
        table = self.entry.__tablename__
        columns = 'state = :state, "by" = :by, reason = :reason, earlier_by = :earlier_by'
        return text(f"update {table} set {columns} where id = :n")  # noqa: S608 (names of our own tables)

    def opened(self, row: Any) -> E:
        """Return the entry of a row of `entries`."""
        hash_, member, seq, handling, said, state, by, reason, earlier_by = row[:9]
        body = None if said is None else self.model.model_validate_json(said)
        place = (hash_, member, seq, Handling.model_validate_json(handling))
        return self.make(*place, body, EntryState(state), by, reason, earlier_by)

    def folded(self, number: int, entry: E) -> Folded:
        """Return a new entry as it is stored."""
        body = self.body_of(entry)
        return Folded(
            number=number,
            handling=json.dumps(entry.handling.to_parsed()),
            body=None if body is None else json.dumps(body.to_parsed(), ensure_ascii=False),
            named=body is not None and bool(body.names),
        )


class Entries(Generic[E]):
    """Repository of the entries of one kind, as they are or as they were at log positions."""

    def __init__(self, session: AsyncSession, shelf: Shelf[E], at: Heads | None = None) -> None:
        self._session = session
        self._shelf: Shelf[E] = shelf
        self._at = at

    async def load(self, hashes: Iterable[str]) -> dict[str, E]:
        """Return the named entries and everything that superseded them."""
        found: dict[str, E] = {}
        wanted = set(hashes)
        while wanted:
            entries = await self.entries(sorted(wanted))
            found.update({entry.hash: entry for entry in entries})
            wanted = {e.by for e in entries if e.state is EntryState.SUPERSEDED and e.by} - set(found)
        return found

    async def entries(self, hashes: Sequence[str]) -> list[E]:
        """Return the entries of these hashes that exist."""
        return await self._then(await self._chunked(self._shelf.entries, has_hash, hashes, self._shelf.opened))

    async def entries_by_number(self, numbers: Sequence[int]) -> dict[int, E]:
        """Return the entries of these records' numbers."""
        number = col(self._shelf.entry.id)
        query = self._shelf.entries.add_columns(number)
        found = await self._chunked(query, number.in_, numbers, lambda row: (row[-1], self._shelf.opened(row)))
        return dict(await self._numbered_then(found))

    async def opened(self, rows: Iterable[Any]) -> dict[int, E]:
        """Return the entries of rows that were read elsewhere, as `Shelf.entries` has them with the number behind."""
        return dict(await self._numbered_then([(row[-1], self._shelf.opened(row)) for row in rows]))

    async def _then(self, entries: list[E]) -> list[E]:
        """Return entries as they are meant to be read: as they are, or as they were."""
        return entries if self._at is None else await as_they_were(self._session, self._at, entries)

    async def _numbered_then(self, found: list[tuple[int, E]]) -> list[tuple[int, E]]:
        if self._at is None or not found:
            return found
        then = {entry.hash: entry for entry in await self._then([entry for _, entry in found])}
        return [(number, then[entry.hash]) for number, entry in found if entry.hash in then]

    def _there(self, number: Any) -> ColumnElement[bool]:
        """Return the condition that an entry was there, by the number of its record."""
        return true() if self._at is None else record_reached(number, self._at)

    async def _chunked(
        self,
        query: Select[*tuple[Any, ...]],
        among: Callable[[Sequence[Any]], ColumnElement[bool]],
        values: Sequence[Any],
        make: Callable[[Any], T],
    ) -> list[T]:
        found: list[T] = []
        connection = await self._session.connection()
        for start in range(0, len(values), _CHUNK):
            rows = await connection.execute(query.where(among(values[start : start + _CHUNK])))
            found.extend(make(row) for row in rows)
        return found

    async def put(self, entries: Sequence[E], now: datetime) -> None:
        """Add or change entries whose records are accepted."""
        await self._session.flush()
        numbers = await self.numbers([entry.hash for entry in entries])
        number = col(self._shelf.entry.id)
        known = set(await self._chunked(sa_select(number), number.in_, list(numbers.values()), lambda row: row[0]))
        await self.add([self._shelf.folded(numbers[e.hash], e) for e in entries if numbers[e.hash] not in known], now)
        # What was added on its way through another state is changed too.
        await self._change([(numbers[e.hash], e) for e in entries if e.state is not EntryState.CURRENT], now)

    async def add(self, folded: Sequence[Folded], now: datetime) -> None:
        """Add entries that are new."""
        shelf = self._shelf
        # Asked of an enumeration once, not of each: this is done for every statement that is taken in.
        current = EntryState.CURRENT.value
        entries = [(f.number, f.handling, f.body, f.named, current) for f in folded]
        await insert_rows(self._session, shelf.entry, ("id", "handling", shelf.body, "named", "state"), entries)
        await note_same(self._session, [f.number for f in folded], Change.ADDED, now)

    async def change(self, entries: Sequence[E], now: datetime) -> None:
        """Write what became of entries that are there."""
        if not entries:
            return
        numbers = await self.numbers([entry.hash for entry in entries])
        await self._change([(numbers[entry.hash], entry) for entry in entries], now)

    async def _change(self, changed: Sequence[tuple[int, E]], now: datetime) -> None:
        if changed:
            rows = [
                {"n": n, "state": e.state, "by": e.by, "reason": e.reason, "earlier_by": e.earlier_by}
                for n, e in changed
            ]
            await (await self._session.connection()).execute(self._shelf.change, rows)
            await note_changes(self._session, [(number, what_became(entry.state)) for number, entry in changed], now)

    async def forget_log(self, member: str) -> None:
        """Remove a member's entries, to be folded anew."""
        of_member = select(ReceivedRow.id).where(ReceivedRow.member == member).scalar_subquery()
        shelf = self._shelf
        await self._session.exec(delete(shelf.entry).where(col(shelf.entry.id).in_(of_member)))

    async def of_log(self, member: str) -> dict[str, E]:
        """Return all entries of one member's log."""
        rows = await (await self._session.connection()).execute(
            self._shelf.entries.where(col(ReceivedRow.member) == member)
        )
        return {entry.hash: entry for entry in await self._then([self._shelf.opened(row) for row in rows])}

    async def stamps_of_log(self, member: str) -> dict[int, int]:
        """Return the numbers of the records of one member's log that are here, each with what stands for its row."""
        shelf = self._shelf
        return await stamps(self._session, shelf.entries, col(shelf.entry.id), shelf.opened, member)

    async def members(self) -> list[str]:
        """Return whose entries the view holds."""
        entry = self._shelf.entry
        query = select(ReceivedRow.member).join(entry, col(entry.id) == ReceivedRow.id)
        return sorted(await self._session.exec(query.where(self._there(entry.id)).distinct()))

    async def page(self, *, before: int | None, most: int) -> list[tuple[int, E]]:
        """Return what stands, newest first, each with its number."""
        number = col(self._shelf.entry.id)
        stands = col(self._shelf.entry.state) == EntryState.CURRENT.value if self._at is None else reached(self._at)
        query = self._shelf.entries.add_columns(number).where(stands).order_by(number.desc()).limit(most)
        connection, found, more = await self._session.connection(), list[tuple[int, E]](), True
        while more and len(found) < most:
            rows = (await connection.execute(query if before is None else query.where(number < before))).all()
            then = await self._numbered_then([(row[-1], self._shelf.opened(row)) for row in rows])
            # As it was: what was current then may be taken back now, so the state is looked at here.
            found += [(n, entry) for n, entry in then if entry.state is EntryState.CURRENT]
            before, more = rows[-1][-1] if rows else before, len(rows) == most
        return found[:most]

    async def unnamed(self) -> int:
        """Return how many entries have no readable name: they are counted, and nobody can find them."""
        entry = self._shelf.entry
        query = select(func.count()).select_from(entry).where(~col(entry.named), self._there(entry.id))
        return (await self._session.exec(query)).one()

    async def orphans(self) -> int:
        """Return how many rows belong to no record that was received, for `comity check`."""
        query = select(func.count()).where(col(self._shelf.entry.id).not_in(select(ReceivedRow.id).scalar_subquery()))
        return (await self._session.exec(query)).one()

    async def numbers(self, hashes: Sequence[str]) -> dict[str, int]:
        """Return hash to the number of the record that counts."""
        query = sa_select(col(ReceivedRow.hash), col(ReceivedRow.id)).where(col(ReceivedRow.state) == "accepted")
        return dict(await self._chunked(query, has_hash, hashes, tuple))


FINDINGS: Shelf[Entry] = Shelf(
    entry=EntryRow,
    body="finding",
    model=Finding,
    body_of=lambda entry: entry.finding,
    make=Entry,
)
DECISIONS: Shelf[DecisionEntry] = Shelf(
    entry=DecisionRow,
    body="decision",
    model=Decision,
    body_of=lambda entry: entry.decision,
    make=DecisionEntry,
)
POINTERS: Shelf[PointerEntry] = Shelf(
    entry=PointerRow,
    body="pointer",
    model=Pointer,
    body_of=lambda entry: entry.pointer,
    make=PointerEntry,
)
NOTICES: Shelf[NoticeEntry] = Shelf(
    entry=NoticeRow,
    body="notice",
    model=AuditNotice,
    body_of=lambda entry: entry.notice,
    make=NoticeEntry,
)
