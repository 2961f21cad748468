"""Batches that become huge when opened, or lie about what they are: skipped by their header, and nobody notices.

The broker takes compressed batches as they come (`compression.type=producer`); lies it refuses, so those can come only
from a hostile broker and are given to the decoder directly.
"""

import asyncio
import json
import os
import struct
import sys
import time
import tracemalloc
import uuid
from pathlib import Path

import pytest

import bombs
from comity_federation.bus import MOST_OFFSET, Delivered, Skipped, statements_topic
from comity_federation.kafka.batches import Damaged, open_batches
from comity_federation.kafka.cluster import Code
from comity_federation.kafka_bus import KafkaBus, KafkaSettings
from comity_federation.kafka_topics import prepare_topics

HOSTILE_BATCHES = 2_000
HONEST_LOGS, HONEST_RECORDS = 4, 5_000

BEFORE, AFTER = bombs.record(5)
PLAIN = BEFORE + b"plain" + AFTER


def test_nine_hundred_megabytes_travel_in_thirty_kilobytes() -> None:
    assert len(bombs.BOMBS["zstd"]) < 30_000


@pytest.mark.parametrize("codec", [*bombs.BOMBS, "unknown codec"])
def test_a_compressed_batch_is_skipped_by_its_header(codec: str) -> None:
    raw = bombs.BOMBS.get(codec) or bombs.batch(PLAIN, codec=5)
    tracemalloc.start()
    found = list(open_batches("t", raw, 0))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [Skipped("t", 0, 0, f"compressed batch ({codec})")]
    assert peak < 100_000


def test_a_bomb_that_says_it_is_plain_is_not_opened_either() -> None:
    raw = bombs.batch(bombs.zstd_of_zeros(900 * bombs.MB), codec=bombs.NONE)
    assert list(open_batches("t", raw, 0)) == [Skipped("t", 0, 0, "unreadable batch (CorruptRecordException)")]


@pytest.mark.parametrize("count", [0, 2, 1 << 20, (1 << 31) - 1, -1])
def test_a_batch_that_lies_about_how_many_records_it_holds_gives_at_most_those_it_has(count: int) -> None:
    began = time.perf_counter()
    found = list(open_batches("t", bombs.batch(PLAIN, count=count, last_delta=0), 0))
    assert time.perf_counter() - began < 0.5
    assert len(found) == 1
    assert found[0] in (Delivered("t", 0, b"plain"), Skipped("t", 0, 0, "unreadable batch (CorruptRecordException)"))


def test_a_batch_that_lies_about_its_last_offset_still_gives_what_it_holds() -> None:
    found = list(open_batches("t", bombs.batch(PLAIN, last_delta=1 << 30), 7))
    assert found == [Skipped("t", 7, 1 << 30, "no records")]
    found = list(open_batches("t", bombs.batch(PLAIN, last_delta=-5), 0))
    assert found == [Delivered("t", 0, b"plain")]


@pytest.mark.parametrize("made", [PLAIN, b""])
@pytest.mark.parametrize(("magic", "codec"), [(2, bombs.NONE), (2, bombs.GZIP), (1, bombs.NONE)])
def test_a_batch_whose_place_no_log_reaches_leads_nowhere_that_a_database_cannot_hold(
    made: bytes, magic: int, codec: int
) -> None:
    raw = bytearray(bombs.batch(made, codec=codec, last_delta=(1 << 31) - 1))
    struct.pack_into(">q", raw, 0, (1 << 63) - 1)
    raw[16] = magic
    (found,) = open_batches("t", bytes(raw), 7)
    assert isinstance(found, Skipped)
    assert (found.first, found.last) == (7, MOST_OFFSET)


@pytest.mark.parametrize("size", [-1, 6, 1 << 20, (1 << 31) - 1])
def test_a_record_that_lies_about_its_size_is_unreadable(size: int) -> None:
    before, _ = bombs.record(size)
    (found,) = open_batches("t", bombs.batch(before + b"plain" + AFTER), 0)
    assert isinstance(found, Skipped)


def test_hostile_batches_in_a_row_are_one_item_and_what_is_between_is_kept_apart() -> None:
    small = bombs.batch(PLAIN, codec=bombs.GZIP)

    def at(offset: int, raw: bytes) -> bytes:
        return offset.to_bytes(8, "big") + raw[8:]

    many = b"".join(at(n, small) for n in range(5)) + at(5, bombs.batch(PLAIN)) + at(6, small)
    damaged = bytearray(at(7, bombs.batch(PLAIN)))
    damaged[-2] ^= 1
    assert list(open_batches("t", many + bytes(damaged) + at(8, small), 0)) == [
        Skipped("t", 0, 4, "compressed batch (gzip)"),
        Delivered("t", 5, b"plain"),
        Skipped("t", 6, 6, "compressed batch (gzip)"),
        Damaged("t", 7, 7),
        Skipped("t", 8, 8, "compressed batch (gzip)"),
    ]


@pytest.mark.kafka
@pytest.mark.every_kafka
async def test_bombs_and_thousands_of_hostile_batches_cost_others_neither_memory_nor_time(kafka: str) -> None:
    settings = KafkaSettings(kafka)
    slugs = [f"t{uuid.uuid4().hex[:12]}" for _ in range(1 + HONEST_LOGS)]
    await asyncio.to_thread(prepare_topics, settings, slugs)
    hostile, *honest = [statements_topic(slug) for slug in slugs]
    bus = KafkaBus(settings, "comity-test")
    await bus.start()
    await bus.publish(hostile, b"before", {})
    small = bombs.batch(PLAIN, codec=bombs.GZIP)
    # The broker opens what it takes as a stream, to count: this one is not gzip, and is refused.
    assert Code.NONE not in await bombs.append(settings, hostile, [small])
    small = bombs.batch(bombs.gzip_of_zeros(100), codec=bombs.GZIP)
    assert set(await bombs.append(settings, hostile, [*bombs.BOMBS.values(), *[small] * HOSTILE_BATCHES])) == {
        Code.NONE
    }
    for topic in honest:
        records = [os.urandom(1_500) for _ in range(HONEST_RECORDS)]
        await asyncio.gather(*[bus.publish(topic, value, {}) for value in records])
    await bus.stop()

    script = str(Path(__file__).parents[1] / "bomb_reading.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, script, kafka, hostile, *honest, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    read = json.loads(said)
    assert read["skipped"] == {
        "compressed batch (zstd)": 1,
        "compressed batch (gzip)": 1 + HOSTILE_BATCHES,
        "compressed batch (lz4)": 1,
        "compressed batch (snappy)": 1,
    }
    assert read["grown_mb"] < 16
    assert read["alone_s"] / read["beside_s"] > 0.7, read
