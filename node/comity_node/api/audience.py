"""Who would read a finding, those who should not first, and a focal point's consent to it."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from comity_node.api.bodies import Id
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.reviews import ReviewOut, describe_review
from comity_node.api.visible import read_report, visible_review
from comity_node.auth import FocalPoint, Releaser, ThisNode
from comity_node.db import Store
from comity_node.domain.audience import readers
from comity_node.services.review import audience
from comity_schemas.member import PublicAccess

router = APIRouter(prefix="/reviews", tags=["review"])


class ReaderOut(BaseModel):
    """A member that would read it."""

    slug: str
    name: str
    country: str
    role: str
    public_access: PublicAccess
    """Whether outsiders can compel it to disclose what it holds."""
    excluded: str | None
    """Why it should not read it, by default; such readers come first."""


class ConsentOut(BaseModel):
    """A focal point's consent that members of the site's own country read it."""

    given_by: str
    given_at: datetime


class ReadersOut(BaseModel):
    """Who would read a proposal, and whether it waits for a focal point."""

    waits: bool
    """Whether it is held back until a focal point consents."""
    why: str | None
    """Why members of the site's own country should not read it; null where nobody is excluded."""
    consent: ConsentOut | None
    readers: list[ReaderOut]


@router.get("/{review_id}/readers", responses=refuses(403, 404))
async def list_readers(review_id: Id, person: Releaser, node: ThisNode) -> ReadersOut:
    """Every member that would read it, those who should not first. Each reading is on the trail."""
    registry = await node.registry()
    async with node.database.write() as store:
        review = await visible_review(store, review_id, person)
        if review.report_id is not None:
            await read_report(store, review.report_id, person, node.clock(), what="proposal")
        found = await audience.audience_of(store, review)
    given = found.consent
    listed = readers(registry.members, node.settings.member, found.finding, found.why)
    return ReadersOut(
        waits=found.why is not None and given is None,
        why=found.why,
        consent=None if given is None else ConsentOut(given_by=given.given_by, given_at=given.given_at),
        readers=[ReaderOut.model_validate(each, from_attributes=True) for each in listed],
    )


@router.post("/{review_id}/consent", responses=refuses(403, 404, 409))
async def consent_to_readers(review_id: Id, person: FocalPoint, node: ThisNode, once: Onced) -> ReviewOut:
    """Consent that members of the site's own country read it. Without, it is held back: nothing can be sealed yet."""

    async def write(store: Store) -> ReviewOut:
        await visible_review(store, review_id, person)
        review = await audience.consent(store, person, review_id, node.clock())
        return await describe_review(store, review, node)

    return await once.write(write)


@router.post("/{review_id}/consent/take-back", responses=refuses(403, 404, 409))
async def take_consent_back(review_id: Id, person: FocalPoint, node: ThisNode, once: Onced) -> ReviewOut:
    """Take a consent back before the release."""

    async def write(store: Store) -> ReviewOut:
        await visible_review(store, review_id, person)
        review = await audience.take_consent_back(store, person, review_id, node.clock())
        return await describe_review(store, review, node)

    return await once.write(write)
