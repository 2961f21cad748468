"""One round of the receiver with nothing new, and with one new record, on small and large nodes over Kafka.

    ./comity bench poll [--size 1M]

A thousand, a tenth of the size, the size. The round is the receiver's own. With nothing new it is given a bus that does
not wait for news; with a record it waits for it, and counts from the record's being on the bus until it is settled. The
median of fifty.
"""

from bench.frame.grown import grown
from bench.frame.results import Goal, arguments, report

GOAL = Goal(ratio_at_most=1.2, value_at_most=10)


def main() -> None:
    """Measure and print."""
    asked = arguments(__doc__, size="1M").parse_args()
    sizes = sorted({min(1_000, asked.size), max(1_000, asked.size // 10), asked.size})
    first, *others = [grown(size) for size in sizes if size <= asked.size]
    for metric, of in (("poll-quiet", "quiet_round_ms"), ("poll-news", "news_round_ms")):
        for story in others or [first]:
            report(
                metric,
                getattr(story, of),
                f"ms a round, at {story.size:,} accepted",
                goal=GOAL,
                reference=f"ms a round, at {first.size:,} accepted",
                reference_value=getattr(first, of),
                accepted=story.size,
            )


if __name__ == "__main__":
    main()
