"""Workbooks from somebody else's machine: a zip of XML, bounded before it is opened and refused if anything is active.

Formulas are never computed, and not their last result taken either: whoever made the file chose both.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Final

from comity_node.domain.tables.table import (
    MAX_COLUMNS,
    MAX_ROWS,
    Row,
    Table,
    TableRefused,
    Value,
    checked_headings,
    counted,
    text_of,
)

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell, MergedCell
    from openpyxl.cell.read_only import EmptyCell, ReadOnlyCell

    AnyCell = Cell | MergedCell | ReadOnlyCell | EmptyCell

MAX_WORKBOOK_BYTES: Final = 32 * 1024 * 1024
MAX_UNPACKED_BYTES: Final = 384 * 1024 * 1024
"""100,000 rows of twenty cells unpack to some 200 MB."""
MAX_PARTS: Final = 2_000
_ACTIVE = ("vbaproject", "macrosheets/", "externallinks/", "embeddings/", "activex/", "ctrlprops/", "customui")
_DOCTYPES = tuple("<!DOCTYPE".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))
_PIECE = 256 * 1024
_A_ROW = re.compile(rb"<(?:\w{1,10}:)?row[\s/>]")
_LONGEST_TAG = 16


def why_unsafe(parts: zipfile.ZipFile, most_unpacked_bytes: int) -> str | None:
    """Return why a workbook is not opened, in words; None where nothing speaks against it."""
    listed = parts.infolist()
    if len(listed) > MAX_PARTS or sum(part.file_size for part in listed) > most_unpacked_bytes:
        return "the workbook unpacks to more than it could reasonably hold; nothing was read"
    for part in listed:
        if any(active in part.filename.lower() for active in _ACTIVE):
            return (
                "the workbook holds macros, links to other files or embedded things; nothing was read. Copy the values "
                "into a fresh one"
            )
        if part.filename.lower().endswith((".xml", ".rels")) and _declares_type(parts, part):
            return "the workbook declares a document type, which no spreadsheet needs; nothing was read"
    if b"macroEnabled" in parts.read("[Content_Types].xml"):
        return "the workbook is macro-enabled; nothing was read. Save it as .xlsx"
    return None


def _declares_type(parts: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    before = b""
    with parts.open(part) as opened:
        while piece := opened.read(_PIECE):
            window = before + piece
            if any(doctype in window for doctype in _DOCTYPES):
                return True
            before = window[-32:]
    return False


def open_workbook_table(stream: BinaryIO) -> Table:
    """Open the first sheet of a workbook as a table.

    Raises:
        TableRefused: see there; while iterating: too many rows, or a damaged part.
    """
    # Here and not above: a node that meets no workbook is spared its 8 MB in each process.
    from openpyxl import load_workbook  # noqa: PLC0415

    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if size > MAX_WORKBOOK_BYTES:
        raise TableRefused(f"the workbook has {size} bytes; at most {MAX_WORKBOOK_BYTES} are read")
    try:
        with zipfile.ZipFile(stream) as parts:
            why = why_unsafe(parts, MAX_UNPACKED_BYTES)
            if why is not None:
                raise TableRefused(why)
        stream.seek(0)
        book = load_workbook(stream, read_only=True, keep_vba=False, keep_links=False)
        sheet = book.worksheets[0]
        written = _rows_written(stream, sheet._worksheet_path)  # type: ignore[attr-defined]
        # What a file says of its own size is a claim, and many say nothing.
        sheet.reset_dimensions()
        rows = sheet.iter_rows(max_col=MAX_COLUMNS + 1)
        first = next(rows, ())
        headings = checked_headings([_value(cell) for cell in first])
    except TableRefused:
        raise
    # Whatever a damaged workbook makes the library stumble over: it is one refusal, and nothing was read.
    except Exception as error:
        raise TableRefused("this is not an XLSX workbook, or a damaged one; nothing was read") from error
    return Table(
        headings, counted(_rows(rows, len(headings)), to_the_last=False), None, min(MAX_ROWS, max(0, written - 1))
    )


def _rows_written(stream: BinaryIO, part: str) -> int:
    """Return how many rows stand in a sheet, without reading what is in them."""
    count, before = 0, b""
    with zipfile.ZipFile(stream) as parts, parts.open(part) as source:
        while piece := source.read(_PIECE):
            window = before + piece
            # The last bytes are looked at again, with what follows them.
            count += len(_A_ROW.findall(window)) - len(_A_ROW.findall(before))
            before = window[-_LONGEST_TAG:]
    return count


def _rows(rows: Iterator[tuple["AnyCell", ...]], width: int) -> Iterator[Row]:
    number = 1
    try:
        for cells in rows:
            number += 1
            yield _row(number, cells, width)
    except TableRefused:
        raise
    except Exception as error:
        raise TableRefused(f"the workbook is damaged below row {number}") from error


def _row(number: int, cells: tuple["AnyCell", ...], width: int) -> Row:
    formulas = frozenset(
        place for place, cell in enumerate(cells[:width]) if getattr(cell, "data_type", "n") in ("f", "e")
    )
    values: list[Value] = [_value(cell) for cell in cells]
    inside, beyond = values[:width], values[width:]
    inside += [None] * (width - len(inside))
    reason = "it has cells to the right of the last heading" if any(map(text_of, beyond)) else None
    return Row(number, tuple(inside), reason, formulas=formulas)


def _value(cell: "AnyCell") -> Value:
    value = getattr(cell, "value", None)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    try:
        return text_of(value) if not hasattr(value, "isoformat") else value
    except (ValueError, OverflowError):
        return str(value)
