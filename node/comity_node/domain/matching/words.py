"""Aligning the words of two names one by one, each with the reason why they may be one word. Pure.

A word is used once. What is nearest is aligned first, and what nothing comes near stays over on its side.
"""

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from rapidfuzz.distance import OSA

from comity_node.domain.matching.bones import skeleton_of
from comity_node.domain.matching.folding import long_form_of, meaning_of
from comity_node.domain.matching.thresholds import (
    A_SLIP_IN_FOUR_COSTS,
    ABBREVIATED,
    CONTRACTED,
    CUT_OFF,
    INITIALS,
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


class Alignment(NamedTuple):
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
    consonants: bool = False,
    asked_also: Sequence[str] = (),
    known_also: Sequence[str] = (),
) -> Alignment:
    """Return which words stand for which.

    Args:
        asked: Folded words.
        known: Folded words.
        across: One of them is transliterated: what sounds alike counts more.
        consonants: Both are of a script that writes no vowels: what is left out is no vowel.
        asked_also: Other readings of some of the words asked for.
        known_also: Other readings of some of the known words.
    """
    pairs, left, right = _equal(asked, known)
    if left and right:
        if len(right) > 1:
            pairs += _joined(asked, known, left, right)
        if right and len(left) > 1:
            pairs += _joined_other_way(asked, known, left, right)
        if left and right:
            pairs += _nearest(asked, known, left, right, across, consonants)
        if right and left and max(len(left), len(right)) > 1:
            pairs += _initials(asked, known, left, right)
            pairs += [Pair(a, k, share, why) for k, a, share, why in _initials(known, asked, right, left)]
        if asked_also and known_also:
            # What both read otherwise is one word of both, which stands for itself already.
            shared = {*asked_also} & {*known_also}
            asked_also, known_also = (
                [each for each in also if each not in shared] for also in (asked_also, known_also)
            )
        if left and right and known_also:
            pairs += _otherwise_read(asked, known_also, left, right)
        if left and right and asked_also:
            pairs += [Pair(a, k, share, why) for k, a, share, why in _otherwise_read(known, asked_also, right, left)]
        pairs.sort()
    return Alignment(tuple(pairs), tuple(left), tuple(right))


def _equal(asked: Sequence[str], known: Sequence[str]) -> tuple[list[Pair], list[int], list[int]]:
    """Return words that stand on both sides, in their order, and the places of the others."""
    found, left, right = [], [], list(range(len(known)))
    for i, word in enumerate(asked):
        if word not in known or (j := _first(word, known, right)) is None:
            left.append(i)
        else:
            found.append(_equal_pair(i, j))
            right.remove(j)
    return found, left, right


def _first(word: str, words: Sequence[str], places: Sequence[int]) -> int | None:
    place = words.index(word)
    return place if place in places else next((p for p in places if words[p] == word), None)


@lru_cache(maxsize=4_096)
def _equal_pair(asked: int, known: int) -> Pair:
    return Pair((asked,), (known,), 1.0, Reason.EQUAL)


def _joined(asked: Sequence[str], known: Sequence[str], left: list[int], right: list[int]) -> list[Pair]:
    """Take words of the known side that the asked side writes as one."""
    found: list[Pair] = []
    longest = max(len(asked[i]) for i in left)
    runs = _runs(known, right, longest + 1)
    if not runs:
        return found
    for i in tuple(left):
        word = asked[i]
        letters, first, last = len(word), word[0], word[-1]
        if letters < LEAST_JOINED:
            continue
        for run, together in runs:
            # One slip leaves the first letter or the last as it is.
            if abs(len(together) - letters) > 1 or (together[0] != first and together[-1] != last):
                continue
            slips = OSA.distance(word, together, score_cutoff=1)
            if slips <= (1 if letters >= _LEAST_SLIPPED else 0):
                found.append(Pair((i,), run, JOINED - slips * ONE_SLIP_COSTS / letters, Reason.JOINED))
                left.remove(i)
                for j in run:
                    right.remove(j)
                runs = _runs(known, right, longest + 1)
                break
    return found


def _joined_other_way(asked: Sequence[str], known: Sequence[str], left: list[int], right: list[int]) -> list[Pair]:
    return [Pair(a, k, share, reason) for k, a, share, reason in _joined(known, asked, right, left)]


LEAST_JOINED: Final = 4
_LEAST_SLIPPED: Final = 7
MOST_JOINED: Final = 4


def _runs(words: Sequence[str], places: Sequence[int], most: int) -> list[tuple[tuple[int, ...], str]]:
    """Return places that stand side by side, two to `MOST_JOINED`, and their words together, of so many letters."""
    runs = []
    for at, first in enumerate(places):
        letters = len(words[first])
        for size in range(2, min(MOST_JOINED, len(places) - at) + 1):
            last = first + size - 1
            if places[at + size - 1] != last:
                break
            letters += len(words[last])
            if letters > most:
                break
            runs.append((tuple(range(first, last + 1)), "".join(words[first : last + 1])))
    return runs


def _nearest(
    asked: Sequence[str],
    known: Sequence[str],
    left: list[int],
    right: list[int],
    across: bool,
    consonants: bool = False,
) -> list[Pair]:
    looks = [(j, known[j], look_of(known[j])) for j in right]
    near = []
    for i in left:
        word = asked[i]
        look = look_of(word)
        first, letters, begins, means = look
        for j, other, other_look in looks:
            # What most words are, told by the least: neither by the lexicon nor by their letters nor by their sound.
            if (
                means != other_look.means
                and begins != other_look.begins
                and (first != other_look.first or not _begins_or_contracts(word, other))
                and (
                    not -MANY < letters - other_look.letters < MANY
                    or OSA.distance(word, other, score_cutoff=MANY - 1) >= MANY
                )
                and not (across and sound_near(bones_without_article(word), bones_without_article(other)))
            ):
                continue
            alike = alike_words(word, other, across, True) if consonants else alike_words(word, other, across)
            if alike is not None:
                near.append((-alike.share, abs(i - j), i, j, alike.reason))
    found = []
    near.sort()
    for share, _, i, j, reason in near:
        if i in left and j in right:
            found.append(Pair((i,), (j,), -share, reason))
            left.remove(i)
            right.remove(j)
    return found


def _initials(asked: Sequence[str], known: Sequence[str], left: list[int], right: list[int]) -> list[Pair]:
    """Take words of the known side that the asked side names by their first letters."""
    found = []
    for i in tuple(left):
        letters = asked[i]
        size = len(letters)
        if not 2 <= size <= len(right):
            continue
        for at in range(len(right) - size + 1):
            run = tuple(right[at : at + size])
            if run[-1] - run[0] == size - 1 and all(known[j][0] == c for j, c in zip(run, letters, strict=True)):
                found.append(Pair((i,), run, INITIALS, Reason.ABBREVIATION))
                left.remove(i)
                for j in run:
                    right.remove(j)
                break
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


class Look(NamedTuple):
    """What of a word is looked at before it is compared."""

    first: str
    letters: int
    begins: str
    """The first letters of the word that it is short for."""
    means: str


@lru_cache(maxsize=65_536)
def look_of(word: str) -> Look:
    """Return what of a folded word is looked at before it is compared."""
    long, means = _in_the_lexicon(word)
    return Look(word[:1], len(word), long[:BEGINNING], means)


def _begins_or_contracts(one: str, other: str) -> bool:
    """Return whether the shorter of two words may be the beginning or a contraction of the longer."""
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    return len(short) <= SHORTENED * len(long) or long.startswith(short)


def sound_near(bones: str, others: str) -> bool:
    """Return whether two words sound alike, or nearly, by their consonants."""
    return bones == others or (
        min(len(bones), len(others)) >= LEAST_BONES and OSA.distance(bones, others, score_cutoff=1) < 2
    )


@lru_cache(maxsize=262_144)
def alike_words(one: str, other: str, across: bool = False, consonants: bool = False) -> Alike | None:
    """Return how alike two folded words are; None where they are not.

    Args:
        one: a word.
        other: another one.
        across: one of them is transliterated, the other is not.
        consonants: both are of a script that writes no vowels.
    """
    if one == other:
        return Alike(1.0, Reason.EQUAL)
    if one.isdigit() or other.isdigit():
        return None
    slips = MANY if abs(len(one) - len(other)) >= MANY else OSA.distance(one, other, score_cutoff=MANY - 1)
    best = _same_in_the_lexicon(one, other)
    for found in (
        _spelt_alike(one, other, slips),
        _sound_alike(one, other, slips, across),
        _but_for_article(one, other),
    ):
        if found is not None and consonants and found.reason is not Reason.TYPO:
            # Beginnings, contractions and sounds are told by the consonants that stay. There are no other letters here.
            continue
        if found is not None and (best is None or found.share > best.share):
            best = found
    return best


def _but_for_article(one: str, other: str) -> Alike | None:
    """Return how alike two words are of which one begins with the Arabic article: ALAMAL is Al Amal."""
    return Alike(CUT_OFF, Reason.MEANING) if without_article(one) == without_article(other) else None


MANY: Final = 3
"""Slips that are too many to be counted."""
SHORTENED: Final = 0.6
"""Of the letters of a word, that a contraction of it has at most."""
LEAST_BONES: Final = 4
"""Consonants of which one may differ."""
BEGINNING: Final = 5
"""Letters with which a word and what another is short for begin."""


def _same_in_the_lexicon(one: str, other: str) -> Alike | None:
    (long, means), (other_long, other_means) = _in_the_lexicon(one), _in_the_lexicon(other)
    if long == other_long:
        return Alike(ABBREVIATED, Reason.ABBREVIATION)
    if means == other_means or _is_plural(one, other) or _is_plural(other, one):
        return Alike(SAME_MEANING, Reason.MEANING)
    # "tech" stands for technology, technologies, technical ...
    abbreviated = (
        (long != one or other_long != other) and long[:BEGINNING] == other_long[:BEGINNING] and len(long) > LEAST_JOINED
    )
    return Alike(CUT_OFF, Reason.ABBREVIATION) if abbreviated else None


@lru_cache(maxsize=65_536)
def _in_the_lexicon(word: str) -> tuple[str, str]:
    """Return what a word is short for, and what that means in English; itself where the lexicon knows neither."""
    long = long_form_of(word) or word
    return long, meaning_of(long) or long


def _is_plural(one: str, other: str) -> bool:
    return len(one) > LEAST_JOINED and one.startswith(other) and one[len(other) :] in ("s", "es")


def _spelt_alike(one: str, other: str, slips: int) -> Alike | None:
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    if short[:1] != long[:1] and slips >= MANY:
        return None
    if len(long) >= 4 and slips == 1:
        costs = ONE_SLIP_COSTS if len(long) > 4 else A_SLIP_IN_FOUR_COSTS
        return Alike(1 - costs / len(long), Reason.TYPO)
    if len(short) >= 3 and long.startswith(short) and (len(short) <= 0.7 * len(long) or len(short) > LEAST_JOINED):
        return Alike(CUT_OFF if len(short) > 3 else CONTRACTED, Reason.PREFIX)
    if slips == 2 and len(short) >= 5:
        return Alike(1 - TWO_SLIPS_COST / len(long), Reason.TYPO)
    if len(short) >= 2 and short[0] == long[0] and len(short) <= SHORTENED * len(long) and _is_contraction(short, long):
        return Alike(CONTRACTED, Reason.CONTRACTION)
    return None


def _is_contraction(short: str, long: str) -> bool:
    """Return whether the letters of the short word stand in the long one in their order, and it has hardly a vowel."""
    if len(short) < 3 or len(short.translate(_WITHOUT_VOWELS)) < len(short) - 1:
        return False
    letters = iter(long)
    return all(letter in letters for letter in short)


_WITHOUT_VOWELS: Final = str.maketrans("", "", "aeiou")


def _sound_alike(one: str, other: str, slips: int, across: bool) -> Alike | None:
    if not across:
        # In one script vowels tell: "Sunhaf" and "Sunphy" are two.
        bones = skeleton_of(one) if slips < MANY else ""
        same = len(bones) > 2 and bones == skeleton_of(other)
        return Alike(SOUNDS_ALIKE, Reason.SOUNDS_ALIKE) if same else None
    bones, others = bones_without_article(one), bones_without_article(other)
    if not (bones or others):
        # Wafa and Yahya have hardly another consonant than those that may be vowels.
        weak = _weak_bones(one)
        return Alike(NEARLY_SOUNDS_ALIKE, Reason.SOUNDS_ALIKE) if weak and weak == _weak_bones(other) else None
    if not bones or not sound_near(bones, others):
        return None
    return Alike(SOUNDS_ALIKE if bones == others and len(bones) > 2 else NEARLY_SOUNDS_ALIKE, Reason.SOUNDS_ALIKE)


def _weak_bones(word: str) -> str:
    """Return the letters of a word that are no vowels, two or more, each once where it is doubled; else nothing."""
    letters = without_article(word).translate(_WITHOUT_VOWELS)
    once = "".join([letter for at, letter in enumerate(letters) if letters[at - 1 : at] != letter])
    return once if len(once) > 1 else ""


@lru_cache(maxsize=65_536)
def bones_without_article(word: str) -> str:
    """Return the consonants of a folded word, without the Arabic article where something is left."""
    return skeleton_of(without_article(word)) or skeleton_of(word)


def without_article(word: str) -> str:
    """Return a folded word without the Arabic article."""
    return word[2:] if len(word) > 5 and word.startswith(("al", "el")) else word
