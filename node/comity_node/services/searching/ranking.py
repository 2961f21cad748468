"""From posting lists to candidates: which keys to read, what their suppliers add up to, whose names come closest. Pure.

Rules:
- The rarest keys first: they tell most and cost least.
- What adds up is the weight of each key that is shared, times the logarithm of how rare it is.
- The rank among candidates says who is looked at more closely, never whether it is the same.
"""

from collections.abc import Mapping, Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from comity_node.domain.matching.laying import Laid, nearness

FEWEST_KEYS = 4
"""Are read whatever they cost."""

MOST_OVER = 8
"""A key alone may cost so many budgets, and no more, when it is not the first."""

OF_SUM = 60.0
"""What the best sum counts beside 100 for an equal name."""


_PLACE_BITS = 16
"""Of the place of a key among those that are read: twenty names have some thousands."""


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


def added_up(
    parts: Sequence[tuple[int, NDArray[np.int32]]],
    weights: Mapping[int, float],
    counts: Mapping[int, int],
    whole: int,
    most: int,
) -> dict[int, float]:
    """Return supplier to sum of those with the largest.

    Args:
        parts: (key, suppliers that have it), as they were read; none stands twice under one key.
        weights: what each key counts.
        counts: how many suppliers have each key.
        whole: how many suppliers there are.
        most: at most so many; of equal sums the smaller numbers.
    """
    if not parts:
        return {}
    # In one order, whoever read them: the last bit of a sum depends on it, and with it who stands before whom.
    parts = sorted(parts, key=lambda part: part[0])
    places = {key: place for place, key in enumerate(dict.fromkeys(key for key, _ in parts))}
    rare = np.array([weights[key] * log(1 + whole / counts[key]) for key in places])
    # Supplier and place of the key in one number: sorting those is twice as quick as sorting both by one of them.
    pairs = np.concatenate([suppliers for _, suppliers in parts]).astype(np.int64) << _PLACE_BITS
    pairs |= np.repeat([places[key] for key, _ in parts], [len(suppliers) for _, suppliers in parts])
    pairs.sort()
    ids = pairs >> _PLACE_BITS
    starts = np.flatnonzero(np.concatenate(([True], ids[1:] != ids[:-1])))
    suppliers, sums = ids[starts], np.add.reduceat(rare[pairs & ((1 << _PLACE_BITS) - 1)], starts)
    if len(suppliers) > most:
        best = np.sort(np.argpartition(-sums, most - 1)[:most])
        suppliers, sums = suppliers[best], sums[best]
    return dict(zip(suppliers.tolist(), sums.tolist(), strict=True))


def ranked(
    asked: Laid, names: Sequence[tuple[int, str]], sums: Mapping[int, float], most: int
) -> list[tuple[int, float]]:
    """Return (supplier, nearness of its nearest name) of the candidates, the best first.

    Args:
        asked: the names asked for.
        names: (supplier, folded name) of all that have a sum.
        sums: from `added_up`; who has none was found otherwise.
        most: at most so many.
    """
    largest = max(sums.values(), default=1.0)
    near: dict[int, float] = {}
    found = nearness(asked, Laid.folded([name for _, name in names]))
    for (supplier, _), value in zip(names, found.tolist(), strict=True):
        near[supplier] = max(value, near.get(supplier, 0.0))
    order = sorted(near, key=lambda n: (-(near[n] + OF_SUM * sums.get(n, 0.0) / largest), n))
    return [(supplier, near[supplier]) for supplier in order[:most]]
