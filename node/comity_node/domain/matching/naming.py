"""What two names say, word by word. Pure.

A word counts by its rarity. What is found on both sides adds points, what stands over on both sides takes some off, and
what only one side says adds nothing. The points are whole: each line gets what the running sum gains by it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from comity_node.domain.matching.folding import MOST_LETTERS, Folded, fold
from comity_node.domain.matching.likeness import Part, PartKind
from comity_node.domain.matching.party import Rarity
from comity_node.domain.matching.places import Site, site_of
from comity_node.domain.matching.thresholds import (
    GENERIC,
    LEAST_TOGETHER,
    LEAST_WEIGHT,
    MOST_WEIGHT,
    OF_THE_LESS_COVERED,
    ONE_WORD,
    OTHER_CHARACTERS,
    OTHER_WORDS_COST,
    OWN_WORD,
    OWN_WORDS_DIFFER,
    TOGETHER,
)
from comity_node.domain.matching.words import Alignment, Pair, Reason, align
from comity_node.lexicon import lexicon


class Line(NamedTuple):
    """A line before its points are rounded."""

    about: PartKind
    asked: str
    known: str
    reason: str
    points: float


@dataclass(frozen=True, slots=True)
class Read:
    """A name, ready to be compared."""

    text: str
    folded: Folded
    site: Site


@dataclass(frozen=True, slots=True)
class Named:
    """What two names say."""

    asked: Read
    known: Read
    parts: tuple[Part, ...]
    points: int
    all_equal: bool
    """Every word stands on the other side, letter for letter."""


@lru_cache(maxsize=65_536)
def read(text: str) -> Read:
    """Return a name, ready to be compared."""
    folded = fold(text)
    return Read(text, folded, site_of(folded.words))


def compare_names(asked: Iterable[str], known: Iterable[str], rarity: Rarity) -> Named | None:
    """Return what the two likest names say; None where one side has none.

    Names in one script are laid beside each other where both sides have some: transliteration loses what they tell.
    """
    mine = [read(name) for text in asked for name in spellings(text)]
    theirs = [read(name) for text in known for name in spellings(text)]
    pairs = [(one, other) for one in mine for other in theirs if one.folded.words and other.folded.words]
    in_one_script = [(one, other) for one, other in pairs if one.folded.script == other.folded.script]
    best: Named | None = None
    for one, other in in_one_script or pairs:
        found = _compare(one, other, rarity)
        if best is None or found.points > best.points:
            best = found
    return best


_ALSO_KNOWN = re.compile(
    r"\(?\b(?:also known as|formerly (?:known|operating|trading) as|formerly|doing business as|trading as|"
    r"a\.?/?k\.?/?a\b\.?|d\.?/?b\.?/?a\b\.?|f\.?/?k\.?/?a\b\.?)|\((?=[\"“„«'])",
    re.IGNORECASE,
)
"""What stands between two names of one firm. A bracket without such words may be a place, which tells firms apart."""
MOST_SPELLINGS = 4


@lru_cache(maxsize=65_536)
def spellings(text: str) -> tuple[str, ...]:
    """Return the names that one text has: "A Ltd, formerly B Ltd" has two."""
    found = [piece.strip(" ,;()") for piece in _ALSO_KNOWN.split(text[:MOST_LETTERS])]
    found = [piece for piece in found if piece]
    return tuple(found[:MOST_SPELLINGS]) if len(found) > 1 else (text,)


def _compare(asked: Read, known: Read, rarity: Rarity) -> Named:
    mine, theirs = asked.site.company, known.site.company
    across = asked.folded.script != "Latin" or known.folded.script != "Latin"
    alignment = align(mine, theirs, across=across, asked_also=asked.folded.also, known_also=known.folded.also)
    alignment = _with_letters_together(mine, theirs, alignment)
    lines = _word_lines(mine, theirs, alignment, rarity)
    all_equal = not (alignment.asked_over or alignment.known_over) and all(
        pair.reason is Reason.EQUAL for pair in alignment.pairs
    )
    lines += _other_characters(asked, known)
    lines += _generic(asked, known, sum(line.points for line in lines))
    parts = whole_points(lines)
    return Named(asked, known, parts, sum(part.points for part in parts), all_equal)


def _word_lines(asked: Sequence[str], known: Sequence[str], alignment: Alignment, rarity: Rarity) -> list[Line]:
    mine, theirs = _weights(asked, rarity), _weights(known, rarity)
    my_total, their_total = sum(mine), sum(theirs)
    my_part = sum(pair.share * mine[i] for pair in alignment.pairs for i in pair.asked) / my_total
    their_part = sum(pair.share * theirs[j] for pair in alignment.pairs for j in pair.known) / their_total
    # The name of which less is found counts more: half a name is no name.
    of_mine = OF_THE_LESS_COVERED if my_part <= their_part else 1 - OF_THE_LESS_COVERED
    lines = []
    for pair in alignment.pairs:
        weight = of_mine * sum(mine[i] for i in pair.asked) / my_total
        weight += (1 - of_mine) * sum(theirs[j] for j in pair.known) / their_total
        words = " ".join(asked[i] for i in pair.asked), " ".join(known[j] for j in pair.known)
        lines.append(Line(PartKind.WORD, *words, pair.reason.value, 100 * pair.share * weight))
    lines += _words_over(asked, known, alignment, mine, theirs)
    return lines


def _words_over(
    asked: Sequence[str], known: Sequence[str], alignment: Alignment, mine: Sequence[float], theirs: Sequence[float]
) -> list[Line]:
    """Return what words cost that the other name does not have."""
    over, other = [asked[i] for i in alignment.asked_over], [known[j] for j in alignment.known_over]
    if not over and not other:
        return []
    points = 0.0
    if over and other:
        weights, others = [mine[i] for i in alignment.asked_over], [theirs[j] for j in alignment.known_over]
        points -= 100 * OTHER_WORDS_COST * min(sum(weights) / sum(mine), sum(others) / sum(theirs))
        if min(max(weights), max(others)) >= OWN_WORD:
            points += OWN_WORDS_DIFFER
    elif min(len(asked), len(known)) == 1:
        points += ONE_WORD
    said = "other words" if over and other else "not in the other name"
    return [Line(PartKind.WORD, " ".join(over), " ".join(other), said, points)]


def _weights(words: Sequence[str], rarity: Rarity) -> list[float]:
    return [LEAST_WEIGHT if _is_legal(word) else min(max(rarity(word), LEAST_WEIGHT), MOST_WEIGHT) for word in words]


_OFTEN_MISTYPED = tuple(
    "limited company corporation incorporated private public joint stock gmbh corp ltd inc llc".split()
)


@lru_cache(maxsize=65_536)
def _is_legal(word: str) -> bool:
    """Return whether a word that stayed in the name is a legal form inside it, or one with a slip: it tells nothing."""
    if (word,) in lexicon().legal.sequences:
        return True
    return len(word) > 3 and any(OSA.distance(word, form, score_cutoff=1) <= 1 for form in _OFTEN_MISTYPED)


def _with_letters_together(asked: Sequence[str], known: Sequence[str], alignment: Alignment) -> Alignment:
    """Return the alignment with what is over on both sides as one, if its letters, written together, come close."""
    mine, theirs = alignment.asked_over, alignment.known_over
    if not mine or not theirs or len(mine) + len(theirs) < 3:
        return alignment
    one, other = "".join(asked[i] for i in mine), "".join(known[j] for j in theirs)
    if min(len(one), len(other)) < _LEAST_LETTERS:
        return alignment
    alike = fuzz.ratio(one, other, score_cutoff=100 * LEAST_TOGETHER) / 100
    if not alike:
        return alignment
    return Alignment((*alignment.pairs, Pair(mine, theirs, TOGETHER * alike, Reason.JOINED)), (), ())


_LEAST_LETTERS = 5


def _other_characters(asked: Read, known: Read) -> list[Line]:
    """Return what speaks against two names that sound alike in Chinese: none of the letters need be the same."""
    mine, theirs = set(asked.folded.han), set(known.folded.han)
    if not mine or not theirs or len(mine & theirs) >= 0.7 * min(len(mine), len(theirs)):
        return []
    return [Line(PartKind.CAP, asked.text, known.text, "written with other characters", OTHER_CHARACTERS)]


def _generic(asked: Read, known: Read, points: float) -> list[Line]:
    """Return what is taken off names of which one has nothing but words that many firms have."""
    if points <= GENERIC or not (asked.folded.is_generic or known.folded.is_generic):
        return []
    return [Line(PartKind.CAP, asked.text, known.text, "only words that many firms have", GENERIC - points)]


def whole_points(lines: Iterable[Line]) -> tuple[Part, ...]:
    """Return the lines with whole points, so that no point is lost or won: together they are the rounded sum."""
    parts, exact, told = [], 0.0, 0
    for line in lines:
        exact += line.points
        gained = round(exact) - told
        told += gained
        parts.append(Part(line.about, line.asked, line.known, line.reason, gained))
    return tuple(parts)
