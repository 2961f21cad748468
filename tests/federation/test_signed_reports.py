from datetime import UTC, datetime
from typing import Any

import pytest

from builders import AuditFirm, key_of, public_key, report
from comity_federation import signed_reports, strict_json
from comity_federation.encoding import b64decode, digest
from comity_federation.signed_reports import (
    ReportAltered,
    ReportMalformed,
    ReportRefused,
    ReportSignatureBad,
    ReportTooLarge,
    UnknownAuditor,
    open_report,
    report_id,
    sign_report,
)
from comity_schemas.report import MAX_REPORT_BYTES, Report

FIRM = AuditFirm()
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def signed(given: Report | None = None, **changes: Any) -> bytes:
    with_whom: dict[str, Any] = {"iss": FIRM.did, "kid": FIRM.kid, "key": FIRM.key, "now": NOW}
    return sign_report(given or report(), **{**with_whom, **changes})


def test_a_report_opens_as_it_was_signed() -> None:
    opened = open_report(signed(), [FIRM.member()])
    assert opened.report == report()
    assert (opened.firm.did, opened.kid) == (FIRM.did, FIRM.kid)


def test_a_report_without_observations_or_evidence_opens_too() -> None:
    bare = report(observations=[], evidence=[])
    assert open_report(signed(bare), [FIRM.member()]).report == bare


def test_each_observation_and_evidence_is_a_section_of_its_own_with_its_own_salt() -> None:
    sections = [strict_json.loads(b64decode(s)) for s in strict_json.loads(signed())["sections"]]
    names = [name for _, name, _ in sections]
    assert names == ["head", "team", "basis", "party", "observations", "people", "evidence"]
    assert len({salt for salt, _, _ in sections}) == len(names)


def test_any_changed_byte_is_refused() -> None:
    good = signed()
    for at in range(0, len(good)):
        changed = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        with pytest.raises(ReportRefused):
            open_report(changed, [FIRM.member()])


def test_a_dropped_section_is_noticed() -> None:
    whole = strict_json.loads(signed())
    whole["sections"].pop()
    with pytest.raises(ReportAltered):
        open_report(strict_json.dumps(whole), [FIRM.member()])


def test_an_unlisted_key_is_an_unknown_auditor() -> None:
    with pytest.raises(UnknownAuditor):
        open_report(signed(), [FIRM.member(report_keys=())])
    with pytest.raises(UnknownAuditor):
        open_report(signed(), [])


def test_another_key_under_a_listed_name_is_a_bad_signature() -> None:
    with pytest.raises(ReportSignatureBad):
        open_report(signed(key=key_of("impostor")), [FIRM.member()])


def test_an_unusable_listed_key_is_a_bad_signature() -> None:
    keys = tuple(
        k.model_copy(update={"key": public_key(FIRM.key).model_copy(update={"x": "A" * 42 + "B"})})
        for k in FIRM.member().report_keys
    )
    with pytest.raises(ReportSignatureBad):
        open_report(signed(), [FIRM.member(report_keys=keys)])


def test_a_firm_signs_for_itself_only() -> None:
    with pytest.raises(ReportMalformed):
        open_report(signed(iss="did:web:else.example"), [FIRM.member()])
    with pytest.raises(ReportMalformed):
        open_report(signed(report(auditor="did:web:else.example")), [FIRM.member()])


def test_too_many_bytes_are_refused_before_reading() -> None:
    with pytest.raises(ReportTooLarge):
        open_report(b"x" * (MAX_REPORT_BYTES + 1), [FIRM.member()])
    with pytest.raises(ReportMalformed):
        open_report(b"x" * MAX_REPORT_BYTES, [FIRM.member()])


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b"\xff", b'{"signature":"a.b.c","sections":["YQ"]}', b'{"signature":1,"sections":[]}']
)
def test_other_bytes_are_malformed(raw: bytes) -> None:
    with pytest.raises(ReportMalformed):
        open_report(raw, [FIRM.member()])


def test_every_refusal_has_its_own_code() -> None:
    classes = [ReportTooLarge, ReportMalformed, ReportAltered, ReportSignatureBad, UnknownAuditor]
    assert len({error.code for error in classes}) == len(classes)
    named = {
        value for value in vars(signed_reports).values() if isinstance(value, type) and issubclass(value, ReportRefused)
    }
    assert named == {*classes, ReportRefused}


def test_a_report_is_named_by_its_exact_bytes() -> None:
    assert report_id(b"abc") == digest(b"abc")
