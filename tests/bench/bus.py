"""What handing records over the bus costs: reading, and publishing beside a bare idempotent aiokafka producer.

    ./comity bench bus [--records 100000]

Prints JSON lines. Ratios are of the same run and may be quoted; times are this machine's.
"""

import argparse
import asyncio
import json
import os
import sys
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from aiokafka import AIOKafkaProducer

import servers
from comity_federation.bus import Bus, Delivered, statements_topic
from comity_federation.kafka_bus import KafkaBus, KafkaSettings
from comity_federation.kafka_topics import prepare_topics

RECORD_BYTES = 2048
MEMBERS = 10
AT_ONCE = 500
HEADERS = {"ce_specversion": "1.0", "ce_id": "0" * 64, "ce_source": "did:web:agency.example", "ce_type": "finding"}


def say(metric: str, value: float, unit: str, **more: Any) -> None:
    """Print one JSON line."""
    print(json.dumps({"metric": metric, "value": round(value, 2), "unit": unit, **more}), flush=True)


def members_topics() -> list[str]:
    """Return new names of topics."""
    run = uuid.uuid4().hex[:8]
    return [statements_topic(f"bench-{run}-{n}") for n in range(MEMBERS)]


async def make_topics(settings: KafkaSettings) -> list[str]:
    """Make the topics of some members and return them."""
    topics = members_topics()
    slugs = [topic.removeprefix(statements_topic("")) for topic in topics]
    await asyncio.to_thread(prepare_topics, settings, slugs)
    return topics


async def publish(bus: Bus, topic: str, records: list[bytes], at_once: int = AT_ONCE) -> float:
    """Publish in pieces as the relay does, and return the seconds it took."""
    began = time.perf_counter()
    for start in range(0, len(records), at_once):
        await asyncio.gather(*[bus.publish(topic, value, HEADERS) for value in records[start : start + at_once]])
    return time.perf_counter() - began


async def publish_bare(bootstrap: str, topic: str, records: list[bytes]) -> float:
    """Do the same with an idempotent aiokafka producer, and return the seconds it took."""
    headers = [(name, text.encode()) for name, text in HEADERS.items()]
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=200_000, linger_ms=0
    )
    await producer.start()
    began = time.perf_counter()
    for start in range(0, len(records), AT_ONCE):
        waiting = [
            await producer.send(topic, value, partition=0, headers=headers)
            for value in records[start : start + AT_ONCE]
        ]
        await asyncio.gather(*waiting)
    took = time.perf_counter() - began
    await producer.stop()
    return took


async def read(bus: Bus, topics: list[str], count: int, most: int) -> tuple[float, float]:
    """Read everything from the beginning; return seconds of the clock and of the processor."""
    positions = dict.fromkeys(topics, 0)
    left = count
    began, cpu = time.perf_counter(), time.process_time()
    while left:
        for item in await bus.read(positions, most=most, wait=timedelta(seconds=5)):
            assert isinstance(item, Delivered)
            positions[item.topic] = item.offset + 1
            left -= 1
    return time.perf_counter() - began, time.process_time() - cpu


async def measure(bootstrap: str, count: int) -> None:
    """Publish and read `count` records in both ways."""
    settings = KafkaSettings(bootstrap)
    own, bare, *filled = await make_topics(settings)
    records = [os.urandom(RECORD_BYTES) for _ in range(count // 5)]
    bus = KafkaBus(settings, "comity-bench")
    await bus.start()
    times: list[tuple[float, float]] = []
    for _ in range(3):
        times.append((await publish(bus, own, records), await publish_bare(bootstrap, bare, records)))
    mine, theirs = (min(column) for column in zip(*times, strict=True))
    rate, bare_rate = len(records) / mine, len(records) / theirs
    say(
        "bus-publish",
        rate,
        "records/s",
        reference="aiokafka idempotent",
        reference_value=round(bare_rate),
        ratio=round(rate / bare_rate, 2),
        goal=0.25,
    )
    each = count // len(filled)
    for topic in filled:
        await publish(bus, topic, [os.urandom(RECORD_BYTES) for _ in range(each)])
    for most in (500, 2_000):
        best = min([await read(bus, filled, each * len(filled), most) for _ in range(3)])
        say(
            "bus-read",
            each * len(filled) / best[0],
            "records/s",
            most=most,
            cpu_us=round(best[1] / each / len(filled) * 1e6, 2),
            goal_us=8,
        )
    await bus.stop()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    asked = parser.parse_args()
    given = os.environ.get("COMITY_TEST_KAFKA")
    if given:
        asyncio.run(measure(given, asked.records))
    else:
        servers.fetch(servers.LOCAL_BROKER)
        with servers.started(servers.LOCAL_BROKER) as announced:
            asyncio.run(measure(announced["bootstrap"], asked.records))


if __name__ == "__main__":
    main()
