"""A node whose past comes back signs no place twice: real processes, with what they remember, over real databases."""

import asyncio
import contextlib
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

import servers
from comity_federation.bus import statements_topic
from comity_federation.encoding import digest
from comity_federation.log_state import peek
from comity_node.db.migrate import migrate_async
from comity_node.db.reports import StoredReport
from comity_node.domain.minimize import Policy
from comity_node.services.operating.check import check
from comity_node.services.review.release import approve, propose_release
from comity_node.wiring import Node
from comity_schemas.member import Role
from faults.crash_town import report_of
from node_world import House, Town, clean_environment, until

LETTERS = "abcdefgh"


@dataclass
class Machine:
    """A node's home and the exchange that runs on it, as a process of its own."""

    home: Path
    town: Town

    @property
    def log(self) -> Path:
        return self.home.with_name(f"{self.home.name}.log")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run the exchange; it is killed at the end, as a machine that is switched off."""
        log = self.log.open("ab")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "comity_node.workers", str(self.home)),
            stdin=asyncio.subprocess.PIPE,
            stderr=log,
            env=clean_environment(),
        )
        log.close()
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    @asynccontextmanager
    async def node(self) -> AsyncIterator[Node]:
        opened = Node.open(self.home)
        yield opened
        await opened.close()

    async def release(self, letters: str) -> None:
        """Let two people release a finding of each of these reports."""
        async with self.node() as node, node.database.write() as store:
            found = [await store.accounts.find_by_name(name) for name in ("reviewer", "second")]
            reviewer, second = (each[0] for each in found if each is not None)
            for letter in letters:
                now = node.clock()
                review = await propose_release(
                    store, reviewer, digest(report_of(letter)), "O1", policy=Policy(), now=now
                )
                await approve(store, second, review.id, now, Role.AGENCY)

    async def stop_between_transactions(self, process: asyncio.subprocess.Process) -> None:
        """Let a process stand still while it holds no lock."""
        while True:
            servers.pause(process.pid)
            if is_free(self.home / "node.db"):
                return
            servers.resume(process.pid)
            await asyncio.sleep(0.05)

    async def has_sent(self, count: int) -> None:
        """Wait until so many statements are out, own reading included."""

        async def ask() -> bool:
            async with self.node() as node, node.database.read() as store:
                counts, log = await store.outbox.counts(), await store.logs.of("agency")
            return counts == {"sent": count} and log.head == count

        try:
            await until(f"{count} are out", ask, 40)
        except AssertionError as error:
            raise AssertionError(f"{error}; {await self.state()}") from None

    async def state(self) -> str:
        async with self.node() as node, node.database.read() as store:
            held_up = [f"{each.name}: {each.text}" for each in await store.conditions.all()]
            said = self.log.read_text()[-2_000:]
            return f"{await store.outbox.counts()}, {await store.logs.of('agency')}, {held_up}, {said}"

    async def problems(self) -> list[str]:
        async with self.node() as node:
            return await check(node.database, node.trusted_registry(), node.clock())

    async def events(self) -> list[str]:
        async with self.node() as node, node.database.read() as store:
            return [entry.event for _, entry in await store.trail.page(before=None, most=200)]


async def new_machine(town: Town, **more: str | None) -> Machine:
    house: House = await town.found("agency", more={"registry_every_s": 0.5}, **more)
    await town.refresh()
    reviewer = await house.hire("reviewer", "reviewer")
    await house.hire("second", "focal-point")
    now = datetime.now(UTC)
    async with house.node.database.write() as store:
        for letter in LETTERS:
            raw = report_of(letter)
            await store.reports.add(
                StoredReport(digest(raw), "register", raw, None, None, None, None, letter, (), reviewer.person.id, now)
            )
    return Machine(house.home, town)


async def places(town: Town) -> dict[int, set[str]]:
    """Return by place the statements that the own topic holds."""
    log = town.log()
    found: dict[int, set[str]] = {}
    for delivered in await log.tail(statements_topic("agency"), most=1_000):
        claimed = peek(delivered.value)
        assert claimed is not None
        found.setdefault(claimed.seq, set()).add(claimed.hash)
    await log.stop()
    return found


async def is_one_history(town: Town, machine: Machine, length: int) -> None:
    found = await places(town)
    assert {place: len(names) for place, names in found.items()} == dict.fromkeys(range(1, length + 1), 1)
    assert await machine.problems() == []


def is_free(path: Path) -> bool:
    """Whether nobody is writing to a database."""
    with contextlib.closing(sqlite3.connect(path, timeout=0.1, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True


def copy_database(source: Path, target: Path) -> None:
    """Make a backup, as SQLite makes one of a database in use."""
    with contextlib.closing(sqlite3.connect(source)) as one, contextlib.closing(sqlite3.connect(target)) as other:
        one.backup(other)


def copy_machine(machine: Machine, name: str) -> Machine:
    """Copy a whole machine: another home with everything in it."""
    home = machine.home.with_name(name)
    shutil.copytree(machine.home, home, ignore=shutil.ignore_patterns("node.db*", "*.lock"))
    copy_database(machine.home / "node.db", home / "node.db")
    settings = home / "settings.toml"
    settings.write_text(settings.read_text().replace(str(machine.home), str(home)))
    return Machine(home, machine.town)


async def test_a_snapshot_that_is_resumed_with_all_it_remembers_signs_no_place_twice(town: Town) -> None:
    machine = await new_machine(town)
    await machine.release("ab")
    async with machine.running() as before:
        await machine.has_sent(2)
        # The snapshot: memory and disk of this moment. The machine itself goes on, and says more.
        await machine.stop_between_transactions(before)
        later = copy_machine(machine, "later")
        async with later.running():
            await later.release("cd")
            await later.has_sent(4)
        # It is lost, and the snapshot resumed. What waits in it was released before anybody could notice.
        await machine.release("e")
        servers.resume(before.pid)
        await machine.has_sent(5)
    await is_one_history(town, machine, 5)
    assert "log.adopted" in await machine.events()


async def test_yesterdays_backup_goes_on_after_what_was_said_since(town: Town) -> None:
    machine = await new_machine(town)
    database, kept = machine.home / "node.db", machine.home / "kept"
    async with machine.running():
        await machine.release("a")
        await machine.has_sent(1)
        copy_database(database, kept)
        await machine.release("bc")
        await machine.has_sent(3)
    for left in machine.home.glob("node.db*"):
        left.unlink()
    kept.rename(database)
    await machine.release("d")
    async with machine.running():
        await machine.has_sent(4)
    await is_one_history(town, machine, 4)


async def test_a_database_file_that_is_set_back_under_a_running_node_signs_no_place_twice(town: Town) -> None:
    machine = await new_machine(town)
    database, kept = machine.home / "node.db", machine.home / "kept"
    async with machine.running():
        await machine.release("a")
        await machine.has_sent(1)
        copy_database(database, kept)
        await machine.release("bc")
        await machine.has_sent(3)
        # Into the file that the process has open, as a restore tool does; what is released then is there at once.
        copy_database(kept, database)
        await machine.release("d")
        await machine.has_sent(4)
    await is_one_history(town, machine, 4)


@pytest.mark.postgres
async def test_a_postgresql_that_failed_over_without_the_last_commits_signs_no_place_twice(
    town: Town, postgres_server: str
) -> None:
    primary = servers.new_database(postgres_server)
    await migrate_async(primary)
    machine = await new_machine(town, database=primary)
    async with machine.running() as process:
        await machine.release("a")
        await machine.has_sent(1)
        servers.pause(process.pid)
        standby = servers.copy_database(postgres_server, primary, force=True)
        servers.resume(process.pid)
        await machine.release("bc")
        await machine.has_sent(3)
        # All connections break, and the same address now leads to the standby, which lacks the last commits.
        servers.replace_database(postgres_server, primary, standby)
        await machine.release("d")
        await machine.has_sent(4)
    await is_one_history(town, machine, 4)
    servers.drop_database(postgres_server, primary)
