"""The list of vendors' contacts: taken in, looked at one supplier at a time, deleted. Nothing of it leaves the node."""

import asyncio
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Base64Bytes, BaseModel, Field

from comity_node.api.bodies import Body, Id
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.visible import visible_review
from comity_node.auth import Releaser, Reviewer, ThisNode
from comity_node.db import Store
from comity_node.domain.errors import NotFound
from comity_node.domain.vendor_contacts import FoundBy, read_contacts
from comity_node.domain.vocabulary import Language
from comity_node.services.review import vendor_contacts

router = APIRouter(tags=["supplier"])


class ContactsIn(Body):
    """The list as a CSV in any usual form, or a workbook: `vendor`, `mail`, and perhaps a number and a language."""

    table: Annotated[Base64Bytes, Field(max_length=2_900_000)]


class ContactsOut(BaseModel):
    """What is told of the list; no address is."""

    id: str
    by: str
    at: datetime
    vendors: int
    keep_until: date
    """After this day the node destroys it by itself."""
    unread: list[str] = []
    """Columns that were not read, and are not kept."""


class ContactOut(BaseModel):
    """A contact that may be of the supplier."""

    vendor: str
    mail: str
    language: Language | None
    found_by: FoundBy
    """An equal name alone is no proof: look before you use it."""


class ContactsFound(BaseModel):
    """All of them; empty where the list has none."""

    contacts: list[ContactOut]


@router.post("/vendor-contacts", status_code=201, responses=refuses(403))
async def take_in_vendor_contacts(body: ContactsIn, person: Reviewer, node: ThisNode, once: Onced) -> ContactsOut:
    """Take in the list, in place of the one before, of which nothing stays."""
    contacts, unread = await asyncio.to_thread(read_contacts, body.table)

    async def take_in(store: Store) -> ContactsOut:
        months = node.settings.contacts_months
        listed = await vendor_contacts.take_in(store, person, contacts, months, node.clock())
        return ContactsOut.model_validate({"unread": unread, **_told(listed)})

    return await once.write(take_in)


@router.get("/vendor-contacts", responses=refuses(403, 404))
async def show_vendor_contacts(person: Releaser, node: ThisNode) -> ContactsOut:
    """Whose list is here, since when, and until when it is kept."""
    async with node.database.read() as store:
        listed = await store.vendor_contacts.find()
    if listed is None:
        raise NotFound("there is no list of vendors' contacts; codes are handed on")
    return ContactsOut.model_validate(_told(listed))


@router.delete("/vendor-contacts", status_code=204, responses=refuses(403, 404))
async def delete_vendor_contacts(person: Reviewer, node: ThisNode, once: Onced) -> Response:
    """Delete the list; its key is destroyed."""

    async def delete(store: Store) -> None:
        await vendor_contacts.delete(store, person.id, node.clock())

    await once.write(delete)
    return Response(status_code=204)


@router.get("/vendor-contacts/{review_id}", responses=refuses(403, 404))
async def find_vendor_contacts(review_id: Id, person: Releaser, node: ThisNode) -> ContactsFound:
    """The contacts that may be of the supplier of a proposal. That you read them is on the trail."""
    async with node.database.write() as store:
        await visible_review(store, review_id, person)
        found = await vendor_contacts.read(store, person, review_id, node.clock())
    return ContactsFound(
        contacts=[
            ContactOut(vendor=each.vendor, mail=each.mail, language=each.language, found_by=by) for each, by in found
        ]
    )


def _told(listed: object) -> dict[str, object]:
    return {name: getattr(listed, name) for name in ("id", "by", "at", "vendors", "keep_until")}
