"""Rounds that found nothing rest until somebody commits, and miss nothing that was."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from comity_node.db import Database
from comity_node.wiring import Home, Node
from comity_node.wiring.settings import Settings
from comity_node.workers import jobs, screening_files, searching, suppliers, watching
from comity_node.workers.jobs import JobRunner
from comity_node.workers.loops import Rest
from comity_node.workers.screening_files import FileScreener
from comity_node.workers.searching import NameIndex
from comity_node.workers.suppliers import SupplierGraph
from comity_node.workers.watching import Watching

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)

TRIES = 200
"""A server of PostgreSQL has other databases too: their commits count, and other tests run beside this one."""


async def is_still(database: Database) -> bool:
    """Tell whether two versions in a row are ever equal."""
    for _ in range(TRIES):
        if await database.version() == await database.version():
            return True
    return False


async def test_a_version_stays_until_somebody_commits(database: Database) -> None:
    assert await is_still(database)
    other = Database(database.url)
    for name, writer in (("bus", database), ("topics", other)):
        before = await database.version()
        async with writer.write() as store:
            await store.conditions.set(name, "does not answer", NOW)
        assert await database.version() != before
    await other.close()
    assert await is_still(database), "reading says nothing new"


async def test_looking_and_taking_back_are_no_commits(sqlite: Database) -> None:
    async with sqlite.write() as store:
        await store.conditions.set("bus", "does not answer", NOW)
    before = await sqlite.version()
    async with sqlite.read() as store:
        await store.conditions.all()
    async with sqlite.rehearse() as store:
        await store.conditions.clear("bus")
    assert await sqlite.version() == before


async def test_a_database_that_does_not_answer_has_another_version_each_time(tmp_path: Path) -> None:
    gone = tmp_path / "gone.db"
    for url in (f"sqlite+aiosqlite:///{gone}", "postgresql+asyncpg://nobody:nothing@127.0.0.1:1/nothing"):
        nowhere = Database(url)
        assert await nowhere.version() != await nowhere.version()
        await nowhere.close()
    assert not gone.exists(), "asking for a version has made a database"


async def test_a_version_over_a_connection_opened_anew_is_another(database: Database) -> None:
    before = await database.version()
    await database.close()
    assert await database.version() != before


async def test_work_done_in_vain_rests_until_a_commit_or_another_reason(sqlite: Database) -> None:
    rest, done = Rest(sqlite), []

    def work(found: bool) -> Callable[[], Awaitable[bool]]:
        async def do() -> bool:
            done.append(found)
            return found

        return do

    async def fail() -> bool:
        raise LookupError

    one, two = date(2026, 10, 1), date(2026, 10, 2)
    assert await rest.unless_in_vain(work(True), under=one)
    assert not await rest.unless_in_vain(work(False), under=one)
    assert not await rest.unless_in_vain(work(True), under=one)
    assert done == [True, False]
    with pytest.raises(LookupError):
        await rest.unless_in_vain(fail, under=two)
    assert await rest.unless_in_vain(work(True), under=two), "what failed was not in vain"
    assert not await rest.unless_in_vain(work(False), under=two)
    async with sqlite.write() as store:
        await store.conditions.set("bus", "does not answer", NOW)
    assert await rest.unless_in_vain(work(True), under=two)


async def test_idle_rounds_ask_the_database_nothing_until_something_comes(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (searching, suppliers, watching):
        monkeypatch.setattr(module, "_LOOK_EVERY_S", 0)
    for module in (jobs, screening_files):
        monkeypatch.setattr(module, "IDLE_S", 0)
    settings = Settings(member="reader", database=sqlite.url, bus="local:none", registry="none")
    node = Node(Home(tmp_path), settings, sqlite, None, lambda: NOW)
    rounds = {**Watching(node).loops, **NameIndex(node).loops, "suppliers": SupplierGraph(node).follow}
    rounds |= {"jobs": JobRunner(node)._round, "screening-files": FileScreener(node)._round}
    for _ in range(4):
        for step in rounds.values():
            await step()
    asked: list[str] = []
    read = Database.read
    monkeypatch.setattr(Database, "read", lambda self: asked.append("read") or read(self))
    with monkeypatch.context() as only_reads:
        only_reads.setattr(Database, "write", lambda _: pytest.fail("an idle round has written"))
        for step in rounds.values():
            await step()
    assert not asked
    async with sqlite.write() as store:
        await store.conditions.set("bus", "does not answer", NOW)
    for step in rounds.values():
        await step()
    assert len(asked) >= len(rounds), "a round rests though something came"
