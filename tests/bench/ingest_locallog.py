"""Statements a second that a node takes in from a local log, on SQLite.

    ./comity bench ingest-locallog [--size 100k]

As `ingest`, with the log of one machine in place of Kafka.
"""

import asyncio
import tempfile
from pathlib import Path

from bench.frame.corpus import corpus_of
from bench.frame.receiver import bare_verification, fill
from bench.frame.results import Goal, arguments
from bench.ingest import against_verification, measure


def main() -> None:
    """Measure and print."""
    asked = arguments(__doc__, size="100k").parse_args()
    corpus = corpus_of(asked.size)
    yardstick = bare_verification(corpus)
    with tempfile.TemporaryDirectory(prefix="comity-bench-") as directory:
        bus = f"local:{Path(directory) / 'log.db'}"
        asyncio.run(fill(bus, corpus))
        yardstick.measure()
        measured = asyncio.run(measure(bus, corpus, None))
        against_verification("ingest-locallog", corpus, Goal(ratio_at_least=0.80), measured, yardstick)


if __name__ == "__main__":
    main()
