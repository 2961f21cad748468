"""An officer's vendors in memory, found by the keys of their names: whom a statement may concern. Pure.

The screening engine turned round: there many suppliers are indexed and one vendor asks, here the vendors are indexed
and each statement asks. Keys, weights and comparison are the engine's own, so both say the same.

Each officer's rows are apart, and each name of a statement asks for itself: what one officer is told never depends on
how many others keep the same firm, and a row with one of five names is found beside one with all five.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from math import log
from typing import TypeVar

from comity_node.domain.matching.comparing import compare
from comity_node.domain.matching.folding import Folded, fold
from comity_node.domain.matching.identifiers import parent_of
from comity_node.domain.matching.keys import posting_keys
from comity_node.domain.matching.likeness import RANKS, Likeness, Verdict
from comity_node.domain.matching.party import Party
from comity_node.domain.watching.vendors import Vendor

MOST_COMPARED = 12
"""Names that are compared for each name that asks, the likeliest first, with all rows that have them; all rows with an
equal identifier come on top."""

MOST_NAMES = 100
"""Names of one party that ask: a supplier has those of all who speak of it."""

_TOO_COMMON = 500
"""A key that more names have tells nothing by itself."""

_LEAST_SHARE = 0.35
"""Of the largest sum: a name that shares less of the keys is not compared."""

_K = TypeVar("_K")
_V = TypeVar("_V")

Asking = Sequence[dict[int, float]]
"""The keys of each name of a party, with what they weigh."""


@dataclass(frozen=True, slots=True)
class Touched:
    """A vendor that a statement may concern, and why."""

    vendor: Vendor
    likeness: Likeness


class Portfolio:
    """The vendors of one officer, kept up row by row."""

    def __init__(self, vendors: Iterable[Vendor] = ()) -> None:
        self._vendors: dict[int, Vendor] = {}
        self._named: dict[Folded, set[int]] = {}
        self._postings: dict[int, set[Folded]] = {}
        self._numbered: dict[tuple[str, str], set[int]] = {}
        for vendor in vendors:
            self.put(vendor)

    def __len__(self) -> int:
        return len(self._vendors)

    def get(self, number: int) -> Vendor | None:
        """Return a vendor that is in it."""
        return self._vendors.get(number)

    def put(self, vendor: Vendor) -> None:
        """Add a vendor, in place of what stood under its number."""
        self.remove(vendor.number)
        self._vendors[vendor.number] = vendor
        for name in map(fold, vendor.party.names):
            if name not in self._named:
                for key in posting_keys(name):
                    self._postings.setdefault(key, set()).add(name)
            self._named.setdefault(name, set()).add(vendor.number)
        for numbered in _numbers_of(vendor.party):
            self._numbered.setdefault(numbered, set()).add(vendor.number)

    def remove(self, number: int) -> None:
        """Take a vendor out, if it is there."""
        vendor = self._vendors.pop(number, None)
        if vendor is None:
            return
        for name in {fold(each) for each in vendor.party.names}:
            if _drop(self._named, name, number):
                for key in posting_keys(name):
                    _drop(self._postings, key, name)
        for numbered in _numbers_of(vendor.party):
            _drop(self._numbered, numbered, number)

    def touched_by(self, party: Party, asking: Asking | None = None) -> list[Touched]:
        """Return the vendors that may be this party, the strongest first.

        Args:
            party: Who asks.
            asking: What `asking_keys` says of it, where several officers' vendors are asked.
        """
        found = []
        for number in self._candidates(party, asking_keys(party) if asking is None else asking):
            vendor = self._vendors[number]
            likeness = compare(vendor.party, party)
            if likeness.verdict is not Verdict.NONE:
                found.append(Touched(vendor, likeness))
        return sorted(found, key=lambda t: (RANKS[t.likeness.verdict], -t.likeness.score, t.vendor.number))

    def _candidates(self, party: Party, asking: Asking) -> set[int]:
        found = {number for numbered in _numbers_of(party) for number in self._numbered.get(numbered, ())}
        for keys in asking:
            for name in self._likely(keys):
                found |= self._named[name]
        return found

    def _likely(self, keys: dict[int, float]) -> Sequence[Folded]:
        sums: dict[Folded, float] = {}
        for key, weight in keys.items():
            having = self._postings.get(key)
            if having and len(having) <= _TOO_COMMON:
                worth = weight * log(1 + len(self._named) / len(having))
                for name in having:
                    sums[name] = sums.get(name, 0.0) + worth
        least = _LEAST_SHARE * max(sums.values(), default=0.0)
        likely = [(-total, name) for name, total in sums.items() if total >= least]
        return [name for _, name in nsmallest(MOST_COMPARED, likely)]


def asking_keys(party: Party) -> Asking:
    """Return the keys of each name by which a party asks."""
    return [posting_keys(name) for name in dict.fromkeys(map(fold, party.names[:MOST_NAMES]))]


def _numbers_of(party: Party) -> set[tuple[str, str]]:
    """Return by which numbers a party is found, each with its register: its company's in place of one of a branch."""
    return {(i.scheme, parent_of(i) or i.id) for i in party.identifiers}


def _drop(sets: dict[_K, set[_V]], key: _K, value: _V) -> bool:
    """Take a value out of a set, and the set away once it is empty; tell whether it is gone."""
    having = sets[key]
    having.discard(value)
    if having:
        return False
    del sets[key]
    return True
