"""Folding a name to what is compared: words in ASCII without legal forms. Pure.

Rules:
- Visible text never folds to nothing, and the same text folds to the same in every process.
- A word of Cyrillic, Greek, Armenian or Georgian is transliterated; of other scripts a trade or place that the lexicon
  knows becomes the English word, because that is what stands in the Latin name, and the rest is transliterated.
- A legal form falls away at the beginning and the end; inside a name only where it cannot be anything else.
- Of a text of more than `MOST_LETTERS` letters or `MOST_WORDS` words the rest is not looked at.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from comity_node.domain.matching.parting import part
from comity_node.lexicon import lexicon
from comity_node.lexicon.letters import romanised, script_of, spelled, words_of
from comity_node.lexicon.words import UNPARTED, Known

FOLDING: Final = 3
"""Stored with folded names; a change of folding or of the lexicon raises it, and what stores them is made anew."""

MOST_LETTERS: Final = 1_000
MOST_WORDS: Final = 60
MOST_GLUED: Final = 6
"""Of how many pieces of a run two side by side are also read as one word."""

TRANSLITERATED: Final = frozenset({"Latin", "Cyrillic", "Greek", "Armenian", "Georgian"})
_JOINING: Final = frozenset("the and und et y e i of al el ve de das dos del des".split())
"""Words that are left out where others are there."""


class Folded(NamedTuple):
    """A name as it is compared."""

    words: tuple[str, ...]
    """In ASCII, without legal forms, in their order; never empty for visible text."""
    legal: tuple[str, ...]
    """Legal forms that fell away, as the lexicon names their kind: llc, jsc, lp ..."""
    also: tuple[str, ...]
    """Other readings of some of the words: the transliteration of what was translated, the translation of what was
    transliterated."""
    han: tuple[str, ...]
    """Pairs of Chinese letters that stand side by side, simplified, without the legal form."""
    script: str
    """In which most of the letters are; one of `letters.SCRIPTS`, or Other."""
    is_generic: bool
    """There are only trades, places, single letters and words that many firms have."""

    @property
    def joined(self) -> str:
        """All words without blanks."""
        return "".join(self.words)


class _Parts(NamedTuple):
    words: list[str]
    also: list[str]
    legal: list[str]
    runs: list[str]
    """Of Han and Kana, without legal forms."""


@lru_cache(maxsize=16_384)
def fold(text: str) -> Folded:
    """Return a name as it is compared."""
    spelt = spelled(text[:MOST_LETTERS])
    native = words_of(spelt)[:MOST_WORDS]
    if "".join(native).isascii():
        parts = _latin(native)
        script = "Latin"
    else:
        parts, script = _any_script(native)
    # Some 27,000 letters (rare ideographs, cuneiform) have no transliteration: "" would equal every other such name.
    words = tuple(parts.words) or tuple(spelt.split()[:MOST_WORDS]) or tuple(text[:MOST_LETTERS].split()[:MOST_WORDS])
    also = tuple(dict.fromkeys([word for word in parts.also if word not in words])) if parts.also else ()
    pairs = [run[i : i + 2] for run in parts.runs for i in range(len(run) - 1)] if parts.runs else ()
    return Folded(words, tuple(parts.legal), also, tuple(dict.fromkeys(pairs)), script, _is_generic(words))


def _is_generic(words: Sequence[str]) -> bool:
    plain = lexicon().plain
    for word in words:
        if len(word) > 1 and not word.isdigit() and word not in plain and bare_word(word) not in plain:
            return False
    return True


LEGAL_FORM_ALONE: Final = "a name of nothing but a legal form names nobody"


def is_legal_form_alone(text: str) -> bool:
    """Return whether a name is a legal form and nothing else, such as "Ltd" or 有限公司; "Sa Sa" is a firm."""
    return len(fold(text).legal) == 1 and fold(f"{_SOMEBODY} {text}").words == (_SOMEBODY,)


_SOMEBODY: Final = "exemplar"


def meaning_of(word: str) -> str | None:
    """Return the English word for a trade, or the usual spelling of a place, that a folded word of any language is."""
    meanings = lexicon().meanings
    return meanings.get(word) or meanings.get(_singular(word))


@lru_cache(maxsize=65_536)
def bare_word(word: str) -> str:
    """Return what a folded word is compared by across languages: its meaning where it has one, else its singular."""
    return meaning_of(word) or _singular(word)


def _singular(word: str) -> str:
    if len(word) < _LEAST_WITH_PLURAL or not word.endswith("s") or word.endswith("ss"):
        return word
    return word[:-3] + "y" if word.endswith("ies") else word[:-1]


_LEAST_WITH_PLURAL: Final = 5


@lru_cache(maxsize=32_768)
def is_in_the_lexicon(word: str) -> bool:
    """Return whether a folded word is short for another, or means one."""
    known = lexicon()
    return word in known.short or word in known.meanings or _singular(word) in known.meanings


def long_form_of(word: str) -> str | None:
    """Return the word that a folded abbreviation stands for."""
    return lexicon().short.get(word)


def _latin(native: list[str]) -> _Parts:
    kept, legal = _without_legal(native)
    return _Parts(_without_joining(kept) or native, [], legal, [])


def _any_script(native: list[str]) -> tuple[_Parts, str]:
    """Return the parts of a name, and the script in which most of its letters are."""
    parts = _Parts([], [], [], [])
    words, parts.legal[:] = _without_legal(native)
    words = list(_without_legal_inside(words, parts.legal)) or native
    known = lexicon().japanese if _JAPANESE.search("\n".join(native)) else lexicon().trades
    start = 0
    while start < len(words):
        script = script_of(words[start])
        if script in UNPARTED:
            _add_run(parts, words[start], script, known)
            start += 1
        else:
            start += _add_known(parts, words, start, lexicon().trades, script in TRANSLITERATED)
    parts.words[:] = _without_joining(parts.words)
    if _UKRAINIAN.search(" ".join(native)):
        parts.also.extend([romanised(word).replace("g", "h") for word in words if "г" in word])
    return parts, _main_script(native)


_JAPANESE: Final = re.compile("[\u3041-\u30ff]|会社|法人|组合")
"""Kana, or what only legal forms of Japan have."""


_UKRAINIAN: Final = re.compile(r"[іїєў]|\b(?:тов|прат|пат|тдв|тзов|фоп|таа|аат|зат|пуп)\b")
"""Letters and legal forms that only Ukrainian and Belarusian have, where г is an h."""


def _add_known(parts: _Parts, words: Sequence[str], start: int, known: Known, transliterated: bool) -> int:
    """Add what begins at a word, translated if the lexicon knows it; return how many words it takes."""
    most = min(len(words) - start, known.longest.get(words[start], 0))
    for size in range(most, 0, -1):
        means = known.sequences.get(tuple(words[start : start + size]))
        if means is not None:
            plain = [romanised(word) for word in words[start : start + size]]
            parts.words.extend(plain if transliterated else means.split())
            parts.also.extend(means.split() if transliterated else plain)
            return size
    plain_word = romanised(words[start])
    parts.words.append(plain_word)
    if "ج" in words[start]:
        # In Egypt it sounds as in "go".
        parts.also.append(plain_word.replace("j", "g"))
    return 1


def _add_run(parts: _Parts, run: str, script: str, known: Known) -> None:
    if script in ("Han", "Kana"):
        parts.runs.append(run)
    pieces = part(run, known)
    for piece in pieces:
        if piece.means:
            parts.words.extend(piece.means.split())
            parts.also.append(romanised(piece.letters))
        else:
            parts.words.append(romanised(piece.letters))
            if script == "Han" and len(piece.letters) >= _PLACE_AND_NAME:
                # An unknown place and a name: each is a word in Latin.
                parts.also.extend(map(romanised, (piece.letters[:2], piece.letters[2:])))
    if len(pieces) > 1:
        parts.also.append("".join(romanised(piece.letters) for piece in pieces))
    for one, other in pairwise(pieces[:MOST_GLUED]):
        if not (one.means and other.means):
            # Who writes Latin does not always see where a firm's own name ends.
            parts.also.append(romanised(one.letters) + romanised(other.letters))


_PLACE_AND_NAME: Final = 4
"""Unknown Chinese letters from which on they may be two words of two."""


def _without_joining(words: list[str]) -> list[str]:
    return [word for word in words if word not in _JOINING] or words


def _without_legal(words: list[str]) -> tuple[list[str], list[str]]:
    """Return the words without legal forms at the beginning and end, and those in between that are certain."""
    table = lexicon().legal
    legal: list[str] = []
    end = len(words)
    while end and (size := _ends_legal(words, end, table)):
        legal.append(table.sequences[tuple(words[end - size : end])])
        end -= size
    kept: list[str] = []
    at = 0
    while at < end:
        most = table.longest.get(words[at])
        size = _stands_legal(words[at : min(end, at + most)], table, begins=not kept) if most else 0
        if size:
            legal.append(table.sequences[tuple(words[at : at + size])])
        else:
            kept.append(words[at])
        at += size or 1
    return (kept, legal) if kept else (words, legal)


def _ends_legal(words: Sequence[str], end: int, table: Known) -> int:
    """Return how many words before a place are the longest legal form that ends there."""
    for size in range(min(end, _ends_of_legal().get(words[end - 1], 0)), 0, -1):
        if tuple(words[end - size : end]) in table.sequences:
            return size
    return 0


@lru_cache(maxsize=1)
def _ends_of_legal() -> dict[str, int]:
    """Return the last word of legal forms to how many words the longest of them has."""
    ends: dict[str, int] = {}
    for words in lexicon().legal.sequences:
        ends[words[-1]] = max(ends.get(words[-1], 0), min(len(words), _LONGEST_LEGAL))
    return ends


def _stands_legal(words: Sequence[str], table: Known, *, begins: bool) -> int:
    """Return how many of these words, from the first on, are a legal form wherever they stand; 0 for none."""
    for size in range(len(words), 0, -1):
        if tuple(words[:size]) in table.sequences and _may_stand(words[:size], begins=begins):
            return size
    return 0


_LONGEST_LEGAL: Final = 8
_CERTAIN: Final = frozenset(
    "bhd co corp inc jsc lda llc llp ltd ltda mmc oao ojsc ooo plc pte pty pvt sarl sdn srl tbk zao".split()
)
"""Short ones that are nothing else, also in the midst of a name."""
_BEGINNING: Final = frozenset("ao cia ctcp cty cv ets eurl pao pt sarl sia ste tnhh tov uab".split())
"""Short ones that stand before the name in some countries; "Sa Sa" is none."""


def _may_stand(words: Sequence[str], *, begins: bool) -> bool:
    """Return whether a legal form that does not end the name can be nothing else."""
    if sum(map(len, words)) > 4 or words[0] in _CERTAIN:
        return True
    return begins and (words[0] in _BEGINNING or not words[0].isascii())


def _without_legal_inside(words: list[str], legal: list[str]) -> Iterator[str]:
    """Yield the words, runs without the legal forms in them."""
    for word in words:
        if script_of(word) not in UNPARTED:
            yield word
            continue
        rest = word
        for form, kind in _fused():
            if form in rest and _stands_in(rest, form):
                legal.append(kind)
                rest = rest.replace(form, " ") if len(form) > 2 else rest.removesuffix(form).removeprefix(form)
        yield from rest.split()


def _stands_in(run: str, form: str) -> bool:
    """Return whether a legal form that a run has in it is no end of a longer word: 分公司 is a branch."""
    if len(form) > 2 or run.startswith(form):
        return True
    longer = any(run[-size:] in lexicon().trades.inside for size in range(len(form) + 1, len(form) + 3))
    return run.endswith(form) and not longer


@lru_cache(maxsize=1)
def _fused() -> list[tuple[str, str]]:
    """Return the legal forms of scripts without blanks, the longest first."""
    return sorted(lexicon().legal.inside.items(), key=lambda form: (-len(form[0]), form[0]))


def _main_script(words: Sequence[str]) -> str:
    letters: dict[str, int] = {}
    for word in words:
        script = script_of(word)
        letters[script] = letters.get(script, 0) + len(word) * (3 if script in ("Han", "Hangul") else 1)
    return max(letters, key=lambda script: (letters[script], script), default="Other")
