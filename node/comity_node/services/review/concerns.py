"""Objections hold a release back; two people overrule one with a reason, hold a report for legal use, let it go, or
record that its sharing basis was withdrawn and holds again."""

from collections.abc import Collection
from datetime import datetime

from comity_node.db import Store
from comity_node.db.concerns import JointAct, Objection
from comity_node.db.reports import StoredReport
from comity_node.domain.errors import (
    AlreadyDecided,
    AlreadyProposed,
    BasisWithdrawn,
    NotFound,
    ObjectionStands,
    SamePerson,
)
from comity_node.domain.people import Person
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id
from comity_node.services.reports.stored import exact_bytes, open_stored

OVERRULE, HOLD, LET_GO = "overrule", "hold", "let-go"
WITHDRAW_BASIS, RESTORE_BASIS = "withdraw-basis", "restore-basis"


async def make_objection(
    store: Store, person: Person, stored: StoredReport, observation: str | None, reason: str, now: datetime
) -> Objection:
    """Object to what would leave of a report, or of one of its observations.

    Raises:
        NotFound: the report has no such observation.
    """
    if observation is not None and observation not in {o.ref for o in open_stored(stored).observations}:
        raise NotFound("the report has no such observation")
    objection = Objection(new_id(), stored.id, observation, reason, person.id, now)
    await store.concerns.object(objection)
    await store.trail.add(now, person.id, Event.OBJECTION_MADE, objection.id, report=stored.id)
    return objection


async def withdraw_objection(store: Store, person: Person, objection_id: str, now: datetime) -> Objection:
    """Withdraw an objection of the own firm.

    Raises:
        NotFound: there is none, or it is another firm's.
        AlreadyDecided: it does not stand any more.
    """
    objection = await _standing(store, objection_id)
    stored = await store.reports.find(objection.report_id)
    if stored is None or stored.firm is None or stored.firm != person.firm:
        raise NotFound("no such objection")
    await store.concerns.end_objection(objection_id, state="withdrawn", by=person.id, now=now)
    await store.trail.add(now, person.id, Event.OBJECTION_WITHDRAWN, objection_id, report=stored.id)
    return await _again(store, objection_id)


async def require_no_objection(store: Store, report_id: str | None, observation: str | None) -> None:
    """Let a release pass to which no auditor objects.

    Raises:
        ObjectionStands: one does; the text names it.
    """
    for objection in [] if report_id is None else await store.concerns.objections(report_id):
        if objection.state == "standing" and objection.observation in (None, observation):
            raise ObjectionStands(
                f"the auditor objects to this release (objection {objection.id}); nothing was published. It waits "
                "until they withdraw the objection, or two people overrule it with a reason"
            )


async def require_basis(store: Store, report_id: str | None) -> None:
    """Let something of a report be said whose sharing basis nobody has withdrawn; a proposal to record it counts.

    Raises:
        BasisWithdrawn: it was, or somebody says so.
    """
    if report_id is not None and await _is_basis_withdrawn(store, report_id, ("proposed", "confirmed")):
        raise BasisWithdrawn(
            "whoever allowed sharing of this report has withdrawn that, or somebody says so and a second person must "
            "decide: nothing more leaves of it. What was published stands until two people withdraw it"
        )


async def _is_basis_withdrawn(store: Store, report_id: str, states: Collection[str]) -> bool:
    acts = [a for a in await store.concerns.acts(report_id) if a.act in (WITHDRAW_BASIS, RESTORE_BASIS)]
    return [a.act for a in acts if a.state == "confirmed" or (a.act == WITHDRAW_BASIS and a.state in states)][-1:] == [
        WITHDRAW_BASIS
    ]


async def propose_act(
    store: Store, person: Person, act: str, report_id: str, objection_id: str | None, reason: str, now: datetime
) -> JointAct:
    """Propose what a second person must confirm.

    Raises:
        NotFound: there is no such report or objection of it.
        AlreadyDecided: the objection does not stand; or the report is held, or not held, already.
        AlreadyProposed: the same is proposed already.
        ReportExpired: it is to be held, and is destroyed already.
    """
    stored = await store.reports.find(report_id)
    if stored is None:
        raise NotFound("no such report")
    if act == HOLD and stored.expired_at is not None:
        # Who believes that it is held looks for it nowhere else.
        exact_bytes(stored)
    if act == OVERRULE and (await _standing(store, objection_id or "")).report_id != report_id:
        raise NotFound("no such objection")
    if act in (HOLD, LET_GO) and await store.concerns.is_held(report_id) == (act == HOLD):
        raise AlreadyDecided(f"this report is {'held already' if act == HOLD else 'not held'}; nothing was changed")
    if act in (WITHDRAW_BASIS, RESTORE_BASIS):
        withdrawn = await _is_basis_withdrawn(store, report_id, ("confirmed",))
        if withdrawn == (act == WITHDRAW_BASIS):
            state = "withdrawn already" if withdrawn else "not withdrawn"
            raise AlreadyDecided(f"the sharing basis of this report is {state}; nothing was changed")
    for other in await store.concerns.acts(report_id):
        if (other.act, other.objection_id, other.state) == (act, objection_id, "proposed"):
            raise AlreadyProposed(f"this is proposed already ({other.id})")
    proposed = JointAct(new_id(), act, report_id, reason, person.id, now, objection_id)
    await store.concerns.propose(proposed)
    await store.trail.add(now, person.id, Event.JOINT_ACT_PROPOSED, proposed.id, act=act, report=report_id)
    return proposed


async def decide_act(store: Store, person: Person, act_id: str, now: datetime, *, confirm: bool) -> JointAct:
    """Confirm or decline, as the second person, what another proposed.

    Raises:
        NotFound, AlreadyDecided, SamePerson: nothing was changed.
    """
    act = await store.concerns.find_act(act_id)
    if act is None or await store.cases.keeps_report_from(act.report_id, person.id):
        raise NotFound("nothing is proposed under this id")
    if act.state != "proposed":
        raise AlreadyDecided(f"this was {act.state} already; nothing was changed")
    if act.proposed_by == person.id:
        raise SamePerson("you proposed this yourself; a second person must decide. Nothing was changed")
    if confirm and act.act == OVERRULE:
        await _standing(store, act.objection_id or "")
        await store.concerns.end_objection(act.objection_id or "", state="overruled", by=person.id, now=now)
    state = "confirmed" if confirm else "declined"
    await store.concerns.decide(act_id, state=state, by=person.id, now=now)
    event = Event.JOINT_ACT_CONFIRMED if confirm else Event.JOINT_ACT_DECLINED
    await store.trail.add(now, person.id, event, act_id, act=act.act, report=act.report_id)
    decided = await store.concerns.find_act(act_id)
    assert decided is not None
    return decided


async def _standing(store: Store, objection_id: str) -> Objection:
    objection = await store.concerns.find_objection(objection_id)
    if objection is None:
        raise NotFound("no such objection")
    if objection.state != "standing":
        raise AlreadyDecided(f"this objection was {objection.state} already; nothing was changed")
    return objection


async def _again(store: Store, objection_id: str) -> Objection:
    objection = await store.concerns.find_objection(objection_id)
    assert objection is not None
    return objection
