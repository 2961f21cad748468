"""Where two parties are: addresses, unit numbers and branches in names. Pure.

Two facilities are one only where their house numbers agree and no unit number differs; two sites of one company are
`same company, other site`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import takewhile
from typing import Final, NamedTuple

from anyascii import anyascii
from rapidfuzz import fuzz

LEAST_ALIKE: Final = 0.62
"""How alike two addresses with equal house numbers are at least, of 1, to be one."""
CERTAINLY_ALIKE: Final = 0.78
"""Without house numbers they must be that much alike."""
LEAST_SHARED_NUMBERS: Final = 0.5
"""Of the numbers of the shorter address."""


class Place(Enum):
    """What two addresses say."""

    SAME = "the address is the same"
    NEAR = "the address comes close"
    TOWN = "the same town or region is named"
    UNCLEAR = "the addresses tell too little"
    ELSEWHERE = "another town or region is named"
    """It may be the same all the same: a firm's site and its seat, or a town and the region it lies in."""
    OTHER = "the address is another"


@dataclass(frozen=True, slots=True)
class Written:
    """An address as it is compared."""

    words: str
    """Folded, in their order, without numbers and those that every address has."""
    numbers: frozenset[str]


_PIECES: Final = re.compile(r"[a-z]+|[0-9]+")
_LEAST_POSTCODE: Final = 5
_IN_EVERY_ADDRESS: Final = frozenset(
    "a and av ave avenue bldg block building city co code commune cun county dist district economic estate export "
    "floor free industrial industry jalan jl kab km lane lot mah mahallesi moo near no number of park phase plot po "
    "box processing prov province rd road sec section sector sheng shi shed sk sokak sok st street the tel town "
    "township unit via village ward zip zona zone zhen".split()
)


@lru_cache(maxsize=32_768)
def written(address: str) -> Written:
    """Return an address as it is compared."""
    pieces = _PIECES.findall((address if address.isascii() else anyascii(address)).lower())
    # Where numbers stand among the words, each list does otherwise; they are laid beside each other by themselves.
    words = [piece for piece in pieces if piece not in _IN_EVERY_ADDRESS and not piece.isdigit()]
    numbers = {piece.lstrip("0") or "0" for piece in pieces if piece.isdigit()}
    # Postcodes say no house.
    return Written(" ".join(words), frozenset(n for n in numbers if len(n) < _LEAST_POSTCODE))


def compare_addresses(asked: Iterable[str], known: Iterable[str], *, of_places: bool = False) -> tuple[Place, str, str]:
    """Return what the likest two addresses say, and which they are.

    Args:
        asked: As they are written.
        known: As they are written.
        of_places: One side names towns, districts and regions only: no number in them is a house's, and who gives a
            street gives more, nothing else.
    """
    say = _town if of_places else _place
    found = [(say(written(a), written(k)), a, k) for a in asked for k in known if a.strip() and k.strip()]
    order = list(Place)
    return min(found, key=lambda each: order.index(each[0]), default=(Place.UNCLEAR, "", ""))


def _letters(address: Written) -> int:
    return len(address.words) + sum(len(number) + 1 for number in address.numbers)


def _place(one: Written, other: Written) -> Place:
    if min(map(_letters, (one, other))) < _LEAST_LETTERS:
        return Place.UNCLEAR
    alike = (fuzz.token_set_ratio(one.words, other.words) + fuzz.token_sort_ratio(one.words, other.words)) / 200
    fewest = min(len(one.numbers), len(other.numbers))
    if not fewest:
        return Place.NEAR if alike >= CERTAINLY_ALIKE else Place.OTHER
    agree = len(one.numbers & other.numbers) / fewest >= LEAST_SHARED_NUMBERS
    if not agree or alike < LEAST_ALIKE:
        return Place.OTHER
    return Place.SAME if alike >= CERTAINLY_ALIKE else Place.NEAR


def _town(one: Written, other: Written) -> Place:
    if not one.words or not other.words:
        return Place.UNCLEAR
    sides = [
        (all(there), any(there), less.numbers <= more.numbers)
        for less, more in ((one, other), (other, one))
        if (there := [_is_named(w, more) for w in less.words.split() if w not in _OF_REGIONS])
    ]
    if any(whole and numbers for whole, _, numbers in sides):
        return Place.TOWN
    return Place.UNCLEAR if not sides or any(some for _, some, _ in sides) else Place.ELSEWHERE


def _is_named(word: str, address: Written) -> bool:
    """Return whether a word stands in an address, also within what is written without blanks, or with a slip."""
    words = address.words.split()
    if word in words or len(word) < _LEAST_OF_TOWN:
        return word in words
    return word in address.words.replace(" ", "") or any(fuzz.ratio(word, each) >= _LIKE_TOWNS for each in words)


_OF_REGIONS: Final = frozenset(
    "division governorate krai metropolitan municipality oblast prefecture region state".split()
)
_LEAST_OF_TOWN: Final = 4
_LIKE_TOWNS: Final = 85

_LEAST_LETTERS: Final = 8
"""Of an address that tells a place; the name of a country alone is none."""

# --- units and branches in names

_ROMAN: Final = {
    "ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "xi": "11", "xii": "12",
    "xiii": "13", "xiv": "14", "xv": "15", "xvi": "16", "xvii": "17", "xviii": "18", "xix": "19", "xx": "20",
    "ll": "2", "two": "2", "three": "3", "four": "4", "five": "5",
}  # fmt: skip
"""Also "ll" for II, as lists that were typed have it."""
_SINGLE_ROMAN: Final = {"i": "1", "v": "5", "x": "10"}
_UNIT_WORDS: Final = frozenset("unit plant factory no workshop division line mill br branch phase fund".split())
_BRANCH_WORDS: Final = frozenset(
    "branch sucursal filial filiale succursale subesi sube zweigniederlassung fengongsi cabang oddzial".split()
)
_OF_A_SITE: Final = frozenset((*_ROMAN, *_SINGLE_ROMAN, *_BRANCH_WORDS))
_FIGURE: Final = re.compile("[0-9]")
_WITH_NUMBER: Final = re.compile(r"[a-z]{1,5}([0-9]{1,2})")


class Site(NamedTuple):
    """What a name says of which site it is."""

    company: tuple[str, ...]
    """The words without unit numbers and the words that announce them."""
    units: frozenset[str]
    is_branch: bool


def site_of(words: tuple[str, ...]) -> Site:
    """Return what folded words of a name say of the site."""
    letters = "".join(words)
    if letters.isascii() and not _FIGURE.search(letters) and _OF_A_SITE.isdisjoint(words):
        # What most names are.
        return Site(words if len(set(words)) == len(words) else tuple(dict.fromkeys(words)), frozenset(), False)
    company: list[str] = []
    units: set[str] = set()
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        unit = _unit(word, before, is_last=at == len(words) - 1) if at else None
        if unit is not None:
            units.add(unit)
            if company and company[-1] == before and before in _UNIT_WORDS:
                company.pop()
        elif word not in _BRANCH_WORDS and word not in company:
            company.append(word)
    is_branch = any(word in _BRANCH_WORDS for word in words)
    return Site(tuple(company) or words, frozenset(units), is_branch)


def _unit(word: str, before: str, *, is_last: bool) -> str | None:
    if word.isdigit():
        return (word.lstrip("0") or "0") if len(word) < 3 or before in _UNIT_WORDS else None
    if word in _SINGLE_ROMAN:
        return _SINGLE_ROMAN[word] if is_last or before in _UNIT_WORDS else None
    if word in _ROMAN:
        return _ROMAN[word]
    found = _WITH_NUMBER.fullmatch(word)
    return found[1].lstrip("0") if found is not None else None


def are_sister_branches(asked: Sequence[str], known: Sequence[str]) -> bool:
    """Return whether the names of two branches have one company, and go on with different places or numbers."""
    mine, theirs = set(asked), set(known)
    shared = len(mine & theirs)
    return shared >= 2 and shared >= max(len(mine - theirs), len(theirs - mine)) and mine != theirs


_BRANCH_ENDS: Final = ("分公司", "分店", "分厂", "分廠", "支店", "지점", "지사")


def may_have_sisters(text: str, site: Site) -> bool:
    """Return whether a name is of a branch, so that another branch is its sister however little they share."""
    return site.is_branch or text.endswith(_BRANCH_ENDS)


def begin_as_one_company(asked: str, known: str) -> bool:
    """Return whether two names in a script without blanks are of branches that begin alike and are not the same."""
    if not (asked.endswith(_BRANCH_ENDS) and known.endswith(_BRANCH_ENDS)) or asked == known:
        return False
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(asked, known, strict=False)))
    return shared >= _LEAST_COMMON and 2 * shared >= max(len(asked), len(known)) - 3


_LEAST_COMMON: Final = 4
"""Letters that the names of sister branches begin with."""
