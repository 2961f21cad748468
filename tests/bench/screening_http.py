"""One screening asked over HTTP of a node that knows 1.5 million suppliers, and has nothing else to do.

    ./comity bench screening-http [--size 1.5M] [--kind sqlite|postgres|both] [--queries 400]

Suppliers and queries are those of `screening`, the node is `comity serve` with a new node's settings. One officer asks
one name after another, with a pause between; whom they ask stands on the trail as everybody's does.
"""

import asyncio
import statistics
import time
from pathlib import Path

import httpx2

from bench.frame.finding import GROUPS
from bench.frame.known import build_index, each_place, know
from bench.frame.progress import progress
from bench.frame.receiver import founded, served
from bench.frame.results import Goal, report
from bench.frame.suppliers import is_held_out, queries
from bench.request import PAUSE_S, p99
from comity_node.db import Database
from node_world import House, until

WARM = 40
"""Requests before the first that counts."""


def main() -> None:
    """Measure and print."""
    for place in each_place(__doc__):
        asyncio.run(_measure(place.kind, place.directory, place.url, place.size, place.queries))


async def _measure(kind: str, directory: Path, url: str | None, size: int, most: int) -> None:
    async with founded(directory, f"local:{directory / 'log.db'}", database=url) as house:
        place = house.node.database.url
        await know(place, size)
        database = Database(place)
        await build_index(database, size)
        await _look_through_foldings(database)
        await database.close()
        with served(house) as running:
            took = await _ask(house, running.url, _names(size, most))
    report(f"screening-http-{kind}", p99(took), "ms, p99", goal=Goal(value_at_most=50), suppliers=size,
           requests=len(took), median=round(statistics.median(took), 1))  # fmt: skip


async def _look_through_foldings(database: Database) -> None:
    """Do what a node does once after its first start, and would do beside the first requests."""
    more = True
    while more:
        async with database.write() as store:
            more = await store.foldings.fold_anew(20_000)


def _names(size: int, most: int) -> list[str]:
    held = [query for query in queries() if is_held_out(query.name) and query.number < size]
    of_groups = ([query.name for query in held if query.kind in kinds] for kinds in GROUPS.values())
    return [name for names in of_groups for name in names[:: max(1, len(names) // most)]]


async def _ask(house: House, url: str, names: list[str]) -> list[float]:
    officer = await house.hire("officer", "officer")
    headers = {"Authorization": f"Bearer {officer.token}"}
    took = []
    async with httpx2.AsyncClient(base_url=f"{url}/api/v1", headers=headers, timeout=60) as client:

        async def has_registry() -> bool:
            return (await client.post("/screenings", json={"suppliers": [{"name": names[0]}]})).is_success

        await until("the registry", has_registry)
        with progress(f"asking for {len(names):,} names", len(names)) as bar:
            for done, name in enumerate([*names[:WARM], *names], -min(WARM, len(names))):
                began = time.perf_counter()
                answer = await client.post("/screenings", json={"suppliers": [{"name": name}]})
                if done >= 0:
                    took.append(1000 * (time.perf_counter() - began))
                assert answer.status_code == 200, answer.text
                bar.at(max(done, 0))
                await asyncio.sleep(PAUSE_S)
    return took


if __name__ == "__main__":
    main()
