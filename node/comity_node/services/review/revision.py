"""Saying where a published finding stands now: engagement, plan, remedy, closure, an end. Always two people."""

import json
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from comity_node.db import Store
from comity_node.db.reviews import Review
from comity_node.domain.errors import CannotPropose, NotFound
from comity_node.domain.lifecycle import Step
from comity_node.domain.people import Person
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id
from comity_node.services.publishing.published import RELEASE, check_status, newest_form
from comity_schemas.finding import Finding, Status
from comity_schemas.wire import misfits


async def propose_revision(store: Store, person: Person, statement: str, step: Step, now: datetime) -> Review:
    """Propose that a published finding says where the matter stands now; nothing else of it changes.

    Raises:
        NotPublished: this node has not published it, has taken it back, or has revised it already.
        AlreadyProposed: a revision of it is on its way.
        StatusMayNotFollow: the status may not follow; the text names what may.
        CannotPropose: the parts do not fit each other.
        NotFound: the report behind it is kept from this person.
    """
    before = await newest_form(store, statement)
    earlier = None if before.review_id is None else await store.reviews.find(before.review_id)
    report_id = None if earlier is None else earlier.report_id
    if report_id is not None and await store.cases.keeps_report_from(report_id, person.id):
        raise NotFound("no such report")
    finding = _revised(before.finding, step, statement)
    content = {"finding": finding.to_parsed(), "handling": before.handling.to_parsed()}
    review = Review(
        id=new_id(),
        act=RELEASE,
        state="proposed",
        content=json.dumps(content, ensure_ascii=False),
        proposed_by=person.id,
        proposed_at=now,
        report_id=report_id,
        observation=None if earlier is None else earlier.observation,
        target=statement,
    )
    await check_status(store, review, finding)
    await store.reviews.add(review)
    await store.trail.add(now, person.id, Event.REVIEW_PROPOSED, review.id, act=RELEASE, statement=statement)
    return review


def _revised(before: Finding, step: Step, statement: str) -> Finding:
    said: dict[str, Any] = before.to_parsed()
    verified = step.verified or (before.verified if step.status is before.status else None)
    said.update(replaces=statement, status=step.status.value)
    said.pop("verified", None)
    if verified is not None:
        said["verified"] = verified.value
    if step.remedies is not None:
        said["remedies"] = [remedy.value for remedy in step.remedies]
    if step.remedy_due is not None:
        said["remedy_due"] = step.remedy_due
    try:
        return Finding.from_parsed(said)
    except ValidationError as error:
        why = misfits(error)
        if (verified is not None) != (step.status is Status.CLOSED_VERIFIED):
            why = "closed-verified, and nothing else, says how it was verified: desk, on-site or by-workers"
        raise CannotPropose(f"{why}; nothing was changed") from error
