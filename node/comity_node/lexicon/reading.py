"""Reading the lexicon's files, and refusing one that is broken, with its line."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

KINDS: Final = ("legal", "trades", "places")
"""Folders with a file for each language."""
SINGLE: Final = {
    "short.tsv": ("short", "long"),
    "plain-words.tsv": ("word",),
    "letters-alike.tsv": ("variant", "usual"),
    "han-variants.tsv": ("variant", "usual"),
    "sounds.tsv": ("letters", "latin"),
    "number-words.tsv": ("word", "number"),
    "register-parents.tsv": ("register", "parent"),
}
"""Files that stand alone, and their columns."""
COLUMNS: Final = ("written", "means")
"""Columns of all others."""
MOST_LETTERS: Final = 100
_MEANS: Final = re.compile("[a-z0-9]+(?: [a-z0-9]+)*")


class BrokenFile(ValueError):
    """A file of the lexicon that cannot be used."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}, line {line}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the lexicon."""

    file: str
    language: str
    """The file's name: an ISO 639-1 code, or what the file is about."""
    written: str
    means: str
    """In ASCII and lower case; empty where the file has one column."""


def read(kind: str) -> list[Row]:
    """Return the rows of a kind, as its files have them.

    Raises:
        BrokenFile: a file of it breaks a rule.
    """
    return [row for file in _files(kind) for row in rows_of(f"{kind}/{file.name}", file.read_text("utf-8"), COLUMNS)]


def read_single(name: str) -> list[Row]:
    """Return the rows of a file that stands alone.

    Raises:
        BrokenFile: it breaks a rule.
    """
    return list(rows_of(name, files(__package__).joinpath(name).read_text("utf-8"), SINGLE[name]))


def check() -> dict[str, int]:
    """Return file to number of rows.

    Raises:
        BrokenFile: a file breaks a rule.
    """
    rows = [row for kind in KINDS for row in read(kind)] + [row for name in SINGLE for row in read_single(name)]
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.file] = counts.get(row.file, 0) + 1
    return counts


def rows_of(file: str, text: str, columns: tuple[str, ...]) -> Iterator[Row]:
    """Yield the rows of one file.

    Raises:
        BrokenFile: no source is given, a row has other columns, is written twice, is not tidy, or its meaning is not
            in ASCII and lower case.
    """
    lines = text.splitlines()
    if not any(line.startswith("# source: ") for line in lines):
        raise BrokenFile(file, 1, 'no "# source: " says where its rows come from')
    first = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    if first == len(lines) or tuple(lines[first].split("\t")) != columns:
        raise BrokenFile(file, first + 1, f"the columns must be {', '.join(columns)}, parted by tabs")
    seen: dict[str, int] = {}
    for number, line in enumerate(lines[first + 1 :], first + 2):
        cells = line.split("\t")
        _check_row(file, number, cells, columns)
        if cells[0] in seen:
            raise BrokenFile(file, number, f"{cells[0]!r} stands in line {seen[cells[0]]} already")
        seen[cells[0]] = number
        yield Row(file, file.rpartition("/")[2].removesuffix(".tsv"), cells[0], cells[1] if len(cells) > 1 else "")


def _check_row(file: str, number: int, cells: list[str], columns: tuple[str, ...]) -> None:
    if len(cells) != len(columns):
        raise BrokenFile(file, number, f"{len(cells)} cells instead of {len(columns)}")
    for cell in cells:
        if not cell or cell != " ".join(cell.split()) or cell != unicodedata.normalize("NFC", cell):
            raise BrokenFile(file, number, f"{cell!r} is empty, has blanks too many or is not composed (NFC)")
        if len(cell) > MOST_LETTERS:
            raise BrokenFile(file, number, f"longer than {MOST_LETTERS} letters")
    if columns == COLUMNS and not _MEANS.fullmatch(cells[1]):
        raise BrokenFile(file, number, f"{cells[1]!r} is not in lower-case ASCII words")


def _files(kind: str) -> list[Traversable]:
    folder = files(__package__).joinpath(kind)
    return sorted((file for file in folder.iterdir() if file.name.endswith(".tsv")), key=lambda file: file.name)
