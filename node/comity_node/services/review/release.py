"""Review: one person proposes, a second decides; an approval is the release. The same for taking back.

Approval is one transaction: the review approved, the outbox row with exactly what will be said, a trail entry.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from comity_federation.decision import Refused
from comity_federation.lone_record import rehearse
from comity_federation.statements import Outgoing
from comity_node.db import Store
from comity_node.db.reports import StoredReport
from comity_node.db.reviews import Review
from comity_node.domain.audience import contradiction
from comity_node.domain.corroborating import endangers_source, outgoing_corroboration
from comity_node.domain.due_process import reaches_further
from comity_node.domain.errors import (
    AlreadyDecided,
    AlreadyProposed,
    CannotPropose,
    Contradictory,
    FocalPointNeeded,
    HandlingRefused,
    NotFound,
    SamePerson,
)
from comity_node.domain.minimize import Draft, Minimized, Policy, endangers_people, minimize, outgoing_finding
from comity_node.domain.noticing import outgoing_notice
from comity_node.domain.people import Person, PersonRole
from comity_node.domain.pointing import outgoing_pointer
from comity_node.domain.replying import outgoing_reply
from comity_node.domain.ruling import outgoing_decision
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id
from comity_node.services.publishing.published import (
    RELEASE,
    WITHDRAW,
    Published,
    check_status,
    published_finding,
    published_item,
    require_newest,
    require_unrevised,
    was_taken_back,
)
from comity_node.services.reports.follow_up import followed_up_statement
from comity_node.services.reports.stored import open_stored
from comity_node.services.reports.submit import MARKS
from comity_node.services.review.allowances import marks_that_hold
from comity_node.services.review.audience import require_consent
from comity_node.services.review.audit_results import require_still_told
from comity_node.services.review.concerns import require_basis, require_no_objection
from comity_node.services.review.due_process import require_heard
from comity_node.services.review.spoken_of import finding_spoken_of
from comity_schemas.audit_notice import AuditNotice
from comity_schemas.corroboration import Corroboration
from comity_schemas.decision import Decision
from comity_schemas.finding import Commitment, Finding, Status
from comity_schemas.handling import Handling, Tlp
from comity_schemas.member import Role
from comity_schemas.pointer import Pointer
from comity_schemas.reply import Reply
from comity_schemas.statement import Body, Kind, Withdrawal, WithdrawalReason

_RELEASABLE = frozenset({Tlp.GREEN, Tlp.CLEAR})
"""Until sharing groups exist nothing can be sealed, so nothing that must be sealed can be released."""

_CAN_BE_TAKEN_BACK = (Kind.FINDING, Kind.DECISION, Kind.POINTER, Kind.CORROBORATION, Kind.AUDIT_NOTICE)
"""What this member says itself; a reply is the supplier's."""


def minimize_stored(stored: StoredReport, policy: Policy) -> Minimized:
    """Return what would leave of a stored report, and the account of every field."""
    signed = stored.root is not None and stored.signature is not None
    commitment = Commitment(root=stored.root or "", signature=stored.signature or "") if signed else None
    return minimize(open_stored(stored), policy, commitment)


async def propose_release(
    store: Store,
    person: Person,
    report_id: str,
    observation: str,
    *,
    policy: Policy,
    now: datetime,
    handling: Handling | None = None,
    revises: str | None = None,
    batch: str | None = None,
    starts_as: Status | None = None,
) -> Review:
    """Propose that one observation of a report is released as a finding.

    Args:
        store: The open transaction.
        person: Who proposes.
        report_id: Which report.
        observation: Which of its observations.
        policy: What this member lets leave.
        now: The time.
        handling: Other terms than the default; by default a correction reaches no further than what it corrects.
        revises: Hash of an own published finding that this one corrects; of itself what a follow-up follows up.
        batch: Names proposals that are decided together.
        starts_as: How a first finding starts, where the report says that the matter is further by now.

    Raises:
        NotFound: there is no such report.
        CannotPropose: the report is marked, or the observation cannot leave.
        AlreadyProposed: it is proposed or released already.
        HandlingRefused: nothing can be released under these terms.
        NotPublished, StatusMayNotFollow: as `check_status`.
    """
    stored = await unmarked(store, person, report_id)
    draft = _draft(minimize_stored(stored, policy), observation)
    revises = revises or await followed_up_statement(store, open_stored(stored), observation)
    before = None if revises is None else await published_finding(store, revises)
    finding = _as_said(draft.finding, revises, starts_as)
    terms = handling or _usual_terms(draft.handling, before)
    check_handling(finding, terms)
    await _require_new(store, report_id, observation, revises)
    review = Review(
        id=new_id(),
        act=RELEASE,
        state="proposed",
        content=json.dumps({"finding": finding.to_parsed(), "handling": terms.to_parsed()}, ensure_ascii=False),
        proposed_by=person.id,
        proposed_at=now,
        report_id=report_id,
        observation=observation,
        target=revises,
        batch=batch,
    )
    await check_status(store, review, finding)
    await store.reviews.add(review)
    await store.trail.add(now, person.id, Event.REVIEW_PROPOSED, review.id, act=RELEASE, report=report_id)
    return review


async def propose_withdrawal(
    store: Store, person: Person, statement: str, reason: WithdrawalReason, now: datetime
) -> Review:
    """Propose that a published finding or decision is taken back, or that a pointer ends.

    Raises:
        NotPublished: this node has not published it, has taken it back already, or has revised it: its newest form is
            taken back.
        AlreadyProposed: its withdrawal is proposed already.
        Contradictory: the reason belongs to another kind.
    """
    outgoing = (await published_item(store, statement, *_CAN_BE_TAKEN_BACK)).outgoing
    await require_newest(store, statement)
    handling = outgoing.handling
    if (outgoing.kind == Kind.POINTER) != (reason is WithdrawalReason.NO_LONGER_NEEDED):
        raise Contradictory(
            f"every pointer, and nothing else, ends as {WithdrawalReason.NO_LONGER_NEEDED}: another reason could tell "
            "two apart. Nothing was proposed"
        )
    for review in await store.reviews.of_target(statement):
        if review.act == WITHDRAW and review.state != "rejected":
            raise AlreadyProposed("its withdrawal is proposed or approved already")
    body = Withdrawal(statement=statement, reason=reason)
    content = {"withdrawal": body.to_parsed(), "handling": handling.to_parsed()}
    review = Review(
        id=new_id(),
        act=WITHDRAW,
        state="proposed",
        content=json.dumps(content),
        proposed_by=person.id,
        proposed_at=now,
        target=statement,
    )
    await store.reviews.add(review)
    await store.trail.add(now, person.id, Event.REVIEW_PROPOSED, review.id, act=WITHDRAW, statement=statement)
    return review


async def approve(store: Store, person: Person, review_id: str, now: datetime, role: Role) -> Review:
    """Approve a proposal as the second person: this is the release.

    Args:
        store: The open transaction.
        person: Who approves.
        review_id: What.
        now: The time.
        role: What this node's member is: every node refuses what it may not say.

    Raises:
        NotFound, AlreadyDecided, SamePerson, FocalPointNeeded, HandlingRefused: nothing was released.
        StatusMayNotFollow, NotPublished, AlreadyProposed: what it revises changed meanwhile.
        NotYet, HeldBack: the supplier was not heard yet.
        ObjectionStands: the auditor objects.
        BasisWithdrawn: nothing more may leave of the report.
    """
    review = await _open_review(store, person, review_id)
    outgoing = read_outgoing(review)
    _require_acceptable(outgoing, now, role)
    if review.act == RELEASE:
        await _check_may_follow(store, review)
    elif review.target is not None:
        await require_newest(store, review.target)
    proposer = await store.accounts.find_person(review.proposed_by)
    if review.act == RELEASE:
        observation = review.observation or json.loads(review.content).get("observation")
        await require_no_objection(store, review.report_id, observation)
        await require_basis(store, review.report_id)
    for check in RELEASE_CHECKS:
        check(review, [p for p in (proposer, person) if p is not None])
    await require_heard(store, review, now)
    await require_consent(store, review)
    await store.reviews.decide(review.id, state="approved", by=person.id, now=now)
    await store.outbox.add(review.id, outgoing)
    await store.trail.add(now, person.id, Event.REVIEW_APPROVED, review.id, act=review.act)
    return review


async def reject(store: Store, person: Person, review_id: str, now: datetime) -> Review:
    """Reject a proposal as the second person; the observation may be proposed again.

    Raises:
        NotFound, AlreadyDecided, SamePerson: nothing was changed.
    """
    review = await _open_review(store, person, review_id)
    await store.reviews.decide(review.id, state="rejected", by=person.id, now=now)
    await store.trail.add(now, person.id, Event.REVIEW_REJECTED, review.id, act=review.act)
    return review


def read_outgoing(review: Review) -> Outgoing:
    """Return exactly what a proposal would let leave."""
    content = json.loads(review.content)
    handling = Handling.from_parsed(content["handling"])
    if review.act == WITHDRAW:
        return Outgoing(Kind.WITHDRAWAL, handling, content["withdrawal"], {}, {})
    body = _released(content)
    match body:
        case Decision():
            return outgoing_decision(body, handling)
        case Reply():
            return outgoing_reply(body, handling)
        case Pointer():
            return outgoing_pointer(body, handling)
        case Corroboration():
            return outgoing_corroboration(body, handling)
        case AuditNotice():
            return outgoing_notice(body, handling)
        case Finding():
            return outgoing_finding(body, handling)


def _released(content: dict[str, Any]) -> Finding | Decision | Reply | Pointer | Corroboration | AuditNotice:
    if "notice" in content:
        return AuditNotice.from_parsed(content["notice"])
    if "corroboration" in content:
        return Corroboration.from_parsed(content["corroboration"])
    if "pointer" in content:
        return Pointer.from_parsed(content["pointer"])
    if "reply" in content:
        return Reply.from_parsed(content["reply"])
    if "decision" in content:
        return Decision.from_parsed(content["decision"])
    return Finding.from_parsed(content["finding"])


async def _check_may_follow(store: Store, review: Review) -> None:
    body = _released(json.loads(review.content))
    if isinstance(body, Finding):
        await check_status(store, review, body)
        return
    if isinstance(body, Corroboration):
        await finding_spoken_of(store, body.about)
    if isinstance(body, AuditNotice):
        await require_still_told(store, review.report_id, body)
    if review.target is not None:
        await published_item(store, review.target, Kind(read_outgoing(review).kind))
        await require_unrevised(store, review.target, but=review.id)


def _focal_point_where_people_are_at_risk(review: Review, people: Sequence[Person]) -> None:
    content = json.loads(review.content)
    focal_point = any(PersonRole.FOCAL_POINT in person.roles for person in people)
    if not focal_point and _is_about_a_pointer(content):
        # Whatever it is for: who is asked must not tell why.
        raise FocalPointNeeded(
            "a pointer begins and ends only when one of the two people is a focal point; nothing was published"
        )
    if review.act != RELEASE:
        return
    body = _released(content)
    match body:
        case Finding() if endangers_people(body):
            what = f"a finding of severity {body.severity} from {body.source.type} evidence"
        case Corroboration() if endangers_source(body):
            what = f"a corroboration from {body.source.type} evidence"
        case _:
            # What an authority ordered, or a supplier answers, tells nobody who spoke.
            return
    if not focal_point:
        raise FocalPointNeeded(
            f"{what} is released only when one of the two people is a focal point; nothing was published"
        )


def _is_about_a_pointer(content: dict[str, Any]) -> bool:
    reason = content.get("withdrawal", {}).get("reason")
    return "pointer" in content or reason == WithdrawalReason.NO_LONGER_NEEDED


def _terms_still_releasable(review: Review, people: Sequence[Person]) -> None:
    content = json.loads(review.content)
    body = _released(content) if review.act == RELEASE else None
    check_handling(body, Handling.from_parsed(content["handling"]))


RELEASE_CHECKS: tuple[Callable[[Review, Sequence[Person]], None], ...] = (
    _focal_point_where_people_are_at_risk,
    _terms_still_releasable,
)
"""What must hold of those who release and of the terms, at the moment of release."""


def _require_acceptable(outgoing: Outgoing, now: datetime, role: Role) -> None:
    # What is signed cannot be unsaid: find out before what every receiver would make of it.
    decision = rehearse(outgoing, now, role)
    if isinstance(decision, Refused):
        raise CannotPropose(
            f"every node would refuse this statement at step {decision.step} ({decision.code} {decision.detail}); "
            "nothing was published"
        )


async def unmarked(store: Store, person: Person, report_id: str) -> StoredReport:
    """Return a stored report of which something may be said.

    Raises:
        NotFound: there is none, or it is kept from this person.
        CannotPropose: it is marked; the text says why.
        BasisWithdrawn: nothing more may leave of it.
    """
    stored = await store.reports.find(report_id)
    if stored is None or await store.cases.keeps_report_from(report_id, person.id):
        raise NotFound("no such report")
    marks = await marks_that_hold(store, stored)
    if marks:
        raise CannotPropose("; ".join(MARKS.get(mark, mark) for mark in marks))
    await require_basis(store, report_id)
    return stored


def _draft(minimized: Minimized, observation: str) -> Draft:
    for draft in minimized.drafts:
        if draft.observation == observation:
            return draft
    raise CannotPropose(
        f"observation {observation} yields no finding: it is not in the report, no indicator was picked, "
        "or its severity is below what this member lets leave"
    )


def _as_said(finding: Finding, revises: str | None, starts_as: Status | None) -> Finding:
    if revises is not None:
        return finding.model_copy(update={"replaces": revises})
    return finding if starts_as is None else finding.model_copy(update={"status": starts_as, "verified": None})


def check_handling(body: Body | None, handling: Handling) -> None:
    """Refuse terms under which nothing can be released.

    Raises:
        HandlingRefused: with the reason.
    """
    if handling.tlp not in _RELEASABLE:
        raise HandlingRefused(
            f"TLP:{handling.tlp} cannot be released: sharing groups do not exist yet; GREEN and CLEAR can"
        )
    contradicts = contradiction(body, handling) if isinstance(body, Finding) else None
    if contradicts is not None:
        raise HandlingRefused(f"these terms contradict what the finding says: {contradicts}")
    if handling.tlp is Tlp.CLEAR and isinstance(body, Finding | Decision | AuditNotice) and body.named_after_person:
        raise HandlingRefused("the supplier bears a person's name: what is said of it is never TLP:CLEAR")


def _usual_terms(proposed: Handling, before: Published | None) -> Handling:
    if before is not None and reaches_further(before.handling, proposed):
        return before.handling
    return proposed


async def _require_new(store: Store, report_id: str, observation: str, revises: str | None) -> None:
    for review in await store.reviews.of_report(report_id):
        if review.observation != observation or review.state == "rejected" or review.target != revises:
            continue
        # A withdrawal is final; what is true after all is released anew.
        if review.state == "proposed" or not await was_taken_back(store, review.id):
            raise AlreadyProposed(f"observation {observation} is {review.state} already (review {review.id})")


async def _open_review(store: Store, person: Person, review_id: str) -> Review:
    review = await store.reviews.find(review_id)
    if review is None or await _is_kept_from(store, review, person):
        raise NotFound("no such review")
    if review.state != "proposed":
        raise AlreadyDecided(f"this review was {review.state} already; nothing was changed")
    if review.proposed_by == person.id:
        raise SamePerson("you proposed this yourself; a second person must decide. Nothing was published")
    return review


async def _is_kept_from(store: Store, review: Review, person: Person) -> bool:
    return review.report_id is not None and await store.cases.keeps_report_from(review.report_id, person.id)
