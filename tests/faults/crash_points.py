"""Where a node's process can be killed: around every database commit, every call of the bus, every file it changes.

Nothing of this is in the node. A process of a trial calls `watch_process` right after it was forked; from then on each
point has a name that says what the node was doing, such as `commit relay.sign_queued:after#1` (the first time), and the
process kills itself with SIGKILL at the one it was told. Names come from what runs, not from a list in here, so a new
way of writing to the database or to a file is swept as soon as it exists.
"""

import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import greenlet
from sqlalchemy.engine.default import DefaultDialect

from comity_federation.bus import Bus, Delivered, HistoryMissing, Skipped

OFTEN = 3
"""How often a point that a waiting node passes again and again is worth a kill."""
_AGAIN_AND_AGAIN = re.compile(r"bus\.(bus_id|read|end)|registry/(lock|tuf)|conditions|_condition")
_OUR_ROOMS = re.compile(r"comity_node\.(services|workers|api|app|wiring|auth)|comity_federation\.registry")
_RANDOM_NAMES = re.compile(r"(?<=\.)[a-z0-9_]{8}$|tmp[a-z0-9_]{8}|\d+(?=\.root\.json)")
_WRITES = os.O_WRONLY | os.O_RDWR


class Points:
    """The points that one process passes, and at which of them it dies.

    Args:
        trace: descriptor of a file that gets the name of each point, and last of all that of the kill.
        kill_at: the point to die at; none for a run that only finds out what there is.
    """

    def __init__(self, trace: int, kill_at: str | None) -> None:
        self._trace, self._kill_at = trace, kill_at
        self._passed: Counter[str] = Counter()
        self._one_at_a_time = threading.Lock()

    def reach(self, name: str) -> None:
        """Pass a point, or never return."""
        with self._one_at_a_time:
            self._passed[name] += 1
            point = f"{name}#{self._passed[name]}"
        if point == self._kill_at:
            os.write(self._trace, f"killed at {point}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)
        if self._kill_at is None and (self._passed[name] <= OFTEN or not _AGAIN_AND_AGAIN.search(name)):
            os.write(self._trace, f"{point}\n".encode())


def watch_process(points: Points, home: Path) -> None:
    """Put points around every commit of this process, and around every change of a file below `home`."""
    _watch_commits(points)
    _watch_files(points, home)


def _watch_commits(points: Points) -> None:
    commit = DefaultDialect.do_commit

    def do_commit(dialect: DefaultDialect, connection: Any) -> None:
        what = f"commit {_who()}"
        points.reach(f"{what}:before")
        commit(dialect, connection)
        points.reach(f"{what}:after")

    DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]


def _watch_files(points: Points, home: Path) -> None:
    inside = f"{home.resolve()}{os.sep}"

    def place(path: object) -> str | None:
        if isinstance(path, int):
            path = f"/proc/self/fd/{path}"
        if not isinstance(path, str | os.PathLike):
            return None
        found = str(Path(os.fspath(path)).resolve())
        return _RANDOM_NAMES.sub("*", found.removeprefix(inside)) if found.startswith(inside) else None

    def around(name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def acting(first: Any, *more: Any, **named: Any) -> Any:
            where = place(more[0] if more else first)
            if where is not None:
                points.reach(f"{name} {where}:before")
            result = act(first, *more, **named)
            if where is not None:
                points.reach(f"{name} {where}:after")
            return result

        return acting

    def on_audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES:
            where = place(arguments[0])
            if where is not None:
                points.reach(f"open {where}:before")
        elif event in ("os.remove", "os.mkdir"):
            where = place(arguments[0])
            if where is not None:
                points.reach(f"{event.removeprefix('os.')} {where}:before")

    os.fsync = around("fsync", os.fsync)
    os.replace = around("replace", os.replace)
    os.rename = around("rename", os.rename)
    sys.addaudithook(on_audit)


def _who() -> str:
    """Return which of our functions, outside the database's floor, is at work: `module.function`."""
    for frame in _frames():
        module = frame.f_globals.get("__name__", "")
        if _OUR_ROOMS.match(module):
            return f"{module.rpartition('.')[2]}.{frame.f_code.co_name}"
    return "unknown"


def _frames() -> Iterator[FrameType]:
    # SQLAlchemy runs its synchronous half in a greenlet; who called it stands in the parent.
    frame: FrameType | None = sys._getframe(2)
    parent = greenlet.getcurrent().parent
    while True:
        while frame is not None:
            yield frame
            frame = frame.f_back
        if parent is None:
            return
        frame, parent = parent.gr_frame, parent.parent


class TrialBus:
    """A bus with points around each call, and with topics of its own on a cluster that many trials share.

    Args:
        inner: the real one.
        points: of this process; none to watch nothing.
        suffix: what the names of this trial's topics end with.
    """

    def __init__(self, inner: Bus, points: Points | None = None, suffix: str = "") -> None:
        self._inner, self._points, self._suffix = inner, points, suffix

    async def start(self) -> None:
        self._reach("bus.start:before")
        await self._inner.start()
        self._reach("bus.start:after")

    async def stop(self) -> None:
        await self._inner.stop()

    async def bus_id(self) -> str:
        self._reach("bus.bus_id:before")
        return await self._inner.bus_id()

    async def publish(self, topic: str, value: bytes, headers: Mapping[str, str]) -> int:
        purpose = topic.split(".")[1]
        self._reach(f"bus.publish {purpose}:before")
        offset = await self._inner.publish(topic + self._suffix, value, headers)
        self._reach(f"bus.publish {purpose}:after")
        return offset

    async def read(self, positions: Mapping[str, int], *, most: int, wait: timedelta) -> Sequence[Delivered | Skipped]:
        self._reach("bus.read:before")
        theirs = {topic + self._suffix: position for topic, position in positions.items()}
        try:
            found = await self._inner.read(theirs, most=most, wait=wait)
        except HistoryMissing as error:
            raise HistoryMissing(error.topic.removesuffix(self._suffix), error.position) from error
        if found:
            self._reach("bus.read with news:after")
        return [self._ours(item) for item in found]

    async def tail(self, topic: str, *, most: int) -> Sequence[Delivered]:
        self._reach("bus.tail:before")
        found = await self._inner.tail(topic + self._suffix, most=most)
        self._reach("bus.tail:after")
        return [Delivered(topic, item.offset, item.value) for item in found]

    async def end(self, topics: Sequence[str]) -> Mapping[str, int]:
        self._reach("bus.end:before")
        found = await self._inner.end([topic + self._suffix for topic in topics])
        self._reach("bus.end:after")
        return {topic.removesuffix(self._suffix): end for topic, end in found.items()}

    def troubles(self) -> Mapping[str, str]:
        return {topic.removesuffix(self._suffix): why for topic, why in self._inner.troubles().items()}

    def _reach(self, name: str) -> None:
        if self._points is not None:
            self._points.reach(name)

    def _ours(self, item: Delivered | Skipped) -> Delivered | Skipped:
        topic = item.topic.removesuffix(self._suffix)
        if isinstance(item, Skipped):
            return Skipped(topic, item.first, item.last, item.reason)
        return Delivered(topic, item.offset, item.value)
