"""Corrective-action plans: agreeing on items, moving them, escalating, and saying where the finding stands for it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from comity_node.db import Store
from comity_node.db.plans import LocalAct
from comity_node.db.reviews import Review
from comity_node.domain.errors import AlreadyProposed, CannotPropose, NotFound, NotPublished, PlanMayNot, SamePerson
from comity_node.domain.lifecycle import Step
from comity_node.domain.people import Person
from comity_node.domain.plan import (
    OPEN,
    VERIFY_WITHIN,
    Escalated,
    EscalationStep,
    ItemState,
    PlanItem,
    check_escalation,
    check_move,
    next_step,
)
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id
from comity_node.services.publishing.published import Published, first_form, newest_form, newest_hash
from comity_node.services.reports.stored import open_stored
from comity_node.services.review.revision import propose_revision
from comity_schemas.finding import Remedy, Verified

MOST_ITEMS = 50
"""Items of one plan: more than any audit's plan has for one observation."""

MOST_LATE = 200
"""Late items that are named one by one; of all others the number is told."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a plan is for: an observation of a report, or a finding behind which no report of this node stands."""

    finding: str | None = None
    report_id: str | None = None
    observation: str | None = None
    statement: str | None = None
    """The newest form of the finding, where one was published."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that was agreed for one observation or finding, and what is to be said of it next."""

    subject: Subject
    items: Sequence[PlanItem]
    published: Published | None
    step: Step | None
    """None where others read already what the plan says, or nothing was published."""
    held_up: str | None
    """In words, why nothing can be said of it now."""


@dataclass(frozen=True, slots=True)
class Late:
    """What is late of all plans."""

    counts: dict[str, int]
    overdue: Sequence[PlanItem]
    unverified: Sequence[PlanItem]


NOTHING_LATE = Late({}, (), ())


@dataclass(frozen=True, slots=True)
class Move:
    """Where an item goes, and what is said with it."""

    to: ItemState
    reason: str | None = None
    verified: Verified | None = None
    verifier: str | None = None
    follow_up: str | None = None
    """Id of the report that verified it on site."""


async def subject_of_finding(store: Store, statement: str) -> Subject:
    """Return what the plan of a published finding hangs on, whichever of its forms is named.

    Raises:
        NotPublished: this node has not published it.
    """
    first = await first_form(store, statement)
    newest = await newest_hash(store, first)
    item = await store.outbox.of_hash(first)
    review = None if item is None or item.review_id is None else await store.reviews.find(item.review_id)
    if review is None or review.report_id is None or review.observation is None:
        return Subject(finding=first, statement=newest)
    return Subject(report_id=review.report_id, observation=review.observation, statement=newest)


async def subject_of_observation(store: Store, report_id: str, observation: str) -> Subject:
    """Return what the plan of an observation hangs on, published or not.

    Raises:
        NotFound: there is no such report or observation.
    """
    stored = await store.reports.find(report_id)
    if stored is None or observation not in {o.ref for o in open_stored(stored).observations}:
        raise NotFound("no such report, or it has no such observation")
    statement = None
    # The newest: what was taken back and released anew stands under another first form.
    for review in await store.reviews.of_report(report_id):
        item = await store.outbox.of_review(review.id) if review.observation == observation else None
        statement = statement if item is None or item.hash is None else item.hash
    if statement is None:
        return Subject(report_id=report_id, observation=observation)
    return await subject_of_finding(store, statement)


async def plan_of(store: Store, subject: Subject) -> Plan:
    """Return a plan and what is to be said of it next."""
    items = await _items(store, subject)
    if subject.statement is None:
        return Plan(subject, items, None, None, "nothing was published of it, so nobody else reads where it stands")
    try:
        published = await newest_form(store, subject.statement)
    except (NotPublished, AlreadyProposed) as error:
        return Plan(subject, items, None, None, str(error))
    return Plan(subject, items, published, next_step(published.finding, items), None)


async def add_item(
    store: Store,
    person: Person,
    subject: Subject,
    remedy: Remedy,
    due: str,
    note: str | None,
    now: datetime,
    contract: str | None = None,
) -> PlanItem:
    """Agree on one more item, which may hang on a contract of this member.

    Raises:
        PlanMayNot: the plan has as many items as one may have.
        NotFound: there is no such contract.
    """
    await _require_contract(store, contract)
    if len(await _items(store, subject)) >= MOST_ITEMS:
        raise PlanMayNot(f"a plan has at most {MOST_ITEMS} items; nothing was added")
    item = PlanItem(
        id=new_id(),
        finding=subject.finding,
        report_id=subject.report_id,
        observation=subject.observation,
        remedy=remedy,
        due=due,
        state=ItemState.AGREED,
        made_by=person.id,
        made_at=now,
        note=note,
        contract_id=contract,
    )
    await store.plans.put(item)
    about = {"finding": item.finding, "report": item.report_id}
    given = {name: value for name, value in about.items() if value is not None}
    await store.trail.add(now, person.id, Event.PLAN_ITEM_ADDED, item.id, remedy=remedy.value, due=due, **given)
    return item


async def find_item(store: Store, item_id: str) -> PlanItem:
    """Return an item.

    Raises:
        NotFound: there is none.
    """
    item = await store.plans.find(item_id)
    if item is None:
        raise NotFound("no such item of a plan")
    return item


async def move_item(store: Store, person: Person, item: PlanItem, move: Move, now: datetime) -> PlanItem:
    """Note that an item is under way, done, verified or dropped, or take a step back.

    Raises:
        PlanMayNot: it may not follow, a reason is missing, or how and by whom it was verified does not fit.
        SamePerson: whoever noted that it was done does not verify it.
    """
    check_move(item, move.to, move.reason)
    is_verification = move.to is ItemState.VERIFIED
    if is_verification != (move.verified is not None) or is_verification != (move.verifier is not None):
        raise PlanMayNot("what is verified, and nothing else, says how and by whom; nothing was changed")
    if is_verification and item.done_by == person.id:
        raise SamePerson("you noted that it was done; somebody else notes that it was verified. Nothing was changed")
    if move.verified is Verified.ON_SITE or move.follow_up is not None:
        await _require_follow_up(store, item, move)
    is_done = move.to in (ItemState.DONE, ItemState.VERIFIED)
    moved = replace(
        item,
        state=move.to,
        done_by=(item.done_by or person.id) if is_done else None,
        done_at=(item.done_at or now) if is_done else None,
        verified=move.verified,
        verifier=move.verifier,
        verified_by=person.id if is_verification else None,
        follow_up=move.follow_up,
    )
    how = {} if move.verified is None else {"verified": move.verified.value}
    await _note(store, person, item, moved, move.to.value, move.reason, now)
    await store.trail.add(
        now, person.id, Event.PLAN_ITEM_MOVED, item.id, before=item.state.value, after=move.to.value, **how
    )
    return moved


async def correct_item(
    store: Store, person: Person, item: PlanItem, changes: dict[str, Any], reason: str, now: datetime
) -> PlanItem:
    """Correct remedy, month, note or contract of an item that is not done yet; the history keeps what stood there.

    Raises:
        PlanMayNot: it is done, verified or dropped, or nothing would change.
        NotFound: there is no such contract.
    """
    await _require_contract(store, changes.get("contract_id"))
    if item.state not in OPEN:
        raise PlanMayNot(f"this is {item.state}: take it back first, then correct it; nothing was changed")
    corrected = replace(item, **changes)
    if corrected == item:
        raise PlanMayNot("it says so already; nothing was changed")
    await _note(store, person, item, corrected, "correct", reason, now)
    await store.trail.add(now, person.id, Event.PLAN_ITEM_CORRECTED, item.id, fields=sorted(changes))
    return corrected


async def escalate_item(store: Store, person: Person, item: PlanItem, step: EscalationStep, now: datetime) -> PlanItem:
    """Note what was done about an overdue item.

    Raises:
        PlanMayNot: it is not overdue, or a further step was taken already.
    """
    check_escalation(item, step, now.date())
    escalated = replace(item, escalated=(*item.escalated, Escalated(step, person.id, now)))
    await store.plans.put(escalated)
    await store.trail.add(now, person.id, Event.PLAN_ESCALATED, item.id, step=step.value)
    return escalated


async def propose_step(store: Store, person: Person, statement: str, now: datetime) -> Review:
    """Propose that others read where the plan of a published finding stands; a second person approves.

    Raises:
        NotPublished, AlreadyProposed, StatusMayNotFollow: as every revision.
        CannotPropose: others read it already, or it was verified on site, which a follow-up report says itself.
    """
    plan = await plan_of(store, await subject_of_finding(store, statement))
    newest = plan.subject.statement or statement
    if plan.published is None:
        await newest_form(store, newest)
    if plan.step is None:
        raise CannotPropose("others read already what the plan says; nothing was proposed")
    if plan.step.verified is Verified.ON_SITE:
        raise CannotPropose(
            "all of it was verified on site, and only the follow-up report says so to others: propose that report's "
            "observation (comity review propose); nothing was proposed"
        )
    return await propose_revision(store, person, newest, plan.step, now)


async def late_items(store: Store, now: datetime) -> Late:
    """Return what is late of all plans."""
    return Late(
        await store.plans.counts(),
        await store.plans.due_before(f"{now:%Y-%m}", most=MOST_LATE),
        await store.plans.done_before(now - VERIFY_WITHIN, most=MOST_LATE),
    )


async def _require_contract(store: Store, contract: str | None) -> None:
    if contract is not None and await store.contracts.find(contract) is None:
        raise NotFound("no such contract")


async def _items(store: Store, subject: Subject) -> list[PlanItem]:
    if subject.finding is not None:
        return await store.plans.of_finding(subject.finding)
    return await store.plans.of_observation(subject.report_id or "", subject.observation or "")


async def _require_follow_up(store: Store, item: PlanItem, move: Move) -> None:
    """Let only what an auditor's report followed up count as verified on site."""
    stored = None if move.follow_up is None else await store.reports.find(move.follow_up)
    for observation in () if stored is None or stored.origin != "signed" else open_stored(stored).observations:
        named, says = observation.follows_up, (observation.verified, item.remedy in observation.remedies)
        of_this = named is not None and (named.report, named.observation) == (item.report_id, item.observation)
        if of_this and says == (move.verified, True) and move.verified is Verified.ON_SITE:
            return
    raise PlanMayNot(
        "verified on site is what an auditor's follow-up report says of this observation and this remedy: name that "
        "report; verified from the desk or by workers needs none. Nothing was changed"
    )


async def _note(
    store: Store, person: Person, before: PlanItem, after: PlanItem, act: str, reason: str | None, now: datetime
) -> None:
    kept = ("state", "remedy", "due", "note", "contract_id", "verified", "verifier")
    stood = {name: getattr(before, name) for name in kept if getattr(before, name) != getattr(after, name)}
    await store.local_acts.add(before.id, LocalAct(act, person.id, now, reason, stood))
    await store.plans.put(after)
