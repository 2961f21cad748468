"""Sending what watches were told: a delivery is made with its alerts, tried until it is taken, and given up in the end.

Rules:
- A delivery and the alerts it tells are one transaction; it keeps its id. Only what came of a try is written after it:
  a crash between the two tries again under the same id, and whoever keeps the ids it took in takes each once.
- Growing pauses, then it is given up and the log says so; the alerts stay, and are there for whoever looks.
- A mail names rows by the officer's own ids, never by names: it crosses other people's servers. A webhook's call says
  what the feed says.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from comity_node.db import Database, Store
from comity_node.db.watch_deliveries import Delivery
from comity_node.db.watches import Alert
from comity_node.domain.trail import Event
from comity_node.domain.watching.vendors import Vendor
from comity_node.domain.watching.watches import PAUSES, Channel, Watch
from comity_node.services.accounts import new_id
from comity_node.services.review.mail import MailNotSent, MailServer, send
from comity_node.services.watching.alerts import describe_alerts
from comity_node.services.watching.webhooks import Network, NotDelivered, call

MOST_TOLD = 100
"""Alerts in one delivery; what is left follows in the next."""

RETRIES = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 360, 720, 1440, 1440))
"""Pauses between tries; after the last try it is given up, some three days after the first."""

_AT_ONCE = 10
"""Deliveries that are tried side by side: one that does not answer holds up nobody else's."""


@dataclass(frozen=True, slots=True)
class Outward:
    """Through what things are sent."""

    mail: MailServer | None
    networks: Sequence[Network]
    member: str


async def make_deliveries(database: Database, now: datetime) -> int:
    """Make a delivery for every watch of which alerts wait and whose time has come; return how many."""
    async with database.read() as store:
        due = await _due(store, now)
    if not due:
        return 0
    async with database.write() as store:
        # Looked at anew: somebody may have made them meanwhile.
        due = await _due(store, now)
        for watch in due:
            await store.deliveries_of_watches.make(_new(watch, now), MOST_TOLD)
    return len(due)


async def _due(store: Store, now: datetime) -> list[int]:
    unsent = await store.deliveries_of_watches.unsent()
    watches = await store.watches.by_number([each.watch for each in unsent])
    due = []
    for each in unsent:
        watch = watches[each.watch]
        passed = now - (each.made_at or watch.made_at)
        # What the last one had no room for waits for no further day: what was only being stored meanwhile does. A last
        # one that is still to come was made under a clock that was wrong, and holds up nothing.
        left = each.made_at is not None and each.oldest <= each.made_at and each.told >= MOST_TOLD
        if left or not timedelta(0) <= passed < PAUSES[watch.timing]:
            due.append(each.watch)
    return due


def _new(watch: int, now: datetime, *, is_test: bool = False) -> Delivery:
    # A test is tried by whoever asked for it. Only if they are gone before that, it is due as any other.
    due = now + RETRIES[0] if is_test else now
    return Delivery(0, new_id(), watch, is_test, "waiting", 0, now, next_at=due)


async def make_test(store: Store, watch: Watch, now: datetime) -> int:
    """Make a delivery that tells nothing but that it is a test; return its number."""
    return await store.deliveries_of_watches.make(_new(watch.number, now, is_test=True), 0)


async def try_due(database: Database, outward: Outward, now: datetime) -> int:
    """Try what may be tried now; return how many were."""
    async with database.read() as store:
        due = await store.deliveries_of_watches.due(now, now + RETRIES[-1], _AT_ONCE)
    await asyncio.gather(*(try_delivery(database, outward, delivery.number, now) for delivery in due))
    return len(due)


async def try_delivery(
    database: Database, outward: Outward, number: int, now: datetime, by: str = "exchange"
) -> Delivery:
    """Try one delivery, and write down what came of it."""
    async with database.read() as store:
        delivery = await store.deliveries_of_watches.find(number)
        assert delivery is not None
        if delivery.state != "waiting":
            return delivery
        watch = (await store.watches.by_number([delivery.watch]))[delivery.watch]
        secret = await store.watches.secret(watch.number)
        alerts = await store.watches.of_delivery(number)
        vendors = await store.vendors.by_number(a.vendor for a in alerts if a.vendor is not None)
        told = await describe_alerts(store, alerts, {watch.number: watch}, vendors, now.date())
    if not alerts and not delivery.is_test:
        said = "the rows that it was about were removed"
        tried = replace(delivery, state="dropped", next_at=None, ended_at=now, said=said)
    else:
        try:
            said = await _send(outward, watch, secret, delivery, alerts, vendors, told, now)
            tried = replace(delivery, state="sent", tries=delivery.tries + 1, next_at=None, ended_at=now, said=said)
        except (MailNotSent, NotDelivered) as error:
            tried = _later(delivery, str(error), now)
    async with database.write() as store:
        kept = await store.deliveries_of_watches.find(number)
        # Ended meanwhile: it stays dropped, unless somebody has taken it.
        if kept is not None and (kept.state == "waiting" or tried.state == "sent"):
            await store.deliveries_of_watches.put(tried)
        if tried.state == "sent":
            detail = {"channel": watch.channel.value, "alerts": len(alerts)}
            await store.trail.add(now, by, Event.ALERTS_SENT, delivery.id, **detail)
    return tried


def _later(delivery: Delivery, why: str, now: datetime) -> Delivery:
    tries = delivery.tries + 1
    if delivery.is_test or tries > len(RETRIES):
        return replace(delivery, state="given-up", tries=tries, next_at=None, ended_at=now, said=why)
    return replace(delivery, tries=tries, next_at=now + RETRIES[tries - 1], said=why)


async def _send(
    outward: Outward,
    watch: Watch,
    secret: str | None,
    delivery: Delivery,
    alerts: Sequence[Alert],
    vendors: dict[int, Vendor],
    told: list[dict[str, Any]],
    now: datetime,
) -> str:
    assert watch.target is not None
    if watch.channel is Channel.WEBHOOK:
        assert secret is not None
        content = {"delivery": delivery.id, "watch": watch.id, "test": delivery.is_test, "alerts": told}
        return await call(watch.target, secret, delivery.id, content, now, outward.networks)
    if outward.mail is None:
        raise MailNotSent("this node sends no mail: mail_host, mail_from and public_url are not set")
    message = compose(outward.mail.sender, watch, delivery, alerts, vendors, outward.member, now)
    await send(outward.mail, message, instead="look at your alerts with comity alerts")
    return "the mail server took it"


def compose(
    sender: str,
    watch: Watch,
    delivery: Delivery,
    alerts: Sequence[Alert],
    vendors: dict[int, Vendor],
    member: str,
    now: datetime,
) -> EmailMessage:
    """Return the mail: what kind of news, for which of the officer's rows; no name of anybody."""
    message = EmailMessage(policy=SMTP)
    count = "a test" if delivery.is_test else f"{len(alerts)} alert{'s' if len(alerts) != 1 else ''}"
    message["Subject"] = f"{member}: {count}"
    message["From"], message["To"], message["Date"] = sender, watch.target, format_datetime(now)
    # The same however often it is tried: a mailbox that has it shows it once.
    message["Message-ID"] = f"<{delivery.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    lines = [_line(alert, vendors) for alert in alerts] or ["This is a test: mail of this watch reaches you."]
    message.set_content(
        "\n".join([*lines, "", "What it is: comity alerts", f"To end this: comity watch end {watch.id}", ""])
    )
    return message


def _line(alert: Alert, vendors: dict[int, Vendor]) -> str:
    vendor = None if alert.vendor is None else vendors.get(alert.vendor)
    whom = "" if vendor is None else f", your row {vendor.row}"
    sure = f" ({alert.verdict})" if alert.verdict else ""
    return f"{alert.number}: {alert.news.value}{whom}{sure}"
