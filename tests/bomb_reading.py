"""Reads logs in a process of its own, with and without a hostile one among them, and says what that cost.

    python tests/bomb_reading.py BOOTSTRAP HOSTILE HONEST…

Prints one JSON line: processor seconds of the best of some rounds (a clock would measure what else the machine does),
by how much the process's greatest size grew with the hostile log, and what was skipped of it.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from comity_federation.bus import Delivered
from comity_federation.kafka_bus import KafkaBus, KafkaSettings

ROUNDS = 5


def greatest_size_mb(*, forget: bool = False) -> float:
    """Return how large this process was at most, since the start or since that was forgotten. Linux only."""
    if forget:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


async def read_all(bus: KafkaBus, topics: Sequence[str], ends: dict[str, int], skipped: Counter[str]) -> float:
    """Read logs to their ends and return how many seconds of the processor that took until the honest ones were."""
    positions = dict.fromkeys(topics, 0)
    began, done = time.process_time(), 0.0
    honest = topics[-len(HONEST) :]
    while any(positions[topic] < ends[topic] for topic in topics):
        for item in await bus.read(positions, most=500, wait=timedelta(seconds=5)):
            if isinstance(item, Delivered):
                positions[item.topic] = item.offset + 1
            else:
                positions[item.topic] = item.last + 1
                skipped[item.reason] += item.last - item.first + 1
        if not done and all(positions[topic] >= ends[topic] for topic in honest):
            done = time.process_time() - began
    return done


async def main(bootstrap: str, hostile: str, honest: Sequence[str]) -> None:
    """Read in turns, without and with."""
    bus = KafkaBus(KafkaSettings(bootstrap), "comity-test")
    await bus.start()
    ends = dict(await bus.end([hostile, *honest]))
    skipped: Counter[str] = Counter()
    alone, beside, sizes = [], [], {False: 0.0, True: 0.0}
    await read_all(bus, honest, ends, Counter())
    for _ in range(ROUNDS):
        for with_it, times in ((False, alone), (True, beside)):
            greatest_size_mb(forget=True)
            skipped.clear()
            times.append(await read_all(bus, [hostile, *honest] if with_it else honest, ends, skipped))
            sizes[with_it] = max(sizes[with_it], greatest_size_mb())
    await bus.stop()
    grown = sizes[True] - sizes[False]
    print(json.dumps({"alone_s": min(alone), "beside_s": min(beside), "grown_mb": grown, "skipped": skipped}))


if __name__ == "__main__":
    HONEST = sys.argv[3:]
    asyncio.run(main(sys.argv[1], sys.argv[2], HONEST))
