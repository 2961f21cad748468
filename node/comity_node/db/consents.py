"""Focal points' consents that members of the site's own country read a finding."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.rows.reports import ConsentRow


@dataclass(frozen=True, slots=True)
class Consent:
    """A focal point let members of the site's own country read a finding."""

    review_id: str
    given_by: str
    given_at: datetime


class Consents:
    """Repository of consents."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, consent: Consent) -> None:
        """Store a consent."""
        row = ConsentRow(review_id=consent.review_id, given_by=consent.given_by, given_at=consent.given_at)
        self._session.add(row)
        await self._session.flush()

    async def find(self, review_id: str) -> Consent | None:
        """Return the consent to a proposal."""
        row = await self._session.get(ConsentRow, review_id)
        return None if row is None else Consent(row.review_id, row.given_by, row.given_at)

    async def remove(self, review_id: str) -> None:
        """Take a consent back; the trail keeps that it was given."""
        await self._session.delete(await self._session.get_one(ConsentRow, review_id))
        await self._session.flush()
