"""What is special about the local log: one file, several processes, no authentication."""

import asyncio
import logging
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from comity_federation import local_log
from comity_federation.bus import BusUnavailable, Delivered, HistoryMissing
from comity_federation.local_log import LocalLog, LocalLogInProduction

TOPIC = "comity.statements.v1.somebody"

WRITE = """
import asyncio, sys
from pathlib import Path
from comity_federation.local_log import LocalLog

async def main(path, name, count):
    bus = LocalLog(Path(path))
    await bus.start()
    for number in range(int(count)):
        await bus.publish("comity.statements.v1.shared", f"{name} {number}".encode(), {})
    await bus.stop()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bus.db"


@pytest.fixture
async def bus(path: Path) -> AsyncIterator[LocalLog]:
    bus = LocalLog(path)
    await bus.start()
    yield bus
    await bus.stop()


async def test_processes_that_begin_and_write_at_once_all_succeed(path: Path) -> None:
    names, count = ["one", "two", "three"], 60
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, str(path), name, str(count)]) for name in names]
    assert [await asyncio.to_thread(writer.wait, 60) for writer in writers] == [0, 0, 0]
    bus = LocalLog(path)
    await bus.start()
    records = await bus.read({"comity.statements.v1.shared": 0}, most=1000, wait=timedelta(0))
    await bus.stop()
    found = [record.value.decode() for record in records if isinstance(record, Delivered)]
    for name in names:
        assert [value for value in found if value.startswith(name + " ")] == [f"{name} {n}" for n in range(count)]


async def test_it_refuses_to_start_in_production(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMITY_ENV", "production")
    with pytest.raises(LocalLogInProduction) as refused:
        await LocalLog(path).start()
    assert refused.value.code == "bus.local-in-production"
    assert not path.exists()


async def test_it_says_at_start_what_it_is(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bus = LocalLog(path)
    with caplog.at_level(logging.WARNING):
        await bus.start()
    await bus.stop()
    assert "single-machine log without authentication" in caplog.text


async def test_its_offsets_have_the_same_holes_everywhere(bus: LocalLog) -> None:
    assert [await bus.publish(TOPIC, b"", {}) for _ in range(10)] == [0, 1, 2, 3, 5, 6, 7, 8, 10, 11]


async def test_a_position_in_a_hole_goes_on_behind_it(bus: LocalLog) -> None:
    for _ in range(5):
        await bus.publish(TOPIC, b"", {})
    assert await bus.read({TOPIC: 4}, most=5, wait=timedelta(0)) == [Delivered(TOPIC, 5, b"")]


async def test_another_file_in_its_place_is_another_bus(bus: LocalLog, path: Path) -> None:
    await bus.publish(TOPIC, b"old", {})
    old_id = await bus.bus_id()
    for file in path.parent.glob("bus.db*"):
        file.unlink()
    other = LocalLog(path)
    await other.start()
    await other.publish(TOPIC, b"new", {})
    await other.stop()

    with pytest.raises(HistoryMissing):
        await bus.read({TOPIC: 1}, most=5, wait=timedelta(0))
    assert await bus.bus_id() != old_id
    assert await bus.read({TOPIC: 0}, most=5, wait=timedelta(0)) == [Delivered(TOPIC, 0, b"new")]


async def test_a_topic_that_was_read_and_is_gone_is_missing_history(bus: LocalLog) -> None:
    with pytest.raises(HistoryMissing):
        await bus.read({TOPIC: 1}, most=5, wait=timedelta(0))


@pytest.mark.parametrize("change", ["DELETE FROM record", "UPDATE record SET value = x''"])
async def test_no_record_can_be_changed_or_deleted(bus: LocalLog, path: Path, change: str) -> None:
    await bus.publish(TOPIC, b"said", {})
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(change)
    connection.close()


async def test_a_lock_that_is_not_given_back_makes_the_bus_unavailable_and_stores_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_log, "BUSY_TIMEOUT_S", 0.2)
    bus = LocalLog(path)
    await bus.start()
    await bus.publish(TOPIC, b"before", {})
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusUnavailable):
        await bus.publish(TOPIC, b"in vain", {})
    holder.execute("ROLLBACK")
    holder.close()
    await bus.publish(TOPIC, b"after", {})
    assert [record.value for record in await bus.tail(TOPIC, most=5)] == [b"before", b"after"]
    await bus.stop()


async def test_another_database_is_never_taken_for_a_log(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE finding (id)")
    other.close()
    with pytest.raises(BusUnavailable, match="no local log"):
        await LocalLog(path).start()


async def test_a_place_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(BusUnavailable):
        await LocalLog(tmp_path / "nowhere" / "bus.db").start()


async def test_records_are_on_the_disk_before_they_count_as_published(bus: LocalLog, path: Path) -> None:
    await bus.publish(TOPIC, b"said", {"ce_id": "1"})
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("SELECT value, headers FROM record").fetchall() == [(b"said", '{"ce_id": "1"}')]
    connection.close()


async def test_what_waits_when_the_bus_stops_is_surely_not_stored(path: Path) -> None:
    bus = LocalLog(path)
    await bus.start()
    publishing = asyncio.create_task(bus.publish(TOPIC, b"too late", {}))
    await asyncio.sleep(0)
    await bus.stop()
    (outcome,) = await asyncio.gather(publishing, return_exceptions=True)
    later = LocalLog(path)
    await later.start()
    stored = [record.value for record in await later.tail(TOPIC, most=5)]
    await later.stop()
    assert stored == ([] if isinstance(outcome, BusUnavailable) else [b"too late"])
