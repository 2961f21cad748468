"""Records that do not count, with the reason in words; an administrator can let one be decided anew."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel

from comity_node.api.bodies import MOST_ROWS
from comity_node.api.contract import refuses, sends
from comity_node.api.once import Onced
from comity_node.api.pages import Cursor, Limit, Page, page, read_cursor
from comity_node.auth import Admin, ThisNode
from comity_node.db import Store
from comity_node.db.quarantine import Chosen
from comity_node.db.received import Received
from comity_node.db.skipped import SkippedRange
from comity_node.domain.refusals import explain
from comity_node.services.receiving.quarantine import find_refused, retry
from comity_schemas.wire import Slug

router = APIRouter(prefix="/quarantine", tags=["quarantine"])

RowNumber = Annotated[int, Path(ge=1, le=MOST_ROWS)]
Step = Annotated[int | None, Query(ge=1, le=13)]
Code = Annotated[str | None, Query(pattern="^[a-z-]{1,40}$")]


class QuarantinedOut(BaseModel):
    """A record that does not count: why, what that means, and what to do."""

    id: int
    member: str
    state: str
    step: int | None
    code: str | None
    detail: str | None
    seq: int | None
    statement: str | None
    kind: str | None
    received_at: datetime
    bytes: int
    what: str
    means: str
    do: str


class SkippedOut(BaseModel):
    """Offsets of the bus that were skipped unread; `offsets` of those between `first` and `last`."""

    id: int
    member: str
    topic: str
    first: int
    last: int
    offsets: int
    reason: str
    since: datetime


@router.get("", responses=refuses(403))
async def list_quarantine(
    person: Admin,
    node: ThisNode,
    member: Slug | None = None,
    step: Step = None,
    code: Code = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[QuarantinedOut]:
    """Records that do not count, newest first; all, or those of a member, a step, a code."""
    async with node.database.read() as store:
        chosen = Chosen(member, step, code)
        rows = await store.quarantine.page(chosen, before=read_cursor(cursor), most=limit + 1)
    return page(rows, limit, lambda r: r.id, _quarantined)


@router.get("/skipped", responses=refuses(403))
async def list_skipped(
    person: Admin, node: ThisNode, member: Slug | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[SkippedOut]:
    """Offsets of the bus that hold no record for us, newest first, with the reason; nothing of them is kept."""
    async with node.database.read() as store:
        rows = await store.skipped.page(member, before=read_cursor(cursor), most=limit + 1)
    return page(rows, limit, lambda r: r.id, _skipped)


@router.get("/{record_id}", responses=refuses(403, 404))
async def get_quarantined(record_id: RowNumber, person: Admin, node: ThisNode) -> QuarantinedOut:
    """One record that does not count."""
    async with node.database.read() as store:
        return _quarantined(await find_refused(store, record_id))


@router.get(
    "/{record_id}/raw",
    response_class=Response,
    responses=refuses(403, 404) | sends("application/octet-stream"),
)
async def get_quarantined_bytes(record_id: RowNumber, person: Admin, node: ThisNode) -> Response:
    """The raw bytes of a refused record, as they came."""
    async with node.database.read() as store:
        found = await find_refused(store, record_id)
    return Response(found.raw, media_type="application/octet-stream")


@router.post("/{record_id}/retry", status_code=202, responses=refuses(403, 404, 409))
async def retry_quarantined(record_id: RowNumber, person: Admin, node: ThisNode, once: Onced) -> QuarantinedOut:
    """Let a record be decided anew by the same steps; the answer says why it was refused before."""

    async def reopen(store: Store) -> QuarantinedOut:
        return _quarantined(await retry(store, record_id, person.id, node.clock()))

    return await once.write(reopen)


def _quarantined(record: Received) -> QuarantinedOut:
    refusal = explain(record.step, record.code)
    return QuarantinedOut(
        id=record.id,
        member=record.member,
        state=record.state,
        step=record.step,
        code=record.code,
        detail=record.detail,
        seq=record.seq,
        statement=record.hash,
        kind=record.kind,
        received_at=record.received_at,
        bytes=len(record.raw),
        what=refusal.what,
        means=refusal.means,
        do=refusal.do,
    )


def _skipped(skipped: SkippedRange) -> SkippedOut:
    return SkippedOut(**asdict(skipped))
