"""Saying from own evidence that another member's finding is so, or is not so; two people let it out.

What is no source of its own is refused with the reason. What identifies a protected source stays, as in a finding.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from comity_node.db import Store
from comity_node.db.reviews import Review
from comity_node.domain.corroborating import Voice, backed_by, corroboration_terms, why_not_independent
from comity_node.domain.errors import AlreadyProposed, CannotPropose, NotIndependent
from comity_node.domain.minimize import Policy, plain_source, source_of, stands_until
from comity_node.domain.people import Person
from comity_node.domain.same_party import is_same
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id
from comity_node.services.publishing.published import RELEASE, published_item, require_unrevised, was_taken_back
from comity_node.services.reports.stored import open_stored
from comity_node.services.review.release import check_handling, unmarked
from comity_node.services.review.spoken_of import finding_spoken_of
from comity_schemas.corroboration import Corroboration, Says
from comity_schemas.finding import Finding
from comity_schemas.handling import Handling
from comity_schemas.indicators import Indicator
from comity_schemas.report import Report
from comity_schemas.statement import Kind
from comity_schemas.subject import SubjectType


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a member says of another's finding, and from which report of its own."""

    about: str
    """Hash of the finding, in its newest form."""
    report_id: str
    says: Says
    observation: str | None = None
    """Which observation supports it; what contradicts it is that nothing was observed."""
    same_subject: bool = False
    """A person made sure that both are about the same one, although names and identifiers do not show it."""


async def propose_corroboration(
    store: Store,
    person: Person,
    evidence: Evidence,
    *,
    own: str,
    policy: Policy,
    now: datetime,
    handling: Handling | None = None,
    revises: str | None = None,
) -> Review:
    """Propose that own evidence is told beside another member's finding; a second person approves.

    Args:
        store: The open transaction.
        person: Who proposes.
        evidence: What is said, of what, from what.
        own: This node's slug.
        policy: What this member lets leave.
        now: The time.
        handling: Other terms than the default.
        revises: Hash of an own published corroboration that this one corrects.

    Raises:
        NotFound: there is no such report.
        CannotPropose: the report is marked or says nothing of it, or the finding does not stand.
        NotIndependent: it is no source of its own; the text says why.
        AlreadyProposed: the same is proposed or released already.
        HandlingRefused: nothing can be released under these terms.
        NotPublished: what it would correct is not published, or was corrected already.
    """
    stored = await unmarked(store, person, evidence.report_id)
    entry, finding = await finding_spoken_of(store, evidence.about)
    report = open_stored(stored)
    # By all that is known here; of a protected source less is told.
    why = why_not_independent(Voice(entry.member, finding.source), Voice(own, plain_source(report)))
    if why is not None:
        raise NotIndependent(f"{why}. Nothing was proposed")
    if not evidence.same_subject and not _same_subject(report, evidence, finding):
        raise CannotPropose(
            "neither a name nor an identifier of the report is one of the finding's, or they are sites with two "
            "numbers in one register: nothing shows that both are about the same one. If you have made sure that "
            "they are, say so; nothing was proposed"
        )
    said = Corroboration(
        replaces=revises,
        about=evidence.about,
        says=evidence.says,
        indicators=_indicators(report, evidence, finding),
        source=source_of(report, policy),
        valid_until=stands_until(report, policy),
    )
    terms = handling or corroboration_terms()
    check_handling(said, terms)
    await _require_new(store, evidence, revises)
    review = _review(person, said, terms, evidence, now)
    await store.reviews.add(review)
    await store.trail.add(now, person.id, Event.REVIEW_PROPOSED, review.id, act=RELEASE, statement=evidence.about)
    return review


def _review(person: Person, said: Corroboration, terms: Handling, evidence: Evidence, now: datetime) -> Review:
    # The observation stands in the content: as the review's own it would be taken for released as a finding.
    content = {
        "corroboration": said.to_parsed(),
        "handling": terms.to_parsed(),
        "observation": evidence.observation,
    }
    return Review(
        id=new_id(),
        act=RELEASE,
        state="proposed",
        content=json.dumps(content),
        proposed_by=person.id,
        proposed_at=now,
        report_id=evidence.report_id,
        target=said.replaces,
    )


def _same_subject(report: Report, evidence: Evidence, finding: Finding) -> bool:
    observed = next((o for o in report.observations if o.ref == evidence.observation), None)
    party = report.party if observed is None else report.party_of(observed)
    return is_same(party, finding, site=party.type is finding.subject is SubjectType.SITE)


def _indicators(report: Report, evidence: Evidence, finding: Finding) -> tuple[Indicator, ...]:
    """Return on which of the finding's indicators the report speaks."""
    backed = backed_by(report, evidence.observation, evidence.says)
    indicators = tuple(found.indicator for found in finding.indicators if found.indicator in backed)
    if indicators:
        return indicators
    reported = ", ".join(found.indicator for found in finding.indicators)
    if evidence.says is Says.SUPPORTS:
        raise CannotPropose(f"the report has no such observation of {reported}: it supports nothing of this finding")
    raise CannotPropose(
        f"the report does not say that it looked for {reported} and found nothing: it contradicts nothing of this "
        "finding. That nobody looked is no contradiction"
    )


async def _require_new(store: Store, evidence: Evidence, revises: str | None) -> None:
    if revises is not None:
        await published_item(store, revises, Kind.CORROBORATION)
        await require_unrevised(store, revises)
        return
    for review in await store.reviews.of_report(evidence.report_id):
        said = json.loads(review.content).get("corroboration")
        if said is None or said["about"] != evidence.about or review.state == "rejected":
            continue
        if not await was_taken_back(store, review.id):
            item = await store.outbox.of_review(review.id)
            known = "" if item is None or item.hash is None else f"; to change it, revise {item.hash}"
            raise AlreadyProposed(f"this report speaks of the finding already (review {review.id}){known}")
