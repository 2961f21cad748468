"""What people here are told when the view changes; it needs the database only, and goes on without a broker."""

import asyncio

from comity_node.services.watching.endings import note_endings
from comity_node.wiring import Node
from comity_node.workers.loops import Named

_LOOK_EVERY_S = 2.0


class Watching:
    """One node's rounds of looking at what changed."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._ended_on = ""
        self._looked_at = -1

    @property
    def loops(self) -> Named:
        """What must go on all the time."""
        return {"endings": self._endings}

    async def _endings(self) -> None:
        """Tell what has ended by itself: when something changed, and once a day."""
        now = self._node.clock()
        async with self._node.database.read() as store:
            newest = await store.changes.newest()
        if newest == self._looked_at and self._ended_on == now.date().isoformat():
            await asyncio.sleep(_LOOK_EVERY_S)
            return
        async with self._node.database.write() as store:
            more = await note_endings(store, now)
        if not more:
            self._looked_at, self._ended_on = newest, now.date().isoformat()
        await asyncio.sleep(0.1)
