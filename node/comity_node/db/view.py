"""The supplier view: findings, decisions, pointers, audit notices, and what stands beside them, each kind in tables
of its own, by the numbers of their records."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.as_of import Heads
from comity_node.db.beside import CORROBORATIONS, REPLIES, Beside
from comity_node.db.entries import DECISIONS, FINDINGS, NOTICES, POINTERS, Entries
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


class View:
    """Repository of the supplier view; what a statement refers to may be of any kind.

    Given log positions, it is read as it was there, and cannot be written.
    """

    def __init__(self, session: AsyncSession, at: Heads | None = None) -> None:
        self._at = at
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

    async def numbers_of_log(self, member: str) -> set[int]:
        """Return the numbers of the records of one member's log that are in the view."""
        return set().union(*[await kind.numbers_of_log(member) for kind in self._all])

    async def members(self) -> list[str]:
        """Return whose entries the view holds."""
        return sorted({member for kind in self._all for member in await kind.members()})

    async def orphans(self) -> int:
        """Return how many rows belong to no record that was received, for `comity check`."""
        return sum([await kind.orphans() for kind in self._all])
