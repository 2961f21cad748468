"""Workbooks from somebody else's machine: a zip of XML, bounded before it is opened and refused if anything is active.

Formulas are never computed, and not their last result taken either: whoever made the file chose both.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
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
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    AnyCell = Cell | MergedCell | ReadOnlyCell | EmptyCell

MAX_WORKBOOK_BYTES: Final = 32 * 1024 * 1024
MAX_UNPACKED_BYTES: Final = 384 * 1024 * 1024
"""100,000 rows of twenty cells unpack to some 200 MB."""
MAX_PARTS: Final = 2_000
_ACTIVE = ("vbaproject", "macrosheets/", "externallinks/", "embeddings/", "activex/", "ctrlprops/", "customui")
_DOCTYPES = tuple("<!DOCTYPE".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))
_PIECE = 256 * 1024
_A_ROW = re.compile(rb"<(?:\w{1,10}:)?row(?=[\s/>])[^>]*>")
_ITS_NUMBER = re.compile(rb"\sr=[\"'](\d{1,9})[\"']")
_STRICT = b"purl.oclc.org/ooxml"
"""In the names of the form that is called Strict, which the library reads as a book without sheets."""
_WRITTEN_OUT = re.compile("_x00([01][0-9A-Fa-f])_")
"""How a workbook writes signs that XML has none for, such as the first half of a line end."""
_LITERALS = re.compile(r'\\.|"[^"]*"|[-/ ()]')
"""What a form of numbers shows between digits."""
_TOLD_SHEETS = 20


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


def open_workbook_table(stream: BinaryIO, *, ragged: bool = False) -> Table:
    """Open the first sheet of a workbook that is shown as a table.

    Args:
        stream: The file.
        ragged: Whether a row may have further cells to the right of the last heading.

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
            if any(_STRICT in parts.read(each) for each in parts.namelist() if each == "xl/workbook.xml"):
                raise TableRefused("this is a workbook of the form Strict Open XML; save it as a usual .xlsx")
        stream.seek(0)
        book = load_workbook(stream, read_only=True, keep_vba=False, keep_links=False)
        sheet, others = _sheets(stream, book)
        written = _rows_written(stream, sheet)
        # What a file says of its own size is a claim, and many say nothing.
        sheet.reset_dimensions()  # type: ignore[attr-defined]
        rows = sheet.iter_rows(max_col=MAX_COLUMNS + 1)
        first = next(rows, ())
        headings = checked_headings([_value(cell) for cell in first])
    except TableRefused:
        raise
    # Whatever a damaged workbook makes the library stumble over: it is one refusal, and nothing was read.
    except Exception as error:
        raise TableRefused("this is not an XLSX workbook, or a damaged one; nothing was read") from error
    return Table(
        headings,
        counted(_rows(rows, len(headings), ragged=ragged), to_the_last=False),
        None,
        min(MAX_ROWS, max(0, written - 1)),
        f"a workbook, its sheet {sheet.title!r}; not read: {', '.join(others)}" if others else None,
    )


def _sheets(stream: BinaryIO, book: "Workbook") -> tuple["Worksheet", list[str]]:
    """Return the sheet that is read, and the names of others in which something stands."""
    sheets: Sequence[Worksheet] = book.worksheets
    # What is hidden is often a list to choose from, and not what somebody means who sees the file.
    read = next((each for each in sheets if each.sheet_state == "visible"), sheets[0])
    written = [each for each in sheets if each is not read and _rows_written(stream, each)]
    others = [repr(e.title) + ("" if e.sheet_state == "visible" else " (hidden)") for e in written[:_TOLD_SHEETS]]
    return read, others + ([f"and {len(written) - _TOLD_SHEETS} further"] if len(written) > _TOLD_SHEETS else [])


def _rows_written(stream: BinaryIO, sheet: "Worksheet") -> int:
    """Return how many rows stand in a sheet, without reading what is in them.

    Raises:
        TableRefused: one stands there twice or out of order: the library would leave it out without a word.
    """
    count, last, before = 0, 0, b""
    with zipfile.ZipFile(stream) as parts, parts.open(sheet._worksheet_path) as source:  # type: ignore[attr-defined]
        while piece := source.read(_PIECE):
            window = before + piece
            cut = window.rfind(b"<")
            whole = len(window) if cut < 0 or b">" in window[cut:] else cut
            for tag in _A_ROW.findall(window[:whole]):
                count += 1
                number = _ITS_NUMBER.search(tag)
                place = last + 1 if number is None else int(number[1])
                if place <= last:
                    raise TableRefused(f"in the workbook row {place} stands twice or out of order; save it anew")
                last = place
            before = window[whole:]
    return count


def _rows(rows: Iterator[tuple["AnyCell", ...]], width: int, *, ragged: bool) -> Iterator[Row]:
    number = 1
    try:
        for cells in rows:
            number += 1
            yield _row(number, cells, width, ragged=ragged)
    except TableRefused:
        raise
    except Exception as error:
        raise TableRefused(f"the workbook is damaged below row {number}") from error


def _row(number: int, cells: tuple["AnyCell", ...], width: int, *, ragged: bool) -> Row:
    uncomputed = {place for place, cell in enumerate(cells) if getattr(cell, "data_type", "n") in ("f", "e")}
    values: list[Value] = [_value(cell) for cell in cells]
    inside = values[:width] + [None] * (width - len(values))
    formulas = frozenset(place for place in uncomputed if place < width)
    beyond = {place: text for place, value in enumerate(values[width:], width) if (text := text_of(value))}
    if ragged and not uncomputed & beyond.keys():
        return Row(number, tuple(inside), beyond=tuple(beyond.values()), formulas=formulas)
    if not beyond:
        return Row(number, tuple(inside), formulas=formulas)
    # Nothing of it is lost: the result has no columns but those with headings, and its own behind them.
    inside[-1] = ", ".join(text for text in (text_of(inside[-1]), *beyond.values()) if text)
    return Row(number, tuple(inside), "it has cells to the right of the last heading", formulas=formulas)


def _with_zeros(number: int, form: str) -> Value:
    """Return a number as it is seen where its form puts zeros before it, as before a tax number: they belong to it."""
    digits = _LITERALS.sub("", form)
    width = len(digits)
    return str(number).zfill(width) if number >= 0 and width > len(str(number)) and set(digits) == {"0"} else number


def _value(cell: "AnyCell") -> Value:
    value = getattr(cell, "value", None)
    if isinstance(value, str):
        return _WRITTEN_OUT.sub(lambda sign: chr(int(sign[1], 16)), value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _with_zeros(value, getattr(cell, "number_format", "") or "")
    if value is None or isinstance(value, float | bool):
        return value
    if getattr(cell, "data_type", "n") == "f":
        # A formula for several cells is no text here.
        return str(getattr(value, "text", None) or "=TABLE()")
    try:
        return text_of(value) if not hasattr(value, "isoformat") else value
    except (ValueError, OverflowError):
        return str(value)
