"""Full reports."""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.keys import KeyGone, Seals
from comity_node.db.rows.cases import kept_from
from comity_node.db.rows.reports import ReportRow


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
    keep_until: date | None = None
    """None until the next round of retention enters it."""
    expired_at: datetime | None = None
    """When its key was shredded; `raw` is empty since."""


class Reports:
    """Repository of reports."""

    def __init__(self, session: AsyncSession, seals: Seals) -> None:
        self._session = session
        self._seals = seals

    async def add(self, report: StoredReport) -> None:
        """Store a new report, sealed with a key of its own."""
        key, sealed = self._seals.seal(report.raw, report.id)
        self._session.add(
            ReportRow(
                id=report.id,
                origin=report.origin,
                raw=sealed,
                key=key,
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
        return None if row is None else self._report(row)

    async def mark(self, report_id: str, marks: tuple[str, ...]) -> None:
        """Replace why it cannot yield findings."""
        row = (await self._session.exec(select(ReportRow).where(ReportRow.id == report_id))).one()
        row.marks = json.dumps(marks)
        await self._session.flush()

    async def page(
        self,
        *,
        firm: str | None,
        before: int | None,
        most: int,
        seen_by: str | None = None,
        own_firm: str | None = None,
    ) -> list[StoredReport]:
        """Return reports newest first, of one audit firm or of all.

        Args:
            firm: only this audit firm's.
            before: only those that came before this number.
            most: how many.
            seen_by: without those of cases to which this person is not assigned.
            own_firm: whose reports this person sees all the same; what came from a register is no firm's.
        """
        query = select(ReportRow).order_by(col(ReportRow.number).desc()).limit(most)
        if firm is not None:
            query = query.where(ReportRow.firm == firm)
        if before is not None:
            query = query.where(col(ReportRow.number) < before)
        if seen_by is not None:
            shown = col(ReportRow.id).not_in(kept_from(seen_by))
            query = query.where(shown if own_firm is None else or_(shown, col(ReportRow.firm) == own_firm))
        return [self._report(row) for row in await self._session.exec(query)]

    async def of_row(self, identity: str) -> list[StoredReport]:
        """Return the reports that were imported from one source row, the newest first."""
        query = select(ReportRow).where(ReportRow.identity == identity).order_by(col(ReportRow.number).desc())
        return [self._report(row) for row in await self._session.exec(query)]

    async def unprepared(self, *, most: int) -> list[StoredReport]:
        """Return reports without a last day, or that lie as they came although they could be sealed."""
        lacking = [col(ReportRow.keep_until).is_(None)]
        if self._seals.can_seal:
            lacking.append(col(ReportRow.key).is_(None))
        query = select(ReportRow).where(col(ReportRow.expired_at).is_(None), or_(*lacking))
        query = query.order_by(col(ReportRow.number)).limit(most)
        return [self._report(row) for row in await self._session.exec(query)]

    async def prepare(self, report_id: str, keep_until: date) -> None:
        """Enter a report's last day, and seal what still lies as it came."""
        row = await self._row(report_id)
        row.keep_until = keep_until.isoformat()
        if row.key is None:
            row.key, row.raw = self._seals.seal(row.raw, row.id)
        await self._session.flush()

    async def past(self, today: date, *, most: int, skip: int = 0) -> list[StoredReport]:
        """Return reports that are past their last day and not expired yet, the longest past first."""
        query = select(ReportRow).where(col(ReportRow.expired_at).is_(None), today.isoformat() > _PAST)
        query = query.order_by(_PAST, col(ReportRow.number)).offset(skip).limit(most)
        return [self._report(row) for row in await self._session.exec(query)]

    async def expire(self, report_id: str, marks: tuple[str, ...], now: datetime) -> None:
        """Destroy a report's key and its content; hash, signature and dates stay."""
        row = await self._row(report_id)
        # The key first: a crash between the two shreds again what is gone, and never forgets what is not.
        self._seals.shred(row.key)
        row.raw, row.expired_at, row.marks = b"", now, json.dumps(marks)
        await self._session.flush()

    async def retention(self) -> tuple[int, str | None]:
        """Return how many reports have expired, and the soonest last day of the others."""
        expired = select(func.count()).where(col(ReportRow.expired_at).is_not(None))
        soonest = select(func.min(ReportRow.keep_until)).where(col(ReportRow.expired_at).is_(None))
        return (await self._session.exec(expired)).one(), (await self._session.exec(soonest)).one()

    async def _row(self, report_id: str) -> ReportRow:
        return (await self._session.exec(select(ReportRow).where(ReportRow.id == report_id))).one()

    def _report(self, row: ReportRow) -> StoredReport:
        raw = b""
        if row.expired_at is None:
            # A lost key spoils one report, and never the list it stands in; `stored.exact_bytes` says so.
            with suppress(KeyGone):
                raw = self._seals.open(row.key, row.raw, row.id)
        return StoredReport(
            row.id,
            row.origin,
            raw,
            row.firm,
            row.kid,
            row.root,
            row.signature,
            row.identity,
            tuple(json.loads(row.marks)),
            row.submitted_by,
            row.received_at,
            row.number or 0,
            None if row.keep_until is None else date.fromisoformat(row.keep_until),
            row.expired_at,
        )


_PAST = col(ReportRow.keep_until)
