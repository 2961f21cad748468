"""A pytest plugin that collects once and runs the tests once for each mutant, in a child of its own.

The first child runs everything without a fault and tells which test enters which function and how long it takes. Each
mutant is then met by the tests that enter its function until one fails. The order changes nothing but the time: first
those that cost least for each mutant of the function that they have killed so far.

Why not mutmut: it collects anew for every mutant (some 3 s each here), leaves decorated functions out, and cannot run
tests that read the source.
"""

import gc
import json
import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import _lru_cache_wrapper
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

import pytest
from _pytest.runner import runtestprotocol

from mutants.sources import Mutant, apply, mutants_of, tell_who_enters

LEAST_CPU_SECONDS = 10
"""Processor time that a test may take at least before the mutant counts as killed by running on."""

LEAST_SECONDS = 60
"""The same of the wall clock, for mutants that wait for ever."""

MEMORY = Path("/dev/shm")
"""Where it is there, databases of a mutant are written to memory."""

End = Literal["killed", "survived", "untested", "left"]
"""`left`: the quick tests pass, and the others were not asked yet."""


@dataclass(frozen=True)
class Met:
    """What became of one mutant."""

    mutant: Mutant
    end: End
    by: str = ""
    """The test that failed, or the last one that was begun before it ran on."""


class MutantRunner:
    """The plugin. It tells of each mutant once it has been met."""

    def __init__(
        self,
        modules: Sequence[str],
        processes: int,
        chosen: Callable[[Mutant], bool],
        tell: Callable[[Met, int, int], None],
        minutes: float,
        quick: float,
        watched_file: Path | None,
        *,
        all_tests: bool,
    ) -> None:
        """Runs nothing yet.

        Args:
            modules: what is mutated.
            processes: how many mutants are met at a time.
            chosen: which of the mutants to meet.
            tell: is given each mutant once it was met, how many were, and how many there are.
            minutes: after so long no further mutant is begun.
            quick: seconds of processor time that the tests of one mutant may take together; the others are not asked.
            watched_file: keeps which test enters what, for the next run; to be deleted when tests have changed.
            all_tests: whether all tests of the area are there; else what they do not kill is left to the others.
        """
        self._modules = modules
        self._processes = processes
        self._chosen = chosen
        self._tell = tell
        self._minutes, self._until = minutes, 0.0
        self._quick = quick
        self._watched_file = watched_file
        self._all_tests = all_tests
        self._met: dict[str, Counter[int]] = {}
        self._killed: dict[str, Counter[int]] = {}
        self._caches: list[Any] = []
        self.failing: list[str] = []
        """Tests that fail without a fault, and are left out."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self) -> None:
        # Here, not above: pytest rewrites the assertions of its plugins, and this one is imported by now.
        import hypothesis  # noqa: PLC0415

        # Nothing is shrunk: that a test fails is enough. No draw of luck: a mutant is killed or not, every time.
        hypothesis.settings.register_profile(
            "mutants",
            derandomize=True,
            database=None,
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
            deadline=None,
        )
        hypothesis.settings.load_profile("mutants")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        mutants = [m for module in self._modules for m in mutants_of(module) if self._chosen(m)]
        if not mutants:
            return True
        self._until = time.monotonic() + 60 * self._minutes
        self._caches = _prepare()
        watched = self._without_a_fault(session.items)
        waiting, done = list(mutants), 0
        running: dict[int, _Running] = {}
        while (waiting and time.monotonic() < self._until) or running:
            while waiting and time.monotonic() < self._until and len(running) < self._processes:
                mutant = waiting.pop(0)
                order = self._order(mutant, watched)
                if order:
                    begun = self._begin(mutant, order, session.items, watched)
                    running[begun.pid] = begun
                else:
                    done += 1
                    self._tell(Met(mutant, "untested" if self._all_tests else "left"), done, len(mutants))
            if running:
                pid, status = os.wait()
                done += 1
                self._tell(self._noted(running.pop(pid), status, session.items), done, len(mutants))
        return True

    def _order(self, mutant: Mutant, watched: "_Watched") -> list[int]:
        met, killed = (of.setdefault(mutant.place, Counter()) for of in (self._met, self._killed))
        price = {n: watched.cpu[n] * (met[n] + 1) / (killed[n] + 1) for n in watched.reached.get(mutant.place, ())}
        return sorted(price, key=price.__getitem__)

    def _quickest(self, order: list[int], watched: "_Watched") -> list[int]:
        spent = accumulate(watched.cpu[number] for number in order)
        return [number for number, seconds in zip(order, spent, strict=True) if seconds <= self._quick] or order[:1]

    def _begin(self, mutant: Mutant, order: list[int], items: list[pytest.Item], watched: "_Watched") -> "_Running":
        reading, writing = os.pipe()
        room = _new_room()
        asked = self._quickest(order, watched)

        def meet() -> int:
            apply(mutant)
            for cache in self._caches:
                # What it holds was made without the fault.
                cache.cache_clear()
            # What is there by now is not looked through for cycles, which would copy all of the parent's memory.
            gc.freeze()
            for number, following in zip(asked, [*asked[1:], None], strict=True):
                os.write(writing, f"{number}\n".encode())
                # Nobody waits for these signals, so they end the process.
                signal.setitimer(signal.ITIMER_PROF, LEAST_CPU_SECONDS + 10 * watched.cpu[number])
                signal.alarm(int(LEAST_SECONDS + 30 * watched.cpu[number]))
                if not _passes(items[number], None if following is None else items[following]):
                    return 1
            return 0

        pid = _child(meet, room)
        os.close(writing)
        return _Running(mutant, pid, reading, room, all_asked=self._all_tests and asked == order)

    def _noted(self, ended: "_Running", status: int, items: list[pytest.Item]) -> Met:
        begun = ended.begun()
        self._met[ended.mutant.place].update(begun)
        if status == 0:
            return Met(ended.mutant, "survived" if ended.all_asked else "left")
        self._killed[ended.mutant.place].update(begun[-1:])
        return Met(ended.mutant, "killed", items[begun[-1]].nodeid if begun else "")

    def _without_a_fault(self, items: list[pytest.Item]) -> "_Watched":
        """Find out of every test of which that is not known yet; what time does not suffice for is left out."""
        watched, numbers = _Watched({}, {}), {item.nodeid: n for n, item in enumerate(items)}
        known = [json.loads(line) for line in self._kept_lines()]
        unknown = [numbers[name] for name in numbers.keys() - {test["name"] for test in known}]
        with tempfile.TemporaryFile("w+") as told, _room() as room:
            pid = _child(lambda: _watch(items, sorted(unknown), self._modules, told.fileno(), self._until), room)
            os.waitpid(pid, 0)
            told.seek(0)
            found = told.readlines()
        if self._watched_file is not None:
            with self._watched_file.open("a", encoding="utf-8") as kept:
                kept.writelines(found)
        for test in (*known, *map(json.loads, found)):
            number = numbers.get(test["name"])
            if number is None:
                continue
            if not test["good"]:
                self.failing.append(test["name"])
                continue
            watched.cpu[number] = test["cpu"]
            for place in test["enters"]:
                watched.reached.setdefault(place, []).append(number)
        return watched

    def _kept_lines(self) -> list[str]:
        file = self._watched_file
        return file.read_text("utf-8").splitlines() if file is not None and file.exists() else []


@dataclass(frozen=True)
class _Watched:
    """The tests that pass without a fault, by their number."""

    cpu: dict[int, float]
    """Seconds of processor time."""
    reached: dict[str, list[int]]
    """Function to the tests that enter it."""


@dataclass(frozen=True)
class _Running:
    """A mutant that is being met."""

    mutant: Mutant
    pid: int
    reading: int
    """A pipe that gives the number of each test before it begins."""
    room: str
    all_asked: bool
    """Whether all tests that enter the function are among them."""

    def begun(self) -> list[int]:
        """Return the tests that were begun, in their order, once the child has ended; what it wrote is removed."""
        shutil.rmtree(self.room, ignore_errors=True)
        with os.fdopen(self.reading) as pipe:
            return [int(line) for line in pipe]


def _prepare() -> list[Any]:
    """Do once what each child would do anew and no mutant changes; return our own caches."""
    from node_world import migrated_sqlite  # noqa: PLC0415 pytest rewrites its assertions

    migrated_sqlite()
    found = [each for each in gc.get_objects() if isinstance(each, _lru_cache_wrapper)]
    return [cache for cache in found if str(cache.__module__).startswith("comity_")]


@contextmanager
def _room() -> Iterator[str]:
    room = _new_room()
    yield room
    shutil.rmtree(room, ignore_errors=True)


def _new_room() -> str:
    return tempfile.mkdtemp(prefix="mutant-", dir=MEMORY if MEMORY.is_dir() else None)


def _child(act: Callable[[], int], room: str) -> int:
    """Do something in a child process that writes its files to a room of its own; its exit code is what is returned."""
    pid = os.fork()
    if pid:
        return pid
    try:
        tempfile.tempdir = room
        code = act()
    except BaseException:
        code = 1
    os._exit(code)


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    reports = runtestprotocol(item, log=False, nextitem=following)
    return all(report.outcome != "failed" for report in reports)


def _watch(items: list[pytest.Item], numbers: list[int], modules: Sequence[str], told: int, until: float) -> int:
    entered: set[str] = set()
    for module in modules:
        tell_who_enters(module, entered)
    for number, following in zip(numbers, [*numbers[1:], None], strict=True):
        entered.clear()
        began = time.process_time()
        good = _passes(items[number], None if following is None else items[following])
        cpu = round(time.process_time() - began, 3)
        line = {"name": items[number].nodeid, "good": good, "cpu": cpu, "enters": sorted(entered)}
        os.write(told, f"{json.dumps(line)}\n".encode())
        if time.monotonic() > until:
            break
    return 0
