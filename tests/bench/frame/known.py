"""Suppliers that a node knows, of whom nobody said anything."""

import asyncio
import multiprocessing
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from bench.frame.buses import database_of
from bench.frame.progress import progress
from bench.frame.results import arguments
from bench.frame.suppliers import suppliers
from comity_node.db import Database
from comity_node.db.bulk import insert_rows
from comity_node.db.migrate import migrate_async
from comity_node.db.rows.suppliers import SupplierNameRow, SupplierRow
from comity_node.domain.names import fold_name
from comity_node.services.searching.indexing import Indexer

PART = 20_000


class Place(NamedTuple):
    """Where suppliers are to be known, and how many are asked for."""

    kind: str
    directory: Path
    url: str | None
    """None for a node's own SQLite, in the directory."""
    size: int
    queries: int
    """Of each group."""


def each_place(doc: str | None) -> Iterator[Place]:
    """Yield a new database of each kind that the command line asks for, gone when the next one is asked for."""
    parser = arguments(doc, size="1.5M")
    parser.add_argument("--kind", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--queries", type=int, default=400, help="of each group (400)")
    asked = parser.parse_args()
    for kind in ("sqlite", "postgres") if asked.kind == "both" else (asked.kind,):
        with (
            tempfile.TemporaryDirectory(prefix="comity-bench-") as directory,
            database_of(kind, Path(directory)) as url,
        ):
            yield Place(kind, Path(directory), url, asked.size, asked.queries)


async def know(url: str, size: int) -> None:
    """Make a node's database in which suppliers are known, one name each, numbered from 1 in their order.

    In a process of its own: who measures a node's memory holds nothing of what suppliers are made from.
    """
    making = multiprocessing.get_context("spawn").Process(target=_make, args=(url, size))
    making.start()
    await asyncio.to_thread(making.join)
    if making.exitcode:
        raise SystemExit("the suppliers could not be made")


def _make(url: str, size: int) -> None:
    async def make() -> None:
        await migrate_async(url)
        database = Database(url)
        try:
            await _fill(database, size)
        finally:
            await database.close()

    asyncio.run(make())


async def _fill(database: Database, size: int) -> None:
    known, coming = 0, suppliers(size)
    with progress(f"taking in {size:,} suppliers", size) as bar:
        while part := list(islice(coming, PART)):
            numbered = [(n, supplier.name, fold_name(supplier.name)) for n, supplier in enumerate(part, known + 1)]
            columns = ("number", "key", "kind", "name", "sorting", "country", "whole", "newest")
            rows = [(n, f"entered:{n}", "supplier", name, folded, "", n, "") for n, name, folded in numbered]
            names = [(n, name, folded, "") for n, name, folded in numbered]
            async with database.write() as store:
                await insert_rows(store._session, SupplierRow, columns, rows)
                await insert_rows(store._session, SupplierNameRow, ("supplier", "text", "folded", "country"), names)
            known += len(part)
            bar.at(known)


async def build_index(database: Database, size: int) -> None:
    """Build the name index of all that are known."""
    indexer = Indexer(database)
    with progress(f"building the index of {size:,}", size) as bar:
        while await indexer.step():
            async with database.read() as store:
                bar.at((await store.search.built()).built)
