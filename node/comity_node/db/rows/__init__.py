"""The tables, by room; all are imported here, so that all are known before any is asked for."""

from comity_node.db.rows import (
    bus,
    cases,
    columns,
    contracts,
    deliveries,
    filing,
    jobs,
    people,
    plans,
    pointers,
    reports,
    review,
    suppliers,
    trail,
    view,
    voices,
    watching,
)
from comity_node.db.rows.columns import metadata

__all__ = [
    "bus",
    "cases",
    "columns",
    "contracts",
    "deliveries",
    "filing",
    "jobs",
    "metadata",
    "people",
    "plans",
    "pointers",
    "reports",
    "review",
    "suppliers",
    "trail",
    "view",
    "voices",
    "watching",
]
