"""Local contacts to which people can be referred, and who is on duty for cases."""

from collections.abc import Sequence
from datetime import date

from sqlmodel import col, delete, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.rows.cases import ContactRow, OnDutyRow
from comity_node.domain.protection import Contact, ContactKind

MOST_CONTACTS = 2_000


class Referrals:
    """Repository of local contacts and of focal point and deputies."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(self, contact: Contact) -> None:
        """Store a contact, in place of one with the same id."""
        row = await self._session.get(ContactRow, contact.id)
        given = (contact.country, contact.name, contact.kind.value, contact.reach, contact.review_by.isoformat())
        if row is None:
            row = ContactRow(id=contact.id, country="", name="", kind="", reach="", review_by="")
            self._session.add(row)
        row.country, row.name, row.kind, row.reach, row.review_by = given
        await self._session.flush()

    async def find(self, contact_id: str) -> Contact | None:
        """Return a contact by its id."""
        row = await self._session.get(ContactRow, contact_id)
        return None if row is None else _contact(row)

    async def contacts(self, country: str | None = None) -> list[Contact]:
        """Return all contacts, or those of a country, by country and name; at most `MOST_CONTACTS` are ever kept."""
        query = select(ContactRow).order_by(ContactRow.country, ContactRow.name)
        if country is not None:
            query = query.where(ContactRow.country == country)
        return [_contact(row) for row in await self._session.exec(query)]

    async def count(self, today: date) -> tuple[int, int]:
        """Return how many contacts there are, and of how many the review date is past."""
        past = select(func.count()).where(col(ContactRow.review_by) < today.isoformat())
        every = select(func.count()).select_from(ContactRow)
        return (await self._session.exec(every)).one(), (await self._session.exec(past)).one()

    async def remove(self, contact_id: str) -> None:
        """Forget a contact."""
        await self._session.exec(delete(ContactRow).where(col(ContactRow.id) == contact_id))

    async def put_duty(self, people: Sequence[str]) -> None:
        """Name the focal point and its deputies, in this order."""
        await self._session.exec(delete(OnDutyRow))
        self._session.expire_all()
        self._session.add_all([OnDutyRow(place=place, person_id=person) for place, person in enumerate(people, 1)])
        await self._session.flush()

    async def duty(self) -> list[str]:
        """Return focal point and deputies in their order."""
        return list(await self._session.exec(select(OnDutyRow.person_id).order_by(col(OnDutyRow.place))))


def _contact(row: ContactRow) -> Contact:
    return Contact(row.id, row.country, row.name, ContactKind(row.kind), row.reach, date.fromisoformat(row.review_by))
