"""Goes on with imports and releases that one request did not finish, also after a restart.

In the API's process: they need the database only, and go on while the exchange is down.
"""

import asyncio

from comity_node.db.jobs import Job
from comity_node.services.importing import jobs
from comity_node.services.importing.jobs import IMPORT, RELEASE, STEP_S, Prepared, budget, from_bytes, prepare
from comity_node.wiring import Node
from comity_node.workers.loops import IDLE_S, Loops, Rest
from comity_node.workers.one_job import do_round


class JobRunner:
    """One node's jobs, the oldest first. Several runners do nothing twice: each step looks anew how far it is."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._prepared: tuple[str, Prepared] | None = None
        self._rest = Rest(node.database)

    async def run(self) -> None:
        """Go on for ever."""
        await Loops(self._node).forever("jobs", self._round)

    async def step(self) -> bool:
        """Do one step of the oldest job; False where there is none."""
        if not await self._node.database.glances.a_job_runs((IMPORT, RELEASE)):
            self._prepared = None
            return False
        async with self._node.database.read() as store:
            job = await store.jobs.running((IMPORT, RELEASE))
        if job is None:
            self._prepared = None
            return False
        await do_round(self._node, job, self._advance(job), "What was done stays")
        return True

    async def _round(self) -> None:
        if not await self._rest.unless_in_vain(self.step):
            await asyncio.sleep(IDLE_S)

    async def _advance(self, job: Job) -> None:
        node = self._node
        if job.kind != IMPORT:
            role = await node.own_role()
            async with node.database.write() as store:
                await jobs.advance_release(store, job.id, node.clock(), budget(STEP_S), role)
            return
        prepared = await self._prepare(job)
        async with node.database.write() as store:
            await jobs.advance_import(store, job.id, prepared, node.settings.policy, node.clock(), budget(STEP_S))

    async def _prepare(self, job: Job) -> Prepared:
        if self._prepared is not None and self._prepared[0] == job.id:
            return self._prepared[1]
        async with self._node.database.read() as store:
            given = await store.jobs.input(job.id)
        mapping, table = from_bytes(given or b"0\n")
        prepared = await asyncio.to_thread(prepare, mapping, table, self._node.home.secret.read_bytes())
        self._prepared = (job.id, prepared)
        return prepared
