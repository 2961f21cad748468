"""Parting a run of letters without blanks (Chinese, Japanese, Korean, Thai) into known words and what is between. Pure.

The parting with the fewest unknown letters wins, of those the one with the fewest pieces, of those the one whose known
words stand further back: a firm's own name stands before its trade.
"""

from typing import Final, NamedTuple

from comity_node.lexicon.words import Known

MOST_LETTERS: Final = 200
"""A longer run is one unknown piece."""


class Piece(NamedTuple):
    """A part of a run."""

    letters: str
    means: str
    """In English; empty where it is unknown."""


def part(run: str, known: Known) -> tuple[Piece, ...]:
    """Return the pieces of a run, in their order."""
    if len(run) > MOST_LETTERS:
        return (Piece(run, ""),)
    letters = len(run)
    # From the back: the best parting of each rest, as (unknown letters, pieces, its first piece's end, meaning).
    best: list[tuple[int, int, int, str]] = [(0, 0, letters, "")] * (letters + 1)
    for start in range(letters - 1, -1, -1):
        best[start] = _best(run, start, best, known)
    pieces: list[Piece] = []
    at = 0
    while at < len(run):
        _, _, end, means = best[at]
        if means or not pieces or pieces[-1].means:
            pieces.append(Piece(run[at:end], means))
        else:
            pieces[-1] = Piece(pieces[-1].letters + run[at:end], "")
        at = end
    return tuple(pieces)


def _best(run: str, start: int, best: list[tuple[int, int, int, str]], known: Known) -> tuple[int, int, int, str]:
    """Return the best parting from a place on; of equal ones that with the shortest first piece."""
    letters, inside = len(run), known.inside
    unknown, pieces, _, follows = best[start + 1]
    # One unknown letter: it joins the unknown piece behind it, or begins one.
    begins = 0 if follows == "" and start + 1 < letters else 1
    found = (unknown + 1, pieces + begins, start + 1, "")
    # A word of one letter (county, factory) counts behind something and before the end or a known word only.
    shortest = 1 if start and (start + 1 == letters or follows) else 2
    for end in range(start + shortest, min(letters, start + known.most_letters) + 1):
        means = inside.get(run[start:end])
        if means is not None:
            unknown, pieces = best[end][:2]
            if unknown < found[0] or (unknown == found[0] and pieces + 1 < found[1]):
                found = (unknown, pieces + 1, end, means)
    return found
