"""Statements a second that a node takes in from Kafka: verified, chained, settled, folded and committed.

    ./comity bench ingest [--size 100k] [--database sqlite|postgres|both]

The corpus lies on a real Kafka before the node starts. The node runs as `comity serve`, on the same machine as the
broker and the database; the benchmark asks its database how far it is. The first 5 % are not counted. At the end
every record must be accepted, folded and at its place.
"""

import asyncio
import tempfile
from pathlib import Path

from bench.frame.buses import database_of, kafka
from bench.frame.corpus import Corpus, corpus_of
from bench.frame.memory import processor_seconds_of
from bench.frame.receiver import bare_verification, fill, founded, receive, require_everything_accepted, served
from bench.frame.results import Goal, Reference, arguments, report

GOALS = {"sqlite": Goal(ratio_at_least=0.80), "postgres": Goal(ratio_at_least=0.75)}


async def measure(bus: str, corpus: Corpus, database: str | None) -> tuple[float, float]:
    """Return statements a second of a new node, and what its processes used of the cores for each, in microseconds."""
    with tempfile.TemporaryDirectory(prefix="comity-bench-") as directory:
        async with founded(Path(directory), bus, database=database) as house:
            with served(house) as running:
                before = processor_seconds_of(running.process.pid)
                run = await receive(house, corpus, "taking in")
                used = processor_seconds_of(running.process.pid) - before
            await require_everything_accepted(house, corpus)
    return run.rate(), 1e6 * used / corpus.size


def against_verification(
    metric: str, corpus: Corpus, goal: Goal, measured: tuple[float, float], yardstick: Reference
) -> None:
    """Print the result beside the better of the yardstick's two measurements."""
    reference_value = yardstick.measure()
    report(
        metric,
        measured[0],
        "statements/s",
        goal=goal,
        reference=yardstick.name,
        reference_value=reference_value,
        statements=corpus.size,
        processor_us=round(measured[1], 1),
    )


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, size="100k")
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    asked = parser.parse_args()
    corpus = corpus_of(asked.size)
    yardstick = bare_verification(corpus)
    kinds = ["sqlite", "postgres"] if asked.database == "both" else [asked.database]
    with kafka() as bootstrap, tempfile.TemporaryDirectory(prefix="comity-bench-") as directory:
        asyncio.run(fill(f"kafka://{bootstrap}", corpus))
        for kind in kinds:
            with database_of(kind, Path(directory)) as database:
                yardstick.measure()
                measured = asyncio.run(measure(f"kafka://{bootstrap}", corpus, database))
                against_verification(f"ingest-{kind}", corpus, GOALS[kind], measured, yardstick)


if __name__ == "__main__":
    main()
