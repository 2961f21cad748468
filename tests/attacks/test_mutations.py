"""Mutated records through `decide`: it never raises, lets no forgery through, and takes no long thought.

Here 20,000; `./comity bench mutate` runs a million on all cores.
"""

import time
from collections import Counter
from typing import get_args

import pytest

from comity_federation import decide as decide_module
from comity_federation import jws
from comity_federation.decide import decide
from comity_federation.decision import Accepted, Decision, Refused, Seen, Trust, Waiting
from comity_schemas.member import Role
from comity_schemas.statement import Kind
from mutation_corpus import corpus
from mutation_run import MOST_MS, Tally, run
from mutations import case, disagreements

SEED = 20_261_126
COUNT = 20_000


@pytest.fixture(scope="module")
def tally() -> Tally:
    return run(SEED, range(COUNT))


def test_no_mutated_record_makes_decide_raise(tally: Tally) -> None:
    assert tally.count == COUNT
    assert not tally.crashes


def test_no_mutated_record_is_a_forgery_that_counts(tally: Tally) -> None:
    assert not tally.forgeries


def test_no_mutated_record_takes_long(tally: Tally) -> None:
    assert tally.slowest_ms < MOST_MS, tally.slowest


def test_the_mutations_reach_every_step_and_every_answer(tally: Tally) -> None:
    """Else the tests above would pass by never coming near what they are about."""
    assert {name for name, _ in tally.answers} == {kind.__name__ for kind in get_args(Decision)}
    assert {step for name, step in tally.answers if name == "Refused"} == {*range(1, 14)} - {9}
    assert {why for name, why in tally.answers if name == "Waiting"} == {
        "unknown-key", "gap", "branch", "suspended", "pending", "frozen",
    }  # fmt: skip
    assert tally.answers["Accepted", None] > COUNT / 50


def test_a_case_is_rebuilt_from_its_seed_and_number() -> None:
    assert [case(7, n).raw for n in range(200)] == [case(7, n).raw for n in range(200)]
    assert len({case(7, n).raw for n in range(200)}) > 190
    assert case(8, 0).raw != case(7, 0).raw
    assert str(case(7, 3)).startswith("mutations.case(7, 3), log ")


def test_the_corpus_holds_what_counts_and_what_does_not() -> None:
    answers = Counter(type(decide(b.made.raw, b.log.trust, b.log.seen)) for b in corpus().bases)
    assert answers[Accepted] >= 12
    assert set(answers) == set(get_args(Decision))


BLIND: dict[str, tuple[object, str, object]] = {
    "5 signature": (jws, "check_signature", lambda token, key: None),
    "7 key counts": (decide_module, "_check_key_counts", lambda statement, member, seen: None),
    "8 disclosures": (decide_module, "_check_disclosures", lambda statement: None),
    "9 place": (decide_module, "_check_place", lambda statement, seen: None),
    "11 role": (decide_module, "ALLOWED_KINDS", dict.fromkeys(Role, frozenset(Kind))),
    "13 handling": (decide_module, "_check_handling", lambda statement, body: None),
}


@pytest.mark.parametrize("step", BLIND)
def test_the_oracle_sees_a_decider_that_is_blind_at_one_step(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*BLIND[step])
    assert run(SEED, range(3_000)).forgeries


def test_two_deciders_that_differ_are_told_apart_by_a_case_that_can_be_rebuilt() -> None:
    def hasty(raw: bytes, trust: Trust, seen: Seen) -> Decision:
        decision = decide(raw, trust, seen)
        return Waiting("gap") if isinstance(decision, Refused) and decision.step == 8 else decision

    def breaking(raw: bytes, trust: Trust, seen: Seen) -> Decision:
        raise RuntimeError

    assert not list(disagreements(decide, decide, seed=1, count=300))
    found = next(disagreements(decide, hasty, seed=1, count=300))
    again = case(found.case.seed, found.case.number)
    assert str(decide(again.raw, again.trust, again.seen)) == found.first
    assert "Waiting" in found.second and "mutations.case(1, " in str(found)
    assert len(list(disagreements(decide, breaking, seed=1, count=20))) == 20


def test_a_record_that_takes_long_every_time_is_told() -> None:
    def slow(raw: bytes, trust: Trust, seen: Seen) -> Decision:
        began = time.thread_time()
        while time.thread_time() - began < MOST_MS / 1e3:
            pass
        return decide(raw, trust, seen)

    told = run(SEED, range(1), slow)
    assert told.slowest_ms >= MOST_MS
    assert told.slowest
