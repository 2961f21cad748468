"""The pointers that this member has proposed, and for which suppliers."""

from collections.abc import Collection

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.reviews import Review, review_of
from comity_node.db.rows.pointers import PointerMarkRow
from comity_node.db.rows.review import ReviewRow


class OwnPointers:
    """Repository of own pointers: proposals with the marks (names with countries, identifiers) of their suppliers."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def mark(self, review_id: str, marks: Collection[str]) -> None:
        """Note whom a proposal is about."""
        self._session.add_all([PointerMarkRow(review_id=review_id, mark=mark) for mark in sorted(marks)])
        await self._session.flush()

    async def marked(self, marks: Collection[str]) -> list[Review]:
        """Return the proposals about a supplier with any of these marks (at most 40), oldest first."""
        named = select(PointerMarkRow.review_id).where(col(PointerMarkRow.mark).in_(sorted(marks)))
        query = select(ReviewRow).where(col(ReviewRow.id).in_(named)).order_by(col(ReviewRow.number))
        return [review_of(row) for row in await self._session.exec(query)]

    async def page(self, *, before: int | None, most: int) -> list[Review]:
        """Return the proposals, newest first."""
        query = select(ReviewRow).where(col(ReviewRow.id).in_(select(PointerMarkRow.review_id)))
        if before is not None:
            query = query.where(col(ReviewRow.number) < before)
        rows = await self._session.exec(query.order_by(col(ReviewRow.number).desc()).limit(most))
        return [review_of(row) for row in rows]
