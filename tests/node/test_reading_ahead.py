"""Reading ahead of the database: who closes it can be cancelled, whatever the reading does meanwhile."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from builders import Publisher
from comity_federation.bus import BusUnavailable, Delivered, HistoryMissing, Skipped, statements_topic
from comity_federation.local_log import LocalLog
from comity_node.db.received import Volume
from comity_node.services.receiving import intake
from comity_node.services.receiving.opening import Openers
from comity_node.workers.following import Following
from comity_node.workers.loops import Loops
from comity_node.workers.reading_ahead import ReadingAhead
from comity_node.workers.receiver import Receiver
from node_world import Town, registry_of

LATER = datetime(2100, 1, 1, tzinfo=UTC)


class SlowToEnd(LocalLog):
    """A bus whose reading takes a moment to end."""

    async def read(self, positions: Mapping[str, int], *, most: int, wait: timedelta) -> Sequence[Delivered | Skipped]:
        try:
            await asyncio.sleep(60)
            return await super().read(positions, most=most, wait=wait)
        finally:
            await asyncio.sleep(0.2)


async def test_a_node_that_is_stopped_while_it_begins_to_read_anew_stops(tmp_path: Path) -> None:
    bus, openers = SlowToEnd(tmp_path / "log.db"), Openers()
    await bus.start()
    ahead = ReadingAhead(bus, openers, registry_of(Publisher("agency").member()), await bus.bus_id(), {})
    await asyncio.sleep(0)
    closing = asyncio.create_task(ahead.close())
    await asyncio.sleep(0.05)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    openers.close()
    await bus.stop()


async def test_a_topic_that_is_left_takes_nothing_from_the_others(tmp_path: Path) -> None:
    bus, openers = LocalLog(tmp_path / "log.db"), Openers(0)
    await bus.start()
    agency, body = Publisher("agency"), Publisher("body")
    topics = {statements_topic(who.name): 0 for who in (agency, body)}
    ahead = ReadingAhead(bus, openers, registry_of(agency.member(), body.member()), await bus.bus_id(), topics)
    ahead.leave({statements_topic("agency")})
    for who in (agency, body):
        await bus.publish(statements_topic(who.name), who.finding().raw, {})
    batch = await ahead.next()
    assert [item.topic for item in batch.delivered] == [statements_topic("body")]
    await ahead.close()
    await bus.stop()


async def test_nothing_is_read_on_in_another_bus_though_somebody_else_was_told_of_it(tmp_path: Path) -> None:
    path, openers, agency = tmp_path / "log.db", Openers(0), Publisher("agency")
    topic, chain = statements_topic("agency"), agency.chain(6)
    bus = LocalLog(path)
    await bus.start()
    for made in chain[:3]:
        await bus.publish(topic, made.raw, {})
    ahead = ReadingAhead(bus, openers, registry_of(agency.member()), await bus.bus_id(), {topic: 0})
    assert len((await ahead.next()).delivered) == 3
    rebuilt = LocalLog(tmp_path / "rebuilt.db")
    await rebuilt.start()
    for made in chain:
        await rebuilt.publish(topic, made.raw, {})
    await rebuilt.stop()
    for left in tmp_path.glob("log.db-*"):
        left.unlink()
    (tmp_path / "rebuilt.db").rename(path)
    await bus.bus_id()  # As the relay does every second.
    with pytest.raises(HistoryMissing):
        while True:
            assert not (await ahead.next()).delivered
    await ahead.close()
    await bus.stop()


class HidesOne(LocalLog):
    """A bus that does not say where one log ends, and tells so only once it was read, as Kafka does."""

    hidden = statements_topic("body")
    was_read = False

    async def read(self, positions: Mapping[str, int], *, most: int, wait: timedelta) -> Sequence[Delivered | Skipped]:
        self.was_read = True
        return await super().read(positions, most=most, wait=wait)

    async def end(self, topics: Sequence[str]) -> Mapping[str, int]:
        if self.hidden in topics:
            raise BusUnavailable(f"no right to see {self.hidden}")
        return await super().end(topics)

    def troubles(self) -> Mapping[str, str]:
        return {self.hidden: "no right to see this topic"} if self.was_read else {}


async def test_a_log_that_cannot_be_seen_leaves_nobody_else_without_a_daily_budget(town: Town) -> None:
    agency, node = Publisher("agency"), (await town.found("desk", admit=False)).node
    bus = HidesOne(town.directory / "log.db")
    topic, chain = statements_topic("agency"), agency.chain(4)
    await bus.start()
    following = Following(node, Loops(node))
    members = agency.member(daily_statements=1), Publisher("body").member()
    following.current = registry_of(*members, expires=LATER)
    receiver = Receiver(node, bus, following, Loops(node))
    await bus.publish(topic, chain[0].raw, {})
    for _ in range(2):
        await receiver.loops["receive"]()
    for made in chain[1:]:
        await bus.publish(topic, made.raw, {})
    for _ in range(2):
        await receiver.loops["receive"]()
    async with node.database.read() as store:
        log = await store.logs.of("agency")
        assert (log.head, log.counted) == (2, 1)
    await receiver.close()
    await bus.stop()


async def test_what_was_not_kept_is_read_again_though_nothing_more_comes(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_QUARANTINED", Volume(0, 0))
    agency, node, bus = Publisher("agency"), (await town.found("body", admit=False)).node, town.log()
    topic, (made,) = statements_topic("agency"), agency.chain(1)
    await bus.start()
    for raw in (made.raw, b"junk"):
        await bus.publish(topic, raw, {})
    following = Following(node, Loops(node))
    following.current = registry_of(agency.member(), expires=LATER)
    receiver = Receiver(node, bus, following, Loops(node))

    async def begins() -> int:
        async with node.database.read() as store:
            return (await store.logs.positions(await bus.bus_id())).get(topic, 0)

    await receiver.loops["receive"]()
    assert await begins() == 2
    # Reading goes on under the changed registry before the log was decided anew.
    following.current = registry_of(agency.member(thawed=made.last()), expires=LATER)
    await receiver.loops["receive"]()
    receiver.settle_now()
    await receiver.loops["settle"]()
    assert await begins() == 0
    await receiver.loops["receive"]()
    assert await begins() == 2
    await receiver.close()
    await bus.stop()
