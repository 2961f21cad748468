"""The JSON API under `/api/v1`: OpenAPI 3.1, problem details, cursors, bounded bodies."""

from fastapi import APIRouter

from comity_node.api import (
    allowances,
    audience,
    audits,
    cases,
    changes,
    concerns,
    contracts,
    corroborations,
    decisions,
    evidence,
    filings,
    health,
    imports,
    jobs,
    metrics,
    network,
    peers,
    people,
    plans,
    pointers,
    quarantine,
    reconcile,
    referrals,
    replies,
    reports,
    reviews,
    risks,
    screening,
    screening_files,
    supplier,
    supplier_facts,
    suppliers,
    trail,
    vendor_contacts,
    vendors,
    vocabulary,
    watches,
    yente,
)

api_v1 = APIRouter(prefix="/api/v1")
_ROOMS = (
    # First, since an address is looked for in this order and no other is asked for as often.
    screening,
    people,
    reports,
    evidence,
    concerns,
    reviews,
    plans,
    contracts,
    replies,
    supplier,
    vendor_contacts,
    suppliers,
    corroborations,
    supplier_facts,
    audits,
    decisions,
    pointers,
    allowances,
    audience,
    cases,
    referrals,
    imports,
    jobs,
    screening_files,
    filings,
    changes,
    vendors,
    watches,
    network,
    trail,
    quarantine,
    vocabulary,
    risks,
    peers,
)
for _room in _ROOMS:
    api_v1.include_router(_room.router)

health_router = health.router
metrics_router = metrics.router
yente_router = yente.router
reconcile_router = reconcile.router

__all__ = ["api_v1", "health_router", "metrics_router", "reconcile_router", "yente_router"]
