"""Lists of factories and their rows, as they were given."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlalchemy import select as sa_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.bulk import insert_rows
from comity_node.db.rows.suppliers import FactoryListRow, FactoryRow, SupplierMentionRow, SupplierRow
from comity_node.domain.suppliers.factory_list import ListedRow
from comity_node.domain.suppliers.mentions import Role


@dataclass(frozen=True, slots=True)
class FactoryList:
    """A list as it was given, and whether it still counts."""

    number: int
    id: str
    title: str
    owner: int | None
    """The supplier whose list it is; its sites stand under it."""
    tier: int | None
    """Of the rows that say none."""
    file: str
    columns: Mapping[str, str]
    unread: tuple[str, ...]
    by: str
    at: datetime
    taken_back_by: str | None
    taken_back_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A row of a list as it is kept."""

    line: int
    outcome: str
    supplier: int | None
    tier: int | None
    cells: Mapping[str, str]
    reason: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """That a list which counts names a site."""

    list: int
    title: str
    owner: int | None
    line: int
    supplier: int
    tier: int | None
    address: str | None


class FactoryLists:
    """Repository of lists."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self,
        list_id: str,
        title: str,
        owner: int | None,
        tier: int | None,
        file: str,
        columns: Mapping[str, str],
        unread: Sequence[str],
        by: str,
        at: datetime,
    ) -> int:
        """Store a new list; return its number."""
        row = FactoryListRow(
            id=list_id, title=title, owner=owner, tier=tier, file=file, by=by, at=at,
            columns=json.dumps(dict(columns), ensure_ascii=False), unread=json.dumps(list(unread), ensure_ascii=False),
        )  # fmt: skip
        self._session.add(row)
        await self._session.flush()
        assert row.number is not None
        return row.number

    async def add_rows(self, number: int, rows: Sequence[ListedRow], suppliers: Mapping[str, int]) -> None:
        """Store every row of a list; `suppliers` has the number of each key."""
        columns = ("list", "line", "outcome", "supplier", "tier", "cells", "reason")
        kept = [
            (
                number,
                row.line,
                row.outcome.value,
                None if row.key is None else suppliers[row.key],
                row.tier,
                json.dumps(dict(row.cells), ensure_ascii=False),
                row.reason,
            )
            for row in rows
        ]
        await insert_rows(self._session, FactoryRow, columns, kept)

    async def find(self, list_id: str) -> FactoryList | None:
        """Return a list, taken back or not."""
        row = (await self._session.exec(select(FactoryListRow).where(FactoryListRow.id == list_id))).first()
        return None if row is None else _list(row)

    async def of_file(self, file: str, owner: int | None) -> FactoryList | None:
        """Return the list that counts and came from this very file for the same supplier."""
        query = select(FactoryListRow).where(FactoryListRow.file == file, col(FactoryListRow.taken_back_at).is_(None))
        same = [_list(row) for row in await self._session.exec(query) if row.owner == owner]
        return same[0] if same else None

    async def page(self, *, before: int | None, most: int) -> list[FactoryList]:
        """Return lists, the newest first, those that were taken back too."""
        query = select(FactoryListRow).order_by(col(FactoryListRow.number).desc()).limit(most)
        if before is not None:
            query = query.where(col(FactoryListRow.number) < before)
        return [_list(row) for row in await self._session.exec(query)]

    async def take_back(self, list_id: str, by: str, at: datetime) -> None:
        """Note that a list does not count any more; its rows stay."""
        row = (await self._session.exec(select(FactoryListRow).where(FactoryListRow.id == list_id))).one()
        row.taken_back_by, row.taken_back_at = by, at
        await self._session.flush()

    async def counted(self, numbers: Sequence[int]) -> dict[int, dict[str, int]]:
        """Return list to outcome to how many rows."""
        query = sa_select(col(FactoryRow.list), col(FactoryRow.outcome), func.count())
        query = query.where(col(FactoryRow.list).in_(numbers)).group_by(col(FactoryRow.list), col(FactoryRow.outcome))
        found: dict[int, dict[str, int]] = {number: {} for number in numbers}
        for number, outcome, count in await (await self._session.connection()).execute(query):
            found[number][outcome] = count
        return found

    async def rows(self, number: int, *, after: int, most: int, outcome: str | None = None) -> list[KeptRow]:
        """Return rows of a list in its order."""
        query = select(FactoryRow).where(FactoryRow.list == number, col(FactoryRow.line) > after)
        if outcome is not None:
            query = query.where(FactoryRow.outcome == outcome)
        rows = await self._session.exec(query.order_by(col(FactoryRow.line)).limit(most))
        return [KeptRow(r.line, r.outcome, r.supplier, r.tier, json.loads(r.cells), r.reason) for r in rows]

    async def naming(self, suppliers: Sequence[int], most: int) -> list[Standing]:
        """Return which lists that count name one of these sites."""
        return await self._standing(col(FactoryRow.supplier).in_(suppliers), most)

    async def of_owner(self, suppliers: Sequence[int], most: int) -> list[Standing]:
        """Return the sites on lists of these suppliers that count."""
        return await self._standing(col(FactoryListRow.owner).in_(suppliers), most)

    async def mentions_of_sites(self, owners: Sequence[int], most: int) -> list[int]:
        """Return the numbers of the newest statements about sites on these suppliers' lists."""
        on_lists = (
            sa_select(col(SupplierRow.whole))
            .join(FactoryRow, col(FactoryRow.supplier) == col(SupplierRow.number))
            .join(FactoryListRow, col(FactoryListRow.number) == col(FactoryRow.list))
            .where(col(FactoryListRow.owner).in_(owners), col(FactoryListRow.taken_back_at).is_(None))
        )
        mention = SupplierMentionRow
        query = (
            sa_select(col(mention.entry))
            .join(SupplierRow, col(SupplierRow.number) == col(mention.supplier))
            .where(col(SupplierRow.whole).in_(on_lists), col(mention.role) == Role.SUBJECT.value)
            .order_by(col(mention.told).desc(), col(mention.entry).desc())
            .limit(most)
        )
        return [entry for (entry,) in await (await self._session.connection()).execute(query)]

    async def _standing(self, which: Any, most: int) -> list[Standing]:
        query = (
            sa_select(
                col(FactoryListRow.number),
                col(FactoryListRow.title),
                col(FactoryListRow.owner),
                col(FactoryRow.line),
                col(FactoryRow.supplier),
                func.coalesce(col(FactoryRow.tier), col(FactoryListRow.tier)),
                col(FactoryRow.cells),
            )
            .join(FactoryRow, col(FactoryRow.list) == col(FactoryListRow.number))
            .where(which, col(FactoryListRow.taken_back_at).is_(None), col(FactoryRow.outcome) == "site")
            .order_by(col(FactoryListRow.number), col(FactoryRow.line))
            .limit(most)
        )
        rows = await (await self._session.connection()).execute(query)
        return [
            Standing(number or 0, title, owner, line, supplier or 0, tier, json.loads(cells).get("address"))
            for number, title, owner, line, supplier, tier, cells in rows
        ]


def _list(row: FactoryListRow) -> FactoryList:
    assert row.number is not None
    return FactoryList(
        row.number,
        row.id,
        row.title,
        row.owner,
        row.tier,
        row.file,
        json.loads(row.columns),
        tuple(json.loads(row.unread)),
        row.by,
        row.at,
        row.taken_back_by,
        row.taken_back_at,
    )
