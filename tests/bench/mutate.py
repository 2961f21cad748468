"""Mutated records through `decide`, on all cores: crashes, forgeries that count, the slowest, the memory.

    ./comity bench mutate [--count 1000000] [--seed 1] [--processes N]

Four results. Whatever went wrong is named on standard error by the seed and number that rebuild it
(`mutations.case`). Exits 1 when a goal is missed.
"""

import os
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

from bench.frame.progress import progress, say
from bench.frame.results import Goal, arguments, report
from mutation_run import MOST_MS, Tally, run

SLICE = 5_000
MOST_GROWTH_MIB = 20.0
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
    parser = arguments(__doc__, size="1M")
    parser.add_argument("--count", type=int, help="the same as --size")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    count = asked.count or asked.size
    total, growth, began = Tally(), 0.0, time.monotonic()
    with ProcessPoolExecutor(asked.processes) as pool, progress("mutated records", count) as bar:
        slices = [pool.submit(run_slice, asked.seed, n, min(n + SLICE, count)) for n in range(0, count, SLICE)]
        for done in as_completed(slices):
            tally, grown = done.result()
            total.add(tally)
            growth = max(growth, grown)
            bar.at(total.count)
    for fault in (*total.crashes[:20], *total.forgeries[:20]):
        say(fault)
    none = Goal(value_at_most=0)
    answers = {" ".join(str(part) for part in name if part): n for name, n in sorted(total.answers.items(), key=str)}
    run_as = {"records": total.count, "seed": asked.seed}
    lines = [
        report("mutate: crashes", len(total.crashes), "records", goal=none, **run_as, answers=answers),
        report("mutate: accepted forgeries", len(total.forgeries), "records", goal=none, **run_as),
        report(
            "mutate: slowest", total.slowest_ms, "ms", goal=Goal(value_at_most=MOST_MS), **run_as, case=total.slowest
        ),
        report("mutate: memory growth", growth, "MiB", goal=Goal(value_at_most=MOST_GROWTH_MIB), **run_as),
    ]
    say(f"{total.count / (time.monotonic() - began):,.0f} records a second")
    return 0 if total.count == count and all(line["met"] for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
