"""A wrapper that makes any bus as bad as a bus may be: repeats, and publishes whose outcome is not reported.

What it does follows a schedule, so that a test that fails can be run again. `Fate` is asked once for each publish,
`repeat_every` counts the reads.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from enum import Enum, auto

from comity_federation.bus import Bus, BusUnavailable, Delivered, OutcomeUnknown, Skipped


class Fate(Enum):
    """What happens to a publish."""

    STORED = auto()
    STORED_BUT_UNKNOWN = auto()
    """Stored, and the answer is lost on the way back."""
    LOST_AND_UNKNOWN = auto()
    """Lost on the way there; the caller cannot tell it from the one above."""
    UNAVAILABLE = auto()


class FaultyBus:
    """A `Bus` over another one."""

    def __init__(self, inner: Bus, *, fates: Iterable[Fate] = (), repeat_every: int = 0, again: int = 3) -> None:
        """Wraps a bus.

        Args:
            inner: started and stopped through this one.
            fates: of the publishes, in order; when they run out all is well.
            repeat_every: every so many reads with news also repeat; 0 never.
            again: how many records of a topic delivered earlier are then delivered once more, before the new ones.
        """
        self._inner = inner
        self._fates: Iterator[Fate] = iter(fates)
        self._repeat_every = repeat_every
        self._again = again
        self._reads = 0
        self._publishing = 0
        self._broken = False
        self._delivered: dict[str, list[Delivered]] = defaultdict(list)

    async def start(self) -> None:
        await self._inner.start()

    async def stop(self) -> None:
        await self._inner.stop()

    async def bus_id(self) -> str:
        return await self._inner.bus_id()

    async def publish(self, topic: str, value: bytes, headers: Mapping[str, str]) -> int:
        self._publishing += 1
        try:
            await asyncio.sleep(0)  # Calls that overlap are all here before the first meets its fate.
            return await self._publish(topic, value, headers)
        finally:
            self._publishing -= 1
            self._broken &= self._publishing > 0

    async def _publish(self, topic: str, value: bytes, headers: Mapping[str, str]) -> int:
        if self._broken:
            raise BusUnavailable("the record before it was not surely stored")
        fate = next(self._fates, Fate.STORED)
        self._broken = fate is not Fate.STORED
        if fate is Fate.UNAVAILABLE:
            raise BusUnavailable("planned")
        if fate is Fate.LOST_AND_UNKNOWN:
            raise OutcomeUnknown("planned")
        offset = await self._inner.publish(topic, value, headers)
        if fate is Fate.STORED_BUT_UNKNOWN:
            raise OutcomeUnknown("planned")
        return offset

    async def read(self, positions: Mapping[str, int], *, most: int, wait: timedelta) -> Sequence[Delivered | Skipped]:
        fresh = await self._inner.read(positions, most=most, wait=wait)
        self._reads += bool(fresh)
        repeated: list[Delivered | Skipped] = []
        if fresh and self._repeat_every and self._reads % self._repeat_every == 0:
            repeated = [item for topic in positions for item in self._delivered[topic]]
        # Never more than asked for: what is cut off here is read again, since the caller's position stays before it.
        given = [*repeated, *fresh][:most]
        for item in given[len(repeated) :]:
            if isinstance(item, Delivered):
                self._delivered[item.topic] = [*self._delivered[item.topic], item][-self._again :]
        return given

    async def tail(self, topic: str, *, most: int) -> Sequence[Delivered]:
        return await self._inner.tail(topic, most=most)

    async def end(self, topics: Sequence[str]) -> Mapping[str, int]:
        return await self._inner.end(topics)

    def troubles(self) -> Mapping[str, str]:
        return self._inner.troubles()
