"""Processes write and read one local log while one after the other is killed: what was acknowledged is there, once.

    ./comity bench local-log-kills [--seconds 60] [--writers 8] [--readers 3] [--seed 1]

Prints one JSON line, and everything that contradicts the bus contract on stderr; exit 1 when there is anything.
"""

import argparse
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.frame.progress import say
from bench.frame.results import report
from faults.local_log_processes import run


def main() -> int:
    """Run, print, and say by the exit code whether the contract held."""
    parser = argparse.ArgumentParser(prog="comity bench local-log-kills", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--readers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="comity-local-log-") as scratch:
        found = run(Path(scratch), **vars(asked))
    for fault in found.faults:
        say(fault)
    detail = {**asdict(found), "faults": len(found.faults)}
    report("local-log-kills", found.kills, "kills", met=not found.faults and found.kills > 0, **detail)
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
