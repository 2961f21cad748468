"""A node ends within ten seconds of SIGTERM, whatever the bus, the hub or the database does. Real processes."""

import asyncio
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import servers
from comity_federation.kafka.settings import KafkaSettings
from comity_federation.kafka_topics import prepare_topics
from comity_node.wiring import Home
from comity_node.workers.exchange import Part, hold
from node_world import Town, clean_environment, until

WITHIN_S = 10.0


@contextmanager
def running(home: Path, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run a `comity` command on a home while the block lasts; give the process and where its log goes."""
    log = home.parent / "running.log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", "from comity_node.cli import main; main()", *words, "--home", str(home)],
            stdout=stderr,
            stderr=stderr,
            env=clean_environment(),
        )
    try:
        yield process, log
    finally:
        process.kill()
        process.wait()


def stop(process: subprocess.Popen[bytes], log: Path) -> float:
    """Stop a process as an operating system does; return after how many seconds it had ended without complaint."""
    began = time.monotonic()
    process.terminate()
    process.wait(WITHIN_S)
    took = time.monotonic() - began
    assert process.returncode == 0, log.read_text()
    assert not any(word in log.read_text() for word in ("Traceback", "crashed", "exception")), log.read_text()
    return took


def nothing_is_held(home: Path) -> None:
    """No part of the exchange is left behind: whoever comes next can have every lock."""
    for part in Part:
        with hold(Home(home), part):
            pass


def has(connected: list[socket.socket]) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return bool(connected)

    return ask


@contextmanager
def silent_listener() -> Iterator[tuple[int, list[socket.socket]]]:
    """A port where connections are accepted and nothing ever answers, as a paused broker or hub; and who came."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1], held
        server.shutdown(socket.SHUT_RDWR)
        for each in held:
            each.close()


async def test_the_relay_alone_with_a_broker_that_never_answers(tmp_path: Path) -> None:
    with silent_listener() as (port, connected):
        town = Town(tmp_path, f"kafka://127.0.0.1:{port}")
        house = await town.found("agency")
        await town.refresh()
        with running(house.home, "exchange", "--only", "relay") as (process, log):
            await until("it waits for the broker", has(connected))
            assert stop(process, log) < WITHIN_S
        nothing_is_held(house.home)
        await town.close()


async def test_with_a_hub_that_never_answers(tmp_path: Path) -> None:
    with silent_listener() as (port, connected):
        town = Town(tmp_path)
        house = await town.found("agency", more={"registry_every_s": 0.1})
        await town.refresh()
        await house.node.close()
        settings = house.home / "settings.toml"
        text, places = re.subn(r'registry = ".*"', f'registry = "http://127.0.0.1:{port}"', settings.read_text())
        assert places == 1
        settings.write_text(text)
        with running(house.home, "exchange") as (process, log):
            await until("it waits for the hub", has(connected))
            assert stop(process, log) < WITHIN_S
        nothing_is_held(house.home)
        await town.close()


async def test_while_another_process_locks_the_local_log_and_the_database(town: Town) -> None:
    house = await town.found("agency")
    await town.refresh()
    with running(house.home, "serve") as (process, log):
        await until("it runs", lambda: asyncio.to_thread((town.directory / "log.db").exists))
        await asyncio.sleep(0.5)
        others = [
            sqlite3.connect(path, isolation_level=None) for path in (town.directory / "log.db", house.home / "node.db")
        ]
        for other in others:
            other.execute("BEGIN EXCLUSIVE")
        await asyncio.sleep(1.5)
        assert stop(process, log) < WITHIN_S
        for other in others:
            other.close()
    nothing_is_held(house.home)


@pytest.mark.kafka
async def test_with_a_broker_that_is_paused_in_the_middle(tmp_path: Path) -> None:
    with servers.started(servers.LOCAL_BROKER) as broker:
        slug = f"agency-{uuid.uuid4().hex[:8]}"
        town = Town(tmp_path, f"kafka://{broker['bootstrap']}")
        house = await town.found(slug, more={"checkpoint_every_s": 0.2})
        await town.refresh()
        await asyncio.to_thread(prepare_topics, KafkaSettings(bootstrap=broker["bootstrap"]), [slug])

        async def heard() -> bool:
            async with house.node.database.read() as store:
                return (await store.logs.of(slug)).heard_at is not None

        with running(house.home, "serve") as (process, log):
            await until("it publishes and reads", heard)
            servers.pause(broker["pid"])
            # A checkpoint is on its way, and a fetch; neither will be answered.
            await asyncio.sleep(1)
            try:
                assert stop(process, log) < WITHIN_S
            finally:
                servers.resume(broker["pid"])
        nothing_is_held(house.home)
        await town.close()
