"""A node that only listens: the real receiver over a real database and any bus, told its registry by the test."""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comity_federation.registry import Registry
from comity_node.db import Database
from comity_node.db.logs import LogStatus
from comity_node.db.quarantine import Chosen
from comity_node.services.answering.moment import Coverage, cover
from comity_node.services.operating.check import check
from comity_node.services.receiving.subscriptions import trust_fingerprint
from comity_node.wiring import Home, Node
from comity_node.wiring.settings import Settings
from comity_node.workers.following import Following
from comity_node.workers.loops import Loops, Step
from comity_node.workers.receiver import Receiver
from hostile_bus import HostileBus
from node_world import Bench, Clock, new_sqlite

QUIET_AFTER = 6
"""Empty reads in a row after which nothing more is on its way: the receiver holds at most four batches at once."""


@dataclass
class Listener:
    """One node, its database file and what it follows. It outlives restarts."""

    directory: Path
    bus: HostileBus
    registry: Registry
    clock: Clock = field(default_factory=Clock)
    _url: str = ""

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._url = self._url or new_sqlite(self.directory, f"{uuid.uuid4().hex}.db")

    async def listen(self, registry: Registry | None = None) -> None:
        """Run until everything that the bus serves is received and decided; then stop, as a restart would."""
        self.registry = registry or self.registry
        async with self._running() as (node, tasks):
            while not await self._is_quiet(node.database):
                for task in tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.005)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """Open what the node holds, between two runs."""
        database = Database(self._url)
        try:
            yield database
        finally:
            await database.close()

    async def snapshot(self) -> dict[str, Any]:
        """Everything a reader could see of the logs of all members."""
        async with self.database() as database:
            return await Bench(database).snapshot(*self.registry.members)

    async def coverage(self) -> Coverage:
        """Whom an answer of this node would rest on, now."""
        return cover(self.registry, await self.logs(), self.clock())

    async def logs(self) -> dict[str, LogStatus]:
        async with self.database() as database, database.read() as store:
            return {log.member: log for log in await store.logs.all()}

    async def refused(self) -> list[tuple[str, int | None, str | None]]:
        """Member, step and code of all that lies in quarantine and uses up no place."""
        async with self.database() as database, database.read() as store:
            rows = await store.quarantine.page(Chosen(), before=None, most=100_000)
        return [(row.member, row.step, row.code) for row in reversed(rows) if row.state == "refused"]

    async def conditions(self) -> dict[str, str]:
        """What holds the node up, in words."""
        async with self.database() as database, database.read() as store:
            return {each.name: each.text for each in await store.conditions.all()}

    async def check(self) -> list[str]:
        """What `comity check` finds wrong."""
        async with self.database() as database:
            return await check(database, self.registry, self.clock())

    def forget(self) -> None:
        """Remove the database."""
        shutil.rmtree(self.directory, ignore_errors=True)

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[tuple[Node, list[asyncio.Task[None]]]]:
        settings = Settings(member="listener", database=self._url, bus="local:none", registry="none")
        node = Node(Home(self.directory), settings, Database(self._url), None, self.clock)
        loops = Loops(node)
        following = Following(node, loops)
        receiver = Receiver(node, self.bus, following, loops)
        following._take(self.registry)
        self.bus.idle_reads = 0
        stopping = asyncio.Event()

        async def go_on(name: str, step: Step) -> None:
            # Not `forever`: a step that is cancelled in the middle of a query leaves its connection open.
            while not stopping.is_set():
                await loops.keep_trying(name, step)

        tasks = [asyncio.create_task(go_on(name, step)) for name, step in receiver.loops.items()]
        try:
            yield node, tasks
        finally:
            stopping.set()
            for tell in following.on_change:
                tell()
            _, stuck = await asyncio.wait(tasks, timeout=20)
            for task in stuck:
                task.cancel()
            await receiver.close()
            await node.database.close()

    async def _is_quiet(self, database: Database) -> bool:
        if self.bus.idle_reads < QUIET_AFTER:
            return False
        async with database.read() as store:
            logs = {log.member: log for log in await store.logs.all()}
            open_inboxes = await store.received.members_in_state("new")
        listed = {member.slug: trust_fingerprint(member) for member in self.registry.members}
        stale = [slug for slug, log in logs.items() if log.decided_under not in ("", listed.get(slug))]
        return not stale and not set(open_inboxes) & set(listed)
