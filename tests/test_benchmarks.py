"""Every benchmark runs, prints results in their one form, and finds what it measured to be right. Never its times."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from bench.frame import documents
from bench.frame.corpus import MEMBERS, corpus_of, per_member, publisher
from bench.frame.results import Goal
from comity_federation.decision import Accepted
from comity_federation.log_state import LogState
from servers import CHECKOUT

RUNNER = CHECKOUT / "tests" / "bench" / "__main__.py"

SMALL = {
    ("decide",): (["--size", "20"], {"decide"}),
    ("footprint",): (
        ["--size", "500"],
        {f"footprint-{of}" for of in ("record", "checkpoint", "kafka", "sqlite", "postgres")},
    ),
    ("bus",): (["--size", "500"], {"bus-publish", "bus-read: full batches", "bus-read: one record a batch"}),
    ("ingest",): (["--size", "500"], {"ingest-sqlite", "ingest-postgres"}),
    ("ingest-locallog",): (["--size", "500"], {"ingest-locallog"}),
    ("publish",): (["--size", "60"], {"publish"}),
    ("catch-up", "growth", "memory", "poll"): (
        ["--size", "500"],
        {"catch-up", "growth", "memory-idle", "memory-after", "poll-quiet", "poll-news"},
    ),
    ("watching",): (["--size", "500"], {"changes-poll", "changes-poll-middle", "reverse-probe"}),
    ("search-index",): (
        ["--size", "3000", "--kind", "sqlite", "--queries", "5"],
        {f"search-{of}-sqlite" for of in ("build", "bytes", "recall-latin", "recall-cross-script", "one", "one-p99")}
        | {"search-add-sqlite", "search-memory-sqlite"},
    ),
    ("screening-file",): (
        ["--size", "500", "--rows", "300"],
        {"screening-file-sqlite", "screening-file-list"},
    ),
    ("screening-http",): (
        ["--size", "3000", "--queries", "4"],
        {"screening-http-sqlite", "screening-http-postgres"},
    ),
    ("fanout",): (["--size", "1", "--nodes", "1"], {"fanout"}),
    # Last: it leaves more of the corpus on the broker than the others expect.
    ("request",): (["--size", "500", "--seconds", "1"], {"request"}),
}
"""Benchmarks that run here, with the size and what they print."""

ELSEWHERE = {
    "api": "tests/node/test_contract.py",
    "brokers": "tests/faults/test_three_brokers.py",
    "crash": "tests/faults/test_crash.py",
    "evidence": "tests/node/test_evidence.py",
    "honest": "tests/attacks/test_honest_days.py",
    "hostile-member": "tests/attacks/test_hostile_member.py",
    "local-log-kills": "tests/faults/test_local_log_kills.py",
    "mutants": "tests/mutants/__init__.py",
    "mutate": "tests/attacks/test_mutations.py",
    "screening": "tests/test_measured_screening.py",
}
"""Benchmarks of which another test runs a sample."""


@pytest.mark.kafka
@pytest.mark.postgres
@pytest.mark.parametrize("names", SMALL, ids="+".join)
def test_it_runs_and_what_it_measured_is_right(names: tuple[str, ...], kafka: str, postgres_server: str) -> None:
    options, metrics = SMALL[names]
    environment = {**os.environ, "COMITY_TEST_KAFKA": kafka, "COMITY_TEST_POSTGRES": postgres_server}
    done = subprocess.run(
        [sys.executable, RUNNER, *names, *options], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["metric"] for line in lines} == metrics
    for line in lines:
        assert list(line)[: len(documents.KEYS)] == list(documents.KEYS)
        assert line["value"] > 0
        assert (line["reference"] is None) == (line["reference_value"] is None)


def test_no_benchmark_is_forgotten_here() -> None:
    listed = subprocess.run([sys.executable, RUNNER, "--list"], capture_output=True, text=True, check=True).stdout
    names = {line.split()[0] for line in listed.splitlines()}
    here = {name for together in SMALL for name in together}
    assert names == here | (set(ELSEWHERE) & names)
    assert all((CHECKOUT / ELSEWHERE[name]).exists() for name in names - here)
    assert all(len(line.split()) > 3 for line in listed.splitlines()), "each says what it measures"


def test_the_corpus_is_a_chain_of_acceptable_records_of_each_member() -> None:
    corpus = corpus_of(1_000)
    for number in (0, MEMBERS - 1):
        state, trust = LogState(), publisher(number).trust()
        assert all(isinstance(state.decide(raw, trust), Accepted) for raw in corpus.log(number))
        assert state.places[corpus.length].hash == corpus.last_hash(number)


def test_the_corpus_tells_ten_findings_of_ten_members_about_each_supplier() -> None:
    corpus = corpus_of(1_000)
    assert corpus.length == per_member(1_000) == 20
    told: dict[str, list[str]] = {}
    for number in range(MEMBERS):
        state, trust = LogState(), publisher(number).trust()
        for raw in corpus.log(number):
            decision = state.decide(raw, trust)
            assert isinstance(decision, Accepted)
            assert decision.body is not None
            told.setdefault(decision.body.to_parsed()["identifiers"][0]["id"], []).append(str(number))
    assert len(told) == 100
    assert all(len(by) == len(set(by)) == 10 for by in told.values())


@pytest.mark.parametrize(
    ("goal", "value", "ratio", "met"),
    [
        (Goal(ratio_at_least=0.8), 1, 0.8, True),
        (Goal(ratio_at_least=0.8), 1, 0.79, False),
        (Goal(ratio_at_least=0.25, value_at_least=3_000), 3_100, 0.2, False),
        (Goal(ratio_at_least=0.25, value_at_least=3_000), 2_900, 0.3, False),
        (Goal(ratio_at_most=1.2, value_at_most=10), 9, 1.2, True),
        (Goal(ratio_at_most=1.2, value_at_most=10), 11, 1.0, False),
        (Goal(ratio_at_most=1.2), 1, None, False),
    ],
)
def test_a_goal_is_met_when_all_of_it_is(goal: Goal, value: float, ratio: float | None, met: bool) -> None:
    assert goal.is_met(value, ratio) is met


def line(**changes: Any) -> dict[str, Any]:
    given = {"metric": "m", "value": 1234.0, "unit": "x/s", "reference": "r", "reference_value": 2.0, "ratio": 0.617}
    return {**given, "goal": "ratio ≥ 0.7", "met": False, "machine": "M", "size": 10, **changes}


def test_a_row_that_misses_its_goal_says_so() -> None:
    assert "| `m` | 1,234 x/s | 2 (r) | 0.62 | ratio ≥ 0.7 | **no** | size 10 |" in documents.table([line()])
    assert "| yes |" in documents.table([line(met=True)])


def test_of_several_results_of_one_metric_the_last_counts_and_other_lines_are_left_out() -> None:
    lines = [json.dumps(line()), "filling Kafka", json.dumps(line(value=5))]
    assert [result["value"] for result in documents.read(lines)] == [5]
    with pytest.raises(SystemExit, match="lacks metric"):
        documents.read(['{"value": 1}'])


def test_the_performance_page_says_what_its_results_say() -> None:
    results = documents.read(documents.RESULTS.read_text(encoding="utf-8").splitlines())
    text = documents.PAGE.read_text(encoding="utf-8")
    assert documents.page(text, results) == text, "run ./comity bench --write-docs"
    assert documents.page(text, [line()]) != text


def test_the_performance_page_has_a_row_for_each_benchmark_of_the_network() -> None:
    results = documents.read(documents.RESULTS.read_text(encoding="utf-8").splitlines())
    assert {m for _, metrics in SMALL.values() for m in metrics} <= {result["metric"] for result in results}
