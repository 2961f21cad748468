"""Mutation testing of verifying, chaining, minimizing and authorising: how many small faults do the tests notice?

    ./comity bench mutants [--area chain] [--only FUNCTION] [--keep FOLDER] [--again] [--minutes 9]

Every survivor is told on standard error. With a folder of results a run goes on where the one before it ended, and the
share is that of all in it; `--again` meets those that survived once more. Takes many minutes.
"""

import argparse
import contextlib
import io
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bench.frame.progress import Bar, progress, say
from bench.frame.results import Goal, report
from mutants.areas import AREAS, Area
from mutants.runner import Met, MutantRunner
from mutants.sources import Mutant, mutants_of

CHECKOUT = Path(__file__).parents[2]


class Ledger:
    """What became of the mutants of an area, kept in a folder if one is given: the last word on each counts."""

    def __init__(self, area: str, folder: Path | None) -> None:
        self._area = area
        self._file = None if folder is None else folder / f"{area}.jsonl"
        self.watched_file = None if folder is None else folder / f"{area}-tests.jsonl"
        self.ends: dict[str, str] = {}
        if self._file is not None and self._file.exists():
            lines = [json.loads(line) for line in self._file.read_text("utf-8").splitlines()]
            self.ends = {line["name"]: line["end"] for line in lines}

    def note(self, met: Met) -> None:
        """Keep what became of one, and tell of it unless it was killed."""
        self.ends[met.mutant.name] = met.end
        told: dict[str, Any] = {"area": self._area, "name": met.mutant.name, "line": met.mutant.line, "end": met.end}
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps({**told, "by": met.by}, ensure_ascii=False) + "\n")
        if met.end != "killed":
            say(f"{met.end}: {met.mutant.module}:{met.mutant.line} {met.mutant.name.partition(':')[2]}")


def run(area: Area, ledger: Ledger, asked: argparse.Namespace) -> None:
    """Run the tests of an area against its mutants that are asked for."""

    def chosen(mutant: Mutant) -> bool:
        end = ledger.ends.get(mutant.name)
        in_part = asked.quick is not None or asked.tests is not None
        wanted = end is None or (end == "left" and not in_part) or (asked.again and end != "killed")
        return wanted and (asked.only or "") in mutant.place

    def tell(met: Met, done: int, total: int, bar: Bar) -> None:
        ledger.note(met)
        bar.at(100 * done / total)

    with progress(f"{area.name}: percent of the mutants", 100) as bar:
        quick = float("inf") if asked.quick is None else asked.quick
        told = partial(tell, bar=bar)
        runner = MutantRunner(
            area.modules,
            asked.processes,
            chosen,
            told,
            asked.minutes,
            quick,
            ledger.watched_file,
            all_tests=asked.tests is None,
        )
        keyword = "not postgres" if asked.tests is None else f"({asked.tests}) and not postgres"
        arguments = [*area.tests, "-q", "-k", keyword, "-p", "no:cacheprovider", "-p", "no:randomly"]
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            code = pytest.main([f"--rootdir={CHECKOUT}", *arguments], plugins=[runner])
    if code:
        raise SystemExit(f"pytest ended with {code}:\n{printed.getvalue()}")
    for test in runner.failing:
        say(f"left out, it fails without a fault: {test}")


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--area", choices=[area.name for area in AREAS], action="append")
    parser.add_argument("--only", help="only functions whose module:name holds this")
    parser.add_argument("--keep", type=Path, help="folder for what became of each mutant, and which test enters what")
    parser.add_argument("--again", action="store_true", help="also those that survived according to it")
    parser.add_argument("--quick", type=float, help="first only by tests that take so many seconds together")
    parser.add_argument("--tests", help="first only by tests that pytest's -k chooses by this")
    parser.add_argument("--minutes", type=float, default=1e6, help="begin no further mutant after so long")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    os.chdir(CHECKOUT)
    if asked.keep is not None:
        asked.keep.mkdir(parents=True, exist_ok=True)
    met = True
    for area in AREAS:
        if asked.area and area.name not in asked.area:
            continue
        ledger = Ledger(area.name, asked.keep)
        run(area, ledger, asked)
        names = {m.name for module in area.modules for m in mutants_of(module)}
        ends = [end for name, end in ledger.ends.items() if name in names]
        killed = ends.count("killed")
        line = report(
            f"mutants: {area.name}",
            killed / len(ends) if ends else 0.0,
            "killed of those asked",
            goal=Goal(value_at_least=0.9),
            mutants=len(names),
            asked=len(ends),
            killed=killed,
            left=ends.count("left"),
        )
        met = met and bool(line["met"])
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
