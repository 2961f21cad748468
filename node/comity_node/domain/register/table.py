"""A register's file as rows of cells: read as a stream, every length bounded, one bad row never spoils the next."""

import csv
import io
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, ClassVar

from comity_node.domain.register.mapping import FileForm
from comity_node.domain.spelling import tidy
from comity_schemas.errors import ComityError

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_ROWS = 200_000
MAX_ROW_BYTES = 16 * 1024
MAX_ROW_LINES = 20
"""A quoted cell may hold line ends; after so many lines its quote counts as never closed."""
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


class _Lines:
    """The file's lines with their numbers; None stands for a line that is too long."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._bytes = 0
        self._number = 0
        self._back: deque[tuple[int, bytes | None]] = deque()

    def next(self) -> tuple[int, bytes | None] | None:
        if self._back:
            return self._back.popleft()
        line = self._read_on()
        if not line:
            return None
        self._number += 1
        if len(line) <= MAX_ROW_BYTES:
            return self._number, line
        while line and not line.endswith(b"\n"):
            line = self._read_on()
        return self._number, None

    def put_back(self, lines: list[tuple[int, bytes | None]]) -> None:
        self._back.extendleft(reversed(lines))

    def _read_on(self) -> bytes:
        line = self._stream.readline(MAX_ROW_BYTES + 1)
        self._bytes += len(line)
        if self._bytes > MAX_FILE_BYTES:
            raise RegisterUnreadable(f"the file is larger than {MAX_FILE_BYTES} bytes")
        return line


def header_of(stream: BinaryIO, form: FileForm) -> list[str]:
    """Return the columns that a file has, for whoever does not know them yet.

    Raises:
        RegisterUnreadable: no header.
    """
    return _header(_Lines(stream), form, ())


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
    lines = _Lines(stream)
    header = _header(lines, form, wanted)
    return _rows(lines, form, header, frozenset(wanted))


def _header(lines: _Lines, form: FileForm, wanted: Collection[str]) -> list[str]:
    first = lines.next()
    if first is None or first[1] is None:
        raise RegisterUnreadable("the file is empty" if first is None else "the first line is too long for a header")
    raw = first[1]
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise RegisterUnreadable(f"the file is written in UTF-16, the mapping says {form.encoding}")
    try:
        line = raw.removeprefix(b"\xef\xbb\xbf").decode(form.encoding)
        header = [tidy(cell) for cell in _split(line, form)]
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


def _split(row: str, form: FileForm) -> list[str]:
    if form.quote == "none":
        return row.rstrip("\r\n").split(form.delimiter)
    reader = csv.reader(io.StringIO(row, newline=""), delimiter=form.delimiter, quotechar=form.quote, strict=True)
    return next(reader, [])


def _rows(lines: _Lines, form: FileForm, header: list[str], wanted: frozenset[str]) -> Iterator[Cells | RowProblem]:
    count = 0
    while (first := lines.next()) is not None:
        if first[1] is not None and not first[1].strip():
            continue
        count += 1
        if count > MAX_ROWS:
            raise RegisterUnreadable(f"the file has more than {MAX_ROWS} rows")
        taken = [first]
        try:
            cells = _split(_whole_row(lines, taken, form), form)
            if len(cells) != len(header):
                raise _Unreadable(f"it has {len(cells)} cells where the header has {len(header)}")
        except (csv.Error, _Unreadable) as error:
            # What was taken for this row's continuation may be good rows of their own.
            lines.put_back(taken[1:])
            reason = str(error) if isinstance(error, _Unreadable) else "its quotes do not fit"
            yield RowProblem(first[0], ProblemKind.UNREADABLE, reason)
            continue
        if any(cell.strip() for cell in cells):
            named = zip(header, map(tidy, cells), strict=True)
            yield Cells(first[0], {column: cell for column, cell in named if column in wanted})


class _Unreadable(Exception):
    """One row cannot be read; the text holds nothing of it."""


def _whole_row(lines: _Lines, taken: list[tuple[int, bytes | None]], form: FileForm) -> str:
    row = _decoded(taken[0][1], form)
    while form.quote != "none" and row.count(form.quote) % 2:
        following = lines.next() if len(taken) < MAX_ROW_LINES else None
        if following is None:
            raise _Unreadable("a quote is never closed")
        taken.append(following)
        row += _decoded(following[1], form)
        if len(row) > MAX_ROW_BYTES:
            raise _Unreadable("a quote is never closed")
    return row


def _decoded(line: bytes | None, form: FileForm) -> str:
    if line is None:
        raise _Unreadable(f"it is longer than {MAX_ROW_BYTES} bytes")
    try:
        return line.decode(form.encoding)
    except UnicodeDecodeError as error:
        raise _Unreadable(f"it is not written in {form.encoding}") from error
