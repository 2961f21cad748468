"""The database goes away, is held or is full under a node at work: it says so in words, and loses nothing."""

import asyncio
import contextlib
import os
import resource
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

import servers
from comity_federation.encoding import digest
from comity_node.db.migrate import migrate_async
from comity_node.db.reports import StoredReport
from comity_node.services.operating.check import check
from faults.crash_town import report_of
from node_world import Actor, House, Served, Town, comity, served, until


@pytest.fixture
def open_tmp() -> Iterator[Path]:
    """A temporary directory that other accounts may enter, as root's PostgreSQL must."""
    path = Path(tempfile.mkdtemp(prefix="comity-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


class Desk:
    """Two people who release one finding after the other at a served node, and note what they were answered."""

    def __init__(self, house: House, reviewer: Actor, second: Actor) -> None:
        self.house, self._tokens = house, (reviewer.token, second.token)
        self.released: set[str] = set()
        self.answers: list[httpx2.Response] = []
        self.url = ""

    async def release(self, letter: str) -> None:
        """Release one finding, asking again as a person does who is told to come back in a moment."""
        name = digest(report_of(letter))
        while True:
            proposed = await self._post(0, "/reviews", {"report": name, "observation": "O1"})
            if proposed.status_code in (201, 409):
                break
        reviews = await self._get("/reviews")
        review = next(r for r in reviews if r["report"] == name)
        while True:
            approved = await self._post(1, f"/reviews/{review['id']}/approve", None)
            if approved.status_code in (200, 409):
                break
        self.released.add(review["id"])

    async def release_all(self, letters: str) -> None:
        """Release one after the other, a tenth of a second apart."""
        for letter in letters:
            await self.release(letter)
            await asyncio.sleep(0.1)

    async def refused(self) -> httpx2.Response | None:
        """Return the first answer that said to come back later."""
        return next((answer for answer in self.answers if answer.status_code == 503), None)

    async def _post(self, who: int, path: str, body: Any) -> httpx2.Response:
        async with self._client(who) as client:
            response = await client.post(path, json=body)
        self.answers.append(response)
        if response.is_error:
            await asyncio.sleep(0.1)
        return response

    async def _get(self, path: str) -> list[dict[str, Any]]:
        while True:
            async with self._client(0) as client:
                response = await client.get(path, params={"limit": 200})
            if not response.is_error:
                return list(response.json()["items"])
            self.answers.append(response)
            await asyncio.sleep(0.1)

    def _client(self, who: int) -> httpx2.AsyncClient:
        headers = {"Authorization": f"Bearer {self._tokens[who]}"}
        return httpx2.AsyncClient(base_url=f"{self.url}/api/v1", headers=headers, timeout=40)


async def new_desk(town: Town, letters: str, **more: Any) -> Desk:
    house = await town.found("agency", more={"registry_every_s": 0.5}, **more)
    await town.refresh()
    reviewer, second = await house.hire("reviewer", "reviewer"), await house.hire("second", "focal-point")
    now = datetime.now(UTC)
    async with house.node.database.write() as store:
        for letter in letters:
            raw = report_of(letter)
            await store.reports.add(
                StoredReport(digest(raw), "register", raw, None, None, None, None, letter, (), reviewer.person.id, now)
            )
    return Desk(house, reviewer, second)


def all_settled(house: House, count: int) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        async with house.node.database.read() as store:
            sent, log = await store.outbox.counts(), await store.logs.of(house.slug)
        return sent == {"sent": count} and log.head == count

    return ask


async def is_clean(desk: Desk) -> None:
    """Everything that was answered as released is out, exactly once, and nothing else is."""
    node = desk.house.node
    async with node.database.read() as store:
        assert await store.reviews.all_approved() == desk.released
        view = await store.view.of_log(desk.house.slug)
    assert len(view) == len(desk.released)
    assert await check(node.database, node.trusted_registry(), node.clock()) == []


async def ready(url: str) -> dict[str, Any]:
    async with httpx2.AsyncClient(timeout=40) as client:
        response = await client.get(f"{url}/readyz")
    return {"status": response.status_code, **response.json()}


@pytest.mark.postgres
async def test_a_postgresql_that_restarts_under_load_costs_patience_and_nothing_else(
    town: Town, open_tmp: Path
) -> None:
    letters = "abcdefghijkl"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])

    def start(stack: ExitStack) -> str:
        options = ("--directory", str(open_tmp), "--port", port)
        return str(stack.enter_context(servers.started(servers.LOCAL_POSTGRES, *options))["url"])

    first = ExitStack()
    database = servers.new_database(await asyncio.to_thread(start, first))
    await migrate_async(database)
    desk = await new_desk(town, letters, database=database)
    with ExitStack() as second:
        with served(desk.house.home) as node:
            desk.url = node.url
            working = asyncio.create_task(desk.release_all(letters))
            await until("some were released", lambda: asyncio.sleep(0, len(desk.released) > 2))
            await asyncio.to_thread(first.close)
            down = await ready(node.url)
            await asyncio.to_thread(start, second)
            await working
            await until("all is out and settled", all_settled(desk.house, len(letters)))
            assert "Traceback" not in node.ended()
        await is_clean(desk)
    assert {response.status_code for response in desk.answers} <= {200, 201, 409, 503}
    refused = [response for response in desk.answers if response.status_code == 503]
    assert {response.json()["code"] for response in refused} == {"database.unavailable"}
    assert all(response.headers["retry-after"] for response in refused)
    assert down["status"] == 503
    assert [each["name"] for each in down["held_up"]] == ["database"]


class SmallDisk:
    """A disk of its own for a node's home; where that needs a right we lack, a bound on how long its files may grow."""

    def __init__(self, place: Path) -> None:
        self.place, self.is_real = place, os.geteuid() == 0
        place.mkdir()
        if self.is_real:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", place], check=True)

    def fill(self, node: Served) -> None:
        """Leave no room."""
        if not self.is_real:
            self._bound(node, 64 * 1024)
            return
        with (self.place / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))

    def make_room(self, node: Served) -> None:
        if self.is_real:
            (self.place / "filler").unlink()
        else:
            self._bound(node, resource.RLIM_INFINITY)

    def make_read_only(self) -> None:
        """As a kernel does to a disk with faults."""
        if self.is_real:
            subprocess.run(["mount", "-o", "remount,ro", self.place], check=True)
            return
        for path in [*self.place.rglob("*"), self.place]:
            path.chmod(0o500 if path.is_dir() else 0o400)

    def remove(self) -> None:
        for path in [self.place, *self.place.rglob("*")] if not self.is_real else []:
            path.chmod(0o700)
        if self.is_real:
            subprocess.run(["umount", "--lazy", self.place], check=True)

    def _bound(self, node: Served, most_bytes: int) -> None:
        pid = node.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for each in (pid, *map(int, children)):
            _, hard = resource.prlimit(each, resource.RLIMIT_FSIZE)
            resource.prlimit(each, resource.RLIMIT_FSIZE, (most_bytes, hard))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """The disk on which the home of `agency` will be."""
    disk = SmallDisk(tmp_path / "agency")
    yield disk
    disk.remove()


async def test_a_full_disk_is_said_in_words_and_the_node_goes_on_by_itself_when_there_is_room(
    town: Town, small_disk: SmallDisk
) -> None:
    desk = await new_desk(town, "abcdefgh")
    with served(desk.house.home) as node:
        desk.url = node.url
        await desk.release_all("ab")
        await until("two are out and settled", all_settled(desk.house, 2))
        small_disk.fill(node)
        working = asyncio.create_task(desk.release_all("cdefgh"))
        refused = await until("it refuses", desk.refused)
        told = await ready(node.url)
        small_disk.make_room(node)
        await working
        await until("all is out and settled", all_settled(desk.house, 8))
        await until("nothing holds it up", lambda: is_ready(node.url))
        assert "Traceback" not in node.ended()
    assert refused.json()["code"] == "database.unavailable"
    assert "the disk of the database" in refused.json()["detail"]
    assert refused.headers["retry-after"]
    if small_disk.is_real:
        assert "is full" in refused.json()["detail"]
        assert "disk" in {each["name"] for each in told["held_up"]}
    await is_clean(desk)


async def is_ready(url: str) -> bool:
    return bool((await ready(url))["ready"])


async def test_a_home_that_cannot_be_written_is_said_in_words_by_every_command(
    town: Town, small_disk: SmallDisk
) -> None:
    house = await town.found("agency")
    await town.refresh()
    await house.node.close()
    small_disk.make_read_only()
    commands = ("serve", "exchange", "check", "status")
    run = [asyncio.to_thread(comity, command, "--home", str(house.home)) for command in commands]
    *refused, told = await asyncio.gather(*run)
    for command, ended in zip(commands, refused, strict=False):
        assert ended.returncode == 1, command
        assert ended.stderr.startswith("Error: "), ended.stderr
    assert told.returncode == 1
    assert "the home cannot be written" in told.stdout
    assert "safe  Nothing" in told.stdout
