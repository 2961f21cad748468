"""One trial: the story with three real processes, one of which dies at a point; then one oracle for everything.

All processes are forked from one that has imported everything and has neither threads nor an event loop, so a trial
costs no start of an interpreter.
"""

import asyncio
import gc
import os
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from comity_federation.bus import Bus, statements_topic
from comity_federation.log_state import Peek, peek
from comity_node.domain.supplier_view import Entry
from comity_node.services.operating.check import check
from comity_node.wiring import Node
from comity_node.wiring.logs import set_up_logs
from comity_node.workers import suppliers, watching
from comity_node.workers.exchange import Exchange
from comity_node.workers.running import run_exchange
from faults.crash_points import Points, TrialBus, watch_process
from faults.crash_sabotage import SABOTAGES
from faults.crash_town import ALERTS, EFFECT, PUBLISHER, RECEIVER, STATEMENTS, Prepared, Story, copy_town

DESK = "desk"
"""The process in which people release and take back: the node's API."""
ROLES = (DESK, PUBLISHER, RECEIVER)
_STOP_S = 12.0


@dataclass(frozen=True)
class Kill:
    """Which process dies where; `point` is None for the run that finds out what points there are."""

    role: str
    point: str | None
    sabotage: str | None = None
    """What is wrong with the process on purpose."""
    patience_s: float = 30.0
    """How long a step of the story may take."""


@dataclass
class Outcome:
    """What came of a trial."""

    killed: bool = False
    points: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    forked: list[str] = field(default_factory=list)
    unclean: list[str] = field(default_factory=list)
    seconds: float = 0.0


_STOPPED_WELL = (0, -signal.SIGTERM)
"""By itself; or by the signal, where it was started again a moment ago and does not handle any yet."""


class Trial:
    """A copy of a town, and the processes in it."""

    def __init__(self, prepared: Prepared, directory: Path, kill: Kill, suffix: str, databases: dict[str, str]) -> None:
        self._directory, self._kill, self._suffix = directory / "town", kill, suffix
        self._trace = directory / "trace"
        copy_town(prepared, self._directory, databases)
        self._running: dict[int, str] = {}
        self._reading, self._writing = os.pipe()

    def run(self) -> Outcome:
        """Play the story, with the kill, and judge what is left."""
        began = time.monotonic()
        outcome = Outcome()
        for role in ROLES:
            self._start(role, watched=role == self._kill.role)
        self._wait_for_the_end(outcome)
        passed = self._trace.read_text().splitlines() if self._trace.exists() else []
        outcome.killed = any(line.startswith("killed at ") for line in passed)
        outcome.points = [line for line in passed if not line.startswith("killed at ")]
        asyncio.run(judge(self._directory, self._suffix, outcome))
        outcome.seconds = round(time.monotonic() - began, 2)
        return outcome

    def _start(self, role: str, *, watched: bool) -> None:
        pid = fork(lambda: self._be(role, watched=watched))
        self._running[pid] = role

    def _be(self, role: str, *, watched: bool) -> int:
        os.close(self._writing)
        os.dup2(self._reading, 0)
        home = self._directory / (PUBLISHER if role == DESK else role)
        look_often()
        log = os.open(self._directory / f"{role}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 2)
        set_up_logs()
        points = None
        if watched:
            trace = os.open(self._trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            points = Points(trace, self._kill.point)
            watch_process(points, home)
        let_buses_be_watched(points, self._suffix)
        if role == self._kill.role and self._kill.sabotage is not None:
            SABOTAGES[self._kill.sabotage]()
        if role == DESK:
            asyncio.run(Story(self._directory, self._kill.patience_s).tell())
            return 0
        asyncio.run(run_exchange(home, ends_with_parent=True))
        return 0

    def _wait_for_the_end(self, outcome: Outcome) -> None:
        """Start again whoever was killed; when the story is told, stop the exchanges."""
        while DESK in self._running.values():
            pid, status = os.wait()
            role = self._running.pop(pid)
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL and role == self._kill.role:
                self._start(role, watched=False)
            elif os.waitstatus_to_exitcode(status) or role != DESK:
                outcome.unclean.append(f"{role} ended: {self._last_words(role)}")
                # Who goes on brings to the topic what it was about to: a fork is seen only there.
                time.sleep(self._kill.patience_s)
                break
        for pid in self._running:
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_S
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid:
                role = self._running.pop(pid)
                code = os.waitstatus_to_exitcode(status)
                if (code not in _STOPPED_WELL or self._was_hard(role)) and role != DESK:
                    outcome.unclean.append(f"{role} did not stop well, with {code}: {self._last_words(role)}")
            elif time.monotonic() > deadline:
                outcome.unclean += [f"{role} did not stop within {_STOP_S:.0f} s" for role in self._running.values()]
                for left in self._running:
                    os.kill(left, signal.SIGKILL)
                deadline += 60
            else:
                time.sleep(0.005)
        os.close(self._reading)
        os.close(self._writing)

    def _was_hard(self, role: str) -> bool:
        return "stopped.hard" in (self._directory / f"{role}.log").read_text()

    def _last_words(self, role: str) -> str:
        return (self._directory / f"{role}.log").read_text()[-600:]


def look_often() -> None:
    """Let what follows the view look again soon: a trial waits for it."""
    suppliers._LOOK_EVERY_S = watching._LOOK_EVERY_S = 0.1


def let_buses_be_watched(points: Points | None, suffix: str) -> None:
    """Let every node of this process get its real bus with points around it."""
    real = Node.bus

    def bus(node: Node) -> Bus:
        return TrialBus(real(node), points, suffix)

    Node.bus = bus  # type: ignore[method-assign]


def fork(act: Callable[[], int]) -> int:
    """Run something in a process of its own, which ends with what it returns."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        code = act()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


async def warm_up(directory: Path) -> None:
    """Play the story once in this process, so that whoever is forked from it has met all code before."""
    nodes = [Node.open(directory / slug) for slug in (PUBLISHER, RECEIVER)]
    loops = [asyncio.create_task(Exchange(node, node.bus()).run()) for node in nodes]
    try:
        await Story(directory, 60.0).tell()
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.wait(loops)
        for node in nodes:
            await node.close()
    await judge(directory, "", Outcome())
    gc.collect()
    gc.freeze()


async def judge(directory: Path, suffix: str, outcome: Outcome) -> None:
    """Say what is lost, doubled, forked or not clean: the oracle of every trial."""
    let_buses_be_watched(None, suffix)
    nodes = {slug: Node.open(directory / slug) for slug in (PUBLISHER, RECEIVER)}
    try:
        on_topic = await _read_topic(nodes[PUBLISHER])
        for place, names in sorted(on_topic.items()):
            if len(names) > 1:
                outcome.forked.append(f"place {place} was signed {len(names)} times")
        await _judge_publisher(nodes[PUBLISHER], directory, on_topic, outcome)
        await _judge_alerts(nodes[RECEIVER], outcome)
        views = [await _judge_node(slug, node, outcome) for slug, node in nodes.items()]
        if views[0] != views[1]:
            outcome.unclean.append("the two views differ")
    finally:
        for node in nodes.values():
            await node.close()


async def _read_topic(node: Node) -> dict[int, dict[str, Peek]]:
    bus = node.bus()
    try:
        await bus.start()
        tail = await bus.tail(statements_topic(PUBLISHER), most=1_000)
    finally:
        await bus.stop()
    found: dict[int, dict[str, Peek]] = {}
    for delivered in tail:
        claimed = peek(delivered.value)
        assert claimed is not None
        found.setdefault(claimed.seq, {})[claimed.hash] = claimed
    return found


async def _judge_publisher(node: Node, directory: Path, on_topic: dict[int, dict[str, Peek]], outcome: Outcome) -> None:
    async with node.database.read() as store:
        approved = await store.reviews.all_approved()
        items = {item.review_id: item for item, _ in await store.outbox.page(before=None, most=1_000)}
    answered = directory / "answered"
    told = set(answered.read_text().split()) if answered.exists() else set()
    outcome.lost += [f"approval {name} was answered and is gone" for name in told - approved]
    outcome.lost += [f"approval {name} is not on the topic" for name in approved if not _is_out(items, name, on_topic)]
    published = {name for names in on_topic.values() for name in names}
    ours = {item.hash for item in items.values()}
    outcome.unclean += [f"{name} was published and approved by nobody" for name in published - ours]
    outcome.unclean += [f"the outbox holds {i.state} at {i.seq}" for i in items.values() if i.state != "sent"]
    for place, names in on_topic.items():
        before = on_topic.get(place - 1, {})
        if place > 1 and any(one.prev not in before for one in names.values()):
            outcome.unclean.append(f"the chain is broken before place {place}")


def _is_out(items: dict[str, object], name: str, on_topic: dict[int, dict[str, Peek]]) -> bool:
    item = items.get(name)
    return item is not None and item.hash in on_topic.get(item.seq, {})  # type: ignore[attr-defined]


async def _judge_node(slug: str, node: Node, outcome: Outcome) -> dict[str, Entry]:
    async with node.database.read() as store:
        view = await store.view.of_log(PUBLISHER)
        counts = (await store.received.counts()).get(PUBLISHER, {})
        held_up = await store.conditions.all()
    found = Counter((_named(entry), str(entry.state)) for entry in view.values())
    expected = Counter(EFFECT)
    outcome.lost += [f"{slug} lacks {one}" for one in (expected - found).elements()]
    outcome.doubled += [f"{slug} has {one} too often" for one in (found - expected).elements()]
    if counts != {"accepted": STATEMENTS}:
        outcome.unclean.append(f"{slug} holds {counts}")
    outcome.unclean += [f"{slug} is held up: {condition.name}: {condition.text}" for condition in held_up]
    problems = await check(node.database, node.trusted_registry(), node.clock())
    outcome.unclean += [f"check at {slug}: {problem}" for problem in problems]
    return view


async def _judge_alerts(node: Node, outcome: Outcome) -> None:
    async with node.database.read() as store:
        (owner,) = {watch.owner for watch in await store.watches.standing()}
        alerts = await store.watches.page(owner, watch=None, unseen=False, before=None, most=1_000)
        view = await store.view.of_log(PUBLISHER)
    found = Counter((alert.news.value, _named(view.get(alert.statement or ""))) for alert in alerts)
    outcome.lost += [f"the officer was not told {one}" for one in (Counter(ALERTS) - found).elements()]
    outcome.doubled += [f"the officer was told {one} too often" for one in (found - Counter(ALERTS)).elements()]


def _named(entry: Entry | None) -> str:
    names = None if entry is None or entry.finding is None else entry.finding.names
    return names[0].text if names else "nobody"
