"""A real Kafka or a local log with a corpus on it, filled much faster than members would."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

import servers
from bench.frame.corpus import MEMBERS, Corpus, members
from bench.frame.progress import progress
from builders import IAT
from comity_federation.bus import MAX_BATCH_BYTES, statements_topic
from comity_federation.kafka.cluster import Cluster, Code, Place, only_led
from comity_federation.kafka.connections import Lane
from comity_federation.kafka.sessions import PARTITION
from comity_federation.kafka_bus import KafkaSettings
from comity_federation.kafka_topics import prepare_topics
from comity_federation.local_log import LocalLog
from comity_federation.statements import cloud_event_headers

TOGETHER = 64
"""Records in one batch: below a topic's `max.message.bytes`."""

POSTGRES_MEMORY = "1GB"
"""Of shared buffers, as its own manual advises a server: more than the tables of a screening take."""

TOPICS_AT_ONCE = 10
"""Topics filled by one request."""


@contextmanager
def kafka() -> Iterator[str]:
    """Run a real Kafka while the block lasts and give its address; `COMITY_TEST_KAFKA` names one that runs."""
    if given := os.environ.get("COMITY_TEST_KAFKA"):
        yield given
        return
    servers.fetch(servers.LOCAL_BROKER)
    with servers.started(servers.LOCAL_BROKER) as announced:
        yield announced["bootstrap"]


@contextmanager
def database_of(kind: str, directory: Path) -> Iterator[str | None]:
    """Give the URL of a new database: None for a node's own SQLite, or one on a real PostgreSQL."""
    if kind == "sqlite":
        yield None
    elif given := os.environ.get("COMITY_TEST_POSTGRES"):
        yield from _one_database(given)
    else:
        servers.fetch(servers.LOCAL_POSTGRES)
        with servers.started(servers.LOCAL_POSTGRES, "--memory", POSTGRES_MEMORY) as announced:
            yield from _one_database(announced["url"])


def _one_database(server: str) -> Iterator[str]:
    url = servers.new_database(server)
    try:
        yield url
    finally:
        servers.drop_database(server, url)


@dataclass(frozen=True)
class Batch:
    """Consecutive records of one member's log, with the place of the first."""

    number: int
    first: int
    records: Sequence[bytes]


def batches(corpus: Corpus, *, after: int = 0) -> Iterator[Batch]:
    """Yield the corpus in batches, all logs growing together."""
    logs = [corpus.log(number, after=after) for number in range(MEMBERS)]
    for first in range(after + 1, corpus.length + 1, TOGETHER):
        for number, log in enumerate(logs):
            count = min(TOGETHER, corpus.length + 1 - first)
            yield Batch(number, first, [next(log) for _ in range(count)])


async def fill_kafka(bootstrap: str, corpus: Corpus) -> None:
    """Put what is not there yet of the corpus on the members' topics, with the headers that the relay sends."""
    settings = KafkaSettings(bootstrap)
    await asyncio.to_thread(prepare_topics, settings, corpus.slugs)
    cluster = Cluster(settings, "bench")
    led, absent = only_led(await cluster.leaders([statements_topic(slug) for slug in corpus.slugs]))
    assert not absent, absent
    node = next(iter(led.values()))
    # Without transactions, offsets are places: what an earlier benchmark has put there stays.
    ends = await cluster.offsets(led, Place.END)
    after = min(corpus.length, *(end or 0 for end in ends.values()))
    waiting: list[tuple[str, list[tuple[int, bytes]]]] = []
    under_way: asyncio.Task[None] | None = None
    total = corpus.size - after * MEMBERS
    with progress("filling Kafka", total) as bar:
        done = 0
        for batch in batches(corpus, after=after):
            waiting.append((statements_topic(corpus.slugs[batch.number]), [(PARTITION, _record_batch(batch))]))
            done += len(batch.records)
            if len(waiting) == TOPICS_AT_ONCE:
                if under_way is not None:
                    await under_way
                under_way, waiting = asyncio.create_task(_append(cluster, node, waiting)), []
                await asyncio.sleep(0)
                bar.at(done)
        if under_way is not None:
            await under_way
        await _append(cluster, node, waiting)
    await cluster.close()


async def _append(cluster: Cluster, node: int, waiting: list[tuple[str, list[tuple[int, bytes]]]]) -> None:
    while waiting:
        answer = await cluster.ask(node, ProduceRequest(None, -1, 30_000, waiting), Lane.APPEND)
        codes = {topic: partition[1] for topic, partitions in answer.topics for partition in partitions}
        assert set(codes.values()) <= {Code.NONE, Code.NOT_LEADER_OR_FOLLOWER}, codes
        # A topic made a moment ago is not led yet; nothing of it was stored.
        waiting = [part for part in waiting if codes[part[0]] != Code.NONE]
        await asyncio.sleep(0.1 if waiting else 0)


def log_bytes(corpus: Corpus) -> int:
    """Return how large the corpus is in Kafka's log, where batches lie as they were sent."""
    return sum(len(_record_batch(batch)) for batch in batches(corpus))


def _record_batch(batch: Batch) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=MAX_BATCH_BYTES,
    )
    for place, raw in enumerate(batch.records):
        builder.append(place, timestamp=IAT * 1000, key=None, value=raw, headers=_headers(batch, place))
    return bytes(builder.build())


def _headers(batch: Batch, place: int) -> list[tuple[str, bytes]]:
    seq = batch.first + place
    named = cloud_event_headers(members()[batch.number].did, seq, "finding", datetime.fromtimestamp(IAT + seq, UTC))
    return [(name, text.encode()) for name, text in named.items()]


class KafkaFeed:
    """Puts a corpus on Kafka bit by bit, all logs growing together."""

    def __init__(self, bootstrap: str, corpus: Corpus) -> None:
        self._cluster = Cluster(KafkaSettings(bootstrap), "bench")
        self._corpus = corpus
        self._next = 0

    async def __aenter__(self) -> Self:
        """Find who leads the topics, and where they end."""
        topics = [statements_topic(slug) for slug in self._corpus.slugs]
        led, absent = only_led(await self._cluster.leaders(topics))
        assert not absent, absent
        self._node = next(iter(led.values()))
        ends = await self._cluster.offsets(led, Place.END)
        self._places = [ends[topic] or 0 for topic in topics]
        self._logs = [self._corpus.log(number, after=place) for number, place in enumerate(self._places)]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of the connections."""
        await self._cluster.close()

    async def put(self, count: int) -> int:
        """Append so many records, one of each log in turn, and return how many."""
        by_number: dict[int, list[bytes]] = {}
        for _ in range(count):
            by_number.setdefault(self._next, []).append(next(self._logs[self._next]))
            self._next = (self._next + 1) % MEMBERS
        waiting = []
        for number, records in by_number.items():
            batch = Batch(number, self._places[number] + 1, records)
            self._places[number] += len(records)
            waiting.append((statements_topic(self._corpus.slugs[number]), [(PARTITION, _record_batch(batch))]))
        await _append(self._cluster, self._node, waiting)
        return count


async def fill_local(path: Path, corpus: Corpus) -> None:
    """Put the corpus on a new local log."""
    log = LocalLog(path)
    await log.start()
    headers = {"content-type": "application/json"}
    with progress("filling the local log", corpus.size) as bar:
        done = 0
        publishing: list[asyncio.Task[int]] = []
        for batch in batches(corpus):
            topic = statements_topic(corpus.slugs[batch.number])
            publishing += [asyncio.create_task(log.publish(topic, raw, headers)) for raw in batch.records]
            done += len(batch.records)
            if len(publishing) > 3_000:
                await asyncio.gather(*publishing)
                publishing.clear()
                bar.at(done)
        await asyncio.gather(*publishing)
    await log.stop()
