"""All vendors of a node in memory, found by the keys of their names: whom a statement may concern. Pure.

The screening engine turned round: there many suppliers are indexed and one vendor asks, here the vendors are indexed
and each statement asks. Keys, weights and comparison are the engine's own, so both say the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

from comity_node.domain.matching.comparing import compare
from comity_node.domain.matching.folding import fold
from comity_node.domain.matching.keys import posting_keys
from comity_node.domain.matching.likeness import RANKS, Likeness, Verdict
from comity_node.domain.matching.party import Party
from comity_node.domain.watching.vendors import Vendor
from comity_schemas.identifiers import Identifier

MOST_COMPARED = 12
"""Vendors that are compared, the likeliest first; all with an equal identifier come on top."""

MOST_NAMES = 20
"""Names of one party that are looked up."""

_TOO_COMMON = 500
"""A key that more vendors have tells nothing by itself."""

_LEAST_SHARE = 0.35
"""Of the largest sum: who shares less of the keys is not compared."""


@dataclass(frozen=True, slots=True)
class Touched:
    """A vendor that a statement may concern, and why."""

    vendor: Vendor
    likeness: Likeness


class Portfolio:
    """The vendors of a node, kept up row by row."""

    def __init__(self, vendors: Iterable[Vendor] = ()) -> None:
        self._vendors: dict[int, Vendor] = {}
        self._postings: dict[int, set[int]] = {}
        self._numbered: dict[Identifier, set[int]] = {}
        for vendor in vendors:
            self.put(vendor)

    def __len__(self) -> int:
        return len(self._vendors)

    @property
    def numbers(self) -> set[int]:
        """The numbers of the vendors in it."""
        return set(self._vendors)

    def put(self, vendor: Vendor) -> None:
        """Add a vendor, in place of what stood under its number."""
        self.remove(vendor.number)
        self._vendors[vendor.number] = vendor
        for key in _keys(vendor.party):
            self._postings.setdefault(key, set()).add(vendor.number)
        for identifier in vendor.party.identifiers:
            self._numbered.setdefault(identifier, set()).add(vendor.number)

    def remove(self, number: int) -> None:
        """Take a vendor out, if it is there."""
        vendor = self._vendors.pop(number, None)
        if vendor is None:
            return
        for key in _keys(vendor.party):
            self._postings.get(key, set()).discard(number)
        for identifier in vendor.party.identifiers:
            self._numbered.get(identifier, set()).discard(number)

    def touched_by(self, party: Party) -> list[Touched]:
        """Return the vendors that may be this party, the strongest first."""
        found = []
        for number in self._candidates(party):
            vendor = self._vendors[number]
            likeness = compare(vendor.party, party)
            if likeness.verdict is not Verdict.NONE:
                found.append(Touched(vendor, likeness))
        return sorted(found, key=lambda t: (RANKS[t.likeness.verdict], -t.likeness.score, t.vendor.number))

    def _candidates(self, party: Party) -> Sequence[int]:
        numbered = {number for i in party.identifiers for number in self._numbered.get(i, ())}
        sums: dict[int, float] = {}
        whole = max(len(self._vendors), 1)
        for key, weight in _keys(party).items():
            having = self._postings.get(key)
            if having and len(having) <= _TOO_COMMON:
                worth = weight * log(1 + whole / len(having))
                for number in having:
                    sums[number] = sums.get(number, 0.0) + worth
        least = _LEAST_SHARE * max(sums.values(), default=0.0)
        likely = sorted((n for n, total in sums.items() if total >= least), key=lambda n: (-sums[n], n))
        return list(dict.fromkeys([*sorted(numbered), *likely[:MOST_COMPARED]]))


def _keys(party: Party) -> dict[int, float]:
    keys: dict[int, float] = {}
    for name in party.names[:MOST_NAMES]:
        for key, weight in posting_keys(fold(name)).items():
            keys[key] = max(weight, keys.get(key, 0.0))
    return keys
