"""Cases of people at risk: opened by anybody of the staff, seen by the assigned only, closed by their path.

What is done in a case is on the trail, every reading too, but not which step it was, which could tell of children, nor
that a pointer was proposed for it: the trail is shown to others, and there it would stand beside the pointer's entries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from comity_federation.registry import Registry
from comity_node.db import Store
from comity_node.domain.errors import Contradictory, FocalPointNeeded, NotFound, StepMayNotFollow
from comity_node.domain.people import Person, PersonRole
from comity_node.domain.pointing import Whom
from comity_node.domain.protection import Case, Detail, Done, Step, check_step, whose_turn
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id
from comity_node.services.protection.duty import on_duty
from comity_node.services.review.pointers import OPEN, pointers_to, propose_pointer
from comity_schemas.finding import Severity
from comity_schemas.indicators import Indicator
from comity_schemas.member import MemberStatus

STAFF = frozenset({PersonRole.REVIEWER, PersonRole.FOCAL_POINT, PersonRole.OFFICER})
"""Whose case it can be: this member's own people, never an audit firm's."""

_BY_A_FOCAL_POINT = frozenset({Step.REVIEWED, Step.CLOSED})


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known when a case is opened: no person, and not what happened to whom."""

    whom: Whom
    place: str
    children: bool
    report_id: str | None = None
    reference: str | None = None


async def open_case(store: Store, person: Person, opening: Opening, now: datetime) -> Case:
    """Open a case; who opens it and the first on duty are assigned."""
    first = whose_turn(await on_duty(store), [person.id])
    case = Case(
        id=new_id(),
        whom=opening.whom,
        place=opening.place,
        children=opening.children,
        report_id=opening.report_id,
        reference=opening.reference,
        opened_by=person.id,
        opened_at=now,
        passed_on_at=now,
        staff=tuple(sorted({person.id, first or person.id})),
    )
    await store.cases.add(case)
    await store.trail.add(now, person.id, Event.CASE_OPENED, case.id)
    return case


async def assigned(store: Store, person: Person, case_id: str) -> Case:
    """Return a case to which somebody is assigned.

    Raises:
        NotFound: there is none, or it is not theirs: the answer is the same.
    """
    case = await store.cases.find(case_id)
    if case is None or person.id not in case.staff:
        raise NotFound("no such case")
    return case


async def read_case(store: Store, person: Person, case_id: str, now: datetime) -> Case:
    """Return a case to somebody who is assigned, and put the reading on the trail.

    Raises:
        NotFound: as `assigned`.
    """
    case = await assigned(store, person, case_id)
    await store.trail.add(now, person.id, Event.CASE_READ, case.id)
    return case


async def note_read(store: Store, person: Person, shown: Sequence[Case], now: datetime) -> None:
    """Put on the trail that somebody went through a list of cases."""
    await store.trail.add_all(now, person.id, Event.CASE_READ, [(case.id, {}) for case in shown])


async def take_step(
    store: Store,
    person: Person,
    case_id: str,
    step: Step,
    now: datetime,
    *,
    contact: str | None = None,
    consent: bool | None = None,
) -> Case:
    """Record a step of a case.

    Raises:
        NotFound: the case is not theirs, or there is no such contact in the country where the people are.
        StepMayNotFollow: another step comes next, or something belongs to it.
        FocalPointNeeded: only a focal point looks at it first, and closes it.
    """
    case = await assigned(store, person, case_id)
    done = Done(step, person.id, now, contact, consent)
    check_step(case, done)
    if step in _BY_A_FOCAL_POINT and PersonRole.FOCAL_POINT not in person.roles:
        raise FocalPointNeeded(f"{step} is for a focal point; nothing was recorded")
    if contact is not None:
        known = await store.referrals.find(contact)
        if known is None or known.country != case.place:
            raise NotFound(f"no such contact in {case.place}")
    await store.cases.take(case.id, done)
    await store.trail.add(now, person.id, Event.CASE_STEP_TAKEN, case.id)
    return await assigned(store, person, case_id)


async def take_back(store: Store, person: Person, case_id: str, now: datetime) -> Case:
    """Take the last step of a case back, also its closing; that it was taken stays recorded.

    Raises:
        NotFound: the case is not theirs.
        StepMayNotFollow: none was taken yet.
    """
    case = await assigned(store, person, case_id)
    if not case.steps:
        raise StepMayNotFollow("no step was taken yet; nothing was changed")
    await store.cases.take_back(case.id, by=person.id, now=now)
    await store.trail.add(now, person.id, Event.CASE_STEP_TAKEN_BACK, case.id)
    return await assigned(store, person, case_id)


async def point_for(store: Store, person: Person, case_id: str, now: datetime) -> Case:
    """Let a pointer stand for the supplier: the one that stands or is proposed, else propose one.

    Raises:
        NotFound: the case is not theirs.
        StepMayNotFollow: safety plan and referral come first.
    """
    case = await assigned(store, person, case_id)
    _require_may_be_told(case)
    # Whatever it was made for: a second one would tell that something has happened.
    standing = [own for own in await pointers_to(store, case.whom, now) if own.state in OPEN]
    review = standing[-1].review if standing else await propose_pointer(store, person, case.whom, now)
    await store.cases.put_pointer(case.id, review.id)
    return await assigned(store, person, case_id)


async def decide_detail(
    store: Store,
    person: Person,
    case_id: str,
    indicators: tuple[Indicator, ...],
    severity: Severity,
    members: tuple[str, ...],
    registry: Registry,
    now: datetime,
) -> Case:
    """Decide what focal points of which members would be told. It is recorded, shown and held back.

    Raises:
        NotFound: the case is not theirs.
        FocalPointNeeded: only a focal point decides.
        StepMayNotFollow: safety plan and referral come first.
        Contradictory: a member is none, or of the country where the people are.
    """
    case = await assigned(store, person, case_id)
    if PersonRole.FOCAL_POINT not in person.roles:
        raise FocalPointNeeded("what other focal points would be told is for a focal point to decide")
    _require_may_be_told(case)
    active = {m.slug: m for m in registry.members if m.status is MemberStatus.ACTIVE}
    for slug in members:
        if slug not in active:
            raise Contradictory(f"{slug} is no active member; nothing was recorded")
        if active[slug].country == case.place:
            raise Contradictory(f"{slug} is of {case.place}, where the people are; nothing was recorded")
    await store.cases.put_detail(case.id, Detail(indicators, severity, members, person.id, now))
    await store.trail.add(now, person.id, Event.CASE_DETAIL_HELD, case.id)
    return await assigned(store, person, case_id)


async def assign(store: Store, person: Person, case_id: str, name: str, now: datetime) -> Case:
    """Let another person of the staff, by the name of the account, see a case.

    Raises:
        NotFound: the case is not theirs, or there is no such person of the staff.
        FocalPointNeeded: only a focal point of the case decides who sees it.
    """
    case = await _decided_by_focal_point(store, person, case_id)
    found = await store.accounts.find_by_name(name)
    if found is None or not found[0].roles & STAFF or found[0].firm is not None:
        raise NotFound("no such person of the staff")
    to = found[0].id
    if to not in case.staff:
        await store.cases.assign(case.id, to)
        await store.trail.add(now, person.id, Event.CASE_ASSIGNED, case.id, person=to)
    return await assigned(store, person, case_id)


async def remove(store: Store, person: Person, case_id: str, who: str, now: datetime) -> None:
    """Let somebody see a case no more.

    Raises:
        NotFound: the case is not theirs, or that person is not assigned.
        FocalPointNeeded: only a focal point of the case decides who sees it.
        Contradictory: no focal point would be left.
    """
    case = await _decided_by_focal_point(store, person, case_id)
    if who not in case.staff:
        raise NotFound("this person is not assigned")
    left = [await store.accounts.find_person(other) for other in case.staff if other != who]
    if not any(other is not None and PersonRole.FOCAL_POINT in other.roles for other in left):
        raise Contradictory("a focal point must stay with the case: assign another one first. Nothing was changed")
    await store.cases.remove(case.id, who)
    await store.trail.add(now, person.id, Event.CASE_REMOVED, case.id, person=who)


async def _decided_by_focal_point(store: Store, person: Person, case_id: str) -> Case:
    case = await assigned(store, person, case_id)
    if PersonRole.FOCAL_POINT not in person.roles:
        raise FocalPointNeeded("who sees a case is for one of its focal points to decide; nothing was changed")
    return case


def _require_may_be_told(case: Case) -> None:
    if not case.may_be_told:
        raise StepMayNotFollow(
            f"safety plan and referral come first, before anybody is told anything: {case.next_step} comes next. "
            "Nothing was proposed"
        )
