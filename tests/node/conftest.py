"""Databases for the tests of a node: every test that takes `database` runs on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

import node_world
from comity_federation.local_log import LocalLog
from comity_node.db import Database
from comity_node.db.migrate import migrate_async
from node_world import Bench, Town
from peer_world import Street


@pytest.fixture(scope="session", autouse=True)
def _migrated_once() -> None:
    node_world.warm_up()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables, of either kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'node.db'}"
    return cast("Callable[[], str]", request.getfixturevalue("new_postgres_database"))()


@pytest_asyncio.fixture
async def database(empty_url: str) -> AsyncIterator[Database]:
    """A migrated, empty database, of either kind."""
    await migrate_async(empty_url)
    opened = Database(empty_url)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated, empty SQLite database, beside `database` where a test takes both."""
    opened = Database(node_world.new_sqlite(tmp_path, "second.db"))
    yield opened
    await opened.close()


@pytest.fixture
def bench(database: Database) -> Bench:
    """Received records, on either database."""
    return Bench(database)


@pytest.fixture
def quick(sqlite: Database) -> Bench:
    """Received records on SQLite, for tests of rules that do not depend on the database."""
    return Bench(sqlite)


@pytest_asyncio.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """A registry signed 2 of 3 and no node yet."""
    made = Town(tmp_path)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    """A town in which every node has an address, and no node yet."""
    made = Street(Town(tmp_path))
    yield made
    await made.close()
    await made.town.close()


@pytest_asyncio.fixture
async def log(tmp_path: Path) -> AsyncIterator[LocalLog]:
    """A local log of one test, beside the one of its town."""
    opened = LocalLog(tmp_path / "own-log.db")
    await opened.start()
    yield opened
    await opened.stop()


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory for property tests, which make many databases in one test."""
    yield tmp_path_factory.mktemp("scratch")
