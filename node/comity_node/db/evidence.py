"""Evidence files: what is known of each; the files themselves lie in the vault."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.rows.reports import EvidenceRow


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """One file of one report."""

    id: str
    report_id: str
    ref: str
    state: str
    """`receiving`, `kept` or `shredded`."""
    scanned: bool
    keep_until: date
    begun_by: str
    begun_at: datetime
    kept_at: datetime | None = None


class EvidenceFiles:
    """Repository of evidence files."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, file: StoredEvidence) -> None:
        """Enter a file that begins to be received."""
        self._session.add(
            EvidenceRow(
                id=file.id,
                report_id=file.report_id,
                ref=file.ref,
                state=file.state,
                scanned=file.scanned,
                keep_until=file.keep_until.isoformat(),
                begun_by=file.begun_by,
                begun_at=file.begun_at,
            )
        )
        await self._session.flush()

    async def find(self, report_id: str, ref: str) -> StoredEvidence | None:
        """Return a file by its report and ref."""
        query = select(EvidenceRow).where(EvidenceRow.report_id == report_id, EvidenceRow.ref == ref)
        row = (await self._session.exec(query)).first()
        return None if row is None else _evidence(row)

    async def of_report(self, report_id: str) -> dict[str, StoredEvidence]:
        """Return a report's files by their refs."""
        rows = await self._session.exec(select(EvidenceRow).where(EvidenceRow.report_id == report_id))
        return {row.ref: _evidence(row) for row in rows}

    async def keep(self, file_id: str, now: datetime, *, scanned: bool) -> None:
        """Note that a file was received whole and found good."""
        row = await self._row(file_id)
        row.state, row.kept_at, row.scanned = "kept", now, scanned
        await self._session.flush()

    async def shred(self, file_id: str) -> None:
        """Note that a file's key is destroyed; the entry stays."""
        (await self._row(file_id)).state = "shredded"
        await self._session.flush()

    async def remove(self, file_id: str) -> None:
        """Forget a file that was refused, so that the right one may be sent."""
        await self._session.delete(await self._row(file_id))
        await self._session.flush()

    async def shredded(self) -> int:
        """Return how many files' keys are destroyed."""
        query = select(func.count()).where(EvidenceRow.state == "shredded")
        return (await self._session.exec(query)).one()

    async def expired(self, today: date) -> list[StoredEvidence]:
        """Return the files, finished or not, that are past their date."""
        query = select(EvidenceRow).where(
            col(EvidenceRow.keep_until) < today.isoformat(), EvidenceRow.state != "shredded"
        )
        return [_evidence(row) for row in await self._session.exec(query)]

    async def _row(self, file_id: str) -> EvidenceRow:
        return (await self._session.exec(select(EvidenceRow).where(EvidenceRow.id == file_id))).one()


def _evidence(row: EvidenceRow) -> StoredEvidence:
    return StoredEvidence(
        row.id,
        row.report_id,
        row.ref,
        row.state,
        row.scanned,
        date.fromisoformat(row.keep_until),
        row.begun_by,
        row.begun_at,
        row.kept_at,
    )
