"""Alerts as JSON values: what changed as the feed tells it, for which row of the officer's own, and why."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from comity_node.db import Store
from comity_node.db.watches import Alert
from comity_node.domain.watching.vendors import Vendor
from comity_node.domain.watching.watches import Watch
from comity_node.services.watching.feed import describe_item, items_of


async def describe_alerts(
    store: Store, alerts: Sequence[Alert], watches: Mapping[int, Watch], vendors: Mapping[int, Vendor], today: date
) -> list[dict[str, Any]]:
    """Return alerts with what their statements say now.

    Args:
        store: The open view.
        alerts: To describe.
        watches: By number, all that the alerts are of.
        vendors: By number, all that the alerts are about.
        today: For what a statement means.
    """
    changes = await store.changes.by_number({alert.change for alert in alerts})
    items = {item.number: item for item in await items_of(store, list(changes.values()))}
    return [
        {
            "number": alert.number,
            "at": alert.at.isoformat(),
            "watch": watches[alert.watch].id,
            "title": watches[alert.watch].title,
            "what": alert.news.value,
            **_row(None if alert.vendor is None else vendors.get(alert.vendor)),
            "supplier": alert.supplier,
            "verdict": alert.verdict,
            "why": alert.reason,
            "seen": alert.seen_at is not None,
            "change": describe_item(items[alert.change], today) if alert.change in items else None,
        }
        for alert in alerts
    ]


def _row(vendor: Vendor | None) -> dict[str, str | None]:
    return {"row": None if vendor is None else vendor.row, "vendor": None if vendor is None else vendor.id}
