"""Long lists of an officer's own firms: nobody else waits until they are written or read."""

import asyncio
from itertools import pairwise

import pytest
from sqlalchemy import event

from comity_node.db import Database
from comity_node.domain.watching.portfolio import Portfolio
from comity_node.domain.watching.vendors import Vendor
from comity_node.services.watching.vendors import Portfolios
from watch_room import WatchRoom, row, watch_room_at


async def test_a_long_list_that_changed_is_written_in_a_few_steps(database: Database) -> None:
    room = await watch_room_at(database)
    await room.keep(**{f"V{n}": row(f"Firm {n}") for n in range(1_000)})
    steps: list[str] = []
    event.listen(database._writing.sync_engine, "before_cursor_execute", lambda *given: steps.append(given[2]))
    kept = await room.keep(**{f"V{n}": row(f"Firm {n} Ltd") for n in range(1_000)})
    assert (kept.changed, len(steps) < 50) == (1_000, True), "others wait until it is written"
    async with database.read() as store:
        rows = (await store.vendors.of_rows(room.officer.id, [f"V{n}" for n in range(1_000)])).values()
    assert {vendor.party.names[0] for vendor in rows} == {f"Firm {n} Ltd" for n in range(1_000)}
    assert len({vendor.version for vendor in rows}) == 1_000


async def test_others_have_their_turn_while_a_long_list_is_taken_into_memory(
    room: WatchRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    await room.keep(**{f"V{n}": row(f"Firm {n}") for n in range(1_000)})
    taken, turns, put = 0, [0], Portfolio.put

    def counts(self: Portfolio, vendor: Vendor) -> None:
        nonlocal taken
        taken += 1
        put(self, vendor)

    async def others() -> None:
        while True:
            turns.append(taken)
            await asyncio.sleep(0)

    monkeypatch.setattr(Portfolio, "put", counts)
    beside = asyncio.create_task(others())
    async with room.database.read() as store:
        await Portfolios.of_one(store, room.officer.id)
        await Portfolios().refresh(store)
    beside.cancel()
    assert taken == 2_000
    assert max(after - before for before, after in pairwise([*turns, taken])) <= 50
