"""The harmonised codes: what each says, and which of them no statement has room for."""

import typing

import pytest
from pydantic import BaseModel, ValidationError

from builders import FINDING_IN_CLEAR, REPORT, report
from comity_schemas.finding import Finding
from comity_schemas.generate import MODELS
from comity_schemas.indicators import ILO_ELEVEN, CrosswalkOnly, Indicator
from comity_schemas.meanings import CROSSWALK_ONLY, ILO_SOURCE, MEANINGS, Area, reported

RIGHTS_AT_WORK = {
    "C29": "FL12",
    "C105": "FL12",
    "C87": "FA01",
    "C98": "FA02",
    "C100": "DI01",
    "C111": "DI01",
    "C138": "CL01",
    "C182": "CL02",
    "C155": "HS01",
    "C187": "HS01",
}
"""The fundamental conventions and the code that stands on each; the eleven stand on C29 and its Protocol too."""


def finding_with(code: str) -> Finding:
    return Finding.from_parsed({**FINDING_IN_CLEAR, "indicators": [{"indicator": code, "basis": "inferred"}]})


def test_the_ilo_eleven_are_eleven_in_the_ilo_order_and_keep_their_codes() -> None:
    assert [code.value for code in ILO_ELEVEN] == [f"FL{number:02}" for number in range(1, 12)]
    assert {code for code, m in MEANINGS.items() if m.area is Area.FORCED_LABOUR} == set(ILO_ELEVEN)
    assert {m.source for code, m in MEANINGS.items() if code in ILO_ELEVEN} == {ILO_SOURCE}
    assert MEANINGS[Indicator("FL07")].name == "Retention of identity documents"


@pytest.mark.parametrize(("convention", "code"), RIGHTS_AT_WORK.items())
def test_each_fundamental_convention_has_a_code_that_names_it(convention: str, code: str) -> None:
    assert convention[1:] in MEANINGS[Indicator(code)].source


@pytest.mark.parametrize("code", Indicator)
def test_each_code_has_a_name_a_plain_sentence_what_to_look_for_and_what_to_ask(code: Indicator) -> None:
    meaning = MEANINGS[code]
    assert meaning.source and meaning.name[0].isupper()
    assert meaning.sentence.endswith(".") and 5 <= len(meaning.sentence.split()) <= 25
    assert len(meaning.look_for) >= 2 and all(line.endswith(".") for line in meaning.look_for)
    assert len(meaning.ask) >= 2 and all(line.endswith("?") for line in meaning.ask)


def test_codes_and_names_are_used_once() -> None:
    assert MEANINGS.keys() == set(Indicator) and CROSSWALK_ONLY.keys() == set(CrosswalkOnly)
    names = [m.name for m in MEANINGS.values()] + list(CROSSWALK_ONLY.values())
    assert len(set(names)) == len(names) == 36
    assert {code.value for code in Indicator}.isdisjoint(code.value for code in CrosswalkOnly)


def test_the_words_are_reported_never_found_and_forced_labour_is_said_of_its_indicators_only() -> None:
    assert reported(Indicator("FL07")) == "indicator of forced labour reported: Retention of identity documents"
    assert reported(Indicator("CL01")) == "reported: Child labour"
    for code in Indicator:
        assert "reported" in reported(code) and "found" not in reported(code)
        assert ("indicator of forced labour" in reported(code)) == (code in ILO_ELEVEN)


@pytest.mark.parametrize("code", Indicator)
def test_a_finding_may_carry_every_indicator(code: Indicator) -> None:
    assert finding_with(code).indicators[0].indicator is code


@pytest.mark.parametrize("code", CrosswalkOnly)
def test_environment_ethics_and_management_codes_can_never_be_published(code: CrosswalkOnly) -> None:
    with pytest.raises(ValidationError):
        finding_with(code.value)
    with pytest.raises(ValidationError):
        Finding.model_validate({**FINDING_IN_CLEAR, "indicators": [{"indicator": code, "basis": "stated"}]})
    with pytest.raises(ValidationError):
        tagged = {"indicators": [{"indicator": code.value, "basis": "stated"}]}
        report(observations=[{**REPORT["observations"][0], **tagged}])


def test_no_type_of_what_travels_has_room_for_a_code_of_the_crosswalk() -> None:
    def reached(model: type[BaseModel], seen: set[object]) -> set[object]:
        waiting: list[object] = [field.annotation for field in model.model_fields.values()]
        while waiting:
            found = waiting.pop()
            if found in seen:
                continue
            seen.add(found)
            waiting += typing.get_args(found)
            if isinstance(found, type) and issubclass(found, BaseModel):
                waiting += [field.annotation for field in found.model_fields.values()]
        return seen

    types = set().union(*(reached(model, set()) for model in MODELS.values()))
    assert Indicator in types
    assert CrosswalkOnly not in types
