"""Who may be the one asked about: the suppliers worth comparing, out of all that this node knows.

Rules:
- Whoever has one of the numbers asked for, another branch's of the same company, or an equal folded name, is always
  among them.
- The rest come from the name index by the keys that their names share; what the index has not reached yet is looked at
  name by name, so nobody is missed because it is behind, or is being built anew.
- Nothing is concluded here. Who is the same is for `domain.matching` to say, of each candidate by itself.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from comity_node.db import Store
from comity_node.db.search import Reach
from comity_node.db.suppliers import Described, Known
from comity_node.domain.matching.folding import FOLDING, Folded, fold
from comity_node.domain.matching.identifiers import numbers_of_company
from comity_node.domain.matching.laying import Laid
from comity_node.domain.matching.party import Party
from comity_node.services.searching.ranking import Looking, Stage, nearest
from comity_schemas.identifiers import Identifier

MOST = 50
"""Candidates by name; those by number come on top."""

MOST_BY_NUMBER = 200
"""Who has one and the same number, or is of one and the same company."""

FEW = 60
"""Suppliers who are read whole when their names are laid beside: most of them become candidates."""

DEPTH = (Stage(budget=50_000, laid=FEW), Stage(budget=250_000, laid=300))

MOST_NAMES = 100
"""Names asked for that are looked for: more than anybody can ask with at once."""

AT_ONCE = 20_000
"""Suppliers that the index has not reached and that are held in memory at once."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A supplier that may be the one asked about."""

    known: Known
    party: Party
    """As identity is judged by; without a country where its names stand under several."""


async def candidates(store: Store, party: Party, most: int = MOST) -> list[Candidate]:
    """Return who may be the one asked about: by number first, then the nearest names first."""
    by_number = await _by_number(store, party.identifiers)
    asked = [fold(name) for name in party.names[:MOST_NAMES]]
    near, there = list[int](), dict[int, Described]()
    if asked:
        near = await _by_name(store, asked, most, there)
    numbers = list(dict.fromkeys([*by_number, *near]))
    there |= await store.suppliers.described([number for number in numbers if number not in there])
    return [_candidate(there[number]) for number in numbers if number in there]


def _candidate(described: Described) -> Candidate:
    where = described.countries - {""}
    identifiers = tuple(Identifier(scheme=scheme, id=value) for scheme, value in described.identifiers)
    party = Party(tuple(described.names), where.pop() if len(where) == 1 else None, identifiers=identifiers)
    return Candidate(described.known, party)


async def _by_number(store: Store, identifiers: Sequence[Identifier]) -> list[int]:
    same = [(i.scheme, i.id) for i in identifiers]
    found = [supplier for supplier, _, _ in await store.suppliers.with_identifier(same, MOST_BY_NUMBER)]
    for identifier in identifiers:
        first, last = numbers_of_company(identifier)
        if first != last:
            found += await store.suppliers.with_number_between(identifier.scheme, first, last, MOST_BY_NUMBER)
    return found


async def _by_name(store: Store, asked: Sequence[Folded], most: int, there: dict[int, Described]) -> list[int]:
    """Return whose names come nearest, the nearest first; who of them was read whole on the way comes into `there`."""
    looking = Looking(asked, DEPTH)
    equal = [n for n, _ in await store.suppliers.with_name({" ".join(name.words) for name in asked}, most)]
    reach = await store.search.reach()
    beyond = await _beyond(store, reach, looking.laid, most)
    if reach.built.folding == FOLDING:
        counts = await store.search.counts(looking.keys)
        looking.begin(counts, max(reach.newest, 1), await store.sizes.of_all(reach.newest))
        while looking.goes_on():
            looking.add(await store.search.suppliers(looking.lists()))
            names = looking.names()
            if len(names) <= FEW:
                new = await store.suppliers.described(names)
                there |= new
                looking.lay([(number, name) for number, known in new.items() for name in known.folded])
            else:
                looking.lay(await store.suppliers.folded(names))
    return list(dict.fromkeys([*equal, *looking.best(most), *(n for n, _ in beyond)]))


async def _beyond(store: Store, reach: Reach, asked: Laid, most: int) -> list[tuple[int, float]]:
    """Return (supplier, nearness) of the nearest whom the index has not reached."""
    best: list[tuple[int, float]] = []
    async for names in _names_beyond(store, reach):
        best = sorted([*best, *await _nearest(names, asked, most)], key=lambda each: (-each[1], each[0]))[:most]
    return best


async def _names_beyond(store: Store, reach: Reach) -> AsyncIterator[Sequence[tuple[int, str]]]:
    """Yield (supplier, folded name) of all whom the index has not reached, some at a time."""
    done = 0
    while reach.waits and (waiting := await store.search.waiting(AT_ONCE, after=done)):
        done = max(n for n, _ in waiting)
        yield await store.suppliers.folded(sorted({n for n, _ in waiting}))
    # Lists of another folding are not read: nobody is reached by them, also before they begin to be emptied.
    reached = reach.built.built if reach.built.folding == FOLDING else 0
    for first in range(reached + 1, reach.newest + 1, AT_ONCE):
        last = min(first + AT_ONCE - 1, reach.newest)
        yield [(n, folded) for n, _, folded in await store.suppliers.foldings(first, last)]


async def _nearest(names: Sequence[tuple[int, str]], asked: Laid, most: int) -> list[tuple[int, float]]:
    # In a thread: while the index is built anew there are many, and other requests go on meanwhile.
    return await asyncio.to_thread(nearest, asked, names, most)
