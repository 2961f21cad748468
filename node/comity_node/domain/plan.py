"""Corrective-action plans: what was agreed for the people concerned, by when, who verified it, what others are told.

Rules: each item is one coded remedy and the month in which it is due. Whoever notes that it was done does not verify
it. On site only an auditor's follow-up verifies. What is overdue is escalated step by step, at most a month apart.
Notes, reasons and the names of whoever verified stay at the node; what others read of a plan is the finding's status,
the remedies that were done, the month by which the rest is due, and how a closure was verified. A remedy that is only
agreed is not among them: a promise must not read as something done. Pure.
"""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from comity_node.domain.errors import PlanMayNot
from comity_node.domain.lifecycle import MAY_FOLLOW, Step
from comity_schemas.finding import Finding, Remedy, Status, Verified

ESCALATE_EVERY: Final = timedelta(days=30)
"""How long an item may be overdue, and after each step of escalation, before the next step is due."""

VERIFY_WITHIN: Final = timedelta(days=90)
"""How long something may be called done before somebody is reminded to verify it."""


class ItemState(StrEnum):
    """Where one item of a plan stands."""

    AGREED = "agreed"
    UNDER_WAY = "under-way"
    DONE = "done"
    """So says the supplier; nobody has verified it."""
    VERIFIED = "verified"
    DROPPED = "dropped"


OPEN: Final = frozenset({ItemState.AGREED, ItemState.UNDER_WAY})
_HAPPENED: Final = frozenset({ItemState.DONE, ItemState.VERIFIED})

MAY_MOVE: Final[Mapping[ItemState, frozenset[ItemState]]] = {
    ItemState.AGREED: frozenset({ItemState.UNDER_WAY, ItemState.DONE, ItemState.DROPPED}),
    ItemState.UNDER_WAY: frozenset({ItemState.AGREED, ItemState.DONE, ItemState.DROPPED}),
    ItemState.DONE: frozenset({ItemState.VERIFIED, ItemState.UNDER_WAY}),
    ItemState.VERIFIED: frozenset({ItemState.UNDER_WAY}),
    ItemState.DROPPED: frozenset({ItemState.AGREED}),
}
"""Which state may follow; each can be undone, and the history keeps both."""


class EscalationStep(StrEnum):
    """What was done about an overdue item, from the mildest to the last."""

    REMINDED = "reminded"
    MANAGEMENT = "management-asked"
    JOINT_ENGAGEMENT = "joint-engagement"
    CONTRACT_TERMS = "contract-terms-invoked"
    EXIT_CONSIDERED = "responsible-exit-considered"


@dataclass(frozen=True, slots=True)
class Escalated:
    """One step of escalation that was taken."""

    step: EscalationStep
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One thing that was agreed to be put right."""

    id: str
    finding: str | None
    """Hash of the first form of the finding it belongs to, where no report of this node stands behind it."""
    report_id: str | None
    observation: str | None
    remedy: Remedy
    due: str
    """`YYYY-MM`."""
    state: ItemState
    made_by: str
    made_at: datetime
    note: str | None = None
    contract_id: str | None = None
    """The contract of this member that asks for it, if one does; stays."""
    done_by: str | None = None
    """Who noted that it was done."""
    done_at: datetime | None = None
    verified: Verified | None = None
    verifier: str | None = None
    """Who verified it, in words; stays."""
    verified_by: str | None = None
    """Who noted that it was verified."""
    follow_up: str | None = None
    """Id of the auditor's report that verified it on site."""
    escalated: tuple[Escalated, ...] = ()
    number: int = 0


def last_day(month: str) -> date:
    """Return the last day of a month written as `YYYY-MM`."""
    year, number = int(month[:4]), int(month[5:7])
    return date(year, number, monthrange(year, number)[1])


def is_overdue(item: PlanItem, today: date) -> bool:
    """Tell whether an item was to be done by now and is not."""
    return item.state in OPEN and today > last_day(item.due)


def escalate_by(item: PlanItem) -> date:
    """Return until when the next step of escalation is to be taken, once the item is overdue."""
    due = last_day(item.due)
    last = item.escalated[-1].at.date() if item.escalated else due
    return max(last, due) + ESCALATE_EVERY


def must_escalate(item: PlanItem, today: date) -> bool:
    """Tell whether an overdue item waits for the next step of escalation."""
    return is_overdue(item, today) and today > escalate_by(item)


def unverified_since(item: PlanItem, today: date) -> date | None:
    """Return since when an item should have been verified, if it should."""
    if item.state is not ItemState.DONE or item.done_at is None:
        return None
    until = item.done_at.date() + VERIFY_WITHIN
    return until if today > until else None


def in_words(item: PlanItem, today: date) -> str:
    """Return where an item stands, for people."""
    if item.state is ItemState.VERIFIED:
        return f"verified ({item.verified})"
    if item.state is ItemState.DROPPED:
        return "dropped"
    if item.state is ItemState.DONE:
        late = unverified_since(item, today)
        return "done, as the supplier says; to be verified" + ("" if late is None else f", OVERDUE since {late}")
    said = f"{item.state.value.replace('-', ' ')}, due {item.due}"
    if not is_overdue(item, today):
        return said
    said += f", OVERDUE since {last_day(item.due)}"
    if item.escalated:
        said += f", last step: {item.escalated[-1].step}"
    if must_escalate(item, today):
        return f"{said}, NEXT STEP DUE since {escalate_by(item)}"
    return f"{said}, next step by {escalate_by(item)}"


def check_move(item: PlanItem, to: ItemState, reason: str | None) -> None:
    """Let an item move only to a state that may follow; who drops something or takes a step back says why.

    Raises:
        PlanMayNot: the text names what may follow, or says that a reason is missing.
    """
    allowed = MAY_MOVE[item.state]
    if to not in allowed:
        may = ", ".join(state.value for state in ItemState if state in allowed)
        raise PlanMayNot(f"{to} may not follow {item.state}; what may follow is {may}; nothing was changed")
    order = list(ItemState)
    if (to is ItemState.DROPPED or order.index(to) < order.index(item.state)) and not reason:
        raise PlanMayNot(f"from {item.state} to {to} needs a reason, which stays here; nothing was changed")


def check_escalation(item: PlanItem, step: EscalationStep, today: date) -> None:
    """Let only what is overdue be escalated, and never by a milder step than before.

    Raises:
        PlanMayNot: the text says why.
    """
    if not is_overdue(item, today):
        raise PlanMayNot("this is not overdue, so there is nothing to escalate; nothing was changed")
    order = list(EscalationStep)
    if item.escalated and order.index(step) < order.index(item.escalated[-1].step):
        raise PlanMayNot(f"{item.escalated[-1].step} was done already, which goes further; nothing was changed")


def next_step(finding: Finding, items: Sequence[PlanItem]) -> Step | None:
    """Return what is to be said of a finding next, so that it fits its plan; None when it fits.

    One step of the lifecycle at a time: each is released by two people.
    """
    active = [item for item in items if item.state is not ItemState.DROPPED]
    if not active or finding.status is Status.OVERTURNED:
        return None
    status = _towards(finding.status, _wanted(active))
    if status is Status.UNDER_ENGAGEMENT:
        return Step(status)
    verified = _verified(active) if status is Status.CLOSED_VERIFIED else None
    remedies = _remedies(finding, items)
    waiting = [item.due for item in active if item.state in OPEN]
    due = max(waiting) if waiting else finding.remedy_due
    if (status, verified, set(remedies), due) == (
        finding.status,
        finding.verified,
        set(finding.remedies),
        finding.remedy_due,
    ):
        return None
    return Step(status, verified, remedies, due)


def _wanted(active: Sequence[PlanItem]) -> Status:
    states = {item.state for item in active}
    if states == {ItemState.VERIFIED}:
        return Status.CLOSED_VERIFIED
    if states <= _HAPPENED:
        return Status.CLOSED_CLAIMED
    return Status.PLAN_AGREED if states == {ItemState.AGREED} else Status.IN_PROGRESS


_ON_THE_WAY: Final[Mapping[Status, Status]] = {
    Status.ALLEGED: Status.UNDER_ENGAGEMENT,
    Status.UNDER_ENGAGEMENT: Status.PLAN_AGREED,
    Status.CONFIRMED: Status.PLAN_AGREED,
    Status.PLAN_AGREED: Status.IN_PROGRESS,
    Status.CLOSED_CLAIMED: Status.IN_PROGRESS,
    Status.CLOSED_VERIFIED: Status.IN_PROGRESS,
}
"""Which step leads on where the wanted status may not follow at once; the others stay as they are."""


def _towards(now: Status, wanted: Status) -> Status:
    if now is wanted or wanted in MAY_FOLLOW[now]:
        return wanted
    return _ON_THE_WAY.get(now, now)


def _verified(active: Sequence[PlanItem]) -> Verified:
    """The weakest of all: what was seen on site in one thing was not seen in the others."""
    found = {item.verified for item in active}
    return next((how for how in (Verified.DESK, Verified.BY_WORKERS) if how in found), Verified.ON_SITE)


def _remedies(finding: Finding, items: Sequence[PlanItem]) -> tuple[Remedy, ...]:
    """What was done: what the plan says of its own remedies, and what was said before of all others."""
    planned = {item.remedy for item in items}
    done = {item.remedy for item in items if item.state in _HAPPENED}
    undone = {item.remedy for item in items if item.state in OPEN}
    return tuple(
        remedy for remedy in Remedy if remedy in done - undone or (remedy in finding.remedies and remedy not in planned)
    )
