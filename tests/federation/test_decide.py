"""What holds for every record, beyond the single vectors."""

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from builders import FINDING_IN_CLEAR, IDENTIFIERS, NAMES, Publisher, seen_of
from comity_federation.decide import decide, demanded
from comity_federation.decision import Accepted, Forked, Refused, Repeated, Seen, Waiting
from comity_schemas.statement import MAX_RECORD_BYTES

AGENCY = Publisher()
ONE, TWO = AGENCY.chain(2)
TRUST = AGENCY.trust()
SHOWN: dict[str, Any] = {
    "names": NAMES,
    "identifiers": IDENTIFIERS,
    "affected": "11-24",
    "women_share": "0-25%",
    "sample": "0",
}
FULL = AGENCY.finding(disclosed=SHOWN, boxes=("Qk9YMQ", "Qk9YMg"))


def test_the_record_the_others_start_from_is_accepted() -> None:
    assert isinstance(decide(FULL.raw, TRUST, Seen()), Accepted)


@given(
    at=st.integers(0, len(FULL.raw) - 1), byte=st.integers(0, 255), how=st.sampled_from(["replace", "insert", "delete"])
)
@example(at=0, byte=0x20, how="insert")
@example(at=len(FULL.raw) - 1, byte=0x0A, how="insert")
@settings(max_examples=1_000, deadline=None)
def test_no_changed_byte_is_ever_accepted(at: int, byte: int, how: str) -> None:
    raw = FULL.raw
    rest = {"replace": raw[at + 1 :], "insert": raw[at:], "delete": raw[at + 1 :]}[how]
    changed = raw[:at] + (b"" if how == "delete" else bytes([byte])) + rest
    if changed == raw:
        return
    decision = decide(changed, TRUST, Seen())
    assert isinstance(decision, Refused | Waiting)
    # Nobody but the author can use up a place, whatever is done to a copy on the way.
    assert not isinstance(decision, Refused) or decision.step in (1, 2, 3, 4, 5, 8)
    assert not isinstance(decide(changed, TRUST, seen_of(FULL)), Accepted | Repeated | Forked)


def test_every_deleted_byte_is_refused() -> None:
    for at in range(len(FULL.raw)):
        assert not isinstance(decide(FULL.raw[:at] + FULL.raw[at + 1 :], TRUST, Seen()), Accepted)


@given(st.sets(st.sampled_from(sorted(SHOWN))), st.sets(st.sampled_from(FULL.boxes)))
@settings(deadline=None)
def test_stripping_can_only_hide_and_never_refute(names: set[str], boxes: set[str]) -> None:
    stripped = replace(FULL, boxes=tuple(box for box in FULL.boxes if box not in boxes)).stripped(*names)
    decision = decide(stripped.raw, TRUST, Seen())
    assert isinstance(decision, Accepted)
    assert decision.hash == FULL.hash
    assert decision.missing == stripped.missing
    assert decision.body is not None
    assert decision.body.model_dump(mode="json", exclude_unset=True) == stripped.body


@given(st.sampled_from(["names", "identifiers"]), st.sampled_from(["AMBER", "RED", "GREEN", "CLEAR"]))
def test_stripping_never_makes_a_refused_statement_count_under_amber_or_red(name: str, tlp: str) -> None:
    made = AGENCY.finding(tlp=tlp)
    whole, part = decide(made.raw, TRUST, Seen()), decide(made.stripped(name).raw, TRUST, Seen())
    assert type(whole) is type(part)


def test_a_record_of_another_log_is_refused_whatever_its_member_signs() -> None:
    other = Publisher("other")
    assert decide(other.finding().raw, TRUST, Seen()) == Refused(
        4, "another-log", "signed by a key of another member than agency"
    )


def test_the_first_step_that_fails_decides() -> None:
    """Two faults in one record: an altered disclosure (8), and a key that counts no more (7)."""
    made = AGENCY.finding(**AGENCY.after(TWO))
    altered = replace(made, raw=made.raw_with(["AAAA"]))
    decision = decide(altered.raw, TRUST, seen_of(ONE, TWO, keys=(0, 1)))
    assert isinstance(decision, Refused) and decision.step == 7
    decision = decide(altered.raw, TRUST, seen_of(ONE))
    assert isinstance(decision, Refused) and decision.step == 8, "8 comes before the gap of 9"


def test_a_refusal_never_quotes_what_a_body_says() -> None:
    clear = {**FINDING_IN_CLEAR, "region": "Maria \u0007 Silva", "note": "Maria Silva"}
    for disclosed in ({}, {"site_address": ["Maria Silva"]}):
        decision = decide(AGENCY.make(clear=clear, disclosed=disclosed).raw, TRUST, Seen())
        assert isinstance(decision, Refused) and decision.step == 12
        assert "Maria" not in decision.detail


def test_a_refusal_after_the_signature_says_whose_place_it_is() -> None:
    made = AGENCY.finding(clear={**FINDING_IN_CLEAR, "severity": "S9"})
    decision = decide(made.raw, TRUST, Seen())
    assert isinstance(decision, Refused)
    assert (decision.seq, decision.hash, decision.key, decision.kind) == (1, made.hash, 0, "finding")


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * MAX_RECORD_BYTES,
        b'{"statement":' + b"9" * 60_000 + b"}",
        b'{"statement":"' + b"~" * 65_000 + b'","sealed":[]}',
        b'{"statement":"' + b"." * 65_000 + b'","sealed":[]}',
        b'{"statement":"a.b.c~","sealed":[' + b",".join([b'"a"'] * 16_000) + b"]}",
        b"{" + b",".join(b'"%d":1' % n for n in range(7_000)) + b"}",
    ],
    ids=["brackets", "digits", "tildes", "dots", "boxes", "keys"],
)
def test_hostile_bytes_cost_little(raw: bytes) -> None:
    start = time.thread_time()
    assert isinstance(decide(raw, TRUST, Seen()), Refused)
    assert time.thread_time() - start < 0.5


def test_of_several_ends_the_furthest_is_demanded_first() -> None:
    member = AGENCY.member(thawed=TWO.last(), closed_keys={0: ONE.last(), 1: TWO.last()})
    assert [last.seq for last in demanded(member)] == [2, 2, 1]


def test_a_body_without_digests_is_a_body_without_disclosures() -> None:
    made = AGENCY.make(mend=lambda claims: claims["body"].pop("_sd"))
    assert isinstance(decide(made.raw, TRUST, Seen()), Accepted)
