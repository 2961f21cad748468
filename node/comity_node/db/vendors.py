"""Vendors: the rows of officers' own lists, sealed, each with the version under which it was last written."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, func, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.bulk import insert_rows, put_rows, stored_time
from comity_node.db.keys import Seals
from comity_node.db.rows.watching import (
    AlertRow,
    ForgottenAlertRow,
    VendorJudgementRow,
    VendorRow,
    VendorWritesRow,
)
from comity_node.domain.matching.party import Party
from comity_node.domain.watching.vendors import Vendor, party_from_parsed, party_to_parsed

_CHUNK = 500

_CHANGE = text('update vendor set party = :party, "at" = :at, version = :version where number = :number')


class Vendors:
    """Repository of vendors. A row that is removed takes its alerts and judgements with it: they are the officer's."""

    def __init__(self, session: AsyncSession, seals: Seals) -> None:
        self._session = session
        self._seals = seals

    async def count(self, owner: str) -> int:
        """Return how many rows an officer keeps."""
        query = select(func.count()).select_from(VendorRow).where(col(VendorRow.owner) == owner)
        return (await self._session.exec(query)).one()

    async def version(self) -> int:
        """Return the version of the last writing or removal: while it stays, every row is as it was."""
        return (await self._session.exec(select(VendorWritesRow.version))).first() or 0

    async def numbers(self) -> set[int]:
        """Return the numbers of all rows of all officers."""
        return {number for number in await self._session.exec(select(VendorRow.number)) if number is not None}

    async def written_after(self, version: int, most: int) -> list[Vendor]:
        """Return rows of all officers that were written after a version, in their order, at most so many."""
        query = select(VendorRow).where(col(VendorRow.version) > version).order_by(col(VendorRow.version)).limit(most)
        return [self._vendor(row) for row in await self._session.exec(query)]

    async def of_rows(self, owner: str, rows: Iterable[str]) -> dict[str, Vendor]:
        """Return row to vendor of an officer's rows of these names that exist."""
        # PostgreSQL fails on U+0000, which no row has in its name.
        wanted, found = sorted({row for row in rows if "\0" not in row}), dict[str, Vendor]()
        for start in range(0, len(wanted), _CHUNK):
            named = col(VendorRow.row).in_(wanted[start : start + _CHUNK])
            query = select(VendorRow).where(col(VendorRow.owner) == owner, named)
            found.update({row.row: self._vendor(row) for row in await self._session.exec(query)})
        return found

    async def judged_rows(self, owner: str) -> set[str]:
        """Return the names of an officer's rows of which it was judged whom they mean."""
        judged = select(VendorJudgementRow.vendor).where(col(VendorJudgementRow.undone_at).is_(None)).distinct()
        query = select(VendorRow.row).where(col(VendorRow.owner) == owner, col(VendorRow.number).in_(judged))
        return set(await self._session.exec(query))

    async def find(self, owner: str, vendor_id: str) -> Vendor | None:
        """Return an officer's row by its id."""
        query = select(VendorRow).where(VendorRow.id == vendor_id, VendorRow.owner == owner)
        row = (await self._session.exec(query)).first()
        return None if row is None else self._vendor(row)

    async def by_number(self, numbers: Iterable[int]) -> dict[int, Vendor]:
        """Return the rows of these numbers that exist."""
        wanted, found = sorted(set(numbers)), dict[int, Vendor]()
        for start in range(0, len(wanted), _CHUNK):
            query = select(VendorRow).where(col(VendorRow.number).in_(wanted[start : start + _CHUNK]))
            found.update({row.number or 0: self._vendor(row) for row in await self._session.exec(query)})
        return found

    async def page(self, owner: str, *, before: int | None, most: int) -> list[Vendor]:
        """Return an officer's rows, the newest first."""
        query = select(VendorRow).where(col(VendorRow.owner) == owner)
        if before is not None:
            query = query.where(col(VendorRow.number) < before)
        rows = await self._session.exec(query.order_by(col(VendorRow.number).desc()).limit(most))
        return [self._vendor(row) for row in rows]

    async def add(self, owner: str, rows: Sequence[tuple[str, str, Party]], at: datetime) -> None:
        """Add rows, each with its id and its name."""
        first = await self._next(len(rows))
        values = [
            (id_, owner, row, self._seal(party), stored_time(at), version)
            for version, (id_, row, party) in enumerate(rows, first)
        ]
        await insert_rows(self._session, VendorRow, ("id", "owner", "row", "party", "at", "version"), values)

    async def change(self, changed: Sequence[tuple[int, Party]], at: datetime) -> None:
        """Write rows anew, by their numbers."""
        first, when = await self._next(len(changed)), stored_time(at)
        rows = [
            {"number": number, "party": self._seal(party), "at": when, "version": version}
            for version, (number, party) in enumerate(changed, first)
        ]
        if rows:
            await (await self._session.connection()).execute(_CHANGE, rows)
            self._session.expire_all()

    async def remove(self, numbers: Sequence[int]) -> None:
        """Remove rows with their alerts and judgements."""
        await self._next(min(len(numbers), 1))
        for start in range(0, len(numbers), _CHUNK):
            chunk = numbers[start : start + _CHUNK]
            await self._session.exec(delete(AlertRow).where(col(AlertRow.vendor).in_(chunk)))
            await self._session.exec(delete(ForgottenAlertRow).where(col(ForgottenAlertRow.vendor).in_(chunk)))
            await self._session.exec(delete(VendorJudgementRow).where(col(VendorJudgementRow.vendor).in_(chunk)))
            await self._session.exec(delete(VendorRow).where(col(VendorRow.number).in_(chunk)))
        self._session.expire_all()

    async def _next(self, count: int) -> int:
        """Return the first of so many further versions. Their count is kept beside the rows: a number that came back
        after the newest row was removed would hide the next one from whoever has read up to it."""
        version = await self.version()
        if count:
            await put_rows(self._session, VendorWritesRow, "id", ("id", "version"), [(1, version + count)])
            self._session.expire_all()
        return version + 1

    def _seal(self, party: Party) -> str:
        return self._seals.seal_words(json.dumps(party_to_parsed(party), ensure_ascii=False)) or ""

    def _vendor(self, row: VendorRow) -> Vendor:
        party = party_from_parsed(json.loads(self._seals.open_words(row.party) or "{}"))
        return Vendor(row.number or 0, row.id, row.owner, row.row, party, row.at, row.version)
