"""The local Kafka and PostgreSQL: only pinned files run, they really answer, and nothing stays behind."""

import importlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

import servers

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]


def user_cache() -> Path:
    """The cache that this run's servers were fetched into."""
    script = f"import sys; sys.path.insert(0, {str(servers.CHECKOUT / 'deploy')!r}); import local_cache"
    command = [sys.executable, "-c", f"{script}; print(local_cache.cache_directory())"]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


@pytest.fixture
def own_cache(tmp_path: Path) -> Iterator[Path]:
    """A cache as after a first start, whose jars a test may change."""
    servers.fetch(servers.LOCAL_BROKER)
    cache = tmp_path / "cache"
    cache.mkdir()
    for place in user_cache().iterdir():
        if place.name.startswith("kafka-python-"):
            (cache / place.name).symlink_to(place)
        elif place.name.startswith("kafka-4.3.1-"):
            shutil.copytree(place, cache / place.name)
    yield cache
    shutil.rmtree(cache)


@pytest.fixture
def open_tmp() -> Iterator[Path]:
    """A temporary directory that other accounts may enter, as root's PostgreSQL must; pytest's own is closed."""
    with tempfile.TemporaryDirectory(prefix="comity-test-") as place:
        Path(place).chmod(0o755)
        yield Path(place).resolve()


def start_broker(cache: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run the broker's script on this cache to its end; stdin is closed, so that even a success ends."""
    return subprocess.run(
        [sys.executable, servers.LOCAL_BROKER, "--until-stdin-closes", *options],
        env={**os.environ, "COMITY_CACHE": str(cache)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_pinned_jars_start(own_cache: Path) -> None:
    outcome = start_broker(own_cache)
    assert outcome.returncode == 0, outcome.stderr
    assert json.loads(outcome.stdout)["version"] == "4.3.1"


def test_a_jar_that_is_not_on_the_list_is_refused_before_anything_starts(own_cache: Path) -> None:
    jar = next(own_cache.glob("kafka-4.3.1-*/**/slf4j-api-*.jar"))
    shutil.copy(jar, jar.with_name("foreign-1.0.jar"))
    outcome = start_broker(own_cache)
    assert outcome.returncode == 1
    assert outcome.stdout == ""
    assert "foreign-1.0.jar is not on the list" in outcome.stderr


def test_a_jar_with_one_changed_byte_is_refused_before_anything_starts(own_cache: Path) -> None:
    jar = next(own_cache.glob("kafka-4.3.1-*/**/kafka-clients-*.jar"))
    content = bytearray(jar.read_bytes())
    content[len(content) // 2] ^= 1
    jar.write_bytes(content)
    outcome = start_broker(own_cache)
    assert outcome.returncode == 1
    assert outcome.stdout == ""
    assert f"{jar.name} does not have its pinned SHA-256" in outcome.stderr


def test_a_missing_jar_is_refused_before_anything_starts(own_cache: Path) -> None:
    next(own_cache.glob("kafka-4.3.1-*/**/kafka-raft-*.jar")).unlink()
    outcome = start_broker(own_cache)
    assert outcome.returncode == 1
    assert "kafka-raft-4.3.1.jar is missing" in outcome.stderr


def test_an_interrupted_download_is_never_taken_for_a_whole_one(own_cache: Path) -> None:
    # What a killed first start leaves: the jars so far under the name of things to come.
    (whole,) = own_cache.glob("kafka-4.3.1-*")
    partial = whole.rename(whole.with_suffix(".coming"))
    next(partial.glob("**/kafka-raft-*.jar")).unlink()
    outcome = start_broker(own_cache, "--fetch-only")
    assert outcome.returncode == 0, outcome.stderr
    assert list(whole.glob("**/kafka-raft-*.jar"))
    assert not partial.exists()


def test_an_unknown_version_is_named_with_the_known_ones(tmp_path: Path) -> None:
    outcome = start_broker(tmp_path, "--version", "9.9.9")
    assert outcome.returncode == 1
    assert "no list of jars for Kafka 9.9.9, only for 3.9.2, 4.3.1, 4.4.0" in outcome.stderr


@pytest.mark.parametrize("script", [servers.LOCAL_BROKER, servers.LOCAL_POSTGRES], ids=lambda script: script.stem)
def test_a_taken_port_is_named(script: Path) -> None:
    servers.fetch(script)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(servers.ServerFailed, match=f"port {port} on 127.0.0.1 cannot be used"),
            servers.started(script, "--port", str(port)),
        ):
            pass


@pytest.mark.parametrize("script", [servers.LOCAL_BROKER, servers.LOCAL_POSTGRES], ids=lambda script: script.stem)
def test_no_network_is_said_in_one_sentence(script: Path, tmp_path: Path) -> None:
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_RETRIES": "1",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_FIND_LINKS": "",
    }
    outcome = subprocess.run(
        [sys.executable, script, "--fetch-only"],
        env={**os.environ, **nowhere, "COMITY_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 1
    assert "the package index does not answer. Check the network" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert not list(tmp_path.glob("*/complete"))


async def test_what_is_sent_to_the_broker_comes_back_as_sent(kafka: str) -> None:
    topic = f"local-broker-{os.getpid()}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        sent = await producer.send_and_wait(topic, b"\x00\xffany bytes", partition=0)
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=None, auto_offset_reset="none")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek(TopicPartition(topic, 0), sent.offset)
        received = await consumer.getone()
    finally:
        await consumer.stop()
    assert received.value == b"\x00\xffany bytes"


async def test_postgres_is_version_18_and_each_url_is_an_empty_database(
    new_postgres_database: Callable[[], str],
) -> None:
    first, second = (url.replace("+asyncpg", "") for url in (new_postgres_database(), new_postgres_database()))
    connection = await asyncpg.connect(first)
    assert (await connection.fetchval("SELECT version()")).startswith("PostgreSQL 18.")
    await connection.execute("CREATE TABLE only_here (n int)")
    await connection.close()
    connection = await asyncpg.connect(second)
    assert await connection.fetchval("SELECT to_regclass('only_here')") is None
    await connection.close()


async def test_postgres_refuses_whoever_does_not_know_its_password(postgres_url: str) -> None:
    wrong = postgres_url.replace("+asyncpg", "").split("@")[1]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://postgres:guessed@{wrong}")


def is_alive(pid: int) -> bool:
    """Whether this process exists and is no zombie."""
    status = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(status.strip()) and not status.strip().startswith("Z")


def ends_within(pid: int, seconds: float) -> bool:
    """Whether the process is gone before the time is over."""
    deadline = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not is_alive(pid)


PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, *sys.argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(child.pid, child.stdout.readline(), flush=True)
child.wait()
"""


@pytest.mark.parametrize("script", [servers.LOCAL_BROKER, servers.LOCAL_POSTGRES], ids=lambda script: script.stem)
@pytest.mark.parametrize("victim", ["whoever asked for it", "its own script"])
def test_no_server_outlives(victim: str, script: Path, open_tmp: Path) -> None:
    if victim == "its own script" and sys.platform != "linux":
        return  # only Linux can end a process whose parent was killed outright
    servers.fetch(script)
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, script, "--until-stdin-closes"],
        env={**os.environ, "TMPDIR": str(open_tmp)},  # a script that is killed outright cannot tidy up
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        script_pid, line = parent.stdout.readline().split(maxsplit=1)
        server = json.loads(line)["pid"]
        assert is_alive(server)
        os.kill(parent.pid if victim == "whoever asked for it" else int(script_pid), signal.SIGKILL)
        try:
            assert ends_within(server, 15)
        finally:
            if is_alive(server):
                os.kill(server, signal.SIGKILL)


@pytest.mark.parametrize("script", [servers.LOCAL_BROKER, servers.LOCAL_POSTGRES], ids=lambda script: script.stem)
def test_sigterm_stops_the_server_in_order_and_removes_its_directory(script: Path) -> None:
    servers.fetch(script)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        announced = json.loads(process.stdout.readline())
        process.terminate()
        assert process.wait(15) == 0
    assert not is_alive(announced["pid"])
    assert not Path(announced["directory"]).exists()


@pytest.mark.parametrize("script", [servers.LOCAL_BROKER, servers.LOCAL_POSTGRES], ids=lambda script: script.stem)
def test_a_named_directory_keeps_its_data_for_the_next_start(script: Path, open_tmp: Path) -> None:
    identity = "data/meta.properties" if script == servers.LOCAL_BROKER else "cluster/global/pg_control"
    with servers.started(script, "--directory", str(open_tmp)):
        made = (open_tmp / identity).stat().st_ino
    with servers.started(script, "--directory", str(open_tmp)) as again:
        assert again["directory"] == str(open_tmp)
        assert (open_tmp / identity).stat().st_ino == made


def test_a_cluster_obeys_and_nothing_of_it_outlives_its_script(open_tmp: Path) -> None:
    servers.fetch(servers.LOCAL_CLUSTER)
    with subprocess.Popen(
        [sys.executable, servers.LOCAL_CLUSTER, "--brokers", "1", "--directory", str(open_tmp)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None

        def do(command: str) -> dict[str, Any]:
            stdin.write(f"{command}\n")
            answer: dict[str, Any] = json.loads(stdout.readline())
            return answer

        (first,) = json.loads(stdout.readline())["pids"]
        assert "kill N, stop N, start N M" in do("kill 2")["error"]
        assert "runs already" in do("start 1")["error"]
        assert do("kill 1") == {"pids": [0]}
        assert not is_alive(first)
        (second,) = do("start 1")["pids"]
        assert second != first
        os.kill(second, signal.SIGSTOP)  # One that is paused would never obey.
        if sys.platform == "linux":
            process.kill()
        else:
            stdin.close()
        assert ends_within(second, 15)


def test_a_cluster_id_that_begins_like_an_option_is_taken_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One id in 64 does: it had once kept a broker from starting."""
    monkeypatch.syspath_prepend(servers.CHECKOUT / "deploy" / "kafka")
    local_broker = importlib.import_module("local_broker")
    settings = local_broker.write_settings(tmp_path, 9092, 9093)
    cluster = "-" + local_broker.new_cluster_id()[1:]
    local_broker.format_storage(local_broker.java_command(local_broker.DEFAULT_VERSION), tmp_path, settings, cluster)
    assert cluster in (tmp_path / "data" / "meta.properties").read_text()
