"""How much a word tells: the fewer suppliers have it, the more."""

from collections.abc import Iterable
from math import log

from comity_node.db import Store
from comity_node.domain.matching.keys import word_key
from comity_node.domain.matching.naming import all_read
from comity_node.domain.matching.party import Party

AT_LEAST = 1_000
"""Suppliers that are taken to be known: among few, no word is common yet."""


class Rarities:
    """The weights of words of some parties' names, counted in the index; of others the greatest."""

    def __init__(self, whole: int) -> None:
        """Know no word yet.

        Args:
            whole: how many suppliers there are.
        """
        self._whole, self._rarest = whole, _weight(0, whole)
        self._weights: dict[str, float] = {}

    def __call__(self, word: str) -> float:
        """Return how much a folded word tells."""
        return self._weights.get(word, self._rarest)

    async def count(self, store: Store, parties: Iterable[Party]) -> None:
        """Count the words of these parties' names too."""
        read = [each.folded for party in parties for each in all_read(party.names)]
        words = {word for name in read for word in (*name.words, *name.also)}
        keys = {word: word_key(word) for word in words if word not in self._weights}
        counts = await store.search.counts(sorted(set(keys.values()))) if keys else {}
        self._weights |= {word: _weight(counts.get(key, 0), self._whole) for word, key in keys.items()}


async def rarity_of(store: Store, parties: Iterable[Party]) -> Rarities:
    """Return the weights of all words in these parties' names."""
    rarity = Rarities(max(AT_LEAST, (await store.search.built()).built))
    await rarity.count(store, parties)
    return rarity


def _weight(count: int, whole: int) -> float:
    return log(1 + whole / (1 + count))
