"""Suppliers' personal links."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.keys import Seals
from comity_node.db.rows.review import SupplierLinkRow


@dataclass(frozen=True, slots=True)
class SupplierLink:
    """A link to one finding, good until it is revoked."""

    id: str
    review_id: str
    made_by: str
    made_at: datetime
    draft: str | None = None
    """JSON of what the supplier has begun to say."""


class SupplierLinks:
    """Repository of links; the secret itself is stored nowhere."""

    def __init__(self, session: AsyncSession, seals: Seals) -> None:
        self._session = session
        self._seals = seals

    async def add(self, link: SupplierLink, secret_hash: str) -> None:
        """Store a new link by the hash of its secret."""
        row = SupplierLinkRow(
            id=link.id, review_id=link.review_id, hash=secret_hash, made_by=link.made_by, made_at=link.made_at
        )
        self._session.add(row)
        await self._session.flush()

    async def by_secret(self, secret_hash: str) -> SupplierLink | None:
        """Return the link of a secret, unless it was revoked; nothing of it is used up."""
        row = (await self._session.exec(select(SupplierLinkRow).where(SupplierLinkRow.hash == secret_hash))).first()
        if row is None or row.revoked_at is not None:
            return None
        return SupplierLink(row.id, row.review_id, row.made_by, row.made_at, self._seals.open_words(row.draft))

    async def revoke(self, link_id: str, now: datetime) -> bool:
        """Revoke a link at once; False where there is none that is good."""
        row = await self._session.get(SupplierLinkRow, link_id)
        if row is None or row.revoked_at is not None:
            return False
        row.revoked_at = now
        await self._session.flush()
        return True

    async def put_draft(self, link_id: str, draft: str | None) -> None:
        """Keep what the supplier has begun to say, or forget it."""
        row = await self._session.get(SupplierLinkRow, link_id)
        assert row is not None
        row.draft = self._seals.seal_words(draft)
        await self._session.flush()
