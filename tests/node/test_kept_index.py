"""What a process keeps of the name index: never used for another state of it, and never more than it may hold."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from comity_node.db import Database, kept_index
from comity_node.db.kept_index import KeptLists
from comity_node.db.search import Built, Postings
from comity_node.db.store import Store
from comity_node.db.suppliers import NewSupplier
from comity_node.domain.matching.folding import FOLDING
from comity_node.services.searching.indexing import Indexer, keys_of, take_in
from comity_schemas.subject import SubjectType

NAMES = [f"{first} {second} Ltd" for first in ("Klang", "Dhaka", "Xiamen") for second in ("Rubber", "Textile", "Steel")]
KEYS = sorted({key for name in NAMES for key in keys_of(name)})
Said = tuple[dict[int, int], dict[int, list[int]]]


async def know(database: Database, names: Iterable[str]) -> None:
    new = [NewSupplier(f"entered:{name}", SubjectType.SUPPLIER, (name,), (), "MY") for name in names]
    async with database.write() as store:
        await store.suppliers.ensure(new)


async def said_in(store: Store) -> Said:
    lists = await store.search.suppliers(KEYS)
    return await store.search.counts(KEYS), {key: numbers.tolist() for key, numbers in sorted(lists.items())}


async def said(database: Database) -> Said:
    async with database.read() as store:
        return await said_in(store)


async def said_anew(database: Database) -> Said:
    """As a process says that has read nothing before."""
    other = Database(database.url, database.keys)
    try:
        return await said(other)
    finally:
        await other.close()


@pytest.mark.parametrize("sizes", [{}, {"many": 1, "batch": 2}, {"merge_from": 1}])
async def test_after_each_step_of_the_index_a_process_says_what_one_says_that_kept_nothing(
    database: Database, sizes: dict[str, int]
) -> None:
    indexer, states = Indexer(database, **sizes), list[Said]()
    for known in (NAMES[:4], NAMES[4:]):
        await know(database, known)
        # A name more of somebody who is in the index already changes it without a supplier more.
        await know(database, NAMES[:1])
        while await indexer.step():
            states.append(await said(database))
            assert states[-1] == await said_anew(database)
    counts, lists = states[-1]
    assert counts == {key: len(numbers) for key, numbers in lists.items()}
    assert set().union(*lists.values()) == set(range(1, len(NAMES) + 1))
    # Built anew under another folding, from lists that are emptied first.
    async with database.write() as store:
        await store.search.set_built(Built(FOLDING - 1))
    while await indexer.step():
        assert await said(database) == await said_anew(database)
    assert await said(database) == states[-1]


async def test_whoever_reads_an_older_view_goes_on_reading_that(database: Database) -> None:
    await know(database, NAMES[:4])
    await Indexer(database).finish()
    async with database.read() as older:
        before = await said_in(older)
        await know(database, NAMES[4:])
        await Indexer(database).finish()
        after = await said(database)
        assert after != before
        assert await said_in(older) == before
    async with database.read() as store:
        # Asked for the first time, beside somebody whose view is another one.
        assert await said_in(store) == after
    assert await said(database) == after


async def test_what_was_not_committed_is_kept_by_nobody(database: Database) -> None:
    await know(database, NAMES[:4])
    await Indexer(database).finish()
    before = await said(database)
    await know(database, NAMES[4:])
    async with database.rehearse() as store:
        await take_in(store)
        assert await said_in(store) != before
    assert await said(database) == before
    with pytest.raises(RuntimeError, match="on the way"):
        async with database.write() as store:
            await take_in(store)
            assert await said_in(store) != before
            raise RuntimeError("on the way")
    assert await said(database) == before == await said_anew(database)


async def test_whoever_changes_the_lists_reads_what_it_wrote(database: Database) -> None:
    await know(database, NAMES[:1])
    await Indexer(database).finish()
    key = keys_of(NAMES[0]).popitem()[0]
    async with database.rehearse() as store:
        assert (await store.search.counts([key])) == {key: 1}
        await store.search.add_delta(Postings(np.array([key], np.int32), np.array([7], np.int32)))
        await store.search.set_built(replace(await store.search.built(), delta=1))
        assert (await store.search.counts([key])) == {key: 2}
        assert (await store.search.suppliers([key]))[key].tolist() == [1, 7]


def test_what_is_kept_has_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_index, "MOST_BYTES", 4 * 10)
    monkeypatch.setattr(kept_index, "MOST_COUNTS", 3)
    kept = KeptLists()
    for key in range(5):
        kept.keep({key: np.arange(4, dtype=np.int32)})
        assert list(kept.lists([key, 0])) == ([key, 0] if key else [0])
    # Ten numbers have room: the list asked for last, and the one asked for each time.
    assert list(kept.lists(range(5))) == [0, 4]
    kept.count({1: 9, 2: 0})
    assert kept.counts([1, 2, 3]) == {1: 9, 2: 0}
    kept.count({3: 1, 4: 1})
    assert kept.counts([1, 2, 3, 4]) == {3: 1, 4: 1}


async def test_what_is_let_go_for_want_of_room_is_still_told_to_whoever_asked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await know(database, NAMES)
    await Indexer(database).finish()
    whole = await said_anew(database)
    monkeypatch.setattr(kept_index, "MOST_COUNTS", len(KEYS) - 1)
    monkeypatch.setattr(kept_index, "MOST_BYTES", 4)
    for first in range(0, len(KEYS), 7):
        async with database.read() as store:
            assert await store.search.counts(KEYS[first : first + 7])
            assert await said_in(store) == whole
