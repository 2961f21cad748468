"""What people here entered of suppliers; what was taken back stays and counts no more."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.rows.suppliers import FactRow
from comity_node.db.search import Search
from comity_node.domain.names import fold_name
from comity_node.domain.suppliers.facts import Fact, FactKind


class Facts:
    """Repository of what was entered."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, fact: Fact) -> None:
        """Store something new."""
        row = FactRow(
            id=fact.id,
            fact=fact.kind.value,
            supplier=fact.supplier,
            other=fact.other,
            text=fact.text,
            folded=None if fact.text is None else fold_name(fact.text),
            since=None if fact.since is None else fact.since.isoformat(),
            until=None if fact.until is None else fact.until.isoformat(),
            tier=fact.tier,
            words=fact.words,
            by=fact.by,
            at=fact.at,
        )
        if fact.text is not None:
            await Search(self._session).wait([(fact.supplier, fact.text)])
        self._session.add(row)
        await self._session.flush()

    async def find(self, fact_id: str) -> Fact | None:
        """Return something entered, taken back or not."""
        row = (await self._session.exec(select(FactRow).where(FactRow.id == fact_id))).first()
        return None if row is None else _fact(row)

    async def take_back(self, fact_id: str, by: str, at: datetime) -> None:
        """Note that it does not count any more."""
        row = (await self._session.exec(select(FactRow).where(FactRow.id == fact_id))).one()
        row.taken_back_by, row.taken_back_at = by, at
        await self._session.flush()

    async def about(self, suppliers: Sequence[int], most: int) -> list[Fact]:
        """Return what counts and concerns one of these suppliers, in the order in which it was entered."""
        concerns = or_(col(FactRow.supplier).in_(suppliers), col(FactRow.other).in_(suppliers))
        query = select(FactRow).where(concerns, col(FactRow.taken_back_at).is_(None))
        return [_fact(row) for row in await self._session.exec(query.order_by(col(FactRow.number)).limit(most))]


def _fact(row: FactRow) -> Fact:
    return Fact(
        row.id,
        FactKind(row.fact),
        row.supplier,
        row.by,
        row.at,
        row.other,
        row.text,
        None if row.since is None else date.fromisoformat(row.since),
        None if row.until is None else date.fromisoformat(row.until),
        row.tier,
        row.words,
        row.taken_back_by,
        row.taken_back_at,
    )
