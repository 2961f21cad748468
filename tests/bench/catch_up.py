"""How long a new node takes to catch up with a million findings of fifty members, over Kafka.

    ./comity bench catch-up [--size 1M]

From the start of the node's processes to the last finding settled and folded, on SQLite. The reference is as many bare
signature verifications, on all cores at once.
"""

import multiprocessing
import time

from bench.frame.corpus import corpus_of
from bench.frame.grown import grown
from bench.frame.receiver import bare_verification
from bench.frame.results import Goal, arguments, report


def rate_of_one(size: int) -> float:
    """Return how many verifications a second this process does beside the others."""
    verify = bare_verification(corpus_of(size)).act
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < min(2.0, size / 10_000):
        done += verify()
    return done / (time.perf_counter() - began)


def rate_of_all(size: int) -> float:
    """Return how many verifications a second all cores do together."""
    cores = multiprocessing.cpu_count()
    if size < 10_000:  # Not worth the processes: only that it runs is of interest.
        return cores * rate_of_one(size)
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        pool.map(rate_of_one, [size] * cores, chunksize=1)  # processes are there, the corpus is in memory
        return sum(pool.map(rate_of_one, [size] * cores, chunksize=1))


def main() -> None:
    """Measure and print."""
    asked = arguments(__doc__, size="1M").parse_args()
    before = rate_of_all(asked.size)
    story = grown(asked.size)
    rate = max(before, rate_of_all(asked.size))
    report(
        "catch-up",
        story.run.total_seconds(),
        "s",
        goal=Goal(ratio_at_most=4),
        reference="as many bare verifications on all cores, s",
        reference_value=story.size / rate,
        findings=story.size,
        database_bytes_per_finding=story.database_bytes / story.size,
    )


if __name__ == "__main__":
    main()
