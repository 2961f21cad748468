"""The keys under which a folded name is found: words, consonants, pairs of them, three letters, Chinese letters. Pure.

A key is the CRC-32 of a kind and a text, as a signed 32-bit number, so that it is the same on every machine and both
databases store it in four bytes. Two texts of one key are told apart when candidates are compared.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple
from zlib import crc32

from comity_node.domain.matching.bones import skeleton_of
from comity_node.domain.matching.folding import TRANSLITERATED, Folded, bare_word


class Weights(NamedTuple):
    """How much each kind of key counts, beside how rare it is."""

    joined: float
    word: float
    pair: float
    han: float
    skeleton: float
    three_letters: float


LETTER_BY_LETTER: Final = Weights(joined=4.0, word=3.0, pair=2.5, han=2.0, skeleton=1.5, three_letters=1.0)
BY_EAR: Final = Weights(joined=1.5, word=1.5, pair=4.0, han=2.5, skeleton=1.5, three_letters=0.5)
"""Of a name in a script that is not transliterated letter by letter, as Cyrillic is: Latin names are spelt by ear, and
share consonants with it sooner than letters. Whoever has the very same name is always found."""

MOST_PAIRED: Final = 4
"""With how many of the skeletons behind it in the alphabet each one is paired."""
SYLLABLE: Final = 5
MOST_BONES: Final = 30
MOST_KEYS: Final = 400


def posting_keys(folded: Folded) -> dict[int, float]:
    """Return key to weight of a name, at most `MOST_KEYS` of them; equal keys of two kinds keep the larger weight."""
    keys: dict[int, float] = {}
    for key, weight in _keys(folded):
        if key not in keys:
            if len(keys) == MOST_KEYS:
                break
            keys[key] = weight
    return keys


def word_key(word: str) -> int:
    """Return the key of a folded word, by which it is counted how many have it."""
    return _key("w", word)


def _keys(folded: Folded) -> Iterator[tuple[int, float]]:
    """Yield the keys in the order of their weight among Latin names."""
    weigh = LETTER_BY_LETTER if folded.script in TRANSLITERATED else BY_EAR
    if folded.joined:
        yield _key("j", folded.joined), weigh.joined
    for word in (*folded.words, *folded.also):
        yield word_key(word), weigh.word
    for one, other in pairwise(folded.words):
        if max(len(one), len(other)) <= SYLLABLE:
            # Guang Dong, Hua Wei: Chinese names are also written syllable by syllable.
            yield _key("w", one + other), weigh.pair
    bones = _bones(folded)
    for one, other in _pairs(bones):
        yield _key("p", f"{one}|{other}"), weigh.pair
    for pair in folded.han:
        yield _key("c", pair), weigh.han
    for skeleton in dict.fromkeys([*bones, *map(skeleton_of, folded.words)]):
        if skeleton:
            yield _key("s", skeleton), weigh.skeleton
    for word in folded.words:
        for key in _three_letters(word):
            yield key, weigh.three_letters


def _bones(folded: Folded) -> list[str]:
    """Return the skeletons of all readings, of a word with a meaning that of its meaning, in alphabetical order."""
    bones: set[str] = set()
    for word in (*folded.words, *folded.also):
        bones.add(skeleton_of(bare_word(word)))
        if word.startswith(("al", "el")) and len(word) > 5:
            bones.add(skeleton_of(word[2:]))
    return sorted(bones - {""})[:MOST_BONES]


def _pairs(bones: list[str]) -> Iterator[tuple[str, str]]:
    for at, one in enumerate(bones):
        for other in bones[at + 1 : at + 1 + MOST_PAIRED]:
            yield one, other


@lru_cache(maxsize=65_536)
def _three_letters(word: str) -> tuple[int, ...]:
    spaced = f"  {word} "
    return tuple(_key("g", spaced[at : at + 3]) for at in range(len(spaced) - 2))


def _key(kind: str, text: str) -> int:
    return crc32(f"{kind}{text}".encode()) - 2**31
