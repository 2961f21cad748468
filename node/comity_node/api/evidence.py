"""Evidence files: sent in pieces by the auditor's firm, read inside the node. None of it is ever on the bus."""

import asyncio
import tempfile
from collections.abc import Iterator
from datetime import date
from typing import Annotated, BinaryIO

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from comity_node.api.bodies import Id
from comity_node.api.contract import refuses, sends
from comity_node.api.visible import read_report, visible_report
from comity_node.auth import Auditor, Releaser, ReportReader, ThisNode
from comity_node.services.evidence.keeping import Progress, Rules, evidence_of, note_reading, take_piece
from comity_node.services.evidence.stripping import strip
from comity_node.wiring import Node

MEDIA_TYPE = "application/octet-stream"

router = APIRouter(prefix="/reports/{report_id}/evidence", tags=["evidence"])

EvidenceRef = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class EvidenceOut(BaseModel):
    """A file that a report lists: `awaited`, `receiving` (go on at `received`), `kept` or `shredded`."""

    ref: str
    media_type: str
    bytes: int
    sha256: str
    state: str
    received: int
    scanned: bool
    keep_until: date | None


class EvidenceListOut(BaseModel):
    """All files that a report lists, in its order."""

    items: list[EvidenceOut]


@router.get("", responses=refuses(403, 404))
async def list_evidence(report_id: Id, person: ReportReader, node: ThisNode) -> EvidenceListOut:
    """How far each file is; for an interrupted one, where to go on. Each reading is on the trail."""
    async with node.database.write() as store:
        stored = await read_report(store, report_id, person, node.clock(), what="evidence")
        found = await evidence_of(store, node.vault, stored)
    return EvidenceListOut(items=[_progress(each) for each in found])


@router.patch(
    "/{ref}",
    responses=refuses(403, 404, 409, 415),
    openapi_extra={"requestBody": {"required": True, "content": {MEDIA_TYPE: {}}}},
)
async def send_evidence(
    request: Request,
    report_id: Id,
    ref: EvidenceRef,
    person: Auditor,
    node: ThisNode,
    offset: Annotated[int, Query(ge=0, le=10**12)],
) -> EvidenceOut:
    """Send the piece of a file that begins at `offset`: a multiple of 64 KiB, but for the last; at most 4 MiB.

    Asking again does nothing twice: a piece that is here already is answered with where to go on.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != MEDIA_TYPE:
        raise HTTPException(415, f"send the piece as {MEDIA_TYPE}")
    piece = await request.body()
    async with node.database.read() as store:
        stored = await visible_report(store, report_id, person)
    found = await take_piece(
        node.database, node.vault, _rules(node), person, stored, ref, offset=offset, piece=piece, now=node.clock()
    )
    return _progress(found)


@router.get("/{ref}", response_class=StreamingResponse, responses=refuses(403, 404, 409) | sends(MEDIA_TYPE))
async def read_evidence(report_id: Id, ref: EvidenceRef, person: ReportReader, node: ThisNode) -> StreamingResponse:
    """The file as it was signed, for whoever may see the report. Each reading is on the trail."""
    async with node.database.write() as store:
        stored = await visible_report(store, report_id, person)
        file, _ = await note_reading(store, person, stored, ref, node.clock(), copy="original")
        # Before anything is answered or noted: whose key is gone cannot be read at all.
        pieces = await asyncio.to_thread(node.vault.read_begun, file.id)
    return StreamingResponse(pieces, media_type=MEDIA_TYPE)


@router.get(
    "/{ref}/release-copy", response_class=StreamingResponse, responses=refuses(403, 404, 409, 422) | sends(MEDIA_TYPE)
)
async def read_release_copy(report_id: Id, ref: EvidenceRef, person: Releaser, node: ThisNode) -> StreamingResponse:
    """A copy without metadata: the only form in which an image or PDF may be given to anybody outside.

    What can be seen on it stays: look at it before you give it away. Each making of one is on the trail.
    """
    async with node.database.write() as store:
        stored = await visible_report(store, report_id, person)
        file, listed = await note_reading(store, person, stored, ref, node.clock(), copy="release")
    copy = await asyncio.to_thread(_strip, node, file.id, listed.media_type)
    return StreamingResponse(_read_and_close(copy), media_type=MEDIA_TYPE)


def _strip(node: Node, name: str, media_type: str) -> BinaryIO:
    # Files without a name: whatever happens here, nothing readable is left behind.
    copy = tempfile.TemporaryFile(dir=node.home.path)  # noqa: SIM115 closed when it was given
    try:
        with tempfile.TemporaryFile(dir=node.home.path) as original:
            for piece in node.vault.read(name):
                original.write(piece)
            original.seek(0)
            strip(media_type, original, copy)
        copy.seek(0)
    except BaseException:
        copy.close()
        raise
    return copy


def _read_and_close(copy: BinaryIO) -> Iterator[bytes]:
    with copy:
        while piece := copy.read(1024 * 1024):
            yield piece


def _rules(node: Node) -> Rules:
    settings = node.settings
    return Rules(settings.evidence_more_types, settings.evidence_scanner, settings.keep_months)


def _progress(found: Progress) -> EvidenceOut:
    return EvidenceOut(
        ref=found.listed.ref,
        media_type=found.listed.media_type,
        bytes=found.listed.bytes,
        sha256=found.listed.sha256,
        state=found.state,
        received=found.received,
        scanned=found.scanned,
        keep_until=found.keep_until,
    )
