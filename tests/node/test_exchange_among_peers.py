"""The exchange among nodes that reach each other: waits in words, starts with all others, notices being set back."""

import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from comity_federation.bus import checkpoints_topic, statements_topic
from comity_federation.checkpoints import open_checkpoint
from comity_federation.decision import Accepted, Decision, Trust
from comity_federation.local_log import LocalLog
from comity_federation.log_state import LogState
from comity_node.services.receiving.words import note_checkpoint
from comity_node.workers.exchange import Part
from node_world import exchanging, until
from peer_world import Neighbour, Street

QUICK: dict[str, object] = {"registry_every_s": 0.3, "refill_after_s": 0.3}


@pytest.fixture(autouse=True)
def _quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comity_node.workers.peers._REGISTRIES_EVERY_S", 0.2)
    monkeypatch.setattr("comity_node.workers.peers._LOOK_EVERY_S", 0.2)


def condition(of: Neighbour, name: str) -> Callable[[], Awaitable[str | None]]:
    async def ask() -> str | None:
        async with of.house.node.database.read() as store:
            return next((c.text for c in await store.conditions.all() if c.name == name), None)

    return ask


def none(of: Neighbour, name: str) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return await condition(of, name)() is None

    return ask


def sent(of: Neighbour, count: int) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        async with of.house.node.database.read() as store:
            return await store.outbox.counts() == {"sent": count}

    return ask


async def said(street: Street, of: Neighbour) -> list[bytes]:
    log = LocalLog(Path(street.town.bus.removeprefix("local:")))
    await log.start()
    try:
        return [delivered.value for delivered in await log.tail(statements_topic(of.slug), most=100)]
    finally:
        await log.stop()


def decided(of: Neighbour, raws: list[bytes]) -> list[type[Decision]]:
    state, trust = LogState(), Trust(of.member)
    return [type(state.decide(raw, trust)) for raw in raws]


async def test_a_node_that_starts_alone_waits_in_words_and_all_that_start_together_do_not_wait_for_each_other(
    street: Street,
) -> None:
    a, b = await street.found("a", "b", more=QUICK)
    await a.release("v")
    async with a.answering(), exchanging(a.house):
        text = await until("it says what it waits for", condition(a, "relay"))
        assert "none answers" in text and "waits in the outbox" in text
        assert await said(street, a) == []
        # The other one has signed nothing yet either, and waits as well: its API answers all the same.
        async with b.answering(), exchanging(b.house):
            await until("it is sent", sent(a, 1))
            await until("and said no more", none(a, "relay"))
            await until("the other goes on too", none(b, "relay"))


async def test_a_database_that_goes_back_while_the_node_runs_signs_no_place_twice(street: Street) -> None:
    (a,) = await street.found("a", more=QUICK)
    await a.release("v", "w", "x")
    async with exchanging(a.house, Part.RELAY):
        await until("all is sent", sent(a, 3))
        before = await said(street, a)
        # A fail-over lost the last two commits: the rows wait again as they did before they were signed.
        disk = sqlite3.connect(a.house.home / "node.db")
        disk.execute(
            "update outbox set state = 'queued', seq = null, hash = null, record = null, sent_at = null,"
            " signed_at = null, withheld = null where seq > 1"
        )
        disk.commit()
        disk.close()
        await a.release("y")
        await until("it goes on", sent(a, 4))
    everything = await said(street, a)
    assert everything[:3] == before
    assert decided(a, everything) == [Accepted] * 4


async def test_a_clock_that_leaps_makes_a_node_ask_again_how_far_its_own_log_goes(street: Street) -> None:
    a, b = await street.found("a", "b", more=QUICK)
    leap = timedelta()
    a.house.node.clock = lambda: datetime.now(UTC) + leap
    async with exchanging(a.house):
        async with b.answering():
            await a.release("v")
            await until("it is sent", sent(a, 1))
        await a.release("w")
        await until("nobody is asked again", sent(a, 2))
        leap = timedelta(hours=9)
        assert "none answers" in await until("it asks, and none is there", condition(a, "relay"))
        await a.release("x")
        leap = timedelta()
        async with b.answering():
            await until("it goes on", sent(a, 3))


async def test_a_clock_that_was_ahead_and_is_put_right_does_not_silence_a_node_for_as_long(street: Street) -> None:
    (a,) = await street.found("a", more=QUICK)
    log = LocalLog(Path(street.town.bus.removeprefix("local:")))
    await log.start()
    ahead = timedelta(days=2)
    a.house.node.clock = lambda: datetime.now(UTC) + ahead

    async def spoke() -> bool:
        raws = [delivered.value for delivered in await log.tail(checkpoints_topic("a"), most=50)]
        newest = open_checkpoint(raws[-1], a.member).iat if raws else 0
        return abs(newest - a.house.node.clock().timestamp()) < 3_600

    async with exchanging(a.house, Part.RELAY):
        await until("it says where it stands", spoke)
        ahead = timedelta()
        await until("and says so again by the right time", spoke, 20)
    await log.stop()


async def test_what_the_bus_withholds_comes_by_itself_whichever_process_receives(
    street: Street, tmp_path: Path
) -> None:
    (a,) = await street.found("a", more=QUICK, admit=False)
    shown = tmp_path / "shown.db"
    (b,) = await street.found("b", more={**QUICK, "bus": f"local:{shown}"}, admit=False)
    await street.admit(a, b)
    real = LocalLog(Path(street.town.bus.removeprefix("local:")))
    await real.start()
    everything = await a.publish(real, "v", "w", "x")
    await real.stop()
    other = LocalLog(shown)
    await other.start()
    await other.publish(statements_topic("a"), everything[0], {})
    await other.publish(checkpoints_topic("a"), await a.checkpoint(), {})
    await other.stop()

    async def healed() -> bool:
        return await b.head(a) == 3

    async with a.answering(), exchanging(b.house, Part.RECEIVER), exchanging(b.house, Part.RELAY):
        await until("the receiver settles what the relay fetched", healed)
    assert [row[3] for row in await b.held(a)] == [None, "a", "a"]


async def test_a_newer_registry_elsewhere_is_said_in_words_and_taken_back_when_it_is_here(street: Street) -> None:
    a, b = await street.found("a", "b", more=QUICK)
    newer = await a.checkpoint(registry_version=a.registry.version + 1)
    async with b.house.node.database.write() as store:
        await note_checkpoint(store, a.member, newer, b.registry, b.house.node.clock())
    async with exchanging(b.house):
        text = await until("it says so", condition(b, "registry-behind"), 30)
        assert text.startswith("a and 1 members") and "call the registrar" in text
        now = await a.checkpoint()
        async with b.house.node.database.write() as store:
            await note_checkpoint(store, a.member, now, b.registry, b.house.node.clock())
        await until("and says it no more", none(b, "registry-behind"), 30)


async def test_the_heads_of_others_go_out_signed_in_the_daily_checkpoint(street: Street) -> None:
    a, b = await street.found("a", "b", more=QUICK)
    log = LocalLog(Path(street.town.bus.removeprefix("local:")))
    await log.start()
    everything = await a.publish(log, "v")
    await b.receive(a, *everything)

    async def reported() -> bool:
        raws = [d.value for d in await log.tail(checkpoints_topic("b"), most=50)]
        async with a.house.node.database.write() as store:
            opened = [await note_checkpoint(store, b.member, raw, a.registry, a.house.node.clock()) for raw in raws]
        parts = [said.peers for said in opened if said is not None and said.peers is not None]
        return bool(parts) and [(h.member, h.seq) for h in parts[0].heads] == [("a", 1)]

    async with a.answering(), exchanging(b.house):
        await until("they are on the bus", reported)
    await log.stop()
