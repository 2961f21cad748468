"""How much a word tells: the fewer suppliers have it, the more."""

from collections.abc import Iterable
from math import log

from comity_node.db import Store
from comity_node.domain.matching.folding import fold
from comity_node.domain.matching.keys import word_key
from comity_node.domain.matching.party import Party, Rarity

AT_LEAST = 1_000
"""Suppliers that are taken to be known: among few, no word is common yet."""


async def rarity_of(store: Store, parties: Iterable[Party]) -> Rarity:
    """Return the weights of all words in these parties' names, counted in the index; of others the greatest."""
    words = {word for party in parties for name in party.names for word in (*fold(name).words, *fold(name).also)}
    keys = {word: word_key(word) for word in words}
    counts = await store.search.counts(sorted(set(keys.values()))) if keys else {}
    whole = max(AT_LEAST, (await store.search.built()).built)
    weights = {word: _weight(counts.get(key, 0), whole) for word, key in keys.items()}
    rarest = _weight(0, whole)
    return lambda word: weights.get(word, rarest)


def _weight(count: int, whole: int) -> float:
    return log(1 + whole / (1 + count))
