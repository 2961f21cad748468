"""Forgetting old alerts and deliveries, so that what is told does not grow for ever.

What stays of an alert is that it was told: a log that is decided anew years later tells nobody a second time.
"""

from datetime import UTC, datetime, time

from comity_node.db import Database
from comity_node.domain.retention import months_after
from comity_node.domain.trail import Event

PART = 400
"""Alerts, and deliveries, that one round looks at; the next one goes on."""


async def forget_old(database: Database, months: int, now: datetime) -> int:
    """Forget alerts and deliveries older than so many months, seen or not; return how many of both.

    What waits to be sent is kept until it was sent or given up.
    """
    # Whole months, and never too soon.
    before = datetime.combine(months_after(now.date(), -months - 1), time.max, UTC)
    async with database.read() as store:
        alerts = await store.watches.past(before, PART)
        deliveries = await store.deliveries_of_watches.past(before, PART)
    if not alerts and not deliveries:
        return 0
    async with database.write() as store:
        await store.watches.forget(alerts)
        await store.deliveries_of_watches.forget(deliveries)
        detail = {"alerts": len(alerts), "deliveries": len(deliveries)}
        await store.trail.add(now, "retention", Event.ALERTS_FORGOTTEN, "alerts", **detail)
    return len(alerts) + len(deliveries)
