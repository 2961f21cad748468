"""What stands beside a finding or decision in the view and is found by what it is about, never by a name.

Replies and corroborations have tables of their own and are the same here: `BesideShelf` says which table and which
words.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, delete, func
from sqlalchemy import select as sa_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.as_of import Heads, as_they_were, reached
from comity_node.db.changes import note_changes, stamps
from comity_node.db.hashes import has_hash
from comity_node.db.reading import Reading
from comity_node.db.rows.bus import ReceivedRow
from comity_node.db.rows.view import ReplyRow
from comity_node.db.rows.voices import CorroborationRow
from comity_node.domain.changing import Change, what_became
from comity_node.domain.supplier_view import CorroborationEntry, EntryState, ReplyEntry
from comity_schemas.corroboration import Corroboration
from comity_schemas.handling import Handling
from comity_schemas.reply import Reply

B = TypeVar("B", ReplyEntry, CorroborationEntry)

_CHUNK = 500


@dataclass(frozen=True)
class BesideShelf(Generic[B]):
    """Where entries of one kind stand."""

    row: type[ReplyRow] | type[CorroborationRow]
    body: str
    """The column of what it says."""
    model: type[Reply] | type[Corroboration]
    body_of: Callable[[B], Reply | Corroboration | None]
    make: Callable[..., B]

    @cached_property
    def entries(self) -> Select[*tuple[Any, ...]]:
        """Everything of an entry but its number."""
        row = self.row
        return sa_select(
            col(ReceivedRow.hash),
            col(ReceivedRow.member),
            col(ReceivedRow.seq),
            col(row.handling),
            getattr(row, self.body),
            col(row.state),
            col(row.by),
            col(row.reason),
            col(row.earlier_by),
        ).join(row, col(row.id) == col(ReceivedRow.id))

    @cached_property
    def about(self) -> str:
        """The same of what is about one of so many statements as there are places put in, past SQLAlchemy."""
        record = "record.hash, record.member, record.seq"
        said = ", ".join(f'said."{name}"' for name in ("handling", self.body, "state", "by", "reason", "earlier_by"))
        tables = f"{self.row.__tablename__} as said join received as record on record.id = said.id"
        return f"select {record}, {said} from {tables} where said.about in ({{}}) order by said.id"  # noqa: S608

    def opened(self, found: Any) -> B:
        """Return the entry of a row of `entries`."""
        hash_, member, seq, handling, said, state, by, reason, earlier_by = found
        body = None if said is None else self.model.model_validate_json(said)
        place = (hash_, member, seq, Handling.model_validate_json(handling))
        return self.make(*place, body, EntryState(state), by, reason, earlier_by)

    def new_row(self, number: int, entry: B) -> ReplyRow | CorroborationRow:
        """Return the row of a new entry."""
        body = self.body_of(entry)
        said = None if body is None else json.dumps(body.to_parsed(), ensure_ascii=False)
        return self.row(
            id=number,
            about=None if body is None else body.about,
            handling=json.dumps(entry.handling.to_parsed()),
            state=entry.state.value,
            **{self.body: said},
        )


class Beside(Generic[B]):
    """Repository of the entries of one kind, as they are or as they were at log positions."""

    def __init__(self, session: AsyncSession, shelf: BesideShelf[B], at: Heads | None = None) -> None:
        self._session = session
        self._reading = Reading(session)
        self._shelf: BesideShelf[B] = shelf
        self._at = at

    async def load(self, hashes: Iterable[str]) -> dict[str, B]:
        """Return the named entries and everything that superseded them."""
        found: dict[str, B] = {}
        wanted = set(hashes)
        while wanted:
            entries = await self._where(has_hash, sorted(wanted))
            found.update({entry.hash: entry for entry in entries})
            wanted = {e.by for e in entries if e.state is EntryState.SUPERSEDED and e.by} - set(found)
        return found

    async def about(self, hashes: Sequence[str]) -> list[B]:
        """Return what counts of what was said about these statements, whoever says it."""
        found: list[B] = []
        for start in range(0, len(hashes), _CHUNK):
            some = hashes[start : start + _CHUNK]
            asked = self._shelf.about.format(", ".join("?" * len(some)))
            found += map(self._shelf.opened, await self._reading.rows(asked, (), some))
        entries = found if self._at is None else await as_they_were(self._session, self._at, found)
        return [
            entry for entry in entries if entry.state is EntryState.CURRENT and self._shelf.body_of(entry) is not None
        ]

    async def entries_by_number(self, numbers: Sequence[int]) -> dict[int, B]:
        """Return the entries of these records' numbers that exist."""
        number = col(self._shelf.row.id)
        connection = await self._session.connection()
        rows = await connection.execute(self._shelf.entries.add_columns(number).where(number.in_(numbers)))
        return {row[-1]: self._shelf.opened(row[:-1]) for row in rows}

    async def put(self, entries: Sequence[B], now: datetime) -> None:
        """Add or change entries whose records are accepted."""
        if not entries:
            return
        await self._session.flush()
        numbered = select(ReceivedRow.hash, ReceivedRow.id).where(
            ReceivedRow.state == "accepted", has_hash([entry.hash for entry in entries])
        )
        numbers = {name: number for name, number in await self._session.exec(numbered) if name is not None}
        noted: list[tuple[int, Change]] = []
        for entry in entries:
            number = numbers[entry.hash]
            before = await self._session.get(self._shelf.row, number)
            row = before or self._shelf.new_row(number, entry)
            if before is None:
                noted.append((number, Change.ADDED))
            if entry.state is not EntryState.CURRENT:
                noted.append((number, what_became(entry.state)))
            row.state, row.by, row.reason = entry.state.value, entry.by, entry.reason
            row.earlier_by = entry.earlier_by
            self._session.add(row)
        await note_changes(self._session, noted, now)

    async def forget_log(self, member: str) -> None:
        """Remove a member's entries, to be folded anew."""
        of_member = select(ReceivedRow.id).where(ReceivedRow.member == member).scalar_subquery()
        await self._session.exec(delete(self._shelf.row).where(col(self._shelf.row.id).in_(of_member)))
        self._session.expire_all()

    async def of_log(self, member: str) -> dict[str, B]:
        """Return all entries of one member's log."""
        return {entry.hash: entry for entry in await self._where(col(ReceivedRow.member).in_, [member])}

    async def stamps_of_log(self, member: str) -> dict[int, int]:
        """Return the numbers of the records of one member's log that are here, each with what stands for its row."""
        shelf = self._shelf
        return await stamps(self._session, shelf.entries, col(shelf.row.id), shelf.opened, member)

    async def members(self) -> list[str]:
        """Return whose entries the view holds."""
        row = self._shelf.row
        query = select(ReceivedRow.member).join(row, col(row.id) == ReceivedRow.id).distinct()
        query = query if self._at is None else query.where(reached(self._at))
        return sorted(await self._session.exec(query))

    async def orphans(self) -> int:
        """Return how many entries belong to no record that was received, for `comity check`."""
        query = select(func.count()).where(col(self._shelf.row.id).not_in(select(ReceivedRow.id).scalar_subquery()))
        return (await self._session.exec(query)).one()

    async def _where(self, among: Callable[[Sequence[str]], ColumnElement[bool]], values: Sequence[str]) -> list[B]:
        found: list[B] = []
        connection = await self._session.connection()
        for start in range(0, len(values), _CHUNK):
            query = self._shelf.entries.where(among(values[start : start + _CHUNK]))
            found.extend(map(self._shelf.opened, await connection.execute(query)))
        return found if self._at is None else await as_they_were(self._session, self._at, found)


REPLIES: BesideShelf[ReplyEntry] = BesideShelf(
    row=ReplyRow, body="reply", model=Reply, body_of=lambda entry: entry.reply, make=ReplyEntry
)
CORROBORATIONS: BesideShelf[CorroborationEntry] = BesideShelf(
    row=CorroborationRow,
    body="corroboration",
    model=Corroboration,
    body_of=lambda entry: entry.corroboration,
    make=CorroborationEntry,
)
