"""Cursors: opaque to callers, a row's number inside."""

from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from comity_federation.encoding import NotCanonical, b64decode, b64encode
from comity_node.api.bodies import MOST_ROWS
from comity_schemas.errors import ComityError

Item = TypeVar("Item")
Row = TypeVar("Row")


class CursorRefused(ComityError):
    """The cursor was not made by this node."""

    code: ClassVar[str] = "request.cursor"


class Page(BaseModel, Generic[Item]):
    """Part of a list, newest first; `next` fetches what follows and is null at the end."""

    items: list[Item]
    next: str | None


Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=40)]


def read_cursor(cursor: str | None) -> int | None:
    """Return the number in a cursor.

    Raises:
        CursorRefused: it is none of ours.
    """
    if cursor is None:
        return None
    try:
        number = int(b64decode(cursor).decode("ascii"))
    except (NotCanonical, ValueError) as error:
        raise CursorRefused("this cursor was not made here; begin without one") from error
    if not 0 <= number <= MOST_ROWS:
        raise CursorRefused("this cursor was not made here; begin without one")
    return number


def page(rows: Sequence[Row], limit: int, number: Callable[[Row], int], item: Callable[[Row], Item]) -> Page[Item]:
    """Return a page of rows, of which one more than `limit` was asked for."""
    more = len(rows) > limit
    shown = rows[:limit]
    next_cursor = b64encode(str(number(shown[-1])).encode("ascii")) if more else None
    return Page(items=[item(row) for row in shown], next=next_cursor)
