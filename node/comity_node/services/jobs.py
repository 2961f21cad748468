"""Long work, whatever it is: found, cancelled, gone on with, failed. What was done before stays."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from comity_node.db import Store
from comity_node.db.jobs import Job
from comity_node.domain.errors import AlreadyDecided, NotFound
from comity_node.domain.people import Person
from comity_node.domain.trail import Event


async def fail(store: Store, job_id: str, why: str, now: datetime) -> None:
    """Note that a job cannot go on; what it did stays."""
    job = await store.jobs.find(job_id)
    if job is not None and job.state == "running":
        await store.jobs.put(replace(job, state="failed", ended_at=now, why=why))


async def cancel(store: Store, person: Person, job_id: str, kinds: Sequence[str], now: datetime) -> Job:
    """End a job where it is. What it did stays: what was released can be taken back, not unsaid.

    Raises:
        NotFound: there is none.
        AlreadyDecided: it is at its end.
    """
    job = await find_job(store, job_id, kinds)
    if job.state != "running":
        raise AlreadyDecided(f"this job is {job.state} already; nothing was changed")
    job = replace(job, state="cancelled", ended_at=now)
    await store.jobs.put(job)
    await store.trail.add(now, person.id, Event.JOB_CANCELLED, job.id, done=job.done, total=job.total)
    return job


async def resume(store: Store, person: Person, job_id: str, kinds: Sequence[str], now: datetime) -> Job:
    """Go on with a job that was cancelled or failed, as whoever began it.

    Raises:
        NotFound: there is none, or somebody else began it.
        AlreadyDecided: it is done, or under way.
    """
    job = await find_job(store, job_id, kinds)
    if job.started_by != person.id:
        raise NotFound("no such job of yours")
    if job.state not in ("cancelled", "failed"):
        raise AlreadyDecided(f"this job is {job.state}; nothing was changed")
    job = replace(job, state="running", ended_at=None, why=None)
    await store.jobs.put(job)
    await store.trail.add(now, person.id, Event.JOB_RESUMED, job.id, done=job.done, total=job.total)
    return job


async def find_job(store: Store, job_id: str, kinds: Sequence[str]) -> Job:
    """Return a job of these kinds.

    Raises:
        NotFound: there is none.
    """
    job = await store.jobs.find(job_id)
    if job is None or job.kind not in kinds:
        raise NotFound("no such job")
    return job


async def who_began(store: Store, job: Job) -> Person:
    """Return who began a job.

    Raises:
        NotFound: nobody with an account any more.
    """
    person = await store.accounts.find_person(job.started_by)
    if person is None:
        raise NotFound("who began this has no account any more: somebody else has to begin anew; what is done stays")
    return person
