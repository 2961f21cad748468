"""Mutation testing of verifying, chaining, minimizing and authorising: how many small faults do the tests notice?

    ./comity bench mutants [--area verify] [--only FUNCTION] [--survivors FILE] [--again FILE]

Every survivor is told on standard error; `--survivors` also writes them as JSON lines. Takes many minutes.
"""

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.frame.progress import progress, say
from bench.frame.results import Goal, report
from mutants.areas import AREAS, Area
from mutants.runner import MutantRunner, Result
from mutants.sources import Mutant

CHECKOUT = Path(__file__).parents[2]


def run(area: Area, processes: int, chosen: Callable[[Mutant], bool]) -> Result:
    """Run the tests of an area against its mutants."""
    with progress(f"{area.name}: percent of the mutants", 100) as bar:
        runner = MutantRunner(area.modules, processes, lambda done, total: bar.at(100 * done / total), chosen)
        arguments = [*area.tests, "-q", "-k", "not postgres", "-p", "no:cacheprovider", "-p", "no:randomly"]
        with contextlib.redirect_stdout(io.StringIO()):
            pytest.main([f"--rootdir={CHECKOUT}", *(a for a in arguments)], plugins=[runner])
    return runner.result


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--area", choices=[area.name for area in AREAS], action="append")
    parser.add_argument("--only", help="only functions whose module:name holds this")
    parser.add_argument("--again", type=Path, help="only those that a file of survivors names")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--survivors", type=Path)
    asked = parser.parse_args()
    os.chdir(CHECKOUT)
    again = None if asked.again is None else {json.loads(line)["name"] for line in asked.again.open(encoding="utf-8")}

    def chosen(mutant: Mutant) -> bool:
        return (asked.only or "") in f"{mutant.module}:{mutant.function}" and (again is None or mutant.name in again)

    met = True
    for area in AREAS:
        if asked.area and area.name not in asked.area:
            continue
        result = run(area, asked.processes, chosen)
        for test in result.failing:
            say(f"left out, it fails without a fault: {test}")
        left = [*result.survivors, *result.untested]
        for mutant in left:
            say(f"survives: {mutant.module}:{mutant.line} {mutant.function}: {mutant.source}: {mutant.what}")
        if asked.survivors:
            with asked.survivors.open("a", encoding="utf-8") as file:
                for m in left:
                    untested = m in result.untested
                    told = {"area": area.name, "name": m.name, "line": m.line, "untested": untested}
                    file.write(json.dumps(told, ensure_ascii=False) + "\n")
        share = result.killed / result.total if result.total else 0.0
        goal = Goal(value_at_least=0.9)
        line = report(
            f"mutants: {area.name}", share, "killed of all", goal=goal, mutants=result.total, killed=result.killed
        )
        met = met and bool(line["met"])
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
