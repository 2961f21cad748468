"""The exchange of a served node is started again, whatever kept it from running."""

import asyncio
import contextlib
import sys

import pytest

from comity_node.app.serving import _keep_exchange
from node_world import House, Town, until


async def told_of(house: House) -> str:
    async with house.node.database.read() as store:
        return next((each.text for each in await store.conditions.all() if each.name == "exchange"), "")


async def test_an_exchange_that_cannot_be_started_is_told_of_and_tried_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await town.found("agency")
    await town.refresh()
    with monkeypatch.context() as without:
        without.setattr(sys, "executable", "/nowhere/python")
        keeping = asyncio.create_task(_keep_exchange(house.node.home.path, house.node))
        said = await until("it is told", lambda: told_of(house))
    assert said == "the exchange process could not be started: No such file or directory; started again"

    async def runs() -> bool:
        return not await told_of(house)

    await until("it runs and says that this is over", runs)
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping
