"""The feed of changes, for an organisation's own system that follows what the network shares."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from comity_node.api.contract import refuses
from comity_node.api.pages import Limit
from comity_node.auth import SupplierReader, ThisNode
from comity_node.domain.trail import Event
from comity_node.services.suppliers.following import catch_up
from comity_node.services.watching.feed import cursor_of_now, describe_item, tell_changes

router = APIRouter(tags=["watching"])

NOW = "now"


class ChangeOut(BaseModel):
    """One change, with what its statement says now. Absence is never clearance."""

    number: int
    at: str
    what: str
    kind: str
    statement: str | None
    suppliers: list[dict[str, Any]]
    published_by: str | None
    seq: int | None
    handling: dict[str, Any] | None
    standing: str | None
    says: dict[str, Any] | None
    about: str | None
    changed_by: str | None
    taken_back: str | None


class ChangesOut(BaseModel):
    """A page of the feed, the oldest first. `next` is always there: keep it, and come back with it."""

    items: list[ChangeOut]
    next: str
    more: bool


@router.get("/changes", responses=refuses(403, 409, 422))
async def list_changes(
    person: SupplierReader,
    node: ThisNode,
    after: Annotated[
        str | None, Query(max_length=60, description="A cursor; `now` begins behind all there is.")
    ] = None,
    limit: Limit = 100,
) -> ChangesOut:
    """What changed in what the network shares: new, changed, withdrawn, disputed, decided, merged, expired."""
    await catch_up(node.database)
    now = node.clock()
    async with node.database.read() as store:
        if after == NOW:
            return ChangesOut(items=[], next=await cursor_of_now(store), more=False)
        told = await tell_changes(store, after, limit)
    if told.items:
        first, last = told.items[0].number, told.items[-1].number
        async with node.database.write() as store:
            await store.trail.add(now, person.id, Event.CHANGES_READ, "changes", first=first, last=last)
    items = [ChangeOut(**describe_item(item, now.date())) for item in told.items]
    return ChangesOut(items=items, next=told.cursor, more=told.more)
