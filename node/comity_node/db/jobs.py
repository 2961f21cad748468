"""Long work that is done a little at a time, and what of a batch somebody has opened."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.rows.jobs import JobRow, OpenedRow
from comity_node.db.rows.review import ReviewRow


@dataclass(frozen=True, slots=True)
class Job:
    """One import, or one release of a batch."""

    id: str
    kind: str
    """`import` or `release`."""
    state: str
    """`running`, `done`, `cancelled` or `failed`."""
    batch: str
    started_by: str
    started_at: datetime
    total: int
    done: int = 0
    place: int = 0
    result: Mapping[str, Any] | None = None
    ended_at: datetime | None = None
    why: str | None = None
    """Why it failed."""
    number: int = 0


class Jobs:
    """Repository of jobs."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, job: Job, given: bytes | None) -> None:
        """Store a new job with what it works on."""
        values = {name: getattr(job, name) for name in ("id", "kind", "state", "batch", "started_by", "started_at")}
        row = JobRow(
            **values, total=job.total, done=job.done, place=job.place, result=json.dumps(job.result or {}), input=given
        )
        self._session.add(row)
        await self._session.flush()

    async def find(self, job_id: str) -> Job | None:
        """Return a job by its id."""
        row = (await self._session.exec(select(JobRow).where(JobRow.id == job_id))).first()
        return None if row is None else _job(row)

    async def input(self, job_id: str) -> bytes | None:
        """Return what a job works on."""
        return (await self._session.exec(select(JobRow.input).where(JobRow.id == job_id))).first()

    async def put(self, job: Job) -> None:
        """Store how far a job is; what it worked on is forgotten once it is done."""
        row = (await self._session.exec(select(JobRow).where(JobRow.id == job.id))).one()
        row.state, row.ended_at, row.why = job.state, job.ended_at, job.why
        row.total, row.done, row.place, row.result = job.total, job.done, job.place, json.dumps(job.result or {})
        if job.state == "done":
            row.input = None
        await self._session.flush()

    async def running(self) -> Job | None:
        """Return the oldest job that is not at its end."""
        query = select(JobRow).where(JobRow.state == "running").order_by(col(JobRow.number)).limit(1)
        row = (await self._session.exec(query)).first()
        return None if row is None else _job(row)

    async def of_batch(self, batch: str) -> list[Job]:
        """Return the jobs of a batch, oldest first."""
        query = select(JobRow).where(JobRow.batch == batch).order_by(col(JobRow.number))
        return [_job(row) for row in await self._session.exec(query)]

    async def page(self, *, before: int | None, most: int) -> list[Job]:
        """Return jobs newest first."""
        query = select(JobRow).order_by(col(JobRow.number).desc()).limit(most)
        if before is not None:
            query = query.where(col(JobRow.number) < before)
        return [_job(row) for row in await self._session.exec(query)]

    async def note_opened(self, review_id: str, person_id: str, now: datetime) -> bool:
        """Note that somebody has opened a proposal; False where it was noted before."""
        if await self._session.get(OpenedRow, (review_id, person_id)) is not None:
            return False
        self._session.add(OpenedRow(review_id=review_id, person_id=person_id, at=now))
        await self._session.flush()
        return True

    async def opened(self, batch: str) -> set[tuple[str, str]]:
        """Return who has opened which proposal of a batch, as review and person."""
        query = select(OpenedRow.review_id, OpenedRow.person_id).join(
            ReviewRow, col(ReviewRow.id) == col(OpenedRow.review_id)
        )
        return set((await self._session.exec(query.where(ReviewRow.batch == batch))).all())


def _job(row: JobRow) -> Job:
    return Job(
        row.id,
        row.kind,
        row.state,
        row.batch,
        row.started_by,
        row.started_at,
        row.total,
        row.done,
        row.place,
        json.loads(row.result),
        row.ended_at,
        row.why,
        row.number or 0,
    )
