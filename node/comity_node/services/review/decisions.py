"""Proposing an authority's decision for release: the ruling stays, the decision inside it leaves after two people."""

import json
from datetime import datetime

from comity_federation import strict_json
from comity_federation.encoding import digest
from comity_node.db import Store
from comity_node.db.reviews import Review
from comity_node.db.rulings import StoredRuling
from comity_node.domain.errors import AlreadyProposed
from comity_node.domain.people import Person
from comity_node.domain.ruling import Ruling, decision_handling
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id
from comity_node.services.publishing.published import RELEASE, published_item, require_unrevised, was_taken_back
from comity_node.services.review.release import check_handling
from comity_schemas.handling import Handling
from comity_schemas.statement import Kind


def ruling_id(ruling: Ruling) -> str:
    """Return the name of a ruling: a digest of all it holds."""
    return digest(strict_json.dumps(ruling.to_parsed()))


async def keep_ruling(
    store: Store, person: Person, ruling: Ruling, now: datetime, identity: str | None = None
) -> StoredRuling:
    """Store a ruling, or return it where it is held already."""
    raw = strict_json.dumps(ruling.to_parsed())
    stored = StoredRuling(digest(raw), raw, identity, person.id, now)
    held = await store.rulings.find(stored.id)
    if held is None:
        await store.rulings.add(stored)
    return held or stored


async def propose_decision(
    store: Store,
    person: Person,
    stored: StoredRuling,
    *,
    now: datetime,
    handling: Handling | None = None,
    revises: str | None = None,
    batch: str | None = None,
) -> Review:
    """Propose that the decision of a ruling is released.

    Args:
        store: The open transaction.
        person: Who proposes.
        stored: A ruling this node holds.
        now: The time.
        handling: Other terms than the default.
        revises: Hash of an own published decision that this one corrects or lifts.
        batch: Names proposals that are decided together.

    Raises:
        AlreadyProposed: it is proposed or released already.
        HandlingRefused: nothing can be released under these terms.
        NotPublished: what it would correct is not published, or was corrected already.
    """
    decision = Ruling.model_validate_json(stored.raw).decision
    if revises is not None:
        await published_item(store, revises, Kind.DECISION)
        await require_unrevised(store, revises)
        decision = decision.model_copy(update={"replaces": revises})
    terms = handling or decision_handling(decision)
    check_handling(decision, terms)
    for review in await store.reviews.of_ruling(stored.id):
        if review.state == "rejected" or review.target != revises:
            continue
        if not await was_taken_back(store, review.id):
            raise AlreadyProposed(f"this decision is {review.state} already (review {review.id})")
    content = {"decision": decision.to_parsed(), "handling": terms.to_parsed()}
    review = Review(
        id=new_id(),
        act=RELEASE,
        state="proposed",
        content=json.dumps(content, ensure_ascii=False),
        proposed_by=person.id,
        proposed_at=now,
        ruling_id=stored.id,
        target=revises,
        batch=batch,
    )
    await store.reviews.add(review)
    await store.trail.add(now, person.id, Event.REVIEW_PROPOSED, review.id, act=RELEASE, ruling=stored.id)
    return review


async def published_decision(store: Store, ruling: str) -> str | None:
    """Return the hash of the statement that came of a ruling and stands; None where there is none."""
    for review in reversed(await store.reviews.of_ruling(ruling)):
        if review.state != "approved":
            continue
        item = await store.outbox.of_review(review.id)
        if item is None or item.hash is None:
            return None
        return None if await was_taken_back(store, review.id) else item.hash
    return None
