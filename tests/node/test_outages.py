"""An outage of the database is told from a mistake of ours, and said in words."""

import asyncio
import traceback
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from comity_node.db import Database, DatabaseUnavailable, Store
from comity_node.db.database import _WRITE_LOCK
from comity_node.db.migrate import migrate_async
from node_world import new_sqlite


async def execute(store: Store, *statements: str) -> Any:
    """Run statements in an open transaction and return what the last one gives first."""
    connection = await store._session.connection()
    for statement in statements[:-1]:
        await connection.exec_driver_sql(statement)
    result = await connection.exec_driver_sql(statements[-1])
    return result.scalar() if result.returns_rows else None


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(new_sqlite(tmp_path))
    yield opened
    await opened.close()


CHANGE = "delete from condition"


async def test_a_full_database_is_an_outage_that_says_what_to_do(database: Database) -> None:
    grow = "insert into condition values ('disk', '2026', hex(zeroblob(10000000)))"
    with pytest.raises(DatabaseUnavailable, match="is full"):
        async with database.write() as store:
            await execute(store, "pragma max_page_count = 10", grow)


async def test_a_read_only_database_is_an_outage(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="is read-only"):
        async with database.write() as store:
            await execute(store, "pragma query_only = on", CHANGE)


async def test_a_database_that_somebody_else_holds_is_an_outage(database: Database, tmp_path: Path) -> None:
    other = Database(database.url)
    async with other.write():
        with pytest.raises(DatabaseUnavailable, match="somebody else"):
            async with database.read() as store:
                await execute(store, "pragma busy_timeout = 50")
                await execute(store, CHANGE)
    await other.close()


async def test_a_broken_rule_is_no_outage(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.write() as store:
            await execute(store, "insert into condition values (null, null, null)")


@pytest.mark.postgres
async def test_on_postgresql_too_a_writer_waits_for_ten_seconds_at_most(postgres_url: str) -> None:
    one, two = Database(postgres_url), Database(postgres_url)
    async with one.write():
        with pytest.raises(DatabaseUnavailable, match="somebody else"):
            async with two.read() as store:
                assert await execute(store, "show lock_timeout") == "10s"
                await execute(store, "set local lock_timeout = 50")
                await execute(store, f"select pg_advisory_xact_lock({_WRITE_LOCK})")
    await one.close()
    await two.close()


async def test_a_server_that_is_not_there_is_an_outage() -> None:
    nowhere = Database("postgresql+asyncpg://nobody:nothing@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        async with nowhere.read():
            pass
    await nowhere.close()


@pytest.mark.postgres
async def test_a_server_without_our_database_is_an_outage(postgres_url: str) -> None:
    nowhere = Database(f"{postgres_url}_gone")
    with pytest.raises(DatabaseUnavailable, match="no database of this name"):
        async with nowhere.read():
            pass
    await nowhere.close()


@pytest.mark.postgres
async def test_a_server_that_breaks_off_between_two_questions_is_an_outage(postgres_url: str) -> None:
    await migrate_async(postgres_url)
    database, other = Database(postgres_url), Database(postgres_url)
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        async with database.read() as store:
            number = await execute(store, "select pg_backend_pid()")
            await store.search.reach()
            await store.search.reach()
            async with other.write() as ends:
                await execute(ends, f"select pg_terminate_backend({number})")
            await asyncio.sleep(0.2)
            await store.search.reach()
    async with database.read() as store:
        assert (await store.search.reach()).newest == 0
    await database.close()
    await other.close()


@pytest.mark.postgres
async def test_what_was_asked_for_stands_in_no_error_of_the_driver(postgres_url: str) -> None:
    await migrate_async(postgres_url)
    database = Database(postgres_url)
    for name in ("Klang \ud800 Rubber", "Klang \0 Rubber"):
        async with database.read() as store:
            await store.search.reach()
            with pytest.raises(Exception) as failed:
                await store.suppliers.with_name([name], 1)
            assert "Klang" not in "".join(traceback.format_exception(failed.value))
    await database.close()
