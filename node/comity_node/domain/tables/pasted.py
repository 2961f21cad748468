"""A list as somebody pastes it: one name a line, its country behind a tab if it has one, and no headings.

Nobody confirms how a pasted list is read. So a line in which the name may stand elsewhere is refused, and a number
before a name or a country behind its comma, which may be a part of it, is read both ways.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from comity_node.domain.spelling import tidy
from comity_node.domain.tables.table import CsvForm, Row, Table, TableRefused

HEADINGS: Final = ("name", "country")
MOST_BYTES: Final = 1024 * 1024
"""Pasted; whoever has more has a file."""
_TAB: Final = "\t"
_BEFORE: Final = re.compile(
    r"[\s\u200e\u200f\u202a-\u202e\u2066-\u2069]*(?:[-*•‣–]\s+|\d{1,4}[.)]\s+|\d{1,4}[)、．）]\s*|[(（]\d{1,4}[)）]\s*)"
)
"""What stands before each line of a list in a text."""
_COMMA: Final = re.compile("[,;，；]")


def open_pasted(raw: bytes, read_country: Callable[[str], str | None]) -> Table:
    """Read pasted lines as a table; those with nothing in them are passed over.

    Args:
        raw: in UTF-8.
        read_country: the code of a spelling; None where nobody can tell.

    Raises:
        TableRefused: it is empty, too large or in another encoding, with the line.
    """
    if len(raw) > MOST_BYTES:
        raise TableRefused(f"the list has more than {MOST_BYTES} bytes; nothing was asked. Screen it as a file")
    if b"\x00" in raw:
        raise TableRefused("the list is written in UTF-16 and not in UTF-8, or is no text; nothing was asked")
    lines = [(number, text) for number, text in enumerate(_lines(raw), start=1) if tidy(text)]
    if not lines:
        raise TableRefused("the list is empty; give one name a line")
    if len(lines) > 1 and all(_BEFORE.match(text) for _, text in lines):
        lines = [(number, _BEFORE.sub("", text, count=1)) for number, text in lines]
    rows = iter([_row(number, text, read_country) for number, text in lines])
    return Table(HEADINGS, rows, CsvForm(_TAB), len(lines))


def _lines(raw: bytes) -> Iterator[str]:
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
        try:
            # Also where text programs break a line within a paragraph.
            yield from line.decode("utf-8").splitlines() or [""]
        except UnicodeDecodeError as error:
            raise TableRefused(f"line {number} of the list is not written in UTF-8; nothing was asked") from error


def _row(number: int, text: str, read_country: Callable[[str], str | None]) -> Row:
    cells = [cell.strip() for cell in text.rstrip().split(_TAB)]
    name, country = (*cells, "")[: len(HEADINGS)]
    if len(cells) > len(HEADINGS):
        return Row(number, (text, ""), f"it has {len(cells)} cells; a line is a name, and behind a tab its country")
    if country and read_country(country) is None:
        # Behind a number or a country stands the name: read as a country it is lost.
        return Row(number, (text, ""), "behind its tab stands no country; a line is a name, and then its country")
    if name.startswith('"') and name.count('"') % 2:
        return Row(number, (text, ""), "its quote is not closed: write the name in one line")
    return Row(number, (name, country), beyond=tuple(_otherwise_read(name, read_country)))


def _otherwise_read(name: str, read_country: Callable[[str], str | None]) -> Iterator[str]:
    """Yield what the name may be without a number before it and without a country behind its comma."""
    shorter = _BEFORE.sub("", name, count=1)
    *name_itself, behind = _COMMA.split(shorter)
    if name_itself and read_country(behind.strip()) is not None:
        shorter = shorter[: -len(behind) - 1].strip()
    if shorter and shorter != name:
        yield shorter
