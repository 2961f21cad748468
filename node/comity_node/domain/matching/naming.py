"""What two names say, word by word. Pure.

A word counts by its rarity. What is found on both sides adds points, what stands over on both sides takes some off, and
what only one side says adds nothing. The points are whole: each line gets what the running sum gains by it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, Indel

from comity_node.domain.matching.figures import has_figure, in_figures, may_have_numbers
from comity_node.domain.matching.folding import MOST_LETTERS, Folded, bare_word, fold
from comity_node.domain.matching.likeness import Part, PartKind
from comity_node.domain.matching.party import Rarity
from comity_node.domain.matching.places import Site, site_of
from comity_node.domain.matching.thresholds import (
    BRAND,
    GENERIC,
    GENERIC_WITH_MORE,
    LEAST_LETTERS_OF_BRAND,
    LEAST_LETTERS_OF_WHOLE,
    LEAST_TOGETHER,
    LEAST_WEIGHT,
    MOST_WEIGHT,
    NOBODYS_WORD,
    OF_THE_LESS_COVERED,
    ONE_WORD,
    OTHER_CHARACTERS,
    OTHER_WORDS_COST,
    OWN_WORD,
    OWN_WORDS_DIFFER,
    REVIEW,
    TOGETHER,
)
from comity_node.domain.matching.words import Alignment, Pair, Reason, align
from comity_node.lexicon import lexicon
from comity_node.lexicon.letters import WITHOUT_VOWELS
from comity_node.lexicon.words import UNPARTED


class Line(NamedTuple):
    """A line before its points are rounded."""

    about: PartKind
    asked: str
    known: str
    reason: str
    points: float


class Read(NamedTuple):
    """A name, ready to be compared."""

    text: str
    folded: Folded
    site: Site
    has_figures: bool
    """It is written with figures."""
    in_figures: bool = False
    """Its numbers that are written in words are read as figures."""


class Named(NamedTuple):
    """What two names say."""

    asked: Read
    known: Read
    alignment: Alignment
    gains: list[float]
    """What each pair of words adds, and then the words over, other characters and the cap: before rounding."""
    points: int
    """The rounded sum of all gains."""

    @property
    def all_equal(self) -> bool:
        """Whether every word stands on the other side, letter for letter."""
        pairs, over, other = self.alignment
        return not (over or other) and all(pair.reason is Reason.EQUAL for pair in pairs)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The lines of the explanation."""
        return whole_points(
            Line(*told, gained) for told, gained in zip(_told(self), self.gains, strict=True) if told is not None
        )


def read(text: str) -> Read:
    """Return a name, ready to be compared."""
    folded = fold(text)
    return Read(text, folded, site_of(folded.words), has_figure(text))


def all_read(names: Sequence[str]) -> Sequence[Read]:
    """Return all names that these texts have, ready to be compared; of blank ones none."""
    return _read_whole(names[0]) if len(names) == 1 else [each for text in names for each in _read_whole(text)]


@lru_cache(maxsize=16_384)
def _read_whole(text: str) -> tuple[Read, ...]:
    """Return the names that one text has, ready to be compared."""
    plain = [read(name) for name in spellings(text)]
    counted = [
        read(name)._replace(text=each.text, has_figures=each.has_figures, in_figures=True)
        for each in plain
        if may_have_numbers(each.text, each.folded.words) and (name := in_figures(each.text))
    ]
    return tuple([each for each in (*plain, *counted) if each.folded.words])


def compare_names(asked: Sequence[str], known: Sequence[str], rarity: Rarity) -> Named | None:
    """Return what the two likest names say; None where one side has none.

    Names in one script are laid beside each other where both sides have some: transliteration loses what they tell.
    """
    mine, theirs = all_read(asked), all_read(known)
    if len(mine) == len(theirs) == 1:
        return _compare(mine[0], theirs[0], rarity)
    pairs = [(one, other) for one in mine for other in theirs if _may_stand_beside(one, other)]
    pairs = [pair for pair in pairs if pair[0].folded.script == pair[1].folded.script] or pairs
    best: Named | None = None
    for one, other in pairs:
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
MOST_WORDS_OF_TWO = 5
"""A name of more words, most of them of one or two letters, was torn apart."""


def spellings(text: str) -> tuple[str, ...]:
    """Return the names that one text has: "A Ltd, formerly B Ltd" has two."""
    found = [piece.strip(" ,;()") for piece in _ALSO_KNOWN.split(text[:MOST_LETTERS])]
    found = [piece for piece in found if piece]
    if len(found) < 2:
        words = text[:MOST_LETTERS].split()
        # What a scanner or a table of a PDF leaves of "Brandix ASL (Lingerie)": "br and i x asl ( li ng e r i e )".
        is_torn = len(words) > MOST_WORDS_OF_TWO and 2 * sum(len(word) < 3 for word in words) > len(words)
        return (text, "".join(words)) if is_torn else (text,)
    return tuple(found[:MOST_SPELLINGS])


def _may_stand_beside(one: Read, other: Read) -> bool:
    """Return whether two readings may be one name: words are read as figures only where one side writes figures.

    Studio Seven may be Studio 7; it is no other site of Studio Eight.
    """
    return not (one.in_figures or other.in_figures) or one.has_figures or other.has_figures


def _compare(asked: Read, known: Read, rarity: Rarity) -> Named:
    mine, theirs = asked.site.company, known.site.company
    one, other = asked.folded, known.folded
    # In one script words are laid beside each other as they are: vowels and letters tell.
    across = one.script != other.script
    consonants = not across and one.script in WITHOUT_VOWELS and not _LATIN_LETTER.search(asked.text + known.text)
    alignment = align(mine, theirs, across=across, consonants=consonants, asked_also=one.also, known_also=other.also)
    if alignment.asked_over and alignment.known_over:
        alignment = _with_letters_together(mine, theirs, alignment)
    gains = _gains(alignment, weights_of(mine, rarity), weights_of(theirs, rarity), (*mine, *theirs))
    gains.append(_of_other_characters(one.han, other.han) if one.han and other.han else 0.0)
    points = bounded = sum(gains)
    if one.is_generic or other.is_generic:
        bounded = min(points, GENERIC_WITH_MORE if _one_says_more(asked, known, alignment) else GENERIC)
        leads = False
    else:
        leads = points < REVIEW and (_leads(one, mine, alignment, rarity) or _leads(other, theirs, alignment, rarity))
    if bounded < REVIEW and (leads or one_letter_apart(asked, known)):
        bounded = REVIEW
    if bounded != points:
        gains.append(bounded - points)
        points = sum(gains)
    return Named(asked, known, alignment, gains, round(points))


_LATIN_LETTER = re.compile("[A-Za-z]")


def _one_says_more(asked: Read, known: Read, alignment: Alignment) -> bool:
    """Return whether one of two names, of which one has only words that many firms have, tells of another firm.

    Across scripts any word more does: how a word sounds or what it means fits many.
    """
    mine, theirs = asked.site.company, known.site.company
    if min(len(mine), len(theirs)) == 1 and max(len(mine), len(theirs)) > 1:
        return True
    return not (asked.folded.script == known.folded.script == "Latin") and bool(
        alignment.asked_over or alignment.known_over
    )


def one_letter_apart(asked: Read, known: Read) -> bool:
    """Return whether two names in a script without blanks are one but for a letter that one of them has more.

    A letter is a syllable or a word there, and leaves no like word behind where it is missing. A number is none.
    """
    script = asked.folded.script
    if script != known.folded.script or script not in UNPARTED:
        return False
    short, long = sorted(("".join(asked.text.split()), "".join(known.text.split())), key=len)
    if (
        len(long) != len(short) + 1
        or len(short) < LEAST_LETTERS_OF_WHOLE
        or Indel.distance(short, long, score_cutoff=1) > 1
    ):
        return False
    at = next((n for n, letter in enumerate(short) if letter != long[n]), len(short))
    return not long[at].isnumeric()


def _leads(name: Folded, words: Sequence[str], alignment: Alignment, rarity: Rarity) -> bool:
    """Return whether a name is a brand, with which the other begins: one word without a legal form, rare anywhere.

    So a firm is found by its brand, however much its registered name says besides.
    """
    if len(words) > 1 or name.legal or not alignment.pairs or alignment.pairs[0] != _BOTH_BEGIN:
        return False
    return len(words[0]) >= LEAST_LETTERS_OF_BRAND and rarity(words[0]) >= BRAND * rarity(NOBODYS_WORD)


_BOTH_BEGIN = Pair((0,), (0,), 1.0, Reason.EQUAL)


def _gains(alignment: Alignment, mine: Sequence[float], theirs: Sequence[float], words: Sequence[str]) -> list[float]:
    """Return what each pair of words adds, and last what words cost that one name has only.

    Args:
        alignment: Of the words.
        mine: The weights of the words asked for.
        theirs: Of the known words.
        words: All words asked for, and then all known ones.
    """
    pairs, over, other = alignment
    my_total, their_total = sum(mine), sum(theirs)
    my_part = their_part = 0.0
    weighed = []
    for places, known_places, share, _ in pairs:
        my_weight, their_weight = _sum_of(mine, places), _sum_of(theirs, known_places)
        my_part += share * my_weight
        their_part += share * their_weight
        weighed.append((share, my_weight, their_weight))
    # The name of which less is found counts more: half a name is no name.
    of_mine = OF_THE_LESS_COVERED if my_part / my_total <= their_part / their_total else 1 - OF_THE_LESS_COVERED
    gains = [
        100 * share * (of_mine * my_weight / my_total + (1 - of_mine) * their_weight / their_total)
        for share, my_weight, their_weight in weighed
    ]
    costs = 0.0
    if over and other:
        weights, others = [mine[i] for i in over], [theirs[j] for j in other]
        costs -= 100 * OTHER_WORDS_COST * min(sum(weights) / my_total, sum(others) / their_total)
        if min(max(weights), max(others)) >= OWN_WORD:
            costs += OWN_WORDS_DIFFER
    elif (over or other) and min(len(mine), len(theirs)) == 1:
        besides = [words[i] for i in over] or [words[len(mine) + j] for j in other]
        # Simcorp Vietnam may be Simcorp, there.
        costs += 0 if all(map(_is_place, besides)) else ONE_WORD
    gains.append(costs)
    return gains


def _is_place(word: str) -> bool:
    return word in lexicon().places or bare_word(word) in lexicon().places


def _sum_of(weights: Sequence[float], places: Sequence[int]) -> float:
    return weights[places[0]] if len(places) == 1 else sum(weights[place] for place in places)


def _told(named: Named) -> Iterator[tuple[PartKind, str, str, str] | None]:
    """Yield what each gain is told as; None of one that is nothing."""
    mine, theirs = named.asked.site.company, named.known.site.company
    pairs, over, other = named.alignment
    for pair in pairs:
        yield PartKind.WORD, _words_at(mine, pair.asked), _words_at(theirs, pair.known), pair.reason.value
    said = "other words" if over and other else "not in the other name"
    yield (PartKind.WORD, _words_at(mine, over), _words_at(theirs, other), said) if over or other else None
    *_, characters = named.gains[: len(pairs) + 2]
    texts = named.asked.text, named.known.text
    yield (PartKind.CAP, *texts, "written with other characters") if characters else None
    if len(named.gains) > len(pairs) + 2:
        if named.gains[-1] <= 0:
            yield PartKind.CAP, *texts, "only words that many firms have"
        elif one_letter_apart(named.asked, named.known):
            yield PartKind.JOINED, *texts, "the same but for a letter that one has more"
        else:
            yield PartKind.JOINED, *texts, "the other name begins with this word, which hardly anybody has"


def _words_at(words: Sequence[str], places: Sequence[int]) -> str:
    return " ".join(words[place] for place in places)


def weights_of(words: Sequence[str], rarity: Rarity) -> list[float]:
    """Return how much each word of a name counts."""
    weights = [LEAST_WEIGHT if _is_legal(word) else rarity(word) for word in words]
    if min(weights) < LEAST_WEIGHT or max(weights) > MOST_WEIGHT:
        return [min(max(weight, LEAST_WEIGHT), MOST_WEIGHT) for weight in weights]
    return weights


_OFTEN_MISTYPED = "limited company corporation incorporated private public joint stock gmbh corp ltd inc llc".split()
_MISTYPED_WITH = {
    letters: tuple(form for form in _OFTEN_MISTYPED if abs(len(form) - letters) < 2) for letters in range(4, 14)
}
"""Number of letters to the forms that a word of so many may be, with one slip."""


@lru_cache(maxsize=65_536)
def _is_legal(word: str) -> bool:
    """Return whether a word that stayed in the name is a legal form inside it, or one with a slip: it tells nothing."""
    if (word,) in lexicon().legal.sequences:
        return True
    # One slip leaves the first letter or the last as it is.
    return any(
        OSA.distance(word, form, score_cutoff=1) < 2
        for form in _MISTYPED_WITH.get(len(word), ())
        if word[0] == form[0] or word[-1] == form[-1]
    )


def _with_letters_together(asked: Sequence[str], known: Sequence[str], alignment: Alignment) -> Alignment:
    """Return the alignment with what is over on both sides as one, if its letters, written together, come close."""
    pairs, mine, theirs = alignment
    if len(mine) + len(theirs) < 3:
        return alignment
    letters, others = sum(len(asked[i]) for i in mine), sum(len(known[j]) for j in theirs)
    fewer = min(letters, others)
    if fewer < _LEAST_LETTERS or 2 * fewer < LEAST_TOGETHER * (letters + others):
        return alignment
    one, other = "".join(asked[i] for i in mine), "".join(known[j] for j in theirs)
    alike = fuzz.ratio(one, other, score_cutoff=100 * LEAST_TOGETHER) / 100
    if not alike:
        return alignment
    return Alignment((*pairs, Pair(mine, theirs, TOGETHER * alike, Reason.JOINED)), (), ())


_LEAST_LETTERS = 5


def _of_other_characters(asked: Sequence[str], known: Sequence[str]) -> float:
    """Return what speaks against two names that sound alike in Chinese: none of the letters need be the same."""
    mine, theirs = set(asked), set(known)
    return 0.0 if len(mine & theirs) >= 0.7 * min(len(mine), len(theirs)) else OTHER_CHARACTERS


def whole_points(lines: Iterable[Line]) -> tuple[Part, ...]:
    """Return the lines with whole points, so that no point is lost or won: together they are the rounded sum."""
    parts, exact, told = [], 0.0, 0
    for about, asked, known, reason, points in lines:
        exact += points
        whole = round(exact)
        parts.append(Part(about, asked, known, reason, whole - told))
        told = whole
    return tuple(parts)
