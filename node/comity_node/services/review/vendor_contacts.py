"""The list of vendors' contacts: taken in whole, used for one code at a time, forgotten when its time is over."""

import json
from datetime import datetime
from typing import Any

from comity_node.db import Store
from comity_node.db.vendor_contacts import ContactList
from comity_node.domain.errors import NotFound
from comity_node.domain.people import Person
from comity_node.domain.retention import months_after
from comity_node.domain.trail import Event
from comity_node.domain.vendor_contacts import FoundBy, VendorContact, find_contact, of_parsed, to_parsed
from comity_node.services.accounts import new_id
from comity_node.services.publishing.published import OF_A_SUPPLIER, RELEASE
from comity_schemas.identifiers import Identifier


async def take_in(
    store: Store, person: Person, contacts: list[VendorContact], months: int, now: datetime
) -> ContactList:
    """Keep a list in place of the one before, for so many months."""
    listed = ContactList(new_id(), person.id, now, len(contacts), months_after(now.date(), months))
    content = json.dumps([to_parsed(contact) for contact in contacts], ensure_ascii=False).encode()
    await store.vendor_contacts.put(listed, content)
    await store.trail.add(now, person.id, Event.VENDOR_CONTACTS_TAKEN_IN, listed.id, vendors=listed.vendors)
    return listed


async def delete(store: Store, by: str, now: datetime) -> None:
    """Forget the list.

    Raises:
        NotFound: there is none.
    """
    listed = await store.vendor_contacts.find()
    if listed is None:
        raise NotFound("there is no list of vendors' contacts")
    await store.vendor_contacts.delete()
    await store.trail.add(now, by, Event.VENDOR_CONTACTS_DELETED, listed.id)


async def find(store: Store, review_id: str) -> list[tuple[VendorContact, FoundBy]]:
    """Return the contacts that may be of the supplier of a proposal.

    Raises:
        NotFound: there is no such proposal of something about a supplier.
    """
    review = await store.reviews.find(review_id)
    content: dict[str, Any] = {} if review is None or review.act != RELEASE else json.loads(review.content)
    body = next((content[kind] for kind in OF_A_SUPPLIER if kind in content), None)
    if body is None:
        raise NotFound("no such proposal")
    kept = await store.vendor_contacts.content()
    contacts = [] if kept is None else [of_parsed(each) for each in json.loads(kept)]
    names = [name["text"] for name in body.get("names") or ()]
    return find_contact(contacts, names, [Identifier.from_parsed(each) for each in body.get("identifiers") or ()])


async def read(store: Store, person: Person, review_id: str, now: datetime) -> list[tuple[VendorContact, FoundBy]]:
    """Return the same to a person; that they read it is on the trail, and no address is.

    Raises:
        NotFound: as `find`.
    """
    found = await find(store, review_id)
    await store.trail.add(now, person.id, Event.VENDOR_CONTACT_READ, review_id, contacts=len(found))
    return found
