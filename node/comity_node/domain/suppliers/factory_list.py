"""A list of factories as somebody gives it: rows become sites, or stay with the reason why not. Nothing is lost.

Rules:
- A list says where somebody buys, never what was found there. It stays at this node: nothing of it is ever published.
- Countries are read by the one list of countries, in whatever spelling; a row whose country nobody can tell is refused
  and kept.
- A column is read only if it is mapped. Coordinates are never read: they expose housing.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from pydantic import ValidationError

from comity_node.domain.register.mapping import FileForm
from comity_node.domain.register.table import (
    Cells,
    ProblemKind,
    RegisterUnreadable,
    RowProblem,
    header_of,
    open_table,
)
from comity_node.domain.spelling import tidy
from comity_node.domain.suppliers.keys import identifier_key, listed_key
from comity_node.domain.tables.table import Table, text_of
from comity_node.domain.tables.workbook import open_workbook_table
from comity_schemas.identifiers import Identifier

MOST_NAME, MOST_ADDRESS = 200, 300
TIERS = range(1, 10)


class Column(StrEnum):
    """What a column can hold."""

    NAME = "name"
    COUNTRY = "country"
    ADDRESS = "address"
    SECTOR = "sector"
    OS_ID = "os_id"
    TIER = "tier"


NEEDED = (Column.NAME, Column.COUNTRY)

_HEADINGS: dict[Column, frozenset[str]] = {
    Column.NAME: frozenset(
        {"name", "facility name", "factory name", "factory", "facility", "supplier name", "supplier"}
    ),
    Column.COUNTRY: frozenset({"country", "country name", "country code"}),
    Column.ADDRESS: frozenset({"address", "facility address", "factory address", "full address"}),
    Column.SECTOR: frozenset({"sector", "product type", "products"}),
    Column.OS_ID: frozenset({"os id", "osid", "oar id"}),
    Column.TIER: frozenset({"tier"}),
}
"""Headings that are understood without being told, in lower case with blanks."""


class Outcome(StrEnum):
    """What became of a row."""

    SITE = "site"
    REPEATED = "repeated"
    """The same site stands further up in this list."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ListedRow:
    """One row of a list. `cells` are the mapped cells as they are written; they stay, whatever became of the row."""

    line: int
    outcome: Outcome
    cells: Mapping[str, str]
    key: str | None = None
    name: str = ""
    country: str = ""
    os_id: Identifier | None = None
    tier: int | None = None
    reason: str | None = None
    """Why it is refused, or which row it repeats; without its content."""


def is_workbook(raw: bytes) -> bool:
    """Tell whether a file is an XLSX workbook by how it begins: then nobody need say how it is written."""
    return raw.startswith(b"PK\x03\x04")


def map_columns(
    stream: BinaryIO, form: FileForm | None, told: Mapping[Column, str]
) -> tuple[dict[Column, str], list[str]]:
    """Return which column holds what, and the columns that are not read.

    Args:
        stream: The file, at its beginning.
        form: Delimiter, quotes and encoding; None: a workbook, of which the first sheet is read.
        told: What somebody said; for the rest the headings must be understood.

    Raises:
        RegisterUnreadable: no name or no country can be found; the columns are named.
        TableRefused: it is no workbook that is opened.
    """
    header = list(open_workbook_table(stream).headings) if form is None else header_of(stream, form)
    found = dict(told)
    for heading in header:
        plain = heading.casefold().replace("_", " ").strip()
        for column, words in _HEADINGS.items():
            if plain in words and column not in found:
                found[column] = heading
    missing = [column for column in NEEDED if column not in found]
    missing += [column for column, heading in found.items() if heading not in header]
    if missing:
        columns = ", ".join(repr(heading[:60]) for heading in header[:30])
        raise RegisterUnreadable(f"no column is known to hold {', '.join(missing)}; the columns are {columns}")
    return found, [heading for heading in header if heading not in found.values()]


def read_list(
    stream: BinaryIO,
    form: FileForm | None,
    columns: Mapping[Column, str],
    read_country: Callable[[str], str | None],
    list_id: str,
) -> Iterator[ListedRow]:
    """Give every row of a list, in its order.

    Args:
        stream: The file, at its beginning.
        form: Delimiter, quotes and encoding; None: a workbook.
        columns: As `map_columns` gives them.
        read_country: The ISO code of a source's spelling; None where nobody can tell.
        list_id: Of this list: a site without an address is known within its list only.

    Raises:
        RegisterUnreadable, TableRefused: it has too many bytes or rows.
    """
    seen: dict[str, int] = {}
    wanted = sorted(set(columns.values()))
    rows = _workbook_rows(open_workbook_table(stream), wanted) if form is None else open_table(stream, form, wanted)
    for row in rows:
        if isinstance(row, RowProblem):
            yield ListedRow(row.line, Outcome.REFUSED, {}, reason=row.reason)
            continue
        listed = _read(row, columns, read_country, list_id)
        if listed.key is not None and listed.key in seen:
            reason = f"the same site stands in line {seen[listed.key]}"
            listed = ListedRow(
                row.line, Outcome.REPEATED, listed.cells, listed.key, listed.name, listed.country, listed.os_id,
                listed.tier, reason,
            )  # fmt: skip
        elif listed.key is not None:
            seen[listed.key] = row.line
        yield listed


def _workbook_rows(table: Table, wanted: Collection[str]) -> Iterator[Cells | RowProblem]:
    places = {heading: table.headings.index(heading) for heading in wanted}
    for row in table.rows:
        if row.is_empty:
            continue
        if row.formulas & set(places.values()):
            yield RowProblem(row.number, ProblemKind.UNREADABLE, "a formula or an error stands in it: write its result")
            continue
        by_column = {heading: tidy(text_of(row.cells[place])) for heading, place in places.items()}
        yield Cells(row.number, by_column)


def _read(
    row: Cells, columns: Mapping[Column, str], read_country: Callable[[str], str | None], list_id: str
) -> ListedRow:
    cells = {column.value: row.by_column[heading] for column, heading in columns.items() if row.by_column[heading]}
    name, address = cells.get(Column.NAME, ""), cells.get(Column.ADDRESS, "")
    country = read_country(cells.get(Column.COUNTRY, ""))
    os_id, tier = _os_id(cells.get(Column.OS_ID, "")), _tier(cells.get(Column.TIER, ""))
    problems = [
        (not any(c.isalnum() for c in name), "it has no name"),
        (len(name) > MOST_NAME, f"its name is longer than {MOST_NAME} characters"),
        (len(address) > MOST_ADDRESS, f"its address is longer than {MOST_ADDRESS} characters"),
        (country is None, "its country is none that the list of countries can read"),
        (os_id is None and Column.OS_ID in cells, "its OS ID has another form, or its check character does not fit"),
        (tier is None and Column.TIER in cells, f"its tier is no number from {TIERS[0]} to {TIERS[-1]}"),
    ]
    for is_so, reason in problems:
        if is_so:
            return ListedRow(row.line, Outcome.REFUSED, cells, reason=reason)
    assert country is not None
    # A name alone tells nobody apart: without an address the site is this list's.
    key = identifier_key(os_id) if os_id is not None else listed_key([name], country, address or f"list {list_id}")
    return ListedRow(row.line, Outcome.SITE, cells, key, name, country, os_id, tier)


def _os_id(written: str) -> Identifier | None:
    try:
        return Identifier.of("OSID", written) if written else None
    except ValidationError:
        return None


def _tier(written: str) -> int | None:
    digits = written.casefold().removeprefix("tier").strip()
    return int(digits) if digits.isdecimal() and len(digits) == 1 and int(digits) in TIERS else None
