"""How far other members have said to have applied this node's own log, each word with its time."""

from datetime import datetime

from sqlalchemy import delete, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.rows.deliveries import DeliveryRow

MOST_WORDS = 1_000
"""Most words kept of one member, the newest: three years of a word a day."""


class Deliveries:
    """Repository of members' words on this node's own log."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def note(self, member: str, seq: int, at: datetime) -> None:
        """Note a member's word; one that says no more than an earlier one changes nothing."""
        furthest = select(func.max(DeliveryRow.seq)).where(DeliveryRow.member == member)
        known = (await self._session.exec(furthest)).one()
        if known is not None and known >= seq:
            return
        self._session.add(DeliveryRow(member=member, seq=seq, at=at))
        await self._session.flush()
        kept = select(DeliveryRow.seq).where(DeliveryRow.member == member).order_by(col(DeliveryRow.seq).desc())
        oldest = (await self._session.exec(kept.offset(MOST_WORDS - 1).limit(1))).first()
        if oldest is not None:
            of_member = (col(DeliveryRow.member) == member, col(DeliveryRow.seq) < oldest)
            await self._session.exec(delete(DeliveryRow).where(*of_member))

    async def furthest(self) -> dict[str, int]:
        """Return member to the last place of this node's log that it has said to have applied."""
        query = select(DeliveryRow.member, func.max(DeliveryRow.seq)).group_by(DeliveryRow.member)
        return dict((await self._session.exec(query)).all())

    async def since(self, seq: int) -> dict[str, datetime]:
        """Return member to when it first said to have applied a place of this node's log."""
        query = select(DeliveryRow.member, DeliveryRow.at).where(DeliveryRow.seq >= seq).order_by(col(DeliveryRow.seq))
        found: dict[str, datetime] = {}
        for member, at in await self._session.exec(query):
            found.setdefault(member, at)
        return found
