"""The list of vendors' contacts, sealed whole with a key of its own: replaced or deleted, its key is shredded."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.keys import Seals
from comity_node.db.rows.review import VendorContactsRow


@dataclass(frozen=True, slots=True)
class ContactList:
    """What is told of the list without opening it."""

    id: str
    by: str
    at: datetime
    vendors: int
    keep_until: date


class VendorContacts:
    """Repository of the one list that there is, or none."""

    def __init__(self, session: AsyncSession, seals: Seals) -> None:
        self._session = session
        self._seals = seals

    async def find(self) -> ContactList | None:
        """Return what is known of the list."""
        row = await self._row()
        return (
            None
            if row is None
            else ContactList(row.id, row.by, row.at, row.vendors, date.fromisoformat(row.keep_until))
        )

    async def content(self) -> bytes | None:
        """Return what the list holds.

        Raises:
            KeyGone: its key is lost.
        """
        row = await self._row()
        return None if row is None else self._seals.open(row.key, row.content, row.id)

    async def put(self, listed: ContactList, content: bytes) -> None:
        """Keep a list in place of the one before."""
        await self.delete()
        key, sealed = self._seals.seal(content, listed.id)
        self._session.add(
            VendorContactsRow(
                id=listed.id,
                by=listed.by,
                at=listed.at,
                vendors=listed.vendors,
                keep_until=listed.keep_until.isoformat(),
                key=key,
                content=sealed,
            )
        )
        await self._session.flush()

    async def delete(self) -> bool:
        """Forget the list and destroy its key; False where there is none."""
        row = await self._row()
        if row is None:
            return False
        await self._session.delete(row)
        await self._session.flush()
        self._seals.shred(row.key)
        return True

    async def _row(self) -> VendorContactsRow | None:
        return (await self._session.exec(select(VendorContactsRow))).first()
