"""Watches, what they were told, and what was sent of it; each officer's own, never anybody else's."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, model_validator

from comity_node.api.bodies import MOST_ROWS, Body, Id, Unfit
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.pages import Cursor, Limit, Page, page, read_cursor
from comity_node.api.suppliers import Which
from comity_node.auth import Officer, ThisNode
from comity_node.db import Store
from comity_node.db.watch_deliveries import Delivery
from comity_node.db.watches import interest_to_parsed
from comity_node.domain.changing import News
from comity_node.domain.vendor_contacts import MAIL_ADDRESS
from comity_node.domain.watching.watches import Channel, Interest, Timing, Watch, WatchRefused
from comity_node.services.watching.alerts import describe_alerts
from comity_node.services.watching.sending import make_test, try_delivery
from comity_node.services.watching.watches import begin_watch, end_watch, own_watch
from comity_node.services.watching.webhooks import MOST_URL, NotDelivered, check_url
from comity_schemas.countries import Country
from comity_schemas.finding import Severity
from comity_schemas.indicators import Indicator
from comity_schemas.wire import Slug, text

router = APIRouter(tags=["watching"])

_SECTOR = Annotated[str, Field(pattern=r"^[A-Z0-9]{3,6}:[A-Z]?[0-9./-]{0,12}$")]


class WatchIn(Body):
    """What you want to be told, and how. All that is given must hold; lists are any of."""

    title: text(100)  # type: ignore[valid-type]
    vendors: bool = True
    vendor: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    supplier: Which | None = None
    countries: Annotated[tuple[Country, ...], Field(max_length=50)] = ()
    sectors: Annotated[tuple[_SECTOR, ...], Field(max_length=50)] = ()
    indicators: Annotated[tuple[Indicator, ...], Field(max_length=50)] = ()
    least_severity: Severity | None = None
    members: Annotated[tuple[Slug, ...], Field(max_length=50)] = ()
    news: Annotated[tuple[News, ...], Field(max_length=len(News))] = ()
    timing: Timing = Timing.AT_ONCE
    mail: Annotated[str, Field(pattern=MAIL_ADDRESS, max_length=254)] | None = None
    webhook: Annotated[str, Field(max_length=MOST_URL)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.mail is not None and self.webhook is not None:
            raise Unfit("a watch sends mail or calls a webhook, not both; make two")
        return self

    def interest(self) -> Interest:
        """Return what is to be watched."""
        return Interest(
            self.vendors,
            self.vendor,
            self.supplier,
            self.countries,
            self.sectors,
            tuple(each.value for each in self.indicators),
            None if self.least_severity is None else self.least_severity.value,
            self.members,
            self.news,
        )


class WatchOut(BaseModel):
    """A watch of yours. `secret` signs a webhook's calls and is shown this once."""

    id: str
    title: str
    interest: dict[str, Any]
    channel: str
    timing: str
    target: str | None
    made_at: str
    secret: str | None = None


class AlertOut(BaseModel):
    """That something you watch changed: for which row, why, and the change with what it says now."""

    number: int
    at: str
    watch: str
    title: str
    what: str
    row: str | None
    vendor: str | None
    supplier: int | None
    verdict: str | None
    why: str
    seen: bool
    change: dict[str, Any] | None


class SeenIn(Body):
    """Up to which alert you have seen all."""

    number: Annotated[int, Field(ge=1, le=MOST_ROWS)]


class SeenOut(BaseModel):
    """How many were new to you."""

    seen: int


class DeliveryOut(BaseModel):
    """One mail or call: what came of it, never what was in it."""

    id: str
    state: str
    test: bool
    alerts: int
    tries: int
    made_at: str
    next_at: str | None
    ended_at: str | None
    said: str | None


@router.post("/watches", status_code=201, responses=refuses(403, 404, 409))
async def add_watch(body: WatchIn, person: Officer, node: ThisNode, once: Onced) -> WatchOut:
    """Begin to watch, from what changes next. A webhook's secret is shown this once."""
    channel = Channel.MAIL if body.mail is not None else Channel.WEBHOOK if body.webhook is not None else Channel.FEED
    if body.webhook is not None:
        try:
            check_url(body.webhook)
        except NotDelivered as error:
            raise WatchRefused(f"{error}; nothing was changed") from error

    async def begin(store: Store) -> WatchOut:
        target = body.mail or body.webhook
        watch, secret = await begin_watch(
            store, person, body.title, body.interest(), channel, body.timing, target, node.clock()
        )
        return _out(watch, secret)

    return await once.write(begin)


@router.get("/watches", responses=refuses(403))
async def list_watches(person: Officer, node: ThisNode) -> list[WatchOut]:
    """Your watches, the oldest first."""
    async with node.database.read() as store:
        return [_out(watch) for watch in await store.watches.of_owner(person.id)]


@router.delete("/watches/{watch_id}", status_code=204, responses=refuses(403, 404))
async def remove_watch(watch_id: Id, person: Officer, node: ThisNode, once: Onced) -> None:
    """End a watch: nothing more is told or sent; what it was told stays."""

    async def end(store: Store) -> None:
        await end_watch(store, person, watch_id, node.clock())

    await once.write(end)


@router.post("/watches/{watch_id}/test", responses=refuses(403, 404, 409))
async def test_watch(watch_id: Id, person: Officer, node: ThisNode, once: Onced) -> DeliveryOut:
    """Send a test now, and say what came of it; it is in the log as any other."""

    async def make(store: Store) -> DeliveryOut:
        watch = await own_watch(store, person, watch_id)
        if watch.channel is Channel.FEED or watch.ended_at is not None:
            raise WatchRefused("this watch sends nothing; nothing was sent")
        number = await make_test(store, watch, node.clock())
        made = await store.deliveries_of_watches.find(number)
        assert made is not None
        return _delivery(made, 0)

    made = await once.write(make)
    async with node.database.read() as store:
        number = await store.deliveries_of_watches.number_of(made.id)
    tried = await try_delivery(node.database, node.outward, number, node.clock(), person.id)
    return _delivery(tried, 0)


@router.get("/watches/{watch_id}/deliveries", responses=refuses(403, 404))
async def list_watch_deliveries(
    watch_id: Id, person: Officer, node: ThisNode, cursor: Cursor = None, limit: Limit = 50
) -> Page[DeliveryOut]:
    """What a watch sent, newest first: when, how often it was tried, what came of it."""
    async with node.database.read() as store:
        watch = await own_watch(store, person, watch_id)
        rows = await store.deliveries_of_watches.page(watch.number, before=read_cursor(cursor), most=limit + 1)
        counted = await store.deliveries_of_watches.counted([row.number for row in rows])
    return page(rows, limit, lambda d: d.number, lambda d: _delivery(d, counted.get(d.number, 0)))


@router.get("/alerts", responses=refuses(403, 404))
async def list_alerts(
    person: Officer,
    node: ThisNode,
    watch: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = None,
    unseen: bool = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[AlertOut]:
    """What your watches were told, newest first, each with what its statement says now."""
    async with node.database.read() as store:
        number = None if watch is None else (await own_watch(store, person, watch)).number
        rows = await store.watches.page(
            person.id, watch=number, unseen=unseen, before=read_cursor(cursor), most=limit + 1
        )
        watches = await store.watches.by_number([row.watch for row in rows])
        vendors = await store.vendors.by_number(row.vendor for row in rows if row.vendor is not None)
        told = await describe_alerts(store, rows, watches, vendors, node.clock().date())
    described = {each["number"]: AlertOut(**each) for each in told}
    return page(rows, limit, lambda a: a.number, lambda a: described[a.number])


@router.post("/alerts/seen", responses=refuses(403))
async def see_alerts(body: SeenIn, person: Officer, node: ThisNode, once: Onced) -> SeenOut:
    """Say that you have seen your alerts up to one."""

    async def see(store: Store) -> SeenOut:
        return SeenOut(seen=await store.watches.see(person.id, body.number, node.clock()))

    return await once.write(see)


def _out(watch: Watch, secret: str | None = None) -> WatchOut:
    return WatchOut(
        id=watch.id,
        title=watch.title,
        interest=interest_to_parsed(watch.interest),
        channel=watch.channel.value,
        timing=watch.timing.value,
        target=watch.target,
        made_at=watch.made_at.isoformat(),
        secret=secret,
    )


def _delivery(delivery: Delivery, alerts: int) -> DeliveryOut:
    return DeliveryOut(
        id=delivery.id,
        state=delivery.state,
        test=delivery.is_test,
        alerts=alerts,
        tries=delivery.tries,
        made_at=delivery.made_at.isoformat(),
        next_at=None if delivery.next_at is None else delivery.next_at.isoformat(),
        ended_at=None if delivery.ended_at is None else delivery.ended_at.isoformat(),
        said=delivery.said,
    )
