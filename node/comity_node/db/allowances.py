"""Audits outside their firms' authorisations that two reviewers allowed, or declined."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.keys import Seals
from comity_node.db.rows.reports import AllowanceRow
from comity_node.domain.allowing import Allowance, AllowanceCode, Why


class Allowances:
    """Repository of allowances."""

    def __init__(self, session: AsyncSession, seals: Seals) -> None:
        self._session = session
        self._seals = seals

    async def add(self, allowance: Allowance) -> None:
        """Store what one reviewer proposes."""
        first = allowance.first
        self._session.add(
            AllowanceRow(
                id=allowance.id,
                report_id=allowance.report_id,
                state=allowance.state,
                first_by=first.by,
                first_at=first.at,
                first_code=first.code.value,
                first_words=self._seals.seal_words(first.words) or "",
            )
        )
        await self._session.flush()

    async def find(self, allowance_id: str) -> Allowance | None:
        """Return an allowance by its id."""
        row = (await self._session.exec(select(AllowanceRow).where(AllowanceRow.id == allowance_id))).first()
        return None if row is None else self._allowance(row)

    async def of_report(self, report_id: str) -> list[Allowance]:
        """Return what was said to a report, oldest first."""
        query = select(AllowanceRow).where(AllowanceRow.report_id == report_id).order_by(col(AllowanceRow.number))
        return [self._allowance(row) for row in await self._session.exec(query)]

    async def decide(self, allowance_id: str, second: Why, state: str) -> None:
        """Record what the second reviewer says; the database refuses the same person twice."""
        row = (await self._session.exec(select(AllowanceRow).where(AllowanceRow.id == allowance_id))).one()
        row.state, row.second_by, row.second_at = state, second.by, second.at
        row.second_code, row.second_words = second.code.value, self._seals.seal_words(second.words)
        await self._session.flush()

    def _allowance(self, row: AllowanceRow) -> Allowance:
        second = None
        if row.second_by is not None and row.second_at is not None:
            words = self._seals.open_words(row.second_words) or ""
            second = Why(row.second_by, row.second_at, AllowanceCode(row.second_code or ""), words)
        words = self._seals.open_words(row.first_words) or ""
        first = Why(row.first_by, row.first_at, AllowanceCode(row.first_code), words)
        return Allowance(row.id, row.report_id, first, second, row.state)
