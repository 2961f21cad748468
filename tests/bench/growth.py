"""Whether a finding costs more when a million are there: seconds per finding at the end against the beginning.

    ./comity bench growth [--size 1M]

Both are taken from one node that catches up over Kafka: the reference from 1 % on, the value at the end, each over a
twentieth of the way.
"""

from bench.frame.grown import grown
from bench.frame.results import Goal, arguments, report


def main() -> None:
    """Measure and print."""
    asked = arguments(__doc__, size="1M").parse_args()
    story = grown(asked.size)
    size, part = story.size, story.size // 20
    begin = story.run.seconds(size // 100, size // 100 + part) / part
    end = story.run.seconds(size - part, size) / part
    report(
        "growth",
        end * 1e6,
        f"µs a finding, at {size:,}",
        goal=Goal(ratio_at_most=1.2),
        reference=f"µs a finding, at {size // 100:,}",
        reference_value=begin * 1e6,
        findings=size,
    )


if __name__ == "__main__":
    main()
