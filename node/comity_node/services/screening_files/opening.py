"""Opening what somebody gives to be screened, whatever it is: a CSV, a workbook, or a package of a tender."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from comity_node.domain.screening_files.columns import Columns, map_columns
from comity_node.domain.screening_files.ocds import open_package
from comity_node.domain.screening_files.results import answered_in
from comity_node.domain.tables import pasted
from comity_node.domain.tables.csv_table import open_csv
from comity_node.domain.tables.table import Table, TableRefused
from comity_node.domain.tables.workbook import open_workbook_table
from comity_node.vocabulary import countries

_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_OPEN_DOCUMENT = b"application/vnd.oasis.opendocument"
_OTHERS = {
    b"%PDF": "a PDF",
    b"{\\rtf": "a text document (.rtf)",
    b"<": "a web page or XML",
    b"\x1f\x8b": "a packed file (.gz)",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"[{": "a JSON list, and no OCDS package",
}
"""How files begin that people take for tables."""


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody said of a file; the rest is guessed."""

    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    delimiter: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A file whose rows can be asked about, once."""

    table: Table
    columns: Columns

    def in_words(self) -> list[str]:
        """Return how it is read, for somebody to confirm."""
        return [self.table.in_words(), *self.columns.in_words()]


NOTHING_TOLD = Told()


def open_table(stream: BinaryIO, told: Told = NOTHING_TOLD, *, ragged: bool = False) -> Table:
    """Open a file as a table.

    Args:
        stream: the file at its beginning; it can be read from there again.
        told: what somebody said of it.
        ragged: whether a row may have further cells to the right of the last heading.

    Raises:
        TableRefused: it cannot be read, with what to do.
    """
    begin = stream.read(4096)
    stream.seek(0)
    if begin.startswith(b"PK\x03\x04"):
        if _OPEN_DOCUMENT in begin[:100]:
            raise TableRefused("this is an OpenDocument file (.ods); save it as .xlsx or CSV UTF-8")
        return open_workbook_table(stream, ragged=ragged)
    if begin.startswith(_OLD_WORKBOOK):
        raise TableRefused(
            "this is a workbook of the old form (.xls), or one that opens with a password; save it as .xlsx without "
            "one, or as CSV UTF-8"
        )
    text = begin.removeprefix(b"\xef\xbb\xbf").lstrip()
    for beginning, what in _OTHERS.items():
        if text.startswith(beginning):
            raise TableRefused(f"this is {what}; nothing was read. Save its rows as .xlsx or as CSV UTF-8")
    if text.startswith(b"{"):
        return open_package(stream)
    return open_csv(stream, told.encoding, told.delimiter, ragged=ragged)


def open_given(stream: BinaryIO, told: Told = NOTHING_TOLD) -> Opened:
    """Open a file that is to be screened.

    Raises:
        TableRefused: it cannot be read, or no column is known to hold a name or a number.
    """
    table = open_table(stream, told)
    return Opened(table, map_columns(table.headings, told.columns, answered_in(table.headings)))


def open_list(stream: BinaryIO, told: Told = NOTHING_TOLD) -> Opened:
    """Open a list that is screened against: `id,name,country,other_name…`, further cells being further names.

    Raises:
        TableRefused: it cannot be read, or no column is known to hold a name or a number.
    """
    table = open_table(stream, told, ragged=True)
    return Opened(table, map_columns(table.headings, told.columns, answered_in(table.headings)))


def open_pasted(raw: bytes) -> Opened:
    """Open a list as somebody pasted it: one name a line, its country behind a tab.

    Raises:
        TableRefused: it is empty, too large or not in UTF-8.
    """
    table = pasted.open_pasted(raw, countries().read)
    return Opened(table, map_columns(table.headings))
