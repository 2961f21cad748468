"""Tables for spreadsheet programs, in which nothing that a stranger wrote is ever run as a formula.

A cell that begins with a sign by which some program begins a formula gets an apostrophe before it, in both forms: a
workbook may be saved as CSV later. Which sign parts the cells of a CSV, each program and country decides for itself,
and quotes hold for one of them only: so it stands behind every sign that may part two. Source: OWASP, CSV Injection.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence

Cell = str | int | None
Table = Sequence[Sequence[Cell]]
"""Rows with the headings first."""

_SIGNS = "=+@＝＋－＠-"
_BEGINS_A_FORMULA = (*_SIGNS, "\t", "\r", "\n")
_PARTED = "[,;|\t\r\n][ \u00a0]*"
_BEGINS_BEHIND = re.compile(f"({_PARTED})(?=[{_SIGNS}])")
_LIKE_MASKED = re.compile(f"(^|{_PARTED})(?='+[{_SIGNS}])")
_MASKED = re.compile(f"(^|{_PARTED})'(?='*[{_SIGNS}])")
MOST_IN_A_CELL = 32_767
"""Characters; a spreadsheet program refuses a file with more."""


def harmless(cell: Cell) -> Cell:
    """Return what a cell may hold: text that would begin a formula with an apostrophe before it, cut to what fits."""
    if not isinstance(cell, str):
        return cell
    # The second cut leaves room for the apostrophe before it.
    return without_formula(cell[: MOST_IN_A_CELL - 1])[:MOST_IN_A_CELL]


def without_formula(text: str) -> str:
    """Return a text of any length in which nothing begins a formula."""
    text = _BEGINS_BEHIND.sub(r"\1'", text)
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_BEGINS_A_FORMULA) else text


def masked(text: str) -> str:
    """Return a text as `harmless` does, so that `unmasked` reads it again as it was; it does not begin blank."""
    return str(harmless(_LIKE_MASKED.sub(r"\1'", text)))


def unmasked(text: str) -> str:
    """Return the text that `masked` wrote; any other stays as it is, also with an apostrophe of its own before it."""
    return _MASKED.sub(r"\1", text)


def csv_of(table: Table, notes: Iterable[str]) -> bytes:
    """Return a table as CSV in UTF-8 with a mark by which spreadsheet programs know it, the notes below it."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerows([harmless(cell) for cell in row] for row in table)
    writer.writerows([harmless(note)] for note in notes)
    return b"\xef\xbb\xbf" + written.getvalue().encode("utf-8")


def workbook_of(tables: Mapping[str, Table]) -> bytes:
    """Return tables as a workbook, a sheet each; every text is a text, whatever it begins with."""
    # Here and not above: a node that writes no workbook is spared its 8 MB in each process.
    from openpyxl import Workbook  # noqa: PLC0415
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    book = Workbook(write_only=True)
    for title, table in tables.items():
        sheet = book.create_sheet(title)
        for row in table:
            cells = []
            for value in row:
                cell = WriteOnlyCell(sheet, harmless(value))
                if isinstance(value, str):
                    cell.data_type = "s"
                cells.append(cell)
            sheet.append(cells)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()
