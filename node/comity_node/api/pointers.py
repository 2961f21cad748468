"""Pointers: "speak to us before contacting this supplier". They say nothing else, whatever they are made for."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from comity_node.api.bodies import Body
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.pages import Cursor, Limit, Page, page, read_cursor
from comity_node.api.reviews import ReviewOut, describe_review
from comity_node.auth import Releaser, ThisNode, saying
from comity_node.db import Store
from comity_node.domain.pointing import Whom
from comity_node.services.review import pointers
from comity_node.services.review.pointers import OwnPointer, PointerState, own_pointer
from comity_schemas.countries import Country
from comity_schemas.identifiers import Identifier
from comity_schemas.statement import Kind
from comity_schemas.subject import Name
from comity_schemas.wire import Digest, text

router = APIRouter(prefix="/pointers", tags=["pointers"])


class SupplierNamed(Body):
    """A supplier as it is named to others: never a site, never a person."""

    names: Annotated[tuple[text(200), ...], Field(min_length=1, max_length=20)]  # type: ignore[valid-type]
    country: Country
    identifiers: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()

    @property
    def whom(self) -> Whom:
        """The supplier as a pointer names it."""
        return Whom(self.country, tuple(Name(text=name) for name in self.names), self.identifiers)


class PointerProposal(SupplierNamed):
    """Propose that members are asked to speak to us first; `revises` prolongs an own pointer."""

    revises: Digest | None = None


class PointerOut(BaseModel):
    """An own pointer, and where it stands."""

    review: str
    statement: str | None
    state: PointerState
    names: list[str]
    country: str
    identifiers: list[dict[str, Any]]
    valid_until: date


@router.post("", status_code=201, dependencies=[saying(Kind.POINTER)], responses=refuses(403, 409))
async def propose_pointer(body: PointerProposal, person: Releaser, node: ThisNode, once: Onced) -> ReviewOut:
    """Propose a pointer. Nothing leaves before a second person approves; one of the two is a focal point."""

    async def write(store: Store) -> ReviewOut:
        review = await pointers.propose_pointer(store, person, body.whom, node.clock(), revises=body.revises)
        return await describe_review(store, review, node)

    return await once.write(write)


@router.get("", responses=refuses(403))
async def list_pointers(person: Releaser, node: ThisNode, cursor: Cursor = None, limit: Limit = 50) -> Page[PointerOut]:
    """Our pointers, newest first. What one is for is written in none."""
    async with node.database.read() as store:
        rows = await store.own_pointers.page(before=read_cursor(cursor), most=limit + 1)
        found = [await own_pointer(store, review, node.clock()) for review in rows]
    return page(found, limit, lambda p: p.review.number, _pointer)


def _pointer(own: OwnPointer) -> PointerOut:
    said = own.pointer
    return PointerOut(
        review=own.review.id,
        statement=own.statement,
        state=own.state,
        names=[name.text for name in said.names or ()],
        country=said.country,
        identifiers=[identifier.to_parsed() for identifier in said.identifiers or ()],
        valid_until=said.valid_until,
    )
