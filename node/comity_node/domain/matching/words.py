"""Aligning the words of two names one by one, each with the reason why they may be one word. Pure.

A word is used once. What is nearest is aligned first, and what nothing comes near stays over on its side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple

from rapidfuzz.distance import OSA

from comity_node.domain.matching.folding import long_form_of, meaning_of, skeleton_of
from comity_node.domain.matching.thresholds import (
    A_SLIP_IN_FOUR_COSTS,
    ABBREVIATED,
    CONTRACTED,
    CUT_OFF,
    JOINED,
    NEARLY_SOUNDS_ALIKE,
    ONE_SLIP_COSTS,
    SAME_MEANING,
    SOUNDS_ALIKE,
    TWO_SLIPS_COST,
)


class Reason(StrEnum):
    """Why two words may be one."""

    EQUAL = "equal"
    ABBREVIATION = "abbreviation"
    MEANING = "another form or language"
    PREFIX = "prefix"
    TYPO = "typo"
    SOUNDS_ALIKE = "sounds alike"
    CONTRACTION = "contraction"
    JOINED = "joined"


class Alike(NamedTuple):
    """How alike two words are."""

    share: float
    """Of their weight, 0 to 1."""
    reason: Reason


class Pair(NamedTuple):
    """What stands on both sides: one word each, or words that one side writes as one."""

    asked: tuple[int, ...]
    """Places of the words."""
    known: tuple[int, ...]
    share: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Alignment:
    """Which words stand for which."""

    pairs: tuple[Pair, ...]
    asked_over: tuple[int, ...]
    """Places of words that nothing on the other side stands for."""
    known_over: tuple[int, ...]


def align(
    asked: Sequence[str],
    known: Sequence[str],
    *,
    across: bool = False,
    asked_also: Sequence[str] = (),
    known_also: Sequence[str] = (),
) -> Alignment:
    """Return which words stand for which.

    Args:
        asked: Folded words.
        known: Folded words.
        across: One of them is transliterated: what sounds alike counts more.
        asked_also: Other readings of some of the words asked for.
        known_also: Other readings of some of the known words.
    """
    left, right = list(range(len(asked))), list(range(len(known)))
    pairs = [*_equal(asked, known, left, right)]
    if left and right:
        pairs += _joined(asked, known, left, right)
        pairs += _joined_other_way(asked, known, left, right)
    if left and right:
        pairs += _nearest(asked, known, left, right, across)
    if left and right and known_also:
        pairs += _otherwise_read(asked, known_also, left, right)
    if left and right and asked_also:
        pairs += [Pair(a, k, share, why) for k, a, share, why in _otherwise_read(known, asked_also, right, left)]
    return Alignment(tuple(sorted(pairs)), tuple(left), tuple(right))


def _equal(asked: Sequence[str], known: Sequence[str], left: list[int], right: list[int]) -> list[Pair]:
    found = []
    for i in tuple(left):
        j = next((j for j in right if known[j] == asked[i]), None)
        if j is not None:
            found.append(Pair((i,), (j,), 1.0, Reason.EQUAL))
            left.remove(i)
            right.remove(j)
    return found


def _joined(asked: Sequence[str], known: Sequence[str], left: list[int], right: list[int]) -> list[Pair]:
    """Take words of the known side that the asked side writes as one."""
    found = []
    for i in tuple(left):
        word = asked[i]
        if len(word) < _LEAST_JOINED:
            continue
        for run in _runs(right):
            together = "".join(known[j] for j in run)
            if abs(len(together) - len(word)) > 1:
                continue
            slips = OSA.distance(word, together, score_cutoff=1)
            if slips <= (1 if len(word) >= _LEAST_SLIPPED else 0):
                found.append(Pair((i,), run, JOINED - slips * ONE_SLIP_COSTS / len(word), Reason.JOINED))
                left.remove(i)
                for j in run:
                    right.remove(j)
                break
    return found


def _joined_other_way(asked: Sequence[str], known: Sequence[str], left: list[int], right: list[int]) -> list[Pair]:
    return [Pair(a, k, share, reason) for k, a, share, reason in _joined(known, asked, right, left)]


_LEAST_JOINED: Final = 4
_LEAST_SLIPPED: Final = 7
_MOST_JOINED: Final = 4


def _runs(places: Sequence[int]) -> list[tuple[int, ...]]:
    """Return places that stand side by side, two to `_MOST_JOINED`."""
    runs = []
    for at in range(len(places)):
        for size in range(2, _MOST_JOINED + 1):
            run = tuple(places[at : at + size])
            if len(run) < size or run[-1] - run[0] != size - 1:
                break
            runs.append(run)
    return runs


def _nearest(asked: Sequence[str], known: Sequence[str], left: list[int], right: list[int], across: bool) -> list[Pair]:
    near = [
        (-alike.share, abs(i - j), i, j, alike.reason)
        for i in left
        for j in right
        if (alike := alike_words(asked[i], known[j], across)) is not None
    ]
    found = []
    for share, _, i, j, reason in sorted(near):
        if i in left and j in right:
            found.append(Pair((i,), (j,), -share, reason))
            left.remove(i)
            right.remove(j)
    return found


def _otherwise_read(words: Sequence[str], readings: Sequence[str], left: list[int], right: list[int]) -> list[Pair]:
    """Take words that are another reading of one of the other side; which one of those left over is not told."""
    found = []
    for i in tuple(left):
        near = [alike for reading in readings if (alike := alike_words(words[i], reading, True)) is not None]
        if near and right:
            found.append(Pair((i,), (right.pop(0),), max(near).share * SAME_MEANING, Reason.MEANING))
            left.remove(i)
    return found


@lru_cache(maxsize=262_144)
def alike_words(one: str, other: str, across: bool = False) -> Alike | None:
    """Return how alike two folded words are; None where they are not."""
    if one == other:
        return Alike(1.0, Reason.EQUAL)
    if one.isdigit() or other.isdigit():
        return None
    found = (_same_in_the_lexicon(one, other), _spelt_alike(one, other), _sound_alike(one, other, across))
    return max(filter(None, found), key=itemgetter(0), default=None)


def _same_in_the_lexicon(one: str, other: str) -> Alike | None:
    (long, means), (other_long, other_means) = _in_the_lexicon(one), _in_the_lexicon(other)
    if long == other_long:
        return Alike(ABBREVIATED, Reason.ABBREVIATION)
    if means == other_means or _is_plural(one, other) or _is_plural(other, one):
        return Alike(SAME_MEANING, Reason.MEANING)
    # "tech" stands for technology, technologies, technical ...
    abbreviated = (long != one or other_long != other) and long[:5] == other_long[:5] and len(long) > _LEAST_JOINED
    return Alike(CUT_OFF, Reason.ABBREVIATION) if abbreviated else None


@lru_cache(maxsize=65_536)
def _in_the_lexicon(word: str) -> tuple[str, str]:
    """Return what a word is short for, and what that means in English; itself where the lexicon knows neither."""
    long = long_form_of(word) or word
    return long, meaning_of(long) or long


def _is_plural(one: str, other: str) -> bool:
    return len(one) > _LEAST_JOINED and one.startswith(other) and one[len(other) :] in ("s", "es")


def _spelt_alike(one: str, other: str) -> Alike | None:
    short, long = sorted((one, other), key=len)
    slips = OSA.distance(short, long, score_cutoff=2)
    if len(long) >= 4 and slips == 1:
        costs = ONE_SLIP_COSTS if len(long) > 4 else A_SLIP_IN_FOUR_COSTS
        return Alike(1 - costs / len(long), Reason.TYPO)
    if len(short) >= 3 and long.startswith(short) and (len(short) <= 0.7 * len(long) or len(short) > _LEAST_JOINED):
        return Alike(CUT_OFF if len(short) > 3 else CONTRACTED, Reason.PREFIX)
    if slips == 2 and len(short) >= 5:
        return Alike(1 - TWO_SLIPS_COST / len(long), Reason.TYPO)
    if len(short) >= 2 and short[0] == long[0] and len(short) <= 0.6 * len(long) and _is_contraction(short, long):
        return Alike(CONTRACTED, Reason.CONTRACTION)
    return None


def _is_contraction(short: str, long: str) -> bool:
    """Return whether the letters of the short word stand in the long one in their order, and it has hardly a vowel."""
    if sum(letter in "aeiou" for letter in short) > 1 or len(short) < 3:
        return False
    letters = iter(long)
    return all(letter in letters for letter in short)


def _sound_alike(one: str, other: str, across: bool) -> Alike | None:
    bones, others = skeleton_of(one), skeleton_of(other)
    if across:
        bones, others = skeleton_of(_without_article(one)) or bones, skeleton_of(_without_article(other)) or others
    # In one script vowels tell: "Sunhaf" and "Sunphy" are two.
    if bones and bones == others and (across or (len(bones) > 2 and OSA.distance(one, other, score_cutoff=2) <= 2)):
        return Alike(SOUNDS_ALIKE if len(bones) > 2 else NEARLY_SOUNDS_ALIKE, Reason.SOUNDS_ALIKE)
    if across and min(len(bones), len(others)) >= 4 and OSA.distance(bones, others, score_cutoff=1) <= 1:
        return Alike(NEARLY_SOUNDS_ALIKE, Reason.SOUNDS_ALIKE)
    return None


def _without_article(word: str) -> str:
    return word[2:] if word.startswith(("al", "el")) and len(word) > 5 else word
