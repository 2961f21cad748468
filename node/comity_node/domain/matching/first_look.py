"""A first look at many who may be the one asked about: which of them cannot be, told by the words they lack. Pure.

Most of whom a search brings have too little of the name asked for, and comparing them would say so at three times the
cost. What is worked out here is never less than what comparing gives, so that nobody is left out whom it would show: a
word counts as soon as anything on the other side may stand for it, and the other side is taken to lack nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA, LCSseq, Postfix, Prefix
from rapidfuzz.process import cdist

from comity_node.domain.matching.bones import bones_of_lines
from comity_node.domain.matching.folding import MOST_WORDS, is_in_the_lexicon
from comity_node.domain.matching.identifiers import weigh_numbers
from comity_node.domain.matching.likeness import Verdict
from comity_node.domain.matching.naming import Read, all_read, one_letter_apart, weights_of
from comity_node.domain.matching.party import Party, Rarity
from comity_node.domain.matching.places import may_have_sisters
from comity_node.domain.matching.thresholds import LEAST_TOGETHER, OF_THE_LESS_COVERED, REVIEW, SAME_ADDRESS
from comity_node.domain.matching.words import (
    BEGINNING,
    LEAST_BONES,
    LEAST_JOINED,
    MANY,
    MOST_JOINED,
    SHORTENED,
    alike_words,
    bones_without_article,
    look_of,
    without_article,
)

_OF_LETTERS: Final = LEAST_TOGETHER / (2 - LEAST_TOGETHER)
"""Of the letters of one text, how many stand in another one in the same order, where the two together come close."""
_ROUNDING: Final = 0.5 + 1e-6


def who_may_be(asked: Party, known: Sequence[Party], rarity: Rarity) -> list[bool]:
    """Return of each known party whether comparing the two may give any verdict but none.

    Args:
        asked: whom somebody asks about.
        known: those that a search has brought.
        rarity: of the words asked for; no others are asked about.
    """
    mine, theirs = all_read(asked.names), [all_read(party.names) for party in known]
    if any(may_have_sisters(one.text, one.site) for one in mine):
        return [True] * len(known)
    wanted = [_Wanted(one, rarity) for one in mine]
    may_be = [
        _by_number(asked, party)
        or any(each.has_enough(other, _least(asked, party)) for each in wanted for other in names)
        for party, names in zip(known, theirs, strict=True)
    ]
    others = [name for names, may in zip(theirs, may_be, strict=True) if not may for name in names]
    for each in wanted:
        each.lay_beside(others)
    return [
        may or any(each.may_be(other, _least(asked, party)) for each in wanted for other in names)
        for may, party, names in zip(may_be, known, theirs, strict=True)
    ]


def _by_number(asked: Party, known: Party) -> bool:
    return weigh_numbers(asked.identifiers, known.identifiers)[0] is not Verdict.NONE


def _least(asked: Party, known: Party) -> int:
    """Return the fewest points of a name with which anything beside it can make a hit."""
    return REVIEW - SAME_ADDRESS if asked.addresses and known.addresses else REVIEW


class _Others:
    """The words of all names that are looked at, each once."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = list(dict.fromkeys(words))
        self.places = {word: place for place, word in enumerate(self.words)}
        self.sizes = np.array([len(word) for word in self.words])
        self.by_meaning: dict[str, list[int]] = {}
        self.by_beginning: dict[str, list[int]] = {}
        for place, word in enumerate(self.words):
            if is_in_the_lexicon(word):
                look = look_of(word)
                self.by_meaning.setdefault(look.means, []).append(place)
                self.by_beginning.setdefault(look.begins, []).append(place)

    @cached_property
    def bones(self) -> list[str]:
        """What `bones_without_article` leaves of each."""
        whole, without = (
            bones_of_lines([" ".join(some)])[0] for some in (self.words, map(without_article, self.words))
        )
        return [less or bones for bones, less in zip(whole, without, strict=True)]

    def near(self, words: Sequence[str], *, across: bool) -> list[dict[str, float]]:
        """Return of each word those that may stand for it, alone or with others, and what they count at most."""
        mine, theirs = np.array([[len(word)] for word in words]), self.sizes
        begin, end = (cdist(words, self.words, scorer=way.similarity, dtype=np.int32) for way in (Prefix, Postfix))
        shorter, longer = np.minimum(mine, theirs), np.maximum(mine, theirs)
        slips = cdist(words, self.words, scorer=OSA.distance, score_cutoff=MANY - 1, dtype=np.int32)
        likely = (slips < MANY) | (begin >= BEGINNING)
        likely |= (begin > 0) & (shorter > 2) & ((shorter <= SHORTENED * longer) | (begin == shorter))
        if across:
            likely |= _sounding_near([bones_without_article(word) for word in words], self.bones)
        # With a slip at most, a word that stands for several begins with the first of them or ends with the last, but
        # for the letter where the two meet.
        least = np.maximum(theirs - 1, 1)
        parts = (mine >= LEAST_JOINED) & (theirs <= mine) & ((begin >= least) | (end >= least))
        found = []
        for place, word in enumerate(words):
            beside = {*np.flatnonzero(likely[place]).tolist(), *self._in_the_lexicon(word)}
            alike = {self.words[at]: self._share(word, at, across) for at in beside}
            alike |= {self.words[at]: 1.0 for at in np.flatnonzero(parts[place]).tolist()}
            found.append({each: share for each, share in alike.items() if share})
        return found

    def _share(self, word: str, place: int, across: bool) -> float:
        other = self.words[place]
        ways = (False, True) if across else (False,)
        return max((alike.share for way in ways if (alike := alike_words(word, other, way)) is not None), default=0.0)

    def _in_the_lexicon(self, word: str) -> Iterator[int]:
        """Yield the places of words that mean the same, or begin as what it is short for, as the lexicon has it."""
        look = look_of(word)
        yield from self.by_meaning.get(look.means, ())
        yield from self.by_beginning.get(look.begins, ())
        if is_in_the_lexicon(word):
            if (place := self.places.get(look.means)) is not None:
                yield place
            yield from [n for n, each in enumerate(self.words) if each[:BEGINNING] == look.begins]


def _sounding_near(bones: Sequence[str], others: Sequence[str]) -> NDArray[np.bool_]:
    mine, theirs = np.array([[len(each)] for each in bones]), np.array([len(each) for each in others])
    slips = cdist(bones, others, scorer=OSA.distance, score_cutoff=1, dtype=np.int32)
    near: NDArray[np.bool_] = (slips == 0) | ((slips == 1) & (np.minimum(mine, theirs) >= LEAST_BONES))
    return near


@dataclass(frozen=True, slots=True)
class _Beside:
    """What words of the others may stand for which words of one name."""

    near: Sequence[dict[str, float]]
    """Of each word of the name those that may stand for it, with the most that they count."""
    for_several: frozenset[str]
    """Those that may stand for several of its words, no matter which."""

    @classmethod
    def of(cls, name: Read, others: _Others, *, across: bool) -> "_Beside":
        """Return it for a name."""
        if not others.words:
            return _NOTHING
        words = name.site.company
        near = others.near(words, across=across)
        several = set(chain.from_iterable(others.near(name.folded.also, across=True))) if name.folded.also else set()
        runs = ["".join(words[at : at + n]) for n in range(2, MOST_JOINED + 1) for at in range(len(words) - n + 1)]
        if runs:
            slips = cdist(runs, others.words, scorer=OSA.distance, score_cutoff=1, dtype=np.int32).min(axis=0)
            several.update(others.words[at] for at in np.flatnonzero((slips < 2) & (others.sizes >= LEAST_JOINED)))
        firsts = "".join([word[0] for word in words])
        several.update(others.words[at] for at in np.flatnonzero((others.sizes > 1) & (others.sizes <= len(words)))
                       if others.words[at] in firsts)  # fmt: skip
        # What stands on both sides stands for itself.
        return cls(near, frozenset(several.difference(words)))


_NOTHING: Final = _Beside((), frozenset())


class _Wanted:
    """A name asked for, and what of the words of other names may stand for its own."""

    def __init__(self, name: Read, rarity: Rarity) -> None:
        self._name = name
        self._words = name.site.company
        self._weights = weights_of(self._words, rarity)
        self._total = sum(self._weights)
        self._short = [word for word in self._words if 1 < len(word) <= MOST_WORDS]
        self._is_across = _is_across(name)
        self._beside: tuple[_Beside, _Beside] = _NOTHING, _NOTHING

    def lay_beside(self, others: Sequence[Read]) -> None:
        """Find out which words of these names may stand for its words."""
        within = [each for each in others if not self._is_across and not _is_across(each)]
        across = [each for each in others if self._is_across or _is_across(each)]
        self._beside = (
            _Beside.of(self._name, _Others(chain.from_iterable(each.site.company for each in within)), across=False),
            _Beside.of(
                self._name,
                _Others(word for each in across for word in (*each.site.company, *each.folded.also)),
                across=True,
            ),
        )

    def has_enough(self, other: Read, least: int) -> bool:
        """Return whether the equal words alone may come to so many points."""
        known = other.site.company
        there = sum([weight for word, weight in zip(self._words, self._weights, strict=True) if word in known])
        return there >= self._enough(least)

    def _enough(self, least: int) -> float:
        # A hundred points are the shares of both names, and the one of which less is found counts more.
        return self._total * ((least - _ROUNDING) / 100 - (1 - OF_THE_LESS_COVERED)) / OF_THE_LESS_COVERED

    def may_be(self, other: Read, least: int) -> bool:
        """Return whether so many points can come of the two names."""
        beside = self._beside[self._is_across or _is_across(other)]
        known, readings = other.site.company, other.folded.also
        there, letters = 0.0, 0
        for word, weight, near in zip(self._words, self._weights, beside.near, strict=True):
            if word in known:
                there += weight
            elif near and (shares := [near[each] for each in (*known, *readings) if each in near]):
                there += max(shares) * weight
            else:
                letters += len(word)
        enough = there >= self._enough(least) or one_letter_apart(self._name, other)
        return enough or self._otherwise(known, beside, letters)

    def _otherwise(self, known: Sequence[str], beside: _Beside, letters: int) -> bool:
        """Return whether known words may stand for words of the name that none of them stands for by itself.

        Args:
            known: the words of the other name.
            beside: what may stand for which word.
            letters: of the words for which none of these stands.
        """
        words = self._words
        if not letters or not beside.for_several.isdisjoint(known) or (len(known) == 1 and known[0] == words[0]):
            return True
        if self._short:
            firsts = "".join([word[0] for word in known])
            if any(word in firsts and word not in known for word in self._short):
                return True
        mine, theirs = [word for word in words if word not in known], [word for word in known if word not in words]
        together = LCSseq.similarity("".join(mine), "".join(theirs)) if len(mine) + len(theirs) > 2 else 0
        return together >= _OF_LETTERS * letters


def _is_across(name: Read) -> bool:
    return name.folded.script != "Latin" or bool(name.folded.also)
