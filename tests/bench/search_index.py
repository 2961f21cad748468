"""The name index at a size: how fast one screening is, who is among its candidates, what it costs in bytes and memory.

    ./comity bench search-index [--size 1.5M] [--kind sqlite|postgres|both] [--queries 400]

Suppliers and queries are those of `screening`. They are known to a node of which nobody said anything, so what is timed
is the search and the comparing, as `POST /screenings` does it within the process: candidates by number and name, their
names laid beside the one asked for, all compared. The database is the node's own, with its own settings.
"""

import asyncio
import resource
import statistics
import time
from datetime import UTC, datetime

from bench.frame.finding import GROUPS
from bench.frame.known import build_index, each_place, know
from bench.frame.progress import progress, say
from bench.frame.results import Goal, report
from bench.frame.suppliers import Query, is_held_out, queries
from comity_node.app.sweeping import Sweeper
from comity_node.db import Database
from comity_node.db.suppliers import NewSupplier
from comity_node.domain.matching.party import Party
from comity_node.domain.names import fold_name
from comity_node.domain.screening import Question
from comity_node.services.answering.concerned import concerned
from comity_node.services.searching.candidates import candidates
from comity_node.services.searching.indexing import take_in
from comity_schemas.subject import SubjectType
from filled_database import run

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
WARM = 40
"""Queries before the first that counts."""


def main() -> None:
    """Measure and print."""
    for place in each_place(__doc__):
        url = place.url or f"sqlite+aiosqlite:///{place.directory / 'node.db'}"
        asyncio.run(_measure(place.kind, url, place.size, place.queries))


async def _measure(kind: str, url: str, size: int, most: int) -> None:
    await know(url, size)
    database = Database(url)
    try:
        before = _resident_mb()
        await _build(database, kind, size)
        await _ask(database, kind, size, most)
        await _add(database, kind, size)
        report(f"search-memory-{kind}", _resident_mb(), "MB resident at most", goal=Goal(value_at_most=512),
               before_the_index=round(before))  # fmt: skip
    finally:
        await database.close()


async def _build(database: Database, kind: str, size: int) -> None:
    began = time.perf_counter()
    await build_index(database, size)
    report(f"search-build-{kind}", time.perf_counter() - began, "s", suppliers=size)
    async with database.read() as store:
        taken = (await run(store, _BYTES[kind])).scalar_one()
    report(f"search-bytes-{kind}", taken / size, "bytes a supplier", goal=Goal(value_at_most=400), suppliers=size)


_BYTES = {
    "sqlite": "select sum(pgsize) from dbstat where name like 'search%' or name like 'pk_search%'",
    "postgres": "select sum(pg_total_relation_size(oid)) from pg_class where relname like 'search%' and relkind = 'r'",
}


async def _ask(database: Database, kind: str, size: int, most: int) -> None:
    """Time whole screenings, and count who is among fifty candidates. Garbage is looked for as the API does it."""
    held = [query for query in queries() if is_held_out(query.name)]
    spans: list[float] = []
    sweeper = Sweeper()
    sweeper.begin()
    for group, kinds in GROUPS.items():
        of_group = [query for query in held if query.kind in kinds and query.number < size]
        some = of_group[:: max(1, len(of_group) // most)]
        found = 0
        with progress(f"asking for {len(some):,} names, {group}", len(some)) as bar:
            for done, query in enumerate([*some[:WARM], *some], 1 - min(WARM, len(some))):
                began = time.perf_counter()
                async with database.read() as store:
                    await concerned(store, Question(query.name), await store.behind.names())
                if done > 0:
                    spans.append(1000 * (time.perf_counter() - began))
                    found += await _is_found(database, query)
                    sweeper.look(len(spans), running=0)
                    bar.at(done)
        if group in ("Latin", "cross-script"):
            goal = Goal(value_at_least=99 if group == "Latin" else 90)
            report(f"search-recall-{group.lower()}-{kind}", 100 * found / len(some), "% among 50 candidates", goal=goal,
                   queries=len(some))  # fmt: skip
    quantiles = statistics.quantiles(spans, n=100, method="inclusive")
    report(f"search-one-{kind}", statistics.median(spans), "ms, median", goal=Goal(value_at_most=8), queries=len(spans))
    report(f"search-one-p99-{kind}", quantiles[-1], "ms, p99", goal=Goal(value_at_most=25), queries=len(spans))


async def _is_found(database: Database, query: Query) -> bool:
    """Return whether who is meant is among the candidates, or somebody of the same folded name."""
    if query.number < 0:
        return False
    async with database.read() as store:
        near = await candidates(store, Party((query.name,)))
        meant = {folded for _, _, folded in await store.suppliers.names([query.number + 1])}
    return any(c.known.number == query.number + 1 or fold_name(c.party.names[0]) in meant for c in near)


async def _add(database: Database, kind: str, size: int) -> None:
    """Let the node know one more supplier at a time, and take it into the index."""
    spans = []
    for number in range(200):
        new = NewSupplier(f"entered:new-{number}", SubjectType.SUPPLIER, (f"Zanvoni Quelle {number} Ltd",), (), "MY")
        async with database.write() as store:
            await store.suppliers.ensure([new])
        began = time.perf_counter()
        async with database.write() as store:
            await take_in(store)
        spans.append(1000 * (time.perf_counter() - began))
    p99 = round(statistics.quantiles(spans, n=100)[-1], 2)
    unit = "ms to take one supplier in, median"
    report(f"search-add-{kind}", statistics.median(spans), unit, goal=Goal(value_at_most=5), p99=p99, suppliers=size)
    say(f"the longest took {max(spans):.1f} ms")


def _resident_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
