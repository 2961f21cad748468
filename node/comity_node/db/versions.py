"""Telling at next to no cost whether anything was committed to the database: whoever found nothing to do there need not
look again before.

Rules:
- Two equal versions mean that whoever reads sees the same at both moments. Unequal ones mean nothing: somebody else's
  commit, a connection opened anew, a database that does not answer.
- Asked over a connection of its own, which writes nothing: SQLite tells a connection what others did.
"""

import asyncio
import sqlite3
from contextlib import suppress
from typing import Final
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

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
        try:
            if self._engine.dialect.name == "sqlite":
                return self._of_sqlite()
            async with self._asking:
                return await self._of_postgres()
        except (sqlite3.Error, SQLAlchemyError, OSError):
            # Whoever looks into the database will say what is wrong with it.
            await self.close()
            return object()
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

    def _of_sqlite(self) -> object:
        if self._sqlite is None:
            # Not handed to a thread: it looks at a few bytes that are in memory, and waits for nobody.
            file = f"file:{quote(str(self._engine.url.database))}?mode=rw"
            self._sqlite = sqlite3.connect(file, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
            self._opened += 1
        return self._opened, self._sqlite.execute("pragma data_version").fetchone()[0]

    async def _of_postgres(self) -> object:
        if self._postgres is None:
            connection = await self._engine.connect()
            self._postgres = await connection.execution_options(isolation_level="AUTOCOMMIT")
            self._opened += 1
        return self._opened, (await self._postgres.exec_driver_sql(_OF_POSTGRES)).scalar_one()
