"""Long work that is done a little at a time, and what of a batch somebody has opened."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, update
from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.rows.jobs import JobRow, OpenedRow
from comity_node.db.rows.review import ReviewRow


@dataclass(frozen=True, slots=True)
class Job:
    """One import, one release of a batch, or the screening of one file."""

    id: str
    kind: str
    """`import`, `release` or `screening`."""
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


_JOBS = select(JobRow).options(defer(JobRow.input), defer(JobRow.output))  # type: ignore[arg-type]
"""Without what they work on and what they made, up to 64 MiB each: whoever asks how far they are needs neither."""


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
        row = (await self._session.exec(_JOBS.where(JobRow.id == job_id))).first()
        return None if row is None else _job(row)

    async def input(self, job_id: str) -> bytes | None:
        """Return what a job works on."""
        return (await self._session.exec(select(JobRow.input).where(JobRow.id == job_id))).first()

    async def output(self, job_id: str) -> bytes | None:
        """Return what a job made, if it is at its end."""
        return (await self._session.exec(select(JobRow.output).where(JobRow.id == job_id))).first()

    async def put(self, job: Job, *, output: bytes | None = None) -> None:
        """Store how far a job is, and what it made; what was imported is forgotten once it is done."""
        row = (await self._session.exec(_JOBS.where(JobRow.id == job.id))).one()
        row.state, row.ended_at, row.why = job.state, job.ended_at, job.why
        row.total, row.done, row.place, row.result = job.total, job.done, job.place, json.dumps(job.result or {})
        if output is not None:
            row.output = output
        elif job.state == "done":
            row.input = None
        await self._session.flush()

    async def running(self, kinds: Sequence[str]) -> Job | None:
        """Return the oldest job of these kinds that is not at its end."""
        query = _JOBS.where(JobRow.state == "running", col(JobRow.kind).in_(kinds))
        query = query.order_by(col(JobRow.number)).limit(1)
        row = (await self._session.exec(query)).first()
        return None if row is None else _job(row)

    async def of_batch(self, batch: str) -> list[Job]:
        """Return the jobs of a batch, oldest first."""
        query = _JOBS.where(JobRow.batch == batch).order_by(col(JobRow.number))
        return [_job(row) for row in await self._session.exec(query)]

    async def page(
        self, kinds: Sequence[str], *, before: int | None, most: int, started_by: str | None = None
    ) -> list[Job]:
        """Return jobs of these kinds, newest first; those of one person if that is said."""
        query = _JOBS.where(col(JobRow.kind).in_(kinds)).order_by(col(JobRow.number).desc()).limit(most)
        if started_by is not None:
            query = query.where(JobRow.started_by == started_by)
        if before is not None:
            query = query.where(col(JobRow.number) < before)
        return [_job(row) for row in await self._session.exec(query)]

    async def count(self, kind: str, started_by: str) -> int:
        """Return how many jobs of a kind one person has."""
        query = select(func.count()).select_from(JobRow).where(JobRow.kind == kind, JobRow.started_by == started_by)
        return (await self._session.exec(query)).one()

    async def forget(self, job_id: str) -> None:
        """Forget a job with what it worked on and what it made."""
        await self._session.exec(delete(JobRow).where(col(JobRow.id) == job_id))

    async def any_ended(self, kind: str, before: datetime) -> bool:
        """Tell whether a job of a kind ended before."""
        query = select(JobRow.id).where(JobRow.kind == kind, col(JobRow.ended_at) < before)
        return (await self._session.exec(query.limit(1))).first() is not None

    async def forget_ended(self, kind: str, before: datetime) -> int:
        """Forget the jobs of a kind that ended before; return how many."""
        ended = delete(JobRow).where(col(JobRow.kind) == kind, col(JobRow.ended_at) < before)
        return int((await self._session.exec(ended)).rowcount)

    async def any_given(self, kind: str, before: datetime) -> bool:
        """Tell whether what a job worked on is still here, of a kind that ended before."""
        query = select(JobRow.id).where(
            JobRow.kind == kind, col(JobRow.ended_at) < before, col(JobRow.input).is_not(None)
        )
        return (await self._session.exec(query.limit(1))).first() is not None

    async def forget_given(self, kind: str, before: datetime) -> None:
        """Forget what jobs of a kind worked on that ended before; what became of it stays."""
        ended = update(JobRow).where(col(JobRow.kind) == kind, col(JobRow.ended_at) < before)
        await self._session.exec(ended.values(input=None))

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
