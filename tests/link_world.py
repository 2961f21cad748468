"""An agency with a finding on its way to release, a supplier that is told of it, and its link."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from api_world import MEDIA_TYPE
from comity_federation.keys import load_signing_pair
from comity_federation.statements import genesis
from comity_node.services.publishing.relay import Head, sign_queued
from heard import NOBODY_BLAMED
from node_world import Clock, House, Town

DENIED = {"act": "reply", "codes": ["facts-disputed"]}


class Desk:
    """An agency with a finding on its way, its people, and a clock that the test moves."""

    def __init__(self, town: Town, house: House, clock: Clock) -> None:
        self.town, self.house, self.clock = town, house, clock
        self.review = ""

    async def ask(self, who: str, method: str, path: str, **more: Any) -> httpx2.Response:
        async with self.house.api(self.house.people[who]) as api:
            return await api.request(method, f"/api/v1/{path}", **more)

    async def through(self, secret: str, method: str, path: str = "supplier", **more: Any) -> httpx2.Response:
        async with self.house.api(Authorization=f"Bearer {secret}") as api:
            return await api.request(method, f"/api/v1/{path}", **more)

    async def link(self) -> dict[str, Any]:
        made = await self.ask("ana", "POST", f"reviews/{self.review}/link")
        assert made.status_code == 201, made.text
        return dict(made.json())


@asynccontextmanager
async def opened(tmp_path: Any, window_s: int) -> AsyncIterator[Desk]:
    town, clock = Town(tmp_path), Clock()
    house = await town.found("agency", clock=clock, more={"reply_window_s": window_s})
    town.admit(town.firm_entry())
    await town.refresh()
    await house.hire("greta", "auditor", firm="firm")
    for name in ("ana", "ben"):
        await house.hire(name, "reviewer")
    made = Desk(town, house, clock)
    report = (await made.ask("greta", "POST", "reports", content=town.signed(), headers=MEDIA_TYPE)).json()["id"]
    body = {"report": report, "observation": "O1"}
    made.review = (await made.ask("ana", "POST", "reviews", json=body)).json()["id"]
    yield made
    await town.close()


async def tell(desk: Desk) -> str:
    """Let the supplier be told, and return its link's secret."""
    await desk.ask("ben", "POST", f"reviews/{desk.review}/check", json=NOBODY_BLAMED)
    await desk.ask("ana", "POST", f"reviews/{desk.review}/notify")
    return str((await desk.link())["secret"])


async def published(desk: Desk, review: str = "") -> str:
    """Let two people release it, and the relay sign it; return its hash."""
    desk.clock.pass_time(seconds=2)
    approved = await desk.ask("ben", "POST", f"reviews/{review or desk.review}/approve")
    assert approved.status_code == 200, approved.text
    node = desk.house.node
    member = node.own_member(await node.registry())
    await sign_queued(
        node.database, member, load_signing_pair(node.home.signing_key), Head(0, genesis(member.did)), node.clock()
    )
    items = (await desk.ask("ana", "GET", "published?limit=9")).json()["items"]
    return str(next(item["statement"] for item in items if item["review"] == (review or desk.review)))
