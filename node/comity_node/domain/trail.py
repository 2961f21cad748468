"""The trail: who did what, each entry bound to the one before by its hash. It holds references, never content."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from comity_federation import strict_json
from comity_federation.encoding import digest

START = digest("comity trail")
"""What stands before the first entry."""


class Event(StrEnum):
    """Everything that is put on the trail. `trail_catalogue` says what each is about, with its fields."""

    NODE_MADE = "node.made"
    PERSON_ADDED = "person.added"
    PERSON_CLOSED = "person.closed"
    TOKEN_MADE = "token.made"  # noqa: S105 the name of an event
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 the name of an event
    REPORT_RECEIVED = "report.received"
    REPORT_SUPERSEDED = "report.superseded"
    SECTION_SHOWN = "report.section-shown"
    REPORT_READ = "report.read"
    REPORTS_LISTED = "reports.listed"
    EVIDENCE_BEGUN = "evidence.begun"
    EVIDENCE_KEPT = "evidence.kept"
    EVIDENCE_REFUSED = "evidence.refused"
    EVIDENCE_READ = "evidence.read"
    EVIDENCE_SHREDDED = "evidence.shredded"
    OBJECTION_MADE = "objection.made"
    OBJECTION_WITHDRAWN = "objection.withdrawn"
    JOINT_ACT_PROPOSED = "joint-act.proposed"
    JOINT_ACT_CONFIRMED = "joint-act.confirmed"
    JOINT_ACT_DECLINED = "joint-act.declined"
    REPORT_IMPORTED = "report.imported"
    DECISIONS_IMPORTED = "decisions.imported"
    REVIEW_PROPOSED = "review.proposed"
    RETALIATION_CHECKED = "retaliation.checked"
    SUPPLIER_NOTIFIED = "supplier.notified"
    LINK_MADE = "link.made"
    LINK_REVOKED = "link.revoked"
    WINDOW_EXTENDED = "window.extended"
    SUPPLIER_SAID = "supplier.said"
    DISPUTE_DECIDED = "dispute.decided"
    PLAN_ITEM_ADDED = "plan.item-added"
    PLAN_ITEM_MOVED = "plan.item-moved"
    PLAN_ITEM_CORRECTED = "plan.item-corrected"
    PLAN_ESCALATED = "plan.escalated"
    REVIEW_APPROVED = "review.approved"
    REVIEW_REJECTED = "review.rejected"
    STATEMENT_SIGNED = "statement.signed"
    LOG_ADOPTED = "log.adopted"
    LOG_FROZEN = "log.frozen"
    LOG_REDECIDED = "log.redecided"
    PEER_WRONG = "peer.wrong"
    RECORD_RETRIED = "record.retried"
    SCREENED = "supplier.screened"
    SUPPLIER_SHOWN = "supplier.shown"
    SUPPLIERS_JUDGED = "suppliers.judged"
    JUDGEMENT_UNDONE = "judgement.undone"


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One entry; `actor` is a person's id or the name of a worker."""

    at: datetime
    actor: str
    event: Event
    subject: str
    detail: str
    """Compact JSON of further references and numbers."""


def link(previous: str, entry: TrailEntry) -> str:
    """Return the hash of an entry that follows another."""
    fields = [previous, entry.at.isoformat(), entry.actor, entry.event, entry.subject, entry.detail]
    return digest(strict_json.dumps(fields))
