"""A whole file screened: against the suppliers that a node knows, on two processors, and against a list in memory.

    ./comity bench screening-file [--size 1.5M] [--rows 10000] [--kind sqlite|postgres|both]

Suppliers are those of `screening`; the rows are the held-out queries, each once, then names of suppliers, one row in
ten asking what another one asked. Every row is asked at one moment, from reading the file to the last result, with the
start of the processes. The list has the published names, up to 200,000. Of some rows it is checked that one process,
asked row by row, says the same.
"""

import asyncio
import csv
import io
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

from bench.frame.buses import database_of
from bench.frame.known import build_index, know
from bench.frame.progress import progress
from bench.frame.results import Goal, arguments, report
from bench.frame.suppliers import is_held_out, queries, suppliers
from comity_node.db import Database
from comity_node.domain.screening_files.asking import Asked, Reading
from comity_node.domain.screening_files.results import Result
from comity_node.services.answering.moment import Coverage, Moment
from comity_node.services.screening_files.listed import KnownList, ListAsker, asking_list, laying_out
from comity_node.services.screening_files.network import NetworkAsker, asking_network
from comity_node.services.screening_files.opening import open_given, open_list
from comity_node.services.screening_files.running import Account, Asker, screened
from comity_node.vocabulary import countries

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
MOMENT = Moment(NOW, {}, {}, 1, Coverage(0, (), (), (), (), None))
PROCESSORS = 2
CHECKED = 40
MOST_LISTED = 200_000


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, size="1.5M")
    parser.add_argument("--rows", type=int, default=10_000, help="of the file (10000)")
    parser.add_argument("--kind", choices=("sqlite", "postgres", "both"), default="sqlite")
    asked = parser.parse_args()
    given = _csv(islice(_rows(asked.size), asked.rows), "name,country")
    with _on_processors():
        # First: a process that has had threads cannot be forked, and a database has some.
        asyncio.run(_against_list(min(asked.size, MOST_LISTED), given))
        for kind in ("sqlite", "postgres") if asked.kind == "both" else (asked.kind,):
            with (
                tempfile.TemporaryDirectory(prefix="comity-bench-") as directory,
                database_of(kind, Path(directory)) as url,
            ):
                place = url or f"sqlite+aiosqlite:///{Path(directory) / 'node.db'}"
                asyncio.run(_against_network(kind, place, asked.size, given))


def _rows(size: int) -> Iterator[tuple[str, str]]:
    """Yield (name, country), without an end."""
    held = [(query.name, query.country) for query in queries() if is_held_out(query.name)]
    while True:
        known = ((supplier.name, supplier.country) for supplier in suppliers(size))
        for number, row in enumerate(chain(held, known)):
            yield held[number % 97] if number % 10 == 9 else row


def _csv(rows: Iterator[tuple[Any, ...]], headings: str) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([headings.split(","), *rows])
    return text.getvalue().encode()


@contextmanager
def _on_processors() -> Iterator[None]:
    """Keep this process, and those it starts, on so many processors while the block lasts."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(before)[-PROCESSORS:]))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def _against_network(kind: str, url: str, size: int, given: bytes) -> None:
    await know(url, size)
    database = Database(url)
    try:
        await build_index(database, size)
        rows = open_given(io.BytesIO(given)).table.expected
        asking = asking_network(database, MOMENT, None, rows)
        seconds, processor_s, told, checked = await _screen(given, asking)
        async with database.read() as store:
            alone = NetworkAsker(store, MOMENT)
            same = [await alone.ask([row]) for row in checked] == [[said] for said in told]
        report(f"screening-file-{kind}", seconds, "s", goal=Goal(value_at_most=60), holds=same, rows=rows,
               suppliers=size, processor_s=round(processor_s, 1))  # fmt: skip
    finally:
        await database.close()


async def _against_list(size: int, given: bytes) -> None:
    listed = open_list(io.BytesIO(_csv(((s.number, s.name, s.country) for s in suppliers(size)), "id,name,country")))
    reading, began = Reading(listed.columns, countries().read, lambda _: None), time.perf_counter()
    with laying_out(size) as laid_out:
        known = KnownList.of((reading.ask(row) for row in listed.table.rows), laid_out)
    built = time.perf_counter() - began
    asker, rows = ListAsker(known, NOW), open_given(io.BytesIO(given)).table.expected
    seconds, processor_s, told, checked = await _screen(given, asking_list(asker, rows))
    same = [asker.answer(row) for row in checked] == told
    report("screening-file-list", seconds, "s", goal=Goal(value_at_most=60), holds=same, rows=rows, listed=size,
           processor_s=round(processor_s, 1), reading_the_list_s=round(built, 1))  # fmt: skip


async def _screen(
    given: bytes, asking: AbstractAsyncContextManager[Asker]
) -> tuple[float, float, list[Result], list[Asked]]:
    """Return seconds, seconds of all processors, and what was said of some rows beside these rows."""
    account, every, some = Account(), list[tuple[Asked, Result]](), list[tuple[Asked, Result]]()
    began, before, opened = time.perf_counter(), _processor_s(), open_given(io.BytesIO(given))
    with progress(f"screening {opened.table.expected:,} rows", opened.table.expected) as bar:
        async with asking as asker:
            async for part in screened(opened, asker, countries().read, account):
                every += part
                bar.at(account.rows)
    seconds, processor_s = time.perf_counter() - began, _processor_s() - before
    some = every[:: max(1, len(every) // CHECKED)]
    return seconds, processor_s, [said for _, said in some], [row for row, _ in some]


def _processor_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    main()
