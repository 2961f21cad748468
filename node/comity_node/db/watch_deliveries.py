"""What watches send, by mail or webhook: each delivery keeps its id however often it is tried."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, delete, func, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.rows.watching import AlertRow, WatchDeliveryRow, WatchRow


@dataclass(frozen=True, slots=True)
class Delivery:
    """One mail or call, and what came of it."""

    number: int
    id: str
    watch: int
    is_test: bool
    state: str
    """`waiting`, `sent`, `given-up` or `dropped`."""
    tries: int
    made_at: datetime
    next_at: datetime | None = None
    ended_at: datetime | None = None
    said: str | None = None


@dataclass(frozen=True, slots=True)
class Unsent:
    """A watch that sends and of which alerts wait."""

    watch: int
    made_at: datetime | None
    """When its last delivery was made; None before the first."""
    oldest: datetime
    """When the alert was told that waits the longest."""
    told: int
    """How many alerts the last delivery tells."""


class WatchDeliveries:
    """Repository of what watches send."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def unsent(self) -> list[Unsent]:
        """Return the watches that send and of which alerts wait."""
        # The last by its number: a clock that was wrong for a while may have dated an earlier one later.
        last = (
            select(WatchDeliveryRow.number)
            .where(WatchDeliveryRow.watch == AlertRow.watch, col(WatchDeliveryRow.is_test).is_(False))
            .order_by(col(WatchDeliveryRow.number).desc())
            .limit(1)
            .correlate(AlertRow)
            .scalar_subquery()
        )
        query = (
            select(AlertRow.watch, last, func.min(AlertRow.at))
            .join(WatchRow, col(WatchRow.number) == col(AlertRow.watch))
            .where(col(AlertRow.delivery).is_(None), WatchRow.channel != "feed", col(WatchRow.ended_at).is_(None))
            .group_by(col(AlertRow.watch))
        )
        found = list(await self._session.exec(query))
        numbers = [number for _, number, _ in found if number is not None]
        dated = select(WatchDeliveryRow.number, WatchDeliveryRow.made_at).where(
            col(WatchDeliveryRow.number).in_(numbers)
        )
        made_at = dict((await self._session.exec(dated)).all()) if numbers else {}
        told = await self.counted(numbers) if numbers else {}
        return [Unsent(watch, made_at.get(number), oldest, told.get(number or 0, 0)) for watch, number, oldest in found]

    async def anything_waits(self) -> bool:
        """Tell whether any delivery waits, or any alert for one, whenever it may be tried."""
        waiting = select(WatchDeliveryRow.number).where(WatchDeliveryRow.state == "waiting").limit(1)
        return bool(await self.unsent()) or (await self._session.exec(waiting)).first() is not None

    async def make(self, delivery: Delivery, most: int) -> int:
        """Store a new delivery with the oldest alerts of its watch that wait, at most so many; return its number."""
        d = delivery
        row = WatchDeliveryRow(
            id=d.id, watch=d.watch, is_test=d.is_test, state=d.state, tries=d.tries, made_at=d.made_at,
            next_at=d.next_at,
        )  # fmt: skip
        self._session.add(row)
        await self._session.flush()
        number = row.number or 0
        if not d.is_test:
            waiting = select(AlertRow.number).where(AlertRow.watch == d.watch, col(AlertRow.delivery).is_(None))
            numbers = list(await self._session.exec(waiting.order_by(col(AlertRow.number)).limit(most)))
            told = update(AlertRow).where(col(AlertRow.number).in_(numbers)).values(delivery=number)
            await self._session.exec(told)
            self._session.expire_all()
        return number

    async def due(self, now: datetime, latest: datetime, most: int) -> list[Delivery]:
        """Return what waits and may be tried now, the longest waiting first.

        What waits for later than the latest that a pause can end, or was never tried and is no test, waits only since a
        clock was wrong for a while.

        What a watch sends of which something was not taken stands behind all others: many that do not answer hold up
        nobody.
        """
        row = WatchDeliveryRow
        may_be = (
            col(row.next_at) <= now,
            col(row.next_at) > latest,
            and_(col(row.tries) == 0, col(row.is_test).is_(False)),
        )
        query = select(row).where(row.state == "waiting", or_(*may_be))
        not_taken = select(row.watch).where(row.state == "waiting", col(row.tries) > 0)
        rows = await self._session.exec(query.order_by(col(row.watch).in_(not_taken), col(row.next_at)).limit(most))
        return [_delivery(row) for row in rows]

    async def find(self, number: int) -> Delivery | None:
        """Return a delivery."""
        row = await self._session.get(WatchDeliveryRow, number)
        return None if row is None else _delivery(row)

    async def number_of(self, delivery_id: str) -> int:
        """Return the number of a delivery that is there."""
        return (
            await self._session.exec(select(WatchDeliveryRow.number).where(WatchDeliveryRow.id == delivery_id))
        ).one() or 0

    async def put(self, delivery: Delivery) -> None:
        """Store what came of a try."""
        row = await self._session.get(WatchDeliveryRow, delivery.number)
        assert row is not None
        row.state, row.tries, row.next_at = delivery.state, delivery.tries, delivery.next_at
        row.ended_at, row.said = delivery.ended_at, delivery.said
        await self._session.flush()

    async def drop(self, watch: int, at: datetime) -> None:
        """Let nothing that waits of a watch be tried any more."""
        waiting = update(WatchDeliveryRow).where(
            col(WatchDeliveryRow.watch) == watch, col(WatchDeliveryRow.state) == "waiting"
        )
        await self._session.exec(waiting.values(state="dropped", next_at=None, ended_at=at, said="the watch was ended"))
        self._session.expire_all()

    async def page(self, watch: int, *, before: int | None, most: int) -> list[Delivery]:
        """Return what a watch sent, the newest first."""
        query = select(WatchDeliveryRow).where(col(WatchDeliveryRow.watch) == watch)
        if before is not None:
            query = query.where(col(WatchDeliveryRow.number) < before)
        rows = await self._session.exec(query.order_by(col(WatchDeliveryRow.number).desc()).limit(most))
        return [_delivery(row) for row in rows]

    async def past(self, before: datetime, most: int) -> list[int]:
        """Return the oldest, by number, that were made before a time, wait for nothing and tell no alert any more."""
        row = WatchDeliveryRow
        tells = select(AlertRow.number).where(col(AlertRow.delivery) == col(row.number)).exists()
        query = select(row.number, row.made_at, row.state, tells).order_by(col(row.number)).limit(most)
        rows = await self._session.exec(query)
        return [n or 0 for n, made_at, state, told in rows if made_at < before and state != "waiting" and not told]

    async def forget(self, numbers: Sequence[int]) -> None:
        """Forget the deliveries of these numbers."""
        await self._session.exec(delete(WatchDeliveryRow).where(col(WatchDeliveryRow.number).in_(numbers)))
        self._session.expire_all()

    async def counted(self, deliveries: Sequence[int]) -> dict[int, int]:
        """Return delivery to how many alerts it tells."""
        query = select(AlertRow.delivery, func.count()).where(col(AlertRow.delivery).in_(deliveries))
        rows = await self._session.exec(query.group_by(col(AlertRow.delivery)))
        return {delivery: count for delivery, count in rows if delivery is not None}


def _delivery(row: WatchDeliveryRow) -> Delivery:
    return Delivery(
        row.number or 0, row.id, row.watch, row.is_test, row.state, row.tries, row.made_at, row.next_at, row.ended_at,
        row.said,
    )  # fmt: skip
