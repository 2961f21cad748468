"""A pytest plugin that collects once and runs the tests once for each mutant, in a child of its own.

The first child runs everything without a fault and tells which test enters which function and how long it takes. Each
mutant is then met by the tests that enter its function, the quickest first, until one fails.

Why not mutmut: it collects anew for every mutant (some 3 s each here), leaves decorated functions out, and cannot run
tests that read the source.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from mutants.sources import Mutant, apply, live_function, mutants_of

LEAST_SECONDS = 20
"""What a mutant may take at least before it counts as killed by running on."""


@dataclass
class Result:
    """What became of the mutants."""

    killed: int = 0
    survivors: list[Mutant] = field(default_factory=list)
    untested: list[Mutant] = field(default_factory=list)
    failing: list[str] = field(default_factory=list)
    """Tests that fail without a fault, and are left out."""

    @property
    def total(self) -> int:
        return self.killed + len(self.survivors) + len(self.untested)


class MutantRunner:
    """The plugin. `result` is filled by `pytest.main`."""

    def __init__(
        self, modules: Sequence[str], processes: int, tell: Callable[[int, int], None], chosen: Callable[[Mutant], bool]
    ) -> None:
        self._modules = modules
        self._processes = processes
        self._tell = tell
        self._chosen = chosen
        self.result = Result()

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
        mutants = [m for module in self._modules for m in mutants_of(module)]
        mutants = [mutant for mutant in mutants if self._chosen(mutant)]
        seconds, reached = self._without_a_fault(session.items)
        waiting = list(enumerate(mutants))
        running: dict[int, Mutant] = {}
        done = 0
        while waiting or running:
            while waiting and len(running) < self._processes:
                _, mutant = waiting.pop(0)
                entered = sorted(reached.get(f"{mutant.module}:{mutant.function}", ()), key=seconds.__getitem__)
                if not entered:
                    self.result.untested.append(mutant)
                    done += 1
                    continue
                items = [session.items[number] for number in entered]
                budget = int(LEAST_SECONDS + 10 * sum(seconds[number] for number in entered))
                running[_child(lambda i=items, m=mutant, b=budget: _meet(m, i, b))] = mutant
            if running:
                pid, status = os.wait()
                mutant = running.pop(pid)
                if status == 0:
                    self.result.survivors.append(mutant)
                else:
                    self.result.killed += 1
                done += 1
                self._tell(done, len(mutants))
        return True

    def _without_a_fault(self, items: list[pytest.Item]) -> tuple[dict[int, float], dict[str, list[int]]]:
        reading, writing = os.pipe()
        pid = _child(lambda: _watch(items, self._modules, writing))
        os.close(writing)
        told = json.loads(_all_of(reading))
        os.waitpid(pid, 0)
        self.result.failing = [items[number].nodeid for number in told["failing"]]
        return {int(n): s for n, s in told["seconds"].items()}, told["reached"]


def _all_of(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as pipe:
        return pipe.read()


def _child(act: Callable[[], int]) -> int:
    """Do something in a child process, whose exit code it returns."""
    pid = os.fork()
    if pid:
        return pid
    try:
        code = act()
    except BaseException:
        code = 1
    os._exit(code)


def _meet(mutant: Mutant, items: list[pytest.Item], budget_s: int) -> int:
    signal.alarm(budget_s)
    apply(mutant)
    for number, item in enumerate(items):
        if not _passes(item, items[number + 1] if number + 1 < len(items) else None):
            return 1
    return 0


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    reports = runtestprotocol(item, log=False, nextitem=following)
    return all(report.outcome != "failed" for report in reports)


def _watch(items: list[pytest.Item], modules: Sequence[str], writing: int) -> int:
    codes = {
        live_function(m.module, m.function).__code__: f"{m.module}:{m.function}"
        for module in modules
        for m in mutants_of(module)
    }
    told: dict[str, Any] = {"seconds": {}, "reached": {}, "failing": []}
    for number, item in enumerate(items):
        entered: set[CodeType] = set()

        def look(frame: FrameType, event: str, _: object, entered: set[CodeType] = entered) -> None:
            if event == "call" and frame.f_code in codes:
                entered.add(frame.f_code)

        began = time.monotonic()
        sys.setprofile(look)
        good = _passes(item, items[number + 1] if number + 1 < len(items) else None)
        sys.setprofile(None)
        if not good:
            told["failing"].append(number)
            continue
        told["seconds"][number] = time.monotonic() - began
        for code in entered:
            told["reached"].setdefault(codes[code], []).append(number)
    with os.fdopen(writing, "w") as pipe:
        json.dump(told, pipe)
    return 0
