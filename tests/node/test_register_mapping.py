"""Mapping files: the bundled ones are whole, and a broken one is refused with its key and the reason."""

from pathlib import Path

import pytest

from comity_node.domain.register import (
    DecisionMapping,
    MappingRefused,
)
from comity_node.mappings import bundled_mappings, find_register, mapping_text, read_register, register_of
from comity_schemas.finding import SourceType
from register_rows import MAPPING, file_of, imported, mapping_with


def test_every_bundled_mapping_is_one() -> None:
    assert "br_lista_suja" in bundled_mappings()
    for name in bundled_mappings():
        read = read_register(mapping_text(name))
        assert isinstance(read, DecisionMapping) or read.mapping.says.source is SourceType.PUBLIC_REGISTER


@pytest.mark.parametrize(
    ("line", "instead", "where", "reason"),
    [
        ('name = "name"', "", "columns.name", "required"),
        ('name = "name"', 'name = "name"\nnames = "x"', "columns.names", "no such key"),
        ('country = "BR"', 'country = "XX"', "country", "not an ISO 3166-1"),
        ('country = "BR"', "country = Brazil", "the file", "line 10"),
        ('country = "BR"', "country = 2024-01-01", "the file", "unquoted"),
        ('delimiter = ","', 'delimiter = "::"', "file.delimiter", "at most 1"),
        ('severity = "S3"', 'severity = "S9"', "says.severity", "'S9'"),
        ('basis = "inferred"', 'basis = "inferred"\nreason = "x"', "says.indicators.0.reason", "no such key"),
        ('source = "public-register"', 'source = "audit"', "says.source", "public-register"),
        ('listed = ["%d/%m/%Y"]', 'listed = ["%d/%m"]', "dates.listed.0", "%d, %m and %Y"),
        ('listed = ["%d/%m/%Y"]', 'listed = ["%d/%m/%Y %H"]', "dates.listed.0", "%d, %m and %Y"),
        ('listed = ["%d/%m/%Y"]', 'listed = ["%Y"]', "the file", "the listing needs whole days"),
        ('gazetteer = "br_municipalities"', 'gazetteer = "nowhere"', "place.gazetteer", "no gazetteer of that name"),
        ('gazetteer = "br_municipalities"', 'gazetteer = "../secret"', "place.gazetteer", "pattern"),
        ('key = ["identifier", "finished", "listed", "address"]', 'key = ["affected"]', "key.0", "'affected'"),
        ('identifier_scheme = "BR-CNPJ"', "", "the file", "identifier and its meaning"),
        ('region = "state"', "", "the file", "region and its meaning"),
        ('sector = "cnae"', "", "the file", "sector and its meaning"),
        ('address = "address"', "", "the file", "the key needs address"),
    ],
)
def test_a_broken_mapping_is_refused_with_its_key_and_reason(line: str, instead: str, where: str, reason: str) -> None:
    with pytest.raises(MappingRefused) as caught:
        register_of(mapping_with(line, instead))
    assert caught.value.where == where
    assert reason in caught.value.reason


def test_a_severity_without_a_sentence_why_is_refused() -> None:
    with pytest.raises(MappingRefused) as caught:
        register_of(MAPPING.replace("severity_why", "why"))
    assert caught.value.where == "says.severity_why"


def test_a_mapping_that_is_nowhere_names_those_that_are_known() -> None:
    with pytest.raises(MappingRefused, match="br_lista_suja"):
        find_register("no_such_mapping")


def test_a_mapping_file_may_hold_its_own_municipalities(tmp_path: Path) -> None:
    own = mapping_with('gazetteer = "br_municipalities"', 'municipalities = { PE = ["Ipojuca do Exemplo"] }')
    (tmp_path / "own.toml").write_text(own, "utf-8-sig")
    (row,) = imported(file_of({"address": "RUA UM, IPOJUCA DO EXEMPLO/PE"}), find_register(str(tmp_path / "own.toml")))
    assert row.report.party.municipality == "Ipojuca do Exemplo"


@pytest.mark.parametrize("name", ["Rua 7", " ", "A" * 101])
def test_a_municipality_that_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(MappingRefused) as caught:
        register_of(mapping_with('gazetteer = "br_municipalities"', f'municipalities = {{ PE = ["{name}"] }}'))
    assert caught.value.where == "place.municipalities"
