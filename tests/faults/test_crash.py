"""A sample of the crash sweep, and that the sweep finds what it is for. `./comity bench crash` runs all of it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from faults.crash_sabotage import SABOTAGES

TESTS = Path(__file__).parents[1]


def sweep(*options: str, **environment: str) -> tuple[int, dict[str, Any], str]:
    """Run the sweep as a process of its own, which forks: give its exit code, its sum and what it told."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bench.crash", *options],
        env={**os.environ, "PYTHONPATH": str(TESTS), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stderr


@pytest.mark.kafka
@pytest.mark.postgres
def test_a_node_that_is_killed_anywhere_loses_nothing_and_doubles_nothing(kafka: str, postgres_server: str) -> None:
    servers = {"COMITY_TEST_KAFKA": kafka, "COMITY_TEST_POSTGRES": postgres_server}
    code, found, told = sweep("--points", "12", "--ground", "sqlite/locallog", "postgres/kafka", **servers)
    assert code == 0, told
    assert found["points"] >= 10
    assert [found[fault] for fault in ("lost", "doubled", "forked", "unclean")] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("sabotage", "role", "at", "fault"),
    [
        ("move-before-keeping", "body", "commit intake.take_in:before", "lost"),
        ("sign-anew", "agency", "bus.publish statements:after#2", "forked"),
    ],
)
def test_the_sweep_finds_what_a_wrong_node_loses_or_forks(sabotage: str, role: str, at: str, fault: str) -> None:
    options = ("--ground", "sqlite/locallog", "--role", role, "--only", at, "--patience", "6")
    code, found, told = sweep(*options, "--sabotage", sabotage)
    assert code == 1
    assert found[fault] > 0, told


def test_every_sabotage_is_swept() -> None:
    assert set(SABOTAGES) == {"move-before-keeping", "sign-anew"}
