"""The supplier view: findings, decisions, pointers, audit notices, and what stands beside them, each kind in tables
of its own, by the numbers of their records."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.as_of import Heads
from comity_node.db.beside import CORROBORATIONS, REPLIES, Beside
from comity_node.db.entries import DECISIONS, FINDINGS, NOTICES, POINTERS, Entries, Shelf
from comity_node.db.reading import Reading
from comity_node.domain.supplier_view import (
    AnyEntry,
    CorroborationEntry,
    DecisionEntry,
    Entry,
    NoticeEntry,
    PointerEntry,
    ReplyEntry,
)
from comity_schemas.statement import Kind


class Named(NamedTuple):
    """Entries of all kinds that are found by name, each by the number of its record."""

    findings: dict[int, Entry]
    decisions: dict[int, DecisionEntry]
    pointers: dict[int, PointerEntry]
    notices: dict[int, NoticeEntry]


class Unnamed(NamedTuple):
    """How many entries have no readable name."""

    findings: int
    decisions: int
    pointers: int
    notices: int


class View:
    """Repository of the supplier view; what a statement refers to may be of any kind.

    Given log positions, it is read as it was there, and cannot be written.
    """

    def __init__(self, session: AsyncSession, at: Heads | None = None) -> None:
        self._at = at
        self._reading = Reading(session)
        self.findings: Entries[Entry] = Entries(session, FINDINGS, at)
        self.decisions: Entries[DecisionEntry] = Entries(session, DECISIONS, at)
        self.pointers: Entries[PointerEntry] = Entries(session, POINTERS, at)
        self.notices: Entries[NoticeEntry] = Entries(session, NOTICES, at)
        self.replies: Beside[ReplyEntry] = Beside(session, REPLIES, at)
        self.corroborations: Beside[CorroborationEntry] = Beside(session, CORROBORATIONS, at)
        self._found_by_name: Mapping[type[AnyEntry], Entries[Any]] = {
            Entry: self.findings,
            DecisionEntry: self.decisions,
            PointerEntry: self.pointers,
            NoticeEntry: self.notices,
        }
        self._beside: Mapping[type[AnyEntry], Beside[Any]] = {
            ReplyEntry: self.replies,
            CorroborationEntry: self.corroborations,
        }
        self._by_kind: Mapping[str, Entries[Any] | Beside[Any]] = {
            Kind.FINDING: self.findings,
            Kind.DECISION: self.decisions,
            Kind.POINTER: self.pointers,
            Kind.AUDIT_NOTICE: self.notices,
            Kind.REPLY: self.replies,
            Kind.CORROBORATION: self.corroborations,
        }
        self._all: tuple[Entries[Any] | Beside[Any], ...] = (*self._found_by_name.values(), *self._beside.values())

    async def load(self, hashes: Iterable[str]) -> dict[str, AnyEntry]:
        """Return the named entries and everything that superseded them."""
        wanted = set(hashes)
        found: dict[str, AnyEntry] = {}
        for kind in self._all:
            found.update(await kind.load(wanted - found.keys()))
        return found

    async def entries_by_number(self, wanted: Mapping[int, str | None]) -> dict[int, AnyEntry]:
        """Return the entries of these numbers and kinds of records; what is not there any more is left out."""
        found: dict[int, AnyEntry] = {}
        for kind, of_kind in self._by_kind.items():
            numbers = [number for number, named in wanted.items() if named == kind]
            if numbers:
                found.update(await of_kind.entries_by_number(numbers))
        return found

    async def named_by_number(self, numbers: Sequence[int]) -> Named:
        """Return the entries of these records' numbers, of all kinds that are found by name."""
        rows: dict[int, list[Any]] = {kind: [] for kind in range(len(_FOUND_BY_NAME))}
        for kind, *row in await self._reading.rows(_NAMED, numbers) if numbers else ():
            rows[kind].append(row)
        return Named(
            findings=await self.findings.opened(rows[0]),
            decisions=await self.decisions.opened(rows[1]),
            pointers=await self.pointers.opened(rows[2]),
            notices=await self.notices.opened(rows[3]),
        )

    async def unnamed(self) -> Unnamed:
        """Return how many entries have no readable name: they are counted, and nobody can find them."""
        if self._at is None:
            return Unnamed(*(await self._reading.rows(_UNNAMED))[0])
        return Unnamed(*[await entries.unnamed() for entries in self._found_by_name.values()])

    async def numbers(self, hashes: Sequence[str]) -> dict[str, int]:
        """Return hash to the number of the record that counts, of whatever kind."""
        return await self.findings.numbers(hashes)

    async def put(self, entries: Sequence[AnyEntry], now: datetime) -> None:
        """Add or change entries whose records are accepted."""
        self._must_be_now()
        for type_, named in self._found_by_name.items():
            await named.put([entry for entry in entries if isinstance(entry, type_)], now)
        await self._put_beside(entries, now)

    async def change(self, entries: Sequence[AnyEntry], now: datetime) -> None:
        """Write what became of entries that are there; what stands beside others may be new."""
        self._must_be_now()
        for type_, named in self._found_by_name.items():
            await named.change([entry for entry in entries if isinstance(entry, type_)], now)
        await self._put_beside(entries, now)

    def _must_be_now(self) -> None:
        assert self._at is None, "the view as it was is read only"

    async def _put_beside(self, entries: Sequence[AnyEntry], now: datetime) -> None:
        for type_, beside in self._beside.items():
            await beside.put([entry for entry in entries if isinstance(entry, type_)], now)

    async def forget_log(self, member: str) -> None:
        """Remove a member's entries, to be folded anew."""
        self._must_be_now()
        for kind in self._all:
            await kind.forget_log(member)

    async def of_log(self, member: str) -> dict[str, AnyEntry]:
        """Return all entries of one member's log."""
        found: dict[str, AnyEntry] = {}
        for kind in self._all:
            found.update(await kind.of_log(member))
        return found

    async def stamps_of_log(self, member: str) -> dict[int, int]:
        """Return the numbers of the records of one member's log that are in the view, each with what stands for all
        that the view holds of it: a number that is good in this process only."""
        return {number: stamp for kind in self._all for number, stamp in (await kind.stamps_of_log(member)).items()}

    async def members(self) -> list[str]:
        """Return whose entries the view holds."""
        return sorted({member for kind in self._all for member in await kind.members()})

    async def orphans(self) -> int:
        """Return how many rows belong to no record that was received, for `comity check`."""
        return sum([await kind.orphans() for kind in self._all])


_FOUND_BY_NAME: tuple[Shelf[Any], ...] = (FINDINGS, DECISIONS, POINTERS, NOTICES)
_NAMED = " union all ".join(
    f"select {kind}, record.hash, record.member, record.seq, said.handling, said.{shelf.body}, said.state, "  # noqa: S608
    f'said."by", said.reason, said.earlier_by, said.id '
    f"from {shelf.entry.__tablename__} as said join received as record on record.id = said.id where said.id {{these}}"
    for kind, shelf in enumerate(_FOUND_BY_NAME)
)
_UNNAMED_OF = [f"(select count(*) from {shelf.entry.__tablename__} where not named)" for shelf in _FOUND_BY_NAME]  # noqa: S608
_UNNAMED = f"select {', '.join(_UNNAMED_OF)}"
