"""Processes that write and read one local log while others kill them, and what their journals must agree on.

A writer has a topic of its own, where it does as the relay does (after a crash it reads the tail before it sends
anything), and writes into one shared topic too, where it sends blindly again whatever it does not know the outcome of.
A reader notes each record together with its place, and goes on behind the last one it noted. Everyone notes before and
after: a journal that ends in the middle says that the outcome is unknown.
"""

import asyncio
import os
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from comity_federation.bus import BusUnavailable, Delivered, OutcomeUnknown
from comity_federation.local_log import LocalLog
from faults.crash_trial import fork

SHARED = "comity.statements.v1.shared"
AT_ONCE = 4
"""How many publishes of a writer overlap."""
_PAUSE_S = 0.05


def own_topic(writer: str) -> str:
    return f"comity.statements.v1.{writer}"


@dataclass
class Journal:
    """What one process notes about what it does; a line that a kill cut off never happened."""

    path: Path

    def note(self, *lines: str) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(handle, "".join(f"{line}\n" for line in lines).encode())
        os.close(handle)

    def read(self) -> Iterator[list[str]]:
        text = self.path.read_text() if self.path.exists() else ""
        for line in text.splitlines(keepends=True):
            if line.endswith("\n"):
                yield line.split()


@dataclass
class Sent:
    """What a writer knows of one record in one topic."""

    tries: int = 0
    stored_at: list[int] = field(default_factory=list)
    refused: int = 0

    @property
    def unknown(self) -> int:
        return self.tries - len(self.stored_at) - self.refused


def sent_by(journal: Journal) -> dict[str, dict[int, Sent]]:
    """Return by topic and number what became of each record that a writer tried to send."""
    found: dict[str, dict[int, Sent]] = defaultdict(lambda: defaultdict(Sent))
    for what, topic, number, *more in journal.read():
        sent = found[topic][int(number)]
        if what == "try":
            sent.tries += 1
        elif what == "stored":
            sent.stored_at.append(int(more[0]))
        elif what == "refused":
            sent.refused += 1
    return found


async def write(log: Path, journal: Journal, writer: str, stop: Path) -> None:
    """Write until told to stop, going on after whatever an earlier life of this writer left behind."""
    bus = LocalLog(log)
    await bus.start()
    before = sent_by(journal)
    for topic in (own_topic(writer), SHARED):
        there: dict[str, int] = {}
        if topic != SHARED:
            there = {record.value.decode(): record.offset for record in await bus.tail(topic, most=10 * AT_ONCE)}
        for number, sent in sorted(before[topic].items()):
            if sent.stored_at:
                continue
            if (offset := there.get(f"{writer} {number}")) is not None:
                # Noted now: in the next life it may lie further back than the tail reaches.
                journal.note(f"stored {topic} {number} {offset}")
            else:
                await _publish(bus, journal, topic, writer, number)
    number = max((n for sent in before.values() for n in sent), default=0)
    while not stop.exists():
        for topic in (own_topic(writer), SHARED):
            await asyncio.gather(
                *[_publish(bus, journal, topic, writer, number + one) for one in range(1, AT_ONCE + 1)]
            )
        number += AT_ONCE
    await bus.stop()


async def _publish(bus: LocalLog, journal: Journal, topic: str, writer: str, number: int) -> None:
    while True:
        journal.note(f"try {topic} {number}")
        try:
            offset = await bus.publish(topic, f"{writer} {number}".encode(), {})
        except BusUnavailable:
            journal.note(f"refused {topic} {number}")
            # Those behind it were not stored either; each tries again by itself, and order is lost: end instead.
            os.kill(os.getpid(), signal.SIGKILL)
        except OutcomeUnknown:
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            journal.note(f"stored {topic} {number} {offset}")
            return


async def read(log: Path, journal: Journal, topics: list[str], stop: Path) -> None:
    """Read until told to stop and nothing more comes, going on behind the last record noted."""
    bus = LocalLog(log)
    await bus.start()
    positions = dict.fromkeys(topics, 0)
    positions.update({topic: int(offset) + 1 for topic, offset, *_ in journal.read()})
    while True:
        over = stop.exists()
        found = await bus.read(positions, most=200, wait=timedelta(seconds=_PAUSE_S))
        records = [item for item in found if isinstance(item, Delivered)]
        if records:
            journal.note(*[f"{r.topic} {r.offset} {r.value.decode()}" for r in records])
            positions.update({r.topic: r.offset + 1 for r in records})
        elif over:
            break
    await bus.stop()


@dataclass
class Found:
    """What a run showed."""

    records: int = 0
    kills: int = 0
    unknown: int = 0
    doubled_unknown: int = 0
    faults: list[str] = field(default_factory=list)


def run(directory: Path, *, seconds: float, writers: int = 8, readers: int = 3, seed: int = 1) -> Found:
    """Let them write and read for so long while one after the other is killed, and compare what they noted.

    Must be called without threads and event loops: it forks.
    """
    log, stop_writing, stop_reading = directory / "bus.db", directory / "stop-writing", directory / "stop-reading"
    names = [f"w{n}" for n in range(writers)]
    topics = [SHARED, *map(own_topic, names)]
    journals = {name: Journal(directory / name) for name in [*names, *[f"r{n}" for n in range(readers)]]}

    def be(name: str) -> Callable[[], int]:
        def act() -> int:
            if name in names:
                asyncio.run(write(log, journals[name], name, stop_writing))
            else:
                asyncio.run(read(log, journals[name], topics, stop_reading))
            return 0

        return act

    found = Found()
    running = {fork(be(name)): name for name in journals}
    chance, ends = random.Random(seed), time.monotonic() + seconds
    while time.monotonic() < ends:
        time.sleep(chance.uniform(0.02, 0.12))
        victim = chance.choice(list(running))
        os.kill(victim, signal.SIGKILL)
        _start_again(running, be, found)
    for told, kind in ((stop_writing, "w"), (stop_reading, "r")):
        told.touch()
        while any(name.startswith(kind) for name in running.values()):
            _start_again(running, be, found)
    asyncio.run(_compare(log, names, journals, found))
    return found


def _start_again(running: dict[int, str], be: Callable[[str], Callable[[], int]], found: Found) -> None:
    """Wait for somebody to end, and start whoever was killed again."""
    pid, status = os.wait()
    name = running.pop(pid)
    if os.WIFSIGNALED(status):
        found.kills += 1
        running[fork(be(name))] = name
    elif status:
        found.faults.append(f"{name} ended with {os.waitstatus_to_exitcode(status)}")


async def _compare(log: Path, writers: list[str], journals: dict[str, Journal], found: Found) -> None:
    bus = LocalLog(log)
    await bus.start()
    stored = {topic: await bus.tail(topic, most=10_000_000) for topic in (SHARED, *map(own_topic, writers))}
    await bus.stop()
    found.records = sum(map(len, stored.values()))
    for name, journal in journals.items():
        if name in writers:
            for topic, sent in sent_by(journal).items():
                _compare_writer(name, topic, sent, stored[topic], found)
        else:
            seen: dict[str, list[tuple[int, str]]] = defaultdict(list)
            for topic, offset, *value in journal.read():
                seen[topic].append((int(offset), " ".join(value)))
            for topic, records in stored.items():
                if seen[topic] != [(record.offset, record.value.decode()) for record in records]:
                    found.faults.append(f"{name} did not see {topic} as it is: {len(seen[topic])} of {len(records)}")


def _compare_writer(name: str, topic: str, sent: dict[int, Sent], stored: Sequence[Delivered], found: Found) -> None:
    ours: list[tuple[int, int]] = []
    for record in stored:
        writer, number = record.value.decode().split()
        if writer == name:
            ours.append((int(number), record.offset))
    times = Counter(number for number, _ in ours)
    at = set(ours)
    for number, one in sent.items():
        acknowledged = len(one.stored_at)
        found.unknown += one.unknown
        found.doubled_unknown += times[number] > 1
        if not acknowledged <= times[number] <= acknowledged + one.unknown:
            found.faults.append(f"{name} {number} in {topic}: {times[number]} times, {one}")
        if any((number, offset) not in at for offset in one.stored_at):
            found.faults.append(f"{name} {number} in {topic} is not where it was said to be")
    if any(number not in sent for number in times):
        found.faults.append(f"{topic} holds what {name} never sent")
    order = [number for number, _ in ours]
    if topic != SHARED and order != list(range(1, len(order) + 1)):
        found.faults.append(f"{topic} is out of order, incomplete or repeated")
    first = sorted((one.stored_at[0], number) for number, one in sent.items() if one.stored_at and one.tries == 1)
    if [number for _, number in first] != sorted(number for _, number in first):
        found.faults.append(f"{topic} does not keep the order in which {name} called")
