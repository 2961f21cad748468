"""A new node that catches up with a whole corpus over Kafka, and what can be measured on the way and after.

Several benchmarks are about this one story. While one `./comity bench` command lasts it is played once a size.
"""

import asyncio
import dataclasses
import json
import logging
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.frame.buses import kafka
from bench.frame.corpus import MEMBERS, Corpus, corpus_of, next_record
from bench.frame.memory import Memory, memory_of
from bench.frame.progress import say
from bench.frame.receiver import SPARE, Run, database_bytes, fill, founded, receive, require_everything_accepted, served
from comity_federation.bus import Bus, Delivered, Skipped, statements_topic
from comity_node.wiring.logs import set_up_logs
from comity_node.workers.following import Following
from comity_node.workers.loops import Loops, Step
from comity_node.workers.receiver import Receiver
from node_world import House

IDLE_S = 5.0
"""How long a new node idles before its memory is taken; a second where the corpus is too small for it to matter."""

REST_S = 30.0
"""How long one that has caught up rests: the processes that open records end when nothing came for twenty seconds."""

PAUSE_S = 0.05
"""How long a round waits for its record: long enough to be waiting."""

ROUNDS = 50
"""Of each kind; the median counts."""


@dataclasses.dataclass(frozen=True)
class Grown:
    """What was measured on a node that caught up."""

    size: int
    run: Run
    idle: Memory
    """Before the first statement came."""
    after: Memory
    """When all were settled, at rest."""
    most: Memory
    """The largest seen on the way."""
    database_bytes: int
    quiet_round_ms: float
    """One round of the receiver with nothing new: the median."""
    news_round_ms: float
    """A round that waits for news, from the record's being on the bus until it is settled: the median."""


def grown(size: int) -> Grown:
    """Return the story of a node that caught up with a corpus of this size."""
    built = os.environ.get("COMITY_BENCH_BUILT")
    known = None if built is None else Path(built) / f"grown-{size}.json"
    if known is not None and known.exists():
        return _load(json.loads(known.read_text()))
    with kafka() as bootstrap, tempfile.TemporaryDirectory(prefix="comity-bench-") as directory:
        story = asyncio.run(_grow(corpus_of(size), f"kafka://{bootstrap}", Path(directory)))
    if known is not None:
        known.write_text(json.dumps(dataclasses.asdict(story)))
    return story


def _load(story: Mapping[str, Any]) -> Grown:
    memories = {name: Memory(**story[name]) for name in ("idle", "after", "most")}
    run = Run([(seconds, count) for seconds, count in story["run"]["samples"]])
    return Grown(**{**story, **memories, "run": run})


async def _grow(corpus: Corpus, bus: str, directory: Path) -> Grown:
    idle_s = IDLE_S if corpus.size >= 10_000 else 1.0
    async with founded(directory, bus) as house:
        with served(house) as running:
            await asyncio.sleep(idle_s)
            idle = memory_of(running.process.pid)
        await fill(bus, corpus)
        most = idle
        with served(house) as running:
            watching = asyncio.create_task(receive(house, corpus, "catching up"))
            while not watching.done():
                await asyncio.wait([watching], timeout=1)
                most = most.larger(memory_of(running.process.pid))
            await asyncio.sleep(REST_S if corpus.size >= 10_000 else idle_s)
            after = memory_of(running.process.pid)
        await require_everything_accepted(house, corpus)
        say(f"caught up with {corpus.size:,} in {watching.result().total_seconds():.0f} s")
        size_bytes = database_bytes(house)
        quiet, news = await _rounds(house)
    return Grown(corpus.size, watching.result(), idle, after, most, size_bytes, quiet, news)


class _Hasty:
    """A bus that answers at once: what a round costs, without what it waits for news."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)

    async def read(self, positions: Mapping[str, int], *, most: int, wait: timedelta) -> Sequence[Delivered | Skipped]:
        return await self._bus.read(positions, most=most, wait=timedelta(0))


async def _rounds(house: House) -> tuple[float, float]:
    """Return how long rounds take in milliseconds: with nothing new, and with one new record each."""
    set_up_logs(logging.WARNING)  # to stderr: stdout is for results
    bus = house.node.bus()
    await bus.start()
    loops = Loops(house.node)
    following = Following(house.node, loops)
    await following.refresh_now()
    hasty, patient = (Receiver(house.node, on, following, loops) for on in (_Hasty(bus), bus))  # type: ignore[arg-type]
    quiet = [await _timed(hasty.loops["receive"]) for _ in range(ROUNDS + 5)][5:]
    await hasty.close()
    news = await _with_news(house, bus, patient)
    await patient.close()
    await bus.stop()
    return 1000 * sorted(quiet)[ROUNDS // 2], 1000 * sorted(news)[ROUNDS // 2]


async def _timed(step: Step) -> float:
    began = time.perf_counter()
    await step()
    return time.perf_counter() - began


async def _with_news(house: House, bus: Bus, receiver: Receiver) -> list[float]:
    """Return the seconds from a record on the bus, for which the receiver waits, until it is settled."""
    took = []
    topic = statements_topic(SPARE)
    raw = next((delivered.value for delivered in await bus.tail(topic, most=1)), None)
    for _ in range(ROUNDS):
        raw, before = next_record(MEMBERS, raw), await _head(house)
        round_ = asyncio.create_task(receiver.loops["receive"]())
        await asyncio.sleep(PAUSE_S)
        await bus.publish(topic, raw, {"content-type": "application/json"})
        began = time.perf_counter()
        await round_
        ended = time.perf_counter()
        while await _head(house) == before:
            await receiver.loops["receive"]()
            ended = time.perf_counter()
        took.append(ended - began)
    return took


async def _head(house: House) -> int:
    async with house.node.database.read() as store:
        return (await store.logs.of(SPARE)).head
