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

from comity_node.domain.matching.folding import MOST_LETTERS, Folded, fold
from comity_node.domain.matching.likeness import Part, PartKind
from comity_node.domain.matching.party import Rarity
from comity_node.domain.matching.places import Site, site_of
from comity_node.domain.matching.thresholds import (
    GENERIC,
    LEAST_WEIGHT,
    LEAST_WHOLE,
    MOST_WEIGHT,
    OF_THE_LESS_COVERED,
    OTHER_CHARACTERS,
    OTHER_WORDS_COST,
    REVIEW,
    WHOLE_NAME,
)
from comity_node.domain.matching.words import Alignment, Reason, align


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
    lines = _word_lines(mine, theirs, alignment, rarity)
    points = sum(line.points for line in lines)
    if alignment.asked_over or alignment.known_over or across:
        whole = _whole_name(mine, theirs, across)
        if whole is not None and whole.points > points:
            lines, points = [whole], whole.points
    all_equal = not (alignment.asked_over or alignment.known_over) and all(
        pair.reason is Reason.EQUAL for pair in alignment.pairs
    )
    lines += _other_characters(asked, known)
    over = bool(alignment.asked_over or alignment.known_over)
    lines += _generic(asked, known, sum(line.points for line in lines), over=over)
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
    over, other = [asked[i] for i in alignment.asked_over], [known[j] for j in alignment.known_over]
    if over or other:
        differs = min(
            sum(mine[i] for i in alignment.asked_over) / my_total,
            sum(theirs[j] for j in alignment.known_over) / their_total,
        )
        said = "other words" if over and other else "not in the other name"
        lines.append(Line(PartKind.WORD, " ".join(over), " ".join(other), said, -100 * OTHER_WORDS_COST * differs))
    return lines


def _weights(words: Sequence[str], rarity: Rarity) -> list[float]:
    return [min(max(rarity(word), LEAST_WEIGHT), MOST_WEIGHT) for word in words]


def _whole_name(asked: Sequence[str], known: Sequence[str], across: bool) -> Line | None:
    """Return the line of two names whose letters, written together, are nearly the same; None where they are not."""
    one, other = "".join(asked), "".join(known)
    if min(len(one), len(other)) < _LEAST_LETTERS or (len(asked) == len(known) and not across):
        return None
    alike = fuzz.ratio(one, other, score_cutoff=100 * LEAST_WHOLE) / 100
    return Line(PartKind.JOINED, one, other, "the letters together", 100 * WHOLE_NAME * alike) if alike else None


_LEAST_LETTERS = 6


def _other_characters(asked: Read, known: Read) -> list[Line]:
    """Return what speaks against two names that sound alike in Chinese: none of the letters need be the same."""
    mine, theirs = set(asked.folded.han), set(known.folded.han)
    if not mine or not theirs or len(mine & theirs) >= 0.7 * min(len(mine), len(theirs)):
        return []
    return [Line(PartKind.CAP, asked.text, known.text, "written with other characters", OTHER_CHARACTERS)]


def _generic(asked: Read, known: Read, points: float, *, over: bool) -> list[Line]:
    """Return what is taken off names of which one has nothing but words that many firms have."""
    most = REVIEW - 1 if over else GENERIC
    if points <= most or not (asked.folded.is_generic or known.folded.is_generic):
        return []
    return [Line(PartKind.CAP, asked.text, known.text, "only words that many firms have", most - points)]


def whole_points(lines: Iterable[Line]) -> tuple[Part, ...]:
    """Return the lines with whole points, so that no point is lost or won: together they are the rounded sum."""
    parts, exact, told = [], 0.0, 0
    for line in lines:
        exact += line.points
        gained = round(exact) - told
        told += gained
        parts.append(Part(line.about, line.asked, line.known, line.reason, gained))
    return tuple(parts)
