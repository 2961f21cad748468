"""What is special about Kafka: brokers that vanish, refuse, hide and truncate, and publishers that are hostile."""

import asyncio
import importlib.metadata
import os
import time
import tracemalloc
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from comity_federation.bus import (
    BusUnavailable,
    Delivered,
    HistoryMissing,
    PublishRefused,
    Skipped,
    checkpoints_topic,
    statements_topic,
)
from comity_federation.kafka import connections, ends, reader
from comity_federation.kafka.batches import Damaged, open_batches
from comity_federation.kafka.cluster import Absent, Cluster, Fetched
from comity_federation.kafka_bus import KafkaBus, KafkaSettings
from comity_federation.kafka_topics import prepare_topics
from kafka_world import (
    CLIENT,
    SOON,
    asking_makes_no_topic,
    at_the_hub,
    count_requests,
    drain,
    new_topics,
    partition_of,
    topic_config,
    values,
)

pytestmark = [pytest.mark.kafka, pytest.mark.every_kafka]


def build(values: list[bytes | None], codec: int = 0) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=codec,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 30,
    )
    for place, value in enumerate(values):
        builder.append(place, timestamp=1, key=None, value=value, headers=[])
    return bytes(builder.build())


# what a fetch brings


def test_this_is_the_aiokafka_whose_protocol_classes_we_stand_on() -> None:
    assert importlib.metadata.version("aiokafka").startswith("0.14."), "read the changes of fetch, produce, metadata"


@given(st.data())
def test_no_bytes_of_a_fetch_raise_or_move_the_reader_back(data: st.DataObject) -> None:
    raw = bytearray(build([b"one", b"two" * 20, None]) + build([b"three"], codec=1))
    for _ in range(data.draw(st.integers(0, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    position = data.draw(st.integers(0, 4))
    for item in open_batches("t", bytes(raw[: data.draw(st.integers(0, len(raw)))]), position):
        first, last = (item.offset, item.offset) if isinstance(item, Delivered) else (item.first, item.last)
        assert position <= first <= last
        position = last + 1


def test_a_plain_batch_gives_its_records_from_the_position_on() -> None:
    raw = build([b"zero", b"one", None, b"three"])
    assert list(open_batches("t", raw, 1)) == [
        Delivered("t", 1, b"one"),
        Skipped("t", 2, 2, "null value"),
        Delivered("t", 3, b"three"),
    ]


def test_a_batch_whose_bytes_were_changed_is_damaged_and_never_decoded() -> None:
    raw = bytearray(build([b"zero", b"one"]))
    raw[-2] ^= 1
    assert list(open_batches("t", bytes(raw), 0)) == [Damaged("t", 0, 1)]


def test_a_batch_of_an_old_format_is_skipped_by_its_header() -> None:
    raw = bytearray(build([b"zero"]))
    raw[16] = 1
    assert list(open_batches("t", bytes(raw), 0)) == [Skipped("t", 0, 0, "batch of format 1")]


async def test_compressed_batches_of_one_log_are_skipped_unopened_and_the_others_go_on(
    settings: KafkaSettings, bus: KafkaBus
) -> None:
    topics = await new_topics(settings, 4)
    hostile, *honest = topics
    bomb = bytes(100_000_000)  # A hundred kilobytes on the way.
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap, compression_type="gzip", max_request_size=1 << 30, max_batch_size=1
    )
    await producer.start()
    await producer.send_and_wait(hostile, bomb, partition=0)
    await producer.stop()
    await bus.publish(hostile, b"plain", {})
    for topic in honest:
        await asyncio.gather(*[bus.publish(topic, b"%d" % n, {}) for n in range(50)])

    tracemalloc.start()
    found = await drain(
        bus, dict.fromkeys(topics, 0), lambda found: sum(len(values(f)) for f in found.values()) == 151, most=20
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found[hostile] == [Skipped(hostile, 0, 0, "compressed batch (gzip)"), Delivered(hostile, 1, b"plain")]
    for topic in honest:
        assert values(found[topic]) == [b"%d" % n for n in range(50)]
    assert peak < 16_000_000


class Spoiling(Cluster):
    """The real cluster, with one byte of one topic changed on the way for a number of times."""

    def __init__(self, settings: KafkaSettings, topic: str, times: int) -> None:
        super().__init__(settings, CLIENT)
        self._topic, self._times = topic, times

    async def follow(self, node: int, positions: Mapping[str, int], wait_s: float) -> Fetched:
        fetched = dict(await super().follow(node, positions, wait_s))
        code, raw = fetched.get(self._topic, (0, b""))
        if raw and self._times > 0:
            self._times -= 1
            fetched[self._topic] = (code, raw[:-1] + bytes([raw[-1] ^ 1]))
        return fetched


@pytest.mark.parametrize(("times", "arrives"), [(1, True), (1000, False)])
async def test_damage_in_one_log_loses_no_record_of_another(
    settings: KafkaSettings, bus: KafkaBus, times: int, arrives: bool
) -> None:
    """aiokafka's getmany() throws away what it has drained from healthy partitions when another one raises."""
    topics = await new_topics(settings, 5)
    damaged = topics[2]
    for topic in topics:
        await asyncio.gather(*[bus.publish(topic, b"%d" % n, {}) for n in range(20)])
    cluster = Spoiling(settings, damaged, times)
    reading = reader.Reader(cluster)
    found: dict[str, list[Any]] = defaultdict(list)
    positions = dict.fromkeys(topics, 0)
    async with asyncio.timeout(20):
        while any(position < 20 for position in positions.values()):
            for item in await reading.read(positions, 7, 1.0):
                found[item.topic].append(item)
                positions[item.topic] = (item.offset if isinstance(item, Delivered) else item.last) + 1
    await reading.close()
    await cluster.close()
    for topic in topics:
        if topic != damaged or arrives:
            assert values(found[topic]) == [b"%d" % n for n in range(20)]
    if not arrives:
        assert {item.reason for item in found[damaged]} == {"checksum does not match"}
        assert (found[damaged][0].first, found[damaged][-1].last) == (0, 19)


# publishing


async def test_after_a_refused_record_the_log_goes_on_in_order(settings: KafkaSettings, bus: KafkaBus) -> None:
    """An idempotent producer would be out of step from here on."""
    (topic,) = await new_topics(settings)
    small_limit = {"max.message.bytes": "2000"}
    await asyncio.to_thread(at_the_hub, settings, lambda admin: admin.alter_configs([topic_config(topic, small_limit)]))
    asked = [b"first", bytes(5000), b"behind it"]
    outcomes = await asyncio.gather(*[bus.publish(topic, value, {}) for value in asked], return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [int, PublishRefused, BusUnavailable]
    assert await bus.publish(topic, b"behind it", {}) == 1
    assert [record.value for record in await bus.tail(topic, most=5)] == [b"first", b"behind it"]


async def test_a_thousand_records_sent_together_keep_their_order(settings: KafkaSettings, bus: KafkaBus) -> None:
    (topic,) = await new_topics(settings)
    wanted = [b"%d " % n + os.urandom(600) for n in range(1000)]
    offsets = await asyncio.gather(*[bus.publish(topic, value, {}) for value in wanted])
    assert offsets == list(range(1000))
    found = await drain(bus, {topic: 0}, lambda found: len(found[topic]) == 1000)
    assert values(found[topic]) == wanted


async def test_no_topic_is_made_by_asking_for_it(settings: KafkaSettings, bus: KafkaBus) -> None:
    await asking_makes_no_topic(settings, bus)


async def test_a_topic_made_later_is_found(settings: KafkaSettings, bus: KafkaBus) -> None:
    slug = f"t{uuid.uuid4().hex[:12]}"
    topic = statements_topic(slug)
    waiting = asyncio.create_task(drain(bus, {topic: 0}, lambda found: len(found[topic]) == 1))
    await asyncio.sleep(0.3)
    await asyncio.to_thread(prepare_topics, settings, [slug])
    await bus.publish(topic, b"news", {})
    assert values((await waiting)[topic]) == [b"news"]


# history


async def test_a_truncated_log_is_missing_history_and_0_is_where_it_now_begins(
    settings: KafkaSettings, bus: KafkaBus
) -> None:
    (topic,) = await new_topics(settings)
    for number in range(10):
        await bus.publish(topic, b"%d" % number, {})
    await asyncio.to_thread(at_the_hub, settings, lambda admin: admin.delete_records({partition_of(topic): 6}))
    with pytest.raises(HistoryMissing):
        await bus.read({topic: 3}, most=5, wait=SOON)
    found = await drain(bus, {topic: 0}, lambda found: len(found[topic]) == 5)
    assert found[topic][0] == Skipped(topic, 0, 5, "no longer held")
    assert values(found[topic]) == [b"6", b"7", b"8", b"9"]
    assert [record.value for record in await bus.tail(topic, most=50)] == [b"6", b"7", b"8", b"9"]


async def test_a_log_that_was_read_and_is_deleted_is_missing_history(
    settings: KafkaSettings, bus: KafkaBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MISSING_RETRY_S", 0.2)
    (topic,) = await new_topics(settings)
    await bus.publish(topic, b"said", {})
    await asyncio.to_thread(at_the_hub, settings, lambda admin: admin.delete_topics([topic]))
    with pytest.raises(HistoryMissing):
        await bus.read({topic: 1}, most=5, wait=SOON)


async def test_another_cluster_is_missing_history_until_its_id_was_asked_for(
    settings: KafkaSettings, bus: KafkaBus
) -> None:
    (topic,) = await new_topics(settings)
    await bus.publish(topic, b"said", {})
    await bus.bus_id()
    bus._reader._known_id = "the cluster before"
    with pytest.raises(HistoryMissing):
        await bus.read({topic: 1}, most=5, wait=SOON)
    await bus.bus_id()
    assert await bus.read({topic: 1}, most=5, wait=timedelta(0)) == []


class Forgetful(Cluster):
    """The real cluster, whose brokers do not know a topic yet when first asked."""

    def __init__(self, settings: KafkaSettings, times: int) -> None:
        super().__init__(settings, CLIENT)
        self._times = times

    async def leaders(self, topics: Iterable[str]) -> dict[str, int | Absent]:
        found = await super().leaders(topics)
        self._times -= 1
        return found if self._times < 0 else dict.fromkeys(found, Absent.MISSING)


async def test_a_broker_that_does_not_know_a_topic_yet_does_not_make_its_log_empty(
    settings: KafkaSettings, bus: KafkaBus
) -> None:
    (topic,) = await new_topics(settings)
    await bus.publish(topic, b"said", {})
    for look in (lambda cluster: ends.read_tail(cluster, topic, 5), lambda cluster: ends.find_ends(cluster, [topic])):
        cluster = Forgetful(settings, ends.TRIES_AT_MISSING - 1)
        assert await look(cluster) in ([Delivered(topic, 0, b"said")], {topic: 1})
        await cluster.close()


# quiet


async def test_asking_in_every_round_which_bus_it_is_asks_the_brokers_rarely(
    bus: KafkaBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    ask = connections.Connections.ask

    async def counting(self: connections.Connections, *question: Any) -> Any:
        nonlocal asked
        asked += 1
        return await ask(self, *question)

    monkeypatch.setattr(connections.Connections, "ask", counting)
    assert len({await bus.bus_id() for _ in range(50)}) == 1
    assert asked <= 1


async def test_250_idle_topics_cost_next_to_nothing(
    settings: KafkaSettings, bus: KafkaBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    slugs = [f"idle{n}-{uuid.uuid4().hex[:8]}" for n in range(125)]
    await asyncio.to_thread(prepare_topics, settings, slugs)
    asked = count_requests(monkeypatch)
    positions = {topic: 0 for slug in slugs for topic in (statements_topic(slug), checkpoints_topic(slug))}
    await bus.read(positions, most=5, wait=timedelta(seconds=0.5))
    asked.clear()
    cpu = time.process_time()
    for _ in range(3):
        assert await bus.read(positions, most=5, wait=timedelta(seconds=1)) == []
    assert asked.total() <= 10
    assert time.process_time() - cpu < 0.6
