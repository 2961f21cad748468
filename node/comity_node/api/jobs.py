"""Batches before their release; imports and releases of many: how far they are, cancelled, gone on with."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from comity_node.api.bodies import Id
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.pages import Cursor, Limit, Page, page, read_cursor
from comity_node.auth import Releaser, ThisNode
from comity_node.db import Store
from comity_node.db.jobs import Job
from comity_node.services import jobs as every_job
from comity_node.services.importing import batches, jobs

router = APIRouter(tags=["import"])

KINDS = (jobs.IMPORT, jobs.RELEASE)
"""Files that are screened are for those who screen: `/screening-files`."""


class JobOut(BaseModel):
    """An import or a release: `running`, `done`, `cancelled` or `failed`, and what became of what it did."""

    id: str
    kind: str
    state: str
    batch: str
    """Names the proposals of an import, which a second person releases together."""
    started_by: str
    started_at: datetime
    ended_at: datetime | None
    total: int
    done: int
    why: str | None
    """Why it failed."""
    result: dict[str, Any]
    """Of an import what the rows became (`kind`: `finding` or `decision`), `rows`, `added`, `changed`, `unchanged`,
    `proposed`, `left_out` by kind of problem, and `problems` by line, without their content; of a release `decided`,
    `not_decided`, and `problems` by review: those stay proposed."""


class BatchOut(BaseModel):
    """A batch before its release: how many of what severity or measure, and the sample that you must open."""

    batch: str
    states: dict[str, int]
    counts: dict[str, int]
    sample: list[str]
    opened: list[str]
    proposer: str
    proposer_left: int
    """How many of its sample who proposed it has still to open."""


@router.get("/batches/{batch}", responses=refuses(403, 404))
async def get_batch(batch: Id, person: Releaser, node: ThisNode) -> BatchOut:
    """What is released together: counts, and the proposals that each of the two people must open before."""
    async with node.database.read() as store:
        return BatchOut.model_validate(await batches.overview(store, batch, person.id), from_attributes=True)


@router.post("/batches/{batch}/approve", status_code=201, responses=refuses(403, 404, 409))
async def approve_batch(batch: Id, person: Releaser, node: ThisNode, once: Onced) -> JobOut:
    """Release everything of one import that is still proposed; what cannot be released stays proposed, with the reason.

    What takes longer than half a second goes on by itself: `GET /jobs/{id}` says how far it is.
    """

    role = await node.own_role()

    async def begin(store: Store) -> JobOut:
        job = await jobs.start_release(store, person, batch, node.clock())
        return describe_job(await jobs.advance_release(store, job.id, node.clock(), jobs.budget(jobs.STEP_S), role))

    return await once.write(begin)


@router.get("/jobs", responses=refuses(403))
async def list_jobs(person: Releaser, node: ThisNode, cursor: Cursor = None, limit: Limit = 50) -> Page[JobOut]:
    """Imports and releases, newest first."""
    async with node.database.read() as store:
        rows = await store.jobs.page(KINDS, before=read_cursor(cursor), most=limit + 1)
    return page(rows, limit, lambda job: job.number, describe_job)


@router.get("/jobs/{job_id}", responses=refuses(403, 404))
async def get_job(job_id: Id, person: Releaser, node: ThisNode) -> JobOut:
    """How far it is, and what became of what is done."""
    async with node.database.read() as store:
        return describe_job(await every_job.find_job(store, job_id, KINDS))


@router.post("/jobs/{job_id}/cancel", responses=refuses(403, 404, 409))
async def cancel_job(job_id: Id, person: Releaser, node: ThisNode, once: Onced) -> JobOut:
    """End it where it is. What it did stays: what was released can be taken back, not unsaid."""

    async def cancel(store: Store) -> JobOut:
        return describe_job(await every_job.cancel(store, person, job_id, KINDS, node.clock()))

    return await once.write(cancel)


@router.post("/jobs/{job_id}/resume", responses=refuses(403, 404, 409))
async def resume_job(job_id: Id, person: Releaser, node: ThisNode, once: Onced) -> JobOut:
    """Go on with what you began, and what was cancelled or failed."""

    async def resume(store: Store) -> JobOut:
        return describe_job(await jobs.resume(store, person, job_id, node.clock()))

    return await once.write(resume)


def describe_job(job: Job) -> JobOut:
    """Return a job as it is answered."""
    return JobOut(
        id=job.id,
        kind=job.kind,
        state=job.state,
        batch=job.batch,
        started_by=job.started_by,
        started_at=job.started_at,
        ended_at=job.ended_at,
        total=job.total,
        done=job.done,
        why=job.why,
        result=dict(job.result or {}),
    )
