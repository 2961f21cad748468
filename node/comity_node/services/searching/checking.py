"""Comparing the name index with the names: each supplier must stand under all its keys, once, and under no others."""

import numpy as np
from numpy.typing import NDArray

from comity_node.db import Store
from comity_node.domain.matching.folding import FOLDING
from comity_node.services.searching.indexing import NAMES, keys_of

_ODD = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)

MOST_NAMED = 20
"""Suppliers that are named in the answer; it says how many more there are."""


async def index_problems(store: Store) -> list[str]:
    """Return in words which suppliers the index holds otherwise than their names say; what it has not reached yet is
    no difference."""
    built = await store.search.built()
    if built.folding != FOLDING or built.batch is not None:
        return []
    held = np.zeros(built.built + 1, dtype=np.uint64)
    async for key, suppliers in store.search.everything():
        np.add.at(held, suppliers[suppliers <= built.built], _mixed([key])[0])
    for first in range(1, built.built + 1, NAMES):
        last = min(first + NAMES - 1, built.built)
        waiting = await store.search.waiting_among(first, last)
        keys: dict[int, set[int]] = {}
        for supplier, name in await store.search.names_among(first, last):
            if (supplier, name) not in waiting:
                keys.setdefault(supplier, set()).update(keys_of(name))
        for supplier, some in keys.items():
            # A slice: numpy warns of a single number that goes around, and these are meant to.
            held[supplier : supplier + 1] -= _mixed(list(some)).sum(dtype=np.uint64)
    wrong = np.flatnonzero(held).tolist()
    more = f", and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
    named = ", ".join(map(str, wrong[:MOST_NAMED]))
    return [f"the name index holds suppliers otherwise than their names say: {named}{more}"] if wrong else []


def _mixed(keys: list[int]) -> NDArray[np.uint64]:
    """Return for each key a number that no sum of others is likely to equal."""
    mixed = np.array(keys, dtype=np.int64).astype(np.uint64) * _ODD
    mixed ^= mixed >> _SHIFT
    return (mixed * _ODD) | np.uint64(1)
