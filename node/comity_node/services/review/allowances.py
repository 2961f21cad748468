"""Letting an audit outside its firm's authorisations yield findings: two reviewers, and each says why."""

from datetime import datetime

from comity_node.db import Store
from comity_node.db.reports import StoredReport
from comity_node.domain.allowing import Allowance, AllowanceCode, Why
from comity_node.domain.errors import AlreadyDecided, AlreadyProposed, Contradictory, NotFound, SamePerson
from comity_node.domain.people import Person
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id
from comity_node.services.reports.submit import SCHEME_NOT_AUTHORISED


async def propose_allowance(
    store: Store, person: Person, report: StoredReport, code: AllowanceCode, words: str, now: datetime
) -> Allowance:
    """Propose, as the first reviewer, that an audit may yield findings although it is outside all authorisations.

    Raises:
        Contradictory: the report is not marked so.
        AlreadyProposed: it is proposed, or allowed.
    """
    if SCHEME_NOT_AUTHORISED not in report.marks:
        raise Contradictory("the registry authorises this audit, so there is nothing to allow; nothing was recorded")
    for other in await store.allowances.of_report(report.id):
        if other.state != "declined":
            raise AlreadyProposed(f"it is {other.state} already ({other.id})")
    allowance = Allowance(new_id(), report.id, Why(person.id, now, code, words))
    await store.allowances.add(allowance)
    await store.trail.add(now, person.id, Event.ALLOWANCE_PROPOSED, allowance.id, report=report.id, code=code.value)
    return allowance


async def decide_allowance(
    store: Store, person: Person, allowance_id: str, code: AllowanceCode, words: str, now: datetime, *, allow: bool
) -> Allowance:
    """Decide it as the second reviewer, who says why too.

    Raises:
        NotFound, AlreadyDecided, SamePerson: nothing was changed.
    """
    allowance = await store.allowances.find(allowance_id)
    if allowance is None or await store.cases.keeps_report_from(allowance.report_id, person.id):
        raise NotFound("no such allowance")
    if allowance.state != "proposed":
        raise AlreadyDecided(f"this was {allowance.state} already; nothing was changed")
    if allowance.first.by == person.id:
        raise SamePerson("you proposed this yourself; a second reviewer must say why. Nothing was changed")
    state = "allowed" if allow else "declined"
    await store.allowances.decide(allowance.id, Why(person.id, now, code, words), state)
    await store.trail.add(now, person.id, Event.ALLOWANCE_DECIDED, allowance.id, state=state, code=code.value)
    decided = await store.allowances.find(allowance.id)
    assert decided is not None
    return decided


async def marks_that_hold(store: Store, report: StoredReport) -> tuple[str, ...]:
    """Return why a report cannot yield findings, without what two reviewers allowed."""
    if SCHEME_NOT_AUTHORISED not in report.marks:
        return report.marks
    allowed = any(each.state == "allowed" for each in await store.allowances.of_report(report.id))
    return tuple(mark for mark in report.marks if not (allowed and mark == SCHEME_NOT_AUTHORISED))
