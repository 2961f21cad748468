"""The receiver: reads all logs from the bus into the inbox, and settles what came."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import structlog

from comity_federation.bus import Bus, HistoryMissing
from comity_node.services.intake import forget_position, positions, take_in
from comity_node.services.settle import Settled, settle
from comity_node.wiring import Node
from comity_node.workers.following import Following
from comity_node.workers.loops import IDLE_S, Loops, Named

_READ_AT_ONCE = 500
_READ_WAIT = timedelta(seconds=1)
_LOOK_AGAIN_S = 2.0

log = structlog.get_logger(__name__)


class Receiver:
    """One node's receiving, over one bus."""

    def __init__(self, node: Node, bus: Bus, following: Following, loops: Loops) -> None:
        self._node = node
        self._bus = bus
        self._following = following
        self._loops = loops
        self._settle_now = asyncio.Event()
        following.on_change.append(self._settle_now.set)
        self._troubles: dict[str, str] | None = None

    def settle_now(self) -> None:
        """Settle what somebody else has put into the inbox."""
        self._settle_now.set()

    @property
    def loops(self) -> Named:
        """What must go on all the time."""
        return {"receive": self._receive, "settle": self._settle}

    async def _receive(self) -> None:
        registry = self._following.current
        if registry is None:
            await asyncio.sleep(IDLE_S)
            return
        bus_id = await self._bus.bus_id()
        where = await positions(self._node.database, registry, bus_id)
        try:
            delivered = await self._bus.read(where, most=_READ_AT_ONCE, wait=_READ_WAIT)
        except HistoryMissing as error:
            log.warning("bus.history_missing", topic=error.topic, position=error.position)
            await forget_position(self._node.database, error.topic, bus_id)
            return
        await self._note_troubles()
        if delivered and await take_in(self._node.database, delivered, registry, bus_id, self._node.clock()):
            self._settle_now.set()

    async def _note_troubles(self) -> None:
        troubles = dict(self._bus.troubles())
        if troubles == self._troubles:
            return
        self._troubles = troubles
        if troubles:
            words = "; ".join(f"{topic}: {why}" for topic, why in sorted(troubles.items())[:5])
            await self._loops.set_condition("topics", f"{len(troubles)} topics cannot be read: {words}")
        else:
            await self._loops.clear_condition("topics")

    async def _settle(self) -> None:
        # Others put records into the inbox too: a person who lets one be decided anew, a relay that asks peers.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._settle_now.wait(), _LOOK_AGAIN_S)
        self._settle_now.clear()
        registry = self._following.current
        now = self._node.clock()
        if registry is None or registry.expires <= now:
            # Acceptance waits; what was received stays in the inbox.
            await asyncio.sleep(1)
            self._settle_now.set()
            return
        settled = await settle(self._node.database, registry, now)
        if settled != Settled():
            log.info("settled", accepted=settled.accepted, waiting=settled.waiting, refused=settled.refused)
