"""The bus on Apache Kafka: `KafkaBus` joins reading and writing, each over connections of its own.

Rules it keeps, and where: no consumer group, no offsets stored at the broker, no automatic reset (`reader`); no
decompression (`batches`); no idempotent producer and no transaction, uncompressed (`writer`); no topic made by
asking, bounded waits, whoever answers will do, a bootstrap address too (`cluster`, `connections`); a tail is the
leader's own word or `BusUnavailable` (`ends`). Why it uses so little of aiokafka: see `comity_federation.kafka`.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

from comity_federation.bus import BusUnavailable, Delivered, Skipped
from comity_federation.kafka.cluster import Cluster
from comity_federation.kafka.ends import find_ends, read_tail
from comity_federation.kafka.reader import Reader
from comity_federation.kafka.settings import KafkaSettings
from comity_federation.kafka.writer import Writer

__all__ = ["KafkaBus", "KafkaSettings"]

STOP_WITHIN_S = 8.0

ID_HOLDS_S = 5.0
"""How long an answer about the cluster is good for its id. A node asks in every round; asking every time, idle nodes
would be most of what a hub has to do."""


class KafkaBus:
    """A `Bus` on Apache Kafka.

    Topics are made by `kafka_topics`, never by publishing: an unknown one is refused. One reader at a time; a second
    call of `read` waits for the first, so name all topics in one call.
    """

    def __init__(self, settings: KafkaSettings, client_id: str) -> None:
        """Connects nothing yet.

        Args:
            settings: how to reach the brokers.
            client_id: what the brokers' logs and quotas call this node, such as `comity-undp`.
        """
        self._reading = Cluster(settings, client_id)
        self._writing = Cluster(settings, client_id)
        self._reader = Reader(self._reading)
        self._writer = Writer(self._writing)
        self._stopped = False

    async def start(self) -> None:
        """Connect for reading; writing connects when there is something to publish.

        Raises:
            BusUnavailable: nothing answers.
        """
        self._stopped = False
        await self._reading.leaders([])

    async def stop(self) -> None:
        """Disconnect within ten seconds, whatever the brokers do."""
        self._stopped = True
        ends = [self._reader.close(), self._writer.close()]
        closes = [self._reading.close(), self._writing.close()]
        for group in (ends, closes):
            await asyncio.wait([asyncio.ensure_future(end) for end in group], timeout=STOP_WITHIN_S / 2)

    async def bus_id(self) -> str:
        """Return the cluster's id, a few seconds old at most; from here on reading follows that cluster.

        Raises:
            BusUnavailable: nothing answers.
        """
        self._check_open()
        if self._reading.id is None or time.monotonic() - self._reading.asked_at > ID_HOLDS_S:
            await self._reading.leaders([])
        if self._reading.id is None:
            raise BusUnavailable("the cluster does not say its id")
        self._reader.accept_cluster()
        return self._reading.id

    async def publish(self, topic: str, value: bytes, headers: Mapping[str, str]) -> int:
        """Append one record and return its offset, once all in-sync replicas have it.

        Raises:
            OutcomeUnknown: no answer in time.
            PublishRefused: refused for good: too large, no such topic, no right.
            BusUnavailable: surely not stored, also because a record before it was not.
        """
        self._check_open()
        return await self._writer.publish(topic, value, headers)

    async def read(self, positions: Mapping[str, int], *, most: int, wait: timedelta) -> Sequence[Delivered | Skipped]:
        """Return up to `most` records of the named topics from the given offsets on, in order within each topic.

        Raises:
            BusUnavailable: nothing was read.
            HistoryMissing: a position lies outside what is stored, or the cluster is another one.
        """
        self._check_open()
        return await self._reader.read(positions, most, wait.total_seconds())

    async def tail(self, topic: str, *, most: int) -> Sequence[Delivered]:
        """Return the last `most` records of a topic, oldest first; empty when it holds none.

        Raises:
            BusUnavailable: the topic's leader did not answer.
        """
        self._check_open()
        return await read_tail(self._reading, topic, most)

    async def end(self, topics: Sequence[str]) -> Mapping[str, int]:
        """Return for each topic the offset after its last record; 0 for an empty or missing one.

        Raises:
            BusUnavailable: no answer.
        """
        self._check_open()
        return await find_ends(self._reading, topics)

    def troubles(self) -> Mapping[str, str]:
        """Return the topics that cannot be read at the moment, and why, in words."""
        return self._reader.troubles()

    def _check_open(self) -> None:
        if self._stopped:
            raise BusUnavailable("the bus is stopped")
