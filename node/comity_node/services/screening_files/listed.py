"""Any list as what rows are screened against, held in memory: the same keys, ranks and comparison as at a node.

It says who on the list may be meant. Of what the network shares it says nothing, and nobody is asked.
"""

import multiprocessing
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from math import log
from typing import Final, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from comity_node.domain.matching.comparing import compare
from comity_node.domain.matching.folding import Folded, fold
from comity_node.domain.matching.keys import posting_keys
from comity_node.domain.matching.likeness import Likeness, Verdict
from comity_node.domain.matching.party import Party
from comity_node.domain.screening_files.asking import Asked
from comity_node.domain.screening_files.results import (
    MOST_CANDIDATES,
    NOT_SEARCHED,
    Candidate,
    Result,
    likest_first,
    not_asked,
    reason_with,
)
from comity_node.domain.screening_files.words import next_step_of_list
from comity_node.services.screening_files.running import Once
from comity_node.services.screening_files.spreading import begin_process, forked_for, spread
from comity_node.services.searching.ranking import Looking, Stage, sizes_of

DEPTH: Final = (Stage(budget=20_000, laid=60), Stage(budget=100_000, laid=200))
COMPARED: Final = 30
_PIECE: Final = 2_000
"""Entries whose keys are held as they are made."""

T = TypeVar("T")
Numbers = NDArray[np.int32]
Piece = tuple[int, list[tuple[str, ...]]]
"""The place of the first of some entries, and the names of each."""


class LaidOut(Protocol):
    """What applies a function to each of many pieces, in their order: `map`, or that of several processes."""

    def __call__(self, function: Callable[[Piece], T], pieces: Iterable[Piece], /) -> Iterable[T]:
        """Return what comes of each."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a list."""

    id: str
    party: Party

    @property
    def name(self) -> str:
        """Its first name."""
        return self.party.names[0] if self.party.names else ""


class KnownList:
    """A list with an index over its names and numbers."""

    def __init__(
        self,
        entries: Sequence[Listed],
        folded: Sequence[Sequence[str]],
        sizes: Sequence[int],
        keys: Numbers,
        who: Numbers,
    ) -> None:
        """Lay out an index.

        Args:
            entries: the list.
            folded: of each entry its names, folded.
            sizes: of each entry how many keys its shortest name has.
            keys: all keys of all entries, in any order.
            who: beside each key the place of the entry that has it.
        """
        order = np.lexsort((who, keys))
        keys, who = keys[order], who[order]
        first = np.flatnonzero(np.concatenate((keys[:1] == keys[:1], keys[1:] != keys[:-1])))
        self.entries, self._folded, self._sizes = entries, folded, sizes_of(sizes)
        self._keys, self._who, self._starts = keys[first], who, np.append(first, len(keys))
        self._words = Counter(word for names in folded for word in {w for name in names for w in name.split()})
        self._by_number: dict[tuple[str, str], list[int]] = {}
        for place, each in enumerate(entries):
            for identifier in each.party.identifiers:
                self._by_number.setdefault((identifier.scheme, identifier.id), []).append(place)

    @classmethod
    def of(cls, rows: Iterable[Asked], laid_out: LaidOut = map) -> Self:
        """Return a list with its index; rows that name nobody are left out.

        Args:
            rows: the list.
            laid_out: what applies a function to each of many pieces, in their order.
        """
        entries: list[Listed] = []

        def pieces() -> Iterator[Piece]:
            named = (row for row in rows if row.refused is None)
            while piece := list(islice(named, _PIECE)):
                first = len(entries)
                entries.extend(Listed(row.key or str(row.row.number), row.party) for row in piece)
                yield first, [row.names for row in piece]

        folded, sizes = list[list[str]](), list[int]()
        parts = [(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32))]
        for names, shortest, keys, who in laid_out(_lay_out, pieces()):
            folded += names
            sizes += shortest
            parts.append((keys, who))
        return cls(entries, folded, sizes, *(np.concatenate([part[n] for part in parts]) for n in (0, 1)))

    def rarity(self, word: str) -> float:
        """Return how much a word tells: the fewer entries have it, the more."""
        return log(1 + max(1_000, len(self.entries)) / (1 + self._words[word]))

    def likest(self, asked: Party) -> list[tuple[Listed, Likeness]]:
        """Return who on the list may be the one asked about, the likest first, also those that are not."""
        found = [(self.entries[place], self.entries[place].party) for place in self._candidates(asked)]
        compared = [(entry, compare(asked, party, self.rarity)) for entry, party in found]
        return sorted(compared, key=lambda each: likest_first(each[1]))

    def _candidates(self, asked: Party) -> list[int]:
        same = [place for i in asked.identifiers for place in self._by_number.get((i.scheme, i.id), ())]
        names = [fold(name) for name in asked.names]
        return list(dict.fromkeys([*same, *(self._near(names) if names else ())]))

    def _near(self, names: Sequence[Folded]) -> list[int]:
        looking = Looking(names, DEPTH)
        parts = self._parts(looking.keys)
        looking.begin({key: len(who) for key, who in parts.items()}, len(self.entries), self._sizes)
        while looking.goes_on():
            looking.add({key: parts[key] for key in looking.lists()})
            looking.lay([(place, folded) for place in looking.names() for folded in self._folded[place]])
        return looking.best(COMPARED)

    def _parts(self, keys: Sequence[int]) -> dict[int, Numbers]:
        if not len(self._keys):
            return {}
        wanted = np.array(keys, dtype=np.int32)
        places = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        there = self._keys[places] == wanted
        return {
            key: self._who[self._starts[place] : self._starts[place + 1]]
            for key, place, is_there in zip(keys, places.tolist(), there.tolist(), strict=True)
            if is_there
        }


def _lay_out(piece: Piece) -> tuple[list[list[str]], list[int], Numbers, Numbers]:
    """Return of each entry of a piece its folded names and its size, and (keys, places of who has them)."""
    first, entries = piece
    folded, sizes = list[list[str]](), list[int]()
    pairs: list[tuple[int, int]] = []
    for place, names in enumerate(entries, first):
        each = [fold(name) for name in names]
        keys = [posting_keys(name).keys() for name in each]
        folded.append([" ".join(name.words) for name in each])
        sizes.append(min(map(len, keys), default=0))
        pairs += [(key, place) for key in set().union(*keys)]
    both = np.array(pairs, dtype=np.int32).reshape(-1, 2)
    return folded, sizes, both[:, 0].copy(), both[:, 1].copy()


@dataclass(frozen=True, slots=True)
class ListAsker:
    """Asks a list; the network's state is not known by it."""

    known: KnownList
    as_of: datetime
    at_once: int = 1

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Self]:
        """Give itself: a list in memory does not change."""
        yield self

    async def ask(self, rows: Sequence[Asked]) -> list[Result]:
        """Return what is said of each row, in their order."""
        return [self.answer(row) for row in rows]

    def answer(self, row: Asked) -> Result:
        """Return what is said of one row."""
        if row.refused is not None:
            return not_asked(row.refused, self.as_of)
        likest = self.known.likest(row.party)
        near = likest[:MOST_CANDIDATES]
        candidates = [Candidate(each.id, each.name, found.score, found.verdict) for each, found in near]
        best = likest[0] if likest else None
        found = None if best is None or best[1].verdict is Verdict.NONE else best
        return Result(
            verdict=Verdict.NONE if found is None else found[1].verdict,
            reason=reason_with("nobody like it is on the list" if found is None else found[1].reason, row.notes),
            state=NOT_SEARCHED,
            next_step=next_step_of_list(Verdict.NONE if found is None else found[1].verdict),
            as_of=self.as_of,
            score=0 if best is None else best[1].score,
            supplier_id="" if found is None else found[0].id,
            supplier_name="" if found is None else found[0].name,
            candidates=candidates,
        )


@asynccontextmanager
async def asking_list(asker: ListAsker, rows: int) -> AsyncIterator[Once]:
    """Give who answers for a file of about so many rows.

    Raises:
        ProcessEnded: a process that answered is gone.
    """
    count = forked_for(rows)
    if count == 1:
        yield Once(asker)
        return
    async with spread(asker, count, "fork", nullcontext()) as several:
        yield Once(several)


@contextmanager
def laying_out(entries: int) -> Iterator[LaidOut]:
    """Give what lays a list of about so many entries out, by several processes where that is worth it."""
    count = forked_for(entries)
    if count == 1:
        yield map
        return
    with multiprocessing.get_context("fork").Pool(count, begin_process) as pool:
        yield pool.imap
        pool.close()
        pool.join()
