"""Candidates out of posting lists in memory, by the same keys as the node's index: to measure comparing by itself."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import log

import numpy as np
from numpy.typing import NDArray

from bench.frame.suppliers import Supplier
from comity_node.domain.matching.folding import fold
from comity_node.domain.matching.keys import posting_keys
from comity_node.services.searching.candidates import DEPTH
from comity_node.services.searching.ranking import Looking, sizes_of


@dataclass
class InMemory:
    """All suppliers, and the places of each key in one long sorted list."""

    known: list[Supplier] = field(default_factory=list)
    folded: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """Word to the number of suppliers that have it."""
    keys: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    places: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    sizes: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))

    @classmethod
    def of(cls, suppliers: Iterable[Supplier], tick: Callable[[int], None] = lambda done: None) -> "InMemory":
        """Return the index of these suppliers."""
        index, keys, places = cls(), array("i"), array("i")
        for place, supplier in enumerate(suppliers):
            name = fold(supplier.name)
            index.known.append(supplier)
            index.folded.append(" ".join(name.words))
            index.counts.update(set(name.words))
            for key in posting_keys(name):
                keys.append(key)
                places.append(place)
            if place % 10_000 == 0:
                tick(place)
        order = np.argsort(np.frombuffer(keys, np.int32), kind="stable")
        index.keys = np.frombuffer(keys, np.int32)[order]
        index.places = np.frombuffer(places, np.int32)[order]
        index.sizes = sizes_of(np.bincount(index.places, minlength=len(index.known)).tolist())
        return index

    def rarity(self, word: str) -> float:
        """Return how much a word tells."""
        return log(1 + len(self.known) / (1 + self.counts[word]))

    def candidates(self, name: str, most: int = 50) -> list[int]:
        """Return the places of the likest, the best first: as a node ranks them."""
        looking = Looking([fold(name)], DEPTH)
        there = {key: places for key in looking.keys if len(places := self._places(key))}
        looking.begin({key: len(places) for key, places in there.items()}, len(self.known), self.sizes)
        while looking.goes_on():
            looking.add({key: there[key] for key in looking.lists()})
            looking.lay([(place, self.folded[place]) for place in looking.names()])
        return looking.best(most)

    def _places(self, key: int) -> NDArray[np.int32]:
        first, last = (int(np.searchsorted(self.keys, np.int32(key), side)) for side in ("left", "right"))
        return self.places[first:last]
