"""Connecting: SQLite by default, PostgreSQL by URL; the same transactions on both.

SQLite: we take over BEGIN (sqlite3 of Python 3.11 begins at the first write, and parallel read-modify-writes were
lost without an error); a write begins IMMEDIATE. PostgreSQL: a write takes one advisory lock for its transaction.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import ExceptionContext, event, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.behind import Kept
from comity_node.db.glances import Glances
from comity_node.db.keys import KeyFiles, Seals
from comity_node.db.outages import answering
from comity_node.db.reading import forget_values
from comity_node.db.store import Store
from comity_node.db.versions import Versions

_WRITE_LOCK = 0x636F6D697479
"""Key of the PostgreSQL advisory lock that makes writers take turns."""

_WAITS_MS = 10_000
"""How long a writer waits for another one on SQLite before it says so."""

_LOOKS_S = 0.002
"""How often it looks meanwhile."""

_PRAGMAS = (
    "foreign_keys=ON",
    "journal_mode=WAL",
    f"busy_timeout={_WAITS_MS}",
    "synchronous=FULL",
    "wal_autocheckpoint=4000",
)
"""FULL: a statement that was signed must survive a power cut, or the node would sign its place twice. The log is
written back after 64 MB."""

_CACHE_KIB = {"read": 8_192, "write": 32_768}
"""What a connection keeps of SQLite's pages. Whoever writes touches an index of hashes, which fall anywhere into it; a
reader gets what it lacks from the system's own cache of the file, once for all readers."""

_ONE_VIEW = {"isolation_level": "REPEATABLE READ"}
_POSTGRES_SETTINGS = {"server_settings": {"lock_timeout": "10000"}, "command_timeout": 120}
"""Ten seconds for whoever else writes, as on SQLite; two minutes for a server that has stopped answering."""


class Database:
    """One node's database."""

    def __init__(self, url: str, keys: Path | None = None) -> None:
        """Connect to nothing yet.

        Args:
            url: SQLAlchemy's.
            keys: the directory of the keys of what lies encrypted; None keeps reports as they came.
        """
        self.url, self.keys = url, keys
        self._keys = None if keys is None else KeyFiles(keys)
        self._kept = Kept()
        self._engine = _engine(url)
        self._writing = _engine(url, "write") if self._is_sqlite else self._engine
        self._versions = Versions(self._engine)
        self.glances = Glances(self._versions)
        self._reads = async_sessionmaker(self._engine, class_=AsyncSession, expire_on_commit=False)
        self._writes = async_sessionmaker(
            self._writing.execution_options(write=True), class_=AsyncSession, expire_on_commit=False
        )

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Store]:
        """Give one consistent view; nothing done in it is kept."""
        async with answering(), self._reads() as session:
            await session.connection(execution_options={} if self._is_sqlite else _ONE_VIEW)
            yield Store(session, Seals(self._keys), self._kept)
            await session.rollback()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Store]:
        """Give one transaction, alone among writers; committed at the end, rolled back on any error."""
        async with answering(), self._writes() as session, session.begin():
            await self._take_turn(session)
            seals = Seals(self._keys)
            yield Store(session, seals, self._kept)
            # Before the commit: a crash here leaves a key that nothing needs, never a report without one.
            seals.keep()

    @asynccontextmanager
    async def rehearse(self) -> AsyncIterator[Store]:
        """Give a transaction that is never kept, for finding out what would come of something."""
        async with answering(), self._writes() as session:
            await session.begin()
            await self._take_turn(session)
            try:
                yield Store(session, Seals(self._keys), Kept())
            finally:
                await session.rollback()

    async def version(self) -> object:
        """Return what equals an earlier version only if nothing was committed since; it costs next to nothing.

        Ask before looking: what is found then is at least as new. It raises nothing: a database that does not answer
        has another version each time.
        """
        return await self._versions.now()

    async def close(self) -> None:
        """Let go of all connections."""
        await self._versions.close()
        await self._engine.dispose()
        await self._writing.dispose()

    async def _take_turn(self, session: AsyncSession) -> None:
        connection = await session.connection()
        if not self._is_sqlite:
            await connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _WRITE_LOCK})

    @property
    def _is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"


def _engine(url: str, use: Literal["read", "write"] = "read") -> AsyncEngine:
    # Parameters hold what must not get into a log through an error.
    of_postgres = make_url(url).get_backend_name() == "postgresql"
    # The connection used last first: each has a cache of its own, and those that nobody needs stay empty. A file does
    # not go away as a server does, so nobody asks whether it is still there. SQLite's writers of a process share one
    # connection, and with it its cache; they would only wait for each other there.
    engine = create_async_engine(
        url,
        pool_pre_ping=of_postgres,
        pool_use_lifo=True,
        hide_parameters=True,
        connect_args=_POSTGRES_SETTINGS if of_postgres else {},
        **({"pool_size": 1, "max_overflow": 0, "pool_timeout": _WAITS_MS / 1000} if use == "write" else {}),
    )
    event.listen(engine.sync_engine, "handle_error", _forget_values)
    if engine.dialect.name == "sqlite":
        take_over_begin(engine)
        event.listen(
            engine.sync_engine, "connect", partial(_set_pragmas, (*_PRAGMAS, f"cache_size=-{_CACHE_KIB[use]}"))
        )
    return engine


def _forget_values(context: ExceptionContext) -> None:
    # hide_parameters ends at SQLAlchemy's own words.
    original = context.original_exception
    forget_values(context.sqlalchemy_exception, original, original.__cause__)


def take_over_begin(engine: AsyncEngine) -> None:
    """Let SQLAlchemy begin SQLite's transactions, so that reads and DDL are inside them too."""
    event.listen(engine.sync_engine, "connect", _leave_begin_to_us)
    event.listen(engine.sync_engine, "connect", _set_page_size)
    event.listen(engine.sync_engine, "begin", _on_begin)


def _set_page_size(connection: Any, _record: Any) -> None:
    # Counts for a new file only. A record has some 2.3 KiB: one fits into a page of 4 KiB, three into one of 8.
    connection.execute("PRAGMA page_size=16384")


def _leave_begin_to_us(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


def _set_pragmas(pragmas: Sequence[str], connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_begin(connection: Any) -> None:
    # One step of the driver's thread; through SQLAlchemy it would be three.
    writes = connection.get_execution_options().get("write")
    connection.connection.dbapi_connection.run_async(_begin_writing if writes else _begin_reading)


async def _begin_reading(driver: Any) -> None:
    await driver.execute_fetchall("BEGIN")


async def _begin_writing(driver: Any) -> None:
    """Begin a transaction that writes, as soon as nobody else does.

    SQLite itself looks ever more seldom while it waits, every tenth of a second in the end. Between two transactions of
    somebody who goes on writing there is a gap of a millisecond or two, so it would miss nearly all of them.
    """
    ends = time.monotonic() + _WAITS_MS / 1000
    begun = False
    try:
        while not begun:
            try:
                await driver.executescript(f"PRAGMA busy_timeout=0; BEGIN IMMEDIATE; PRAGMA busy_timeout={_WAITS_MS}")
                begun = True
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= ends:
                    raise
                await asyncio.sleep(_LOOKS_S)
    finally:
        if not begun:
            await driver.execute_fetchall(f"PRAGMA busy_timeout={_WAITS_MS}")
