"""Health for machines: alive, and ready with what holds the node up in words. No names, no counts of content."""

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel

from comity_node.auth import ThisNode
from comity_node.db import DatabaseUnavailable
from comity_node.domain.advice import advise
from comity_node.services.operating.room import disk_troubles
from comity_node.services.operating.status import registry_troubles
from comity_schemas.errors import ComityError

router = APIRouter(tags=["health"])


class HeldUp(BaseModel):
    """Something that is not as it should be, since when, what is safe meanwhile, what to do."""

    name: str
    since: str
    text: str
    safe: str
    do: str


class Ready(BaseModel):
    """Whether everything works; when not, screening goes on over what is known."""

    ready: bool
    waiting_to_send: int | None
    """None while the database does not tell."""
    held_up: list[HeldUp]
    trying: list[str]
    """Which windows of due process are shortened; none in production."""


@router.get("/healthz")
async def is_alive() -> dict[str, str]:
    """The API answers."""
    return {"status": "alive"}


@router.get("/readyz", responses={503: {"model": Ready}})
async def is_ready(node: ThisNode, response: Response) -> Ready:
    """Database, registry, bus and relay work; 503 with the reasons when not."""
    now = node.clock()
    waiting: int | None = None
    held_up = [_held_up(t.name, t.since or now, t.what) for t in disk_troubles(node.home.path)]
    try:
        async with node.database.read() as store:
            conditions = await store.conditions.all()
            waiting = (await store.backlogs.outgoing()).waiting
    except DatabaseUnavailable as error:
        conditions = []
        held_up.append(_held_up("database", now, str(error)))
    held_up += [_held_up(c.name, c.since, c.text) for c in conditions]
    try:
        registry = await node.registry()
    except ComityError as error:
        held_up.append(_held_up("trust", now, str(error)))
    else:
        named = {c.name for c in conditions}
        held_up += [_held_up(t.name, t.since or now, t.what) for t in registry_troubles(registry, named, now)]
    if held_up:
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    trying = node.settings.windows.differences()
    return Ready(ready=not held_up, waiting_to_send=waiting, held_up=held_up, trying=trying)


def _held_up(name: str, since: datetime, text: str) -> HeldUp:
    advice = advise(name)
    return HeldUp(name=name, since=since.isoformat(), text=text, safe=advice.safe, do=advice.do)
