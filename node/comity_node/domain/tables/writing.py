"""Writing a table a row at a time, in which nothing that a stranger wrote is ever run as a formula."""

import csv
import errno
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, Protocol

from comity_node.domain.export import MOST_IN_A_CELL, harmless, without_formula
from comity_node.domain.tables.csv_table import ONE_COLUMN
from comity_node.domain.tables.table import CsvForm, TableRefused, Value, text_of

FORMS = ("csv", "xlsx")

_IS_CUT = " [cut here: a cell of a workbook holds no more; a .csv has all of it]"


class Writer(Protocol):
    """Takes rows; the file is whole once it is closed."""

    def write(self, row: Sequence[Value]) -> None:
        """Take one row."""

    def close(self) -> None:
        """End the file."""

    def abandon(self) -> None:
        """Leave nothing behind of a file that is not ended."""


class CsvWriter:
    """Writes CSV in UTF-8, with the mark by which spreadsheet programs know it if what was read had one."""

    def __init__(self, stream: IO[bytes], form: CsvForm | None) -> None:
        delimiter = "," if form is None or form.delimiter == ONE_COLUMN else form.delimiter
        marked = form is None or form.marked
        self._text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
        if marked:
            self._text.write("\ufeff")
        self._writer = csv.writer(self._text, delimiter=delimiter)

    def write(self, row: Sequence[Value]) -> None:
        """Take one row."""
        self._writer.writerow([without_formula(_encodable(c)) if isinstance(c, str) else text_of(c) for c in row])

    def close(self) -> None:
        """End the file; the stream stays open."""
        self._text.flush()
        self._text.detach()

    def abandon(self) -> None:
        """Leave nothing behind; the stream stays open."""
        # What cannot be written any more need not be.
        with suppress(OSError, ValueError):
            self._text.detach()


class WorkbookWriter:
    """Writes a workbook of one sheet; numbers and days of the file that was read stay what they are."""

    def __init__(self, stream: IO[bytes], title: str = "Screening") -> None:
        # Here and not above: a node that writes no workbook is spared its 8 MB in each process.
        from openpyxl import Workbook  # noqa: PLC0415
        from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415

        self._cell, self._illegal = WriteOnlyCell, ILLEGAL_CHARACTERS_RE
        self._stream = stream
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet(title)
        self._sheet.freeze_panes = "A2"

    def write(self, row: Sequence[Value]) -> None:
        """Take one row."""
        cells = []
        for value in row:
            if not isinstance(value, str):
                cells.append(self._cell(self._sheet, _fits(value)))  # type: ignore[arg-type]
                continue
            cell = self._cell(self._sheet, harmless(_fitting(self._illegal.sub("\ufffd", _encodable(value)))) or None)
            cell.data_type = "s" if value else "n"
            cells.append(cell)
        with self._plainly_full():
            self._sheet.append(cells)

    def close(self) -> None:
        """End the file; the stream stays open."""
        with self._plainly_full():
            self._book.save(self._stream)

    def abandon(self) -> None:
        """Leave nothing behind, also not the rows that the library wrote to a file of its own."""
        for end in (self._sheet.close, self._sheet._writer.cleanup):
            with suppress(Exception):
                end()

    @contextmanager
    def _plainly_full(self) -> Iterator[None]:
        """Turn what the library says of a full disk into what everything else says of it."""
        # It writes by lxml where that is there, and by files of Python elsewhere.
        of_lxml = getattr(sys.modules.get("lxml.etree"), "SerialisationError", OSError)
        try:
            yield
        except of_lxml as error:
            if isinstance(error, OSError):
                raise
            number = getattr(errno, str(error).removeprefix("IO_"), errno.EIO)
            raise OSError(number, os.strerror(number)) from error


def _encodable(text: str) -> str:
    # A lone surrogate, which no encoding has, can come out of a workbook or JSON.
    return text.encode("utf-8", "replace").decode("utf-8")


def _fitting(text: str) -> str:
    """Return a text that a cell of a workbook holds, which says itself where something is left off."""
    apostrophes = len(without_formula(text)) - len(text)
    if len(text) + apostrophes < MOST_IN_A_CELL:
        return text
    return text[: max(0, MOST_IN_A_CELL - 1 - apostrophes - len(_IS_CUT))] + _IS_CUT


def _fits(value: Value) -> Value:
    # A workbook knows no zones and no days before 1900.
    if isinstance(value, datetime | time) and value.tzinfo is not None:
        return value.isoformat()
    if isinstance(value, date) and value.year < 1900:
        return value.isoformat()
    return value


def form_of(path: Path) -> str:
    """Return in which form a file of this name is written.

    Raises:
        TableRefused: none that can be.
    """
    form = path.suffix.lower().removeprefix(".")
    if form not in FORMS:
        raise TableRefused(f"the result is written as .csv or .xlsx, by the name of the file; {path.name} is neither")
    return form


@contextmanager
def writing(form: str, stream: IO[bytes], read: CsvForm | None) -> Iterator[Writer]:
    """Give what writes a form; the file is whole at the end of the block, and nothing is left where it is left early.

    Raises:
        OSError: there is no room for it.
    """
    writer = writer_for(form, stream, read)
    try:
        yield writer
        writer.close()
    except BaseException:
        writer.abandon()
        raise


def writer_for(form: str, stream: IO[bytes], read: CsvForm | None) -> Writer:
    """Return what writes a form; a CSV gets the delimiter of the one that was read."""
    return CsvWriter(stream, read) if form == "csv" else WorkbookWriter(stream)
