import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from builders import FINDING_IN_CLEAR, NAMES, AuditFirm, Publisher, report
from comity_schemas import generate


@pytest.mark.parametrize("name", sorted(generate.MODELS))
def test_each_schema_is_valid_json_schema_2020_12(name: str) -> None:
    schema = generate.schema_of(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:comity:schema:{name}:1"
    assert schema["description"]
    # What a node answers another is not signed, and must be understood when a newer one says more.
    assert schema.get("additionalProperties", True) is (name == "peer-checkpoint")


def test_the_committed_schemas_fit_the_code() -> None:
    assert generate.main(["--check"]) == 0


@pytest.mark.parametrize("harm", ["changed", "missing", "extra"])
def test_a_drifted_file_is_named(harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(generate, "FOLDER", tmp_path / "json")
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    harmed = tmp_path / "json" / ("old.schema.json" if harm == "extra" else "finding.schema.json")
    harmed.unlink() if harm == "missing" else harmed.write_text("{}")
    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().err.splitlines() == [f"differs from the code: {harmed}"]
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def _valid(name: str, value: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(generate.schema_of(name)).is_valid(value))


def test_valid_values_fit_their_schemas() -> None:
    agency = Publisher()
    assert _valid("record", json.loads(agency.finding().raw))
    assert _valid("claims", agency.claims())
    assert _valid("finding", {**FINDING_IN_CLEAR, "names": NAMES})
    assert _valid("withdrawal", {"statement": "A" * 43, "reason": "factual-error"})
    assert _valid("report", report().to_parsed())
    assert _valid("member-list", {"v": 1, "members": [agency.member().to_parsed(), AuditFirm().member().to_parsed()]})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("record", {"statement": "a.b.c~", "sealed": [], "x": 1}),
        ("record", {"statement": "a b", "sealed": []}),
        ("claims", {**Publisher().claims(), "_sd_alg": "sha-512"}),
        ("finding", {**FINDING_IN_CLEAR, "comment": "x"}),
        ("finding", {**FINDING_IN_CLEAR, "country": "XX"}),
        ("finding", {**FINDING_IN_CLEAR, "region": "a\u0000"}),
        ("finding", {**FINDING_IN_CLEAR, "severity": "S9"}),
        ("withdrawal", {"statement": "A" * 43, "reason": "because"}),
    ],
)
def test_invalid_values_do_not_fit(name: str, value: Any) -> None:
    assert not _valid(name, value)


def test_fields_are_described_by_their_docstrings() -> None:
    assert generate.schema_of("claims")["properties"]["open"]["description"].startswith("Digests of the disclosures")
    assert "revises" in generate.schema_of("finding")["properties"]["replaces"]["description"]
    assert generate.schema_of("finding")["$defs"]["Source"]["properties"]["event"]["description"]


def test_no_schema_depends_on_types_outside_the_vocabulary() -> None:
    """A type of the same name elsewhere, such as in a test, changes nothing."""
    before = generate.texts()

    class Source(generate.Wire):
        when: int
        """Something else."""

    assert Source.__name__ == "Source"
    assert generate.texts() == before
