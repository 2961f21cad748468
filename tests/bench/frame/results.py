"""One result, one JSON line: a value, what it is compared with in the same run, and whether it meets its goal.

Rules:
- A ratio compares two things of one run on one machine; a time alone says something about this machine only.
- The reference is measured before and after, pinned to one core, and the better of the two counts: a machine that
  was disturbed once does not flatter us.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.frame.progress import say


@dataclass(frozen=True)
class Goal:
    """What a result must keep; every part given."""

    ratio_at_least: float | None = None
    ratio_at_most: float | None = None
    value_at_least: float | None = None
    value_at_most: float | None = None

    def parts(self) -> dict[str, float]:
        """Return what is asked, by name."""
        return {name: bound for name, bound in vars(self).items() if bound is not None}

    def in_words(self) -> str:
        """Return the goal as it stands in the documents."""
        words = {"at_least": "≥", "at_most": "≤"}
        said = [(name.partition("_"), bound) for name, bound in self.parts().items()]
        return " and ".join(f"{what} {words[kind]} {bound:g}" for (what, _, kind), bound in said)

    def is_met(self, value: float, ratio: float | None) -> bool:
        """Tell whether all parts hold."""
        found = {"value": value, "ratio": ratio}
        for name, bound in self.parts().items():
            what, _, kind = name.partition("_")
            number = found[what]
            if number is None or (number < bound if kind == "at_least" else number > bound):
                return False
        return True


def report(
    metric: str,
    value: float,
    unit: str,
    *,
    goal: Goal | None = None,
    reference: str | None = None,
    reference_value: float | None = None,
    ratio: float | None = None,
    holds: bool = True,
    **detail: Any,
) -> dict[str, Any]:
    """Print one result and return it.

    Args:
        metric: what was measured.
        value: how much.
        unit: of what.
        goal: what the result must keep, if anything.
        reference: what it is compared with.
        reference_value: how much that was, in this run.
        ratio: value over reference unless it is given.
        holds: whether what the measurement rests on was so; else the goal is not met, whatever the numbers.
        detail: what else is worth keeping beside it.
    """
    if ratio is None and reference_value:
        ratio = value / reference_value
    line = {
        "metric": metric,
        "value": _short(value),
        "unit": unit,
        "reference": reference,
        "reference_value": None if reference_value is None else _short(reference_value),
        "ratio": None if ratio is None else round(ratio, 3),
        "goal": None if goal is None else goal.in_words(),
        "met": None if goal is None else holds and goal.is_met(value, ratio),
        "machine": machine(),
        **detail,
    }
    print(json.dumps(line, ensure_ascii=False), flush=True)
    return line


def _short(number: float) -> float:
    """Return a number with four digits that count."""
    return float(f"{number:.4g}") if abs(number) < 1000 else round(number)


def machine() -> str:
    """Return what the numbers were taken on."""
    cpu = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} × {cpu}, {memory_gb:.0f} GB, {platform.system()}, Python {platform.python_version()}"


@contextmanager
def on_one_core() -> Any:
    """Keep this process on one core while the block lasts."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def best_rate(act: Callable[[], int], *, repeats: int = 5) -> float:
    """Return the best rate of some repeats: what `act` says it has done, per second of this process."""
    rates = []
    for _ in range(repeats):
        began = time.perf_counter()
        done = act()
        rates.append(done / (time.perf_counter() - began))
    return max(rates)


class Reference:
    """Something simpler, measured around what is compared with it."""

    def __init__(self, name: str, act: Callable[[], int]) -> None:
        self.name = name
        self.act = act
        self.rate = 0.0

    def measure(self) -> float:
        """Measure once more and return the best rate so far."""
        with on_one_core():
            self.rate = max(self.rate, best_rate(self.act))
        say(f"{self.name}: {self.rate:,.0f}/s")
        return self.rate


def size_of(text: str) -> int:
    """Return how many: `10k`, `1M`, `500`."""
    factor = {"k": 1_000, "m": 1_000_000}.get(text[-1:].lower())
    return int(text) if factor is None else int(float(text[:-1]) * factor)


def arguments(description: str | None, *, size: str, sizes: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return a parser with `--size`, which every benchmark has: CI runs all of them small."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--size", type=size_of, default=size_of(size), help=f"how much, such as 10k or 1M ({size})")
    return parser
