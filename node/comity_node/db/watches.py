"""Watches and the alerts they were told, each once."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, text, update
from sqlalchemy import select as sa_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.bulk import insert_rows, stored_time
from comity_node.db.keys import Seals
from comity_node.db.reading import Reading
from comity_node.db.rows.watching import AlertRow, ForgottenAlertRow, WatchDeliveryRow, WatchRow
from comity_node.domain.changing import News
from comity_node.domain.watching.watches import Channel, Interest, Timing, Watch


@dataclass(frozen=True, slots=True)
class NewAlert:
    """That a change answers to a watch."""

    id: str
    watch: int
    change: int
    once: str
    """What makes it the same alert, whenever it comes again."""
    news: News
    statement: str | None
    vendor: int | None
    supplier: int | None
    verdict: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it stands in the list."""

    number: int
    watch: int
    change: int
    news: News
    statement: str | None
    vendor: int | None
    supplier: int | None
    verdict: str | None
    reason: str
    at: datetime
    seen_at: datetime | None
    delivery: int | None


class Told(NamedTuple):
    """That a watch was told of a statement, and for which row."""

    watch: int
    vendor: int | None
    supplier: int | None
    verdict: str | None


class Watches:
    """Repository of watches and alerts."""

    def __init__(self, session: AsyncSession, seals: Seals) -> None:
        self._session = session
        self._seals = seals

    async def add(self, watch: Watch, secret: str | None) -> int:
        """Store a new watch; return its number."""
        row = WatchRow(
            id=watch.id,
            owner=watch.owner,
            title=watch.title,
            interest=_interest_text(watch.interest),
            channel=watch.channel.value,
            timing=watch.timing.value,
            target=self._seals.seal_words(watch.target),
            secret=self._seals.seal_words(secret),
            made_at=watch.made_at,
        )
        self._session.add(row)
        await self._session.flush()
        return row.number or 0

    async def find(self, watch_id: str) -> Watch | None:
        """Return a watch, ended or not."""
        row = (await self._session.exec(select(WatchRow).where(WatchRow.id == watch_id))).first()
        return None if row is None else self._watch(row)

    async def secret(self, number: int) -> str | None:
        """Return with what a webhook's calls are signed."""
        row = await self._session.get(WatchRow, number)
        return None if row is None else self._seals.open_words(row.secret)

    async def end(self, number: int, at: datetime) -> None:
        """Let a watch be told nothing any more."""
        await self._session.exec(update(WatchRow).where(col(WatchRow.number) == number).values(ended_at=at))
        self._session.expire_all()

    async def of_owner(self, owner: str) -> list[Watch]:
        """Return the watches of an officer that are not ended, the oldest first."""
        query = select(WatchRow).where(col(WatchRow.owner) == owner, col(WatchRow.ended_at).is_(None))
        return [self._watch(row) for row in await self._session.exec(query.order_by(col(WatchRow.number)))]

    async def any_stands(self) -> bool:
        """Tell whether any watch is not ended."""
        return bool(await Reading(self._session).rows("select 1 from watch where ended_at is null limit 1"))

    async def standing(self) -> list[Watch]:
        """Return all watches that are not ended."""
        query = select(WatchRow).where(col(WatchRow.ended_at).is_(None)).order_by(col(WatchRow.number))
        return [self._watch(row) for row in await self._session.exec(query)]

    async def by_number(self, numbers: Sequence[int]) -> dict[int, Watch]:
        """Return the watches of these numbers."""
        query = select(WatchRow).where(col(WatchRow.number).in_(sorted(set(numbers))))
        return {row.number or 0: self._watch(row) for row in await self._session.exec(query)}

    # --- alerts

    async def tell(self, alerts: Sequence[NewAlert], at: datetime) -> int:
        """Store alerts, each once; what was told before is not told again. Return how many are new."""
        told, gone = 0, set[tuple[int, int]]()
        connection = await self._session.connection()
        forgotten = await self._forgotten([alert.once for alert in alerts])
        for alert in alerts:
            if alert.news is News.REMOVED and (alert.watch, alert.change) not in gone:
                gone.add((alert.watch, alert.change))
                # What comes back after it did not count any more is news again.
                again = {"watch": alert.watch, "statement": alert.statement}
                await connection.execute(_TELL_AGAIN, again)
                await connection.execute(_REMEMBER_NO_MORE, again)
                forgotten = {o: of for o, of in forgotten.items() if of != (alert.watch, alert.statement)}
            if alert.once in forgotten:
                continue
            values = {
                "watch": alert.watch, "change": alert.change, "once": alert.once, "news": alert.news.value,
                "statement": alert.statement, "vendor": alert.vendor, "supplier": alert.supplier,
                "verdict": alert.verdict, "reason": alert.reason, "at": stored_time(at),
            }  # fmt: skip
            told += (await connection.execute(_TELL, values)).rowcount
        return told

    async def _forgotten(self, names: Sequence[str]) -> dict[str, tuple[int, str | None]]:
        """Return which of these were told so long ago that only this is left: (watch, statement) of each."""
        row, found = ForgottenAlertRow, dict[str, tuple[int, str | None]]()
        for start in range(0, len(names), _CHUNK):
            query = select(row.once, row.watch, row.statement).where(col(row.once).in_(names[start : start + _CHUNK]))
            found.update({once: (watch, statement) for once, watch, statement in await self._session.exec(query)})
        return found

    async def told_of(self, statement: str) -> list[Told]:
        """Return who was told anything of a statement, also where only that is left."""
        alert, left = AlertRow, ForgottenAlertRow
        kept = await self._session.exec(
            select(alert.watch, alert.vendor, alert.supplier, alert.verdict)
            .where(alert.statement == statement)
            .order_by(col(alert.number))
        )
        gone = await self._session.exec(select(left.watch, left.vendor).where(left.statement == statement))
        return [*(Told(*row) for row in kept), *(Told(watch, vendor, None, None) for watch, vendor in gone)]

    async def past(self, before: datetime, most: int) -> list[int]:
        """Return the numbers of the oldest alerts that were told before a time and wait for nothing to be sent."""
        delivery, alert = WatchDeliveryRow, AlertRow
        query = (
            sa_select(*map(col, (alert.number, alert.at, WatchRow.channel, WatchRow.ended_at, delivery.state)))
            .join(WatchRow, col(WatchRow.number) == col(alert.watch))
            .outerjoin(delivery, col(delivery.number) == col(alert.delivery))
            .order_by(col(alert.number))
            .limit(most)
        )
        rows: Iterable[Any] = await (await self._session.connection()).execute(query)
        return [
            number
            for number, at, channel, ended, state in rows
            if at < before
            and state != "waiting"
            and (channel == Channel.FEED.value or ended is not None or state is not None)
        ]

    async def forget(self, numbers: Sequence[int]) -> None:
        """Forget alerts of these numbers but for that they were told."""
        for start in range(0, len(numbers), _CHUNK):
            these = col(AlertRow.number).in_(numbers[start : start + _CHUNK])
            alerts = await self._session.exec(_ALERTS.where(these, col(AlertRow.once).not_like("before %")))
            rows = [(a.once, a.watch, a.statement, a.vendor) for a in alerts]
            await insert_rows(self._session, ForgottenAlertRow, ("once", "watch", "statement", "vendor"), rows)
            await self._session.exec(delete(AlertRow).where(these))
        self._session.expire_all()

    async def page(self, owner: str, *, watch: int | None, unseen: bool, before: int | None, most: int) -> list[Alert]:
        """Return an officer's alerts, the newest first."""
        query = _ALERTS.join(WatchRow, col(WatchRow.number) == col(AlertRow.watch)).where(WatchRow.owner == owner)
        if watch is not None:
            query = query.where(col(AlertRow.watch) == watch)
        if unseen:
            query = query.where(col(AlertRow.seen_at).is_(None))
        if before is not None:
            query = query.where(col(AlertRow.number) < before)
        return [
            _alert(row) for row in await self._session.exec(query.order_by(col(AlertRow.number).desc()).limit(most))
        ]

    async def see(self, owner: str, upto: int, at: datetime) -> int:
        """Note that an officer has seen the alerts up to a number; return how many were new to them."""
        mine = select(WatchRow.number).where(WatchRow.owner == owner)
        query = update(AlertRow).where(
            col(AlertRow.watch).in_(mine), col(AlertRow.number) <= upto, col(AlertRow.seen_at).is_(None)
        )
        done = await self._session.exec(query.values(seen_at=at))
        self._session.expire_all()
        return int(done.rowcount)

    async def of_delivery(self, delivery: int) -> list[Alert]:
        """Return the alerts that one delivery tells, in their order."""
        query = _ALERTS.where(col(AlertRow.delivery) == delivery).order_by(col(AlertRow.number))
        return [_alert(row) for row in await self._session.exec(query)]

    def _watch(self, row: WatchRow) -> Watch:
        return Watch(
            row.number or 0,
            row.id,
            row.owner,
            row.title,
            _interest(json.loads(row.interest)),
            Channel(row.channel),
            Timing(row.timing),
            row.made_at,
            self._seals.open_words(row.target),
            row.ended_at,
        )


_ALERTS = select(AlertRow)
_TELL = text(
    'insert into alert (watch, change, once, news, statement, vendor, supplier, verdict, reason, "at") values '
    "(:watch, :change, :once, :news, :statement, :vendor, :supplier, :verdict, :reason, :at) on conflict do nothing"
)
_CHUNK = 500
_REMEMBER_NO_MORE = text("delete from forgotten_alert where statement = :statement and watch = :watch")
_TELL_AGAIN = text(
    "update alert set once = 'before ' || number || ' ' || once "
    "where statement = :statement and watch = :watch and once not like 'before %'"
)


def _alert(row: AlertRow) -> Alert:
    return Alert(
        row.number or 0, row.watch, row.change, News(row.news), row.statement, row.vendor, row.supplier, row.verdict,
        row.reason, row.at, row.seen_at, row.delivery,
    )  # fmt: skip


def interest_to_parsed(interest: Interest) -> dict[str, Any]:
    """Return an interest as a JSON value."""
    return {
        "vendors": interest.vendors,
        "vendor": interest.vendor,
        "supplier": interest.supplier,
        "countries": list(interest.countries),
        "sectors": list(interest.sectors),
        "indicators": list(interest.indicators),
        "least_severity": interest.least_severity,
        "members": list(interest.members),
        "news": [news.value for news in interest.news],
    }


def _interest_text(interest: Interest) -> str:
    return json.dumps(interest_to_parsed(interest))


def _interest(given: dict[str, Any]) -> Interest:
    lists = ("countries", "sectors", "indicators", "members")
    values: dict[str, Any] = {name: tuple(value) if name in lists else value for name, value in given.items()}
    return Interest(**{**values, "news": tuple(News(each) for each in given["news"])})
