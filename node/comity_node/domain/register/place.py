"""Municipalities out of addresses, and only where it is certain.

An inspected place may be somebody's home or a dormitory, so no part of an address may leave as it is written. A
municipality leaves in the official spelling of a gazetteer, if the address ends in it and in the row's own region, and
no other part of the address could be meant. Everything else is `None`: a missing municipality harms nobody.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from comity_node.domain.spelling import bare, plain, tidy

_TAIL = re.compile(r"^(?P<before>.+?)\s*[/–-]\s*(?P<region>\w+)\s*\.?$")
_SEPARATOR = re.compile(r"[,;]|\s[-–]\s|(?<=\w{4})\.\s")
"""A full stop separates only after a long word: `STA. RITA` and `D. PEDRO II` are one part."""


_NUMBER = re.compile(r"^(?:N[O.º°]*\s*)?(?P<number>\d{1,5})$")
_HOUSE = re.compile(r"^(?P<street>\D+?)\s+(?:N[O.º°]+\s*)(?P<number>\d{1,5})$")

MOST_NAME = 100
"""Characters, as in a finding."""


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Official names of municipalities by region."""

    names: Mapping[tuple[str, str], str]

    @classmethod
    def of(cls, places: Iterable[tuple[str, str]]) -> "Gazetteer":
        """Return the gazetteer of pairs of a region and a municipality in it.

        Raises:
            ValueError: a name is empty, too long or holds a digit.
        """
        names: dict[tuple[str, str], str] = {}
        for region, name in places:
            if not bare(name) or len(name) > MOST_NAME or any(c.isdigit() for c in name):
                raise ValueError(f"{name[:60]!r} is no name of a municipality")
            names[region, bare(name)] = tidy(name)
        return cls(names)

    @classmethod
    def read(cls, text: str) -> "Gazetteer":
        """Return the gazetteer in a text of lines `region<TAB>name`; lines that start with `#` are remarks.

        Raises:
            ValueError: a line is neither.
        """
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        pairs = (line.partition("\t") for line in lines)
        return cls.of((region, name) for region, _, name in pairs)

    def official(self, region: str, written: str) -> str | None:
        """Return the official name of exactly this place, or None."""
        return self.names.get((region, bare(written)))


def parts_of(address: str, cut_at: Collection[str] = ()) -> tuple[list[str], str | None]:
    """Return the parts of an address without its last region, and that region as written.

    Args:
        address: As the source writes it.
        cut_at: Words such as `CEP` from which on nothing belongs to the place's name.
    """
    text = plain(address).strip()
    for word in cut_at:
        text = re.split(rf"\b{re.escape(plain(word))}\b", text, maxsplit=1)[0].strip(" -,.;")
    tail = _TAIL.match(text)
    before, region = (tail["before"], tail["region"]) if tail else (text, None)
    return [part.strip(" .") for part in _SEPARATOR.split(before) if part.strip(" .")], region


def municipality_of(address: str, region: str, gazetteer: Gazetteer, cut_at: Collection[str] = ()) -> str | None:
    """Return the municipality in its official spelling, or None where the address leaves any doubt."""
    parts, ending = parts_of(address, cut_at)
    if not parts or ending != plain(region):
        return None
    named = {gazetteer.official(region, part) for part in parts} - {None}
    found = gazetteer.official(region, parts[-1])
    return found if named == {found} else None


def house_of(address: str, streets: Collection[str], cut_at: Collection[str] = ()) -> tuple[str, str] | None:
    """Return street and house number, however the rest of the address is written; None where they cannot be told.

    `RUA DAS FLORES, 291, BOA VISTA` and `R DAS FLORES 291 - CASA 2` differ in the street's word; `RUA DAS FLORES, 291`
    and `RUA DAS FLORES, Nº 291 - CASA 2` are one house.

    Args:
        address: As the source writes it.
        streets: Words with which a street begins.
        cut_at: As in `parts_of`.
    """
    parts, _ = parts_of(address, cut_at)
    if not parts or parts[0].split()[0].strip(".") not in streets:
        return None
    together = _HOUSE.match(parts[0])
    if together is not None:
        return bare(together["street"]), together["number"]
    alone = _NUMBER.match(parts[1]) if len(parts) > 1 else None
    return None if alone is None or any(c.isdigit() for c in parts[0]) else (bare(parts[0]), alone["number"])


def tells_a_place(address: str, vague: Collection[str], cut_at: Collection[str] = ()) -> bool:
    """Tell whether an address names more than a municipality and words such as `zona rural`."""
    parts, region = parts_of(address, cut_at)
    places = parts[:-1] if region is not None else parts
    meaningless = {bare(word) for word in vague}
    return any(bare(part) not in meaningless for part in places)
