"""Brokers that refuse, fall silent or answer without end, rights of members, and topics as the design says."""

import asyncio
import contextlib
import logging
import uuid
from datetime import timedelta
from typing import Any

import pytest

import servers
from comity_federation.bus import (
    BusUnavailable,
    OutcomeUnknown,
    PublishRefused,
    checkpoints_topic,
    statements_topic,
)
from comity_federation.kafka import connections, reader
from comity_federation.kafka.settings import KafkaSettingsIncomplete
from comity_federation.kafka_bus import KafkaBus, KafkaSettings
from comity_federation.kafka_topics import grant_rights, prepare_topics, revoke_rights
from kafka_world import (
    ANYBODY,
    CLIENT,
    SOON,
    a_right,
    asking_makes_no_topic,
    at_the_hub,
    count_requests,
    drain,
    every_right,
    new_topics,
    put_rights,
    topic_config,
    values,
)

pytestmark = [pytest.mark.kafka, pytest.mark.every_kafka]


async def test_not_even_a_broker_that_makes_topics_is_made_to_make_one(
    guarded_settings: KafkaSettings, guarded_bus: KafkaBus
) -> None:
    await asking_makes_no_topic(guarded_settings, guarded_bus)


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
    rights = [a_right(closed, ANYBODY, "READ", "DENY")] + ([a_right(closed, ANYBODY, "WRITE")] if visible else [])
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
    rights = [a_right(foreign, ANYBODY, "READ")]
    await put_rights(guarded_settings, rights)
    with pytest.raises(PublishRefused, match=r"no right|TOPIC_AUTHORIZATION_FAILED"):
        await guarded_bus.publish(foreign, b"not mine", {})
    assert await guarded_bus.publish(own, b"mine", {}) == 0
    await asyncio.to_thread(revoke_rights, guarded_settings, [ANYBODY])


async def test_a_member_may_write_its_own_two_topics_and_read_all(guarded_settings: KafkaSettings) -> None:
    def rights_of(principal: str) -> set[tuple[str, str, str]]:
        found, _ = at_the_hub(guarded_settings, lambda admin: admin.describe_acls(every_right(principal)))
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
        asked = [topic_config(topic, None) for topic in (statements, checkpoints)]
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
        at_the_hub(
            settings, lambda admin: admin.alter_configs([topic_config(statements, {"cleanup.policy": "compact"})])
        )
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
    servers.pause(guarded["pid"])
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
        servers.resume(guarded["pid"])
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
    signing_in = connections._Scram(loop=None, **asked)
    signing_in._step(None)
    with pytest.raises(ConnectionError, match="something else"):
        signing_in._step(b"e=none of what belongs here")


# settings


def test_signing_in_needs_a_name_and_a_password_that_is_never_printed() -> None:
    with pytest.raises(KafkaSettingsIncomplete):
        KafkaSettings("hub:9093", security_protocol="SASL_SSL", username="undp")
    with pytest.raises(KafkaSettingsIncomplete):
        KafkaSettings(" ")
    complete = KafkaSettings("hub:9093", security_protocol="SASL_SSL", username="undp", password="opensesame")
    assert "opensesame" not in repr(complete)
