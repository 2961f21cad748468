"""Reading a CSV whose encoding and delimiter nobody said: detected where it is certain, refused with the line else."""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import BinaryIO, Final

from comity_node.domain.tables.lines import MAX_FILE_BYTES, FileTooLarge, Lines, TextRow, codec_of, split, text_rows
from comity_node.domain.tables.table import CsvForm, Row, Table, TableRefused, checked_headings, counted

MOST_LINE_BYTES: Final = 256 * 1024
"""A cell of a spreadsheet holds 32,767 characters."""
ONE_COLUMN: Final = "\x1f"
"""The delimiter of a file that has none."""
_DELIMITERS: Final = (",", ";", "\t", "|")
_SAMPLE: Final = 50
_PIECE: Final = 1024 * 1024

ENCODINGS: Final = {
    "utf-8": "all",
    "utf-16": "all",
    "windows-1252": "Western Europe",
    "windows-1250": "Central Europe",
    "windows-1251": "Cyrillic",
    "windows-1253": "Greek",
    "windows-1254": "Turkish",
    "windows-1256": "Arabic",
    "gb18030": "Chinese",
    "big5": "Chinese, Taiwan",
    "shift_jis": "Japanese",
    "euc_kr": "Korean",
}
"""Encodings that can be told, and for what. Which of the old ones a file is in, nobody can tell for certain."""

_MARKS: Final = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def open_csv(
    stream: BinaryIO, encoding: str | None = None, delimiter: str | None = None, *, ragged: bool = False
) -> Table:
    """Open a text with delimiters.

    Args:
        stream: The file at its beginning; it can be read from there again.
        encoding: If somebody said it, one of `ENCODINGS`.
        delimiter: If somebody said it.
        ragged: Whether a row may have further cells to the right of the last heading.

    Raises:
        TableRefused: see there; while iterating: too many bytes or rows.
    """
    if encoding is not None and encoding not in ENCODINGS:
        raise TableRefused(f"the encoding is one of {', '.join(ENCODINGS)}; nothing was read")
    stream, found, marked = _decodable(_with_usual_ends(stream), encoding)
    if found.startswith("windows") and _is_utf8(stream):
        raise TableRefused(
            f"the file is written in UTF-8, and read as {found} its letters would be others; nothing was read. Leave "
            "the encoding out"
        )
    expected = _check_text(stream, found) if encoding is None else _count_lines(stream)
    start = len(codecs.BOM_UTF8) if found == "utf-8" and _begins_with_mark(stream) else 0
    stream.seek(start)
    form = CsvForm(delimiter or _guess_delimiter(stream, found), found, marked=marked or found != "utf-8")
    stream.seek(start)
    lines = Lines(stream, MOST_LINE_BYTES)
    first = lines.next()
    if first is None or first[1] is None:
        raise TableRefused("the file is empty" if first is None else "the first line is too long for headings")
    try:
        headings = checked_headings(split(first[1].decode(codec_of(found)), form))
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableRefused(f"the first line cannot be read as {found} with its delimiter; nothing was read") from error
    return Table(
        headings,
        counted(_rows(lines, form, len(headings), ragged=ragged), to_the_last=True),
        form,
        max(0, expected - 1),
    )


def _with_usual_ends(stream: BinaryIO) -> BinaryIO:
    """Return a file in which the byte 10 ends a line, where only the byte 13 does, as old programs on a Mac have it."""
    begin = stream.read(MOST_LINE_BYTES)
    stream.seek(0)
    if b"\r" not in begin or b"\n" in begin:
        return stream
    whole = stream.read(MAX_FILE_BYTES + 1)
    stream.seek(0)
    return stream if b"\n" in whole else io.BytesIO(whole.replace(b"\r", b"\n"))


def _begins_with_mark(stream: BinaryIO) -> bool:
    stream.seek(0)
    return stream.read(3) == codecs.BOM_UTF8


def _decodable(stream: BinaryIO, told: str | None) -> tuple[BinaryIO, str, bool]:
    """Return the file in an encoding in which the byte 10 ends a line, that encoding, and whether it was marked."""
    begin = stream.read(4096)
    stream.seek(0)
    mark = next((mark for mark in _MARKS if begin.startswith(mark)), b"")
    found = _MARKS.get(mark) or (_byte_order(begin) if told == "utf-16" else told) or _without_mark(begin)
    if not found.startswith("utf-16"):
        return stream, found, bool(mark)
    decoder = codecs.getincrementaldecoder(found)("strict")
    stream.seek(len(mark))
    written = io.BytesIO()
    size = 0
    try:
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > MAX_FILE_BYTES:
                raise TableRefused(f"the file is larger than {MAX_FILE_BYTES} bytes; nothing was read")
            written.write(decoder.decode(piece).encode("utf-8"))
        written.write(decoder.decode(b"", final=True).encode("utf-8"))
    except UnicodeError as error:
        raise TableRefused("the file begins as UTF-16 and cannot be read as that; nothing was read") from error
    written.seek(0)
    return written, "utf-8", True


def _without_mark(begin: bytes) -> str:
    # Half the bytes of Latin text in UTF-16 are zero, and no other text has one.
    zeros = begin.count(0)
    if zeros * 4 < len(begin):
        return "utf-8"
    return _byte_order(begin)


def _byte_order(begin: bytes) -> str:
    return "utf-16-le" if begin[1::2].count(0) >= begin[0::2].count(0) else "utf-16-be"


def _check_text(stream: BinaryIO, encoding: str) -> int:
    """Return how many lines there are.

    Raises:
        TableRefused: it is no UTF-8, with the first line that is none; a few bad lines in it are told row by row.
    """
    bad, good, count = 0, 0, 0
    first_bad: int | None = None
    stream.seek(0)
    for line in _each_line(stream):
        count += 1
        if line.isascii():
            continue
        try:
            line.decode(encoding)
            good += 1
        except UnicodeDecodeError:
            bad, first_bad = bad + 1, first_bad or count
    if first_bad is not None and bad >= good:
        stream.seek(0)
        # No other text has a byte that is zero.
        wide = 0 in (begin := stream.read(_PIECE)) and _reads(stream, _byte_order(begin))
        fit = [name for name, what in ENCODINGS.items() if what != "all" and not wide and _reads(stream, name)]
        possible = ["utf-16"] if wide else [f"{name} ({ENCODINGS[name]})" for name in fit]
        raise TableRefused(
            f"line {first_bad} is not written in UTF-8, and nobody can tell for certain in what; nothing was read. "
            "Save it as CSV UTF-8, or say its encoding; it can be read as "
            f"{', '.join(possible) or 'none that is known'}"
        )
    return count


def _each_line(stream: BinaryIO) -> Iterator[bytes]:
    size = 0
    while line := stream.readline(MOST_LINE_BYTES):
        size += len(line)
        if size > MAX_FILE_BYTES:
            raise TableRefused(f"the file is larger than {MAX_FILE_BYTES} bytes; nothing was read")
        yield line


def _count_lines(stream: BinaryIO) -> int:
    stream.seek(0)
    return sum(1 for _ in _each_line(stream))


def _is_utf8(stream: BinaryIO) -> bool:
    """Tell whether there are letters beyond ASCII, all of them as UTF-8 has them: in no other encoding that is text."""
    stream.seek(0)
    return not all(line.isascii() for line in _each_line(stream)) and _reads(stream, "utf-8")


def _reads(stream: BinaryIO, encoding: str) -> bool:
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(codec_of(encoding))("strict")
    try:
        while piece := stream.read(_PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _guess_delimiter(stream: BinaryIO, encoding: str) -> str:
    """Return the delimiter with which most rows have as many cells as there are headings, and the most of these.

    Of two, it is the one that no blanks follow.
    """
    sample = [stream.readline(MOST_LINE_BYTES).decode(codec_of(encoding), "replace") for _ in range(_SAMPLE)]
    lines = [line for line in sample if line.strip()]
    best, likest = ONE_COLUMN, (0, 0, 0)
    for delimiter in _DELIMITERS:
        cells = [_cells_in(line, delimiter) for line in lines]
        if not cells or cells[0] < 2:
            continue
        # As in `Exemplar, Inc;MY`.
        in_sentences = sum(line.count(f"{delimiter} ") for line in lines)
        likeness = (sum(count == cells[0] for count in cells), cells[0], -in_sentences)
        if likeness > likest:
            best, likest = delimiter, likeness
    return best


def _cells_in(line: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:
        return 0


def _rows(lines: Lines, form: CsvForm, width: int, *, ragged: bool) -> Iterator[Row]:
    blank: list[Row] = []
    try:
        for row in text_rows(lines, form, blank_too=True):
            read = _row(row, form, width, ragged=ragged)
            if row.reason is None and not row.cells:
                blank.append(read)
                continue
            # A line with nothing in it is a row too, unless nothing follows: the rows stay where they were.
            yield from (*blank, read)
            blank.clear()
    except FileTooLarge as error:
        raise TableRefused(f"the file is larger than {MAX_FILE_BYTES} bytes") from error


def _row(row: TextRow, form: CsvForm, width: int, *, ragged: bool) -> Row:
    cells, reason = row.cells, row.reason
    if reason is not None and row.raw is not None:
        cells = tuple(row.raw.decode(codec_of(form.encoding), "replace").rstrip("\r\n").split(form.delimiter))
        # A lone inch sign quotes nothing.
        quoted = any(cell.lstrip().startswith(form.quote) for cell in cells)
        # A line end within it may be that of another row.
        if len(cells) == width and not quoted and not any(c in cell for cell in cells for c in "\ufffd\r"):
            reason = None
    # Spreadsheet programs leave off empty cells at the right.
    inside, beyond = cells[:width], cells[width:]
    inside += ("",) * (width - len(inside))
    if reason is None and ragged:
        return Row(row.line, inside, beyond=beyond)
    if any(cell.strip() for cell in beyond):
        reason = reason or f"it has {len(cells)} cells where there are {width} headings"
        inside = (*inside[:-1], form.delimiter.join((inside[-1], *beyond)))
    return Row(row.line, inside, reason)
