"""A thousand honest runs of a network with delays, restarts and registry changes: how many raise an alarm?

    ./comity bench honest [--count 1000] [--seed 1]

Prints one JSON line; every run that raised an alarm is told on standard error with its seed. Exits 1 if there is one.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).parents[1]))

import node_world
from schedules import honest_run


def prepare() -> None:
    """Make the migrated database once a process, and keep the nodes' own words to themselves."""
    node_world.warm_up()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


def one_run(seed: int) -> list[str]:
    """Live through the days of one seed."""
    with tempfile.TemporaryDirectory(prefix="comity-honest-") as place:
        return asyncio.run(honest_run(Path(place), random.Random(seed)))


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(prog="./comity bench honest", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    alarmed: dict[int, list[str]] = {}
    began = time.monotonic()
    with ProcessPoolExecutor(given.processes, initializer=prepare) as pool:
        runs = {pool.submit(one_run, seed): seed for seed in range(given.seed, given.seed + given.count)}
        for number, run in enumerate(as_completed(runs), start=1):
            if run.result():
                alarmed[runs[run]] = run.result()
                print(f"\nseed {runs[run]}: {'; '.join(run.result())}", file=sys.stderr)
            print(f"\r{number:,} of {given.count:,} runs", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    line = {
        "metric": "honest",
        "value": given.count,
        "unit": "honest runs",
        "seed": given.seed,
        "alarms": len(alarmed),
        "goal": {"alarms": 0},
        "met": not alarmed,
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(line))
    return 0 if not alarmed else 1


if __name__ == "__main__":
    sys.exit(main())
