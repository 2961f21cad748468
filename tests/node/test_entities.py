"""What others' clients may conclude: topics said of nothing less, numbers that count, nothing dropped silently."""

from typing import Any

import pytest

from builders import DECISION_IN_CLEAR, FINDING_IN_CLEAR, HANDLING
from comity_node.domain.conventions.asking import ExampleRefused, read_example
from comity_node.domain.conventions.entities import Profile, topics
from comity_node.domain.conventions.options import describe_likeness
from comity_node.domain.conventions.reconciling import describe_candidate
from comity_node.domain.matching.likeness import Likeness, Part, PartKind, Verdict
from comity_node.domain.screening import DecisionHit, Hit
from comity_node.domain.supplier_view import DecisionEntry, Entry, EntryState, decision_standing, standing
from comity_node.vocabulary import countries
from comity_schemas.decision import Decision
from comity_schemas.finding import Finding
from comity_schemas.handling import Handling
from comity_schemas.subject import SubjectType
from node_world import NOW
from supplier_desk import LEI

GRAVE = {"severity": "S3", "status": "confirmed"}
GLOVES = "Exemplar Gloves Sdn Bhd"


TERMS = Handling.from_parsed(HANDLING)


def profile(findings: tuple[Hit, ...] = (), decisions: tuple[DecisionHit, ...] = ()) -> Profile:
    return Profile(1, (), SubjectType.SUPPLIER, (GLOVES,), ("MY",), (), findings, decisions)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["forced.labor"]),
        ({"severity": "S4"}, ["forced.labor"]),
        ({"severity": "S2"}, []),
        ({"status": "alleged"}, []),
        ({"status": "under-engagement"}, []),
        ({"status": "plan-agreed"}, []),  # no admission
        ({"status": "closed-claimed"}, []),
        ({"status": "overturned"}, []),
        ({"valid_until": "2026-04-30"}, []),
        ({"indicators": [{"indicator": "HS01", "basis": "stated"}]}, []),
        ({"subject": "site"}, ["forced.labor"]),
    ],
)
def test_forced_labor_is_said_of_nothing_less(changes: dict[str, Any], expected: list[str]) -> None:
    finding = Finding.from_parsed({**FINDING_IN_CLEAR, **GRAVE, **changes})
    entry = Entry("H" * 43, "agency", 1, TERMS, finding, EntryState.CURRENT)
    hit = Hit(entry, standing(entry, NOW.date()), Likeness(Verdict.MATCH))
    assert list(topics(profile(findings=(hit,)), NOW.date())) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["debarment"]),
        ({"terms": [{"end": "permanent"}]}, ["debarment"]),
        ({"terms": [{"end": "not-stated"}]}, []),
        ({"terms": [{"start": "2020-01-01", "end": "date", "until": "2021-01-01"}]}, []),
        ({"lifted": "rescinded"}, []),
        ({"measure": "suspension"}, []),
        ({"grounds": ["forced-labour"]}, ["debarment"]),  # a ground is no indicator of forced labour
    ],
)
def test_debarment_is_an_exclusion_in_force_and_no_finding(changes: dict[str, Any], expected: list[str]) -> None:
    decision = Decision.from_parsed({**DECISION_IN_CLEAR, **changes})
    entry = DecisionEntry("H" * 43, "agency", 1, TERMS, decision, EntryState.CURRENT)
    hit = DecisionHit(entry, decision_standing(entry, NOW.date()), Likeness(Verdict.MATCH))
    assert list(topics(profile(decisions=(hit,)), NOW.date())) == expected


@pytest.mark.parametrize("points", [(100, 12), (50, 30), (99, -120)])
def test_the_lines_sum_to_the_score_also_where_it_is_cut_off(points: tuple[int, ...]) -> None:
    said = Likeness(Verdict.REVIEW, tuple(Part(PartKind.WORD, "a", "b", "equal", each) for each in points))
    shown = describe_likeness(said, 0.7)
    assert sum(line["score"] for line in shown["explanations"].values()) == pytest.approx(shown["score"])
    found = describe_candidate(profile(), said)
    assert sum(feature["value"] for feature in found["features"]) == pytest.approx(found["score"])
    assert 0 <= shown["score"] <= 1


# --- reading whom they ask about


def read(**properties: Any) -> Any:
    return read_example("Company", properties, countries().read)


@pytest.mark.parametrize(
    ("properties", "identifiers", "unplaced"),
    [
        ({"leiCode": LEI["id"]}, ["XI-LEI"], 0),
        ({"registrationNumber": "BR-CNPJ:00.000.000/0001-91"}, ["BR-CNPJ"], 0),
        ({"taxNumber": "00.000.000/0001-91", "country": "br"}, ["BR-CNPJ"], 0),
        ({"taxNumber": "00.000.000/0001-91", "country": "Brazil"}, ["BR-CNPJ"], 0),
        ({"registrationNumber": "1234567", "country": "my"}, [], 1),
        ({"registrationNumber": "1234567"}, [], 0),
        ({"registrationNumber": "00.000.000/0001-92", "country": "br"}, [], 1),
        ({"leiCode": "ZZZZ00EXEMPLARGL0171"}, [], 0),
        ({"taxNumber": "4012345000009", "country": "th"}, [], 1),
        ({"registrationNumber": "4012345000009"}, [], 1),
        ({"registrationNumber": "GLN:4012345000009"}, ["GLN"], 0),
    ],
)
def test_a_number_counts_under_a_scheme_that_is_certain(
    properties: dict[str, Any], identifiers: list[str], unplaced: int
) -> None:
    example = read(name="Somebody", **properties)
    assert ([i.scheme for i in example.question.identifiers], len(example.unplaced)) == (identifiers, unplaced)
    is_slip = properties.get("registrationNumber") == "00.000.000/0001-92"
    assert bool(example.warnings) == (is_slip or (not identifiers and not unplaced))


def test_no_value_of_a_property_that_is_not_compared_is_repeated() -> None:
    example = read(name="Somebody", passportNumber="SECRET", **{"a name with spaces": "SECRET"})
    assert example.warnings == ("2 properties are not compared: passportNumber",)
    with pytest.raises(ExampleRefused) as refused:
        read(name=["SECRET", {"a": ["list"]}, ["x"]])
    assert "SECRET" not in str(refused.value)
