"""Audits, planned and done, of all members: told by two people, so that nobody audits the same site again unasked."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from comity_node.api.bodies import Body
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.pages import Cursor, Limit, Page, page, read_cursor
from comity_node.api.reviews import ReviewOut, Terms, describe_review
from comity_node.auth import AuditReader, Reviewer, ThisNode, saying
from comity_node.db import Store
from comity_node.domain.noticing import plan_ends
from comity_node.domain.supplier_view import NoticeEntry, Standing, notice_standing
from comity_node.services.review import audit_notices
from comity_schemas.audit_notice import AuditNotice, AuditStage
from comity_schemas.countries import Country
from comity_schemas.finding import SchemeCode
from comity_schemas.identifiers import Identifier
from comity_schemas.indicators import Indicator
from comity_schemas.report import Ref
from comity_schemas.statement import Kind
from comity_schemas.subject import Name, SubjectType
from comity_schemas.wire import Digest, Month, text

router = APIRouter(prefix="/audits", tags=["audits"])

Scope = Annotated[tuple[Indicator, ...], Field(max_length=len(Indicator))]


class PlanProposal(Body):
    """Propose to tell that an audit is planned; `revises` changes an own plan."""

    subject: SubjectType = SubjectType.SITE
    names: Annotated[tuple[text(200), ...], Field(min_length=1, max_length=20)]  # type: ignore[valid-type]
    country: Country
    municipality: text(100) | None = None  # type: ignore[valid-type]
    identifiers: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()
    named_after_person: bool = False
    scheme: SchemeCode
    scheme_version: SchemeCode | None = None
    month: Month
    assessed: Annotated[tuple[Indicator, ...], Field(min_length=1, max_length=len(Indicator))]
    """What will be looked for."""
    anyway: bool = False
    """You know of the audits that there are, and want this one all the same."""
    handling: Terms | None = None
    revises: Digest | None = None


class DoneProposal(Body):
    """Propose to tell that an audit is done, by its report; `revises` names the plan, or an earlier notice."""

    report: Digest
    about: Ref | None = None
    """Which further site or labour provider of the report; absent: its party."""
    with_result: bool = False
    """Whether how many observations are open is told, in bands."""
    handling: Terms | None = None
    revises: Digest | None = None


class AuditOut(BaseModel):
    """An audit of any member that stands, or has expired."""

    published_by: str
    statement: str
    standing: Standing
    stage: AuditStage | None
    valid_until: date | None
    notice: dict[str, Any] | None


@router.post("/planned", status_code=201, dependencies=[saying(Kind.AUDIT_NOTICE)], responses=refuses(403, 409))
async def propose_planned_audit(body: PlanProposal, person: Reviewer, node: ThisNode, once: Onced) -> ReviewOut:
    """Propose a plan. Refused where another member's audit covers it, unless you say that it is wanted all the same."""

    async def propose(store: Store) -> ReviewOut:
        now = node.clock()
        notice = AuditNotice(
            replaces=body.revises,
            subject=body.subject,
            names=tuple(Name(text=name) for name in body.names),
            identifiers=body.identifiers or None,
            country=body.country,
            municipality=body.municipality,
            named_after_person=body.named_after_person,
            scheme=body.scheme,
            scheme_version=body.scheme_version,
            month=body.month,
            stage=AuditStage.PLANNED,
            assessed=tuple(dict.fromkeys(body.assessed)),
            valid_until=plan_ends(body.month, now.date()),
        )
        review = await audit_notices.propose_plan(
            store, person, notice, own=node.settings.member, now=now, handling=body.handling, anyway=body.anyway
        )
        return await describe_review(store, review, node)

    return await once.write(propose)


@router.post("/done", status_code=201, dependencies=[saying(Kind.AUDIT_NOTICE)], responses=refuses(403, 404, 409))
async def propose_done_audit(body: DoneProposal, person: Reviewer, node: ThisNode, once: Onced) -> ReviewOut:
    """Propose to tell that an audit is done. Nothing leaves before a second person approves."""
    done = audit_notices.Done(body.report, body.about, body.with_result)

    async def propose(store: Store) -> ReviewOut:
        review = await audit_notices.propose_done(
            store,
            person,
            done,
            policy=node.settings.policy,
            now=node.clock(),
            handling=body.handling,
            revises=body.revises,
        )
        return await describe_review(store, review, node)

    return await once.write(propose)


@router.get("", responses=refuses(403))
async def list_audits(person: AuditReader, node: ThisNode, cursor: Cursor = None, limit: Limit = 50) -> Page[AuditOut]:
    """The audit calendar: what all members plan and have done, newest first."""
    async with node.database.read() as store:
        rows = await store.view.notices.page(before=read_cursor(cursor), most=limit + 1)
    today = node.clock().date()
    return page(rows, limit, lambda row: row[0], lambda row: _audit(row[1], today))


def _audit(entry: NoticeEntry, today: date) -> AuditOut:
    notice = entry.notice
    return AuditOut(
        published_by=entry.member,
        statement=entry.hash,
        standing=notice_standing(entry, today),
        stage=None if notice is None else notice.stage,
        valid_until=None if notice is None else notice.valid_until,
        notice=None if notice is None else notice.to_parsed(),
    )
