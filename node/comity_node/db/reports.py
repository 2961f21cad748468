"""Full reports."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.rows import ReportRow
from comity_node.db.rows_of_cases import kept_from


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report as it came, with what was found out when it was received."""

    id: str
    origin: str
    """`signed` by an auditor, or imported from a `register`."""
    raw: bytes
    firm: str | None
    kid: str | None
    root: str | None
    signature: str | None
    identity: str | None
    marks: tuple[str, ...]
    """Why it cannot yield findings; empty when it can."""
    submitted_by: str
    received_at: datetime
    number: int = 0
    """Order of arrival at this node."""


class Reports:
    """Repository of reports."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, report: StoredReport) -> None:
        """Store a new report."""
        self._session.add(
            ReportRow(
                id=report.id,
                origin=report.origin,
                raw=report.raw,
                firm=report.firm,
                kid=report.kid,
                root=report.root,
                signature=report.signature,
                identity=report.identity,
                marks=json.dumps(report.marks),
                submitted_by=report.submitted_by,
                received_at=report.received_at,
            )
        )
        await self._session.flush()

    async def find(self, report_id: str) -> StoredReport | None:
        """Return a report by its id."""
        row = (await self._session.exec(select(ReportRow).where(ReportRow.id == report_id))).first()
        return None if row is None else _report(row)

    async def mark(self, report_id: str, marks: tuple[str, ...]) -> None:
        """Replace why it cannot yield findings."""
        row = (await self._session.exec(select(ReportRow).where(ReportRow.id == report_id))).one()
        row.marks = json.dumps(marks)
        await self._session.flush()

    async def page(
        self, *, firm: str | None, before: int | None, most: int, seen_by: str | None = None
    ) -> list[StoredReport]:
        """Return reports newest first, of one audit firm or of all.

        Args:
            firm: only this audit firm's.
            before: only those that came before this number.
            most: how many.
            seen_by: without those of cases to which this person is not assigned.
        """
        query = select(ReportRow).order_by(col(ReportRow.number).desc()).limit(most)
        if firm is not None:
            query = query.where(ReportRow.firm == firm)
        if before is not None:
            query = query.where(col(ReportRow.number) < before)
        if seen_by is not None:
            query = query.where(or_(col(ReportRow.id).not_in(kept_from(seen_by)), col(ReportRow.firm) == firm))
        return [_report(row) for row in await self._session.exec(query)]

    async def latest_of_row(self, identity: str) -> StoredReport | None:
        """Return the newest report that was imported from one source row."""
        query = select(ReportRow).where(ReportRow.identity == identity).order_by(col(ReportRow.number).desc())
        row = (await self._session.exec(query)).first()
        return None if row is None else _report(row)


def _report(row: ReportRow) -> StoredReport:
    return StoredReport(
        row.id,
        row.origin,
        row.raw,
        row.firm,
        row.kid,
        row.root,
        row.signature,
        row.identity,
        tuple(json.loads(row.marks)),
        row.submitted_by,
        row.received_at,
        row.number or 0,
    )
