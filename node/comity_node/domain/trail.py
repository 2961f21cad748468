"""The trail: who did what, each entry bound to the one before by its hash. It holds references, never content.

Each entry has a random salt. So a checkpoint can carry what the chain comes to, and an export the digests of what it
leaves out: nobody can guess an entry from either.
"""

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
    REPORT_EXPIRED = "report.expired"
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
    JOB_STARTED = "job.started"
    JOB_CANCELLED = "job.cancelled"
    JOB_RESUMED = "job.resumed"
    PROPOSAL_OPENED = "proposal.opened"
    REVIEW_PROPOSED = "review.proposed"
    RETALIATION_CHECKED = "retaliation.checked"
    SUPPLIER_NOTIFIED = "supplier.notified"
    LINK_MADE = "link.made"
    LINK_MAILED = "link.mailed"
    LINK_REVOKED = "link.revoked"
    VENDOR_CONTACTS_TAKEN_IN = "vendor-contacts.taken-in"
    VENDOR_CONTACTS_DELETED = "vendor-contacts.deleted"
    VENDOR_CONTACT_READ = "vendor-contact.read"
    WINDOW_EXTENDED = "window.extended"
    SUPPLIER_SAID = "supplier.said"
    DISPUTE_DECIDED = "dispute.decided"
    PLAN_ITEM_ADDED = "plan.item-added"
    PLAN_ITEM_MOVED = "plan.item-moved"
    PLAN_ITEM_CORRECTED = "plan.item-corrected"
    PLAN_ESCALATED = "plan.escalated"
    CONTRACT_ADDED = "contract.added"
    CONTRACT_CORRECTED = "contract.corrected"
    CONTRACTS_IMPORTED = "contracts.imported"
    CONTRACTS_EXPORTED = "contracts.exported"
    DUTY_ADDED = "duty.added"
    DUTY_MOVED = "duty.moved"
    DUTY_CORRECTED = "duty.corrected"
    EXIT_PLAN_ANSWERED = "exit-plan.answered"
    CONTRACT_TERMINATED = "contract.terminated"
    CONTRACT_RESUMED = "contract.resumed"
    REVIEW_APPROVED = "review.approved"
    REVIEW_REJECTED = "review.rejected"
    STATEMENT_SIGNED = "statement.signed"
    LOG_ADOPTED = "log.adopted"
    LOG_FROZEN = "log.frozen"
    LOG_REDECIDED = "log.redecided"
    PEER_WRONG = "peer.wrong"
    RECORD_RETRIED = "record.retried"
    TRAIL_EXPORTED = "trail.exported"
    TRAIL_SEALED_ANEW = "trail.sealed-anew"
    SCREENED = "supplier.screened"
    CHANGES_READ = "changes.read"
    VENDORS_KEPT = "vendors.kept"
    VENDOR_JUDGED = "vendor.judged"
    VENDOR_JUDGEMENT_CONFIRMED = "vendor-judgement.confirmed"
    VENDOR_JUDGEMENT_UNDONE = "vendor-judgement.undone"
    WATCH_BEGUN = "watch.begun"
    WATCH_ENDED = "watch.ended"
    ALERTS_SENT = "alerts.sent"
    ALERTS_FORGOTTEN = "alerts.forgotten"
    SCREENING_FILED = "screening.filed"
    SCREENING_READ = "screening.read"
    SCREENING_VERIFIED = "screening.verified"
    SCREENING_KEPT_LONGER = "screening.kept-longer"
    SCREENING_TAKEN_BACK = "screening.taken-back"
    SCREENING_DESTROYED = "screening.destroyed"
    LETTER_WRITTEN = "letter.written"
    SUPPLIER_SHOWN = "supplier.shown"
    SUPPLIERS_JUDGED = "suppliers.judged"
    JUDGEMENT_UNDONE = "judgement.undone"
    ALLOWANCE_PROPOSED = "allowance.proposed"
    ALLOWANCE_DECIDED = "allowance.decided"
    AUDIENCE_CONSENTED = "audience.consented"
    AUDIENCE_CONSENT_TAKEN_BACK = "audience.consent-taken-back"
    CASE_OPENED = "case.opened"
    CASE_READ = "case.read"
    CASE_STEP_TAKEN = "case.step-taken"
    CASE_STEP_TAKEN_BACK = "case.step-taken-back"
    CASE_DETAIL_HELD = "case.detail-held"
    CASE_ASSIGNED = "case.assigned"
    CASE_REMOVED = "case.removed"
    CASE_PASSED_ON = "case.passed-on"
    DUTY_NAMED = "duty.named"
    CONTACTS_TAKEN_IN = "contacts.taken-in"
    CONTACT_REMOVED = "contact.removed"
    FACT_ENTERED = "fact.entered"
    FACT_TAKEN_BACK = "fact.taken-back"
    FACTORY_LIST_TAKEN_IN = "factory-list.taken-in"
    FACTORY_LIST_TAKEN_BACK = "factory-list.taken-back"


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One entry; `actor` is a person's id or the name of a worker."""

    at: datetime
    actor: str
    event: Event
    subject: str
    detail: str
    """Compact JSON of further references and numbers."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """An entry at its place: numbers go 1, 2, 3 … without holes."""

    number: int
    entry: TrailEntry
    salt: str
    hash: str
    """What the chain comes to with it."""

    @property
    def digest(self) -> str:
        """What stands for it where it is left out."""
        return entry_digest(self.number, self.salt, self.entry)


def entry_digest(number: int, salt: str, entry: TrailEntry) -> str:
    """Return the salted digest of an entry at its place."""
    fields = [number, salt, entry.at.isoformat(), entry.actor, entry.event, entry.subject, entry.detail]
    return digest(strict_json.dumps(fields))


def link(previous: str, entry: str) -> str:
    """Return what the chain comes to when the digest of the next entry follows."""
    return digest(previous + entry)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A checkpoint of this node as it was signed and published: it fixes the trail up to a place."""

    number: int
    hash: str
    checkpoint: bytes
    at: datetime
