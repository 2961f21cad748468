"""What waits to go out and what waits to be decided: how much, and since when. Quick however much was done before."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.received import in_state
from comity_node.db.rows.bus import OutboxRow, ReceivedRow
from comity_node.db.rows.review import ReviewRow

_UNSENT = ("queued", "signed")


@dataclass(frozen=True, slots=True)
class Backlog:
    """So many wait, the oldest since then; None when nothing waits."""

    waiting: int
    since: datetime | None


class Backlogs:
    """Repository of both."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def outgoing(self) -> Backlog:
        """Return what was released and is not known to be on the bus."""
        unsent = col(OutboxRow.state).in_(_UNSENT)
        count = (await self._session.exec(select(func.count()).select_from(OutboxRow).where(unsent))).one()
        oldest = (
            select(ReviewRow.decided_at)
            .join(OutboxRow, col(OutboxRow.review_id) == col(ReviewRow.id))
            .where(unsent)
            .order_by(col(ReviewRow.decided_at))
            .limit(1)
        )
        return Backlog(count, (await self._session.exec(oldest)).first() if count else None)

    async def undecided(self) -> Backlog:
        """Return what was received and not looked at yet."""
        query = select(func.count(), func.min(ReceivedRow.received_at)).where(in_state("new"))
        count, since = (await self._session.exec(query)).one()
        return Backlog(count, since)
