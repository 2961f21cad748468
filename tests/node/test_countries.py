"""Countries: the ISO code travels, the UN's name is shown, a source's own spelling stays inside."""

import csv
import json
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from builders import CHECKOUT, FINDING_IN_CLEAR
from comity_node.domain.vocabulary import Language, parse_countries
from comity_node.vocabulary import countries
from comity_schemas.countries import COUNTRIES
from comity_schemas.finding import Finding
from node_world import comity

FILE = CHECKOUT / "node" / "comity_node" / "vocabulary" / "countries.tsv"
OTHER_DATA = CHECKOUT.parent / "shared" / "data"


def test_every_code_has_a_name_in_six_languages_a_source_and_no_review_yet() -> None:
    listed = countries().all()
    assert {row.code for row in listed} == COUNTRIES
    for row in listed:
        assert row.names.keys() == set(Language) and all(row.names.values()) and row.source
        assert row.reviewed is None, "a person has reviewed it: mend this test"
    for language in Language:
        names = [row.names[language] for row in listed]
        assert len(set(names)) == len(names)


def test_burma_of_a_source_shows_as_myanmar_in_six_languages() -> None:
    for written in ("Burma", "BURMA", "burma ", "Birmanie", "Myanmar", "MM", "MMR", "缅甸"):
        assert countries().read(written) == "MM"
    found = countries().find("MM")
    assert found is not None
    assert list(found.names.values()) == ["ميانمار", "缅甸", "Myanmar", "Myanmar", "Мьянма", "Myanmar"]
    assert not any("urma" in name or "irman" in name for row in countries().all() for name in row.names.values())


@pytest.mark.parametrize(
    ("written", "code"),
    [("CN", "CN"), ("China", "CN"), ("CHINA", "CN"), ("Viet Nam", "VN"), ("Vietnam", "VN"), ("Turkey", "TR"),
     ("Côte d’Ivoire", "CI"), ("COTE D'IVOIRE", "CI"), ("Republic of Korea", "KR"), ("South Korea", "KR")],
)  # fmt: skip
def test_what_sources_write_is_read(written: str, code: str) -> None:
    assert countries().read(written) == code


@pytest.mark.parametrize("written", ["", "Korea", "Atlantis", "Virgin Islands", "XX", "Sri Lanca"])
def test_what_nobody_can_tell_is_not_guessed(written: str) -> None:
    assert countries().read(written) is None


def test_a_sources_spelling_has_no_way_into_a_finding() -> None:
    for spelling in ("Burma", "Myanmar"):
        with pytest.raises(ValidationError):
            Finding.from_parsed({**FINDING_IN_CLEAR, "country": spelling})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("\tBurma|", "\tThailand|", "Thailand means"),
        ("MM\tMMR", "MY\tMMR", "MY is no listed code"),
        ("MM\tMMR", "ZZ\tMMR", "ZZ is no listed code"),
        ("MMR\tميانمار", "MMR\t", "lacks a cell"),
        ("MMR\tميانمار\t", "MMR\t", "cells, not"),
    ],
)
def test_a_list_that_contradicts_itself_is_refused(old: str, new: str, said: str) -> None:
    text = FILE.read_text("utf-8")
    assert old in text
    with pytest.raises(ValueError, match=r"^line [0-9]+") as refused:
        parse_countries(text.replace(old, new))
    assert said in str(refused.value)


def test_every_country_of_the_factory_lists_is_read() -> None:
    folder = OTHER_DATA / "osh" / "facility_lists"
    if not folder.exists():
        reason = f"{folder} is absent: it lies beside the checkout, not in it"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    written = [cell for path in sorted(folder.glob("*.csv")) for cell in _countries_of(path)]
    assert len(written) == 963
    assert {"CN", "China", "CHINA"} <= set(written)
    assert [cell for cell in written if countries().read(cell) is None] == []


def _countries_of(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row["country"] for row in csv.DictReader(file)]


def test_the_command_reads_any_spelling() -> None:
    told = json.loads(comity("countries", "burma", "--json").stdout)
    assert [(each["code"], each["names"]["ru"]) for each in told] == [("MM", "Мьянма")]
    unknown = comity("countries", "Atlantis")
    assert unknown.returncode == 2 and "Atlantis is no country" in unknown.stderr
