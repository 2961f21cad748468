"""Telling other members that a site is audited, or was; two people let it out.

A plan that another member's audit makes needless is refused until a person says that it is wanted all the same. A
result leaves only once every grave observation of the audit stands in a finding that is out.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from comity_node.db import Store
from comity_node.db.reviews import Review
from comity_node.domain.errors import AlreadyAudited, AlreadyProposed
from comity_node.domain.minimize import Policy
from comity_node.domain.names import fold_name
from comity_node.domain.noticing import done_notice, notice_terms
from comity_node.domain.people import Person
from comity_node.domain.supplier_view import NoticeEntry, Standing, notice_standing
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id
from comity_node.services.publishing.published import RELEASE, published_item, require_unrevised, was_taken_back
from comity_node.services.reports.stored import open_stored
from comity_node.services.review.audit_results import require_told
from comity_node.services.review.release import check_handling, unmarked
from comity_schemas.audit_notice import AuditNotice
from comity_schemas.handling import Handling
from comity_schemas.statement import Kind


@dataclass(frozen=True, slots=True)
class Done:
    """An audit that is done, by its report."""

    report_id: str
    about: str | None = None
    """Which further site or labour provider of the report; None for its party."""
    with_result: bool = False
    """Whether how many observations are open is told, in bands."""


async def propose_plan(
    store: Store,
    person: Person,
    notice: AuditNotice,
    *,
    own: str,
    now: datetime,
    handling: Handling | None = None,
    anyway: bool = False,
) -> Review:
    """Propose to tell that an audit is planned.

    Args:
        store: The open transaction.
        person: Who proposes.
        notice: What would be told.
        own: This node's slug.
        now: The time.
        handling: Other terms than the default.
        anyway: Somebody knows of the audits that there are, and wants this one all the same.

    Raises:
        AlreadyAudited: another member's audit covers all of it; the text names it.
        HandlingRefused: nothing can be released under these terms.
        NotPublished, AlreadyProposed: what it would revise is not there to be revised.
    """
    there = None if anyway else await _audit_to_recognise(store, notice, own, now)
    if there is not None and there.notice is not None:
        audit = there.notice
        raise AlreadyAudited(
            f"{there.member} tells of an audit of it: {audit.scheme} {audit.month}, {audit.stage}, standing until "
            f"{audit.valid_until}, which covers all that this one would assess (statement {there.hash}). Recognise it, "
            "or say that yours is wanted all the same; nothing was proposed"
        )
    return await _propose(store, person, notice, handling, now)


async def propose_done(
    store: Store,
    person: Person,
    done: Done,
    *,
    policy: Policy,
    now: datetime,
    handling: Handling | None = None,
    revises: str | None = None,
) -> Review:
    """Propose to tell that an audit is done.

    Args:
        store: The open transaction.
        person: Who proposes.
        done: Which audit, and how much of it is told.
        policy: What this member lets leave.
        now: The time.
        handling: Other terms than the default.
        revises: Hash of an own notice that this one revises, such as the plan.

    Raises:
        NotFound: there is no such report.
        CannotPropose: the report is marked, is no audit, or its source is protected.
        NotYet: a result is to be told, and something grave of the audit is not published yet.
        HandlingRefused: nothing can be released under these terms.
        NotPublished, AlreadyProposed: what it would revise is not there, or it is told already.
    """
    stored = await unmarked(store, person, done.report_id)
    report = open_stored(stored)
    notice = done_notice(report, done.about, policy, with_result=done.with_result)
    if done.with_result:
        await require_told(store, done.report_id, report, done.about)
    for review in await store.reviews.of_report(done.report_id) if revises is None else ():
        if review.state == "rejected" or not _same(review, notice) or await was_taken_back(store, review.id):
            continue
        raise AlreadyProposed(f"this audit is told already (review {review.id}); to say more, revise that notice")
    return await _propose(
        store, person, notice.model_copy(update={"replaces": revises}), handling, now, report_id=done.report_id
    )


def _same(review: Review, notice: AuditNotice) -> bool:
    said = json.loads(review.content).get("notice")
    return said is not None and AuditNotice.from_parsed(said).names == notice.names


async def _propose(
    store: Store,
    person: Person,
    notice: AuditNotice,
    handling: Handling | None,
    now: datetime,
    report_id: str | None = None,
) -> Review:
    if notice.replaces is not None:
        await published_item(store, notice.replaces, Kind.AUDIT_NOTICE)
        await require_unrevised(store, notice.replaces)
    terms = handling or notice_terms(notice)
    check_handling(notice, terms)
    content = {"notice": notice.to_parsed(), "handling": terms.to_parsed()}
    review = Review(
        id=new_id(),
        act=RELEASE,
        state="proposed",
        content=json.dumps(content, ensure_ascii=False),
        proposed_by=person.id,
        proposed_at=now,
        report_id=report_id,
        target=notice.replaces,
    )
    await store.reviews.add(review)
    await store.trail.add(now, person.id, Event.REVIEW_PROPOSED, review.id, act=RELEASE)
    return review


_MOST_NAMED = 10_000
"""Suppliers of one name or number that are looked at."""


def _is_named(audit: AuditNotice, wanted: set[str], country: str) -> bool:
    return audit.country == country and any(fold_name(name.text) in wanted for name in audit.names or ())


async def _audit_to_recognise(store: Store, plan: AuditNotice, own: str, now: datetime) -> NoticeEntry | None:
    """Return another member's audit of the same subject that stands and covers all that is planned."""
    wanted = {fold_name(name.text) for name in plan.names or ()}
    identifiers = set(plan.identifiers or ())
    suppliers = {supplier for supplier, _ in await store.suppliers.with_name(wanted, _MOST_NAMED)}
    same = [(i.scheme, i.id) for i in identifiers]
    suppliers |= {supplier for supplier, _, _ in await store.suppliers.with_identifier(same, _MOST_NAMED)}
    numbers = {entry for entry, _ in await store.said_of.asides(sorted(suppliers))}
    behind = await store.behind.names()
    numbers |= {*behind.entries, *behind.with_identifiers(identifiers)}
    for entry in (await store.view.notices.entries_by_number(sorted(numbers))).values():
        audit = entry.notice
        if (
            audit is None
            or not (identifiers & set(audit.identifiers or ()) or _is_named(audit, wanted, plan.country))
            or entry.member == own
            or notice_standing(entry, now.date()) is not Standing.CURRENT
        ):
            continue
        if set(plan.assessed) and set(plan.assessed) <= set(audit.assessed):
            return entry
    return None
