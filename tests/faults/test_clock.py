"""A machine whose clock is two days wrong: what it may not decide waits and is said in words; order is untouched."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from comity_node.services.operating.check import check
from faults.test_set_back import new_machine
from node_world import House, Town, clean_environment, until


@asynccontextmanager
async def exchanging(home: Path, days: float) -> AsyncIterator[None]:
    """Run the exchange of a home on a clock that is so many days wrong."""
    with (home.parent / f"{home.name}.{days}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", "faults.shifted_clock", str(days), str(home)),
            stdin=asyncio.subprocess.PIPE,
            stderr=log,
            env={**clean_environment(), "PYTHONPATH": str(Path(__file__).parents[1])},
        )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        assert await process.wait() == 0


def accepted(house: House, count: int) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        async with house.node.database.read() as store:
            return (await store.logs.of("agency")).head == count

    return ask


def says(house: House, name: str) -> Callable[[], Awaitable[str | None]]:
    async def ask() -> str | None:
        async with house.node.database.read() as store:
            return {each.name: each.text for each in await store.conditions.all()}.get(name)

    return ask


async def test_a_node_two_days_ahead_says_so_in_words_signs_in_order_and_decides_when_its_clock_is_right(
    town: Town,
) -> None:
    machine = await new_machine(town)
    agency, body = town.houses["agency"], await town.found("body", more={"registry_every_s": 0.5})
    await town.refresh()
    await machine.release("a")
    async with exchanging(body.home, 0):
        async with exchanging(agency.home, 2):
            told = await until("it says that its list has expired", says(agency, "registry"))
            await until("what it signs counts elsewhere", accepted(body, 1))
            await machine.release("b")
            await until("in order", accepted(body, 2))
            assert not await accepted(agency, 1)()
        async with exchanging(agency.home, 0):
            await until("it decides what waited", accepted(agency, 2))
            await until("and says that it is over", is_over(agency))
            await machine.release("c")
            await until("and goes on in order", accepted(body, 3))
            await until("at both", accepted(agency, 3))
    assert "expired" in told
    assert "clock" in told
    views = []
    for house in (agency, body):
        async with house.node.database.read() as store:
            views.append(await store.view.of_log("agency"))
        assert await check(house.node.database, house.node.trusted_registry(), house.node.clock()) == []
    assert views[0] == views[1]


async def test_a_node_two_days_behind_reads_and_signs_as_all_others_do(town: Town) -> None:
    machine = await new_machine(town)
    agency = town.houses["agency"]
    await machine.release("ab")
    async with exchanging(agency.home, -2):
        await until("it has everything", accepted(agency, 2))
        assert await says(agency, "registry")() is None


def is_over(house: House) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return await says(house, "registry")() is None

    return ask
