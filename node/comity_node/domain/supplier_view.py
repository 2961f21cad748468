"""The supplier view: a pure fold of accepted statements, log by log.

Statements refer only to their own log, and each log has one order, so the view does not depend on how logs interleave.
Expiry is computed when read, never stored. Findings, decisions and pointers are entries of different types: what was
seen, what an authority ordered and whom to speak to first are never counted together.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import TypeVar

from comity_schemas.audit_notice import AuditNotice
from comity_schemas.corroboration import Corroboration
from comity_schemas.decision import Decision, End, Term
from comity_schemas.finding import CLOSED, Finding, Status
from comity_schemas.handling import Handling
from comity_schemas.pointer import Pointer
from comity_schemas.reply import DECIDED_WITHIN, Reply, ReplyAct
from comity_schemas.statement import Body, Kind, Withdrawal


class EntryState(StrEnum):
    """What later statements of the same log made of a finding or decision."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Statement:
    """An accepted statement, as far as this node may read it."""

    member: str
    seq: int
    hash: str
    kind: str
    handling: Handling
    body: Body | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding in the view. Without a readable subject it is a counted entry without a name."""

    hash: str
    member: str
    seq: int
    handling: Handling
    finding: Finding | None
    state: EntryState
    by: str | None = None
    """The statement that superseded or withdrew it."""
    reason: str | None = None
    earlier_by: str | None = None
    """The statement that had superseded it before it was withdrawn."""


@dataclass(frozen=True, slots=True)
class DecisionEntry:
    """One decision in the view. Without a readable subject it is a counted entry without a name."""

    hash: str
    member: str
    seq: int
    handling: Handling
    decision: Decision | None
    state: EntryState
    by: str | None = None
    """The statement that superseded or withdrew it."""
    reason: str | None = None
    earlier_by: str | None = None
    """The statement that had superseded it before it was withdrawn."""


@dataclass(frozen=True, slots=True)
class ReplyEntry:
    """What a supplier answered to a finding or decision, or its dispute; what it is about may not be here."""

    hash: str
    member: str
    seq: int
    handling: Handling
    reply: Reply | None
    state: EntryState
    by: str | None = None
    """The statement that superseded or withdrew it."""
    reason: str | None = None
    earlier_by: str | None = None
    """The statement that had superseded it before it was withdrawn."""


@dataclass(frozen=True, slots=True)
class PointerEntry:
    """Whom to speak to before contacting a supplier. It says nothing about the supplier."""

    hash: str
    member: str
    seq: int
    handling: Handling
    pointer: Pointer | None
    state: EntryState
    by: str | None = None
    """The statement that superseded or withdrew it."""
    reason: str | None = None
    earlier_by: str | None = None
    """The statement that had superseded it before it was withdrawn."""


@dataclass(frozen=True, slots=True)
class CorroborationEntry:
    """What one member's own evidence says of another's finding; the finding may not be here."""

    hash: str
    member: str
    seq: int
    handling: Handling
    corroboration: Corroboration | None
    state: EntryState
    by: str | None = None
    """The statement that superseded or withdrew it."""
    reason: str | None = None
    earlier_by: str | None = None
    """The statement that had superseded it before it was withdrawn."""


@dataclass(frozen=True, slots=True)
class NoticeEntry:
    """An audit of a site, planned or done."""

    hash: str
    member: str
    seq: int
    handling: Handling
    notice: AuditNotice | None
    state: EntryState
    by: str | None = None
    """The statement that superseded or withdrew it."""
    reason: str | None = None
    earlier_by: str | None = None
    """The statement that had superseded it before it was withdrawn."""


AnyEntry = Entry | DecisionEntry | ReplyEntry | PointerEntry | CorroborationEntry | NoticeEntry
A = TypeVar("A", Entry, DecisionEntry, ReplyEntry, PointerEntry, CorroborationEntry, NoticeEntry)


class Standing(StrEnum):
    """What a finding means today."""

    CURRENT = "current"
    CLOSED = "closed"
    EXPIRED = "expired"
    OVERTURNED = "overturned"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


def standing(entry: Entry, today: date) -> Standing:
    """Return what an entry means on a day."""
    if entry.state is not EntryState.CURRENT:
        return Standing(entry.state.value)
    if entry.finding is None:
        return Standing.CURRENT
    if entry.finding.status is Status.OVERTURNED:
        return Standing.OVERTURNED
    if entry.finding.valid_until < today:
        return Standing.EXPIRED
    return Standing.CLOSED if entry.finding.status in CLOSED else Standing.CURRENT


def pointer_standing(entry: PointerEntry, today: date) -> Standing:
    """Return whether a pointer stands on a day: current, expired, superseded or withdrawn."""
    return _dated(entry.state, None if entry.pointer is None else entry.pointer.valid_until, today)


def notice_standing(entry: NoticeEntry, today: date) -> Standing:
    """Return whether an audit notice stands on a day: current, expired, superseded or withdrawn."""
    return _dated(entry.state, None if entry.notice is None else entry.notice.valid_until, today)


def _dated(state: EntryState, until: date | None, today: date) -> Standing:
    if state is not EntryState.CURRENT:
        return Standing(state.value)
    return Standing.EXPIRED if until is not None and until < today else Standing.CURRENT


class DecisionStanding(StrEnum):
    """What a decision means today."""

    IN_FORCE = "in force"
    END_NOT_STATED = "end not stated"
    """Nobody knows whether it is still in force."""
    NOT_BEGUN = "not begun"
    ENDED = "ended"
    LIFTED = "lifted"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


def decision_standing(entry: DecisionEntry, today: date) -> DecisionStanding:
    """Return what a decision means on a day; where sources disagree, what is in force by one of them is in force."""
    if entry.state is not EntryState.CURRENT:
        return DecisionStanding(entry.state.value)
    if entry.decision is None:
        return DecisionStanding.END_NOT_STATED
    if entry.decision.lifted is not None:
        return DecisionStanding.LIFTED
    order = list(DecisionStanding)
    return min((_term_standing(term, today) for term in entry.decision.terms), key=order.index)


def _term_standing(term: Term, today: date) -> DecisionStanding:
    if term.start is not None and today < term.start:
        return DecisionStanding.NOT_BEGUN
    if term.end is End.NOT_STATED:
        return DecisionStanding.END_NOT_STATED
    if term.until is not None and term.until < today:
        return DecisionStanding.ENDED
    return DecisionStanding.IN_FORCE


class DisputeStanding(StrEnum):
    """What a supplier's dispute means today."""

    DISPUTED = "disputed"
    UNANSWERED = "disputed, unanswered"
    DECIDED = "dispute decided, release pending"
    """Only at the node whose person decided it; others are told when two people have released that."""
    UPHELD = "dispute upheld"
    PARTLY_UPHELD = "dispute partly upheld"
    DISMISSED = "dispute dismissed"


def dispute_standing(reply: Reply, today: date) -> DisputeStanding | None:
    """Return what a dispute means on a day, or None for a plain reply; nobody has to say that it went unanswered."""
    if reply.act is not ReplyAct.DISPUTE:
        return None
    if reply.outcome is not None:
        return DisputeStanding[reply.outcome.name]
    return DisputeStanding.UNANSWERED if today > reply.made + DECIDED_WITHIN else DisputeStanding.DISPUTED


def fold(statements: Iterable[Statement]) -> dict[str, AnyEntry]:
    """Return the view of one log's statements, given in order."""
    view: dict[str, AnyEntry] = {}
    for statement in statements:
        for entry in changes(view, statement):
            view[entry.hash] = entry
    return view


def changes(view: dict[str, AnyEntry], statement: Statement) -> list[AnyEntry]:
    """Return the entries that one more statement adds or changes.

    Args:
        view: At least the entries that the statement refers to, with all that superseded them.
        statement: The next accepted one of its log.
    """
    body = statement.body
    if isinstance(body, Withdrawal):
        target = view.get(body.statement)
        if target is None or target.state is EntryState.WITHDRAWN:
            return []
        withdrawn = replace(target, state=EntryState.WITHDRAWN, by=statement.hash, reason=body.reason.value)
        return [replace(withdrawn, earlier_by=target.by)]
    added = _added(statement)
    if added is None:
        return []
    revised = None if body is None or body.replaces is None else _newest(view, body.replaces)
    if revised is None or revised.state is not EntryState.CURRENT:
        return [added]
    return [added, replace(revised, state=EntryState.SUPERSEDED, by=statement.hash)]


def as_then(entry: A, place_of: Callable[[str], int | None], head: int) -> A:
    """Return an entry as it stood while its log ended at `head`: what came later is taken off it again.

    Args:
        entry: Of a statement at or before `head`, as it stands now.
        place_of: The place in the log of the statement of this hash.
        head: The last place that counts.
    """
    if entry.state is EntryState.WITHDRAWN and _is_later(entry.by, place_of, head):
        before = EntryState.CURRENT if entry.earlier_by is None else EntryState.SUPERSEDED
        entry = replace(entry, state=before, by=entry.earlier_by, reason=None, earlier_by=None)
    if entry.state is EntryState.SUPERSEDED and _is_later(entry.by, place_of, head):
        entry = replace(entry, state=EntryState.CURRENT, by=None)
    return entry


def _is_later(by: str | None, place_of: Callable[[str], int | None], head: int) -> bool:
    place = None if by is None else place_of(by)
    return place is not None and place > head


def _added(statement: Statement) -> AnyEntry | None:
    place = (statement.hash, statement.member, statement.seq, statement.handling)
    match statement.kind, statement.body:
        case Kind.FINDING, Finding() | None as finding:
            return Entry(*place, finding, EntryState.CURRENT)
        case Kind.DECISION, Decision() | None as decision:
            return DecisionEntry(*place, decision, EntryState.CURRENT)
        case Kind.REPLY, Reply() | None as reply:
            return ReplyEntry(*place, reply, EntryState.CURRENT)
        case Kind.POINTER, Pointer() | None as pointer:
            return PointerEntry(*place, pointer, EntryState.CURRENT)
        case Kind.CORROBORATION, Corroboration() | None as corroboration:
            return CorroborationEntry(*place, corroboration, EntryState.CURRENT)
        case Kind.AUDIT_NOTICE, AuditNotice() | None as notice:
            return NoticeEntry(*place, notice, EntryState.CURRENT)
        case _:
            return None


def _newest(view: dict[str, AnyEntry], name: str) -> AnyEntry | None:
    entry = view.get(name)
    while entry is not None and entry.state is EntryState.SUPERSEDED and entry.by in view:
        entry = view[entry.by]
    return entry
