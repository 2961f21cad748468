"""The name index: it finds what looking at every name finds, and a crash loses and doubles nothing."""

import asyncio
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity_node.db import Database
from comity_node.db.packing import MOST_BYTES, in_chunks, pack, unpack
from comity_node.db.reading import Reading
from comity_node.db.search import Postings
from comity_node.db.suppliers import NewSupplier
from comity_node.domain.matching.folding import FOLDING, fold
from comity_node.domain.matching.keys import MOST_KEYS, posting_keys
from comity_node.domain.matching.party import Party
from comity_node.domain.names import fold_name
from comity_node.domain.people import Person, PersonRole
from comity_node.domain.suppliers.facts import Fact, FactKind
from comity_node.domain.suppliers.keys import identifier_key
from comity_node.services.searching.candidates import MOST_NAMES, candidates
from comity_node.services.searching.checking import index_problems
from comity_node.services.searching.indexing import Indexer, keys_of
from comity_node.services.searching.ranking import Looking, Stage, added_up, chosen, sizes_of
from comity_schemas.identifiers import Identifier
from comity_schemas.subject import SubjectType
from filled_database import run
from node_world import NOW

NAMES = (
    "Fazenda Exemplo Ltda",
    "Exemplar Gloves Sdn Bhd",
    "Exemplar Glove Industries",
    "Klang Rubber Works",
    "北京示例手套有限公司",
    "Shenzhen Example Electronics Co., Ltd",
    "ООО Пример",
    "Primer OOO",
    "Dhaka Textile Limited",
    "ঢাকা টেক্সটাইল লিমিটেড",
)


async def know(database: Database, *names: str, start: int = 0, **more: Identifier) -> None:
    new = [
        NewSupplier(f"entered:{start + n}", SubjectType.SUPPLIER, (name,), tuple(more.values()), "MY")
        for n, name in enumerate(names)
    ]
    async with database.write() as store:
        await store.suppliers.ensure(new)


async def found(database: Database, name: str, most: int = 50) -> list[str]:
    async with database.read() as store:
        return [c.known.name for c in await candidates(store, Party((name,)), most)]


async def lists_and_names(database: Database) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """What the index holds, and what all names by themselves say it should."""
    made: dict[int, set[int]] = {}
    async with database.read() as store:
        for number, name in await store.search.names_among(1, 10_000):
            for key in keys_of(name):
                made.setdefault(key, set()).add(number)
        held: dict[int, list[int]] = {}
        async for key, suppliers in store.search.everything():
            held.setdefault(key, []).extend(suppliers.tolist())
    return {key: sorted(n) for key, n in held.items()}, {key: sorted(n) for key, n in made.items()}


async def sizes_and_names(database: Database) -> tuple[list[int], list[int]]:
    """The size that the index holds of each supplier, and what its first name says it should be."""
    async with database.read() as store:
        newest = (await store.search.reach()).newest
        known = await store.suppliers.find(range(1, newest + 1))
        held = (await store.sizes.of_all(newest)).tolist()
    return held, [0, *(len(keys_of(known[number].name)) for number in range(1, newest + 1))]


# --- packing


@given(st.sets(st.integers(0, 2**31 - 1), min_size=1, max_size=300), st.integers(0, 20))
def test_packed_numbers_come_back(numbers: set[int], shift: int) -> None:
    ascending = np.unique(np.array(sorted(numbers), dtype=np.int64) >> shift).astype(np.int32)
    assert unpack(pack(ascending)).tolist() == ascending.tolist()


@given(st.lists(st.integers(1, 70_000), min_size=1, max_size=3_000))
def test_chunks_hold_all_numbers_and_are_small(steps: list[int]) -> None:
    ascending = np.cumsum(np.array(steps, dtype=np.int32), dtype=np.int32)
    chunks = in_chunks(ascending)
    assert np.concatenate(chunks).tolist() == ascending.tolist()
    assert all(len(pack(chunk)) <= MOST_BYTES for chunk in chunks)


def test_one_number_costs_three_bytes_and_near_ones_one_each() -> None:
    assert [len(pack(np.array([n], dtype=np.int32))) for n in (0, 7, 2**24 - 1, 2**24)] == [1, 1, 3, 4]
    assert len(pack(np.arange(1_000, 1_500, dtype=np.int32))) == 5 + 499


# --- following


@pytest.mark.parametrize("sizes", [{}, {"many": 1, "batch": 3}, {"merge_from": 1}])
async def test_whichever_way_a_name_comes_in_the_lists_say_what_its_keys_are(
    database: Database, sizes: dict[str, int]
) -> None:
    indexer = Indexer(database, **sizes)
    await know(database, *NAMES[:6])
    await indexer.finish()
    held_sizes, should_be = await sizes_and_names(database)
    assert held_sizes == should_be and len(held_sizes) == 7
    await know(database, *NAMES[6:], start=6)
    await know(database, "Exemplo Farms", "Exemplar Gloves (KL)")  # further names of the first two
    await indexer.finish()
    held, should = await lists_and_names(database)
    assert held == should
    held_sizes, should_be = await sizes_and_names(database)
    assert held_sizes == should_be and len(held_sizes) == 1 + len(NAMES)
    async with database.read() as store:
        assert await store.search.waiting(1) == []
    assert (await found(database, "Exemplo Farm"))[0] == "Fazenda Exemplo Ltda"


async def test_who_is_not_in_the_index_yet_is_found_too(database: Database) -> None:
    await know(database, *NAMES[:3])
    await Indexer(database).finish()
    await know(database, *NAMES[3:], start=3)
    await know(database, "Quite Another Thing")
    assert (await found(database, "Klang Ruber Works"))[0] == "Klang Rubber Works"
    assert (await found(database, "Quit Another Thing"))[0] == "Fazenda Exemplo Ltda"


async def test_whose_further_names_wait_are_all_found_also_by_what_was_entered_here(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await know(database, *NAMES)
    await Indexer(database).finish()
    words = ("Zuotian", "Kaixinda", "Bolunte", "Dorfmann", "Ostrau")
    await know(database, *(f"Quite {word} Thing" for word in words))
    async with database.write() as store:
        by_name = {known.name: n for n, known in (await store.suppliers.find(range(1, 11))).items()}
        await store.accounts.add_person(Person("ada", "ada", frozenset({PersonRole.OFFICER})), "hash")
        await store.facts.add(
            Fact("f1", FactKind.FORMER_NAME, by_name["ООО Пример"], "ada", NOW, text="Wholly Different Enterprise")
        )
    monkeypatch.setattr("comity_node.services.searching.candidates.AT_ONCE", 2)
    # The nearest of those in the index, and the nearest of those that are not.
    for name, word in zip(NAMES, words, strict=False):
        assert name in await found(database, f"Quit {word} Thing", most=1)
    assert "ООО Пример" in await found(database, "Wholy Diferent Enterprise", most=1)


async def test_every_name_that_is_asked_with_is_looked_for(sqlite: Database) -> None:
    await know(sqlite, *NAMES)
    await Indexer(sqlite).finish()
    others = tuple(f"Zuotian Kaixinda {number}" for number in range(100, 199))
    async with sqlite.read() as store:
        (likely,) = await candidates(store, Party((*others, "Klang Rubber Works")), most=1)
    assert likely.known.name == "Klang Rubber Works"


async def test_whom_a_number_decides_is_found_by_it_however_many_it_was_written_beside(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comity_node.services.searching.candidates.MOST_BY_NUMBER", 2)
    number = Identifier(scheme="UNGM", id="1111")
    await know(database, *NAMES[:4], number=number)
    own = NewSupplier(identifier_key(number), SubjectType.SUPPLIER, ("Zuotian",), (number,), "MY")
    async with database.write() as store:
        await store.suppliers.ensure([own])
    async with database.read() as store:
        found = await candidates(store, Party((), identifiers=(number,)))
    assert (found[0].known.name, len(found)) == ("Zuotian", 2)


async def test_of_a_thousand_numbers_only_those_that_somebody_has_are_looked_up_one_by_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await know(
        database,
        *NAMES[:3],
        number=Identifier(scheme="UNGM", id="1111"),
        other=Identifier(scheme="OSID", id="CN2021250D1DTN7"),
    )
    asked = [("UNGM", str(number)) for number in range(1_000, 2_200)]
    questions, rows = 0, Reading.rows

    async def counted(*given: Any) -> Any:
        nonlocal questions
        questions += 1
        return await rows(*given)

    monkeypatch.setattr(Reading, "rows", counted)
    async with database.read() as store:
        found = await store.suppliers.with_identifier([*asked, ("OSID", "CN2021250D1DTN7")], 2)
        few = await store.suppliers.with_identifier(
            [("UNGM", "1111"), ("OSID", "CN2021250D1DTN7"), ("OSID", "CN2021250D1DTN8")], 2
        )
    assert (
        found
        == few
        == [(1, "OSID", "CN2021250D1DTN7"), (2, "OSID", "CN2021250D1DTN7"), (1, "UNGM", "1111"), (2, "UNGM", "1111")]
    )
    assert questions == 3 + 2 + 3


async def test_a_crash_at_any_step_loses_and_doubles_nothing(sqlite: Database) -> None:
    sizes = {"many": 4, "batch": 3, "merge_from": 40}
    for start in range(0, len(NAMES), 2):
        await know(sqlite, *NAMES[start : start + 2], start=start)
        await know(sqlite, *(f"{name} Group" for name in NAMES[: start + 1]))  # further names of those that are there
        # Each step by another indexer: all that one had in mind is gone.
        while await Indexer(sqlite, **sizes).step():
            async with sqlite.read() as store:
                built = await store.search.built()
            if built.delta < 40 and built.batch is None:
                break
    while await Indexer(sqlite, **sizes).step():
        pass
    held, should = await lists_and_names(sqlite)
    assert held == should
    held_sizes, should_be = await sizes_and_names(sqlite)
    assert held_sizes == should_be and len(held_sizes) == 1 + len(NAMES)


async def test_sizes_of_thousands_are_read_on_where_a_process_has_read_before(database: Database) -> None:
    sizes = bytes(n % 251 for n in range(1, 5_001))
    for first, last in ((1, 2_499), (2_500, 2_500), (2_501, 5_000)):
        async with database.write() as store:
            await store.sizes.put(first, sizes[first - 1 : last])
        async with database.read() as store:
            assert (await store.sizes.of_all(last)).tobytes() == bytes(1) + sizes[:last]
    async with database.read() as store:
        assert len(await store.sizes.of_all(6_000)) == 6_001, "who is not in the index yet has a place too"


async def test_it_says_since_when_it_is_behind_until_it_is_not(sqlite: Database) -> None:
    await know(sqlite, *NAMES)
    indexer, seen = Indexer(sqlite, many=2, batch=3, clock=lambda: NOW), []
    more = True
    while more:
        more = await indexer.step()
        async with sqlite.read() as store:
            seen.append((await store.search.built()).since)
    behind = seen[1:]
    assert seen[0] is None and behind[0] == NOW.isoformat() and behind[-1] is None
    assert behind == sorted(behind, key=lambda since: since is None), "once over, it stays over"


async def test_two_at_once_do_nothing_twice(sqlite: Database) -> None:
    await know(sqlite, *NAMES)
    sizes = {"many": 1, "batch": 4, "merge_from": 1}
    await asyncio.gather(*(Indexer(sqlite, **sizes).finish() for _ in range(3)))
    held, should = await lists_and_names(sqlite)
    assert held == should


@pytest.mark.parametrize("sizes", [{"many": 1, "batch": 4}, {}], ids=["by the batch", "by the delta"])
async def test_under_another_folding_it_is_built_anew_and_finds_meanwhile(
    database: Database, sizes: dict[str, int]
) -> None:
    await know(database, *NAMES)
    await Indexer(database).finish()
    async with database.write() as store:
        await store.search.set_built(replace(await store.search.built(), folding=FOLDING - 1))
        for number, name, folded in await store.suppliers.foldings(1, 100):
            await store.suppliers.fold_anew([(number, name, f"{folded} as once")])
    indexer = Indexer(database, **sizes)
    # Before anybody has begun to build it anew, as right after an update.
    assert "Klang Rubber Works" in await found(database, "Klang Rubber Works", most=1)
    while await indexer.step():
        # The nearest of those in the index, and the nearest of those that are not.
        assert "Klang Rubber Works" in await found(database, "Klang Rubber Works", most=1)
    held, should = await lists_and_names(database)
    assert held == should
    async with database.read() as store:
        assert all(folded == fold_name(name) for _, name, folded in await store.suppliers.foldings(1, 100))


async def test_a_check_sees_a_key_that_is_missing_and_one_that_is_too_many(sqlite: Database) -> None:
    await know(sqlite, *NAMES)
    await Indexer(sqlite, many=1).finish()
    key = next(iter(keys_of(NAMES[0])))
    async with sqlite.rehearse() as store:
        assert await index_problems(store) == []
        await run(store, "delete from search_posting where key = :key", key=key)
        assert "1" in (await index_problems(store))[0]
    async with sqlite.rehearse() as store:
        await store.search.add_delta(Postings(np.array([key], np.int32), np.array([2], np.int32)))
        assert await index_problems(store) != []


# --- ranking


@given(st.dictionaries(st.integers(-9, 9), st.sets(st.integers(1, 60), min_size=1)), st.integers(1, 70))
def test_what_adds_up_is_each_shared_key_once(who: dict[int, set[int]], most: int) -> None:
    lists = {key: np.array(sorted(some), dtype=np.int32) for key, some in who.items()}
    worth = {key: 1.0 + key % 3 for key in lists}
    sizes = sizes_of(7 * n for n in range(61))
    should = {
        n: sum(worth[k] for k in who if n in who[k]) / (20 + min(7 * n, 255)) ** 0.75
        for n in set().union(*who.values())
    }
    found = added_up(lists, worth, sizes, most)
    assert len(found) == min(most, len(should))
    assert all(found[n] == pytest.approx(should[n]) for n in found)
    assert min(found.values(), default=0) >= max((should[n] for n in should.keys() - found.keys()), default=0) - 1e-6


def test_what_the_most_names_share_at_the_largest_weight_does_not_run_over() -> None:
    rarest = 4.0 * math.log(1 + 2_000_000)
    lists = {key: np.array([1] if key % 2 else [1, 2], dtype=np.int32) for key in range(MOST_NAMES * MOST_KEYS)}
    found = added_up(lists, dict.fromkeys(lists, rarest), sizes_of([0, 0, 0]), 2)
    assert found[1] == pytest.approx(2 * found[2]) == pytest.approx(len(lists) * rarest / 20**0.75, rel=1e-3)


def looked(*stages: Stage) -> Looking:
    looking = Looking([fold("Mindree")], stages)
    looking.begin(dict(zip(looking.keys, (1, 100, 200), strict=False)), 1_000, sizes_of([9] * 1_001))
    return looking


def test_equal_consonants_alone_do_not_end_the_search() -> None:
    looking = looked(Stage(1, 1), Stage(1, 2))
    for name, goes_on in (("mindray", True), ("mindree", False)):
        assert looking.goes_on()
        looking.add({key: np.array([7, 8], dtype=np.int32) for key in looking.lists()})
        looking.lay([(number, name) for number in looking.names()])
        assert (looking._letters < 85) is goes_on
    assert not looking.goes_on()


def test_who_shares_a_rare_key_is_looked_at_however_its_name_reads() -> None:
    looking = looked(Stage(1_000, 50))
    assert looking.goes_on()
    rare, common, _ = looking.lists()
    looking.add({rare: np.array([1], dtype=np.int32), common: np.arange(2, 12, dtype=np.int32)})
    assert looking.names() == [1, *range(2, 12)]
    looking.lay([(1, "quite other words beside"), *((number, "mindray") for number in range(2, 12))])
    assert looking.best(5) == [2, 3, 4, 5, 1]
    assert looking.best(1) == [2]


def test_by_a_name_in_another_script_its_latin_spelling_goes_before_another_trade_in_the_same_letters() -> None:
    trades = "للأثاث للنسيج للزراعة للتجارة للطباعة للبلاستيك للأدوية للكيماويات للملابس".split()
    names = [fold(name) for name in (*(f"شركة التميز {trade}" for trade in trades), "Al Tamayoz Footwear Co.")]
    lists: dict[int, list[int]] = {}
    for number, name in enumerate(names, 1):
        for key in posting_keys(name):
            lists.setdefault(key, []).append(number)
    looking = Looking([fold("شركة التميز للأحذية")], [Stage(10_000, 3)])
    counts = {key: len(lists[key]) for key in looking.keys if key in lists}
    looking.begin(counts, 1_000, sizes_of([0, *(len(posting_keys(name)) for name in names)]))
    assert looking.goes_on()
    looking.add({key: np.array(lists[key], dtype=np.int32) for key in looking.lists()})
    assert len(names) in looking.names()


@given(st.dictionaries(st.integers(), st.integers(1, 100)), st.integers(1, 200), st.integers(0, 400))
def test_a_larger_budget_reads_the_same_keys_first(counts: dict[int, int], budget: int, more: int) -> None:
    small, large = chosen(counts, budget), chosen(counts, budget + more)
    assert large[: len(small)] == small
