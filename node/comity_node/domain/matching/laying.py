"""Laying names beside each other by their letters: which of many come nearest. Pure.

A first look, for what a search has found or an index has not reached. It concludes nothing: who comes near is compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from comity_node.domain.matching.bones import bones_of_lines
from comity_node.domain.matching.folding import fold

_OF_SKELETON = 0.9
"""What equal consonants count beside equal letters."""


@dataclass(frozen=True, slots=True)
class Laid:
    """Names, each in three forms."""

    words: Sequence[str]
    """In the order of the alphabet."""
    joined: Sequence[str]
    """Without blanks, in their own order."""
    bones: Sequence[str]
    """The words' consonants, in the order of the alphabet."""

    @classmethod
    def of(cls, names: Sequence[str]) -> "Laid":
        """Return names as they are written."""
        return cls.folded([" ".join(fold(name).words) for name in names])

    @classmethod
    def folded(cls, names: Sequence[str]) -> "Laid":
        """Return names that were folded."""
        parts = [name.split() for name in names]
        return cls(
            [" ".join(sorted(words)) for words in parts],
            ["".join(words) for words in parts],
            [" ".join(sorted(bones)) for bones in bones_of_lines([" ".join(words) for words in parts])],
        )

    def __len__(self) -> int:
        return len(self.words)

    def part(self, start: int) -> "Laid":
        """Return those from one on."""
        return Laid(self.words[start:], self.joined[start:], self.bones[start:])

    def with_names(self, names: Sequence[str]) -> "Laid":
        """Return these and others, as they are written."""
        more = Laid.of(names)
        return Laid([*self.words, *more.words], [*self.joined, *more.joined], [*self.bones, *more.bones])


def nearness(asked: Laid, known: Laid) -> NDArray[np.float64]:
    """Return how near each known name is to the nearest name asked for, from 0 to 100."""
    return laid_beside(asked, known)[1]


def laid_beside(asked: Laid, known: Laid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how near each known name comes to the nearest name asked for, from 0 to 100: by its letters alone, and by
    letters or consonants, whichever is nearer."""
    if not len(known) or not len(asked):
        return np.zeros(len(known)), np.zeros(len(known))
    words, joined, bones = (
        process.cdist(mine, theirs, scorer=fuzz.ratio).max(axis=0)
        for mine, theirs in ((asked.words, known.words), (asked.joined, known.joined), (asked.bones, known.bones))
    )
    letters = np.maximum(words, joined).astype(np.float64)
    return letters, np.maximum(letters, bones * _OF_SKELETON)
