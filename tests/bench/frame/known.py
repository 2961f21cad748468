"""Suppliers that a node knows, of whom nobody said anything."""

from collections.abc import Iterator
from itertools import islice

from bench.frame.progress import progress
from bench.frame.suppliers import Supplier, suppliers
from comity_node.db import Database
from comity_node.db.bulk import insert_rows
from comity_node.db.rows.suppliers import SupplierNameRow, SupplierRow
from comity_node.domain.names import fold_name
from comity_node.services.searching.indexing import Indexer

PART = 20_000


async def know(database: Database, size: int) -> list[str]:
    """Let the node know suppliers, one name each; return the folded names in the order of their numbers."""
    folded: list[str] = []
    coming: Iterator[Supplier] = suppliers(size)
    with progress(f"taking in {size:,} suppliers", size) as bar:
        while part := list(islice(coming, PART)):
            first = len(folded) + 1
            folded += [fold_name(supplier.name) for supplier in part]
            numbered = list(zip(range(first, len(folded) + 1), part, folded[first - 1 :], strict=True))
            columns = ("number", "key", "kind", "name", "sorting", "country", "whole", "newest")
            rows = [(n, f"entered:{n}", "supplier", s.name, f, "", n, "") for n, s, f in numbered]
            names = [(n, s.name, f, "") for n, s, f in numbered]
            async with database.write() as store:
                await insert_rows(store._session, SupplierRow, columns, rows)
                await insert_rows(store._session, SupplierNameRow, ("supplier", "text", "folded", "country"), names)
            bar.at(len(folded))
    return folded


async def build_index(database: Database, size: int) -> None:
    """Build the name index of all that are known."""
    indexer = Indexer(database)
    with progress(f"building the index of {size:,}", size) as bar:
        while await indexer.step():
            async with database.read() as store:
                bar.at((await store.search.built()).built)
