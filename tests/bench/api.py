"""Requests made from the contract to a served node, with tokens of every role: what it answers must be in the contract.

    ./comity bench api [--cases 200]

Three results: answers of 5xx, answers the contract does not name or describes otherwise, and how many operations of
people were reached with success at least once. Faults are shown on standard error with the request that causes each.
"""

import sys
import tempfile
from pathlib import Path

from api_cases import exercise, site
from bench.frame.progress import progress, say
from bench.frame.results import Goal, arguments, report


def main() -> int:
    """Ask, print, judge."""
    parser = arguments(__doc__, size="200")
    parser.add_argument("--cases", type=int, help="the same as --size: requests an operation")
    asked = parser.parse_args()
    cases = asked.cases or asked.size
    with (
        tempfile.TemporaryDirectory(prefix="comity-bench-api-") as place,
        site(Path(place), often=max(4, cases // 10)) as given,
        progress("operations", given.operations) as bar,
    ):
        tally = exercise(given, cases, seen=lambda so_far: bar.at(so_far.operations))
    for fault in tally.faults[:20]:
        say(fault)
    none, run_as = Goal(value_at_most=0), {"requests": tally.asked, "operations": tally.operations}
    reached = len(tally.reached)
    lines = [
        report("api: answers of 5xx", tally.server_errors, "answers", goal=none, **run_as),
        report("api: answers not in the contract", len(tally.faults), "answers", goal=none, **run_as),
        report("api: operations reached with success", reached, "operations", goal=Goal(value_at_least=27), **run_as),
    ]
    return 0 if all(line["met"] for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
