"""The catalogue of the trail: for each event its actor, its subject, and its fields with their types.

The one place: the repository refuses an entry that does not fit, and docs/trail.md is written from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comity_node.domain.trail import Event

Text, Number, Flag, Texts, Places = "text", "number", "yes or no", "list of texts", "member to number"
"""What a field may hold. Texts are references and codes, never content, names or whom somebody asked about."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an event's detail."""

    name: str
    holds: str
    says: str = ""
    always: bool = True
    """Whether every entry of the event has it."""


@dataclass(frozen=True, slots=True)
class Described:
    """What an entry of one event says."""

    actor: str
    subject: str
    fields: tuple[Field, ...] = ()


class NotInCatalogue(ValueError):
    """An entry does not fit its event: a mistake of ours, found by the first test that writes it."""


_REPORT = Field("report", Text)
_REVIEW = Field("review", Text)
_ACT = Field("act", Text, "`release` or `withdraw`")
_JOINT = (Field("act", Text, "`overrule`, `hold` or `let-go`"), _REPORT)
_ROWS = (Field("rows", Number), Field("added", Number), Field("changed", Number))
_PROGRESS = (Field("done", Number), Field("total", Number))
_PERSON = Field("person", Text, "a person's id")
_FIELDS = Field("fields", Texts, "which were changed")
_WINDOW = Field("window_ends", Text, "a time")

CATALOGUE: dict[Event, Described] = {
    Event.NODE_MADE: Described("`comity init`", "the member's slug"),
    Event.PERSON_ADDED: Described("who added", "the person's id", (Field("roles", Texts),)),
    Event.PERSON_CLOSED: Described("who closed", "the person's id"),
    Event.TOKEN_MADE: Described("whose it is", "the token's id"),
    Event.TOKEN_REVOKED: Described("whose it was", "the token's id"),
    Event.REPORT_RECEIVED: Described(
        "who submitted",
        "the report's id: SHA-256 of its bytes",
        (Field("firm", Text, "slug of who signed"), Field("marks", Texts, "why it can yield no finding")),
    ),
    Event.REPORT_SUPERSEDED: Described(
        "who submitted the new one", "the earlier report's id", (Field("by", Text, "id of the report in its place"),)
    ),
    Event.SECTION_SHOWN: Described("who took it", "the report's id", (Field("section", Number, "which, from 1"),)),
    Event.REPORT_READ: Described(
        "who read",
        "the report's id",
        (
            Field(
                "what",
                Text,
                "`signed`, its exact bytes; `drafts`, the report beside what would leave; `status`, where it stands; "
                "`sections`, their names; `evidence`, the list of its files; `objections`; `joint-acts`; `proposal`, "
                "what one review lets leave",
            ),
        ),
    ),
    Event.REPORTS_LISTED: Described(
        "who read",
        "`reports` or `reviews`",
        (Field("shown", Number, "how many"), Field("page", Text, "where the list was opened: its cursor", False)),
    ),
    Event.REPORT_EXPIRED: Described(
        "`comity evidence`",
        "the report's id: it was past its last day, its key is destroyed",
        (Field("files", Number, "how many of its files with it"),),
    ),
    Event.EVIDENCE_BEGUN: Described("who sends", "the file's id", (_REPORT,)),
    Event.EVIDENCE_KEPT: Described(
        "who sent", "the file's id", (_REPORT, Field("scanned", Flag, "whether a malware scanner looked"))
    ),
    Event.EVIDENCE_REFUSED: Described("who sent", "the file's id", (_REPORT,)),
    Event.EVIDENCE_READ: Described(
        "who read",
        "the file's id",
        (_REPORT, Field("copy", Text, "`original`, or `release`, one without metadata")),
    ),
    Event.EVIDENCE_SHREDDED: Described(
        "`comity evidence`", "the file's id: its time was over, its key is destroyed", (_REPORT,)
    ),
    Event.OBJECTION_MADE: Described("the auditor", "the objection's id", (_REPORT,)),
    Event.OBJECTION_WITHDRAWN: Described("the auditor", "the objection's id", (_REPORT,)),
    Event.JOINT_ACT_PROPOSED: Described("who proposed", "the act's id", _JOINT),
    Event.JOINT_ACT_CONFIRMED: Described("the second person", "the act's id", _JOINT),
    Event.JOINT_ACT_DECLINED: Described("the second person", "the act's id", _JOINT),
    Event.REPORT_IMPORTED: Described("who imported", "the batch", _ROWS),
    Event.DECISIONS_IMPORTED: Described("who imported", "the batch", _ROWS),
    Event.JOB_STARTED: Described(
        "who began it",
        "the job's id",
        (
            Field("kind", Text, "`import`, `release` or `screening`"),
            Field("batch", Text),
            Field("total", Number, "how many"),
        ),
    ),
    Event.JOB_CANCELLED: Described("who cancelled it", "the job's id", _PROGRESS),
    Event.JOB_RESUMED: Described("who began it", "the job's id", _PROGRESS),
    Event.PROPOSAL_OPENED: Described(
        "who opened it", "the review's id: the first time, and only of those of a batch", (Field("batch", Text),)
    ),
    Event.REVIEW_PROPOSED: Described(
        "who proposed",
        "the review's id",
        (
            _ACT,
            Field("report", Text, "what it was made from", False),
            Field("ruling", Text, "what it was made from", False),
            Field("statement", Text, "what it is about", False),
        ),
    ),
    Event.RETALIATION_CHECKED: Described(
        "who checked",
        "the review's id",
        (
            Field("outcome", Text, "`notify` or `postpone`"),
            Field("contact", Text),
            Field("reason", Text, "of a postponement", False),
            Field("review_by", Text, "a day; of a postponement", False),
        ),
    ),
    Event.SUPPLIER_NOTIFIED: Described("who notified", "the review's id", (_WINDOW,)),
    Event.LINK_MADE: Described("who made it", "the link's id", (_REVIEW,)),
    Event.LINK_MAILED: Described("who sent it", "the link's id", (Field("sent", Flag, "whether the server took it"),)),
    Event.LINK_REVOKED: Described("who revoked it", "the link's id"),
    Event.VENDOR_CONTACTS_TAKEN_IN: Described("who gave it", "the list's id", (Field("vendors", Number),)),
    Event.VENDOR_CONTACTS_DELETED: Described("who deleted it, or `comity evidence`", "the list's id"),
    Event.VENDOR_CONTACT_READ: Described("who read", "the review's id", (Field("contacts", Number, "how many"),)),
    Event.WINDOW_EXTENDED: Described("`supplier`", "the review's id", (_WINDOW,)),
    Event.SUPPLIER_SAID: Described(
        "who wrote it down, or `supplier`",
        "the word's id",
        (
            Field("act", Text, "`reply` or `dispute`"),
            Field("late", Flag),
            Field("review", Text, "the own proposal it is about", False),
            Field("about", Text, "or the statement", False),
        ),
    ),
    Event.DISPUTE_DECIDED: Described("the third person", "the word's id", (Field("outcome", Text),)),
    Event.PLAN_ITEM_ADDED: Described(
        "who added",
        "the item's id",
        (
            Field("remedy", Text),
            Field("due", Text, "a month"),
            Field("report", Text, "whose observation it is about", False),
            Field("finding", Text, "or which finding", False),
        ),
    ),
    Event.PLAN_ITEM_MOVED: Described(
        "who moved it",
        "the item's id",
        (Field("before", Text), Field("after", Text), Field("verified", Text, "how, of a verification", False)),
    ),
    Event.PLAN_ITEM_CORRECTED: Described("who corrected", "the item's id", (_FIELDS,)),
    Event.PLAN_ESCALATED: Described("who did it", "the item's id", (Field("step", Text),)),
    Event.CONTRACT_ADDED: Described("who added", "the contract's id, never its reference"),
    Event.CONTRACT_CORRECTED: Described("who corrected", "the contract's id", (_FIELDS,)),
    Event.CONTRACTS_IMPORTED: Described(
        "who imported",
        "a name of the import",
        (Field("rows", Number), Field("contracts", Number, "how many are new"), Field("duties", Number, "as well")),
    ),
    Event.CONTRACTS_EXPORTED: Described("who took it", "`contracts`", (Field("rows", Number),)),
    Event.DUTY_ADDED: Described(
        "who added", "the duty's id", (Field("contract", Text), Field("kind", Text), Field("due", Text, "a day"))
    ),
    Event.DUTY_MOVED: Described("who moved it", "the duty's id", (Field("before", Text), Field("after", Text))),
    Event.DUTY_CORRECTED: Described("who corrected", "the duty's id", (_FIELDS,)),
    Event.EXIT_PLAN_ANSWERED: Described(
        "who answered", "the contract's id", (Field("open", Texts, "the checks that are open still"),)
    ),
    Event.CONTRACT_TERMINATED: Described("the second person", "the contract's id", (Field("reason", Text),)),
    Event.CONTRACT_RESUMED: Described("who took the termination back", "the contract's id"),
    Event.REVIEW_APPROVED: Described("the second person", "the review's id", (_ACT,)),
    Event.REVIEW_REJECTED: Described("the second person", "the review's id", (_ACT,)),
    Event.STATEMENT_SIGNED: Described("`relay`", "the statement's hash", (Field("seq", Number),)),
    Event.LOG_ADOPTED: Described(
        "`relay`",
        "this member's slug: the own topic, peers or the own received log were further than the outbox, as after a "
        "restored backup; what they had was taken back in",
        (
            Field("seq", Number),
            Field("hash", Text),
            Field("queued_again", Number, "own statements that the registry had cut off, to be said again"),
        ),
    ),
    Event.LOG_FROZEN: Described("`exchange`", "the member's slug", (Field("frozen_from", Number, "a place"),)),
    Event.LOG_REDECIDED: Described(
        "`exchange`",
        "the member's slug",
        (
            Field("why", Text, "`registry`, `fork`, `fuller copy`"),
            Field("frozen_from", Number, "a place; null where it is not frozen"),
        ),
    ),
    Event.RECORD_RETRIED: Described(
        "who asked",
        "the statement's hash, or `record NUMBER`",
        (
            Field("member", Text),
            Field("step", Number, "at which it was refused before; null where none is known"),
            Field("code", Text, "the reason then"),
        ),
    ),
    Event.PEER_WRONG: Described(
        "`relay`",
        "the peer's slug",
        (Field("what", Text, "what it answered that cannot be true; at most one an hour for each peer"),),
    ),
    Event.TRAIL_EXPORTED: Described(
        "who exported",
        "`trail`",
        (
            Field("first", Number, "where the stretch begins"),
            Field("last", Number, "up to where it was looked"),
            Field("entries", Number, "how many were selected"),
            Field("binds", Text, "the chain of their digests"),
            Field("since", Text, "a time: what was selected", False),
            Field("until", Text, "a time: what was selected", False),
            Field("about", Text, "an id: what was selected", False),
            Field("by", Text, "an actor: what was selected", False),
            Field("events", Texts, "what was selected", False),
        ),
    ),
    Event.TRAIL_SEALED_ANEW: Described(
        "`comity init`",
        "`trail`",
        (
            Field("entries", Number, "written before entries had salts, and chained anew"),
            Field("head_before", Text, "what their chain came to"),
            Field("broken", Number, "the first of them that did not follow; null where all did"),
        ),
    ),
    Event.SCREENED: Described(
        "who asked, or `comity screen`",
        "`suppliers`",
        (Field("asked", Number, "how many"), Field("positions", Places, "to which place each log was read")),
    ),
    Event.SCREENING_FILED: Described(
        "who filed it",
        "the filed screening's id, never its reference",
        (
            Field("stage", Text, "`tender`, `evaluation` or `award`"),
            Field("asked", Number, "how many"),
            Field("positions", Places, "to which place each log was read"),
        ),
    ),
    Event.SCREENING_READ: Described(
        "who read",
        "the filed screening's id",
        (Field("what", Text, "`answers`, or `export`, all of it as a table"),),
    ),
    Event.SCREENING_VERIFIED: Described(
        "who had it answered again",
        "the filed screening's id",
        (Field("same", Flag, "whether the same answer follows from the same positions"),),
    ),
    Event.SCREENING_KEPT_LONGER: Described(
        "who keeps it longer", "the filed screening's id", (Field("until", Text, "a day"),)
    ),
    Event.SCREENING_TAKEN_BACK: Described("who says that it was filed in error", "the filed screening's id"),
    Event.SCREENING_DESTROYED: Described("`retention`", "the filed screening's id: its time was over"),
    Event.LETTER_WRITTEN: Described(
        "who had a letter to a supplier written",
        "the filed screening's id",
        (Field("statements", Texts, "what it asks about"), Field("language", Text)),
    ),
    Event.CHANGES_READ: Described(
        "who read",
        "`changes`: something of the feed was shown",
        (Field("first", Number, "the first change"), Field("last", Number, "the last change")),
    ),
    Event.VENDORS_KEPT: Described(
        "whose rows they are",
        "`vendors`",
        (
            Field("added", Number),
            Field("changed", Number),
            Field("removed", Number),
            Field("rows", Number, "how many are kept now"),
        ),
    ),
    Event.VENDOR_JUDGED: Described(
        "who judged",
        "the judgement's id; neither the row nor the supplier",
        (Field("judged", Text, "`same`, `not-same` or `unsure`"),),
    ),
    Event.VENDOR_JUDGEMENT_CONFIRMED: Described("the second person", "the judgement's id"),
    Event.VENDOR_JUDGEMENT_UNDONE: Described("who undid it", "the judgement's id"),
    Event.WATCH_BEGUN: Described(
        "whose it is",
        "the watch's id; never what is watched, nor an address",
        (Field("channel", Text, "`feed`, `mail` or `webhook`"), Field("timing", Text)),
    ),
    Event.WATCH_ENDED: Described("whose it was", "the watch's id"),
    Event.ALERTS_SENT: Described(
        "`exchange`, or who asked for a test",
        "the delivery's id",
        (Field("channel", Text), Field("alerts", Number, "how many it tells")),
    ),
    Event.ALERTS_FORGOTTEN: Described(
        "`retention`",
        "`alerts`: their time was over; never whose or of whom",
        (Field("alerts", Number), Field("deliveries", Number, "of the log of what was sent")),
    ),
    Event.SUPPLIER_SHOWN: Described(
        "who looked",
        "`suppliers`",
        (
            Field("what", Text, "`one`, all that is known of a supplier; `list`; `export`"),
            Field("positions", Places, "of `one` and `export`: to which place each log was read", False),
        ),
    ),
    Event.SUPPLIERS_JUDGED: Described(
        "who judged",
        "the judgement's id",
        (
            Field("judged", Text, "`same`, `different` or `apart`"),
            Field("because", Text, "why, as a code"),
            Field("first", Number, "a supplier's number at this node"),
            Field("second", Number, "another one's"),
        ),
    ),
    Event.JUDGEMENT_UNDONE: Described("who undid it", "the judgement's id"),
    Event.ALLOWANCE_PROPOSED: Described(
        "the first reviewer", "the allowance's id", (_REPORT, Field("code", Text, "why, as a code"))
    ),
    Event.ALLOWANCE_DECIDED: Described(
        "the second reviewer",
        "the allowance's id",
        (Field("state", Text, "`allowed` or `declined`"), Field("code", Text, "why, as a code")),
    ),
    Event.AUDIENCE_CONSENTED: Described(
        "the focal point", "the review's id", (Field("country", Text, "whose members may read it"),)
    ),
    Event.AUDIENCE_CONSENT_TAKEN_BACK: Described("the focal point", "the review's id"),
    Event.CASE_OPENED: Described("who opened", "the case's id"),
    Event.CASE_READ: Described("who read", "the case's id"),
    Event.CASE_STEP_TAKEN: Described("who took it", "the case's id; not which step, which could tell of children"),
    Event.CASE_STEP_TAKEN_BACK: Described("who took it back", "the case's id"),
    Event.CASE_DETAIL_HELD: Described("who decided", "the case's id"),
    Event.CASE_ASSIGNED: Described("who assigned", "the case's id", (_PERSON,)),
    Event.CASE_REMOVED: Described("who decided", "the case's id", (_PERSON,)),
    Event.CASE_PASSED_ON: Described(
        "`exchange`",
        "the case's id: nobody had looked",
        (Field("person", Text, "id of the next deputy; absent when all were told", False),),
    ),
    Event.DUTY_NAMED: Described("who named", "`focal points`", (Field("people", Texts, "ids, in their order"),)),
    Event.CONTACTS_TAKEN_IN: Described("who took in", "`contacts`", (Field("added", Number), Field("changed", Number))),
    Event.CONTACT_REMOVED: Described("who removed", "the contact's id"),
    Event.FACT_ENTERED: Described(
        "who entered it",
        "the fact's id",
        (Field("fact", Text, "of which kind"), Field("supplier", Number, "its number at this node")),
    ),
    Event.FACT_TAKEN_BACK: Described("who took it back", "the fact's id"),
    Event.FACTORY_LIST_TAKEN_IN: Described(
        "who gave it", "the list's id", (Field("rows", Number), Field("sites", Number), Field("refused", Number))
    ),
    Event.FACTORY_LIST_TAKEN_BACK: Described("who took it back", "the list's id"),
}
"""Every event."""


def check_detail(event: Event, detail: Mapping[str, Any]) -> None:
    """Refuse a detail that the catalogue does not describe.

    Raises:
        NotInCatalogue: a field is missing, unknown or of another type.
    """
    known = {field.name: field for field in CATALOGUE[event].fields}
    missing = [name for name, field in known.items() if field.always and name not in detail]
    wrong = [name for name, value in detail.items() if name not in known or not _fits(known[name].holds, value)]
    if missing or wrong:
        raise NotInCatalogue(f"{event} lacks {missing} and has {wrong}, which the catalogue does not know so")


def _fits(holds: str, value: Any) -> bool:
    match value:
        case None:
            return True
        case bool():
            return holds == Flag
        case str():
            return holds == Text
        case int():
            return holds == Number
        case dict():
            return holds == Places and all(isinstance(each, int) for each in value.values())
        case list() | tuple():
            return holds == Texts and all(isinstance(each, str) for each in value)
    return False
