"""Local contacts to which people can be referred: taken in, and looked at again by a date. They never leave."""

from collections.abc import Sequence
from datetime import date, datetime
from hashlib import sha256

from comity_node.db import Store
from comity_node.db.referrals import MOST_CONTACTS
from comity_node.domain.errors import Contradictory, NotFound
from comity_node.domain.people import Person
from comity_node.domain.protection import Contact, ContactKind
from comity_node.domain.trail import Event


def contact_of(country: str, name: str, kind: ContactKind, reach: str, review_by: date) -> Contact:
    """Return a contact; the same organisation in the same country is the same contact."""
    same = sha256(f"{country} {name.casefold()}".encode()).hexdigest()[:16]
    return Contact(same, country, name, kind, reach, review_by)


async def take_in(store: Store, person: Person, contacts: Sequence[Contact], now: datetime) -> tuple[int, int]:
    """Store contacts, all or none; return how many are new and how many were there before.

    Raises:
        Contradictory: one stands there twice, was to be looked at again before today, or there would be too many.
    """
    if len({contact.id for contact in contacts}) != len(contacts):
        raise Contradictory("an organisation stands there twice for one country; nothing was taken in")
    stale = next((contact for contact in contacts if contact.overdue(now.date())), None)
    if stale is not None:
        raise Contradictory(f"{stale.name} was to be looked at again by {stale.review_by}; nothing was taken in")
    known = {contact.id for contact in await store.referrals.contacts()}
    new = [contact for contact in contacts if contact.id not in known]
    if len(known) + len(new) > MOST_CONTACTS:
        raise Contradictory(f"at most {MOST_CONTACTS} contacts are kept; nothing was taken in")
    for contact in contacts:
        await store.referrals.put(contact)
    counts = {"added": len(new), "changed": len(contacts) - len(new)}
    await store.trail.add(now, person.id, Event.CONTACTS_TAKEN_IN, "contacts", **counts)
    return counts["added"], counts["changed"]


async def remove_contact(store: Store, person: Person, contact_id: str, now: datetime) -> None:
    """Forget a contact; cases that spoke to it keep that they did.

    Raises:
        NotFound: there is none.
    """
    if await store.referrals.find(contact_id) is None:
        raise NotFound("no such contact")
    await store.referrals.remove(contact_id)
    await store.trail.add(now, person.id, Event.CONTACT_REMOVED, contact_id)
