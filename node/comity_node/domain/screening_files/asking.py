"""Whom a row asks about: cells become a party, or a reason why nobody can be asked about."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from pydantic import ValidationError

from comity_node.domain.asked_names import MOST_NAME, read_name
from comity_node.domain.matching.party import Party
from comity_node.domain.screening_files.columns import Columns, What
from comity_node.domain.spelling import tidy
from comity_node.domain.tables.table import Row, text_of
from comity_schemas.identifiers import Identifier

MOST_ADDRESS: Final = 500
MOST_NAMES: Final = 20
MOST_NUMBERS: Final = 20

ReadCountry = Callable[[str], str | None]
"""The ISO code of a spelling; None where nobody can tell."""

_BETWEEN: Final = re.compile(r"[;|\n]")
_MADE_A_NUMBER: Final = re.compile(r"^(\d+)\.0+$")
"""What a program leaves of a number that it took for a quantity."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One row, read."""

    row: Row
    key: str = ""
    """Its own number, as the file has it."""
    names: tuple[str, ...] = ()
    country: str | None = None
    address: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    good: str = ""
    refused: str | None = None
    """Why nobody is asked about; what stands there is not repeated."""
    notes: tuple[str, ...] = ()
    """What of it was not used, or read otherwise than it is written."""

    @property
    def party(self) -> Party:
        """What identity is judged by."""
        return Party(self.names, self.country, () if self.address is None else (self.address,), self.identifiers)

    @property
    def asks(self) -> object:
        """What decides what is said of it: rows for which this is equal get the same."""
        return self.names, self.country, self.address, self.identifiers, self.good, self.refused, self.notes


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about a row that somebody should look at; never its content."""

    number: int
    what: str


class Reading:
    """Reads one file's rows, one after another."""

    def __init__(
        self,
        columns: Columns,
        read_country: ReadCountry,
        problem: Callable[[Problem], None],
        *,
        each_once: bool = False,
    ) -> None:
        """Read nothing yet.

        Args:
            columns: which hold what.
            read_country: of a spelling.
            problem: takes what somebody should look at.
            each_once: whoever reads tells of rows with equal ids itself, since it does not do all of them.
        """
        self._each_once = each_once
        self._columns = columns
        self._read_country = read_country
        self._problem = problem
        self._first_of_key: dict[str, int] = {}

    def ask(self, row: Row) -> Asked:
        """Return whom a row asks about, and tell what is wrong with it."""
        asked = self._read(row)
        for what in (*asked.notes, *([asked.refused] if asked.refused else [])):
            self._problem(Problem(row.number, what))
        if self._each_once:
            return asked
        if asked.key and (first := self._first_of_key.setdefault(asked.key, row.number)) != row.number:
            self._problem(Problem(row.number, f"its id stands in row {first} too; both were done"))
        return asked

    def _read(self, row: Row) -> Asked:
        if row.reason is not None:
            return Asked(row, refused=row.reason)
        if row.is_empty:
            return Asked(row, refused="it is empty")
        row = _without_errors(row)
        if row.formulas.intersection(self._places(What.NAME)):
            return Asked(row, refused="its name is a formula or an error, which is never computed: write its result")
        notes = list(self._uncomputed(row))
        names = tuple(dict.fromkeys(self._names(row, notes)))
        if len(names) > MOST_NAMES:
            notes.append(f"it has {len(names)} names, of which the first {MOST_NAMES} were asked about")
        identifiers = self._identifiers(row, notes)
        read = Asked(
            row=row,
            key=self._cell(row, What.ID),
            names=names[:MOST_NAMES],
            country=self._country(row, notes),
            address=self._address(row, notes),
            identifiers=identifiers,
            good=self._cell(row, What.GOOD)[:MOST_NAME],
            notes=tuple(notes),
        )
        return read if read.names or read.identifiers else _nobody(read)

    def _uncomputed(self, row: Row) -> Iterator[str]:
        """Yield what of a row is not used since it is a formula: its text is nobody's address or number."""
        held = [(what.value, places) for what, places in self._columns.places.items()]
        held += [(f"{scheme} number", (place,)) for place, scheme in self._columns.numbers.items()]
        for what, places in held:
            if row.formulas.intersection(places):
                yield f"its {what} is a formula or an error, which is never computed, and was not used"

    def _names(self, row: Row, notes: list[str]) -> Iterator[str]:
        written = [text_of(row.cells[place]) for place in self._places(What.NAME)]
        for place in self._places(What.OTHER_NAME):
            written += _BETWEEN.split(_written(row, place))
        for each in (*written, *row.beyond):
            # Cells in which nothing stands but a dash are as good as empty.
            if not any(c.isalnum() for c in each):
                continue
            read = read_name(each)
            notes += read.notes
            if read.name is None:
                notes.append(f"{read.why}, and was not used")
            else:
                yield read.name

    def _country(self, row: Row, notes: list[str]) -> str | None:
        written = self._cell(row, What.COUNTRY)
        country = self._read_country(written) if written else None
        if written and country is None:
            notes.append("its country is none that the list of countries can read, and was not used")
        return country

    def _address(self, row: Row, notes: list[str]) -> str | None:
        parts = [tidy(_written(row, place)) for place in self._places(What.ADDRESS)]
        address = ", ".join(part for part in parts if part)
        if len(address) > MOST_ADDRESS:
            notes.append(f"an address of more than {MOST_ADDRESS} characters was not used")
            return None
        return address or None

    def _identifiers(self, row: Row, notes: list[str]) -> tuple[Identifier, ...]:
        columns = self._columns.numbers.items()
        written = [(scheme, each) for place, scheme in columns for each in _BETWEEN.split(_written(row, place))]
        told = self._cell(row, What.SCHEME)
        for place in self._places(What.IDENTIFIER):
            for number in _BETWEEN.split(_written(row, place)):
                scheme, colon, rest = number.partition(":")
                written.append((told, number) if told or not colon else (scheme.strip(), rest))
        found = []
        for scheme, number in written:
            if not (number := tidy(number)):
                continue
            try:
                found.append(Identifier.of(scheme, _MADE_A_NUMBER.sub(r"\1", number)))
            except ValidationError:
                which = f"its {scheme} number" if scheme else "a number without its register"
                notes.append(f"{which} has another form, or its check digit does not fit, and was not used")
        numbers = tuple(dict.fromkeys(found))
        if len(numbers) > MOST_NUMBERS:
            notes.append(f"it has {len(numbers)} numbers, of which the first {MOST_NUMBERS} were asked about")
        return numbers[:MOST_NUMBERS]

    def _cell(self, row: Row, what: What) -> str:
        return next((tidy(_written(row, place)) for place in self._places(what)), "")

    def _places(self, what: What) -> tuple[int, ...]:
        return self._columns.places.get(what, ())


def _written(row: Row, place: int) -> str:
    """Return what stands in a cell; nothing where that is a formula."""
    return "" if place in row.formulas else text_of(row.cells[place])


_ERRORS: Final = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})
"""What spreadsheet programs write into a CSV where a formula has no result."""


def _without_errors(row: Row) -> Row:
    """Return a row of a text, in which an error is a text too, with the places of those."""
    errors = {place for place, cell in enumerate(row.cells) if isinstance(cell, str) and cell.strip() in _ERRORS}
    return replace(row, formulas=row.formulas | errors) if errors else row


def _nobody(read: Asked) -> Asked:
    """Return the row with why nobody can be asked about."""
    why = read.notes[0] if read.notes else "it has no name and no number"
    return Asked(read.row, key=read.key, refused=why, notes=read.notes[1:])
