"""Candidates out of posting lists in memory, by the same keys as the node's index: to measure comparing by itself."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import log

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from bench.frame.suppliers import Supplier
from comity_node.domain.matching.folding import Folded, fold
from comity_node.domain.matching.keys import posting_keys

BUDGET = 50_000
"""Suppliers in the lists that are read."""
FEWEST_KEYS = 4
MOST_OVER = 8
RERANKED = 200


@dataclass
class InMemory:
    """All suppliers, and the places of each key in one long sorted list."""

    known: list[Supplier] = field(default_factory=list)
    folded: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """Word to the number of suppliers that have it."""
    keys: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    places: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))

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
        return index

    def rarity(self, word: str) -> float:
        """Return how much a word tells."""
        return log(1 + len(self.known) / (1 + self.counts[word]))

    def candidates(self, name: str, most: int = 50) -> list[int]:
        """Return the places of the likest, the best first."""
        asked = fold(name)
        ids, weights = self._added_up(asked)
        if not len(ids):
            return []
        if len(ids) > RERANKED:
            best = np.argpartition(-weights, RERANKED - 1)[:RERANKED]
            ids, weights = ids[best], weights[best]
        names = [self.folded[place] for place in ids]
        words = process.cdist([" ".join(asked.words)], names, scorer=fuzz.token_sort_ratio)[0]
        letters = process.cdist([asked.joined], [n.replace(" ", "") for n in names], scorer=fuzz.ratio)[0]
        near = np.maximum(words, letters) + 60 * weights / weights.max()
        return [int(ids[place]) for place in np.argsort(-near, kind="stable")[:most]]

    def _added_up(self, asked: Folded) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        found = []
        for key, weight in posting_keys(asked).items():
            first, last = (int(np.searchsorted(self.keys, np.int32(key), side)) for side in ("left", "right"))
            if last > first:
                found.append((last - first, first, last, weight))
        parts, sums, read = [], [], 0
        for count, first, last, weight in sorted(found):
            if parts and (count > BUDGET * MOST_OVER or (read + count > BUDGET and len(parts) >= FEWEST_KEYS)):
                break
            parts.append(self.places[first:last])
            sums.append(np.full(count, weight * log(1 + len(self.known) / count)))
            read += count
        if not parts:
            return np.empty(0, np.int32), np.empty(0)
        ids, places = np.unique(np.concatenate(parts), return_inverse=True)
        return ids, np.bincount(places, np.concatenate(sums))
