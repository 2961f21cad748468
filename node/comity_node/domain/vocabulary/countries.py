"""Countries and areas: their names in six languages, and the one place where a source's spelling becomes a code.

What travels is the ISO code. A source's own spelling ("Burma") is read here and stays inside the node; what is shown is
the name of the list, in the reader's language.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from comity_node.domain.spelling import bare
from comity_node.domain.vocabulary.languages import Language
from comity_schemas.countries import COUNTRIES

_COLUMNS = ["code", "alpha3", *(language.value for language in Language), "source", "reviewed", "other"]


@dataclass(frozen=True, slots=True)
class CountryName:
    """One country or area as the list names it. No opinion on anybody's status."""

    code: str
    names: Mapping[Language, str]
    source: str
    reviewed: str | None
    """Who has checked the row in all six languages, and when; None until then."""


class Countries:
    """The list of names, and every spelling it can read."""

    def __init__(self, rows: Mapping[str, CountryName], spellings: Mapping[str, str]) -> None:
        self._rows = rows
        self._spellings = spellings

    def all(self) -> list[CountryName]:
        """Return the whole list, by code."""
        return list(self._rows.values())

    def find(self, code: str) -> CountryName | None:
        """Return a country by its code."""
        return self._rows.get(code)

    def read(self, spelling: str) -> str | None:
        """Return the code that a source means, by code, name or spelling in any case; None where nobody can tell."""
        return self._spellings.get(bare(spelling))


def parse_countries(text: str) -> Countries:
    """Return the list that a file holds.

    Raises:
        ValueError: a row does not fit, a code is missing or twice, or one spelling means two countries; with the line.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line and not line.startswith("#")]
    if not lines or lines[0][1].split("\t") != _COLUMNS:
        raise ValueError(f"the columns are {', '.join(_COLUMNS)}")
    rows: dict[str, CountryName] = {}
    spellings: dict[str, str] = {}
    for number, line in lines[1:]:
        cells = line.split("\t")
        if len(cells) != len(_COLUMNS):
            raise ValueError(f"line {number} has {len(cells)} cells, not {len(_COLUMNS)}")
        row = dict(zip(_COLUMNS, cells, strict=True))
        code = row["code"]
        if code not in COUNTRIES or code in rows or not all(row[name] for name in _COLUMNS[:-1]):
            raise ValueError(f"line {number}: {code} is no listed code, stands there twice, or lacks a cell")
        names = {language: row[language.value] for language in Language}
        reviewed = None if row["reviewed"] == "no" else row["reviewed"]
        rows[code] = CountryName(code, MappingProxyType(names), row["source"], reviewed)
        for spelling in [code, row["alpha3"], *names.values(), *filter(None, row["other"].split("|"))]:
            meant = spellings.setdefault(bare(spelling), code)
            if meant != code:
                raise ValueError(f"line {number}: {spelling} means {meant} already")
    missing = sorted(COUNTRIES - rows.keys())
    if missing:
        raise ValueError(f"{', '.join(missing)} are missing")
    return Countries(rows, spellings)
