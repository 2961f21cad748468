"""The JSON API under `/api/v1`: OpenAPI 3.1, problem details, cursors, bounded bodies."""

from fastapi import APIRouter

from comity_node.api import (
    health,
    imports,
    metrics,
    network,
    peers,
    people,
    quarantine,
    reports,
    reviews,
    screening,
    vocabulary,
)

api_v1 = APIRouter(prefix="/api/v1")
for _room in (people, reports, reviews, imports, screening, network, quarantine, vocabulary, peers):
    api_v1.include_router(_room.router)

health_router = health.router
metrics_router = metrics.router

__all__ = ["api_v1", "health_router", "metrics_router"]
