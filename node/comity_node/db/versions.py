"""Telling at next to no cost whether anything was committed to the database: whoever found nothing to do there need not
look again before. And asking it a short question without a transaction (`glances`).

Rules:
- Two equal versions mean that whoever reads sees the same at both moments. Unequal ones mean nothing: somebody else's
  commit, a connection opened anew, a database that does not answer.
- Asked over a connection of its own, which writes nothing: SQLite tells a connection what others did.
- SQLite is asked in the thread of whoever asks: what is asked here lies in a few pages, and waits for nobody.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from comity_node.db.reading import of_postgres

_OF_SQLITE: Final = "pragma data_version"
_OF_POSTGRES: Final = "select pg_current_snapshot()::text || ' ' || pg_postmaster_start_time()::text"
"""Which transactions a reader would see now, of the whole server: committing any that wrote changes it."""


class Versions:
    """The versions of one database, for one process."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Connects to nothing yet."""
        self._engine = engine
        self._opened = 0
        self._sqlite: sqlite3.Connection | None = None
        self._postgres: AsyncConnection | None = None
        self._asking = asyncio.Lock()

    async def now(self) -> object:
        """Return what equals a version from before only if nothing was committed since."""
        row = await self.row(_OF_SQLITE if self._is_sqlite else _OF_POSTGRES)
        return object() if row is None else (self._opened, row[0])

    async def row(self, statement: str, values: Sequence[Any] = ()) -> Sequence[Any] | None:
        """Return the one row of a question that an index answers; None where the database does not.

        Args:
            statement: written once for both databases, as `reading` says.
            values: as the database stores them.
        """
        try:
            if self._is_sqlite:
                # All of it: an open question would keep this connection's view where it is.
                return list(self._in_sqlite().execute(statement, values).fetchall()[0])
            async with self._asking:
                return list(
                    (await (await self._in_postgres()).exec_driver_sql(of_postgres(statement), tuple(values))).one()
                )
        except (sqlite3.Error, SQLAlchemyError, OSError):
            # Whoever looks into the database will say what is wrong with it.
            await self.close()
            return None
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of the connection; the next question opens another."""
        sqlite, self._sqlite = self._sqlite, None
        if sqlite is not None:
            sqlite.close()
        postgres, self._postgres = self._postgres, None
        if postgres is not None:
            with suppress(SQLAlchemyError, OSError):
                await postgres.invalidate()
                await postgres.close()

    @property
    def _is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    def _in_sqlite(self) -> sqlite3.Connection:
        if self._sqlite is None:
            file = f"file:{quote(str(self._engine.url.database))}?mode=rw"
            self._sqlite = sqlite3.connect(file, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
            self._opened += 1
        return self._sqlite

    async def _in_postgres(self) -> AsyncConnection:
        if self._postgres is None:
            connection = await self._engine.connect()
            self._postgres = await connection.execution_options(isolation_level="AUTOCOMMIT")
            self._opened += 1
        return self._postgres
