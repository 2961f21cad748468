"""A registry; a bus on the shared Kafka, and one on a broker that knows rights."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import servers
from comity_federation.kafka_bus import KafkaBus, KafkaSettings
from kafka_world import connected
from registry_world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry signed 2 of 3, without members."""
    return World(tmp_path)


@pytest.fixture
def settings(kafka: str) -> KafkaSettings:
    return KafkaSettings(kafka)


@pytest.fixture
async def bus(settings: KafkaSettings) -> AsyncIterator[KafkaBus]:
    async with connected(settings) as bus:
        yield bus


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
