"""Honest runs of a network with delays, restarts and registry changes: how many raise an alarm?

    ./comity bench honest [--count 1000] [--seed 1] [--processes N]

Every run that raised an alarm is told on standard error with the seed that repeats it. Exits 1 if there is one.
"""

import asyncio
import logging
import os
import random
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import structlog

from bench.frame.progress import progress, say
from bench.frame.results import Goal, arguments, report
from schedules import honest_run


def prepare() -> None:
    """Keep the nodes' own words to themselves."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    logging.disable(logging.WARNING)


def one_run(seed: int) -> list[str]:
    """Live through the days of one seed."""
    with tempfile.TemporaryDirectory(prefix="comity-honest-") as place:
        return asyncio.run(honest_run(Path(place), random.Random(seed)))


def main() -> int:
    """Run, print, judge."""
    parser = arguments(__doc__, size="1k")
    parser.add_argument("--count", type=int, help="the same as --size")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    count, alarmed = asked.count or asked.size, 0
    with ProcessPoolExecutor(asked.processes, initializer=prepare) as pool, progress("honest runs", count) as bar:
        runs = {pool.submit(one_run, seed): seed for seed in range(asked.seed, asked.seed + count)}
        for number, run in enumerate(as_completed(runs), start=1):
            if alarms := run.result():
                alarmed += 1
                say(f"seed {runs[run]}: {'; '.join(alarms)}")
            bar.at(number)
    line = report(
        "honest: runs with an alarm", alarmed, "runs", goal=Goal(value_at_most=0), runs=count, seed=asked.seed
    )
    return 0 if line["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
