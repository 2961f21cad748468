"""What all processes of one node hold in memory: idle, and after a million findings.

    ./comity bench memory [--size 1M]

PSS, summed over `comity serve` and everything it started; RSS, which counts shared pages once a process, beside it.
"""

from bench.frame.grown import grown
from bench.frame.results import Goal, arguments, report


def main() -> None:
    """Measure and print."""
    asked = arguments(__doc__, size="1M").parse_args()
    story = grown(asked.size)
    for name, memory, most in (("idle", story.idle, 200), ("after", story.after, 400)):
        report(
            f"memory-{name}",
            memory.pss,
            "MB",
            goal=Goal(value_at_most=most),
            findings=0 if name == "idle" else story.size,
            rss=round(memory.rss),
            processes=memory.processes,
            **({"most_pss": round(story.most.pss)} if name == "after" else {}),
        )


if __name__ == "__main__":
    main()
