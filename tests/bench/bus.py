"""Records over the bus: publishing beside a bare idempotent aiokafka producer, and what reading costs.

    ./comity bench bus [--size 100k]

Publishing keeps some records on the way, as the relay does. Reading is from the beginning, once with full batches and
once with one record in each, as findings are that were approved one by one.
"""

import asyncio
import os
import time
import uuid
from datetime import timedelta

from aiokafka import AIOKafkaProducer

from bench.frame.buses import kafka
from bench.frame.results import Goal, arguments, report
from comity_federation.bus import Bus, Delivered, statements_topic
from comity_federation.kafka_bus import KafkaBus, KafkaSettings
from comity_federation.kafka_topics import prepare_topics

RECORD_BYTES = 2048
MEMBERS = 10
AT_ONCE = 500
ROUNDS = 3
HEADERS = {"ce_specversion": "1.0", "ce_id": "0" * 64, "ce_source": "did:web:agency.example", "ce_type": "finding"}


async def make_topics(settings: KafkaSettings) -> list[str]:
    """Make the topics of some members and return them."""
    slugs = [f"bench-{uuid.uuid4().hex[:8]}" for _ in range(MEMBERS)]
    await asyncio.to_thread(prepare_topics, settings, slugs)
    return [statements_topic(slug) for slug in slugs]


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


async def read(bus: Bus, topics: list[str], count: int) -> tuple[float, float]:
    """Read everything from the beginning; return records a second, and processor microseconds a record."""
    positions = dict.fromkeys(topics, 0)
    left = count
    began, cpu = time.perf_counter(), time.process_time()
    while left > 0:
        for item in await bus.read(positions, most=AT_ONCE, wait=timedelta(seconds=5)):
            assert isinstance(item, Delivered)
            positions[item.topic] = item.offset + 1
            left -= 1
    return count / (time.perf_counter() - began), (time.process_time() - cpu) / count * 1e6


async def measure(bootstrap: str, count: int) -> None:
    """Publish and read `count` records."""
    settings = KafkaSettings(bootstrap)
    own, bare, *filled = await make_topics(settings)
    records = [os.urandom(RECORD_BYTES) for _ in range(max(AT_ONCE, count // 5))]
    bus = KafkaBus(settings, "comity-bench")
    await bus.start()
    mine, theirs = float("inf"), float("inf")
    for _ in range(ROUNDS):
        mine = min(mine, await publish(bus, own, records))
        theirs = min(theirs, await publish_bare(bootstrap, bare, records))
    report(
        "bus-publish",
        len(records) / mine,
        "records/s",
        goal=Goal(ratio_at_least=0.25),
        reference="aiokafka's idempotent producer",
        reference_value=len(records) / theirs,
        records=len(records),
    )
    batched, single = filled[: len(filled) // 2], filled[len(filled) // 2 :]
    each = max(AT_ONCE, count // len(filled))
    contents = [os.urandom(RECORD_BYTES) for _ in range(each)]
    for topic in batched:
        await publish(bus, topic, contents)
    await asyncio.gather(*[publish(bus, topic, contents, at_once=1) for topic in single])
    for name, topics in (("full batches", batched), ("one record a batch", single)):
        read_all = each * len(topics)
        runs = [await read(bus, topics, read_all) for _ in range(ROUNDS)]
        rate, cost = max(rate for rate, _ in runs), min(cost for _, cost in runs)
        report(
            f"bus-read: {name}",
            cost,
            "processor µs a record",
            goal=Goal(value_at_most=10),
            records=read_all,
            records_per_s=round(rate),
        )
    await bus.stop()


def main() -> None:
    """Measure and print."""
    asked = arguments(__doc__, size="100k").parse_args()
    with kafka() as bootstrap:
        asyncio.run(measure(bootstrap, asked.size))


if __name__ == "__main__":
    main()
