"""A register's file as rows of cells: read as a stream, every length bounded, one bad row never spoils the next."""

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, ClassVar

from comity_node.domain.register.mapping import FileForm
from comity_node.domain.spelling import tidy
from comity_node.domain.tables.lines import MAX_FILE_BYTES, FileTooLarge, Lines, TextRow, codec_of, split, text_rows
from comity_schemas.errors import ComityError

MAX_ROWS = 200_000
MAX_COLUMNS = 200
_DIGITS_OF_A_ROW = 5
"""A first line with a cell of so many digits is a row, not a header; rows are never quoted."""


class ProblemKind(StrEnum):
    """Why a row was not imported."""

    NATURAL_PERSON = "natural-person"
    NOT_LISTED = "not-listed"
    UNREADABLE = "unreadable"
    DOES_NOT_FIT = "does-not-fit"
    REPEATED = "repeated"
    """The same row stands further up; nothing is lost."""
    CONTRADICTORY = "contradictory"
    PARSED_ONLY = "parsed-only"
    """It was read, and its mapping says why nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row that was not imported. The reason never repeats what stands in the row."""

    line: int
    kind: ProblemKind
    reason: str


@dataclass(frozen=True, slots=True)
class Cells:
    """The mapped cells of one row, by column; `line` is where it starts, the header's line being 1."""

    line: int
    by_column: dict[str, str]


class RegisterUnreadable(ComityError):
    """The file is not what the mapping describes; nothing of it can be imported."""

    code: ClassVar[str] = "import.file-unreadable"


def header_of(stream: BinaryIO, form: FileForm) -> list[str]:
    """Return the columns that a file has, for whoever does not know them yet.

    Raises:
        RegisterUnreadable: no header.
    """
    return _header(Lines(stream), form, ())


def open_table(stream: BinaryIO, form: FileForm, wanted: Collection[str]) -> Iterator[Cells | RowProblem]:
    """Return the rows below the header; the header itself is checked at once.

    Args:
        stream: The file, opened for bytes.
        form: Delimiter, quotes and encoding.
        wanted: The columns to read; all others are passed over.

    Raises:
        RegisterUnreadable: no header, a wanted column is missing or stands there twice; while iterating: the file
            has too many bytes or rows.
    """
    lines = Lines(stream)
    header = _header(lines, form, wanted)
    return _rows(lines, form, header, frozenset(wanted))


def _header(lines: Lines, form: FileForm, wanted: Collection[str]) -> list[str]:
    try:
        first = lines.next()
    except FileTooLarge as error:
        raise RegisterUnreadable(f"the file is larger than {MAX_FILE_BYTES} bytes") from error
    if first is None or first[1] is None:
        raise RegisterUnreadable("the file is empty" if first is None else "the first line is too long for a header")
    raw = first[1]
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise RegisterUnreadable(f"the file is written in UTF-16, the mapping says {form.encoding}")
    try:
        line = raw.removeprefix(b"\xef\xbb\xbf").decode(codec_of(form.encoding))
        header = [tidy(cell) for cell in split(line, form)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise RegisterUnreadable(f"the first line cannot be read as {form.encoding} with its delimiter") from error
    if len(header) > MAX_COLUMNS:
        raise RegisterUnreadable(f"the file has more than {MAX_COLUMNS} columns")
    missing = [column for column in wanted if column not in header]
    if missing:
        raise RegisterUnreadable(_missing(missing, header, line, form))
    twice = [column for column in wanted if header.count(column) > 1]
    if twice:
        raise RegisterUnreadable(f"the column {twice[0]!r} stands there twice")
    return header


def _missing(missing: list[str], header: list[str], line: str, form: FileForm) -> str:
    said = f"the file has no column {', '.join(map(repr, missing))}"
    if any(sum(c.isdigit() for c in cell) >= _DIGITS_OF_A_ROW for cell in header):
        return f"{said}; its first line looks like a row and not like a header, so it is not shown"
    for other in ",;\t|":
        if other != form.delimiter and missing[0] in map(tidy, line.split(other)):
            return f"{said}; its delimiter seems to be {other!r}, the mapping says {form.delimiter!r}"
    return f"{said}; its columns are {', '.join(repr(cell[:60]) for cell in header[:30])}"


def _rows(lines: Lines, form: FileForm, header: list[str], wanted: frozenset[str]) -> Iterator[Cells | RowProblem]:
    for count, row in enumerate(_bounded(text_rows(lines, form)), start=1):
        if count > MAX_ROWS:
            raise RegisterUnreadable(f"the file has more than {MAX_ROWS} rows")
        reason = row.reason
        if reason is None and len(row.cells) != len(header):
            reason = f"it has {len(row.cells)} cells where the header has {len(header)}"
        if reason is not None:
            yield RowProblem(row.line, ProblemKind.UNREADABLE, reason)
        elif any(cell.strip() for cell in row.cells):
            named = zip(header, map(tidy, row.cells), strict=True)
            yield Cells(row.line, {column: cell for column, cell in named if column in wanted})


def _bounded(rows: Iterator[TextRow]) -> Iterator[TextRow]:
    try:
        yield from rows
    except FileTooLarge as error:
        raise RegisterUnreadable(f"the file is larger than {MAX_FILE_BYTES} bytes") from error
