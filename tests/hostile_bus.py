"""A wrapper that makes any bus hostile: it serves what it likes instead of what it was given.

What it likes is said by a `Cheat`, asked once for every record that an honest bus would deliver: which records shall
stand on which topics instead. Afterwards `repent()` serves everything once more, as an honest bus would have. It is
deterministic, so that a test that fails can be run again.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import zip_longest

from comity_federation.bus import Bus, Delivered, HistoryMissing, Skipped

Shown = tuple[str, bytes | None]
"""A topic, and what stands there; None for a null value."""

Cheat = Callable[[str, bytes], Iterable[Shown]]


def honest(topic: str, value: bytes) -> Iterable[Shown]:
    """Deliver what was given."""
    return [(topic, value)]


class HostileBus:
    """A `Bus` over another one, from which it takes what members really published."""

    def __init__(self, inner: Bus, cheat: Cheat = honest) -> None:
        """Wraps a bus that is started and stopped through this one."""
        self.cheat = cheat
        self.idle_reads = 0
        """Reads in a row that gave nothing: whoever reads has all there is."""
        self.withheld: set[str] = set()
        """Topics of which nothing new is served; what was held back comes when they are taken out of it."""
        self._inner = inner
        self._name = ""
        self._given: dict[str, list[bytes]] = defaultdict(list)
        self._shown: dict[str, list[bytes | None]] = defaultdict(list)
        self._longest: dict[str, int] = defaultdict(int)
        self._inner_next: dict[str, int] = {}

    async def start(self) -> None:
        await self._inner.start()

    async def stop(self) -> None:
        await self._inner.stop()

    async def bus_id(self) -> str:
        return f"{await self._inner.bus_id()}{self._name}"

    async def publish(self, topic: str, value: bytes, headers: Mapping[str, str]) -> int:
        return await self._inner.publish(topic, value, headers)

    async def read(self, positions: Mapping[str, int], *, most: int, wait: timedelta) -> Sequence[Delivered | Skipped]:
        await self._take_from_members(positions, most)
        waiting = [self._from(topic, position, most) for topic, position in positions.items()]
        # By turns, as a broker with a fetch limit a partition serves: no topic starves another.
        found = [item for turn in zip_longest(*waiting) for item in turn if item is not None]
        self.idle_reads = 0 if found else self.idle_reads + 1
        if not found:
            await asyncio.sleep(min(wait.total_seconds(), 0.01))
        return found[:most]

    async def tail(self, topic: str, *, most: int) -> Sequence[Delivered]:
        shown = self._shown[topic]
        return [Delivered(topic, 2 * n, v) for n, v in enumerate(shown) if v is not None][-most:]

    async def end(self, topics: Sequence[str]) -> Mapping[str, int]:
        return {topic: 2 * len(self._shown[topic]) for topic in topics}

    def troubles(self) -> Mapping[str, str]:
        return self._inner.troubles()

    def repent(self) -> None:
        """From now on be honest, and serve once more everything that was ever published, in its order."""
        self.cheat = honest
        self.withheld.clear()
        for topic, values in self._given.items():
            shown = self._shown[topic]
            # Behind all that was ever served: an offset given out twice is the one lie nobody could tell from a log.
            shown += [None] * (self._longest[topic] - len(shown))
            shown += values
        self.idle_reads = 0

    def put(self, topic: str, value: bytes | None) -> None:
        """Put something on a topic that nobody published there."""
        self._shown[topic].append(value)
        self.idle_reads = 0

    def truncate(self, topic: str, *, keep: int) -> None:
        """Forget what was served of a topic beyond so many records."""
        self._longest[topic] = max(self._longest[topic], len(self._shown[topic]))
        del self._shown[topic][keep:]
        self.idle_reads = 0

    def rename(self) -> None:
        """Claim to be another bus, so that all positions lose their meaning."""
        self._name += "x"
        self.idle_reads = 0

    def _from(self, topic: str, position: int, most: int) -> list[Delivered | Skipped]:
        shown = self._shown[topic]
        if position > 2 * len(shown):
            raise HistoryMissing(topic, position)
        first = (position + 1) // 2
        return [_served(topic, 2 * n, value) for n, value in enumerate(shown[first : first + most], first)]

    async def _take_from_members(self, positions: Mapping[str, int], most: int) -> None:
        wanted = {t: self._inner_next.get(t, 0) for t in positions if t not in self.withheld}
        for item in await self._inner.read(wanted, most=most, wait=timedelta(0)):
            assert isinstance(item, Delivered)
            self._inner_next[item.topic] = item.offset + 1
            self._given[item.topic].append(item.value)
            for topic, value in self.cheat(item.topic, item.value):
                self._shown[topic].append(value)


def _served(topic: str, offset: int, value: bytes | None) -> Delivered | Skipped:
    # Kafka skips without holes, so what is skipped begins where the record before it ends.
    return (
        Skipped(topic, max(0, offset - 1), offset, "null value") if value is None else Delivered(topic, offset, value)
    )


def with_parts(
    raw: bytes, *, disclosures: Callable[[list[str]], list[str]] | None = None, boxes: Sequence[str] | None = None
) -> bytes:
    """Return a record of which somebody on the way changed the unsigned parts."""
    text = raw.decode()
    found = re.fullmatch(r'\{"statement":"([^"~]+)~([^"]*)","sealed":\[(.*)\]\}', text)
    assert found is not None
    kept = [d for d in found[2].split("~") if d]
    if disclosures is not None:
        kept = disclosures(kept)
    sealed = found[3] if boxes is None else ",".join(f'"{box}"' for box in boxes)
    return f'{{"statement":"{"~".join([found[1], *kept, ""])}","sealed":[{sealed}]}}'.encode()
