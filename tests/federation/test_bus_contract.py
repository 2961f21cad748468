"""What every bus does, whichever it is: the same tests over the local log and over a real Kafka."""

import asyncio
import os
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from comity_federation.bus import (
    MAX_BATCH_BYTES,
    Bus,
    BusUnavailable,
    Delivered,
    HistoryMissing,
    OutcomeUnknown,
    PublishRefused,
    Skipped,
    checkpoints_topic,
    statements_topic,
)
from comity_federation.kafka_bus import KafkaBus, KafkaSettings
from comity_federation.kafka_topics import prepare_topics
from comity_federation.local_log import LocalLog
from faulty_bus import Fate, FaultyBus

SOON = timedelta(seconds=5)
NOW = timedelta(0)


class Place:
    """Where logs lie: any number of buses can be opened on it, and closed with the test."""

    def __init__(self, where: str | Path, buses: AsyncExitStack) -> None:
        self._where = where
        self._buses = buses

    async def open(self) -> Bus:
        """Return one more started bus."""
        where = self._where
        bus: Bus = LocalLog(where) if isinstance(where, Path) else KafkaBus(KafkaSettings(where), "comity-test")
        await bus.start()
        self._buses.push_async_callback(bus.stop)
        return bus

    async def topics(self) -> tuple[str, str]:
        """Return two topics that are there and empty."""
        slug = f"t{uuid.uuid4().hex[:12]}"
        if not isinstance(self._where, Path):
            await asyncio.to_thread(prepare_topics, KafkaSettings(self._where), [slug])
        return statements_topic(slug), checkpoints_topic(slug)


@pytest.fixture(params=["local-log", pytest.param("kafka", marks=[pytest.mark.kafka, pytest.mark.every_kafka])])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    where = tmp_path / "bus.db" if request.param == "local-log" else request.getfixturevalue("kafka")
    async with AsyncExitStack() as buses:
        yield Place(where, buses)


async def publish_all(bus: Bus, topic: str, values: list[bytes]) -> list[int]:
    return list(await asyncio.gather(*[bus.publish(topic, value, {}) for value in values]))


async def collect(bus: Bus, positions: dict[str, int], count: int, most: int = 100) -> dict[str, list[Delivered]]:
    """Read until `count` new records have come, moving the positions on as a node does."""
    found: dict[str, list[Delivered]] = defaultdict(list)
    async with asyncio.timeout(20):
        while sum(len(records) for records in found.values()) < count:
            for item in await bus.read(positions, most=most, wait=SOON):
                assert isinstance(item, Delivered), item
                if item.offset >= positions[item.topic]:
                    found[item.topic].append(item)
                    positions[item.topic] = item.offset + 1
    return found


def values(found: Mapping[str, list[Delivered]], topic: str) -> list[bytes]:
    return [record.value for record in found[topic]]


def numbered(count: int, name: str = "record") -> list[bytes]:
    return [b"%s %d" % (name.encode(), number) for number in range(count)]


async def test_records_come_in_the_order_they_were_published(place: Place) -> None:
    bus = await place.open()
    topic, _ = await place.topics()
    await publish_all(bus, topic, numbered(300))
    assert values(await collect(bus, {topic: 0}, 300, most=7), topic) == numbered(300)


async def test_publish_returns_the_growing_offset_under_which_the_record_is_read(place: Place) -> None:
    bus = await place.open()
    topic, _ = await place.topics()
    offsets = [await bus.publish(topic, value, {}) for value in numbered(12)]
    assert offsets == sorted(set(offsets))
    found = await collect(bus, {topic: 0}, 12)
    assert [record.offset for record in found[topic]] == offsets


async def test_two_topics_keep_their_own_order_and_offsets(place: Place) -> None:
    bus = await place.open()
    one, other = await place.topics()
    for number in range(20):
        await asyncio.gather(bus.publish(one, b"one %d" % number, {}), bus.publish(other, b"other %d" % number, {}))
    found = await collect(bus, {one: 0, other: 0}, 40)
    assert values(found, one) == numbered(20, "one")
    assert values(found, other) == numbered(20, "other")


async def test_a_log_with_much_news_leaves_room_for_the_others(place: Place) -> None:
    bus = await place.open()
    loud, quiet = await place.topics()
    await publish_all(bus, loud, numbered(500))
    await publish_all(bus, quiet, [b"heard"])
    await collect(bus, {loud: 0, quiet: 0}, 20, most=20)  # Leaders are known now, so the next call asks for both.
    first = await bus.read({loud: 0, quiet: 0}, most=20, wait=SOON)
    assert Delivered(quiet, 0, b"heard") in first


@pytest.mark.parametrize("begin", [0, 7, 19])
async def test_reading_begins_at_the_position_it_is_told(place: Place, begin: int) -> None:
    bus = await place.open()
    topic, _ = await place.topics()
    offsets = await publish_all(bus, topic, numbered(20))
    found = await collect(bus, {topic: offsets[begin]}, 20 - begin)
    assert values(found, topic) == numbered(20)[begin:]


async def test_no_more_than_asked_for_is_returned(place: Place) -> None:
    bus = await place.open()
    topic, _ = await place.topics()
    await publish_all(bus, topic, numbered(20))
    assert len(await bus.read({topic: 0}, most=3, wait=SOON)) == 3


async def test_the_same_position_gives_the_same_records_again(place: Place) -> None:
    bus = await place.open()
    topic, _ = await place.topics()
    await publish_all(bus, topic, numbered(20))
    first = await bus.read({topic: 0}, most=5, wait=SOON)
    assert await bus.read({topic: 0}, most=5, wait=SOON) == first


async def test_at_the_end_nothing_comes_and_the_wait_is_kept(place: Place) -> None:
    bus = await place.open()
    topic, _ = await place.topics()
    await bus.publish(topic, b"only", {})
    positions = dict(await bus.end([topic]))
    loop = asyncio.get_running_loop()
    await bus.read(positions, most=5, wait=NOW)
    began = loop.time()
    assert await bus.read(positions, most=5, wait=timedelta(seconds=0.4)) == []
    assert 0.3 < loop.time() - began < 2


async def test_news_ends_the_wait(place: Place) -> None:
    bus, writer = await place.open(), await place.open()
    topic, _ = await place.topics()
    await writer.publish(topic, b"before", {})
    positions = dict(await bus.end([topic]))
    waiting = asyncio.create_task(bus.read(positions, most=5, wait=timedelta(seconds=30)))
    await asyncio.sleep(0.3)
    await writer.publish(topic, b"news", {})
    async with asyncio.timeout(5):
        (news,) = await waiting
    assert isinstance(news, Delivered)
    assert news.value == b"news"


async def test_what_was_published_before_a_read_that_does_not_wait_is_seen_by_it(place: Place) -> None:
    bus = await place.open()
    topic, _ = await place.topics()
    positions = {topic: 0}
    for value in numbered(10):
        await bus.publish(topic, value, {})
        (item,) = await bus.read(positions, most=10, wait=NOW)
        assert isinstance(item, Delivered)
        assert item.value == value
        positions[topic] = item.offset + 1


async def test_another_process_goes_on_at_the_stored_positions(place: Place) -> None:
    bus = await place.open()
    topic, _ = await place.topics()
    await publish_all(bus, topic, numbered(10))
    positions = {topic: 0}
    before = await collect(bus, positions, 10, most=4)
    await bus.stop()
    later = await place.open()
    await publish_all(later, topic, numbered(5, "later"))
    after = await collect(later, positions, 5)
    assert values(before, topic) + values(after, topic) == numbered(10) + numbered(5, "later")


async def test_the_bus_keeps_its_id(place: Place) -> None:
    bus = await place.open()
    first = await bus.bus_id()
    await bus.stop()
    assert first
    assert await (await place.open()).bus_id() == first


async def test_a_record_that_is_too_large_is_refused_and_the_next_one_is_stored(place: Place) -> None:
    bus = await place.open()
    topic, _ = await place.topics()
    with pytest.raises(PublishRefused):
        await bus.publish(topic, bytes(MAX_BATCH_BYTES), {})
    await bus.publish(topic, b"next", {})
    assert values(await collect(bus, {topic: 0}, 1), topic) == [b"next"]


async def test_the_largest_record_arrives_whole(place: Place) -> None:
    bus = await place.open()
    topic, _ = await place.topics()
    largest = os.urandom(MAX_BATCH_BYTES - 128)
    await bus.publish(topic, largest, {})
    assert values(await collect(bus, {topic: 0}, 1), topic) == [largest]


async def test_any_bytes_survive(place: Place) -> None:
    bus = await place.open()
    topic, _ = await place.topics()
    every = [bytes(range(256)), b"", b"\0", b"\xff\xfe", "\N{ARABIC LETTER AIN}".encode()]
    await publish_all(bus, topic, every)
    assert values(await collect(bus, {topic: 0}, len(every)), topic) == every


async def test_headers_change_nothing_about_what_is_read(place: Place) -> None:
    bus = await place.open()
    topic, _ = await place.topics()
    await bus.publish(topic, b"same", {})
    await bus.publish(topic, b"same", {"ce_specversion": "1.0", "ce_id": "\N{CJK UNIFIED IDEOGRAPH-4E2D}"})
    assert values(await collect(bus, {topic: 0}, 2), topic) == [b"same", b"same"]


async def test_a_topic_that_does_not_exist_is_silent_and_disturbs_nobody(place: Place) -> None:
    bus = await place.open()
    topic, _ = await place.topics()
    missing = statements_topic(f"nobody-{uuid.uuid4().hex[:8]}")
    await bus.publish(topic, b"heard", {})
    assert values(await collect(bus, {missing: 0, topic: 0}, 1), topic) == [b"heard"]
    assert await bus.read({missing: 0}, most=5, wait=timedelta(seconds=0.2)) == []
    assert await bus.tail(missing, most=5) == []
    assert await bus.end([missing, topic]) == {missing: 0, topic: 1}


async def test_reading_nothing_returns_nothing(place: Place) -> None:
    bus = await place.open()
    assert await bus.read({}, most=5, wait=timedelta(seconds=0.1)) == []
    assert await bus.end([]) == {}


async def test_an_empty_topic_has_an_empty_tail_and_ends_at_0(place: Place) -> None:
    bus = await place.open()
    topic, _ = await place.topics()
    assert await bus.tail(topic, most=5) == []
    assert await bus.end([topic]) == {topic: 0}
    assert await bus.read({topic: 0}, most=5, wait=timedelta(seconds=0.2)) == []


@pytest.mark.parametrize("most", [1, 4, 30])
async def test_the_tail_is_the_last_records_oldest_first(place: Place, most: int) -> None:
    bus = await place.open()
    topic, _ = await place.topics()
    await publish_all(bus, topic, numbered(20))
    assert [record.value for record in await bus.tail(topic, most=most)] == numbered(20)[-most:]


async def test_the_tail_shows_what_another_has_just_stored(place: Place) -> None:
    bus, writer = await place.open(), await place.open()
    topic, _ = await place.topics()
    for value in numbered(5):
        offset = await writer.publish(topic, value, {})
        assert await bus.tail(topic, most=1) == [Delivered(topic, offset, value)]
        assert await bus.end([topic]) == {topic: offset + 1}


async def test_a_position_beyond_the_end_is_missing_history_and_the_others_go_on(place: Place) -> None:
    bus = await place.open()
    topic, other = await place.topics()
    await publish_all(bus, topic, numbered(3))
    await publish_all(bus, other, numbered(3))
    with pytest.raises(HistoryMissing) as missing:
        await bus.read({topic: 1000, other: 0}, most=5, wait=SOON)
    assert (missing.value.topic, missing.value.position) == (topic, 1000)
    assert values(await collect(bus, {other: 0}, 3), other) == numbered(3)


async def test_repeats_are_recognised_by_their_offsets(place: Place) -> None:
    bus = FaultyBus(await place.open(), repeat_every=1, again=4)
    topic, other = await place.topics()
    await publish_all(bus, topic, numbered(50))
    await publish_all(bus, other, numbered(50))
    positions = {topic: 0, other: 0}
    seen: list[Delivered | Skipped] = []
    kept: list[bytes] = []
    while len(kept) < 100:
        for item in await bus.read(positions, most=15, wait=SOON):
            assert isinstance(item, Delivered)
            seen.append(item)
            if item.offset >= positions[item.topic]:
                positions[item.topic] = item.offset + 1
                kept.append(item.value)
    assert len(seen) > 100
    assert sorted(kept) == sorted(numbered(50) * 2)


async def test_after_an_unknown_outcome_the_tail_says_what_to_send_again(place: Place) -> None:
    fates = [Fate.STORED, Fate.STORED_BUT_UNKNOWN, Fate.LOST_AND_UNKNOWN, Fate.STORED, Fate.LOST_AND_UNKNOWN]
    bus = FaultyBus(await place.open(), fates=fates)
    topic, _ = await place.topics()
    for value in numbered(10):
        sent = False
        while not sent:
            try:
                await bus.publish(topic, value, {})
                sent = True
            except OutcomeUnknown:
                sent = any(record.value == value for record in await bus.tail(topic, most=1))
    assert values(await collect(bus, {topic: 0}, 10), topic) == numbered(10)


async def test_stop_ends_a_read_that_waits_and_returns_at_once(place: Place) -> None:
    bus = await place.open()
    topic, _ = await place.topics()
    await bus.publish(topic, b"only", {})
    waiting = asyncio.create_task(bus.read({topic: 1}, most=5, wait=timedelta(seconds=30)))
    await asyncio.sleep(0.2)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(3):
        await bus.stop()


@pytest.mark.parametrize("steps", [0, 1, 2])
async def test_stop_leaves_no_publish_without_an_answer(place: Place, steps: int) -> None:
    bus = await place.open()
    topic, _ = await place.topics()
    publishing = [asyncio.create_task(bus.publish(topic, value, {})) for value in numbered(5)]
    for _ in range(steps):
        await asyncio.sleep(0)
    await bus.stop()
    async with asyncio.timeout(3):
        outcomes = await asyncio.gather(*publishing, return_exceptions=True)
    surely = [value for value, outcome in zip(numbered(5), outcomes, strict=True) if isinstance(outcome, int)]
    never = [value for value, o in zip(numbered(5), outcomes, strict=True) if isinstance(o, BusUnavailable)]
    stored = [record.value for record in await (await place.open()).tail(topic, most=9)]
    assert set(surely) <= set(stored)
    assert not set(never) & set(stored)
