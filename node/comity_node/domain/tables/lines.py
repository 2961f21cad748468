"""The rows of a text with delimiters, read as a stream: every length bounded, one bad row never spoils the next."""

import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_ROW_BYTES = 16 * 1024
MAX_ROW_LINES = 300
"""A quoted cell may hold line ends, in spreadsheet programs 253; after so many lines its quote counts as never closed.
"""


_AS_PROGRAMS_WRITE_IT = {"shift_jis": "cp932", "euc_kr": "cp949", "big5": "cp950"}
"""An encoding to the wider one that spreadsheet programs mean by its name.

The narrow ones lack signs of many names, such as ㈱ and 髙.
"""


def codec_of(encoding: str) -> str:
    """Return the codec that reads what is said to be in an encoding."""
    return _AS_PROGRAMS_WRITE_IT.get(encoding, encoding)


class Written(Protocol):
    """How a text is written."""

    @property
    def delimiter(self) -> str:
        """Between cells."""

    @property
    def quote(self) -> str:
        """Around cells, or `none`."""

    @property
    def encoding(self) -> str:
        """Of its bytes; one in which a line ends with the byte 10."""


class FileTooLarge(Exception):
    """There are more bytes than are read."""


class BadRow(Exception):
    """One row cannot be read; the text holds nothing of it."""


@dataclass(frozen=True, slots=True)
class TextRow:
    """One row: its cells, or why it cannot be read."""

    line: int
    """Where it begins, the first line of the file being 1."""
    cells: tuple[str, ...]
    reason: str | None = None
    raw: bytes | None = None
    """The line of a row that cannot be read, unless it is too long."""


class Lines:
    """The file's lines with their numbers; None stands for a line that is too long."""

    def __init__(self, stream: BinaryIO, most_row_bytes: int = MAX_ROW_BYTES) -> None:
        self.most_row_bytes = most_row_bytes
        self._stream = stream
        self._bytes = 0
        self._number = 0
        self._back: deque[tuple[int, bytes | None]] = deque()

    def next(self) -> tuple[int, bytes | None] | None:
        """Return the next line.

        Raises:
            FileTooLarge: there are more bytes than are read.
        """
        if self._back:
            return self._back.popleft()
        line = self._read_on()
        if not line:
            return None
        self._number += 1
        if len(line) <= self.most_row_bytes:
            return self._number, line
        while line and not line.endswith(b"\n"):
            line = self._read_on()
        return self._number, None

    def put_back(self, lines: list[tuple[int, bytes | None]]) -> None:
        """Give lines again that were taken too early."""
        self._back.extendleft(reversed(lines))

    def _read_on(self) -> bytes:
        line = self._stream.readline(self.most_row_bytes + 1)
        self._bytes += len(line)
        if self._bytes > MAX_FILE_BYTES:
            raise FileTooLarge
        return line


def split(row: str, form: Written) -> list[str]:
    """Return the cells of a row.

    Raises:
        csv.Error: its quotes do not fit.
    """
    if form.quote == "none":
        return row.rstrip("\r\n").split(form.delimiter)
    reader = csv.reader(io.StringIO(row, newline=""), delimiter=form.delimiter, quotechar=form.quote, strict=True)
    cells = next(reader, [])
    if next(reader, None) is not None:
        # A lone quote within a cell made later lines look like a part of it: they are rows of their own.
        raise csv.Error("its quotes do not fit")
    return cells


def text_rows(lines: Lines, form: Written, *, blank_too: bool = False) -> Iterator[TextRow]:
    """Give the rows that are left; lines with nothing but blanks are passed over, or rows without cells.

    Raises:
        FileTooLarge: there are more bytes than are read.
    """
    while (first := lines.next()) is not None:
        number, raw = first
        if raw is not None and not raw.strip():
            if blank_too:
                yield TextRow(number, ())
            continue
        taken = [first]
        try:
            whole = _whole_row(lines, taken, form)
            cells = split(whole, form)
            if _holds_rows(whole, form, len(cells)):
                raise BadRow("a quote is never closed")
        except (csv.Error, BadRow) as error:
            # What was taken for this row's continuation may be good rows of their own.
            lines.put_back(taken[1:])
            yield TextRow(number, (), str(error) if isinstance(error, BadRow) else "its quotes do not fit", raw)
            continue
        yield TextRow(number, tuple(cells))


def _whole_row(lines: Lines, taken: list[tuple[int, bytes | None]], form: Written) -> str:
    row = [_decoded(taken[0][1], lines, form)]
    is_open, size = row[0].count(form.quote) % 2, len(row[0])
    while form.quote != "none" and is_open:
        following = lines.next() if len(taken) < MAX_ROW_LINES else None
        if following is None:
            raise BadRow("a quote is never closed")
        taken.append(following)
        row.append(_decoded(following[1], lines, form))
        is_open, size = (is_open + row[-1].count(form.quote)) % 2, size + len(row[-1])
        if size > lines.most_row_bytes:
            raise BadRow("a quote is never closed")
    return "".join(row)


def _holds_rows(row: str, form: Written, width: int) -> bool:
    """Tell whether the lines within a row look like rows: a quote was not closed, and another one far below was."""
    within = row.splitlines()[1:-1]
    return width > 2 and len(within) > 1 and all(line.count(form.delimiter) == width - 1 for line in within)


def _decoded(line: bytes | None, lines: Lines, form: Written) -> str:
    if line is None:
        raise BadRow(f"it is longer than {lines.most_row_bytes} bytes")
    try:
        return line.decode(codec_of(form.encoding))
    except UnicodeDecodeError as error:
        raise BadRow(f"it is not written in {form.encoding}") from error
