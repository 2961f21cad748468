"""Two real node processes: what the bus withholds comes from the publisher; a node set back learns from its peer."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from comity_federation.bus import checkpoints_topic, statements_topic
from comity_federation.checkpoints import open_checkpoint
from comity_federation.decision import Accepted, Trust
from comity_federation.local_log import LocalLog
from comity_federation.log_state import LogState
from node_world import Remote, comity, served, until
from peer_world import Neighbour, Street, backup, restore

QUICK: dict[str, object] = {"refill_after_s": 0.5, "registry_every_s": 1.0}


def network(remote: Remote, slug: str) -> Callable[[], Awaitable[dict[str, Any]]]:
    async def ask() -> dict[str, Any]:
        found: dict[str, Any] = next(m for m in (await remote.get("/network"))["members"] if m["slug"] == slug)
        return found

    return ask


def reaches(remote: Remote, slug: str, head: int) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return bool((await network(remote, slug)())["head"] == head)

    return ask


def sent(of: Neighbour, count: int) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        async with of.house.node.database.read() as store:
            return (await store.outbox.counts()).get("sent", 0) == count

    return ask


async def on(log: LocalLog, topic: str) -> list[bytes]:
    return [delivered.value for delivered in await log.tail(topic, most=100)]


def announced(bus: LocalLog, by: Neighbour, seq: int) -> Callable[[], Awaitable[bool]]:
    """Whether the last checkpoint of a node on a bus names this place."""

    async def ask() -> bool:
        said = await on(bus, checkpoints_topic(by.house.slug))
        return bool(said) and open_checkpoint(said[-1], by.member).seq == seq

    return ask


async def test_two_processes_heal_what_the_bus_withholds_and_one_that_is_set_back_signs_nothing_twice(
    street: Street, tmp_path: Path
) -> None:
    shown = tmp_path / "shown-to-b.db"
    (a,) = await street.found("a", more=QUICK, admit=False)
    (b,) = await street.found("b", more={**QUICK, "bus": f"local:{shown}"}, admit=False)
    await street.admit(a, b)
    real, withheld = LocalLog(tmp_path / "log.db"), LocalLog(shown)
    await real.start()
    await withheld.start()
    topic = statements_topic("a")
    with served(b.house.home) as b_process:
        async with Remote(b_process.url, b.house.admin.token) as at_b:
            with served(a.house.home):
                await a.release("v")
                await until("the first is sent", sent(a, 1))
                await backup(a, tmp_path / "yesterday.db")
                await a.release("w", "x")
                await until("all is sent", sent(a, 3))
                await until("all is announced", announced(real, a, 3))
                # The bus shows the other node the first statement and the word that there are three.
                said = await on(real, topic)
                await withheld.publish(topic, said[0], {})
                for raw in await on(real, checkpoints_topic("a")):
                    await withheld.publish(checkpoints_topic("a"), raw, {})
                await until("the rest comes from its publisher", reaches(at_b, "a", 3))
            await restore(a, tmp_path / "yesterday.db")
            await a.release("y")
            # Broker and node were set back together: the topic holds the first statement only, no checkpoint.
            await real.stop()
            for left in tmp_path.glob("log.db*"):
                left.unlink()
            real = LocalLog(tmp_path / "log.db")
            await real.start()
            await real.publish(topic, said[0], {})
            with served(a.house.home):
                await until("what was lost is there again, and the new one", sent(a, 4))
            now_said = await on(real, topic)
            assert now_said[:3] == said
            state, trust = LogState(), Trust(a.member)
            assert [type(state.decide(raw, trust)) for raw in now_said] == [Accepted] * 4
            await withheld.publish(topic, now_said[3], {})
            await until("the other goes on with it", reaches(at_b, "a", 4))
            assert (await network(at_b, "a")())["frozen_from"] is None
    for house in (a.house, b.house):
        checked = await asyncio.to_thread(comity, "check", "--home", str(house.home))
        assert checked.returncode == 0, checked.stdout
    await real.stop()
    await withheld.stop()
