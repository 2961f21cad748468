from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import FINDING_IN_CLEAR, HANDLING, IDENTIFIERS, NAMES, Publisher
from comity_federation import strict_json
from comity_federation.decision import Accepted, Repeated
from comity_federation.disclosures import Disclosure
from comity_federation.encoding import b64decode, digest
from comity_federation.log_state import LogState
from comity_federation.statements import Outgoing, Signed, cloud_event_headers, genesis, record_bytes, sign_statement
from comity_schemas.handling import Handling

AGENCY = Publisher()
NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
SHOWN: dict[str, Any] = {"names": NAMES, "identifiers": IDENTIFIERS, "affected": "11-24", "women_share": "0-25%"}
KEPT: dict[str, Any] = {"site_address": "Estrada Velha 7", "clause": {"clause": "1.2"}, "sample": "0"}


def outgoing(**changes: Any) -> Outgoing:
    given: dict[str, Any] = {"disclosed": SHOWN, "withheld": KEPT}
    return Outgoing("finding", Handling.from_parsed(HANDLING), FINDING_IN_CLEAR, **{**given, **changes})


def sign(what: Outgoing, *, seq: int = 1, prev: str = AGENCY.genesis, key: int = 0) -> Signed:
    return sign_statement(what, iss=AGENCY.did, kid=AGENCY.kid(key), key=AGENCY.keys[key], seq=seq, prev=prev, now=NOW)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_what_is_signed_is_accepted_with_exactly_what_was_released(data: st.DataObject) -> None:
    shown = data.draw(st.sets(st.sampled_from(sorted(SHOWN))))
    kept = data.draw(st.sets(st.sampled_from(sorted(KEPT))))
    region = data.draw(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=100))
    what = Outgoing(
        "finding",
        Handling.from_parsed(HANDLING),
        {**FINDING_IN_CLEAR, "region": region},
        {name: SHOWN[name] for name in shown},
        {name: KEPT[name] for name in kept},
    )
    signed = sign(what)
    state = LogState()
    decision = state.decide(signed.record, AGENCY.trust())
    assert isinstance(decision, Accepted)
    assert decision.body is not None
    assert decision.body.model_dump(mode="json", exclude_unset=True) == {
        **what.body,
        **what.disclosed,
    }
    assert (decision.hash, decision.claims.seq, decision.missing) == (signed.hash, 1, ())
    assert {d.name for d in signed.withheld} == kept
    assert isinstance(state.decide(signed.record, AGENCY.trust()), Repeated)


@given(
    st.sampled_from(sorted(KEPT)), st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=30, max_size=100)
)
@settings(max_examples=50, deadline=None)
def test_what_is_sent_does_not_depend_on_what_stays(name: str, secret: str) -> None:
    """But for digests that salts make unreadable, and never in number or length."""
    one, other = sign(outgoing(withheld={})), sign(outgoing(withheld={name: secret}))
    assert len(one.record) == len(other.record)
    claims = strict_json.loads(b64decode(other.record.split(b".")[1].decode()))
    assert secret not in strict_json.dumps(claims).decode()
    assert len(claims["body"]["_sd"]) == 16


def test_a_withheld_field_can_be_shown_later_and_matches_its_digest() -> None:
    signed = sign(outgoing())
    digests = strict_json.loads(b64decode(signed.record.split(b".")[1].decode()))["body"]["_sd"]
    assert {d.digest for d in signed.withheld} <= set(digests)
    assert {d.encoded for d in signed.withheld}.isdisjoint(signed.record.decode().split("~"))


def test_salts_are_fresh_for_unchanged_fields() -> None:
    one, other = sign(outgoing()), sign(outgoing())
    assert {d.encoded for d in one.withheld}.isdisjoint(d.encoded for d in other.withheld)
    assert set(one.record.split(b"~")[1:-1]).isdisjoint(other.record.split(b"~")[1:-1])


def test_the_next_statement_follows_the_hash_of_the_last() -> None:
    one = sign(outgoing())
    two = sign(outgoing(), seq=2, prev=one.hash)
    state = LogState()
    assert all(isinstance(state.decide(s.record, AGENCY.trust()), Accepted) for s in (one, two))


def test_genesis_is_the_digest_of_the_did() -> None:
    assert genesis("did:web:agency.example") == digest(b"did:web:agency.example") == AGENCY.genesis


def test_a_record_has_one_form_whatever_order_its_parts_come_in() -> None:
    parts = [Disclosure("YQ", "a", 1).encoded, "Yg", "Yw"]
    assert record_bytes("a.b.c", parts) == record_bytes("a.b.c", reversed(parts))
    assert record_bytes("a.b.c", []) == b'{"statement":"a.b.c~","sealed":[]}'


def test_a_finding_stays_far_below_the_limit() -> None:
    assert len(sign(outgoing()).record) < 4_000


def test_cloud_event_headers_are_text_for_standard_tools() -> None:
    headers = cloud_event_headers(AGENCY.did, 7, "finding", NOW + timedelta(seconds=1))
    assert headers["ce_specversion"] == "1.0"
    assert (headers["ce_id"], headers["ce_source"], headers["ce_type"]) == ("7", AGENCY.did, "comity.finding.v1")
    assert headers["ce_time"] == "2026-11-01T12:00:01+00:00"
    assert all(isinstance(value, str) for value in headers.values())


def test_decide_needs_no_clock() -> None:
    signed = sign_statement(
        outgoing(),
        iss=AGENCY.did,
        kid=AGENCY.kid(),
        key=AGENCY.keys[0],
        seq=1,
        prev=AGENCY.genesis,
        now=datetime(2999, 1, 1, tzinfo=UTC),
    )
    assert isinstance(LogState().decide(signed.record, AGENCY.trust()), Accepted)
