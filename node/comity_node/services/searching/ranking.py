"""From posting lists to candidates: which keys to read, what their suppliers add up to, whose names come closest. Pure.

Rules:
- The rarest keys first: they tell most and cost least.
- What adds up is the weight of each key that is shared, times the logarithm of how rare it is; of a long name less is
  shared by chance, so it is weighed against how many keys the supplier's name has.
- The rank among candidates says who is looked at more closely, never whether it is the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import log
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from comity_node.domain.matching.folding import Folded
from comity_node.domain.matching.keys import posting_keys
from comity_node.domain.matching.laying import Laid, laid_beside, nearness

Suppliers = NDArray[np.int32]
Sizes = NDArray[np.uint8]
"""By the number of a supplier: how many keys its shortest name has."""

FEWEST_KEYS = 4
"""Are read whatever they cost."""

MOST_OVER = 8
"""A key alone may cost so many budgets, and no more, when it is not the first."""

NEAR = 85.0
"""From 0 to 100: with a name whose letters come this near, looking further is not worth the while."""

OF_SUM = 60.0
"""What the best sum counts beside 100 for an equal name."""

BY_SUM_ALONE = 5
"""One in so many candidates is there for its sum, however its letters lie: a rare word may stand among others."""

LARGEST = 255
"""A size, which is a byte: a name of more keys has this one."""

_PARTS: Final = 1 << 10
"""Of which a whole weight consists when weights are added up: so all keys of as many names as can be asked for at once
have room in 32 bits, also at the largest weight."""

_OF_SIZE: Final = ((20 + np.arange(LARGEST + 1)) ** -0.75 / _PARTS).astype(np.float32)
"""By how many keys a name has: what the sum of those that are shared is multiplied by."""


def sizes_of(keys: Iterable[int]) -> Sizes:
    """Return as sizes how many keys the shortest name of each has."""
    return np.fromiter((min(count, LARGEST) for count in keys), dtype=np.uint8)


class Stage(NamedTuple):
    """How much is looked at before it is asked whether somebody is near."""

    budget: int
    """Suppliers in the lists that are read."""
    laid: int
    """With the largest sums: their names are laid beside the one asked for."""


def chosen(counts: Mapping[int, int], budget: int) -> list[int]:
    """Return the keys to read, the rarest first, until they have so many suppliers together; with a larger budget the
    same ones first."""
    read, total = list[int](), 0
    for key in sorted(counts, key=lambda key: (counts[key], key)):
        count = counts[key]
        if read and (count > budget * MOST_OVER or (total + count > budget and len(read) >= FEWEST_KEYS)):
            break
        read.append(key)
        total += count
    return read


def added_up(lists: Mapping[int, Suppliers], worth: Mapping[int, float], sizes: Sizes, most: int) -> dict[int, float]:
    """Return supplier to sum, weighed against its size, of those with the largest.

    Args:
        lists: key to the suppliers that have it.
        worth: what each key counts.
        sizes: of all suppliers in the lists.
        most: at most so many; of equal sums the smaller numbers.
    """
    if not lists:
        return {}
    keys = list(lists)
    # In whole numbers, so that a sum is the same in whatever order it is added up. The running one may run over; what
    # it grows by for one supplier does not.
    worths = np.array([round(worth[key] * _PARTS) for key in keys], dtype=np.uint32)
    # Supplier and place of the key in one number, as short as may be: sorting those takes half as long as adding up in
    # a place for each supplier, which lies somewhere else in memory every time.
    bits = len(keys).bit_length()
    short = len(sizes).bit_length() + bits < np.iinfo(np.int32).bits
    kind = np.dtype(np.int32 if short else np.int64)
    pairs: NDArray[np.signedinteger] = np.concatenate([lists[key] for key in keys], dtype=kind)
    pairs <<= bits
    pairs |= np.repeat(np.arange(len(keys), dtype=kind), [len(lists[key]) for key in keys])
    pairs.sort()
    running = np.cumsum(worths.take(pairs & ((1 << bits) - 1)), dtype=np.uint32)
    pairs >>= bits
    ends = np.flatnonzero(np.append(pairs[1:] != pairs[:-1], True))
    suppliers = pairs.take(ends)
    sums = np.diff(running.take(ends), prepend=np.uint32(0)) * _OF_SIZE.take(sizes.take(suppliers))
    if len(suppliers) > most:
        least = np.partition(sums, -most)[-most]
        best = np.flatnonzero(sums >= least)
        above, equal = best[sums[best] > least], best[sums[best] == least]
        best = np.concatenate((above, equal[: most - len(above)]))
        suppliers, sums = suppliers[best], sums[best]
    return dict(zip(suppliers.tolist(), sums.tolist(), strict=True))


class Looking:
    """Looks for whoever has the names asked for, stage by stage: `goes_on` begins the next one; then `lists` are read
    and added up, and `names` laid beside."""

    def __init__(self, asked: Sequence[Folded], stages: Sequence[Stage]) -> None:
        """Read nothing yet.

        Args:
            asked: the names, folded.
            stages: how far to look.
        """
        self.laid = Laid.folded([" ".join(name.words) for name in asked])
        self._stages = stages
        # What another script leaves of a name stands for many: its letters say less, and more of them are looked at.
        self._lays_most = any(name.script != "Latin" for name in asked)
        self._weights: dict[int, float] = {}
        for name in asked:
            for key, weight in posting_keys(name).items():
                self._weights[key] = max(weight, self._weights.get(key, 0.0))
        self._counts: Mapping[int, int] = {}
        self._worth: dict[int, float] = {}
        self._sizes: Sizes = np.zeros(1, dtype=np.uint8)
        self._stage, self._laying = 0, 0
        self._chosen: list[int] = []
        self._read: dict[int, Suppliers] = {}
        self._sums: dict[int, float] = {}
        self._near: dict[int, float] = {}
        self._letters = 0.0

    @property
    def keys(self) -> list[int]:
        """All keys of the names asked for."""
        return list(self._weights)

    def begin(self, counts: Mapping[int, int], whole: int, sizes: Sizes) -> None:
        """Take what is known before any list is read.

        Args:
            counts: key to how many suppliers have it; those that nobody has are left out.
            whole: how many suppliers there are.
            sizes: of all of them.
        """
        self._counts, self._sizes = counts, sizes
        self._worth = {key: self._weights[key] * log(1 + whole / count) for key, count in counts.items()}

    def goes_on(self) -> bool:
        """Return whether there is a further stage and a reason for it, and begin that."""
        while self._stage < len(self._stages) and self._letters < NEAR:
            stage = self._stages[self._stage]
            self._stage += 1
            keys = chosen(self._counts, stage.budget)
            laying = max(each.laid for each in self._stages) if self._lays_most else stage.laid
            if keys != self._chosen or laying > self._laying:
                self._chosen, self._laying = keys, laying
                return bool(keys)
        return False

    def lists(self) -> list[int]:
        """Return the keys whose lists are to be read now."""
        return [key for key in self._chosen if key not in self._read]

    def add(self, lists: Mapping[int, Suppliers]) -> None:
        """Take all these lists: key to the suppliers that have it."""
        self._read.update(lists)
        self._sums = added_up(self._read, self._worth, self._sizes, self._laying)

    def names(self) -> list[int]:
        """Return whose names are to be laid beside now."""
        return [supplier for supplier in self._sums if supplier not in self._near]

    def lay(self, names: Sequence[tuple[int, str]]) -> None:
        """Take (supplier, folded name) of all of these."""
        letters, near = laid_beside(self.laid, Laid.folded([name for _, name in names]))
        self._letters = max(self._letters, float(letters.max(initial=0.0)))
        _keep_nearest(self._near, names, near)

    def best(self, most: int) -> list[int]:
        """Return the likest suppliers, the best first."""
        largest = max(self._sums.values(), default=1.0)
        by_rank = sorted(self._sums, key=lambda n: (-(self._near.get(n, 0.0) + OF_SUM * self._sums[n] / largest), n))
        by_sum = sorted(self._sums, key=lambda n: (-self._sums[n], n))[: most // BY_SUM_ALONE]
        wanted = set(list(dict.fromkeys([*by_rank[: most - len(by_sum)], *by_sum, *by_rank]))[:most])
        return [supplier for supplier in by_rank if supplier in wanted]


def nearest(asked: Laid, names: Sequence[tuple[int, str]], most: int) -> list[tuple[int, float]]:
    """Return (supplier, nearness of its nearest name), the nearest first.

    Args:
        asked: the names asked for.
        names: (supplier, folded name) of whoever was found otherwise than by lists.
        most: at most so many.
    """
    near: dict[int, float] = {}
    _keep_nearest(near, names, nearness(asked, Laid.folded([name for _, name in names])))
    return sorted(near.items(), key=lambda each: (-each[1], each[0]))[:most]


def _keep_nearest(near: dict[int, float], names: Sequence[tuple[int, str]], found: NDArray[np.float64]) -> None:
    for (supplier, _), value in zip(names, found.tolist(), strict=True):
        near[supplier] = max(value, near.get(supplier, 0.0))
