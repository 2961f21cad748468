"""A broker as members meet it: TLS, an account each, and rights that hold each to its own log."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from broker_world import Brokers, brokers
from comity_federation.bus import (
    BusUnavailable,
    Delivered,
    PublishRefused,
    SignInRefused,
    checkpoints_topic,
    statements_topic,
)
from comity_federation.kafka.settings import KafkaSettings
from comity_federation.kafka_bus import KafkaBus
from comity_federation.kafka_topics import kafka_admin, revoke_rights
from node_world import until

pytestmark = [pytest.mark.kafka, pytest.mark.every_kafka]

SOON = timedelta(seconds=5)


@pytest_asyncio.fixture(scope="module")
async def hub(kafka_options: list[str]) -> AsyncIterator[Brokers]:
    async with brokers(*kafka_options, count=1) as running:
        yield running


@pytest_asyncio.fixture
async def members(hub: Brokers) -> tuple[KafkaSettings, KafkaSettings]:
    """Return the settings of two members that were admitted a moment ago; one's name begins with the other's."""
    slug = f"m{uuid.uuid4().hex[:8]}"
    accounts = {slug: "open sesame", f"{slug}-0": "open barley"}
    await hub.admit(accounts)
    one, other = [hub.settings(*account) for account in accounts.items()]
    for settings in (one, other):
        await until(f"the broker knows {settings.username}", partial(_is_known, settings))
    return one, other


async def _is_known(settings: KafkaSettings) -> bool:
    """Whether an account is there yet: it is made at the controller, and the broker hears of it a moment later."""
    async with connected(settings) as bus:
        try:
            await bus.start()
        except SignInRefused:
            return False
    return True


@asynccontextmanager
async def connected(settings: KafkaSettings) -> AsyncIterator[KafkaBus]:
    bus = KafkaBus(settings, f"comity-{settings.username}")
    try:
        yield bus
    finally:
        await bus.stop()


def own_topic(settings: KafkaSettings) -> str:
    return statements_topic(str(settings.username))


async def test_a_member_writes_its_own_two_topics_and_reads_all(members: tuple[KafkaSettings, KafkaSettings]) -> None:
    one, other = members
    async with connected(one) as mine, connected(other) as theirs:
        for topic in (own_topic(one), checkpoints_topic(str(one.username))):
            assert await mine.publish(topic, b"mine", {"ce_id": "1"}) == 0
            assert await theirs.read({topic: 0}, most=5, wait=SOON) == [Delivered(topic, 0, b"mine")]
            # The longer name is not covered by the right to the shorter, nor the other way round.
            with pytest.raises(PublishRefused, match="AUTHORIZATION"):
                await theirs.publish(topic, b"not theirs", {})
        with pytest.raises(PublishRefused, match="AUTHORIZATION"):
            await mine.publish(own_topic(other), b"not mine", {})
        assert await mine.publish(own_topic(one), b"next", {}) == 1
        assert [each.value for each in await theirs.tail(own_topic(one), most=9)] == [b"mine", b"next"]
        assert await theirs.end([own_topic(other)]) == {own_topic(other): 0}


async def test_after_a_refused_batch_a_log_goes_on_in_order(
    hub: Brokers, members: tuple[KafkaSettings, KafkaSettings]
) -> None:
    from kafka.admin import ConfigResource, ConfigResourceType  # noqa: PLC0415

    topic = own_topic(members[0])
    less = ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": "2000"})
    await hub.at_the_hub(lambda admin: admin.alter_configs([less], incremental=True))
    async with connected(members[0]) as bus:
        records = [b"first", bytes(5000), b"behind it"]
        outcomes = await asyncio.gather(*[bus.publish(topic, each, {}) for each in records], return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [int, PublishRefused, BusUnavailable]
        assert await bus.publish(topic, b"behind it", {}) == 1


async def test_a_member_may_change_nothing_at_the_broker(members: tuple[KafkaSettings, KafkaSettings]) -> None:
    from kafka.structs import TopicPartition  # noqa: PLC0415

    topic = own_topic(members[0])

    def refused(act: Any) -> bool:
        """An act is refused by an exception, or in its answer."""
        try:
            with kafka_admin(members[0]) as admin:
                answer = act(admin)
        except BusUnavailable as why:
            return "uthoriz" in str(why)
        return "uthoriz" in str(answer) or "error_code': 29" in str(answer) or "error_code': 31" in str(answer)

    def work() -> list[bool]:
        new = {"comity.mine": {"num_partitions": 1, "replication_factor": 1}}
        return [
            refused(lambda admin: admin.create_topics(new, raise_errors=False)),
            refused(lambda admin: admin.delete_records({TopicPartition(topic, 0): 0})),
            refused(lambda admin: admin.delete_topics([topic], raise_errors=False)),
        ]

    assert await asyncio.to_thread(work) == [True] * 3


async def test_a_wrong_password_is_called_that_and_the_right_one_needs_no_restart(
    members: tuple[KafkaSettings, KafkaSettings], tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text("open rice\n")
    async with connected(replace(members[0], password=file)) as bus:
        for act in (bus.start(), bus.publish(own_topic(members[0]), b"", {}), bus.end([own_topic(members[0])])):
            with pytest.raises(SignInRefused, match="refuses this node's user name or password"):
                await act
        file.write_text("open sesame\n")
        assert await bus.publish(own_topic(members[0]), b"said", {}) == 0
        file.unlink()
        assert await bus.publish(own_topic(members[0]), b"said", {}) == 1
    async with connected(replace(members[0], password=file)) as bus:
        with pytest.raises(SignInRefused, match="cannot be read: No such file"):
            await bus.start()


async def test_a_broker_with_a_foreign_certificate_is_not_spoken_to(
    members: tuple[KafkaSettings, KafkaSettings],
) -> None:
    async with connected(replace(members[0], cafile=None)) as bus:
        with pytest.raises(SignInRefused, match=r"certificate that is not trusted .*kafka_ca_file"):
            await bus.start()


async def test_who_lost_all_rights_is_told_so(hub: Brokers, members: tuple[KafkaSettings, KafkaSettings]) -> None:
    one, other = members
    async with connected(one) as bus, connected(other) as theirs:
        await bus.publish(own_topic(one), b"said", {})
        await asyncio.to_thread(revoke_rights, hub.admin, [f"User:{one.username}"])
        with pytest.raises(PublishRefused, match=r"AUTHORIZATION|no right"):
            async with asyncio.timeout(10):
                while True:  # It counts at the broker a moment later.
                    await bus.publish(own_topic(one), b"said", {})
        with pytest.raises(BusUnavailable, match="no right to see"):
            await bus.tail(own_topic(one), most=1)
        assert (await theirs.tail(own_topic(one), most=1))[0].value == b"said"
        await hub.grant(str(one.username))
        async with asyncio.timeout(10):
            while True:
                try:
                    await bus.publish(own_topic(one), b"again", {})
                    break
                except PublishRefused:
                    await asyncio.sleep(0.1)
        assert (await theirs.tail(own_topic(one), most=1))[0].value == b"again"
