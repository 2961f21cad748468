from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from builders import FINDING_IN_CLEAR, IDENTIFIERS, NAMES
from comity_schemas.finding import ALWAYS_DISCLOSED, DISCLOSABLE, WITHHELD_BY_DEFAULT, Finding
from comity_schemas.generate import schema_of
from comity_schemas.report import Evidence, Observation, Report
from comity_schemas.wire import PRINTABLE, misfits


def finding(**changes: Any) -> Finding:
    return Finding.from_parsed({**FINDING_IN_CLEAR, "names": NAMES, "identifiers": IDENTIFIERS, **changes})


def test_the_finding_the_others_start_from_is_valid() -> None:
    assert finding().to_parsed()["severity"] == "S2"


FREE_TEXT = {"names.text", "supplies_to.names.text", "region", "municipality", "site_address"}
"""The only places where a finding may carry words of its own: names of organisations and of places."""


def _strings(schema: dict[str, Any], defs: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if "$ref" in schema:
        yield from _strings(defs[schema["$ref"].rpartition("/")[2]], defs, path)
    for branch in (*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])):
        yield from _strings(branch, defs, path)
    if "items" in schema:
        yield from _strings(schema["items"], defs, path)
    for name, inner in schema.get("properties", {}).items():
        yield from _strings(inner, defs, f"{path}.{name}".lstrip("."))
    if schema.get("type") == "object":
        assert schema["additionalProperties"] is False, f"{path or 'the finding'} is open"
    if schema.get("type") == "string":
        yield path, schema


def _says_its_own_words(schema: dict[str, Any]) -> bool:
    if schema.keys() & {"enum", "const"} or schema.get("format") == "date":
        return False
    return schema.get("pattern") in (None, PRINTABLE)


def test_a_finding_has_no_free_text() -> None:
    schema = schema_of("finding")
    strings = list(_strings(schema, schema["$defs"]))
    assert len(strings) > 30
    assert {path for path, found in strings if _says_its_own_words(found)} == FREE_TEXT


def test_a_report_would_not_pass_that_test() -> None:
    schema = schema_of("report")
    words = {path for path, found in _strings(schema, schema["$defs"]) if _says_its_own_words(found)}
    assert {"observations.description", "observations.testimony", "team", "client", "summary"} <= words


def test_nothing_private_is_a_finding() -> None:
    assert not any(issubclass(private, Finding) for private in (Report, Observation, Evidence))
    private = set(Report.model_fields) | set(Observation.model_fields)
    words = {
        "team",
        "client",
        "description",
        "testimony",
        "place",
        "interviews",
        "summary",
        "evidence",
        "affected_women",
    }
    assert words <= private
    assert words.isdisjoint(Finding.model_fields)


@pytest.mark.parametrize("field", ["description", "comment", "workers", "price", "buyer", "photo", "_sd", "..."])
def test_an_unknown_field_is_refused(field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        finding(**{field: "x"})
    assert misfits(refused.value) == f"{field}: extra_forbidden"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"indicators": []}, "indicators"),
        ({"indicators": FINDING_IN_CLEAR["indicators"] * 2}, ""),
        ({"indicators": [{"indicator": "FL13", "basis": "stated"}]}, "indicators"),
        ({"indicators": [{"indicator": "EN01", "basis": "stated"}]}, "indicators"),
        ({"women_share": "0-25%", "affected": "1-10"}, ""),
        ({"women_share": "0-25%", "affected": "0"}, ""),
        ({"affected": 7}, "affected"),
        ({"affected": "7"}, "affected"),
        ({"verified": "desk"}, ""),
        ({"status": "closed-verified"}, ""),
        ({"supplies_to": [{"names": NAMES}]}, ""),
        ({"subject": "labour-provider", "supplies_to": []}, "supplies_to"),
        ({"country": "XX"}, "country"),
        ({"country": "br"}, "country"),
        ({"names": []}, "names"),
        ({"names": [{"text": ""}]}, "names"),
        ({"names": [{"text": "x" * 201}]}, "names"),
        ({"names": [{"text": "a\u0000"}]}, "names"),
        ({"region": "a\nb"}, "region"),
        ({"region": "a\u0085"}, "region"),
        ({"valid_until": "2027-02-30"}, "valid_until"),
        ({"valid_until": "20270228"}, "valid_until"),
        ({"valid_until": 1_800_000_000}, "valid_until"),
        ({"remedy_due": "2027-00"}, "remedy_due"),
        ({"named_after_person": 1}, "named_after_person"),
        ({"replaces": "x"}, "replaces"),
        ({"severity": None}, "severity"),
        ({"sector": {"scheme": "CNAE", "code": "cattle"}}, "sector"),
    ],
)
def test_one_wrong_field_refuses_the_whole(change: dict[str, Any], where: str) -> None:
    with pytest.raises(ValidationError) as refused:
        finding(**change)
    assert (refused.value.errors()[0]["loc"] or ("",))[0] == where


@pytest.mark.parametrize(
    "change",
    [
        {"women_share": "0-25%", "affected": "11-24"},
        {"women_share": "0-25%"},
        {"status": "closed-verified", "verified": "by-workers"},
        {"subject": "labour-provider", "supplies_to": [{"names": NAMES}]},
        {"remedy_due": "2027"},
        {"country": "XK"},
        {"names": [{"text": "مزرعة المثال", "kind": "trading"}, {"text": "示例农场"}]},
    ],
)
def test_what_a_finding_may_say(change: dict[str, Any]) -> None:
    parsed = finding(**change).to_parsed()
    assert Finding.from_parsed(parsed).to_parsed() == parsed


@pytest.mark.parametrize("field", sorted(FINDING_IN_CLEAR))
def test_each_field_in_clear_is_needed(field: str) -> None:
    with pytest.raises(ValidationError):
        Finding.from_parsed({name: value for name, value in FINDING_IN_CLEAR.items() if name != field})


def test_every_disclosable_field_may_be_absent() -> None:
    """Otherwise somebody could make a finding invalid by taking a disclosure away."""
    assert not any(Finding.model_fields[name].is_required() for name in DISCLOSABLE)
    assert ALWAYS_DISCLOSED | WITHHELD_BY_DEFAULT == DISCLOSABLE


WHOLE = {
    **FINDING_IN_CLEAR,
    "subject": "labour-provider",
    "names": NAMES,
    "identifiers": IDENTIFIERS,
    "supplies_to": [{"names": NAMES}],
    "site_address": "Estrada Velha 7",
    "auditor": "did:web:audit.example",
    "clause": {"clause": "1.2", "label": "Major"},
    "sample": "25-49",
    "affected": "11-24",
    "women_share": "25-50%",
    "commitment": {"root": "R" * 43, "signature": "a.b.c"},
}


@given(st.sets(st.sampled_from(sorted(DISCLOSABLE))))
def test_any_part_of_the_disclosures_of_a_valid_finding_is_a_valid_finding(gone: set[str]) -> None:
    assert WHOLE.keys() >= DISCLOSABLE
    Finding.from_parsed({name: value for name, value in WHOLE.items() if name not in gone})


def test_a_finding_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        finding().severity = "S4"  # type: ignore[misc,assignment]
