"""A table as it was read: headings, and rows one at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import ClassVar

from comity_schemas.errors import ComityError

MAX_ROWS = 200_000
MAX_COLUMNS = 200
MOST_OF_A_WORKBOOK = 1_048_576
"""Rows that the form allows, most of them empty."""

Value = str | int | float | bool | date | datetime | time | None
"""What a cell can hold; a CSV holds texts only."""


class TableRefused(ComityError):
    """The file is no table that can be read, or it is too large; nothing of it was taken."""

    code: ClassVar[str] = "table.refused"


@dataclass(frozen=True, slots=True)
class Row:
    """One row, with as many cells as there are headings."""

    number: int
    """Of a workbook the row, of a text the line where it begins; the headings are 1."""
    cells: tuple[Value, ...]
    reason: str | None = None
    """Why it cannot be read, without its content; its cells are then as much of it as could be made out."""
    beyond: tuple[str, ...] = ()
    """Cells to the right of the last heading, where the table was opened to allow them."""
    formulas: frozenset[int] = frozenset()
    """Places of cells that hold a formula or an error: it is shown as text and never computed."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing but blanks stands in it."""
        return self.reason is None and not any(text_of(cell).strip() for cell in (*self.cells, *self.beyond))


@dataclass(frozen=True, slots=True)
class CsvForm:
    """How a text with delimiters is written."""

    delimiter: str
    encoding: str = "utf-8"
    quote: str = '"'
    marked: bool = False
    """It begins with the mark by which spreadsheet programs know UTF-8, or was written in another encoding."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows are read as they are asked for, once."""

    headings: tuple[str, ...]
    rows: Iterator[Row]
    form: CsvForm | None
    """None: a workbook."""
    expected: int
    """About how many rows there are; for showing how far something is."""
    read_as: str | None = None
    """What was read, where its form does not say that."""

    def in_words(self) -> str:
        """Return how it was read."""
        if self.read_as is not None:
            return self.read_as
        if self.form is None:
            return "a workbook, its first sheet"
        names = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
        return f"CSV with {names.get(self.form.delimiter, 'one column')} in {self.form.encoding}"


def text_of(cell: Value) -> str:
    """Return a cell as text, as somebody would type it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def checked_headings(cells: Sequence[Value]) -> tuple[str, ...]:
    """Return headings without the empty ones at the right.

    Raises:
        TableRefused: there is none, or there are too many.
    """
    headings = [" ".join(text_of(cell).split()) for cell in cells]
    while headings and not headings[-1]:
        headings.pop()
    if not headings:
        raise TableRefused("the first row has no headings; nothing was read. Delete what stands above them")
    if len(headings) > MAX_COLUMNS:
        raise TableRefused(f"the table has more than {MAX_COLUMNS} columns; nothing was read")
    return tuple(headings)


def counted(rows: Iterator[Row], *, to_the_last: bool) -> Iterator[Row]:
    """Give the rows, at most so many; of a workbook, which has a million, empty ones only where something follows.

    Raises:
        TableRefused: there are more.
    """
    count, blank = 0, list[Row]()
    for place, row in enumerate(rows, start=1):
        if row.is_empty and not to_the_last:
            if place > MOST_OF_A_WORKBOOK:
                return
            # Of more than can be given the number is enough.
            if len(blank) <= MAX_ROWS:
                blank.append(row)
            continue
        for each in (*blank, row):
            count += 1
            if count > MAX_ROWS:
                raise TableRefused(f"the table has more than {MAX_ROWS} rows; cut it into several")
            yield each
        blank.clear()
