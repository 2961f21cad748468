"""Connections to the brokers, who leads which topic, and where logs begin and end.

Rules:
- Every call ends within a bounded time, whatever the brokers do.
- A topic is never created by asking for it.
- When no known broker answers, the connections are thrown away and the next call begins at the bootstrap address
  again (aiokafka itself never returns there, so it would not find a cluster that moved).
- Kafka answers the requests of one connection one after the other. So questions, long fetches and appends have
  lanes of their own: a fetch that waits five seconds for news must not hold up a question.
"""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from enum import Enum, IntEnum
from typing import Any, Final

from aiokafka.client import AIOKafkaClient  # type: ignore[import-untyped]
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]
from aiokafka.helpers import create_ssl_context  # type: ignore[import-untyped]
from aiokafka.protocol.fetch import FetchRequest  # type: ignore[import-untyped]
from aiokafka.protocol.metadata import MetadataRequest  # type: ignore[import-untyped]
from aiokafka.protocol.offset import OffsetRequest  # type: ignore[import-untyped]

from comity_federation.bus import BusUnavailable
from comity_federation.kafka.settings import SASL_MECHANISM, KafkaSettings

REQUEST_TIMEOUT_S: Final = 10.0
"""Longest wait for one answer. A broker that takes connections and is silent costs this much, once."""

ANSWER_WITHIN_S: Final = 10.0
"""Longest that connecting or asking may take altogether."""

PARTITION: Final = 0
"""Every log is one partition: its order is the member's order."""

PARTITION_FETCH_BYTES: Final = 1 << 20
FETCH_BYTES: Final = 8 << 20

# It repeats "topic not found" and "not authorized" at every look; what matters is said by us, once.
logging.getLogger("aiokafka.cluster").setLevel(logging.CRITICAL)


class Lane(Enum):
    """Which of the connections to one broker."""

    ASK = "ask"
    FETCH = "fetch"
    APPEND = "append"


class Absent(Enum):
    """Why a topic has no leader to talk to."""

    MISSING = "there is no such topic"
    FORBIDDEN = "no right to see this topic"
    LEADERLESS = "no broker leads this topic at the moment"


class Place(IntEnum):
    """The two ends of a log, as Kafka numbers them."""

    BEGINNING = -2
    END = -1


class Code(IntEnum):
    """The error codes of Kafka's protocol that we answer to. Source: Kafka protocol guide, "Error Codes"."""

    NONE = 0
    OFFSET_OUT_OF_RANGE = 1
    CORRUPT_MESSAGE = 2
    UNKNOWN_TOPIC_OR_PARTITION = 3
    LEADER_NOT_AVAILABLE = 5
    NOT_LEADER_OR_FOLLOWER = 6
    MESSAGE_TOO_LARGE = 10
    INVALID_TOPIC = 17
    RECORD_LIST_TOO_LARGE = 18
    NOT_ENOUGH_REPLICAS = 19
    TOPIC_AUTHORIZATION_FAILED = 29
    CLUSTER_AUTHORIZATION_FAILED = 31
    INVALID_TIMESTAMP = 32
    UNSUPPORTED_FOR_MESSAGE_FORMAT = 43
    POLICY_VIOLATION = 44
    INVALID_RECORD = 87


UNANSWERED: Final = (KafkaError, OSError, TimeoutError)
"""What aiokafka raises when a broker does not answer."""


def name_code(code: int) -> str:
    """Return Kafka's name of an error code, or its number."""
    return Code(code).name if code in Code.__members__.values() else f"error {code}"


class Cluster:
    """The brokers, for one purpose (reading or writing): neither disturbs the other's connections."""

    def __init__(self, settings: KafkaSettings, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._client: Any = None
        self._connecting = asyncio.Lock()
        self._spoke_last: int | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self.id: str | None = None
        """The cluster's own id, as of the last answer."""

    async def leaders(self, topics: Iterable[str]) -> dict[str, int | Absent]:
        """Return the broker that leads each topic now, or why there is none.

        Raises:
            BusUnavailable: no broker answers.
        """
        wanted = list(topics)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                answer = await self._ask_anyone(MetadataRequest(wanted, allow_auto_topic_creation=False))
        except TimeoutError as why:
            self._drop()
            raise BusUnavailable(f"no broker at {self._settings.bootstrap} answers") from why
        found: dict[str, int | Absent] = dict.fromkeys(wanted, Absent.MISSING)
        for code, topic, _, partitions in answer.topics:
            if code == Code.TOPIC_AUTHORIZATION_FAILED:
                found[topic] = Absent.FORBIDDEN
            elif code not in (Code.NONE, Code.UNKNOWN_TOPIC_OR_PARTITION, Code.INVALID_TOPIC):
                found[topic] = Absent.LEADERLESS
            elif code == Code.NONE:
                leader = next((p[2] for p in partitions if p[1] == PARTITION), -1)
                found[topic] = leader if leader >= 0 else Absent.LEADERLESS
        return found

    async def offsets(self, leaders: Mapping[str, int], place: Place) -> dict[str, int | None]:
        """Return where each topic begins or ends, as its leader says; None where it says it cannot.

        Raises:
            BusUnavailable: a leader does not answer.
        """
        by_node: dict[int, list[tuple[str, list[tuple[int, int]]]]] = defaultdict(list)
        for topic, node in leaders.items():
            by_node[node].append((topic, [(PARTITION, int(place))]))
        found: dict[str, int | None] = dict.fromkeys(leaders)
        # Uncommitted: nobody may open a transaction here, and a forgotten one would hide everything after it.
        asked = [self.ask(node, OffsetRequest(-1, 0, topics), Lane.ASK) for node, topics in by_node.items()]
        for answer in await asyncio.gather(*asked):
            for topic, partitions in answer.topics:
                for _, code, _, offset in partitions:
                    found[topic] = offset if code == Code.NONE else None
        return found

    async def fetch(self, node: int, positions: Mapping[str, int], wait_s: float, lane: Lane) -> "Fetched":
        """Return what a broker holds from the given positions on, waiting for news at most `wait_s`.

        Topics named first get the room first.

        Raises:
            BusUnavailable: the broker does not answer.
        """
        topics = [(topic, [(PARTITION, offset, PARTITION_FETCH_BYTES)]) for topic, offset in positions.items()]
        answer = await self.ask(node, FetchRequest(int(wait_s * 1000), 1, FETCH_BYTES, 0, topics), lane)
        # Highwater, last stable offset and the rest stand between; the bytes are last in every version.
        return {topic: (part[1], part[-1] or b"") for topic, parts in answer.topics for part in parts}

    async def ask(self, node: int, request: Any, lane: Lane) -> Any:
        """Return a broker's answer.

        Raises:
            BusUnavailable: it does not answer; whether it acted on the request is unknown.
        """
        client = await self._connected()
        try:
            return await client.send(node, request, group=lane)
        except UNANSWERED as why:
            raise BusUnavailable(f"broker {node} does not answer: {why!r}") from why

    async def ready(self, node: int, lane: Lane) -> bool:
        """Connect if need be. False: surely nothing was sent."""
        client = await self._connected()
        return bool(await client.ready(node, group=lane))

    async def close(self) -> None:
        """Drop all connections, waiting at most some seconds for them to end."""
        self._drop()
        if self._closing:
            await asyncio.wait(self._closing, timeout=3)

    async def _ask_anyone(self, request: Any) -> Any:
        client = await self._connected()
        nodes: list[int] = [broker.nodeId for broker in client.cluster.brokers()]
        random.shuffle(nodes)
        nodes.sort(key=lambda node: node != self._spoke_last)
        for node in nodes:
            try:
                answer = await client.send(node, request, group=Lane.ASK)
            except UNANSWERED:
                self._spoke_last = None
                continue
            self._spoke_last = node
            self.id = answer.cluster_id
            client.cluster.update_metadata(answer)
            return answer
        self._drop()
        raise BusUnavailable(f"none of {len(nodes)} known brokers answers")

    async def _connected(self) -> Any:
        async with self._connecting:
            if self._client is None:
                self._client = await self._bootstrap()
            return self._client

    async def _bootstrap(self) -> Any:
        s = self._settings
        secure = s.security_protocol == "SASL_SSL"
        client = AIOKafkaClient(
            bootstrap_servers=s.bootstrap,
            client_id=self._client_id,
            request_timeout_ms=int(REQUEST_TIMEOUT_S * 1000),
            # Its own refresh asks for all topics of the cluster; ours asks for those we need.
            metadata_max_age_ms=24 * 3600 * 1000,
            security_protocol=s.security_protocol,
            ssl_context=create_ssl_context(cafile=str(s.cafile) if s.cafile else None) if secure else None,
            sasl_mechanism=SASL_MECHANISM if secure else "PLAIN",
            sasl_plain_username=s.username,
            sasl_plain_password=s.password,
        )
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await client.bootstrap()
        except BaseException as why:
            await _close(client)
            if isinstance(why, UNANSWERED):
                raise BusUnavailable(f"no broker answers at {s.bootstrap}: {why}") from why
            raise
        return client

    def _drop(self) -> None:
        client, self._client = self._client, None
        self._spoke_last = None
        if client is not None:
            task = asyncio.create_task(_close(client))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


Fetched = Mapping[str, tuple[int, bytes]]
"""By topic: error code and batches."""


async def _close(client: Any) -> None:
    with suppress(*UNANSWERED):
        await client.close()


def only_led(found: Mapping[str, int | Absent]) -> tuple[dict[str, int], dict[str, Absent]]:
    """Split what `Cluster.leaders` found into topics with and without a leader."""
    led = {topic: node for topic, node in found.items() if not isinstance(node, Absent)}
    return led, {topic: why for topic, why in found.items() if isinstance(why, Absent)}


def list_topics(topics: Sequence[str]) -> str:
    """Name a few topics and count the rest, for an error's text."""
    return ", ".join(topics[:3]) + (f" and {len(topics) - 3} more" if len(topics) > 3 else "")
