"""The screening of a file as a job: begun, worked on as a whole, forgotten; its result as CSV or XLSX.

The moment at which all rows are asked is fixed when the job begins, and stays through cancelling, failing and
restarts. What an interrupted run had done is done again: what people here judged meanwhile would else count for some
rows and not for others.
"""

import asyncio
import io
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import zip_longest
from time import monotonic
from typing import IO, Any, ClassVar, Final

from comity_node.db import Database, Store
from comity_node.db.jobs import Job
from comity_node.domain.errors import NotFound, NotYet
from comity_node.domain.inherent_risk import RiskList
from comity_node.domain.people import Person
from comity_node.domain.screening_files.asking import Problem
from comity_node.domain.screening_files.results import headings_with
from comity_node.domain.tables.table import Value
from comity_node.domain.tables.writing import writing
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id
from comity_node.services.answering.moment import Moment
from comity_node.services.jobs import find_job, who_began
from comity_node.services.screening_files.network import asking_network, note_screening
from comity_node.services.screening_files.opening import Opened, Told, open_given
from comity_node.services.screening_files.running import Account, Screened, screened
from comity_node.vocabulary import countries
from comity_schemas.errors import ComityError

SCREENING: Final = "screening"
KINDS: Final = (SCREENING,)
MOST_KEPT: Final = 50
"""Files of one person that are kept, under way or done."""
KEPT: Final = timedelta(days=30)
"""After its end a file is forgotten with its result: a list of whom somebody screens is kept no longer than needed."""
NOTE_EVERY_S: Final = 0.5
TOLD_PROBLEMS: Final = 200
"""So many problems are told in an answer; each row's reason says its own."""


class TooManyFiles(ComityError):
    """One person keeps as many screened files as are kept; nothing was begun."""

    code: ClassVar[str] = "screening-file.too-many"


@dataclass(frozen=True, slots=True)
class FileJob:
    """What a job is about: all that is kept of it beside the file and its result."""

    name: str
    told: Told
    candidates: bool
    moment: Moment
    account: Account = field(default_factory=Account)

    def to_parsed(self) -> dict[str, Any]:
        """Return it as a job keeps it."""
        account = self.account
        return {
            "name": self.name,
            "columns": dict(self.told.columns),
            "encoding": self.told.encoding,
            "delimiter": self.told.delimiter,
            "candidates": self.candidates,
            "moment": self.moment.to_parsed(),
            "verdicts": dict(account.verdicts),
            "not_asked": account.not_asked,
            "problems": [[problem.number, problem.what] for problem in account.problems[:TOLD_PROBLEMS]],
            "further_problems": account.further_problems + max(0, len(account.problems) - TOLD_PROBLEMS),
        }

    @classmethod
    def of(cls, job: Job) -> "FileJob":
        """Return what a job keeps."""
        kept: Mapping[str, Any] = job.result or {}
        account = Account(rows=job.done, not_asked=kept["not_asked"], further_problems=kept["further_problems"])
        account.verdicts.update(kept["verdicts"])
        account.problems = [Problem(number, what) for number, what in kept["problems"]]
        told = Told(kept["columns"], kept["encoding"], kept["delimiter"])
        return cls(kept["name"], told, kept["candidates"], Moment.from_parsed(kept["moment"]), account)


async def begin(store: Store, person: Person, file: FileJob, given: bytes, total: int, now: datetime) -> Job:
    """Begin to screen a file that was opened once, so that it can be read.

    Raises:
        TooManyFiles: this person has to forget one first.
    """
    if await store.jobs.count(SCREENING, person.id) >= MOST_KEPT:
        raise TooManyFiles(f"you keep {MOST_KEPT} screened files, as many as are kept; remove one first")
    name = new_id()
    job = Job(name, SCREENING, "running", name, person.id, now, total, result=file.to_parsed())
    await store.jobs.add(job, given)
    await store.trail.add(now, person.id, Event.JOB_STARTED, name, kind=SCREENING, batch=name, total=total)
    return job


async def find_own(store: Store, person: Person, job_id: str) -> Job:
    """Return somebody's own job; whom others screen is not told.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    job = await find_job(store, job_id, KINDS)
    if job.started_by != person.id:
        raise NotFound("no such job")
    return job


async def forget(store: Store, person: Person, job_id: str) -> None:
    """Forget one's own file with its result, at once; what is under way ends.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    await store.jobs.forget((await find_own(store, person, job_id)).id)


async def run(database: Database, job: Job, risks: RiskList | None, clock: Callable[[], datetime]) -> None:
    """Screen the whole file of a job, from its first row, as of its moment.

    Raises:
        NotFound: who began it has no account any more.
        ProcessEnded: a process that answered for rows is gone.
        TableRefused: the file turns out to be damaged.
    """
    file = replace(FileJob.of(job), account=Account())
    async with database.read() as store:
        given = await store.jobs.input(job.id)
    # A workbook is unpacked as a whole before its first row is read: other requests go on meanwhile.
    opened = await asyncio.to_thread(open_given, io.BytesIO(given or b""), file.told)
    packed, noted = Packing(), monotonic()
    # One view for all rows: what people here judge meanwhile counts for none of them.
    async with (
        asking_network(database, file.moment, risks, opened.table.expected, owner=job.started_by) as asker,
        aclosing(screened(opened, asker, countries().read, file.account)) as parts,
    ):
        async for part in parts:
            packed.add(part, candidates=file.candidates)
            if monotonic() - noted >= NOTE_EVERY_S:
                noted = monotonic()
                if not await _note(database, job, file, opened):
                    return
    await _end(database, job, file, packed.end(), clock())


async def _note(database: Database, job: Job, file: FileJob, opened: Opened) -> bool:
    """Note how far a run is; False where it was cancelled or forgotten."""
    async with database.write() as store:
        found = await store.jobs.find(job.id)
        if found is None or found.state != "running":
            return False
        done = file.account.rows
        total = max(done, opened.table.expected)
        await store.jobs.put(replace(found, done=done, total=total, result=file.to_parsed()))
        return True


async def _end(database: Database, job: Job, file: FileJob, output: bytes, now: datetime) -> None:
    async with database.write() as store:
        found = await store.jobs.find(job.id)
        if found is None or found.state != "running":
            return
        person = await who_began(store, found)
        rows = file.account.rows
        ended = replace(found, state="done", done=rows, total=rows, result=file.to_parsed(), ended_at=now)
        await store.jobs.put(ended, output=output)
        await note_screening(store, person.id, file.account, file.moment)


class Packing:
    """What was said of each row, one JSON line each, compressed as it comes."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj()
        self._packed = bytearray()

    def add(self, part: Screened, *, candidates: bool) -> None:
        """Take in a part of the rows."""
        lines = [json.dumps(result.cells(candidates=candidates), ensure_ascii=False) for _, result in part]
        self._packed += self._packer.compress("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))

    def end(self) -> bytes:
        """Return all of them."""
        return bytes(self._packed + self._packer.flush())


def _unpacked(packed: bytes) -> Iterator[list[Value]]:
    unpacker, rest = zlib.decompressobj(), b""
    for start in range(0, len(packed), 64 * 1024):
        *lines, rest = (rest + unpacker.decompress(packed[start : start + 64 * 1024])).split(b"\n")
        yield from map(json.loads, lines)


@dataclass(frozen=True, slots=True)
class Finished:
    """All it takes to write the result of a file."""

    file: FileJob
    given: bytes
    output: bytes


async def finished(store: Store, person: Person, job_id: str) -> Finished:
    """Return one's own file with its result.

    Raises:
        NotFound: there is none, or it is somebody else's.
        NotYet: it is not at its end; nothing of an unfinished run is given out.
    """
    job = await find_own(store, person, job_id)
    given, output = await store.jobs.input(job_id), await store.jobs.output(job_id)
    if job.state != "done" or given is None or output is None:
        raise NotYet(f"this file is {job.state}, {job.done} of {job.total} rows; its result is given out whole")
    return Finished(FileJob.of(job), given, output)


def write(found: Finished, form: str, stream: IO[bytes]) -> None:
    """Write the file's own rows with the result beside each, as CSV or XLSX.

    Raises:
        NotYet: it has other rows than when it was screened.
    """
    opened = open_given(io.BytesIO(found.given), found.file.told)
    headings, kept = headings_with(opened.table.headings, candidates=found.file.candidates)
    with writing(form, stream, opened.table.form) as writer:
        writer.write(headings)
        for row, cells in zip_longest(opened.table.rows, _unpacked(found.output)):
            if row is None or cells is None:
                raise NotYet("this file is read otherwise since this node was updated; screen it again")
            writer.write([*row.cells[:kept], *cells])
