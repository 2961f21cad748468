"""What is special about Kafka: brokers that vanish, refuse, hide and truncate, and publishers that are hostile."""

import asyncio
import contextlib
import importlib.metadata
import logging
import os
import shutil
import signal
import time
import tracemalloc
import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

import servers
from comity_federation.bus import (
    BusUnavailable,
    Delivered,
    HistoryMissing,
    OutcomeUnknown,
    PublishRefused,
    Skipped,
    checkpoints_topic,
    statements_topic,
)
from comity_federation.kafka import connections, ends, reader
from comity_federation.kafka.batches import Damaged, open_batches
from comity_federation.kafka.cluster import Absent, Cluster, Fetched
from comity_federation.kafka.connections import Lane
from comity_federation.kafka.settings import KafkaSettingsIncomplete
from comity_federation.kafka_bus import KafkaBus, KafkaSettings
from comity_federation.kafka_topics import grant_rights, kafka_admin, prepare_topics, revoke_rights

pytestmark = [pytest.mark.kafka, pytest.mark.every_kafka]

SOON = timedelta(seconds=5)
CLIENT = "comity-test"
ANYBODY = "User:ANONYMOUS"


@pytest.fixture
def settings(kafka: str) -> KafkaSettings:
    return KafkaSettings(kafka)


@pytest.fixture
async def bus(settings: KafkaSettings) -> AsyncIterator[KafkaBus]:
    async with connected(settings) as bus:
        yield bus


@asynccontextmanager
async def connected(settings: KafkaSettings) -> AsyncIterator[KafkaBus]:
    bus = KafkaBus(settings, CLIENT)
    try:
        await bus.start()
        yield bus
    finally:
        await bus.stop()


async def new_topics(settings: KafkaSettings, count: int = 1) -> list[str]:
    slugs = [f"t{uuid.uuid4().hex[:12]}" for _ in range(count)]
    await asyncio.to_thread(prepare_topics, settings, slugs)
    return [statements_topic(slug) for slug in slugs]


def at_the_hub(settings: KafkaSettings, work: Callable[[Any], Any]) -> Any:
    with kafka_admin(settings) as admin:
        return work(admin)


async def put_rights(settings: KafkaSettings, rights: list[Any]) -> None:
    """Give rights, and wait until they count: the broker learns them a moment after the controller."""

    def work(admin: Any) -> None:
        admin.create_acls(rights)
        while len(admin.describe_acls(_every_right(ANYBODY))[0]) < len(rights):
            time.sleep(0.05)

    await asyncio.to_thread(at_the_hub, settings, work)


async def drain(
    bus: Any, positions: dict[str, int], until: Callable[[dict[str, list[Any]]], bool], most: int = 200
) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    async with asyncio.timeout(20):
        while not until(found):
            for item in await bus.read(positions, most=most, wait=SOON):
                found[item.topic].append(item)
                positions[item.topic] = (item.offset if isinstance(item, Delivered) else item.last) + 1
    return found


def values(items: list[Any]) -> list[bytes]:
    return [item.value for item in items if isinstance(item, Delivered)]


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

    async def fetch(self, node: int, positions: Mapping[str, int], wait_s: float, lane: Lane) -> Fetched:
        fetched = dict(await super().fetch(node, positions, wait_s, lane))
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
    await asyncio.to_thread(at_the_hub, settings, lambda admin: admin.alter_configs([_config(topic, small_limit)]))
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
    topic = statements_topic(f"nobody-{uuid.uuid4().hex[:8]}")
    with pytest.raises(PublishRefused, match="no such topic"):
        await bus.publish(topic, b"", {})
    await bus.read({topic: 0}, most=1, wait=timedelta(seconds=0.5))
    await bus.tail(topic, most=1)
    assert topic not in await asyncio.to_thread(at_the_hub, settings, lambda admin: admin.list_topics())


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
    await asyncio.to_thread(at_the_hub, settings, lambda admin: admin.delete_records({_partition(topic): 6}))
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


def count_requests(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    asked: Counter[str] = Counter()
    ask = Cluster.ask

    async def counting(self: Cluster, node: int, request: Any, lane: Lane) -> Any:
        asked[type(request).__name__] += 1
        return await ask(self, node, request, lane)

    monkeypatch.setattr(Cluster, "ask", counting)
    return asked


# a broker with an authorizer, which these tests may also stop


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, kafka_options: list[str]) -> Iterator[dict[str, Any]]:
    deploy = tmp_path_factory.mktemp("guarded") / "deploy"
    shutil.copytree(servers.CHECKOUT / "deploy", deploy)
    with (deploy / "kafka" / "server.properties").open("a") as properties:
        properties.write(
            "\nauthorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer"
            "\nallow.everyone.if.no.acl.found=true"
            # The worst neighbour: here a careless question would make a topic.
            "\nauto.create.topics.enable=true\n"
        )
    script = deploy / "kafka" / "local_broker.py"
    servers.fetch(script, *kafka_options)
    with servers.started(script, *kafka_options) as announced:
        yield announced


@pytest.fixture
def guarded_settings(guarded: dict[str, Any]) -> KafkaSettings:
    return KafkaSettings(guarded["bootstrap"])


@pytest.fixture
async def guarded_bus(guarded_settings: KafkaSettings) -> AsyncIterator[KafkaBus]:
    async with connected(guarded_settings) as bus:
        yield bus


async def test_not_even_a_broker_that_makes_topics_is_made_to_make_one(
    guarded_settings: KafkaSettings, guarded_bus: KafkaBus
) -> None:
    await test_no_topic_is_made_by_asking_for_it(guarded_settings, guarded_bus)


@pytest.mark.parametrize("visible", [True, False])
async def test_without_the_right_to_read_one_log_is_put_aside_and_said_once(
    guarded_settings: KafkaSettings,
    guarded_bus: KafkaBus,
    visible: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(reader, "FORBIDDEN_RETRY_S", 1.0)
    bus = guarded_bus
    closed, open_ = await new_topics(guarded_settings, 2)
    for topic in (closed, open_):
        await bus.publish(topic, b"said", {})
    rights = [_right(closed, ANYBODY, "READ", "DENY")] + ([_right(closed, ANYBODY, "WRITE")] if visible else [])
    await put_rights(guarded_settings, rights)
    asked = count_requests(monkeypatch)

    with caplog.at_level(logging.WARNING, logger=reader.__name__):
        positions = {closed: 0, open_: 0}
        found = await drain(bus, positions, lambda found: len(found[open_]) == 1)
        for _ in range(3):
            assert await bus.read(positions, most=5, wait=timedelta(seconds=0.8)) == []
    assert found[closed] == []
    assert asked.total() < 40
    assert len([line for line in caplog.messages if line.startswith("no right to read")]) == 1
    assert list(bus.troubles()) == [closed]
    if not visible:
        with pytest.raises(PublishRefused):
            await bus.publish(closed, b"", {})
        with pytest.raises(BusUnavailable):
            await bus.tail(closed, most=1)
        with pytest.raises(BusUnavailable):
            await bus.end([closed])

    await asyncio.to_thread(revoke_rights, guarded_settings, [ANYBODY])
    assert values((await drain(bus, positions, lambda found: len(found[closed]) == 1))[closed]) == [b"said"]
    assert not bus.troubles()


async def test_without_the_right_to_write_a_record_is_refused_and_the_own_log_goes_on(
    guarded_settings: KafkaSettings, guarded_bus: KafkaBus
) -> None:
    foreign, own = await new_topics(guarded_settings, 2)
    rights = [_right(foreign, ANYBODY, "READ")]
    await put_rights(guarded_settings, rights)
    with pytest.raises(PublishRefused, match=r"no right|TOPIC_AUTHORIZATION_FAILED"):
        await guarded_bus.publish(foreign, b"not mine", {})
    assert await guarded_bus.publish(own, b"mine", {}) == 0
    await asyncio.to_thread(revoke_rights, guarded_settings, [ANYBODY])


async def test_a_member_may_write_its_own_two_topics_and_read_all(guarded_settings: KafkaSettings) -> None:
    def rights_of(principal: str) -> set[tuple[str, str, str]]:
        found, _ = at_the_hub(guarded_settings, lambda admin: admin.describe_acls(_every_right(principal)))
        return {
            (acl.operation.name, acl.resource_pattern.pattern_type.name, acl.resource_pattern.resource_name)
            for acl in found
        }

    def work() -> None:
        grant_rights(guarded_settings, {"agency-007": "User:seven"})
        grant_rights(guarded_settings, {"agency-007": "User:seven"})
        assert rights_of("User:seven") == {
            ("WRITE", "LITERAL", "comity.statements.v1.agency-007"),
            ("WRITE", "LITERAL", "comity.checkpoints.v1.agency-007"),
            ("READ", "PREFIXED", "comity."),
        }
        assert revoke_rights(guarded_settings, ["User:seven"]) == 3
        assert rights_of("User:seven") == set()

    await asyncio.to_thread(work)


async def test_topics_are_made_as_the_design_says_and_corrected_when_changed(settings: KafkaSettings) -> None:
    slug = f"t{uuid.uuid4().hex[:12]}"
    statements, checkpoints = statements_topic(slug), checkpoints_topic(slug)

    def configs() -> dict[str, dict[str, str]]:
        asked = [_config(topic, None) for topic in (statements, checkpoints)]
        found = at_the_hub(settings, lambda admin: admin.describe_configs(asked, config_filter="all")["topic"])
        return {topic: {name: config["value"] for name, config in found[topic].items()} for topic in found}

    def work() -> None:
        assert set(prepare_topics(settings, [slug]).made) == {statements, checkpoints}
        assert set(prepare_topics(settings, [slug]).unchanged) == {statements, checkpoints}
        same = {
            "cleanup.policy": "delete",
            "compression.type": "producer",
            "max.message.bytes": "262144",
            "min.insync.replicas": "1",
        }
        made = configs()
        assert made[statements].items() >= (same | {"retention.ms": "-1", "retention.bytes": "-1"}).items()
        assert made[checkpoints].items() >= (same | {"retention.ms": "2592000000"}).items()
        at_the_hub(settings, lambda admin: admin.alter_configs([_config(statements, {"cleanup.policy": "compact"})]))
        assert prepare_topics(settings, [slug]).corrected == [statements]
        assert configs() == made

    await asyncio.to_thread(work)


# brokers that do not answer


async def test_where_nobody_listens_everything_is_unavailable_at_once() -> None:
    bus = KafkaBus(KafkaSettings("127.0.0.1:1"), CLIENT)
    async with asyncio.timeout(5):
        with pytest.raises(BusUnavailable):
            await bus.start()
        with pytest.raises(BusUnavailable):
            await bus.publish(statements_topic("a"), b"", {})
        with pytest.raises(BusUnavailable):
            await bus.read({statements_topic("a"): 0}, most=1, wait=SOON)
        await bus.stop()


async def test_a_broker_that_falls_silent_holds_nobody_up_and_is_found_again(
    guarded: dict[str, Any], guarded_settings: KafkaSettings, guarded_bus: KafkaBus
) -> None:
    (topic,) = await new_topics(guarded_settings)
    bus, leaving = guarded_bus, KafkaBus(guarded_settings, CLIENT)
    for each in (bus, leaving):
        await each.publish(topic, b"before", {})
        await each.read({topic: 0}, most=1, wait=SOON)
    os.kill(guarded["pid"], signal.SIGSTOP)
    try:
        async with asyncio.timeout(25):
            outcomes = await asyncio.gather(
                bus.publish(topic, b"during", {}),
                bus.read({topic: 2}, most=1, wait=timedelta(seconds=1)),
                bus.tail(topic, most=1),
                bus.end([topic]),
                return_exceptions=True,
            )
            assert [type(outcome) for outcome in outcomes] == [
                OutcomeUnknown,
                BusUnavailable,
                BusUnavailable,
                BusUnavailable,
            ]
        reading = asyncio.create_task(leaving.read({topic: 2}, most=1, wait=timedelta(seconds=60)))
        sending = asyncio.create_task(leaving.publish(topic, b"during", {}))
        await asyncio.sleep(0.5)
        async with asyncio.timeout(10):
            await leaving.stop()
        await asyncio.gather(reading, sending, return_exceptions=True)
    finally:
        os.kill(guarded["pid"], signal.SIGCONT)
    async with asyncio.timeout(15):
        await bus.publish(topic, b"after", {})
        found = await drain(bus, {topic: 0}, lambda found: b"after" in values(found[topic]))
    assert values(found[topic])[:2] == [b"before", b"before"]
    assert values(found[topic]).count(b"after") == 1


@pytest.mark.parametrize("size", [-1, (1 << 31) - 1, connections.MOST_ANSWER_BYTES + 1])
async def test_a_broker_that_answers_without_end_is_hung_up_on(size: int) -> None:
    sent = 0

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(size.to_bytes(4, "big", signed=True))
        with contextlib.suppress(OSError):
            while True:
                writer.write(bytes(1 << 16))
                await writer.drain()
                sent += 1 << 16
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    bus = KafkaBus(KafkaSettings(f"127.0.0.1:{server.sockets[0].getsockname()[1]}"), CLIENT)
    async with asyncio.timeout(4):
        with pytest.raises(BusUnavailable):
            await bus.start()
    await bus.stop()
    server.close()
    assert sent < 16_000_000


def test_a_broker_that_asks_for_a_year_of_hashing_is_refused() -> None:
    asked = {"sasl_plain_password": "p", "sasl_plain_username": "u", "sasl_mechanism": "SCRAM-SHA-512"}
    steps = connections._Scram(loop=None, **asked).authenticator_scram()
    nonce = next(steps)[0].decode().rpartition("r=")[2]
    with pytest.raises(ConnectionError, match="rounds of hashing"):
        steps.send(f"r={nonce}more,s=c2FsdA==,i=2000000000".encode())


# settings


def test_signing_in_needs_a_name_and_a_password_that_is_never_printed() -> None:
    with pytest.raises(KafkaSettingsIncomplete):
        KafkaSettings("hub:9093", security_protocol="SASL_SSL", username="undp")
    with pytest.raises(KafkaSettingsIncomplete):
        KafkaSettings(" ")
    complete = KafkaSettings("hub:9093", security_protocol="SASL_SSL", username="undp", password="opensesame")
    assert "opensesame" not in repr(complete)


# kafka-python's words, only here


def _config(topic: str, configs: dict[str, str] | None) -> Any:
    from kafka.admin import ConfigResource, ConfigResourceType  # noqa: PLC0415 - after its warning was silenced

    return ConfigResource(ConfigResourceType.TOPIC, topic, configs)


def _partition(topic: str) -> Any:
    from kafka.structs import TopicPartition  # noqa: PLC0415

    return TopicPartition(topic, 0)


def _right(topic: str, principal: str, operation: str, permission: str = "ALLOW") -> Any:
    from kafka import admin as k  # noqa: PLC0415

    pattern = k.ResourcePattern(k.ResourceType.TOPIC, topic)
    return k.ACL(principal, "*", k.ACLOperation[operation], k.ACLPermissionType[permission], pattern)


def _every_right(principal: str) -> Any:
    from kafka import admin as k  # noqa: PLC0415

    anything = k.ResourcePatternFilter(k.ResourceType.TOPIC, None, k.ACLResourcePatternType.ANY)
    return k.ACLFilter(principal, None, k.ACLOperation.ANY, k.ACLPermissionType.ANY, anything)
