"""The focal point's consent that members of the site's own country read a finding; without it the finding waits."""

import json
from dataclasses import dataclass
from datetime import datetime

from comity_node.db import Store
from comity_node.db.consents import Consent
from comity_node.db.reports import StoredReport
from comity_node.db.reviews import Review
from comity_node.domain.audience import why_excluded
from comity_node.domain.corroborating import endangers_source
from comity_node.domain.due_process import Stage, says_something_graver
from comity_node.domain.errors import AlreadyDecided, Contradictory, FocalPointNeeded, HeldBack, NotFound
from comity_node.domain.people import Person, PersonRole
from comity_node.domain.supplier_view import Entry
from comity_node.domain.trail import Event
from comity_node.services.publishing.published import RELEASE, said_of
from comity_node.services.review.due_process import clock_of
from comity_schemas.corroboration import Corroboration
from comity_schemas.finding import Finding, SourceType


@dataclass(frozen=True, slots=True)
class Audience:
    """Who should not read a proposal's finding, and what a focal point said to it."""

    finding: Finding | None
    """What would be read, or what it speaks of."""
    why: str | None
    """Why members of the site's own country should not; None where they may, or read it already."""
    consent: Consent | None


async def audience_of(store: Store, review: Review) -> Audience:
    """Return who should not read what a proposal lets leave."""
    content = json.loads(review.content) if review.act == RELEASE else {}
    if "corroboration" in content:
        return await _of_evidence(store, review, Corroboration.from_parsed(content["corroboration"]))
    said = content.get("finding")
    if said is None:
        return Audience(None, None, None)
    finding = Finding.from_parsed(said)
    return Audience(finding, await _why(store, review, finding), await store.consents.find(review.id))


async def _of_evidence(store: Store, review: Review, said: Corroboration) -> Audience:
    """Return who should not read a corroboration: that somebody else has spoken endangers as much as a finding."""
    spoken_of = (await store.view.load([said.about])).get(said.about)
    finding = spoken_of.finding if isinstance(spoken_of, Entry) else None
    if finding is None or not endangers_source(said):
        return Audience(None, None, None)
    why = f"of {finding.country}, the site's own country: its source is protected ({said.source.type})"
    return Audience(finding, why, await store.consents.find(review.id))


async def consent(store: Store, person: Person, review_id: str, now: datetime) -> Review:
    """Consent, as a focal point, that members of the site's own country read a finding.

    Raises:
        NotFound, AlreadyDecided: there is no such open proposal, or a focal point has consented.
        FocalPointNeeded: the person is none.
        Contradictory: nobody is excluded, or it is postponed and nobody reads it.
    """
    review = await _open(store, review_id)
    if PersonRole.FOCAL_POINT not in person.roles:
        raise FocalPointNeeded("only a focal point consents; nothing was recorded")
    audience = await audience_of(store, review)
    if audience.why is None or audience.finding is None:
        raise Contradictory("no member is excluded from it, so there is nothing to consent to; nothing was recorded")
    clock = await clock_of(store, review, now)
    if clock.stage is Stage.POSTPONED:
        raise Contradictory(f"nobody reads it now ({clock.in_words}); nothing was recorded")
    if audience.consent is not None:
        raise AlreadyDecided("a focal point has consented already; nothing was changed")
    await store.consents.add(Consent(review.id, person.id, now))
    await store.trail.add(now, person.id, Event.AUDIENCE_CONSENTED, review.id, country=audience.finding.country)
    return review


async def take_consent_back(store: Store, person: Person, review_id: str, now: datetime) -> Review:
    """Take a consent back before the release.

    Raises:
        NotFound, AlreadyDecided: there is no such open proposal, or no consent to it.
        FocalPointNeeded: the person is none.
    """
    review = await _open(store, review_id)
    if PersonRole.FOCAL_POINT not in person.roles:
        raise FocalPointNeeded("only a focal point takes a consent back; nothing was changed")
    if await store.consents.find(review_id) is None:
        raise NotFound("no focal point has consented to it")
    await store.consents.remove(review_id)
    await store.trail.add(now, person.id, Event.AUDIENCE_CONSENT_TAKEN_BACK, review.id)
    return review


async def require_consent(store: Store, review: Review) -> None:
    """Let a release pass only with the consent it needs.

    Raises:
        HeldBack: it needs one.
    """
    audience = await audience_of(store, review)
    if audience.why is not None and audience.consent is None:
        raise HeldBack(
            f"members {audience.why}, should not read it. There are no sharing groups yet, so everybody would: it "
            f"waits for a focal point's consent (comity review consent {review.id}). Nothing was published"
        )


def is_published(stored: StoredReport, finding: Finding) -> bool:
    """Tell whether a public register has itself published a finding; what an auditor only calls one has not."""
    return finding.source.type is SourceType.PUBLIC_REGISTER and stored.origin == "register"


async def _why(store: Store, review: Review, finding: Finding) -> str | None:
    stored = None if review.report_id is None else await store.reports.find(review.report_id)
    if stored is not None and is_published(stored, finding):
        return None
    before = None if review.target is None else await store.outbox.of_hash(review.target)
    if before is not None and not says_something_graver(said_of(before.outgoing), finding):
        # They have read as much.
        return None
    return why_excluded(finding)


async def _open(store: Store, review_id: str) -> Review:
    review = await store.reviews.find(review_id)
    if review is None:
        raise NotFound("no such review")
    if review.state != "proposed":
        raise AlreadyDecided(f"this review was {review.state} already; nothing was changed")
    return review
