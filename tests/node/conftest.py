"""Databases for the tests of a node: every test that takes `database` runs on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

import node_world
import servers
from api_place import Place, furnish
from comity_federation.local_log import LocalLog
from comity_node.db import Database
from comity_node.db.migrate import migrate_async
from compiled_once import share_what_is_compiled
from evidence_archive import Archive, archive_at
from filled_database import fill
from node_world import Bench, Town
from peer_world import Street
from relay_desk import Desk, Desks
from watch_room import WatchRoom, watch_room_at

EITHER = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patching:
        share_what_is_compiled(patching)
        yield


@pytest.fixture(params=EITHER)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables, of either kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'node.db'}"
    return cast("Callable[[], str]", request.getfixturevalue("new_postgres_database"))()


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    """The URL of a migrated, empty PostgreSQL database that nobody connects to: others are copies of it."""
    url = servers.new_database(postgres_server)
    servers.on_its_own_loop(migrate_async(url))
    yield url
    servers.drop_database(postgres_server, url)


@pytest.fixture(params=EITHER)
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with all tables and no rows, of either kind."""
    if request.param == "sqlite":
        return node_world.new_sqlite(tmp_path)
    make = cast("Callable[[str], str]", request.getfixturevalue("new_postgres_database"))
    return make(request.getfixturevalue("migrated_postgres"))


@pytest_asyncio.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    """A migrated, empty database, of either kind."""
    opened = Database(migrated_url)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def filled(database: Database) -> Database:
    """A database of either kind, with one row of most kinds."""
    await fill(database)
    return database


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


@pytest_asyncio.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """An agency's node with its people, shared by a module."""
    made = Town(tmp_path_factory.mktemp("town"))
    yield await furnish(made)
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


@pytest_asyncio.fixture
async def desks(tmp_path: Path) -> AsyncIterator[Desks]:
    """A member's desk whose people are hired, and whatever is restored or restarted from it."""
    async with AsyncExitStack() as stack:
        made = Desks(tmp_path, stack)
        await made.desk.hire()
        yield made


@pytest_asyncio.fixture
async def archive(sqlite: Database, tmp_path: Path) -> Archive:
    """A node's reports with their evidence."""
    return await archive_at(sqlite, tmp_path / "vault")


@pytest_asyncio.fixture
async def room(sqlite: Database) -> WatchRoom:
    """An officer with a list of firms, at a node that receives."""
    return await watch_room_at(sqlite)


@pytest.fixture
def desk(desks: Desks) -> Desk:
    """The member's own desk."""
    return desks.desk
