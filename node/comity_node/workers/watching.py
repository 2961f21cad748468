"""What people here are told when the view changes; it needs the database only, and goes on without a broker."""

import asyncio

from comity_node.services.watching.endings import note_endings
from comity_node.services.watching.feed import SUPPLIERS
from comity_node.services.watching.noticing import ALERTS, note_alerts
from comity_node.services.watching.sending import make_deliveries, try_due
from comity_node.services.watching.vendors import Portfolios
from comity_node.wiring import Node
from comity_node.workers.loops import Named, Rest

_LOOK_EVERY_S = 2.0


class Watching:
    """One node's rounds of looking at what changed."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._ended_on = ""
        self._looked_at: int | None = None
        self._portfolios = Portfolios()
        self._rest_of_endings = Rest(node.database)
        self._rest_of_alerts = Rest(node.database)
        self._rest_of_deliveries = Rest(node.database)

    @property
    def loops(self) -> Named:
        """What must go on all the time."""
        return {"endings": self._endings, "alerts": self._alerts, "deliveries": self._deliveries}

    async def _endings(self) -> None:
        """Tell what has ended by itself: when something changed, and once a day."""
        today = self._node.clock().date()
        worked = await self._rest_of_endings.unless_in_vain(self._note_endings, under=today)
        await asyncio.sleep(0.1 if worked else _LOOK_EVERY_S)

    async def _note_endings(self) -> bool:
        now = self._node.clock()
        newest = await self._node.database.glances.followed(SUPPLIERS)
        if newest is not None and newest == self._looked_at and self._ended_on == now.date().isoformat():
            return False
        async with self._node.database.write() as store:
            more = await note_endings(store, now)
        if not more:
            self._looked_at, self._ended_on = newest, now.date().isoformat()
        return True

    async def _alerts(self) -> None:
        """Look whom the next changes concern, and keep who is told."""
        if not await self._rest_of_alerts.unless_in_vain(self._note_alerts):
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _note_alerts(self) -> bool:
        if not await self._node.database.glances.is_behind(ALERTS, SUPPLIERS):
            return False
        return await note_alerts(self._node.database, self._portfolios, self._node.clock())

    async def _deliveries(self) -> None:
        """Send what waits and may be tried now."""
        if not await self._rest_of_deliveries.unless_in_vain(self._anything_to_send):
            await asyncio.sleep(_LOOK_EVERY_S)
            return
        await make_deliveries(self._node.database, self._node.clock())
        if not await try_due(self._node.database, self._node.outward, self._node.clock()):
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _anything_to_send(self) -> bool:
        """Tell whether anything is to be sent, now or when its time comes."""
        if not await self._node.database.glances.a_delivery_waits():
            return False
        async with self._node.database.read() as store:
            return await store.deliveries_of_watches.anything_waits()
