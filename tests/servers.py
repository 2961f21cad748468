"""The real servers that tests need, started from `deploy/` or given by the environment.

``COMITY_TEST_KAFKA`` (host:port) and ``COMITY_TEST_POSTGRES`` (a SQLAlchemy URL whose user may create databases) name
servers that already run. Otherwise the scripts of `deploy/` start them; they stop with this process, however it ends.
"""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import URL, make_url

CHECKOUT = Path(__file__).resolve().parent.parent
LOCAL_BROKER = CHECKOUT / "deploy" / "kafka" / "local_broker.py"
LOCAL_CLUSTER = CHECKOUT / "deploy" / "kafka" / "local_cluster.py"
LOCAL_POSTGRES = CHECKOUT / "deploy" / "postgres" / "local_postgres.py"

FETCH_SECONDS = 900
"""How long the first download may take; 190 MB on a slow line."""
START_SECONDS = 120


class ServerFailed(Exception):
    """A local server did not come up. The text is what its script said."""


def fetch(script: Path, *options: str) -> None:
    """Fetch what the script's server needs, its progress going to our stderr; instant when nothing is missing."""
    fetching = subprocess.run([sys.executable, script, "--fetch-only", *options], timeout=FETCH_SECONDS, check=False)
    if fetching.returncode:
        raise ServerFailed(f"{script.name} could not fetch what it needs; its reason is on stderr")


@contextmanager
def started(script: Path, *options: str) -> Iterator[dict[str, Any]]:
    """Run a server of `deploy/` while the block lasts, and give what it announced."""
    with subprocess.Popen(
        [sys.executable, script, "--until-stdin-closes", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
            line = process.stdout.readline() if readable else ""
            if not line:
                process.terminate()
                raise ServerFailed(f"{script.name} did not start: {process.stderr.read().strip() or 'no reason'}")
            yield json.loads(line)
        finally:
            process.stdin.close()
            process.wait()


def pause(pid: int) -> None:
    """Let a process stand still, and return when all of its threads do: on a busy machine those that the signal did not
    reach first go on for a while, and answer."""
    os.kill(pid, signal.SIGSTOP)
    threads, end = Path(f"/proc/{pid}/task"), time.monotonic() + START_SECONDS
    while threads.exists() and not all(_stands_still(thread) for thread in threads.iterdir()):
        assert time.monotonic() < end, f"process {pid} goes on"
        time.sleep(0.01)


def resume(pid: int) -> None:
    """Let a process go on."""
    os.kill(pid, signal.SIGCONT)


def _stands_still(thread: Path) -> bool:
    try:
        # Behind the name, which may hold anything.
        return (thread / "stat").read_text().rpartition(") ")[2][0] in "TtZX"
    except FileNotFoundError:
        return True


def new_database(server_url: str) -> str:
    """Create an empty database on this server and give its URL."""
    return _create_database(server_url, "template0")


def copy_database(server_url: str, url: str, *, force: bool = False) -> str:
    """Copy a database that nobody is connected to, and give the copy's URL; `force` breaks all connections first."""
    name = make_url(url).database or ""
    if force:
        on_its_own_loop(_execute(make_url(server_url), _BREAK.format(name)))
    return _create_database(server_url, name)


def replace_database(server_url: str, url: str, by: str) -> None:
    """Let a URL lead to another database from now on; whoever is connected loses the connection."""
    name, other = make_url(url).database, make_url(by).database
    drop_database(server_url, url)
    on_its_own_loop(_execute(make_url(server_url), f'ALTER DATABASE "{other}" RENAME TO "{name}"'))


_BREAK = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'"


def _create_database(server_url: str, template: str) -> str:
    name = f"comity_{uuid.uuid4().hex}"
    on_its_own_loop(_execute(make_url(server_url), f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def drop_database(server_url: str, url: str) -> None:
    """Drop a database that `new_database` made, whoever is still connected to it."""
    name = make_url(url).database
    on_its_own_loop(_execute(make_url(server_url), f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


async def _execute(server: URL, statement: str) -> None:
    connection = await asyncpg.connect(server.set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def on_its_own_loop(work: Coroutine[Any, Any, None]) -> None:
    """Do it to its end, also where the caller is inside pytest's own event loop and asyncio.run is not allowed."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def shared_data() -> Path | None:
    """The published example data beside the checkout (``COMITY_SHARED_DATA`` names another place), if it is there."""
    place = Path(os.environ.get("COMITY_SHARED_DATA", CHECKOUT.parent / "shared" / "data"))
    return place if place.is_dir() else None
