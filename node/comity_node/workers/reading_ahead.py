"""Reading on while what came before is opened and stored.

Where it reads runs ahead of the database. After any doubt it is thrown away, and a new one begins where the database
stands: nothing is lost by it, because nothing of what it holds was stored.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from comity_federation.bus import Bus, Delivered, HistoryMissing, Skipped
from comity_federation.registry import Registry
from comity_node.services.receiving.opening import Openers, Opening
from comity_node.services.receiving.subscriptions import subscriptions

READ_AT_ONCE = 4_000
READ_WAIT = timedelta(seconds=1)
_BATCHES_AHEAD = 1


@dataclass(frozen=True, slots=True)
class Batch:
    """What one read brought; empty when there was nothing."""

    delivered: Sequence[Delivered | Skipped]
    opened: Sequence[Opening]
    begins: Mapping[str, int]
    """By topic the position from which it was read."""


class ReadingAhead:
    """Follows the bus from given positions, under one registry."""

    def __init__(
        self, bus: Bus, openers: Openers, registry: Registry, bus_id: str, positions: Mapping[str, int]
    ) -> None:
        """Begins to read at once.

        Args:
            bus: started.
            openers: shared with those that follow.
            registry: under which all is opened.
            bus_id: the bus that the positions belong to.
            positions: topic to next offset; no other topic is read.
        """
        self.registry = registry
        self.bus_id = bus_id
        self.left: set[str] = set()
        """Topics that are not read on: what was read of them already is not to be stored."""
        self._bus = bus
        self._openers = openers
        self._positions = dict(positions)
        self._batches: asyncio.Queue[asyncio.Task[Batch]] = asyncio.Queue(_BATCHES_AHEAD)
        self._reading = asyncio.create_task(self._read_on())

    async def next(self) -> Batch:
        """Return the next batch, in order; empty after a while without news.

        Raises:
            HistoryMissing, BusUnavailable: as `Bus.read`; begin anew.
        """
        coming = asyncio.create_task(self._batches.get())
        try:
            await asyncio.wait([coming, self._reading], return_when=asyncio.FIRST_COMPLETED)
            if not coming.done() and self._batches.empty():
                # Reading has failed, and everything read before that was given out.
                self._reading.result()
            return await (await coming)
        finally:
            coming.cancel()

    def leave(self, topics: Collection[str]) -> None:
        """Read on without these topics. What they still hold is for whoever begins anew."""
        self.left.update(topics)
        for topic in topics:
            self._positions.pop(topic, None)

    async def close(self) -> None:
        """Stop reading; what was not given out is read again by whoever comes next."""
        self._reading.cancel()
        tasks: list[asyncio.Task[object]] = [self._reading]
        while not self._batches.empty():
            tasks.append(self._batches.get_nowait())
        for task in tasks:
            task.cancel()
        # Not one by one with their errors suppressed: that would swallow the cancelling of whoever closes, too.
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _read_on(self) -> None:
        while True:
            begins = dict(self._positions)
            delivered = await self._bus.read(begins, most=READ_AT_ONCE, wait=READ_WAIT)
            # Whoever else uses this bus may have been told of another one first, and it reads on there without a word.
            if delivered and await self._bus.bus_id() != self.bus_id:
                topic = delivered[0].topic
                raise HistoryMissing(topic, begins[topic])
            for item in delivered:
                if item.topic in self._positions:
                    self._positions[item.topic] = (item.last if isinstance(item, Skipped) else item.offset) + 1
            await self._batches.put(asyncio.create_task(self._open(delivered, begins)))

    async def _open(self, delivered: Sequence[Delivered | Skipped], begins: Mapping[str, int]) -> Batch:
        logs = subscriptions(self.registry).statements
        records = [
            (place, (logs[item.topic].entry, item.value))
            for place, item in enumerate(delivered)
            if isinstance(item, Delivered) and item.topic in logs
        ]
        opened: list[Opening] = [None] * len(delivered)
        told = await self._openers.open([record for _, record in records])
        for (place, _), opening in zip(records, told, strict=True):
            opened[place] = opening
        return Batch(delivered, opened, begins)
