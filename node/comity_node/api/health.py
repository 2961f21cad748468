"""Health for machines: alive, and ready with what holds the node up in words. No names, no counts of content."""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from comity_node.auth import ThisNode
from comity_schemas.errors import ComityError

router = APIRouter(tags=["health"])


class HeldUp(BaseModel):
    """Something that is not as it should be, since when, in words."""

    name: str
    since: str
    text: str


class Ready(BaseModel):
    """Whether everything works; when not, screening goes on over what is known."""

    ready: bool
    waiting_to_send: int
    held_up: list[HeldUp]


@router.get("/healthz")
async def is_alive() -> dict[str, str]:
    """The API answers."""
    return {"status": "alive"}


@router.get("/readyz", responses={503: {"model": Ready}})
async def is_ready(node: ThisNode, response: Response) -> Ready:
    """Database, registry, bus and relay work; 503 with the reasons when not."""
    async with node.database.read() as store:
        conditions = await store.conditions.all()
        counts = await store.outbox.counts()
    held_up = [HeldUp(name=c.name, since=c.since.isoformat(), text=c.text) for c in conditions]
    try:
        await node.registry()
    except ComityError as error:
        held_up.append(HeldUp(name="trust", since=node.clock().isoformat(), text=str(error)))
    if held_up:
        response.status_code = 503
    waiting = counts.get("queued", 0) + counts.get("signed", 0)
    return Ready(ready=not held_up, waiting_to_send=waiting, held_up=held_up)
