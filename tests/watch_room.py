"""An officer with a list of firms at a node that receives: rows, watches, alerts, and what is sent of them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from comity_node.db import Database
from comity_node.db.watches import Alert
from comity_node.domain.matching.party import Party
from comity_node.domain.people import Person, PersonRole
from comity_node.domain.watching.watches import Channel, Interest, Timing, Watch
from comity_node.services.accounts import add_person
from comity_node.services.suppliers.following import catch_up
from comity_node.services.watching.noticing import note_alerts
from comity_node.services.watching.sending import Outward
from comity_node.services.watching.vendors import Kept, Portfolios, keep_vendors
from comity_node.services.watching.watches import begin_watch
from comity_schemas.identifiers import Identifier
from node_world import NOW
from supplier_desk import Desk, desk_at

LOCAL = (ip_network("127.0.0.0/8"),)
INSIDE = Outward(None, LOCAL, "agency")
"""A node whose administrator lets webhooks call this machine."""


def row(name: str, *identifiers: dict[str, str], country: str | None = None) -> Party:
    return Party((name,), country, (), tuple(Identifier.from_parsed(i) for i in identifiers))


class WatchRoom:
    """An officer at a desk's node."""

    def __init__(self, desk: Desk, officer: Person, other: Person) -> None:
        self.desk, self.database, self.officer, self.other = desk, desk.database, officer, other
        self.portfolios = Portfolios()

    async def keep(self, *, whose: Person | None = None, replace: bool = False, **rows: Party) -> Kept:
        async with self.database.write() as store:
            return await keep_vendors(store, whose or self.officer, list(rows.items()), NOW, replace=replace)

    async def watch(
        self,
        channel: Channel = Channel.FEED,
        target: str | None = None,
        timing: Timing = Timing.AT_ONCE,
        whose: Person | None = None,
        **interest: Any,
    ) -> tuple[Watch, str | None]:
        async with self.database.write() as store:
            return await begin_watch(
                store, whose or self.officer, "mine", Interest(**interest), channel, timing, target, NOW
            )

    async def look(self, now: datetime = NOW) -> None:
        """Follow the view and make alerts of it, as the exchange does."""
        await catch_up(self.database)
        while await note_alerts(self.database, self.portfolios, now):
            pass

    async def alerts(self, whose: Person | None = None) -> list[Alert]:
        """All alerts of somebody, the oldest first, once everything was looked at."""
        await self.look()
        async with self.database.read() as store:
            found = await store.watches.page(
                (whose or self.officer).id, watch=None, unseen=False, before=None, most=1_000
            )
        return found[::-1]

    async def told(self, whose: Person | None = None) -> list[tuple[str, str | None, str | None]]:
        """(what, statement, row) of all alerts of somebody."""
        alerts = await self.alerts(whose)
        async with self.database.read() as store:
            vendors = await store.vendors.by_number(a.vendor for a in alerts if a.vendor is not None)
        return [(a.news.value, a.statement, vendors[a.vendor].row if a.vendor else None) for a in alerts]

    async def vendor(self, named: str) -> str:
        async with self.database.read() as store:
            return (await store.vendors.of_rows(self.officer.id, [named]))[named].id


async def watch_room_at(database: Database) -> WatchRoom:
    desk = await desk_at(database)
    people = []
    for name in ("Ove", "Pia"):
        async with database.write() as store:
            people.append(
                await add_person(
                    store, name=name, roles=[PersonRole.OFFICER], firm=None, password_hash=None, by="test", now=NOW
                )
            )
    return WatchRoom(desk, *people)


@dataclass
class Receiver:
    """A real web server that takes calls of webhooks, and answers as it is told."""

    port: int = 0
    answers: list[bytes] = field(default_factory=list)
    """The answers to come, each a whole HTTP response; 204 when there is none."""
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.calls]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:] if line}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.calls.append((headers, body))
        writer.write(self.answers.pop(0) if self.answers else b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """Serve webhooks on this machine."""
    taken = Receiver()
    server = await asyncio.start_server(taken.serve, "127.0.0.1", 0)
    taken.port = server.sockets[0].getsockname()[1]
    async with server:
        yield taken
