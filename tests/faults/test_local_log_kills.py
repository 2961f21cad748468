"""The bus contract on one machine, with processes that die: nothing acknowledged is lost, and all is read once."""

import json
import os
import subprocess
import sys
from pathlib import Path


def test_eight_writers_and_three_readers_that_are_killed_keep_the_contract_of_the_local_log() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bench.local_log_kills", "--seconds", "5"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["faults"] == 0
    assert found["kills"] > 10
    assert found["unknown"] > 0
    assert found["records"] > 200
