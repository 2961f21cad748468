"""Telling an outage of the database from a mistake of ours, and saying it in words.

Rules:
- An outage is what goes away without a change of the program: no room, no right to write, a lock that somebody else
  holds, a server that stops, starts, fails over or does not answer. Everything else stays the error it is.
- The drivers' own errors count as much as SQLAlchemy's: what is written in bulk goes past it.
- The words say that nothing is half done: a transaction is kept whole or not at all.
"""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import ClassVar

from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as NoConnection

from comity_schemas.errors import ComityError

_FULL = "the disk of the database is full. Nothing is half done; make room, and it goes on by itself"
_READ_ONLY = "the database cannot be written: its file or its directory is read-only. Nothing is half done"
_HELD = "somebody else has been writing to the database for too long. Nothing is half done; try again in a moment"
_CROWDED = "too many wait for the database at once. Nothing is half done; try again in a moment"
_SILENT = "the database does not answer. Nothing is half done; try again in a moment"

_SQLITE = {
    "SQLITE_FULL": _FULL,
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_BUSY": _HELD,
    "SQLITE_LOCKED": _HELD,
    "SQLITE_IOERR": "the disk of the database refuses to read or write. Nothing is half done; see to the disk",
    "SQLITE_CANTOPEN": "the database's file cannot be opened. Nothing is half done; see that it is there",
}
"""By the beginning of SQLite's own name of an error, so that its finer ones count too."""

_POSTGRES = {
    "53100": _FULL,
    "25006": _READ_ONLY,
    "55P03": _HELD,
    "3D000": "the server has no database of this name. Nothing is half done; see that it is there",
    "28": "the server refuses this node's account. Nothing is half done; see to the account and its password",
    "08": _SILENT,
    "53": _SILENT,
    "57P": _SILENT,
    "58": _SILENT,
}
"""By SQLSTATE or its beginning: connections, resources, an administrator or a crash, the system."""


class DatabaseUnavailable(ComityError):
    """The database does not answer, cannot be written, or somebody else holds it. Nothing is half done."""

    code: ClassVar[str] = "database.unavailable"


@asynccontextmanager
async def answering() -> AsyncIterator[None]:
    """Raise `DatabaseUnavailable` where the block meets an outage."""
    try:
        yield
    except Exception as error:
        if (unavailable := outage(error)) is not None:
            raise unavailable from error
        raise


def outage(error: BaseException) -> DatabaseUnavailable | None:
    """Return the outage behind an error; None when it is something else."""
    for each in _causes(error):
        if isinstance(each, sqlite3.Error):
            return _named(_SQLITE, getattr(each, "sqlite_errorname", "") or "")
        if isinstance(state := getattr(each, "sqlstate", None), str):
            return _named(_POSTGRES, state)
    if isinstance(error, NoConnection):
        return DatabaseUnavailable(_CROWDED)
    # Without a word of the database's own: the connection broke, or nothing came within the time.
    lost = isinstance(error, InterfaceError) or getattr(error, "connection_invalidated", False)
    unreachable = isinstance(error, OSError) and error.filename is None
    return DatabaseUnavailable(_SILENT) if lost or unreachable else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    yield error
    if isinstance(error, DBAPIError) and error.orig is not None:
        yield error.orig
        if error.orig.__cause__ is not None:
            yield error.orig.__cause__


def _named(words: dict[str, str], name: str) -> DatabaseUnavailable | None:
    for beginning, text in words.items():
        if name.startswith(beginning):
            return DatabaseUnavailable(text)
    return None
