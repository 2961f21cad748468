"""The bus without a broker: one SQLite file that several node processes on one machine share.

Rules:
- It behaves as Kafka does where code could rely on the difference: offsets have holes, a position outside what is
  stored is `HistoryMissing`, the size limit is the same, another file is another bus. One difference remains: a topic
  exists from the first record published to it.
- Append-only: triggers refuse to change or delete a record.
- A record is published when its transaction is on the disk (WAL, `synchronous=FULL`). Records that wait together
  are committed together, in the order of the calls; after a failure none of those behind it is stored.
- It has no authentication but the file's permissions. It says so at start, and refuses to start in production.
"""

import asyncio
import json
import logging
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import ClassVar, Final, TypeVar

from comity_federation.bus import (
    MAX_BATCH_BYTES,
    BusError,
    BusUnavailable,
    Delivered,
    HistoryMissing,
    OutcomeUnknown,
    PublishRefused,
    Skipped,
    batch_bytes,
)

log = logging.getLogger(__name__)
T = TypeVar("T")

APPLICATION_ID: Final = 0x434D5459
"""Marks the file as a local log (`CMTY`), so that another database is never taken for one."""

FORMAT: Final = 1
BUSY_TIMEOUT_S: Final = 5.0
"""How long to wait for another process's transaction before the bus counts as unavailable."""

POLL_S: Final = 0.03
"""How often a waiting reader asks whether another connection has written."""

TOPIC_SHIFT: Final = 40
"""A record's row number is its topic's number times 2^40 plus its offset: one index, read in order."""

_SCHEMA: Final = f"""
CREATE TABLE bus (id TEXT NOT NULL);
CREATE TABLE topic (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, ends INTEGER NOT NULL CHECK (ends > 0));
CREATE TABLE record (place INTEGER PRIMARY KEY, value BLOB NOT NULL, headers TEXT NOT NULL);
CREATE TRIGGER record_never_changes BEFORE UPDATE ON record
    BEGIN SELECT RAISE(ABORT, 'a local log is append-only'); END;
CREATE TRIGGER record_never_goes BEFORE DELETE ON record
    BEGIN SELECT RAISE(ABORT, 'a local log is append-only'); END;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
"""


class LocalLogInProduction(BusError):
    """The local log has no authentication, and `COMITY_ENV` says that this is production."""

    code: ClassVar[str] = "bus.local-in-production"


@dataclass(slots=True, eq=False)
class _Waiting:
    topic: str
    value: bytes
    headers: str
    stored: asyncio.Future[int] = field(repr=False)


class LocalLog:
    """A `Bus` in one SQLite file on one machine. A topic is made by the first record published to it."""

    def __init__(self, path: Path) -> None:
        """Opens nothing yet.

        Args:
            path: the file, made at start if there is none; its folder must exist, on a local disk.
        """
        self._path = path
        self._reading = _Connection(path)
        self._writing = _Connection(path)
        self._known_id: str | None = None
        self._queue: list[_Waiting] = []
        self._committing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the file.

        Raises:
            LocalLogInProduction: `COMITY_ENV` is `production`.
            BusUnavailable: the file cannot be opened, or is something else.
        """
        if os.environ.get("COMITY_ENV") == "production":
            raise LocalLogInProduction(f"{self._path} is a single-machine log without authentication: use Kafka")
        await self.bus_id()
        log.warning("%s is a single-machine log without authentication", self._path)

    async def stop(self) -> None:
        """Close the file within ten seconds; what waits to be published is not stored."""
        if self._committing is not None:
            self._committing.cancel()
            await asyncio.wait([self._committing], timeout=BUSY_TIMEOUT_S)
        # A task that is cancelled before its first step never reaches its own clean-up.
        self._fail_queue()
        await self._reading.close()
        await self._writing.close()

    async def bus_id(self) -> str:
        """Return the file's own id; from here on reading follows this file.

        Raises:
            BusUnavailable: the file cannot be opened.
        """
        self._known_id = await self._reading.run(_read_id)
        return self._known_id

    async def publish(self, topic: str, value: bytes, headers: Mapping[str, str]) -> int:
        """Append one record and return its offset, once it is on the disk.

        Raises:
            OutcomeUnknown: the commit itself failed.
            PublishRefused: too large.
            BusUnavailable: surely not stored.
        """
        if batch_bytes(value, headers) > MAX_BATCH_BYTES:
            raise PublishRefused(f"a record of {len(value)} bytes is too large for {topic}")
        stored: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(topic, value, json.dumps(dict(headers)), stored))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_queue())
        return await stored

    async def read(self, positions: Mapping[str, int], *, most: int, wait: timedelta) -> Sequence[Delivered | Skipped]:
        """Return up to `most` records of the named topics from the given offsets on, in order within each topic.

        Raises:
            BusUnavailable: nothing was read.
            HistoryMissing: a position lies beyond the end, or the file is another one.
        """
        deadline = time.monotonic() + wait.total_seconds()
        while True:
            seen, found = await self._reading.run(lambda connection: self._look(connection, positions, most))
            left = deadline - time.monotonic()
            if found or left <= 0:
                return found
            while left > 0 and await self._reading.run(_version) == seen:
                await asyncio.sleep(min(POLL_S, left))
                left = deadline - time.monotonic()

    async def tail(self, topic: str, *, most: int) -> Sequence[Delivered]:
        """Return the last `most` records of a topic, oldest first; empty when it holds none.

        Raises:
            BusUnavailable: the file does not answer.
        """
        rows = await self._reading.run(
            lambda connection: connection.execute(
                "SELECT place & ?, value FROM record, topic WHERE name = ?"
                " AND place BETWEEN number << ? AND (number + 1 << ?) - 1 ORDER BY place DESC LIMIT ?",
                ((1 << TOPIC_SHIFT) - 1, topic, TOPIC_SHIFT, TOPIC_SHIFT, max(most, 0)),
            ).fetchall()
        )
        return [Delivered(topic, offset, value) for offset, value in reversed(rows)]

    async def end(self, topics: Sequence[str]) -> Mapping[str, int]:
        """Return for each topic the offset after its last record; 0 for an empty or missing one.

        Raises:
            BusUnavailable: the file does not answer.
        """
        known = await self._reading.run(_topics)
        return {topic: known[topic][1] if topic in known else 0 for topic in topics}

    def troubles(self) -> Mapping[str, str]:
        """Return nothing: whoever may read the file may read every topic."""
        return {}

    def _look(
        self, connection: sqlite3.Connection, positions: Mapping[str, int], most: int
    ) -> tuple[tuple[int, str], list[Delivered | Skipped]]:
        """Return what is there and the version it was seen at, so that nothing written meanwhile is slept over."""
        seen = _version(connection)
        known = _topics(connection)
        changed = seen[1] != self._known_id
        for topic, position in positions.items():
            if position > 0 and (changed or position > known.get(topic, (0, 0))[1]):
                raise HistoryMissing(topic, position)
        ready = [topic for topic, position in positions.items() if topic in known and position < known[topic][1]]
        found: list[Delivered | Skipped] = []
        # Equal shares: a log with much news must not keep the others waiting.
        for place, topic in enumerate(ready):
            share = -(-(most - len(found)) // (len(ready) - place))
            first = known[topic][0] << TOPIC_SHIFT
            rows = connection.execute(
                "SELECT place - ?, value FROM record WHERE place >= ? AND place < ? ORDER BY place LIMIT ?",
                (first, first + positions[topic], first + known[topic][1], share),
            )
            found.extend(Delivered(topic, offset, value) for offset, value in rows)
        return seen, found

    async def _commit_queue(self) -> None:
        batch: list[_Waiting] = []
        try:
            while self._queue:
                batch, self._queue = [w for w in self._queue if not w.stored.done()], []
                places = await self._writing.run(partial(_append, batch))
                for waiting, offset in zip(batch, places, strict=True):
                    if not waiting.stored.done():
                        waiting.stored.set_result(offset)
        except BusError as why:
            _fail(batch, why)
        except BaseException as why:
            _fail(batch, OutcomeUnknown(f"{self._path}: interrupted while writing ({type(why).__name__})"))
            raise
        finally:
            self._fail_queue()

    def _fail_queue(self) -> None:
        queue, self._queue = self._queue, []
        _fail(queue, BusUnavailable(f"{self._path}: not stored, because the record before it was not"))


class _Connection:
    """One SQLite connection and the one thread that uses it, so that a cancelled call cannot overlap the next."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="local-log")
        self._connection: sqlite3.Connection | None = None
        self._file = (0, 0)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what the work returns.

        Raises:
            BusUnavailable: the file cannot be opened, is locked for too long, or is something else.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    async def close(self) -> None:
        thread = self._thread
        closing = asyncio.get_running_loop().run_in_executor(thread, self._close)
        await asyncio.wait([closing], timeout=BUSY_TIMEOUT_S / 2)
        thread.shutdown(wait=False)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="local-log")

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return work(self._opened())
        except (sqlite3.Error, OSError) as why:
            raise BusUnavailable(f"{self._path}: {why}") from why

    def _opened(self) -> sqlite3.Connection:
        # A file that was deleted or replaced stays readable through an open connection: never read on in the old one.
        if self._connection is not None and _identity(self._path) != self._file:
            self._close()
        if self._connection is None:
            self._connection = _open(self._path)
            self._file = _identity(self._path)
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    # Counts for a new file only. A record has some 2.6 kB: one fits into a page of 4 KiB, six into one of 16.
    connection.execute("PRAGMA page_size = 16384")
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:
            # Turning WAL on does not wait for another process that is just doing the same.
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_S)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            for statement in _split(_SCHEMA):
                connection.execute(statement)
            connection.execute("INSERT INTO bus VALUES (?)", (f"local-{uuid.uuid4()}",))
        found = tuple(connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
        if found != (APPLICATION_ID, FORMAT):
            raise BusUnavailable(f"{path} is no local log of format {FORMAT}")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _split(script: str) -> list[str]:
    """Cut a script at the ends of statements; `executescript` would commit the transaction it runs in."""
    statements, begun = [], ""
    for line in script.splitlines(keepends=True):
        begun += line
        if sqlite3.complete_statement(begun):
            statements.append(begun)
            begun = ""
    return statements


def _read_id(connection: sqlite3.Connection) -> str:
    return str(connection.execute("SELECT id FROM bus").fetchone()[0])


def _version(connection: sqlite3.Connection) -> tuple[int, str]:
    """Return what changes whenever another connection has written or the file is another one."""
    return connection.execute("PRAGMA data_version").fetchone()[0], _read_id(connection)


def _topics(connection: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """Return by name each topic's number and the offset after its last record."""
    return {name: (number, ends) for name, number, ends in connection.execute("SELECT name, number, ends FROM topic")}


def _append(batch: list[_Waiting], connection: sqlite3.Connection) -> list[int]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        places = [_append_one(connection, waiting) for waiting in batch]
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    try:
        connection.execute("COMMIT")
    except sqlite3.Error as why:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise OutcomeUnknown(f"the commit failed: {why}") from why
    return places


def _append_one(connection: sqlite3.Connection, waiting: _Waiting) -> int:
    row = connection.execute("SELECT number, ends FROM topic WHERE name = ?", (waiting.topic,)).fetchone()
    offset = _past_hole(row[1] if row else 0)
    if row:
        number = row[0]
        connection.execute("UPDATE topic SET ends = ? WHERE number = ?", (offset + 1, number))
    else:
        number = connection.execute(
            "INSERT INTO topic (name, ends) VALUES (?, ?) RETURNING number", (waiting.topic, offset + 1)
        ).fetchone()[0]
    place = (number << TOPIC_SHIFT) + offset
    connection.execute("INSERT INTO record VALUES (?, ?, ?)", (place, waiting.value, waiting.headers))
    return offset


def _past_hole(offset: int) -> int:
    """Skip every fifth offset: Kafka's have holes, and whoever counts on the next number must fail here too."""
    return offset + 1 if offset % 5 == 4 else offset


def _fail(batch: Sequence[_Waiting], why: BusError) -> None:
    for waiting in batch:
        if not waiting.stored.done():
            waiting.stored.set_exception(type(why)(*why.args))
