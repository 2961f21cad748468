"""Full reports: submitted by auditors, read by them and by reviewers. Their content leaves only as findings."""

import asyncio
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request, Response
from pydantic import BaseModel

from comity_federation.shown_sections import section_names, show_section
from comity_federation.signed_reports import NEVER_SHOWN
from comity_node.api.bodies import Id
from comity_node.api.contract import refuses, sends
from comity_node.api.once import Onced
from comity_node.api.pages import Cursor, Limit, Page, page, read_cursor
from comity_node.api.visible import SEE_ALL, note_list, read_report, visible_report
from comity_node.auth import Auditor, Releaser, ReportReader, ThisNode
from comity_node.db import Store
from comity_node.db.reports import StoredReport
from comity_node.domain.audience import readers, why_excluded
from comity_node.domain.errors import NotFound
from comity_node.domain.minimize import Draft, outgoing_finding
from comity_node.domain.trail import Event
from comity_node.domain.vocabulary import proposals_of
from comity_node.services.reports.stored import exact_bytes, open_stored
from comity_node.services.reports.submit import MARKS, submit_report
from comity_node.services.review.audience import is_published
from comity_node.services.review.release import minimize_stored
from comity_node.services.review.report_status import report_status
from comity_node.vocabulary import crosswalks_with

MEDIA_TYPE = "application/vnd.comity.report+json"
"""What `comity report sign` writes."""
SECTION_TYPE = "application/vnd.comity.report-section+json"
"""What `comity report disclose` writes."""

router = APIRouter(prefix="/reports", tags=["reports"])


class ReceiptOut(BaseModel):
    """Proof of what was received. `id` is SHA-256 of the exact bytes."""

    id: str
    received_at: datetime
    firm: str
    marks: list[str]
    explained: list[str]
    repeated: bool


class ReportOut(BaseModel):
    """A report in a list."""

    id: str
    origin: str
    firm: str | None
    received_at: datetime
    marks: list[str]
    keep_until: date | None
    """Its last day; null for the first minute."""
    expired_at: datetime | None
    """When its content was destroyed; hash and dates stay."""


class ObservationOut(BaseModel):
    """Where one observation stands."""

    observation: str
    state: str
    statement: str | None
    seq: int | None


class ReportStatusOut(ReportOut):
    """A report and what became of it."""

    observations: list[ObservationOut]


class FateOut(BaseModel):
    """Whether a field of the report leaves, as what, and why."""

    path: str
    fate: str
    becomes: str | None
    why: str


class DraftOut(BaseModel):
    """What would leave for one observation: in clear, as disclosures; and what would be withheld."""

    observation: str
    handling: dict[str, Any]
    clear: dict[str, Any]
    disclosed: dict[str, Any]
    withheld: dict[str, Any]
    should_not_read: list[str]
    """Members of the site's own country, with the reason why by default they should not; a focal point decides."""


class ProposalOut(BaseModel):
    """What the clause of an observation proposes, beside what a person picked; nothing is picked by itself."""

    observation: str
    clause: str
    title: str | None
    proposed: dict[str, str]
    picked: dict[str, str]
    not_assessed: list[str]
    """Proposed and not picked: nothing is said of it."""
    why_none: str | None


class DraftsOut(BaseModel):
    """The report beside what would leave of it, with an account of every field."""

    report: dict[str, Any]
    drafts: list[DraftOut]
    fates: list[FateOut]
    proposals: list[ProposalOut]


@router.post(
    "",
    status_code=201,
    responses=refuses(403, 409, 415),
    openapi_extra={"requestBody": {"required": True, "content": {MEDIA_TYPE: {}}}},
)
async def submit(request: Request, person: Auditor, node: ThisNode, once: Onced) -> ReceiptOut:
    """Submit a signed report, exactly as `comity report sign` wrote it."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != MEDIA_TYPE:
        raise HTTPException(415, f"send the signed report as {MEDIA_TYPE}")
    raw = await request.body()
    registry = await node.registry()
    receiver = node.own_member(registry).did

    async def take_in(store: Store) -> ReceiptOut:
        receipt = await submit_report(store, raw, person, registry, receiver=receiver, now=node.clock())
        return ReceiptOut(
            id=receipt.id,
            received_at=receipt.received_at,
            firm=receipt.firm,
            marks=list(receipt.marks),
            explained=[MARKS[mark] for mark in receipt.marks],
            repeated=receipt.repeated,
        )

    return await once.write(take_in)


@router.get("", responses=refuses(403))
async def list_reports(
    person: ReportReader, node: ThisNode, cursor: Cursor = None, limit: Limit = 50
) -> Page[ReportOut]:
    """Reports you may see: an auditor those of the own firm, reviewers all. Each reading is on the trail."""
    firm = None if person.roles & SEE_ALL else person.firm or ""
    async with node.database.write() as store:
        rows = await store.reports.page(
            firm=firm,
            before=read_cursor(cursor),
            most=limit + 1,
            seen_by=None if firm else person.id,
            own_firm=person.firm,
        )
        await note_list(store, person, node.clock(), "reports", min(len(rows), limit), cursor)
    return page(rows, limit, lambda r: r.number, _report)


@router.get("/{report_id}", responses=refuses(403, 404))
async def get_report(report_id: Id, person: ReportReader, node: ThisNode) -> ReportStatusOut:
    """Where a report is now, observation by observation. Each reading is on the trail."""
    async with node.database.write() as store:
        stored = await read_report(store, report_id, person, node.clock(), what="status")
        statuses = await report_status(store, stored)
    observations = [
        ObservationOut(observation=s.observation, state=s.state, statement=s.statement, seq=s.seq) for s in statuses
    ]
    return ReportStatusOut(**_report(stored).model_dump(), observations=observations)


@router.get("/{report_id}/signed", response_class=Response, responses=refuses(403, 404) | sends(MEDIA_TYPE))
async def get_signed_bytes(report_id: Id, person: ReportReader, node: ThisNode) -> Response:
    """The exact bytes that were submitted. Each reading is on the trail."""
    async with node.database.write() as store:
        stored = await read_report(store, report_id, person, node.clock(), what="signed")
    return Response(exact_bytes(stored), media_type=MEDIA_TYPE)


class SectionOut(BaseModel):
    """A section of a signed report. `shown` is false for those that name people or tell who spoke."""

    number: int
    name: str
    shown: bool


class SectionsOut(BaseModel):
    """All sections of a signed report, in their order."""

    sections: list[SectionOut]


@router.get("/{report_id}/sections", responses=refuses(403, 404))
async def list_sections(report_id: Id, person: Releaser, node: ThisNode) -> SectionsOut:
    """Which sections a signed report has, by number."""
    async with node.database.write() as store:
        stored = await read_report(store, report_id, person, node.clock(), what="sections")
    names = section_names(exact_bytes(_signed(stored)))
    return SectionsOut(
        sections=[SectionOut(number=n, name=name, shown=name not in NEVER_SHOWN) for n, name in enumerate(names, 1)]
    )


@router.get(
    "/{report_id}/sections/{number}", response_class=Response, responses=refuses(403, 404, 409) | sends(SECTION_TYPE)
)
async def disclose_section(
    report_id: Id, number: Annotated[int, Path(ge=1, le=2_000)], person: Releaser, node: ThisNode
) -> Response:
    """One section with proof that the auditor signed it. Nothing can be learned of the others; it is on the trail."""
    async with node.database.write() as store:
        stored = await visible_report(store, report_id, person)
        shown = show_section(exact_bytes(_signed(stored)), number)
        await store.trail.add(node.clock(), person.id, Event.SECTION_SHOWN, report_id, section=number)
    return Response(shown, media_type=SECTION_TYPE)


@router.get("/{report_id}/drafts", responses=refuses(403, 404))
async def get_drafts(report_id: Id, person: ReportReader, node: ThisNode) -> DraftsOut:
    """Exactly what would leave, beside what stays, with the reason for every field.

    The auditor sees it too, and may object before anything is released. Each reading is on the trail.
    """
    async with node.database.write() as store:
        stored = await read_report(store, report_id, person, node.clock(), what="drafts")
    minimized = minimize_stored(stored, node.settings.policy)
    members = (await node.registry()).members
    drafts = []
    for draft in minimized.drafts:
        leaving = outgoing_finding(draft.finding, draft.handling)
        drafts.append(
            DraftOut(
                observation=draft.observation,
                handling=draft.handling.to_parsed(),
                clear=dict(leaving.body),
                disclosed=dict(leaving.disclosed),
                withheld=dict(leaving.withheld),
                should_not_read=[
                    f"{reader.slug}: {reader.excluded}"
                    for reader in readers(members, node.settings.member, draft.finding, _excluded(stored, draft))
                    if reader.excluded is not None
                ],
            )
        )
    fates = [FateOut(path=f.path, fate=f.fate, becomes=f.becomes, why=f.why) for f in minimized.fates]
    report = open_stored(stored)
    known = await asyncio.to_thread(crosswalks_with, node.home.crosswalks)
    proposals = [ProposalOut.model_validate(each, from_attributes=True) for each in proposals_of(report, known)]
    return DraftsOut(report=report.to_parsed(), drafts=drafts, fates=fates, proposals=proposals)


def _excluded(stored: StoredReport, draft: Draft) -> str | None:
    return None if is_published(stored, draft.finding) else why_excluded(draft.finding)


def _signed(stored: StoredReport) -> StoredReport:
    if stored.origin != "signed":
        raise NotFound("no auditor signed this report, so there is nothing to prove")
    return stored


def _report(stored: StoredReport) -> ReportOut:
    return ReportOut(
        id=stored.id,
        origin=stored.origin,
        firm=stored.firm,
        received_at=stored.received_at,
        marks=list(stored.marks),
        keep_until=stored.keep_until,
        expired_at=stored.expired_at,
    )
