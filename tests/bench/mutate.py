"""A million mutated records through `decide`, on all cores: crashes, forgeries that count, the slowest, the memory.

    ./comity bench mutate --count 1000000 [--seed 1]

Prints one JSON line. Whatever went wrong is named by the seed and number that rebuild it (`mutations.case`), in the
line and on standard error. Exits 1 when a goal is missed.
"""

import argparse
import json
import os
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mutation_run import MOST_MS, Tally, run

SLICE = 5_000
MOST_GROWTH_MIB = 20.0
SHOWN = 20
_first_mib: float | None = None


def resident_mib() -> float:
    """Return the most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_slice(seed: int, start: int, stop: int) -> tuple[Tally, float]:
    """Run some cases and tell how much the memory of this process has grown since its first slice."""
    global _first_mib
    tally = run(seed, range(start, stop))
    if _first_mib is None:
        _first_mib = resident_mib()
    return tally, resident_mib() - _first_mib


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(prog="./comity bench mutate", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    total, growth, began = Tally(), 0.0, time.monotonic()
    with ProcessPoolExecutor(given.processes) as pool:
        starts = range(0, given.count, SLICE)
        slices = [pool.submit(run_slice, given.seed, n, min(n + SLICE, given.count)) for n in starts]
        for done in as_completed(slices):
            tally, grown = done.result()
            total.add(tally)
            growth = max(growth, grown)
            print(f"\r{total.count:,} of {given.count:,} records", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    met = not total.crashes and not total.forgeries and total.slowest_ms < MOST_MS and growth < MOST_GROWTH_MIB
    for fault in (*total.crashes[:SHOWN], *total.forgeries[:SHOWN]):
        print(fault, file=sys.stderr)
    line = {
        "metric": "mutate",
        "value": total.count,
        "unit": "mutated records",
        "seed": given.seed,
        "crashes": len(total.crashes),
        "accepted_forgeries": len(total.forgeries),
        "slowest_ms": round(total.slowest_ms, 1),
        "slowest": total.slowest,
        "memory_growth_mib": round(growth, 1),
        "goal": {"crashes": 0, "accepted_forgeries": 0, "slowest_ms": MOST_MS, "memory_growth_mib": MOST_GROWTH_MIB},
        "met": met,
        "seconds": round(time.monotonic() - began, 1),
        "answers": {" ".join(map(str, filter(None, name))): n for name, n in sorted(total.answers.items(), key=str)},
    }
    print(json.dumps(line))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
