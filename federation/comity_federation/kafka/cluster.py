"""The brokers as one: who leads which topic, where logs begin and end, what they hold.

Rules:
- Every call ends within a bounded time, whatever the brokers do.
- A topic is never created by asking for it.
- Whoever answers will do, the brokers known or the bootstrap addresses: a cluster that moved is found there.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, IntEnum
from typing import Any, Final

from aiokafka.protocol.fetch import FetchRequest  # type: ignore[import-untyped]
from aiokafka.protocol.metadata import MetadataRequest  # type: ignore[import-untyped]
from aiokafka.protocol.offset import OffsetRequest  # type: ignore[import-untyped]

from comity_federation.bus import MOST_OFFSET, BusUnavailable
from comity_federation.kafka.connections import Address, Connections, Lane, addresses_of
from comity_federation.kafka.sessions import FETCH_BYTES, PARTITION, PARTITION_FETCH_BYTES, Session
from comity_federation.kafka.settings import KafkaSettings

ANSWER_WITHIN_S: Final = 10.0
"""Longest that connecting or asking may take altogether."""


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


def name_code(code: int) -> str:
    """Return Kafka's name of an error code, or its number."""
    return Code(code).name if code in Code.__members__.values() else f"error {code}"


class Cluster:
    """The brokers, for one purpose (reading or writing): neither disturbs the other's connections."""

    def __init__(self, settings: KafkaSettings, client_id: str) -> None:
        self._connections = Connections(settings, client_id)
        self._bootstrap = addresses_of(settings.bootstrap)
        self._brokers: dict[int, Address] = {}
        self._spoke_last: Address | None = None
        self._sessions: dict[int, Session] = {}
        self.id: str | None = None
        """The cluster's own id, as of the last answer."""
        self.asked_at = 0.0
        """When that answer came."""

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
            raise BusUnavailable("no broker answers") from why
        found: dict[str, int | Absent] = dict.fromkeys(wanted, Absent.MISSING)
        for code, topic, _, partitions in answer.topics:
            if topic not in found:
                continue  # Nobody asked for it.
            if code == Code.TOPIC_AUTHORIZATION_FAILED:
                found[topic] = Absent.FORBIDDEN
            elif code not in (Code.NONE, Code.UNKNOWN_TOPIC_OR_PARTITION, Code.INVALID_TOPIC):
                found[topic] = Absent.LEADERLESS
            elif code == Code.NONE:
                leader = next((p[2] for p in partitions if p[1] == PARTITION), -1)
                found[topic] = leader if leader >= 0 else Absent.LEADERLESS
        return found

    async def offsets(self, leaders: Mapping[str, int], place: Place) -> dict[str, int | None]:
        """Return where each topic begins or ends, as its leader says; None where it does not, or says what cannot be.

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
                    found[topic] = offset if code == Code.NONE and 0 <= offset <= MOST_OFFSET else None
        return {topic: found[topic] for topic in leaders}

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

    async def follow(self, node: int, positions: Mapping[str, int], wait_s: float) -> "Fetched":
        """Return what is new at a broker from the given positions on, waiting for news at most `wait_s`.

        Topics without news may be absent. One call a broker at a time.

        Raises:
            BusUnavailable: the broker does not answer.
        """
        session = self._sessions.setdefault(node, Session())
        while True:
            fetched = session.take(await self.ask(node, session.question(positions, wait_s), Lane.FETCH))
            if fetched is not None:
                return fetched

    async def ask(self, node: int, request: Any, lane: Lane) -> Any:
        """Return a broker's answer.

        Raises:
            BusUnavailable: it does not answer; whether it acted on the request is unknown.
        """
        return await self._connections.ask(self._address(node), request, lane)

    async def connect(self, node: int, lane: Lane) -> None:
        """Connect if need be.

        Raises:
            BusUnavailable: surely nothing was sent.
        """
        await self._connections.connect(self._address(node), lane)

    async def close(self) -> None:
        """Drop all connections, waiting at most some seconds for them to end."""
        await self._connections.close()

    def ask_another(self) -> None:
        """Let the next question about leaders go to any broker, not to the one that answered last."""
        self._spoke_last = None

    async def _ask_anyone(self, request: Any) -> Any:
        brokers, bootstrap = list(self._brokers.values()), list(self._bootstrap)
        random.shuffle(brokers)
        random.shuffle(bootstrap)
        first = [] if self._spoke_last is None else [self._spoke_last]
        who = dict.fromkeys([*first, *brokers, *bootstrap])
        self._spoke_last, answer = await self._connections.ask_first(who, request)
        self._brokers = {broker[0]: (broker[1], broker[2]) for broker in answer.brokers}
        self.id, self.asked_at = answer.cluster_id, time.monotonic()
        return answer

    def _address(self, node: int) -> Address:
        if node not in self._brokers:
            raise BusUnavailable(f"nobody knows broker {node} any more")
        return self._brokers[node]


Fetched = Mapping[str, tuple[int, bytes]]
"""By topic: error code and batches."""


def only_led(found: Mapping[str, int | Absent]) -> tuple[dict[str, int], dict[str, Absent]]:
    """Split what `Cluster.leaders` found into topics with and without a leader."""
    led = {topic: node for topic, node in found.items() if not isinstance(node, Absent)}
    return led, {topic: why for topic, why in found.items() if isinstance(why, Absent)}


def list_topics(topics: Sequence[str]) -> str:
    """Name a few topics and count the rest, for an error's text."""
    return ", ".join(topics[:3]) + (f" and {len(topics) - 3} more" if len(topics) > 3 else "")
