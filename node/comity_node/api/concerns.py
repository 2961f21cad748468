"""Objections of auditors, and what two people decide together about a report."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints, model_validator

from comity_node.api.bodies import Body, Id, Unfit
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.visible import read_report, visible_report
from comity_node.auth import Auditor, Releaser, ReportReader, ThisNode
from comity_node.db import Store
from comity_node.db.concerns import JointAct, Objection
from comity_node.services.review import concerns
from comity_schemas.report import Ref
from comity_schemas.wire import PRINTABLE

router = APIRouter(tags=["review"])

Reason = Annotated[str, StringConstraints(min_length=3, max_length=1_000, pattern=PRINTABLE, strip_whitespace=True)]
Act = Literal["overrule", "hold", "let-go", "withdraw-basis", "restore-basis"]


class NewObjection(Body):
    """Object to what would leave: of one observation, or of the whole report. The reason stays at this node."""

    observation: Ref | None = None
    reason: Reason


class NewJointAct(Body):
    """Propose to overrule an objection; to hold a report and its evidence for legal use, or let it go again; to record
    that whoever allowed sharing has withdrawn that, or allows it again."""

    act: Act
    objection: Id | None = None
    reason: Reason

    @model_validator(mode="after")
    def _names_what_it_overrules(self) -> "NewJointAct":
        if (self.act == concerns.OVERRULE) != (self.objection is not None):
            raise Unfit("overruling, and nothing else, names an objection")
        return self


class ObjectionOut(BaseModel):
    """An objection: `standing`, `withdrawn` or `overruled`."""

    id: str
    report: str
    observation: str | None
    reason: str
    state: str
    made_by: str
    made_at: datetime
    ended_by: str | None
    ended_at: datetime | None


class ObjectionsOut(BaseModel):
    """All objections to a report, oldest first."""

    items: list[ObjectionOut]


class JointActOut(BaseModel):
    """What one person proposed about a report: `proposed`, `confirmed` or `declined`."""

    id: str
    act: str
    report: str
    objection: str | None
    reason: str
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None


class JointActsOut(BaseModel):
    """All that was proposed about a report, oldest first, and whether it is held now."""

    held: bool
    items: list[JointActOut]


@router.post("/reports/{report_id}/objections", status_code=201, responses=refuses(403, 404))
async def make_objection(
    report_id: Id, body: NewObjection, person: Auditor, node: ThisNode, once: Onced
) -> ObjectionOut:
    """Object before the release: it waits until you withdraw this, or two people overrule it."""

    async def make(store: Store) -> ObjectionOut:
        stored = await visible_report(store, report_id, person)
        made = await concerns.make_objection(store, person, stored, body.observation, body.reason, node.clock())
        return _objection(made)

    return await once.write(make)


@router.get("/reports/{report_id}/objections", responses=refuses(403, 404))
async def list_objections(report_id: Id, person: ReportReader, node: ThisNode) -> ObjectionsOut:
    """Who objects to what, and why. Each reading is on the trail."""
    async with node.database.write() as store:
        await read_report(store, report_id, person, node.clock(), what="objections")
        found = await store.concerns.objections(report_id)
    return ObjectionsOut(items=[_objection(each) for each in found])


@router.post("/objections/{objection_id}/withdraw", responses=refuses(403, 404, 409))
async def withdraw_objection(objection_id: Id, person: Auditor, node: ThisNode, once: Onced) -> ObjectionOut:
    """Withdraw an objection of your firm."""

    async def withdraw(store: Store) -> ObjectionOut:
        return _objection(await concerns.withdraw_objection(store, person, objection_id, node.clock()))

    return await once.write(withdraw)


@router.post("/reports/{report_id}/joint-acts", status_code=201, responses=refuses(403, 404, 409))
async def propose_joint_act(
    report_id: Id, body: NewJointAct, person: Releaser, node: ThisNode, once: Onced
) -> JointActOut:
    """Propose it. Nothing changes before a second person confirms."""

    async def propose(store: Store) -> JointActOut:
        await visible_report(store, report_id, person)
        made = await concerns.propose_act(store, person, body.act, report_id, body.objection, body.reason, node.clock())
        return _joint_act(made)

    return await once.write(propose)


@router.get("/reports/{report_id}/joint-acts", responses=refuses(403, 404))
async def list_joint_acts(report_id: Id, person: Releaser, node: ThisNode) -> JointActsOut:
    """What was proposed about a report, and whether it is held. Each reading is on the trail."""
    async with node.database.write() as store:
        await read_report(store, report_id, person, node.clock(), what="joint-acts")
        found = await store.concerns.acts(report_id)
        held = await store.concerns.is_held(report_id)
    return JointActsOut(held=held, items=[_joint_act(each) for each in found])


@router.post("/joint-acts/{joint_act_id}/confirm", responses=refuses(403, 404, 409))
async def confirm_joint_act(joint_act_id: Id, person: Releaser, node: ThisNode, once: Onced) -> JointActOut:
    """Confirm as the second person: it takes effect now."""

    async def confirm(store: Store) -> JointActOut:
        return _joint_act(await concerns.decide_act(store, person, joint_act_id, node.clock(), confirm=True))

    return await once.write(confirm)


@router.post("/joint-acts/{joint_act_id}/decline", responses=refuses(403, 404, 409))
async def decline_joint_act(joint_act_id: Id, person: Releaser, node: ThisNode, once: Onced) -> JointActOut:
    """Decline as the second person; it may be proposed again."""

    async def decline(store: Store) -> JointActOut:
        return _joint_act(await concerns.decide_act(store, person, joint_act_id, node.clock(), confirm=False))

    return await once.write(decline)


def _objection(objection: Objection) -> ObjectionOut:
    return ObjectionOut(
        id=objection.id,
        report=objection.report_id,
        observation=objection.observation,
        reason=objection.reason,
        state=objection.state,
        made_by=objection.made_by,
        made_at=objection.made_at,
        ended_by=objection.ended_by,
        ended_at=objection.ended_at,
    )


def _joint_act(act: JointAct) -> JointActOut:
    return JointActOut(
        id=act.id,
        act=act.act,
        report=act.report_id,
        objection=act.objection_id,
        reason=act.reason,
        state=act.state,
        proposed_by=act.proposed_by,
        proposed_at=act.proposed_at,
        decided_by=act.decided_by,
        decided_at=act.decided_at,
    )
