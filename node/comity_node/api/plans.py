"""Corrective-action plans. Notes, reasons and verifiers' names stay here; `say` proposes what others read of a plan."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, StringConstraints, model_validator

from comity_node.api.bodies import Body, Id, Unfit
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.pages import Cursor, Limit, Page, page, read_cursor
from comity_node.api.reviews import ReviewOut, describe_review
from comity_node.api.visible import visible_report
from comity_node.auth import Releaser, Reviewer, ThisNode
from comity_node.db import Store
from comity_node.db.plans import LocalAct
from comity_node.domain.people import Person
from comity_node.domain.plan import OPEN, EscalationStep, ItemState, PlanItem, escalate_by, in_words, is_overdue
from comity_node.services.remedy import plans
from comity_node.wiring import Node
from comity_schemas.finding import Remedy, Status, Verified
from comity_schemas.report import Ref
from comity_schemas.wire import PRINTABLE, Digest

router = APIRouter(tags=["plan"])

Words = Annotated[str, StringConstraints(min_length=3, max_length=1_000, pattern=PRINTABLE, strip_whitespace=True)]
DueMonth = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
ReportId = Annotated[Digest | None, Query()]


class NewPlanItem(Body):
    """Agree on one thing to be put right: of a published finding, or of an observation of a report."""

    statement: Digest | None = None
    report: Digest | None = None
    observation: Ref | None = None
    remedy: Remedy
    due: DueMonth
    note: Words | None = None
    """In your words; stays here."""
    contract: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    """Id of the contract in your register that asks for it; stays here."""

    @model_validator(mode="after")
    def _names_one(self) -> "NewPlanItem":
        if (self.statement is None) == (self.report is None) or (self.report is None) != (self.observation is None):
            raise Unfit("name a statement, or a report and one of its observations")
        return self


class PlanItemMove(Body):
    """Where an item goes. What is verified says how and by whom; what is dropped or taken back says why."""

    to: ItemState
    reason: Words | None = None
    verified: Verified | None = None
    verifier: Words | None = None
    """Who verified it, in words; stays here."""
    follow_up: Digest | None = None
    """The report that verified it on site."""


class PlanItemCorrection(Body):
    """What was written down wrong; what is absent stays."""

    remedy: Remedy | None = None
    due: DueMonth | None = None
    note: Words | None = None
    contract: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    reason: Words


class EscalationIn(Body):
    """What was done about an overdue item."""

    step: EscalationStep


class SayPlan(Body):
    """Let others read where the plan of a published finding stands."""

    statement: Digest


class EscalatedOut(BaseModel):
    """A step of escalation that was taken."""

    step: EscalationStep
    by: str
    at: datetime


class ActOut(BaseModel):
    """What somebody did, why, and what stood there before."""

    act: str
    by: str
    at: datetime
    reason: str | None
    before: dict[str, Any]


class PlanItemOut(BaseModel):
    """One item, in words and in codes."""

    id: str
    finding: str | None
    report: str | None
    observation: str | None
    remedy: Remedy
    due: str
    state: ItemState
    in_words: str
    overdue: bool
    next_step_by: str | None
    """Until when an overdue item is escalated further."""
    made_by: str
    made_at: datetime
    done_by: str | None
    done_at: datetime | None
    verified: Verified | None
    escalated: list[EscalatedOut]


class PlanItemDetailOut(PlanItemOut):
    """One item with what stays here, and its history, oldest first."""

    note: str | None
    contract: str | None
    verifier: str | None
    verified_by: str | None
    follow_up: str | None
    history: list[ActOut]


class StepOut(BaseModel):
    """What others would read next."""

    status: Status
    verified: Verified | None
    remedies: list[Remedy]
    remedy_due: str | None


class PlanOut(BaseModel):
    """A plan, what others read now, and what they would read next; `held_up` says why nothing can be said now."""

    statement: str | None
    report: str | None
    observation: str | None
    items: list[PlanItemDetailOut]
    reads: StepOut | None
    next: StepOut | None
    held_up: str | None


@router.post("/plan-items", status_code=201, responses=refuses(403, 404, 409))
async def add_plan_item(body: NewPlanItem, person: Reviewer, node: ThisNode, once: Onced) -> PlanItemDetailOut:
    """Agree on one item of a plan. Nothing leaves."""

    async def add(store: Store) -> PlanItemDetailOut:
        subject = await _subject(store, person, body.statement, body.report, body.observation)
        item = await plans.add_item(
            store, person, subject, body.remedy, body.due, body.note, node.clock(), body.contract
        )
        return await _detail(store, item, node)

    return await once.write(add)


@router.get("/plan-items", responses=refuses(403))
async def list_plan_items(
    person: Releaser, node: ThisNode, state: ItemState | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[PlanItemOut]:
    """Items of all plans, newest first; without `state` those that are not finished."""
    states = frozenset({*OPEN, ItemState.DONE}) if state is None else frozenset({state})
    async with node.database.read() as store:
        rows = await store.plans.page(states=states, before=read_cursor(cursor), most=limit + 1, seen_by=person.id)
    return page(rows, limit, lambda i: i.number, lambda i: PlanItemOut(**_item(i, node)))


@router.get("/plan-items/{item_id}", responses=refuses(403, 404))
async def get_plan_item(item_id: Id, person: Releaser, node: ThisNode) -> PlanItemDetailOut:
    """One item with its history."""
    async with node.database.read() as store:
        return await _detail(store, await _visible(store, person, item_id), node)


@router.patch("/plan-items/{item_id}", responses=refuses(403, 404, 409))
async def correct_plan_item(
    item_id: Id, body: PlanItemCorrection, person: Reviewer, node: ThisNode, once: Onced
) -> PlanItemDetailOut:
    """Correct an item that is not done yet. Its history keeps what stood there."""
    changes = body.model_dump(exclude={"reason", "contract"}, exclude_none=True)
    if body.contract is not None:
        changes["contract_id"] = body.contract

    async def correct(store: Store) -> PlanItemDetailOut:
        item = await _visible(store, person, item_id)
        return await _detail(
            store, await plans.correct_item(store, person, item, changes, body.reason, node.clock()), node
        )

    return await once.write(correct)


@router.post("/plan-items/{item_id}/move", responses=refuses(403, 404, 409))
async def move_plan_item(
    item_id: Id, body: PlanItemMove, person: Reviewer, node: ThisNode, once: Onced
) -> PlanItemDetailOut:
    """Note that an item is under way, done, verified or dropped; or take a step back, with a reason."""
    move = plans.Move(body.to, body.reason, body.verified, body.verifier, body.follow_up)

    async def go(store: Store) -> PlanItemDetailOut:
        item = await _visible(store, person, item_id)
        return await _detail(store, await plans.move_item(store, person, item, move, node.clock()), node)

    return await once.write(go)


@router.post("/plan-items/{item_id}/escalate", responses=refuses(403, 404, 409))
async def escalate_plan_item(
    item_id: Id, body: EscalationIn, person: Releaser, node: ThisNode, once: Onced
) -> PlanItemDetailOut:
    """Note what was done about an overdue item; never a milder step than before."""

    async def escalate(store: Store) -> PlanItemDetailOut:
        item = await _visible(store, person, item_id)
        return await _detail(store, await plans.escalate_item(store, person, item, body.step, node.clock()), node)

    return await once.write(escalate)


@router.get("/plan", responses=refuses(403, 404, 409, 422))
async def get_plan(
    person: Releaser,
    node: ThisNode,
    statement: ReportId = None,
    report: ReportId = None,
    observation: Annotated[Ref | None, Query()] = None,
) -> PlanOut:
    """The plan of a published finding, in any of its forms, or of an observation; and what others read of it."""
    async with node.database.read() as store:
        subject = await _subject(store, person, statement, report, observation)
        plan = await plans.plan_of(store, subject)
        return PlanOut(
            statement=subject.statement,
            report=subject.report_id,
            observation=subject.observation,
            items=[await _detail(store, item, node) for item in plan.items],
            reads=None if plan.published is None else _step(plan.published.finding),
            next=None if plan.step is None else _step(plan.step),
            held_up=plan.held_up,
        )


@router.post("/plan/say", status_code=201, responses=refuses(403, 404, 409))
async def say_plan(body: SayPlan, person: Reviewer, node: ThisNode, once: Onced) -> ReviewOut:
    """Propose that others read where the plan stands, one step at a time; a second person approves."""

    async def propose(store: Store) -> ReviewOut:
        await _subject(store, person, body.statement, None, None)
        return await describe_review(store, await plans.propose_step(store, person, body.statement, node.clock()), node)

    return await once.write(propose)


async def _subject(
    store: Store, person: Person, statement: str | None, report: str | None, observation: str | None
) -> plans.Subject:
    """Return what a plan is for, if this person may see the report behind it."""
    if statement is not None:
        subject = await plans.subject_of_finding(store, statement)
    else:
        await visible_report(store, report or "", person)
        subject = await plans.subject_of_observation(store, report or "", observation or "")
    if subject.report_id is not None:
        await visible_report(store, subject.report_id, person)
    return subject


async def _visible(store: Store, person: Person, item_id: str) -> PlanItem:
    item = await plans.find_item(store, item_id)
    if item.report_id is not None:
        await visible_report(store, item.report_id, person)
    return item


def _step(said: Any) -> StepOut:
    return StepOut(
        status=said.status, verified=said.verified, remedies=list(said.remedies or ()), remedy_due=said.remedy_due
    )


def _item(item: PlanItem, node: Node) -> dict[str, Any]:
    today = node.clock().date()
    overdue = is_overdue(item, today)
    return {
        "id": item.id,
        "finding": item.finding,
        "report": item.report_id,
        "observation": item.observation,
        "remedy": item.remedy,
        "due": item.due,
        "state": item.state,
        "in_words": in_words(item, today),
        "overdue": overdue,
        "next_step_by": escalate_by(item).isoformat() if overdue else None,
        "made_by": item.made_by,
        "made_at": item.made_at,
        "done_by": item.done_by,
        "done_at": item.done_at,
        "verified": item.verified,
        "escalated": [EscalatedOut(step=e.step, by=e.by, at=e.at) for e in item.escalated],
    }


async def _detail(store: Store, item: PlanItem, node: Node) -> PlanItemDetailOut:
    return PlanItemDetailOut(
        **_item(item, node),
        note=item.note,
        contract=item.contract_id,
        verifier=item.verifier,
        verified_by=item.verified_by,
        follow_up=item.follow_up,
        history=[describe_act(act) for act in await store.local_acts.of(item.id)],
    )


def describe_act(act: LocalAct) -> ActOut:
    """Return what somebody did."""
    return ActOut(act=act.act, by=act.by, at=act.at, reason=act.reason, before=dict(act.before))
