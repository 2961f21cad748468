"""What may stand in a cell, and what it means: text, a whole number, a date, a month, yes or no, a code, lines.

A cell is read strictly. A date that is text counts only as `2026-09-14`, since `03/04/2026` is two dates; a number
in a text cell does not count, since a spreadsheet turns the version `7.0` into `7`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

_ISO = re.compile(r"[12][0-9]{3}-[01][0-9]-[0-3][0-9]")


class Misread(ValueError):
    """What stands in a cell is not what belongs there; the text says what does. It never repeats the content."""


@dataclass(frozen=True, slots=True)
class CellType:
    """How a value of a report stands in a cell."""

    read: Callable[[Any], Any]
    """From the cell's value, never None, to JSON. Raises Misread."""
    write: Callable[[Any], Any]
    """From JSON to the cell's value."""
    format: str = "@"
    choices: tuple[str, ...] = ()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Misread("write text; format the cell as text, so that the spreadsheet leaves it as it is")
    return value.strip()


def _number(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Misread("write a whole number, as a number and not as text")
    return value


def _date(value: Any) -> str:
    if isinstance(value, datetime):
        if value.time() != time():
            raise Misread("write a date without a time of day")
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and _ISO.fullmatch(value.strip()):
        try:
            return date.fromisoformat(value.strip()).isoformat()
        except ValueError as error:
            raise Misread("there is no such day") from error
    raise Misread("write a date, as a date or as 2026-09-14; other texts can be read in two ways")


def _month(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.strftime("%Y-%m")
    if isinstance(value, str) and re.fullmatch(r"[12][0-9]{3}(-[01][0-9])?", value.strip()):
        return value.strip()
    raise Misread("write a month as 2026-12, as text")


def _yes(value: Any) -> bool:
    found = {"yes": True, "no": False, True: True, False: False}.get(
        value.strip().lower() if isinstance(value, str) else value if isinstance(value, bool) else None
    )
    if found is None:
        raise Misread("write yes or no")
    return found


TEXT = CellType(_text, str)
NUMBER = CellType(_number, int, "0")
DATE = CellType(_date, date.fromisoformat, "yyyy-mm-dd")
MONTH = CellType(_month, str)
YES = CellType(_yes, lambda value: "yes" if value else "no", choices=("yes", "no"))


def code(codes: type[StrEnum] | Sequence[str]) -> CellType:
    """Return the type of a cell with one of these codes."""
    known = tuple(str(each) for each in codes)

    def read(value: Any) -> str:
        if not isinstance(value, str) or value.strip() not in known:
            raise Misread(f"write one of: {', '.join(known)}")
        return value.strip()

    return CellType(read, str, choices=known)


def lines(one: Callable[[str], Any], show: Callable[[Any], str]) -> CellType:
    """Return the type of a cell with one thing a line."""

    def read(value: Any) -> list[Any]:
        return [one(line.strip()) for line in _text(value).splitlines() if line.strip()]

    return CellType(read, lambda values: "\n".join(show(value) for value in values))
