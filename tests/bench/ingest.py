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
from bench.frame.receiver import bare_verification, fill, founded, receive, require_everything_accepted, served
from bench.frame.results import Goal, Reference, arguments, report

GOALS = {"sqlite": Goal(ratio_at_least=0.80), "postgres": Goal(ratio_at_least=0.75)}


async def measure(bus: str, corpus: Corpus, database: str | None) -> float:
    """Return statements a second of a new node."""
    with tempfile.TemporaryDirectory(prefix="comity-bench-") as directory:
        async with founded(Path(directory), bus, database=database) as house:
            with served(house):
                run = await receive(house, corpus, "taking in")
            await require_everything_accepted(house, corpus)
    return run.rate()


def against_verification(metric: str, corpus: Corpus, goal: Goal, rate: float, yardstick: Reference) -> None:
    """Print the result beside the better of the yardstick's two measurements."""
    reference_value = yardstick.measure()
    report(
        metric,
        rate,
        "statements/s",
        goal=goal,
        reference=yardstick.name,
        reference_value=reference_value,
        statements=corpus.size,
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
                rate = asyncio.run(measure(f"kafka://{bootstrap}", corpus, database))
                against_verification(f"ingest-{kind}", corpus, GOALS[kind], rate, yardstick)


if __name__ == "__main__":
    main()
