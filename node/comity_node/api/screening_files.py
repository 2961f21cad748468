"""Files of suppliers: sent, screened at one moment, fetched as CSV or XLSX. Whom one screens, nobody else is told."""

import asyncio
import tempfile
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from comity_node.api.bodies import Id
from comity_node.api.contract import refuses
from comity_node.api.given_files import (
    A_FILE,
    Columns,
    Delimiter,
    Encoding,
    RowProblemOut,
    file_sent,
    open_sent,
    told_of,
)
from comity_node.api.once import Onced
from comity_node.api.pages import Cursor, Limit, Page, page, read_cursor
from comity_node.auth import Officer, ThisNode
from comity_node.db import Store
from comity_node.db.jobs import Job
from comity_node.domain.tables.lines import MAX_FILE_BYTES
from comity_node.services import jobs as every_job
from comity_node.services.answering.answers import describe_coverage
from comity_node.services.answering.moment import this_moment
from comity_node.services.screening_files import jobs
from comity_node.services.screening_files.jobs import KINDS, FileJob

router = APIRouter(prefix="/screening-files", tags=["screening"])

_TYPES = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


class LookOut(BaseModel):
    """How a file would be read. Nothing was begun or kept."""

    rows: int
    """About how many."""
    headings: list[str]
    columns: dict[str, list[str]]
    """What, or the code of a register, to the headings of the columns that hold it."""
    unread: list[str]
    in_words: list[str]


class ScreeningFileOut(BaseModel):
    """A file: `running`, `done`, `cancelled` or `failed`. All of its rows are asked at the positions told here."""

    id: str
    name: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    total: int
    done: int
    why: str | None
    as_of: datetime
    positions: dict[str, int]
    registry_version: int
    coverage: dict[str, Any]
    candidates: bool
    verdicts: dict[str, int]
    not_asked: int
    problems: list[RowProblemOut]
    further_problems: int


@router.post("/look", responses=refuses(403, 415), openapi_extra=A_FILE, max_body_size=MAX_FILE_BYTES)
async def look_at_screening_file(
    request: Request,
    person: Officer,
    columns: Columns = [],  # noqa: B006
    encoding: Encoding = None,
    delimiter: Delimiter = None,
) -> LookOut:
    """How a CSV, XLSX or OCDS 1.1 file would be read, for you to confirm or correct with `column`."""
    raw = await file_sent(request)
    opened = await asyncio.to_thread(open_sent, raw, told_of(columns, encoding, delimiter))
    found = opened.columns
    held = {what.value: [found.headings[place] for place in places] for what, places in found.places.items()}
    for place, scheme in found.numbers.items():
        held.setdefault(scheme, []).append(found.headings[place])
    return LookOut(
        rows=opened.table.expected,
        headings=list(found.headings),
        columns=held,
        unread=list(found.unread),
        in_words=opened.in_words(),
    )


@router.post("", status_code=201, responses=refuses(403, 409, 415), openapi_extra=A_FILE, max_body_size=MAX_FILE_BYTES)
async def send_screening_file(
    request: Request,
    person: Officer,
    node: ThisNode,
    once: Onced,
    name: Annotated[str, Query(min_length=1, max_length=200)],
    candidates: bool = False,
    columns: Columns = [],  # noqa: B006
    encoding: Encoding = None,
    delimiter: Delimiter = None,
) -> ScreeningFileOut:
    """Screen a whole CSV, XLSX or OCDS 1.1 file at one moment. `GET /screening-files/{id}` says how far it is."""
    raw = await file_sent(request)
    told = told_of(columns, encoding, delimiter)
    opened = await asyncio.to_thread(open_sent, raw, told)
    registry = await node.registry()

    async def begin(store: Store) -> ScreeningFileOut:
        moment = await this_moment(store, registry, node.clock())
        file = FileJob(name, told, candidates, moment)
        return _out(await jobs.begin(store, person, file, raw, opened.table.expected, node.clock()))

    return await once.write(begin)


@router.get("", responses=refuses(403))
async def list_screening_files(
    person: Officer, node: ThisNode, cursor: Cursor = None, limit: Limit = 50
) -> Page[ScreeningFileOut]:
    """Your own files, newest first; each is forgotten 30 days after its end."""
    async with node.database.read() as store:
        rows = await store.jobs.page(KINDS, before=read_cursor(cursor), most=limit + 1, started_by=person.id)
    return page(rows, limit, lambda job: job.number, _out)


@router.post("/{file_id}/cancel", responses=refuses(403, 404, 409))
async def cancel_screening_file(file_id: Id, person: Officer, node: ThisNode, once: Onced) -> ScreeningFileOut:
    """End it. Nothing of an unfinished run is given out; going on later asks at the same positions."""

    async def cancel(store: Store) -> ScreeningFileOut:
        await jobs.find_own(store, person, file_id)
        return _out(await every_job.cancel(store, person, file_id, KINDS, node.clock()))

    return await once.write(cancel)


@router.post("/{file_id}/resume", responses=refuses(403, 404, 409))
async def resume_screening_file(file_id: Id, person: Officer, node: ThisNode, once: Onced) -> ScreeningFileOut:
    """Go on with a file that was cancelled or failed: all of its rows, at the positions it began at."""

    async def resume(store: Store) -> ScreeningFileOut:
        return _out(await every_job.resume(store, person, file_id, KINDS, node.clock()))

    return await once.write(resume)


@router.get(
    "/{file_id}/result",
    response_class=StreamingResponse,
    responses=refuses(403, 404, 409)
    | {200: {"description": "the file", "content": {each: {} for each in _TYPES.values()}}},
)
async def get_screening_result(
    file_id: Id, person: Officer, node: ThisNode, form: Annotated[str, Query(pattern="^(csv|xlsx)$")] = "csv"
) -> StreamingResponse:
    """The same rows, order and columns, with the result beside each; no cell of it can run as a formula."""
    async with node.database.read() as store:
        found = await jobs.finished(store, person, file_id)
    stream = await asyncio.to_thread(_written, found, form)
    return StreamingResponse(_read_and_close(stream), media_type=_TYPES[form])


@router.get("/{file_id}", responses=refuses(403, 404))
async def get_screening_file(file_id: Id, person: Officer, node: ThisNode) -> ScreeningFileOut:
    """How far your file is, at which positions it is asked, and what of it is to be looked at."""
    async with node.database.read() as store:
        return _out(await jobs.find_own(store, person, file_id))


@router.delete("/{file_id}", status_code=204, responses=refuses(403, 404))
async def remove_screening_file(file_id: Id, person: Officer, node: ThisNode, once: Onced) -> None:
    """Forget your file and its result now; what is under way ends."""

    async def forget(store: Store) -> None:
        await jobs.forget(store, person, file_id)

    await once.write(forget)


def _written(found: jobs.Finished, form: str) -> BinaryIO:
    stream = tempfile.TemporaryFile()  # noqa: SIM115 closed when it was given
    try:
        jobs.write(found, form, stream)
        stream.seek(0)
    except BaseException:
        stream.close()
        raise
    return stream


def _read_and_close(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while piece := stream.read(256 * 1024):
            yield piece


def _out(job: Job) -> ScreeningFileOut:
    file = FileJob.of(job)
    return ScreeningFileOut(
        id=job.id,
        name=file.name,
        state=job.state,
        started_at=job.started_at,
        ended_at=job.ended_at,
        total=job.total,
        done=job.done,
        why=job.why,
        as_of=file.moment.at,
        positions=file.moment.positions,
        registry_version=file.moment.registry_version,
        coverage=describe_coverage(file.moment.coverage),
        candidates=file.candidates,
        verdicts=dict(file.account.verdicts),
        not_asked=file.account.not_asked,
        problems=[RowProblemOut(row=p.number, what=p.what) for p in file.account.problems],
        further_problems=file.account.further_problems,
    )
