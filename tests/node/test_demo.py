"""`comity demo`: the whole story on real processes, and that it fails when a step does."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from builders import CHECKOUT
from node_world import comity

TITLES = [
    "Three organisations, one registry, one log each",
    "An auditor signs three reports offline and submits them to the agency",
    "The agency sees exactly what would leave, beside what stays",
    "Two people release; the one who proposed cannot",
    "Every node verifies what it received, by itself",
    "A procurement officer screens a tender; nobody learns whom",
    "The audit firm sees what became of its reports",
    "Two people take a finding back, and it is gone from the other's answer",
    "A hostile broker writes a forged, a tampered and a replayed record",
    "Anyone can check, offline",
]


def facts(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for chapter in told["chapters"] for name, value in chapter.items()}


def test_the_demo_fails_and_says_where_when_a_node_cannot_start(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = comity("demo", "--directory", str(tmp_path / "demo"), COMITY_PORT=str(taken.getsockname()[1]))
    assert ran.returncode == 1
    assert "failed: the node lindqvist-assurance did not start; see lindqvist-assurance.log [demo.stage]" in ran.stdout
    assert "came out as they must" not in ran.stdout
    assert "address already in use" in (tmp_path / "demo" / "lindqvist-assurance.log").read_text()


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_the_demo_fails_where_another_demo_was(tmp_path: Path, form: tuple[str, ...]) -> None:
    (tmp_path / "relief-goods").mkdir()
    (tmp_path / "relief-goods" / "settings.toml").touch()
    ran = comity("demo", *form, "--directory", str(tmp_path))
    assert ran.returncode == 1
    if form:
        told = json.loads(ran.stdout)
        assert told["ok"] is False
        assert "is a node's home already" in told["failed"]
        assert [chapter["title"] for chapter in told["chapters"]] == TITLES[:1]
    else:
        assert "[home.exists]" in ran.stdout


def test_a_broker_that_cannot_be_started_fails_the_demo_and_json_says_so(tmp_path: Path) -> None:
    ran = comity("demo", "--kafka", "--json", COMITY_CHECKOUT=str(tmp_path))
    assert ran.returncode == 1, ran.stderr
    told = json.loads(ran.stdout)
    assert (told["ok"], told["chapters"]) == (False, [])
    assert "deploy/kafka" in told["failed"]


@pytest.mark.kafka
def test_the_demo_ends_with_0_and_tells_every_chapter_as_json_on_a_broker_that_it_starts(tmp_path: Path) -> None:
    """On the local log README.md runs it, in words: every step of it checks itself."""
    ran = comity("demo", "--kafka", "--json", "--directory", str(tmp_path / "demo"), COMITY_CHECKOUT=str(CHECKOUT))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = json.loads(ran.stdout)
    assert (told["ok"], told["failed"]) == (True, None)
    assert [chapter["title"] for chapter in told["chapters"]] == TITLES
    assert all(chapter["lines"] for chapter in told["chapters"])
    found = facts(told)
    assert found["bus"] == "kafka"
    assert found["accepted"] == found["published"] > 0
    assert found["quarantined"] == ["another-log", "bad-signature", "disclosure"]
    assert found["clean"] is True
    assert len(found["screening"]["answers"]) == 12
    # What stays at the agency is in nothing that was said.
    assert "locked in the office of Mr Tan" not in ran.stdout
    assert "Greta Lindqvist" not in ran.stdout
