"""The name index: packed lists of the suppliers that have a key, and what was not merged into them yet.

Rules:
- Who has a key is said once, either in the lists or in the delta: both are changed in one transaction.
- Nothing is taken out. A name stays with its supplier, and what is found is compared with the supplier as it is.
- Transactions are short: whoever calls gives few keys at a time.
- Each transaction that changes the lists gives the index a stamp that it never had before, so whoever keeps what was
  read knows whether it still holds.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, dataclass
from secrets import token_hex
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, text, tuple_, update
from sqlalchemy import select as sa_select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.bulk import insert_rows
from comity_node.db.kept_index import KeptIndex, KeptLists, in_one
from comity_node.db.packing import Numbers, in_chunks, pack, unpack
from comity_node.db.reading import Reading
from comity_node.db.rows.search import (
    SearchDeltaRow,
    SearchPostingRow,
    SearchSizeRow,
    SearchStateRow,
    SearchWaitingRow,
)
from comity_node.db.rows.suppliers import FactRow, SupplierNameRow

_CHUNK = 500
_PAGE = 20_000
_OPEN = 0
"""The chunk that grows."""


@dataclass(frozen=True, slots=True)
class Built:
    """How far the index is."""

    folding: int = 0
    built: int = 0
    """All suppliers up to this number are in it, but for names that wait."""
    batch: int | None = None
    """Up to this number they are being added, in key order."""
    reached: int | None = None
    """Up to this key, itself included, that is done."""
    delta: int = 0
    """Rows of the delta."""
    since: str | None = None
    """When it fell far behind, as ISO 8601; None where it is up with the suppliers."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the index is, and what is beyond it."""

    built: Built
    newest: int
    """The largest number of a supplier."""
    waits: bool
    """Whether names wait that suppliers in the index were given since."""


UP_TO_DATE = Reach(Built(), 0, waits=False)


@dataclass(frozen=True, slots=True)
class Postings:
    """Pairs of key and supplier, sorted by both, each once."""

    keys: NDArray[np.int32]
    suppliers: Numbers

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, start: int, end: int) -> "Postings":
        """Return some of them."""
        return Postings(self.keys[start:end], self.suppliers[start:end])

    def starts(self) -> NDArray[np.intp]:
        """Return where each key begins, and the end."""
        changes = np.flatnonzero(self.keys[1:] != self.keys[:-1]) + 1
        return np.concatenate(([0], changes, [len(self.keys)])) if len(self.keys) else np.zeros(1, dtype=np.intp)


class Search:
    """Repository of the name index."""

    def __init__(self, session: AsyncSession, kept: KeptIndex | None = None) -> None:
        """Read nothing yet.

        Args:
            session: of the transaction.
            kept: what this process keeps; None keeps nothing beyond the transaction.
        """
        self._session = session
        self._reading = Reading(session)
        self._kept = kept or KeptIndex()
        self._built: Built | None = None
        self._lists: KeptLists | None = None

    # --- how far it is

    async def built(self) -> Built:
        """Return how far the index is; nowhere before it was begun."""
        # Within a transaction nobody else changes it.
        return self._built or (await self.reach()).built

    async def reach(self) -> Reach:
        """Return how far the index is, and what is beyond it."""
        *built, stamp, newest, waits = (await self._reading.rows(_REACH))[0]
        self._built = Built() if built[0] is None else Built(*built)
        if self._lists is None:
            if self._kept.lists.stamp != stamp:
                self._kept.lists = KeptLists(stamp)
            self._lists = self._kept.lists
        return Reach(self._built, newest or 0, bool(waits))

    async def set_built(self, built: Built) -> None:
        """Write how far the index is, and that it is not what it was; every transaction that changes it does so."""
        self._built, self._lists = built, KeptLists()
        values = {**asdict(built), "stamp": token_hex(8)}
        changed = await self._execute(update(SearchStateRow).values(**values))
        if not changed.rowcount:
            await insert_rows(self._session, SearchStateRow, ("one", *values), [(1, *values.values())])

    async def forget_lists(self, most: int) -> bool:
        """Forget lists, and all that waits to be merged into them; False when there is nothing left to forget."""
        for table in ("search_delta", "search_posting"):
            last = f"select key from {table} order by key limit 1 offset {most:d}"  # noqa: S608 (names of our own tables)
            end = (await self._reading.rows(last)) or (await self._reading.rows(f"select max(key) from {table}"))  # noqa: S608
            if end[0][0] is not None:
                await self._execute(text(f"delete from {table} where key <= :key").bindparams(key=end[0][0]))  # noqa: S608
                return True
        await self._execute(delete(SearchWaitingRow))
        await self._execute(delete(SearchSizeRow))
        return False

    # --- names

    async def wait(self, names: Iterable[tuple[int, str]]) -> None:
        """Note names that suppliers are about to be given; those that the index has, or comes to, are left out."""
        built = await self.built()
        through = built.built if built.batch is None else built.batch
        coming = {(supplier, name) for supplier, name in names if supplier <= through}
        if coming:
            new = coming.difference(await self.names_of(sorted({supplier for supplier, _ in coming})))
            rows = [{"s": supplier, "t": name} for supplier, name in sorted(new)]
            await self._session.flush()
            if rows:
                await (await self._session.connection()).execute(_WAIT, rows)

    async def waiting(self, most: int, after: int = 0) -> list[tuple[int, str]]:
        """Return (supplier, name) of what waits, of suppliers behind a number, in their order."""
        query = "select supplier, text from search_waiting where supplier > ? order by supplier limit ?"
        return [(supplier, name) for supplier, name in await self._reading.rows(query, (), (after, most))]

    async def waiting_among(self, first: int, last: int) -> set[tuple[int, str]]:
        """Return (supplier, name) of what waits of the suppliers with these numbers."""
        row = SearchWaitingRow
        query = sa_select(col(row.supplier), col(row.text)).where(col(row.supplier).between(first, last))
        return {(supplier, name) for supplier, name in await self._execute(query)}

    async def wait_no_more(self, names: Iterable[tuple[int, str]]) -> None:
        """Forget that these wait."""
        rows = [{"s": supplier, "t": name} for supplier, name in names]
        if rows:
            await (await self._session.connection()).execute(_NO_MORE, rows)

    async def names_among(self, first: int, last: int) -> list[tuple[int, str]]:
        """Return (supplier, name as written) of the suppliers with these numbers, names entered here too, also those
        that were taken back: nothing is taken out of the index."""
        return await self._names(lambda column: column.between(first, last))

    async def names_of(self, suppliers: Sequence[int]) -> list[tuple[int, str]]:
        """Return the same of these suppliers."""
        found: list[tuple[int, str]] = []
        for start in range(0, len(suppliers), _CHUNK):
            some = suppliers[start : start + _CHUNK]
            found += await self._names(lambda column, some=some: column.in_(some))
        return found

    async def _names(self, among: Any) -> list[tuple[int, str]]:
        name, fact = SupplierNameRow, FactRow
        written = sa_select(col(name.supplier), col(name.text)).where(among(col(name.supplier)))
        entered = sa_select(col(fact.supplier), col(fact.text)).where(
            among(col(fact.supplier)), col(fact.text).is_not(None)
        )
        return [(supplier, said) for supplier, said in await self._execute(written.union(entered))]

    # --- finding

    async def counts(self, keys: Sequence[int]) -> dict[int, int]:
        """Return key to how many suppliers have it; those that nobody has are left out."""
        kept = await self._kept_lists()
        # Taken out before anything is awaited: what is kept may be let go at any time.
        found = kept.counts(keys)
        if new := [key for key in keys if key not in found]:
            read = dict.fromkeys(new, 0)
            for key, n in await self._reading.rows(_COUNTS if await self._has_delta() else _COUNTS_OF_LISTS, new):
                read[key] += n
            kept.count(read)
            found |= read
        return {key: count for key, count in found.items() if count}

    async def suppliers(self, keys: Sequence[int]) -> dict[int, Numbers]:
        """Return key to the suppliers that have it, ascending; those that nobody has are left out."""
        kept = await self._kept_lists()
        found = kept.lists(keys)
        parts: dict[int, list[Numbers]] = {}
        added: dict[int, list[int]] = {}
        new = [key for key in keys if key not in found]
        asked = _SUPPLIERS if await self._has_delta() else _SUPPLIERS_OF_LISTS
        for key, ids, supplier in await self._reading.rows(asked, new) if new else ():
            if ids is None:
                added.setdefault(key, []).append(supplier)
            else:
                parts.setdefault(key, []).append(unpack(ids))
        for key, some in added.items():
            parts.setdefault(key, []).append(np.array(some, dtype=np.int32))
        read = {key: in_one(some) for key, some in parts.items()}
        kept.keep(read)
        return found | read

    async def _has_delta(self) -> bool:
        return (await self.built()).delta > 0

    async def _kept_lists(self) -> KeptLists:
        if self._lists is None:
            await self.reach()
        assert self._lists is not None
        return self._lists

    # --- writing

    async def add_delta(self, postings: Postings) -> None:
        """Add to the delta; `set_built` counts it."""
        rows = list(zip(postings.keys.tolist(), postings.suppliers.tolist(), strict=True))
        await insert_rows(self._session, SearchDeltaRow, ("key", "supplier"), rows)

    async def delta_after(self, key: int | None, most: int) -> Postings:
        """Return the next of the delta behind a key, in order; only whole keys, so none where one is larger."""
        row = SearchDeltaRow
        query = sa_select(col(row.key), col(row.supplier)).order_by(col(row.key), col(row.supplier)).limit(most)
        if key is not None:
            query = query.where(col(row.key) > key)
        found = [(k, supplier) for k, supplier in await self._execute(query)]
        if len(found) == most:
            last = found[-1][0]
            found = [pair for pair in found if pair[0] != last]
            if not found:
                rest = sa_select(col(row.key), col(row.supplier)).where(col(row.key) == last)
                found = [(k, supplier) for k, supplier in await self._execute(rest.order_by(col(row.supplier)))]
        both = np.array(found, dtype=np.int32).reshape(-1, 2)
        return Postings(np.ascontiguousarray(both[:, 0]), np.ascontiguousarray(both[:, 1]))

    async def forget_delta(self, first: int, last: int) -> None:
        """Take out of the delta all between two keys, themselves included."""
        await self._execute(delete(SearchDeltaRow).where(col(SearchDeltaRow.key).between(first, last)))

    async def append(self, postings: Postings) -> None:
        """Add to the lists what is in none of them."""
        starts = postings.starts()
        keys = postings.keys[starts[:-1]].tolist()
        known = await self._open_chunks(keys)
        added: list[tuple[int, int, int, bytes]] = []
        changed: list[tuple[int, int, bytes]] = []
        for place, key in enumerate(keys):
            suppliers = postings.suppliers[starts[place] : starts[place + 1]]
            before = known.get(key)
            total = len(suppliers)
            if before is not None:
                total += before[0]
                suppliers = np.sort(np.concatenate((unpack(before[1]), suppliers)))
            *full, growing = in_chunks(suppliers)
            count = total - len(suppliers)
            for chunk in full:
                count += len(chunk)
                added.append((key, count, len(chunk), pack(chunk)))
            if before is None:
                added.append((key, _OPEN, total, pack(growing)))
            else:
                changed.append((key, total, pack(growing)))
        await insert_rows(self._session, SearchPostingRow, ("key", "chunk", "n", "ids"), added)
        await self._change_open(changed)

    async def _open_chunks(self, keys: Sequence[int]) -> dict[int, tuple[int, bytes]]:
        found: dict[int, tuple[int, bytes]] = {}
        for start in range(0, len(keys), 10 * _CHUNK):
            some = keys[start : start + 10 * _CHUNK]
            found.update({key: (n, ids) for key, n, ids in await self._reading.rows(_OPEN_CHUNKS, some)})
        return found

    async def _change_open(self, changed: Sequence[tuple[int, int, bytes]]) -> None:
        if not changed:
            return
        connection = await self._session.connection()
        if self._reading.is_postgres:
            keys, counts, ids = zip(*changed, strict=True)
            query = (
                "update search_posting set n = new.n, ids = new.ids "
                "from unnest($1::int[], $2::int[], $3::bytea[]) as new(key, n, ids) "
                "where search_posting.key = new.key and search_posting.chunk = 0"
            )
            await connection.exec_driver_sql(query, (list(keys), list(counts), list(ids)))
        else:
            rows = [(n, ids, key) for key, n, ids in changed]
            await connection.exec_driver_sql(
                "update search_posting set n = ?, ids = ? where key = ? and chunk = 0", rows
            )

    # --- for `comity check`

    async def everything(self) -> AsyncIterator[tuple[int, Numbers]]:
        """Yield (key, suppliers that have it) of all lists and of the delta."""
        after, row = (-(2**31), -1), SearchPostingRow
        query = sa_select(col(row.key), col(row.chunk), col(row.ids)).order_by(col(row.key), col(row.chunk))
        while True:
            later = tuple_(col(row.key), col(row.chunk)) > after
            rows = (await self._execute(query.where(later).limit(_PAGE))).all()
            for key, _, ids in rows:
                yield key, unpack(ids)
            if len(rows) < _PAGE:
                break
            after = rows[-1][0], rows[-1][1]
        reached: int | None = None
        while len(postings := await self.delta_after(reached, _PAGE)):
            starts = postings.starts()
            for place in range(len(starts) - 1):
                part = postings.part(starts[place], starts[place + 1])
                yield int(part.keys[0]), part.suppliers
            reached = int(postings.keys[-1])

    async def _execute(self, statement: Any) -> Any:
        return await (await self._session.connection()).execute(statement)


_REACH = """
select folding, built, batch, reached, delta, since, stamp,
    (select max(number) from supplier), (select count(*) from (select 1 from search_waiting limit 1) as waits)
from (select 1) as anyhow left join search_state on 1 = 1
"""
_COUNTS_OF_LISTS = "select key, n from search_posting where chunk = 0 and key {these}"
_COUNTS_OF_DELTA = "select key, count(*) from search_delta where key {these} group by key"
_COUNTS = " union all ".join((_COUNTS_OF_LISTS, _COUNTS_OF_DELTA))
_SUPPLIERS_OF_LISTS = "select key, ids, 0 from search_posting where key {these}"
_SUPPLIERS_OF_DELTA = "select key, cast(null as bytea), supplier from search_delta where key {these}"
_SUPPLIERS = " union all ".join((_SUPPLIERS_OF_LISTS, _SUPPLIERS_OF_DELTA))
_OPEN_CHUNKS = "select key, n, ids from search_posting where chunk = 0 and key {these}"
_WAIT = text("insert into search_waiting (supplier, text) values (:s, :t) on conflict do nothing")
_NO_MORE = text("delete from search_waiting where supplier = :s and text = :t")
