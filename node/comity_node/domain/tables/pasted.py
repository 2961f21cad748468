"""A list as somebody pastes it: one name a line, its country behind a tab if it has one, and no headings."""

import re
from collections.abc import Iterator
from typing import Final

from comity_node.domain.tables.table import CsvForm, Row, Table, TableRefused

HEADINGS: Final = ("name", "country")
MOST_BYTES: Final = 1024 * 1024
"""Pasted; whoever has more has a file."""
_TAB: Final = "\t"
_BEFORE: Final = re.compile(r"\s*(?:[-*•‣–]|\d{1,4}[.)])\s+")
"""What stands before each line of a list in a text."""


def open_pasted(raw: bytes) -> Table:
    """Read pasted lines as a table; those with nothing in them are passed over.

    Args:
        raw: in UTF-8.

    Raises:
        TableRefused: it is empty, too large or in another encoding, with the line.
    """
    if len(raw) > MOST_BYTES:
        raise TableRefused(f"the list has more than {MOST_BYTES} bytes; nothing was asked. Screen it as a file")
    lines = [(number, text) for number, text in enumerate(_lines(raw), start=1) if text.strip()]
    if not lines:
        raise TableRefused("the list is empty; give one name a line")
    if len(lines) > 1 and all(_BEFORE.match(text) for _, text in lines):
        lines = [(number, _BEFORE.sub("", text, count=1)) for number, text in lines]
    rows = iter([_row(number, text) for number, text in lines])
    return Table(HEADINGS, rows, CsvForm(_TAB), len(lines))


def _lines(raw: bytes) -> Iterator[str]:
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise TableRefused(f"line {number} of the list is not written in UTF-8; nothing was asked") from error


def _row(number: int, text: str) -> Row:
    cells = [cell.strip() for cell in text.rstrip().split(_TAB)]
    if len(cells) > len(HEADINGS):
        return Row(number, (text, ""), f"it has {len(cells)} cells; a line is a name, and behind a tab its country")
    return Row(number, (*cells, "")[: len(HEADINGS)])
