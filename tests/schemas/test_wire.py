import inspect
from enum import StrEnum
from typing import Any

import pytest
from pydantic import ValidationError

import comity_schemas.statement
from builders import REPORT, report
from comity_schemas.countries import COUNTRIES
from comity_schemas.member import Role
from comity_schemas.peers import PeerCheckpoint
from comity_schemas.report import Report
from comity_schemas.statement import ALLOWED_KINDS, BODIES, BODY_DISCLOSABLE, Claims, Kind
from comity_schemas.wire import Wire, misfits, text


def _types() -> list[type[Wire]]:
    found, waiting = [], list(Wire.__subclasses__())
    while waiting:
        found.append(waiting.pop())
        waiting += found[-1].__subclasses__()
    return [model for model in found if model.__module__.startswith("comity_schemas.")]


def test_every_type_of_the_wire_is_frozen_closed_and_strict() -> None:
    assert len(_types()) > 20
    for model in _types():
        config = model.model_config
        # What a node answers another is not signed, and must be understood when a newer one says more.
        extra = "ignore" if model is PeerCheckpoint else "forbid"
        assert (config.get("frozen"), config.get("extra"), config.get("strict")) == (True, extra, True), model
        assert not config.keys() & {"populate_by_name", "validate_by_name", "coerce_numbers_to_str"}, model


class Line(Wire):
    said: text(5)  # type: ignore[valid-type]


@pytest.mark.parametrize(
    "said", ["", "123456", "a\u0000", "a\n", "a\t", "\x7f", "\x85", "\u009f", "a\ud800", 1, None, ["a"]]
)
def test_text_has_its_length_and_no_control_characters(said: Any) -> None:
    with pytest.raises(ValidationError):
        Line.from_parsed({"said": said})


@pytest.mark.parametrize("said", ["a", "12345", "示例农场有", "مزرعة", "😀😀😀😀😀", " "])
def test_text_may_be_in_any_script(said: str) -> None:
    assert Line.from_parsed({"said": said}).to_parsed() == {"said": said}


def test_a_misfit_names_the_field_and_never_its_content() -> None:
    with pytest.raises(ValidationError) as refused:
        report(team=["Maria Silva\u0000"], client=7)
    told = misfits(refused.value)
    assert "team.0: string_pattern_mismatch" in told
    assert "Maria" not in told
    assert misfits(ValueError("Maria")) == "ValueError"


def test_claims_are_known_by_their_names_on_the_wire_only() -> None:
    assert "_sd_alg" in Claims.model_json_schema()["properties"]
    assert "sd_alg" not in Claims.model_json_schema()["properties"]


def test_countries_are_the_249_of_iso_3166_and_kosovo() -> None:
    assert len(COUNTRIES) == 250
    assert {"BR", "XK", "TW", "PS"} <= COUNTRIES
    assert COUNTRIES.isdisjoint({"UK", "EU", "XX", "AN"})


def test_every_role_has_its_kinds_and_every_kind_that_is_read_its_fields() -> None:
    assert ALLOWED_KINDS.keys() == set(Role)
    assert ALLOWED_KINDS[Role.OBSERVER] == frozenset()
    assert Kind.FINDING not in ALLOWED_KINDS[Role.AUDIT_FIRM]
    assert BODIES.keys() == BODY_DISCLOSABLE.keys()
    for kind, names in BODY_DISCLOSABLE.items():
        assert names <= BODIES[kind].model_fields.keys()


def test_every_code_of_an_enumeration_is_short_ascii() -> None:
    enumerations = {
        t for m in [comity_schemas.statement] for t in vars(m).values() if inspect.isclass(t) and issubclass(t, StrEnum)
    }
    assert len(enumerations) > 2
    for enumeration in enumerations - {StrEnum}:
        assert all(member.value.isascii() and len(member.value) < 40 for member in enumeration)


def test_a_report_reads_back_as_written() -> None:
    assert Report.from_parsed(report().to_parsed()) == report()


@pytest.mark.parametrize(
    "change",
    [
        {"observations": REPORT["observations"] * 2},
        {"evidence": []},
        {"started": "2026-03-15"},
        {"observations": [{**REPORT["observations"][0], "affected_women": 15}]},
        {"observations": [{**REPORT["observations"][0], "affected": None, "affected_women": 1}]},
        {"observations": [{**REPORT["observations"][0], "verified": "desk"}]},
        {"v": 2},
        {"finished": "yesterday"},
        {"note": "x"},
    ],
)
def test_a_report_that_contradicts_itself_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        report(**change)
