"""Of whom anything is said, and where: by findings and decisions, by pointers and audit notices, by lists, by people
here."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, or_
from sqlalchemy import select as sa_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.bulk import insert_rows
from comity_node.db.rows.suppliers import (
    AsideRow,
    FactoryListRow,
    FactoryRow,
    FactRow,
    SupplierMentionRow,
    SupplierRow,
)
from comity_node.domain.suppliers.mentions import Role

_CHUNK = 500


class SaidOf:
    """Repository of what is said of suppliers."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put_asides(self, entries: Sequence[int], named: Iterable[tuple[int, int]]) -> None:
        """Write whom these pointers and audit notices name, as (number of its record, supplier), in place of what
        was there."""
        for start in range(0, len(entries), _CHUNK):
            of_these = col(AsideRow.entry).in_(entries[start : start + _CHUNK])
            await self._session.exec(delete(AsideRow).where(of_these))
        await insert_rows(self._session, AsideRow, ("entry", "supplier"), sorted(set(named)))

    async def asides(self, suppliers: Sequence[int]) -> list[tuple[int, int]]:
        """Return (record, supplier) of the pointers and audit notices that name one of these suppliers."""
        return await self._pairs(AsideRow.entry, AsideRow.supplier, col(AsideRow.supplier).in_, suppliers)

    async def named_by(self, entries: Sequence[int]) -> list[tuple[int, int]]:
        """Return (record, supplier) of whom these pointers and audit notices name."""
        return await self._pairs(AsideRow.entry, AsideRow.supplier, col(AsideRow.entry).in_, entries)

    async def told_of(self, suppliers: Sequence[int]) -> list[tuple[int, int]]:
        """Return (record, supplier) of the findings and decisions about these suppliers, or about sites of theirs."""
        row = SupplierMentionRow
        about = col(row.role) != Role.CLIENT.value
        return await self._pairs(row.entry, row.supplier, col(row.supplier).in_, suppliers, about)

    async def _pairs(
        self, entry: int, supplier: int, among: Any, values: Sequence[int], *more: ColumnElement[bool]
    ) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for start in range(0, len(values), _CHUNK):
            query = sa_select(col(entry), col(supplier)).where(among(values[start : start + _CHUNK]), *more)
            rows = await (await self._session.connection()).execute(query)
            found += [(record, number) for record, number in rows]
        return found

    async def spoken_of(self, suppliers: Sequence[int]) -> set[int]:
        """Return those of whom anybody still says anything, in a finding, a decision, a list, or here."""
        return await self._of_whom(suppliers, says_anything())

    async def spoken_of_here(self, suppliers: Sequence[int]) -> set[int]:
        """Return those of whom a list, or somebody here, says anything."""
        return await self._of_whom(suppliers, or_(*_says_here()))

    async def _of_whom(self, suppliers: Sequence[int], says: ColumnElement[bool]) -> set[int]:
        found = set[int]()
        for start in range(0, len(suppliers), _CHUNK):
            these = col(SupplierRow.number).in_(suppliers[start : start + _CHUNK])
            found.update(await self._session.exec(select(SupplierRow.number).where(these, says)))
        return found


def says_anything() -> Any:
    """Return the condition that somebody still says anything of a supplier: whose list was taken back, or whose
    putting apart was undone, is nobody any more."""
    number = col(SupplierRow.number)
    mentioned = sa_select(col(SupplierMentionRow.entry)).where(col(SupplierMentionRow.supplier) == number)
    return or_(mentioned.exists(), *_says_here())


def _says_here() -> list[Any]:
    """Return the conditions that a list, or somebody here, says anything of a supplier."""
    number = col(SupplierRow.number)
    entered = sa_select(col(FactRow.number)).where(
        (col(FactRow.supplier) == number) | (col(FactRow.other) == number), col(FactRow.taken_back_at).is_(None)
    )
    listed = (
        sa_select(col(FactoryRow.line))
        .join(FactoryListRow, col(FactoryListRow.number) == col(FactoryRow.list))
        .where(col(FactoryRow.supplier) == number, col(FactoryListRow.taken_back_at).is_(None))
    )
    owner = sa_select(col(FactoryListRow.number)).where(
        col(FactoryListRow.owner) == number, col(FactoryListRow.taken_back_at).is_(None)
    )
    return [listed.exists(), entered.exists(), owner.exists()]
