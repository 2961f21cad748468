"""Appending records to logs, each sent once.

Rules:
- A record is sent in at most one request that could have stored it. Only after an answer that surely means "not
  stored" is it sent again; everything unclear is `OutcomeUnknown`, and the caller looks at the log's tail.
- Order: records of one topic are stored in the order of the calls. When one is not surely stored, those that wait
  behind it are not sent: a log never holds the sixth record without the fifth.
- Records that wait together travel together, uncompressed, in batches well below a topic's `max.message.bytes`,
  which bounds the batch and not the record.
- No producer id: it would protect retries that do not happen here, and one refused batch puts it out of step.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from aiokafka.protocol.produce import ProduceRequest  # type: ignore[import-untyped]
from aiokafka.record.default_records import DefaultRecordBatchBuilder  # type: ignore[import-untyped]

from comity_federation.bus import (
    MAX_BATCH_BYTES,
    BusError,
    BusUnavailable,
    OutcomeUnknown,
    PublishRefused,
    batch_bytes,
)
from comity_federation.kafka.cluster import Absent, Cluster, Code, name_code
from comity_federation.kafka.connections import Lane
from comity_federation.kafka.sessions import PARTITION

TOGETHER_BYTES: Final = 200_000
"""Records are collected into one batch up to this size; a single larger one travels alone."""

STORE_WITHIN_S: Final = 8.0
"""How long the brokers may take to store a batch on all replicas before they say they could not."""

SEND_WITHIN_S: Final = 10.0
"""How long "surely not stored" is tried again before it becomes `BusUnavailable`."""

RETRY_S: Final = 0.2
ALL_REPLICAS: Final = -1

_REFUSED: Final = frozenset(
    {
        Code.MESSAGE_TOO_LARGE,
        Code.RECORD_LIST_TOO_LARGE,
        Code.INVALID_TOPIC,
        Code.TOPIC_AUTHORIZATION_FAILED,
        Code.CLUSTER_AUTHORIZATION_FAILED,
        Code.INVALID_TIMESTAMP,
        Code.UNSUPPORTED_FOR_MESSAGE_FORMAT,
        Code.POLICY_VIOLATION,
        Code.INVALID_RECORD,
    }
)
_SURELY_NOT_STORED: Final = frozenset(
    {
        Code.CORRUPT_MESSAGE,
        Code.UNKNOWN_TOPIC_OR_PARTITION,
        Code.LEADER_NOT_AVAILABLE,
        Code.NOT_LEADER_OR_FOLLOWER,
        Code.NOT_ENOUGH_REPLICAS,
    }
)


class _BatchTooLarge(Exception):
    """The batch, not surely each record in it."""


@dataclass(slots=True, eq=False)
class _Waiting:
    value: bytes
    headers: list[tuple[str, bytes]]
    size_bytes: int
    stored: asyncio.Future[int] = field(repr=False)


class Writer:
    """Appends to any number of topics; each has a queue of its own."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._queues: dict[str, deque[_Waiting]] = {}
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._leaders: dict[str, int] = {}

    async def publish(self, topic: str, value: bytes, headers: Mapping[str, str]) -> int:
        """Append one record and return its offset.

        Raises:
            OutcomeUnknown: no answer in time.
            PublishRefused: refused for good.
            BusUnavailable: surely not stored.
        """
        size = batch_bytes(value, headers)
        if size > MAX_BATCH_BYTES:
            raise PublishRefused(f"a record of {len(value)} bytes is too large for {topic}")
        stored: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        encoded = [(name, text.encode()) for name, text in headers.items()]
        self._queues.setdefault(topic, deque()).append(_Waiting(value, encoded, size, stored))
        if topic not in self._sending:
            self._sending[topic] = asyncio.create_task(self._send_queue(topic))
        return await stored

    async def close(self) -> None:
        """Stop sending; what is under way is unknown, what waits is not stored."""
        tasks = list(self._sending.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # A task that is cancelled before its first step never reaches its own clean-up.
        for topic in list(self._sending):
            self._end_queue(topic)

    def _end_queue(self, topic: str) -> None:
        self._sending.pop(topic, None)
        _fail(self._queues.pop(topic, deque()), BusUnavailable(f"{topic}: stopped before this record was sent"))

    async def _send_queue(self, topic: str) -> None:
        queue = self._queues[topic]
        alone = 0
        try:
            while queue:
                batch = _collect(queue, 1 if alone else len(queue))
                alone = max(0, alone - len(batch))
                if batch and await self._send_batch(topic, batch, queue):
                    # The topic allows less than we assume: alone, only the record that is too large is refused.
                    queue.extendleft(reversed(batch))
                    alone = len(batch)
        finally:
            self._end_queue(topic)

    async def _send_batch(self, topic: str, batch: list[_Waiting], queue: deque[_Waiting]) -> bool:
        """Send records and tell their callers. True: as one batch they are too large, and none is stored."""
        try:
            base = await self._store(topic, batch)
        except _BatchTooLarge as why:
            if len(batch) > 1:
                return True
            self._give_up(topic, batch, queue, PublishRefused(str(why)))
        except BusError as why:
            self._give_up(topic, batch, queue, why)
        except BaseException as why:
            _fail(batch, OutcomeUnknown(f"{topic}: interrupted while sending ({type(why).__name__})"))
            raise
        else:
            for place, waiting in enumerate(batch):
                if not waiting.stored.done():
                    waiting.stored.set_result(base + place)
        return False

    def _give_up(self, topic: str, batch: list[_Waiting], queue: deque[_Waiting], why: BusError) -> None:
        self._leaders.pop(topic, None)
        _fail(batch, why)
        _fail(queue, BusUnavailable(f"{topic}: not sent, because the record before it was not surely stored"))
        queue.clear()

    async def _store(self, topic: str, batch: list[_Waiting]) -> int:
        """Return the offset of the first record."""
        deadline = time.monotonic() + SEND_WITHIN_S
        missing = 0
        raw = _build(batch)
        request = ProduceRequest(None, ALL_REPLICAS, int(STORE_WITHIN_S * 1000), [(topic, [(PARTITION, raw)])])
        while True:
            leader = await self._find_leader(topic)
            if isinstance(leader, Absent):
                why = f"{topic}: {leader.value}"
                missing += leader is not Absent.LEADERLESS
                if missing >= 3:  # A topic made a moment ago may not be known to every broker yet.
                    raise PublishRefused(why)
            elif (refused := await self._connect(leader)) is not None:
                why = f"{topic}: {refused}"
            else:
                code, offset = await self._append(leader, topic, request)
                if code == Code.NONE:
                    return offset
                why = f"{topic}: {name_code(code)}"
                _raise_if_final(topic, code)
            self._leaders.pop(topic, None)
            if time.monotonic() >= deadline:
                raise BusUnavailable(why)
            await asyncio.sleep(RETRY_S)

    async def _find_leader(self, topic: str) -> int | Absent:
        if topic not in self._leaders:
            found = (await self._cluster.leaders([topic]))[topic]
            if isinstance(found, Absent):
                return found
            self._leaders[topic] = found
        return self._leaders[topic]

    async def _connect(self, leader: int) -> BusUnavailable | None:
        """Return why surely nothing can be sent to this broker; None when it can."""
        try:
            await self._cluster.connect(leader, Lane.APPEND)
        except BusUnavailable as why:
            return why
        return None

    async def _append(self, leader: int, topic: str, request: ProduceRequest) -> tuple[int, int]:
        try:
            answer = await self._cluster.ask(leader, request, Lane.APPEND)
        except BusUnavailable as why:
            raise OutcomeUnknown(f"{topic}: {why}") from why
        told = dict(answer.topics)
        if not told.get(topic):
            raise OutcomeUnknown(f"{topic}: its leader answers something else")
        partition = told[topic][0]
        return partition[1], partition[2]


def _raise_if_final(topic: str, code: int) -> None:
    if code in (Code.MESSAGE_TOO_LARGE, Code.RECORD_LIST_TOO_LARGE):
        raise _BatchTooLarge(f"{topic} takes no record this large")
    if code in _REFUSED:
        raise PublishRefused(f"{topic}: {name_code(code)}")
    if code not in _SURELY_NOT_STORED:
        raise OutcomeUnknown(f"{topic}: {name_code(code)}")


def _collect(queue: deque[_Waiting], most: int) -> list[_Waiting]:
    """Take the next records that fit together; a caller that was cancelled no longer wants its record sent."""
    batch: list[_Waiting] = []
    size = 0
    while queue and len(batch) < most and (not batch or size + queue[0].size_bytes <= TOGETHER_BYTES):
        waiting = queue.popleft()
        if not waiting.stored.done():
            batch.append(waiting)
            size += waiting.size_bytes
    return batch


def _build(batch: list[_Waiting]) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=MAX_BATCH_BYTES,
    )
    now_ms = int(time.time() * 1000)
    for place, waiting in enumerate(batch):
        builder.append(place, timestamp=now_ms, key=None, value=waiting.value, headers=waiting.headers)
    return bytes(builder.build())


def _fail(batch: list[_Waiting] | deque[_Waiting], why: BusError) -> None:
    for waiting in batch:
        if not waiting.stored.done():
            waiting.stored.set_exception(type(why)(*why.args))
