"""Whom people can turn to in each country, and who is on duty for people at risk. Local: nothing of it leaves."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from comity_node.api.bodies import Body, Id
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.auth import Admin, Releaser, Staff, ThisNode
from comity_node.db import Store
from comity_node.domain.protection import Contact, ContactKind
from comity_node.services.protection import contacts, duty
from comity_schemas.countries import Country
from comity_schemas.wire import text

router = APIRouter(tags=["people at risk"])


class ContactIn(Body):
    """An organisation, how to reach it, and until when this is taken to be right."""

    country: Country
    name: text(200)  # type: ignore[valid-type]
    kind: ContactKind
    reach: text(300)  # type: ignore[valid-type]
    review_by: date


class ContactsIn(Body):
    """Contacts to take in; one that is here already, by country and name, is changed."""

    contacts: Annotated[tuple[ContactIn, ...], Field(min_length=1, max_length=500)]


class TakenInOut(BaseModel):
    """How many contacts are new, and how many were here and changed."""

    added: int
    changed: int


class ContactOut(BaseModel):
    """A contact; `overdue` when somebody should have looked whether it is still right."""

    id: str
    country: str
    name: str
    kind: ContactKind
    reach: str
    review_by: date
    overdue: bool


class ContactsOut(BaseModel):
    """Contacts by country and name."""

    items: list[ContactOut]


class DutyIn(Body):
    """Focal point and deputies by the names of their accounts, in the order in which they are asked."""

    names: Annotated[tuple[text(100), ...], Field(min_length=1, max_length=duty.MOST_ON_DUTY)]  # type: ignore[valid-type]


class OnDutyOut(BaseModel):
    """Somebody on duty."""

    id: str
    name: str


class DutyOut(BaseModel):
    """Focal point and deputies in their order; without names all focal points."""

    items: list[OnDutyOut]


@router.post("/contacts", responses=refuses(403))
async def take_in_contacts(body: ContactsIn, person: Releaser, node: ThisNode, once: Onced) -> TakenInOut:
    """Take contacts in, all or none."""
    given = [contacts.contact_of(c.country, c.name, c.kind, c.reach, c.review_by) for c in body.contacts]

    async def write(store: Store) -> TakenInOut:
        added, changed = await contacts.take_in(store, person, given, node.clock())
        return TakenInOut(added=added, changed=changed)

    return await once.write(write)


@router.get("/contacts", responses=refuses(403))
async def list_contacts(person: Staff, node: ThisNode, country: Country | None = None) -> ContactsOut:
    """Whom people can turn to, by country."""
    async with node.database.read() as store:
        found = await store.referrals.contacts(country)
    return ContactsOut(items=[_contact(contact, node.clock().date()) for contact in found])


@router.delete("/contacts/{contact_id}", status_code=204, responses=refuses(403, 404))
async def remove_contact(contact_id: Id, person: Releaser, node: ThisNode, once: Onced) -> Response:
    """Forget a contact."""

    async def write(store: Store) -> None:
        await contacts.remove_contact(store, person, contact_id, node.clock())

    await once.write(write)
    return Response(status_code=204)


@router.get("/focal-points", responses=refuses(403))
async def list_focal_points(person: Staff, node: ThisNode) -> DutyOut:
    """Who is asked first when people are at risk, and who next."""
    async with node.database.read() as store:
        return await _duty(store)


@router.put("/focal-points", responses=refuses(403, 404))
async def name_focal_points(body: DutyIn, person: Admin, node: ThisNode, once: Onced) -> DutyOut:
    """Name focal point and deputies in their order; each has the role of a focal point."""

    async def write(store: Store) -> DutyOut:
        await duty.name_duty(store, person, body.names, node.clock())
        return await _duty(store)

    return await once.write(write)


def _contact(contact: Contact, today: date) -> ContactOut:
    return ContactOut(
        id=contact.id,
        country=contact.country,
        name=contact.name,
        kind=contact.kind,
        reach=contact.reach,
        review_by=contact.review_by,
        overdue=contact.overdue(today),
    )


async def _duty(store: Store) -> DutyOut:
    people = [await store.accounts.find_person(each) for each in await duty.on_duty(store)]
    return DutyOut(items=[OnDutyOut(id=person.id, name=person.name) for person in people if person is not None])
