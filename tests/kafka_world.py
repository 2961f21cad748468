"""Real brokers from a test's side: topics nobody else uses, rights, reading to an end, kafka-python's words."""

import asyncio
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from comity_federation.bus import Delivered, PublishRefused, statements_topic
from comity_federation.kafka.cluster import Cluster
from comity_federation.kafka.connections import Lane
from comity_federation.kafka_bus import KafkaBus, KafkaSettings
from comity_federation.kafka_topics import kafka_admin, prepare_topics

SOON = timedelta(seconds=5)
CLIENT = "comity-test"
ANYBODY = "User:ANONYMOUS"


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


async def asking_makes_no_topic(settings: KafkaSettings, bus: KafkaBus) -> None:
    """Ask for a topic that does not exist in every way there is, and look whether somebody made it."""
    topic = statements_topic(f"nobody-{uuid.uuid4().hex[:8]}")
    with pytest.raises(PublishRefused, match="no such topic"):
        await bus.publish(topic, b"", {})
    await bus.read({topic: 0}, most=1, wait=timedelta(seconds=0.5))
    await bus.tail(topic, most=1)
    assert topic not in await asyncio.to_thread(at_the_hub, settings, lambda admin: admin.list_topics())


async def put_rights(settings: KafkaSettings, rights: list[Any]) -> None:
    """Give rights, and wait until they count: the broker learns them a moment after the controller."""

    def work(admin: Any) -> None:
        admin.create_acls(rights)
        while len(admin.describe_acls(every_right(ANYBODY))[0]) < len(rights):
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


def count_requests(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    asked: Counter[str] = Counter()
    ask = Cluster.ask

    async def counting(self: Cluster, node: int, request: Any, lane: Lane) -> Any:
        asked[type(request).__name__] += 1
        return await ask(self, node, request, lane)

    monkeypatch.setattr(Cluster, "ask", counting)
    return asked


def topic_config(topic: str, configs: dict[str, str] | None) -> Any:
    from kafka.admin import ConfigResource, ConfigResourceType  # noqa: PLC0415 - after its warning was silenced

    return ConfigResource(ConfigResourceType.TOPIC, topic, configs)


def partition_of(topic: str) -> Any:
    from kafka.structs import TopicPartition  # noqa: PLC0415

    return TopicPartition(topic, 0)


def a_right(topic: str, principal: str, operation: str, permission: str = "ALLOW") -> Any:
    from kafka import admin as k  # noqa: PLC0415

    pattern = k.ResourcePattern(k.ResourceType.TOPIC, topic)
    return k.ACL(principal, "*", k.ACLOperation[operation], k.ACLPermissionType[permission], pattern)


def every_right(principal: str) -> Any:
    from kafka import admin as k  # noqa: PLC0415

    anything = k.ResourcePatternFilter(k.ResourceType.TOPIC, None, k.ACLResourcePatternType.ANY)
    return k.ACLFilter(principal, None, k.ACLOperation.ANY, k.ACLPermissionType.ANY, anything)
