"""Screens files that people sent, the oldest first, also after a restart.

In the API's process, beside imports and releases: neither waits for the other, and the exchange may be down.
"""

import asyncio
from time import monotonic
from typing import Final

from comity_node.db.jobs import Job
from comity_node.services.screening_files.jobs import KEPT, KINDS, SCREENING, run
from comity_node.services.screening_files.network import risks_in
from comity_node.services.suppliers.following import catch_up
from comity_node.wiring import Node
from comity_node.workers.loops import IDLE_S, Loops, Rest
from comity_node.workers.one_job import do_round

FORGET_EVERY_S: Final = 3600.0


class FileScreener:
    """One node's files. Several screeners give one result: whoever ends first, and the other's is dropped."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._rest = Rest(node.database)
        self._forget_at = 0.0

    async def run(self) -> None:
        """Go on for ever."""
        await Loops(self._node).forever("screening-files", self._round)

    async def step(self) -> bool:
        """Screen the oldest file; False where there is none."""
        if not await self._node.database.glances.a_job_runs(KINDS):
            return False
        async with self._node.database.read() as store:
            job = await store.jobs.running(KINDS)
        if job is None:
            return False
        await do_round(self._node, job, self._screen(job), "Nothing of it is given out")
        return True

    async def forget_old(self) -> None:
        """Forget files whose time is over."""
        over = self._node.clock() - KEPT
        async with self._node.database.read() as store:
            if not await store.jobs.any_ended(SCREENING, over):
                return
        async with self._node.database.write() as store:
            await store.jobs.forget_ended(SCREENING, over)

    async def _round(self) -> None:
        worked = await self._rest.unless_in_vain(self.step)
        if monotonic() >= self._forget_at:
            # Also where nobody screens a file any more.
            await self.forget_old()
            self._forget_at = monotonic() + FORGET_EVERY_S
        if not worked:
            await asyncio.sleep(IDLE_S)

    async def _screen(self, job: Job) -> None:
        await catch_up(self._node.database)
        risks = await asyncio.to_thread(risks_in, self._node.settings.goods_risk_file)
        await run(self._node.database, job, risks, self._node.clock)
