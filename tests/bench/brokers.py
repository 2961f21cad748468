"""Twelve faults of three brokers, each as long as in life: what was lost, what was said, how soon all is well again.

    ./comity bench brokers [--seconds 30] [--only leader_paused …]

One line a fault: seconds from the end of the fault until everything released meanwhile is applied at the receiver and
both nodes are ready. Exits 1 when something was lost or doubled, or took longer than 30 s.
"""

import argparse
import asyncio
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from bench.frame.progress import say
from bench.frame.results import Goal, report
from broker_faults import FAULTS, RECOVERED_WITHIN_S, Outcome, network, suffer


def tell(outcome: Outcome) -> bool:
    """Print one result; True when it is as it must be."""
    detail = {name: round(each, 3) if isinstance(each, float) else each for name, each in asdict(outcome).items()}
    recovered = detail.pop("recovered_s")
    line = report(
        f"brokers: {detail.pop('fault').replace('_', ' ')}",
        recovered,
        "s",
        goal=Goal(value_at_most=RECOVERED_WITHIN_S),
        **detail,
    )
    return bool(line["met"]) and not (outcome.lost or outcome.doubled or outcome.problems or outcome.api_failed)


async def measure(faults: list[str], seconds: float) -> bool:
    """Suffer each fault in turn, on the same brokers and nodes."""
    with tempfile.TemporaryDirectory(prefix="comity-bench-") as directory:
        say("starting three brokers and two nodes")
        async with network(Path(directory)) as running:
            well = []
            for fault in faults:
                say(f"{fault.replace('_', ' ')}, {seconds:.0f} s")
                well.append(tell(await suffer(running, fault, seconds)))
    return all(well)


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each fault lasts (30)")
    parser.add_argument("--only", nargs="+", choices=list(FAULTS), default=list(FAULTS), metavar="FAULT")
    asked = parser.parse_args()
    return 0 if asyncio.run(measure(asked.only, asked.seconds)) else 1


if __name__ == "__main__":
    sys.exit(main())
