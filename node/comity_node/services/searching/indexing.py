"""The name index follows the suppliers: into a delta, from there into the lists, or many at once straight into them.

Rules:
- A step is one short transaction, or none; whoever else writes waits for a tenth of a second at most.
- Every step begins where the database says, so a crash between two loses nothing and does nothing twice. What a batch
  is made of is worked out anew after one.
- Whatever the index has not reached is found all the same: whoever searches looks at it name by name
  (`searching.candidates`). So answers are right while the index is built anew, only slower.
- Under another folding the lists are emptied and built anew, and stored foldings of names with them.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from comity_node.db import Database, Store
from comity_node.db.search import Built, Postings
from comity_node.domain.matching.folding import FOLDING, fold
from comity_node.domain.matching.keys import posting_keys
from comity_node.domain.names import fold_name
from comity_node.services.searching.ranking import sizes_of

EMPTYING = 0
"""Stands as the folding while lists of an earlier one are emptied."""

PART = 200
"""Suppliers, or names that wait, that one step takes into the delta: some 6,000 rows."""

MANY = 4_000
"""Suppliers that are new at once, from which on they go into the lists without the delta."""

BATCH = 100_000
"""Suppliers whose keys are held in memory: some 30 MB."""

MERGE_FROM = 240_000
"""Rows of the delta at which merging begins: each list is then written once for many."""

ROWS = 4_000
"""That one step writes, or those of one key."""

KEYS = 2_000
"""Keys of a batch that one step writes."""

LISTS = 5_000
"""Lists that one step forgets."""

NAMES = 2_000
"""Names whose stored folding one step corrects."""


_PAIR = np.dtype([("key", np.int32), ("supplier", np.int32)])
_Pairs = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is being added."""

    at: Built
    """How far the index must be for this to fit."""
    postings: Postings
    starts: NDArray[np.intp]
    sizes: bytes
    """Of the suppliers that are added, in order."""

    def next_part(self) -> tuple[int, int]:
        """Return from where to where to go on: whole keys, and not much at once unless one key is."""
        reached = self.at.reached
        first = 0 if reached is None else int(np.searchsorted(self.postings.keys, reached, side="right"))
        at = int(np.searchsorted(self.starts, first))
        fit = int(np.searchsorted(self.starts, first + ROWS, side="right")) - 1
        return first, int(self.starts[min(max(at + 1, min(at + KEYS, fit)), len(self.starts) - 1)])


class Indexer:
    """Keeps the name index up with the suppliers. Several at once do nothing twice: each step looks anew."""

    def __init__(
        self,
        database: Database,
        *,
        batch: int = BATCH,
        many: int = MANY,
        merge_from: int = MERGE_FROM,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clock = clock
        self._database = database
        self._sizes = (batch, many, merge_from)
        self._batch: _Batch | None = None
        self._merging: int | None = None
        """Up to this key the delta was merged in this round; None between rounds."""

    async def step(self) -> bool:
        """Do what is next; False where there is nothing to do."""
        batch, many, merge_from = self._sizes
        async with self._database.read() as store:
            reach = await store.search.reach()
            built, newest, waits = reach.built, reach.newest, reach.waits
        if built.folding != FOLDING:
            await self._begin(built)
        elif built.batch is not None:
            await self._go_on(built)
        elif self._merging is not None or built.delta >= merge_from:
            await self._merge()
        elif newest - built.built >= many:
            async with self._database.write() as store:
                if await store.search.built() == built:
                    since = built.since or self._clock().isoformat()
                    built = replace(built, batch=min(newest, built.built + batch), since=since)
                    await store.search.set_built(built)
        elif newest > built.built or waits:
            async with self._database.write() as store:
                await take_in(store)
        elif built.since is not None:
            async with self._database.write() as store:
                if await store.search.built() == built:
                    await store.search.set_built(replace(built, since=None))
        else:
            return False
        return True

    async def finish(self) -> None:
        """Do everything there is to do."""
        while await self.step():
            pass

    async def _begin(self, built: Built) -> None:
        """Empty the lists of an earlier folding, a part at a time, and begin with none."""
        async with self._database.write() as store:
            if await store.search.built() != built:
                return
            if built.folding != EMPTYING:
                await store.search.set_built(Built(EMPTYING, since=self._clock().isoformat()))
            else:
                more = await store.search.forget_lists(LISTS)
                await store.search.set_built(built if more else Built(FOLDING, since=built.since))

    async def _go_on(self, built: Built) -> None:
        """Write the next keys of a batch, once it is worked out what it consists of."""
        if self._batch is None or self._batch.at != built:
            postings, sizes = await self._worked_out(built)
            self._batch = _Batch(built, postings, postings.starts(), sizes)
        first, end = self._batch.next_part()
        postings = self._batch.postings
        if first == end:
            after = replace(built, built=built.batch or built.built, batch=None, reached=None)
        else:
            after = replace(built, reached=int(postings.keys[end - 1]))
        async with self._database.write() as store:
            if await store.search.built() != built:
                return
            if built.reached is None:
                await store.sizes.put(built.built + 1, self._batch.sizes)
            await store.search.append(postings.part(first, end))
            await store.search.set_built(after)
        self._batch = None if after.batch is None else replace(self._batch, at=after)

    async def _worked_out(self, built: Built) -> tuple[Postings, bytes]:
        assert built.batch is not None
        pairs, sizes = list[_Pairs](), list[bytes]()
        for first in range(built.built + 1, built.batch + 1, NAMES):
            last = min(first + NAMES - 1, built.batch)
            async with self._database.read() as store:
                names = await store.search.names_among(first, last)
                waiting = await store.search.waiting_among(first, last)
                stale = await asyncio.to_thread(_stale, await store.suppliers.foldings(first, last))
            for start in range(0, len(stale), NAMES):
                async with self._database.write() as store:
                    await store.suppliers.fold_anew(stale[start : start + NAMES])
            new = [name for name in names if name not in waiting]
            keys = await asyncio.to_thread(_keys, new)
            pairs.append(_pairs(keys.pairs))
            sizes.append(keys.sizes_of(first, last))
            await asyncio.sleep(0)
        return await asyncio.to_thread(_sorted, pairs), b"".join(sizes)

    async def _merge(self) -> None:
        async with self._database.write() as store:
            postings = await store.search.delta_after(self._merging, ROWS)
            if not len(postings):
                self._merging = None
                return
            await store.search.append(postings)
            first, last = int(postings.keys[0]), int(postings.keys[-1])
            await store.search.forget_delta(first, last)
            built = await store.search.built()
            await store.search.set_built(replace(built, delta=built.delta - len(postings)))
        self._merging = last


async def take_in(store: Store) -> int:
    """Take names that wait and suppliers that are new into the delta, a part of them; return how many."""
    reach = await store.search.reach()
    built = reach.built
    if built.folding != FOLDING or built.batch is not None:
        return 0
    taken = await store.search.waiting(PART) if reach.waits else []
    last = built.built if taken else min(built.built + PART, reach.newest)
    new = await store.search.names_among(built.built + 1, last) if last > built.built else []
    if new and built.since is not None:
        # Being built anew: what comes in may have been folded in another way.
        stale = await asyncio.to_thread(_stale, await store.suppliers.foldings(built.built + 1, last))
        await store.suppliers.fold_anew(stale)
    came = await asyncio.to_thread(_keys, new)
    await store.sizes.put(built.built + 1, came.sizes_of(built.built + 1, last))
    pairs = came.pairs
    if taken:
        suppliers = sorted({supplier for supplier, _ in taken})
        still = await store.search.waiting_among(suppliers[0], suppliers[-1])
        old = [name for name in await store.search.names_of(suppliers) if name not in still]
        had = await asyncio.to_thread(_keys, old)
        pairs |= (await asyncio.to_thread(_keys, taken)).pairs - had.pairs
        await store.search.wait_no_more(taken)
    postings = _sorted([_pairs(pairs)])
    await store.search.add_delta(postings)
    await store.search.set_built(replace(built, built=last, delta=built.delta + len(postings)))
    return len(taken) + last - built.built


def keys_of(name: str) -> dict[int, float]:
    """Return key to weight of a name."""
    return posting_keys(fold(name))


@dataclass(slots=True)
class _Keys:
    """What names come to."""

    pairs: set[tuple[int, int]] = field(default_factory=set)
    """Keys and the suppliers that have them."""
    shortest: dict[int, int] = field(default_factory=dict)
    """Supplier to the number of keys of its shortest name."""

    def sizes_of(self, first: int, last: int) -> bytes:
        """Return how large the suppliers with these numbers are, a byte each."""
        return sizes_of(self.shortest.get(supplier, 0) for supplier in range(first, last + 1)).tobytes()


def _keys(names: Iterable[tuple[int, str]]) -> _Keys:
    found = _Keys()
    for supplier, name in names:
        keys = keys_of(name)
        found.pairs.update((key, supplier) for key in keys)
        found.shortest[supplier] = min(len(keys), found.shortest.get(supplier, len(keys)))
    return found


def _pairs(pairs: Iterable[tuple[int, int]]) -> _Pairs:
    """Return pairs of key and supplier in eight bytes each: as numbers of Python's they take ten times that."""
    return np.fromiter(pairs, dtype=_PAIR)


def _sorted(pairs: Sequence[_Pairs]) -> Postings:
    together = np.concatenate(pairs) if pairs else np.zeros(0, dtype=_PAIR)
    keys, suppliers = together["key"], together["supplier"]
    order = np.lexsort((suppliers, keys))
    return Postings(keys[order], suppliers[order])


def _stale(names: Iterable[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """Return (supplier, name, folding) of names that are stored under another folding."""
    return [(supplier, name, now) for supplier, name, stored in names if (now := fold_name(name)) != stored]
