"""Imports and releases of many: done a little at a time, so that nobody waits for them and nothing is done twice.

Each step is one short transaction that does some of the work and notes how far it is. A crash between two steps goes on
with the next, a crash inside one does it again. Cancelling leaves what is done as it is: it says how much that is.
"""

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic

from comity_node.db import Database, Store
from comity_node.db.jobs import Job
from comity_node.domain.errors import AlreadyDecided, NotFound, NotYet, SamePerson
from comity_node.domain.minimize import Policy
from comity_node.domain.people import Person
from comity_node.domain.register import (
    DecisionMapping,
    ImportedRow,
    ImportedRuling,
    RowProblem,
    read_rows,
    read_rulings,
)
from comity_node.domain.trail import Event
from comity_node.mappings import read_register
from comity_node.services import jobs as every_job
from comity_node.services.accounts import new_id
from comity_node.services.importing.batches import require_sample
from comity_node.services.importing.decision_import import take_ruling
from comity_node.services.importing.register_import import MOST_PROBLEMS, Imported, take_row
from comity_node.services.jobs import find_job, who_began
from comity_node.services.review.release import approve
from comity_node.vocabulary import countries
from comity_schemas.errors import ComityError
from comity_schemas.member import Role

IMPORT, RELEASE = "import", "release"
STEP_S = 0.5
"""How long one step may hold up other writers."""

LEAST = 20
"""So many are done in every step, however slow the machine is: small files are done at once."""

RESUMABLE = timedelta(days=30)
"""How long an import that was cancelled or failed can be gone on with; then its file is forgotten."""

_AT_ONCE = 50

Enough = Callable[[int], bool]
"""Asked with how many are done: whether this step has taken long enough."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A register as it was read: what its rows become, the rows, and why nothing of it is kept, if so."""

    kind: str
    rows: Sequence[ImportedRow | ImportedRuling | RowProblem]
    parsed_only: str | None = None


def prepare(mapping: str, table: bytes, secret: bytes) -> Prepared:
    """Read a register by its mapping; takes seconds for thousands of rows.

    Raises:
        MappingRefused, RegisterUnreadable: nothing of it can be read.
    """
    register, read = read_register(mapping), io.BytesIO(table)
    if isinstance(register, DecisionMapping):
        return Prepared(
            "decision", read_rulings(read, register, secret=secret, read_country=countries().read), register.parsed_only
        )
    return Prepared("finding", list(read_rows(read, register, secret=secret)))


def budget(seconds: float) -> Enough:
    """Return when a step has taken long enough: after so long, and not before the least is done."""
    end = monotonic() + seconds
    return lambda count: count >= LEAST and monotonic() >= end


async def start_import(store: Store, person: Person, prepared: Prepared, given: bytes, now: datetime) -> Job:
    """Begin an import.

    Args:
        store: The open transaction.
        person: Who imports.
        prepared: What was read.
        given: What it was read from, to read it again after a restart.
        now: The time.
    """
    done = Imported(batch=new_id())
    job = Job(new_id(), IMPORT, "running", done.batch, person.id, now, len(prepared.rows))
    job = replace(job, result=done.to_parsed(prepared.kind))
    await store.jobs.add(job, given)
    await store.trail.add(now, person.id, Event.JOB_STARTED, job.id, kind=IMPORT, batch=job.batch, total=job.total)
    return job


async def start_release(store: Store, person: Person, batch: str, now: datetime) -> Job:
    """Begin to release what of a batch is still proposed; where that is under way already, return it.

    Raises:
        NotFound: nothing is proposed under this name.
        NotYet: its import is not at its end.
        SamePerson: this person proposed it.
        SampleNotOpened: one of the two has not opened the own sample yet.
    """
    for before in await store.jobs.of_batch(batch):
        if before.state == "running":
            if before.kind == RELEASE and before.started_by == person.id:
                return before
            raise NotYet(f"the {before.kind} of this batch is under way (job {before.id}); nothing was released")
    proposed = [review for review in await store.reviews.of_batch(batch) if review.state == "proposed"]
    if not proposed:
        raise NotFound("nothing is proposed under this batch")
    if any(review.proposed_by == person.id for review in proposed):
        raise SamePerson("you proposed this yourself; a second person must decide. Nothing was published")
    await require_sample(store, batch, person)
    job = Job(new_id(), RELEASE, "running", batch, person.id, now, len(proposed), place=proposed[0].number - 1)
    job = replace(job, result={"decided": 0, "problems": [], "not_decided": 0})
    await store.jobs.add(job, None)
    await store.trail.add(now, person.id, Event.JOB_STARTED, job.id, kind=RELEASE, batch=batch, total=job.total)
    return job


async def forget_files(database: Database, now: datetime) -> None:
    """Forget the files of imports that ended long ago without coming to their end: they name people too."""
    before = now - RESUMABLE
    async with database.read() as store:
        if not await store.jobs.any_given(IMPORT, before):
            return
    async with database.write() as store:
        await store.jobs.forget_given(IMPORT, before)


async def resume(store: Store, person: Person, job_id: str, now: datetime) -> Job:
    """Go on with an import or release that was cancelled or failed, as whoever began it.

    Raises:
        NotFound: there is none, or somebody else began it.
        AlreadyDecided: it is done, or under way; or its file is forgotten.
        NotYet: the import or a release of the same batch is under way.
        SampleNotOpened: what a release would go on with has grown, and one of the two has not opened the new sample.
    """
    job = await every_job.resume(store, person, job_id, (IMPORT, RELEASE), now)
    for other in await store.jobs.of_batch(job.batch):
        if other.id != job.id and other.state == "running":
            raise NotYet(f"the {other.kind} of this batch is under way (job {other.id}); nothing was changed")
    if job.kind == RELEASE:
        await require_sample(store, job.batch, person)
    elif await store.jobs.input(job.id) is None:
        raise AlreadyDecided(
            f"the file of this import was forgotten {RESUMABLE.days} days after it ended; nothing was changed. Import "
            "the file again: no row is there twice"
        )
    return job


async def advance_import(
    store: Store, job_id: str, prepared: Prepared, policy: Policy, now: datetime, enough: Enough
) -> Job:
    """Take in the next rows; return how far it is.

    Raises:
        NotFound: there is no such job, or who began it has no account any more.
    """
    job = await find_job(store, job_id, (IMPORT, RELEASE))
    if job.state != "running":
        return job
    person = await who_began(store, job)
    done, place = Imported.of_parsed(job.result or {}), job.place
    while place < len(prepared.rows) and not enough(place - job.place):
        row = prepared.rows[place]
        done.rows += 1
        if isinstance(row, RowProblem):
            done.leave_out(row)
        elif isinstance(row, ImportedRow):
            await take_row(store, row, person, policy, now, done)
        else:
            await take_ruling(store, row, person, now, done, prepared.parsed_only)
        place += 1
    job = replace(job, place=place, done=place, total=len(prepared.rows), result=done.to_parsed(prepared.kind))
    if place == len(prepared.rows):
        event = Event.REPORT_IMPORTED if prepared.kind == "finding" else Event.DECISIONS_IMPORTED
        counts = {"rows": done.rows, "added": done.added, "changed": done.changed}
        await store.trail.add(now, person.id, event, done.batch, **counts)
        job = replace(job, state="done", ended_at=now)
    await store.jobs.put(job)
    return job


async def advance_release(store: Store, job_id: str, now: datetime, enough: Enough, role: Role) -> Job:
    """Release the next proposals; one that cannot be released stays proposed, and why is noted.

    Raises:
        NotFound: there is no such job, or who began it has no account any more.
    """
    job = await find_job(store, job_id, (IMPORT, RELEASE))
    if job.state != "running":
        return job
    person = await who_began(store, job)
    result = dict(job.result or {})
    count, place, at_end = 0, job.place, False
    while not enough(count):
        proposed = await store.reviews.proposed_of_batch(job.batch, after=place, most=_AT_ONCE)
        at_end = len(proposed) < _AT_ONCE
        for review in proposed:
            # An approval changes nothing before it has asked everything.
            try:
                await approve(store, person, review.id, now, role)
                result["decided"] += 1
            except ComityError as error:
                result["not_decided"] += 1
                if len(result["problems"]) < MOST_PROBLEMS:
                    problem = {"review": review.id, "code": error.code, "reason": str(error)}
                    result["problems"] = [*result["problems"], problem]
            count, place = count + 1, review.number
            if enough(count):
                at_end = at_end and review is proposed[-1]
                break
        if at_end:
            break
    job = replace(job, place=place, done=job.done + count, result=result)
    if at_end:
        job = replace(job, state="done", ended_at=now)
    await store.jobs.put(job)
    return job


def as_bytes(mapping: str, table: bytes) -> bytes:
    """Return a mapping and a table as a job keeps them."""
    words = mapping.encode("utf-8")
    return json.dumps(len(words)).encode("ascii") + b"\n" + words + table


def from_bytes(given: bytes) -> tuple[str, bytes]:
    """Return the mapping and the table."""
    head, _, rest = given.partition(b"\n")
    size = int(head)
    return rest[:size].decode("utf-8"), rest[size:]
