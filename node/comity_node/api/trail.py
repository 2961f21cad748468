"""The trail: who did what, and exports of it that anybody can check."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, StringConstraints

from comity_node.api.bodies import MOST_ROWS, Body
from comity_node.api.contract import refuses, sends
from comity_node.api.once import Onced
from comity_node.api.pages import Cursor, Limit, Page, page, read_cursor
from comity_node.auth import Admin, RecordReader, ThisNode
from comity_node.db import Store
from comity_node.domain.trail import Event
from comity_node.domain.trail_export import Manifest, Selection
from comity_node.services import trail
from comity_schemas.wire import PRINTABLE

router = APIRouter(tags=["trail"])

MEDIA_TYPE = "application/x-ndjson"

Reference = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)]
ExportNumber = Annotated[int, Path(ge=1, le=MOST_ROWS)]


class TrailOut(BaseModel):
    """One entry of the trail."""

    number: int
    at: datetime
    actor: str
    event: str
    subject: str
    detail: str


class ExportIn(Body):
    """What to export; all of what is given must hold, and without anything it is all."""

    since: Annotated[datetime, Field(strict=False)] | None = None
    until: Annotated[datetime, Field(strict=False)] | None = None
    """Not included."""
    about: Reference | None = None
    """An id of a report, review, file, statement …"""
    events: Annotated[tuple[Event, ...], Field(max_length=len(Event), strict=False)] = ()
    by: Reference | None = None
    """A person's id, or the name of a worker."""


class ExportOut(BaseModel):
    """An export. Take its lines once `fixed`: then a signed checkpoint lets nobody take anything out of them unseen."""

    number: int
    first: int
    last: int
    entries: int
    fixed: bool


class WitnessOut(BaseModel):
    """A checkpoint of another member, as signed, and the day it came."""

    day: date
    checkpoint: str


class WitnessesOut(BaseModel):
    """The first checkpoint of each day that came of a member, at most a thousand; go on with `since`."""

    items: list[WitnessOut]


@router.get("/trail", responses=refuses(403))
async def list_trail(person: Admin, node: ThisNode, cursor: Cursor = None, limit: Limit = 50) -> Page[TrailOut]:
    """Who did what, newest first."""
    async with node.database.read() as store:
        rows = await store.trail.page(before=read_cursor(cursor), most=limit + 1)
    return page(
        rows,
        limit,
        lambda r: r[0],
        lambda r: TrailOut(
            number=r[0], at=r[1].at, actor=r[1].actor, event=r[1].event, subject=r[1].subject, detail=r[1].detail
        ),
    )


@router.post("/trail/exports", status_code=201, responses=refuses(403, 409))
async def export_trail(body: ExportIn, person: Admin, node: ThisNode, once: Onced) -> ExportOut:
    """Export the trail, or what of it concerns a time, an object, an event or a person. That is on the trail too."""
    selection = Selection(_utc(body.since), _utc(body.until), body.about, body.events, body.by)
    manifest = await trail.prepare_export(node.database, selection)

    async def note(store: Store) -> ExportOut:
        number = await trail.note_export(store, person, manifest, node.clock())
        return _export(number, manifest, fixed=False)

    return await once.write(note)


@router.get("/trail/exports/{export_number}", responses=refuses(403, 404))
async def get_export(export_number: ExportNumber, person: Admin, node: ThisNode) -> ExportOut:
    """What an export holds, and whether a checkpoint fixes it already: the relay signs one within seconds."""
    async with node.database.read() as store:
        manifest = await trail.find_export(store, export_number)
        return _export(export_number, manifest, fixed=await trail.is_fixed(store, export_number))


@router.get(
    "/trail/exports/{export_number}/lines",
    response_class=StreamingResponse,
    responses=refuses(403, 404) | sends(MEDIA_TYPE),
)
async def get_export_lines(export_number: ExportNumber, person: Admin, node: ThisNode) -> StreamingResponse:
    """The export itself, as JSON lines; `comity trail verify` checks them anywhere."""
    member = node.own_member(await node.registry()).did
    async with node.database.read() as store:
        await trail.find_export(store, export_number)
    lines: AsyncIterator[bytes] = trail.export_lines(node.database, export_number, member)
    return StreamingResponse(lines, media_type=MEDIA_TYPE)


@router.get("/witnesses/{member}", responses=refuses(403))
async def list_witnesses(
    member: Annotated[str, Path(pattern=r"^[a-z0-9-]{1,40}$")],
    person: RecordReader,
    node: ThisNode,
    since: Annotated[date | None, Query()] = None,
) -> WitnessesOut:
    """What this node kept of a member's checkpoints: against them its trail cannot be rewritten."""
    async with node.database.read() as store:
        kept = await store.peers.kept(member, since=since, most=1_000)
    return WitnessesOut(items=[WitnessOut(day=day, checkpoint=raw.decode("ascii")) for day, raw in kept])


def _utc(at: datetime | None) -> datetime | None:
    return at if at is None or at.tzinfo is not None else at.replace(tzinfo=UTC)


def _export(number: int, manifest: Manifest, *, fixed: bool) -> ExportOut:
    return ExportOut(number=number, first=manifest.first, last=manifest.last, entries=manifest.entries, fixed=fixed)
