"""What holds for every record, beyond the single vectors."""

import random
import time
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from builders import FINDING_IN_CLEAR, IDENTIFIERS, NAMES, Made, Publisher, seen_of
from comity_federation import strict_json
from comity_federation.decide import decide
from comity_federation.decision import Accepted, Decision, Forked, Refused, Repeated, Seen, Waiting
from comity_federation.disclosures import Disclosure
from comity_federation.encoding import b64decode, b64encode
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
    start = time.perf_counter()
    assert isinstance(decide(raw, TRUST, Seen()), Refused)
    assert time.perf_counter() - start < 0.5


ODD: list[Any] = [None, True, False, 0, -1, 2**53 - 1, "", "x", "\x7f", "\u202e", "é" * 43, [], [[]], {}, {"_sd": []}]
ODD += [{"...": 1}, "A" * 43, "AMBER", "GREEN", "RED", "withdrawal", "group-key", "2026-01-01", ["A" * 43], [1]]


def _mutated(value: Any, luck: random.Random) -> Any:
    """One odd value somewhere inside, or a key or an item taken away, doubled or moved."""
    if isinstance(value, dict) and value and luck.random() < 0.85:
        name = luck.choice(list(value))
        match luck.randrange(8):
            case 0:
                return {k: v for k, v in value.items() if k != name}
            case 1:
                return {**value, luck.choice(["_sd", "...", "x", "replaces", "names", "statement"]): luck.choice(ODD)}
            case _:
                return {**value, name: _mutated(value[name], luck)}
    if isinstance(value, list) and value and luck.random() < 0.7:
        at = luck.randrange(len(value))
        match luck.randrange(4):
            case 0:
                return [*value[:at], *value[at + 1 :]]
            case 1:
                return [*value, value[at]]
            case 2:
                return value[::-1]
            case _:
                return [*value[:at], _mutated(value[at], luck), *value[at + 1 :]]
    return luck.choice(ODD)


def _resigned(made: Made, payload: Any, luck: random.Random) -> bytes:
    """The author signs nonsense: a mutated payload, header or disclosure."""
    parts = [strict_json.dumps(payload)]
    if luck.random() < 0.1:
        text = bytearray(parts[0])
        text[luck.randrange(len(text))] = luck.randrange(256)
        parts = [bytes(text)]
    header = None
    if luck.random() < 0.05:
        header = _mutated({"alg": "Ed25519", "typ": "comity-statement+sd-jwt", "kid": AGENCY.kid()}, luck)
    if luck.random() < 0.2:
        bent = _mutated(["s", luck.choice(["names", "affected", "site_address"]), NAMES], luck)
        return AGENCY.make(disclosed=[Disclosure(b64encode(strict_json.dumps(bent)), "", None)]).raw
    jwt = AGENCY.jwt(parts[0], header=header)
    return replace(made, jwt=jwt).raw_with(d.encoded for d in made.disclosed)


def test_no_record_makes_decide_raise() -> None:
    """20,000 records, mutated by structure; half of them signed again by the author."""
    luck = random.Random(20_261_101)
    bases = [(FULL, Seen()), (TWO, seen_of(ONE)), (AGENCY.withdrawal(ONE.hash, **AGENCY.after(ONE)), seen_of(ONE))]
    payloads = [strict_json.loads(_payload(made)) for made, _ in bases]
    answers: dict[type, int] = {}
    steps: set[int] = set()
    for number in range(20_000):
        which = luck.randrange(3)
        made, seen = bases[which]
        if number % 2:
            raw = _resigned(made, _mutated(payloads[which], luck), luck)
        elif luck.random() < 0.5:
            raw = strict_json.dumps(_mutated(strict_json.loads(made.raw), luck))
        else:
            at, length = luck.randrange(len(made.raw)), luck.randrange(1, 40)
            raw = made.raw[:at] + luck.randbytes(luck.randrange(3)) + made.raw[at + length :]
        decision = decide(raw, TRUST, seen)
        assert isinstance(decision, get_args(Decision))
        answers[type(decision)] = answers.get(type(decision), 0) + 1
        if isinstance(decision, Refused):
            steps.add(decision.step)
    assert answers.keys() >= {Accepted, Refused, Waiting}
    assert steps >= {2, 3, 4, 5, 6, 8, 10, 12, 13}, "the mutations no longer reach all steps"


def _payload(made: Made) -> bytes:
    return b64decode(made.jwt.split(".")[1])
