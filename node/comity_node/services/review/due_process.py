"""Due process before a release: the retaliation check, the notice to the supplier, the reply window.

What each step asks is in `domain.due_process`; here it is recorded, put on the trail and asked for at the release.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from comity_node.db import Store
from comity_node.db.reviews import Review
from comity_node.domain.due_process import (
    AtRisk,
    Outcome,
    Process,
    RetaliationCheck,
    Stage,
    Windows,
    check_combination,
    in_words,
    reaches_further,
    says_something_graver,
    stage_of,
)
from comity_node.domain.errors import AlreadyDecided, Contradictory, FocalPointNeeded, HeldBack, NotFound, NotYet
from comity_node.domain.people import Person, PersonRole
from comity_node.domain.protection import PEOPLE_AT_RISK
from comity_node.domain.trail import Event
from comity_node.services.publishing.published import WITHDRAW, said_of
from comity_schemas.finding import Finding, SourceType
from comity_schemas.handling import Handling

_TAKING_BACK = "taking back speaks for the supplier: neither check nor window"
_RELAYED = (
    "relayed from a public register: the authority's own procedure and publication stand in place of check and window"
)
_OF_AN_AUTHORITY = "an authority decided: its own procedure stands in place of check and window"
_OF_THE_SUPPLIER = "the supplier's own words: neither check nor window"
_SAYS_NOTHING = "a pointer says nothing about the supplier: neither check nor window"
_BESIDE_A_FINDING = (
    "it stands beside a finding to which the supplier can reply, and telling who else spoke would endanger them: "
    "neither check nor window"
)
_NOTHING_GRAVER = "it says nothing graver than what the supplier was heard on: neither check nor window"
_ACCUSES_NOBODY = (
    "an audit notice accuses nobody: what it counts from S2 on was released before: neither check nor window"
)
_WITHOUT_FINDING = {
    "reply": _OF_THE_SUPPLIER,
    "pointer": _SAYS_NOTHING,
    "corroboration": _BESIDE_A_FINDING,
    "notice": _ACCUSES_NOBODY,
}


@dataclass(frozen=True, slots=True)
class Clock:
    """Where a proposal stands on its way to release."""

    process: Process | None
    exempt: str | None
    stage: Stage
    in_words: str
    overdue: bool


async def check_retaliation(
    store: Store, person: Person, review_id: str, check: RetaliationCheck, windows: Windows, now: datetime
) -> Review:
    """Record who could be blamed for a finding, and what follows from it.

    Raises:
        NotFound, AlreadyDecided: there is no such open proposal.
        Contradictory: the parts do not fit each other, or no check belongs to this proposal.
        FocalPointNeeded: somebody could be blamed, and the supplier is to be told.
    """
    review = await _open_review(store, review_id)
    before = await store.due_process.find(review_id)
    if before is not None and before.notified_at is not None:
        raise Contradictory("the supplier was notified already, and that cannot be taken back")
    exempt = await why_exempt(store, review)
    if exempt is not None:
        raise Contradictory(exempt)
    content = json.loads(review.content)
    terms = Handling.from_parsed(content["handling"])
    check_combination(check, terms.tlp, now.date(), windows)
    if check.outcome is Outcome.POSTPONE and await store.consents.find(review_id) is not None:
        raise Contradictory(
            "postponed, but a focal point has let members of the site's own country read it: take that back first"
        )
    somebody = check.blamed != {AtRisk.NOBODY}
    if somebody and check.outcome is Outcome.NOTIFY and PersonRole.FOCAL_POINT not in person.roles:
        raise FocalPointNeeded(
            "somebody could be blamed for this: only a focal point may let the supplier be told; nothing was recorded"
        )
    content["handling"]["contact"] = check.contact.value
    await store.reviews.put_content(review.id, json.dumps(content, ensure_ascii=False))
    await store.due_process.put(Process(review.id, check, person.id, now))
    detail = {"outcome": check.outcome.value, "contact": check.contact.value}
    if check.reason is not None and check.review_by is not None:
        detail |= {"reason": check.reason.value, "review_by": check.review_by.isoformat()}
    await store.trail.add(now, person.id, Event.RETALIATION_CHECKED, review.id, **detail)
    return await _open_review(store, review_id)


async def notify_supplier(store: Store, person: Person, review_id: str, windows: Windows, now: datetime) -> Review:
    """Record that the supplier was told; its reply window begins.

    Raises:
        NotFound, AlreadyDecided: there is no such open proposal.
        NotYet: nobody has asked yet who could be blamed.
        HeldBack: the check says that the supplier is not told now.
        Contradictory: it was notified already.
    """
    review = await _open_review(store, review_id)
    if review.report_id is not None and await store.cases.reports_among({review.report_id}):
        raise HeldBack(f"{PEOPLE_AT_RISK}; the supplier is not told")
    process = await store.due_process.find(review_id)
    if process is None:
        raise NotYet("the retaliation check comes before: who could be blamed? Nothing was recorded")
    if process.check.outcome is Outcome.POSTPONE:
        raise HeldBack(in_words(process, None, now))
    if process.notified_at is not None:
        raise Contradictory(f"the supplier was notified already: {in_words(process, None, now)}")
    ends = now + windows.reply
    await store.due_process.put(replace(process, notified_by=person.id, notified_at=now, window_ends=ends))
    await store.trail.add(now, person.id, Event.SUPPLIER_NOTIFIED, review.id, window_ends=ends.isoformat())
    return review


async def require_heard(store: Store, review: Review, now: datetime) -> None:
    """Let a proposal be released only when its supplier was heard, or need not be.

    Raises:
        NotYet: a step comes before; the text says which, and when.
        HeldBack: it is postponed.
    """
    clock = await clock_of(store, review, now)
    if clock.stage is Stage.POSTPONED:
        raise HeldBack(f"{clock.in_words}; nothing was published")
    if clock.stage is not Stage.READY:
        raise NotYet(f"{clock.in_words}; nothing was published")


async def clock_of(store: Store, review: Review, now: datetime) -> Clock:
    """Return where a proposal stands."""
    return (await clocks_of(store, [review], now))[review.id]


async def clocks_of(store: Store, reviews: Sequence[Review], now: datetime) -> dict[str, Clock]:
    """Return where proposals stand, at most one page of them."""
    processes = await store.due_process.of_reviews([review.id for review in reviews])
    of_cases = await store.cases.reports_among({r.report_id for r in reviews if r.report_id is not None})
    clocks = {}
    for review in reviews:
        process = processes.get(review.id)
        if review.report_id in of_cases:
            clocks[review.id] = Clock(process, None, Stage.POSTPONED, PEOPLE_AT_RISK, overdue=False)
        else:
            clocks[review.id] = await _clock(store, review, process, now)
    return clocks


async def clock_for_supplier(store: Store, review: Review, now: datetime) -> Clock:
    """Return where a proposal stands, as far as its supplier may know: nothing of a case of people at risk."""
    return await _clock(store, review, await store.due_process.find(review.id), now)


async def _clock(store: Store, review: Review, process: Process | None, now: datetime) -> Clock:
    exempt = await why_exempt(store, review) if process is None else None
    return Clock(
        process,
        exempt,
        stage_of(process, exempt, now),
        in_words(process, exempt, now),
        process is not None and review.state == "proposed" and process.overdue(now),
    )


async def why_exempt(store: Store, review: Review) -> str | None:
    """Return in words why a proposal needs neither check nor window, or None if it does."""
    if review.act == WITHDRAW:
        return _TAKING_BACK
    content = json.loads(review.content)
    said = content.get("finding")
    if said is None:
        return next((why for kind, why in _WITHOUT_FINDING.items() if kind in content), _OF_AN_AUTHORITY)
    finding = Finding.from_parsed(said)
    stored = None if review.report_id is None else await store.reports.find(review.report_id)
    if finding.source.type is SourceType.PUBLIC_REGISTER and stored is not None and stored.origin == "register":
        return _RELAYED
    before = None if review.target is None else await store.outbox.of_hash(review.target)
    if before is None or says_something_graver(said_of(before.outgoing), finding):
        return None
    if reaches_further(before.outgoing.handling, Handling.from_parsed(content["handling"])):
        return None
    return _NOTHING_GRAVER


async def _open_review(store: Store, review_id: str) -> Review:
    review = await store.reviews.find(review_id)
    if review is None:
        raise NotFound("no such review")
    if review.state != "proposed":
        raise AlreadyDecided(f"this review was {review.state} already; nothing was changed")
    return review
