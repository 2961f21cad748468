"""Numbers that a name has in words, as figures: Brigade Forty-four is Brigade 44. Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from comity_node.lexicon.letters import spelled, words_of
from comity_node.lexicon.reading import read_single

_WORD: Final = re.compile(r"[^\W\d_]+")
_FIGURE: Final = re.compile("[0-9]")
_PER_CENT: Final = re.compile(r"(?<=[0-9])\s?%")


def has_figure(text: str) -> bool:
    """Return whether a figure stands in a text."""
    return _FIGURE.search(text) is not None


def may_have_numbers(text: str, words: Sequence[str]) -> bool:
    """Return whether `in_figures` may read a name otherwise, told at a glance by its folded words: most names not."""
    return not _folded_numbers().isdisjoint(words) or "%" in text


def in_figures(text: str) -> str | None:
    """Return a name with figures for its numbers in words, and a word for the sign; None where it has neither."""
    written = _PER_CENT.sub(" percent", text) if "%" in text else text
    known = _numbers()
    pieces: list[str] = []
    at, tens = 0, 0
    for found in _WORD.finditer(written):
        number = known.get(found[0].casefold())
        if number is None:
            continue
        if 0 < number < _TEN and tens and written[at : found.start()] in _BETWEEN:
            pieces[-1], tens = str(tens + number), 0
        else:
            pieces += [written[at : found.start()], str(number)]
            tens = number if number > _TEN and number % _TEN == 0 else 0
        at = found.end()
    return "".join([*pieces, written[at:]]) if pieces or written != text else None


_TEN: Final = 10
_BETWEEN: Final = frozenset(" -\u2010\u2011")
"""What stands between the two words of one number."""


@lru_cache(maxsize=1)
def _numbers() -> dict[str, int]:
    return {row.written: int(row.means) for row in read_single("number-words.tsv")}


@lru_cache(maxsize=1)
def _folded_numbers() -> frozenset[str]:
    return frozenset(word for number in _numbers() for word in words_of(spelled(number)))
