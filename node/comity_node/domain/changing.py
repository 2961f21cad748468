"""What a change of the supplier view means to whoever follows it, and until which day something stands. Pure.

A change says what became of one statement. What it means to a reader also rests on what the statement is: a dispute is
new as a statement, and news about the finding it disputes.
"""

from datetime import date
from enum import StrEnum

from comity_node.domain.supplier_view import (
    AnyEntry,
    CorroborationEntry,
    DecisionEntry,
    Entry,
    EntryState,
    NoticeEntry,
    PointerEntry,
    ReplyEntry,
    decision_standing,
    dispute_standing,
    notice_standing,
    pointer_standing,
    standing,
)
from comity_schemas.audit_notice import AuditNotice
from comity_schemas.corroboration import Corroboration
from comity_schemas.decision import Decision
from comity_schemas.finding import Finding
from comity_schemas.pointer import Pointer
from comity_schemas.reply import Reply, ReplyAct


class Change(StrEnum):
    """What became of something in the view."""

    ADDED = "added"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    REMOVED = "removed"
    """Its log was decided anew, and it does not count any more."""
    EXPIRED = "expired"
    """Its last day is over."""
    JOINED = "joined"
    """A person joined two suppliers."""
    PARTED = "parted"
    """A person undid that, or put statements apart."""


class News(StrEnum):
    """What a change means."""

    NEW = "new"
    CHANGED = "changed"
    """It revises an earlier statement of its publisher; the new form stands in its place."""
    SUPERSEDED = "superseded"
    """Its publisher revised it; what stands in its place is news of its own."""
    WITHDRAWN = "withdrawn"
    REMOVED = "removed"
    """It does not count any more: the log it stood in was decided anew."""
    EXPIRED = "expired"
    REPLIED = "replied"
    DISPUTED = "disputed"
    DISPUTE_DECIDED = "dispute-decided"
    CORROBORATED = "corroborated"
    """Another member tells its own evidence on it, for or against."""
    MERGED = "merged"
    SPLIT = "split"


_SIMPLY = {
    Change.SUPERSEDED: News.SUPERSEDED,
    Change.WITHDRAWN: News.WITHDRAWN,
    Change.REMOVED: News.REMOVED,
    Change.EXPIRED: News.EXPIRED,
    Change.JOINED: News.MERGED,
    Change.PARTED: News.SPLIT,
}


def what_became(state: EntryState) -> Change:
    """Return the change by which an entry came into a state."""
    return Change.ADDED if state is EntryState.CURRENT else Change(state.value)


def news_of(change: Change, entry: AnyEntry | None) -> News:
    """Return what a change means.

    Args:
        change: What became of the entry.
        entry: As the view holds it now; None where it is gone, or the change is about a supplier.
    """
    if change is not Change.ADDED:
        return _SIMPLY[change]
    match entry:
        case ReplyEntry(reply=reply) if reply is not None and reply.act is ReplyAct.DISPUTE:
            return News.DISPUTED if reply.outcome is None else News.DISPUTE_DECIDED
        case ReplyEntry():
            return News.REPLIED
        case CorroborationEntry():
            return News.CORROBORATED
        case None:
            return News.NEW
    return News.CHANGED if replaces(entry) is not None else News.NEW


def replaces(entry: AnyEntry) -> str | None:
    """Return the hash of the statement that an entry revises."""
    body = body_of(entry)
    return None if body is None else body.replaces


Said = Finding | Decision | Reply | Pointer | Corroboration | AuditNotice


def body_of(entry: AnyEntry) -> Said | None:
    """Return what an entry says; None where this node may not read it."""
    match entry:
        case Entry(finding=finding):
            return finding
        case DecisionEntry(decision=decision):
            return decision
        case ReplyEntry(reply=reply):
            return reply
        case PointerEntry(pointer=pointer):
            return pointer
        case CorroborationEntry(corroboration=corroboration):
            return corroboration
        case NoticeEntry(notice=notice):
            return notice


def standing_of(entry: AnyEntry, today: date) -> str:
    """Return in words what an entry means on a day."""
    match entry:
        case Entry():
            return standing(entry, today).value
        case DecisionEntry():
            return decision_standing(entry, today).value
        case PointerEntry():
            return pointer_standing(entry, today).value
        case NoticeEntry():
            return notice_standing(entry, today).value
        case ReplyEntry(reply=reply) if reply is not None and entry.state is EntryState.CURRENT:
            disputed = dispute_standing(reply, today)
            return entry.state.value if disputed is None else disputed.value
    return entry.state.value


def about(entry: AnyEntry | None) -> str | None:
    """Return the hash of the statement that an entry speaks of, if it stands beside another."""
    match entry:
        case ReplyEntry(reply=said) | CorroborationEntry(corroboration=said):
            return None if said is None else said.about
    return None


def last_day(entry: AnyEntry) -> date | None:
    """Return the last day on which an entry stands by itself; None where nothing says when it ends."""
    match entry:
        case Entry(finding=said) | PointerEntry(pointer=said) | NoticeEntry(notice=said):
            return None if said is None else said.valid_until
        case DecisionEntry(decision=decision) if decision is not None and decision.lifted is None:
            days = [term.until for term in decision.terms if term.until is not None]
            # Where sources disagree, what is in force by one of them is in force.
            return max(days) if len(days) == len(decision.terms) else None
    return None
