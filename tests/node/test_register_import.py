"""A register of published inspection results becomes reports: what is read, what is refused, what can leave."""

import base64
import csv
import io
import json
import re
from collections import Counter
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import CHECKOUT
from comity_node import mappings
from comity_node.domain.matching.likeness import Likeness, Verdict
from comity_node.domain.minimize import Policy, minimize, outgoing_finding
from comity_node.domain.register import (
    DecisionMapping,
    ImportedRow,
    MappingRefused,
    ProblemKind,
    Register,
    RegisterUnreadable,
    RowProblem,
    read_rows,
)
from comity_node.domain.register.listing import Earlier, Period, read_listing, valid_until
from comity_node.domain.register.persons import bears_a_persons_name
from comity_node.domain.register.place import municipality_of
from comity_node.domain.screening import DecisionState, Hit, Question, State
from comity_node.domain.supplier_view import Entry, EntryState, Standing
from comity_node.domain.suppliers.mentions import mentions
from comity_node.domain.tables.lines import MAX_ROW_BYTES
from comity_node.mappings import bundled_mappings, find_register, mapping_text, read_register, register_of
from comity_node.services.answering.answers import describe
from comity_node.services.answering.moment import Coverage
from comity_node.services.answering.screen import Answer
from comity_schemas.bands import Band
from comity_schemas.finding import SourceType, Status
from comity_schemas.handling import Tlp
from comity_schemas.report import Premises, SharingBasis
from heard import open_sample
from node_world import NOW, Town, exchanging, until

LISTA_SUJA = find_register("br_lista_suja")
SECRET = b"a secret of this node, for tests"

ROW = {
    "documentFormatted": "11.222.333/0001-81",
    "name": "CERAMICA EXEMPLO LTDA",
    "year": "2024",
    "state": "PE",
    "address": "ALOJAMENTO À RUA DAS FLORES, Nº 50, BOA VISTA, IPOJUCA/PE",
    "workersAffected": "7",
    "cnae": "4120-4/00",
    "inclusionDate": "06/10/2025",
}
MARKER = "ZQXJ"
"""Stands in cells that must not be repeated in a reason."""


def file_of(*rows: dict[str, str], delimiter: str = ",", columns: list[str] | None = None, **form: Any) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or list(ROW), delimiter=delimiter, extrasaction="ignore", **form)
    writer.writeheader()
    writer.writerows({**ROW, **row} for row in rows)
    return text.getvalue().encode()


def read(raw: bytes, register: Register = LISTA_SUJA, secret: bytes = SECRET) -> list[ImportedRow | RowProblem]:
    return list(read_rows(io.BytesIO(raw), register, secret=secret))


def imported(raw: bytes, register: Register = LISTA_SUJA, secret: bytes = SECRET) -> list[ImportedRow]:
    rows = read(raw, register, secret)
    assert [row for row in rows if isinstance(row, RowProblem)] == []
    return [row for row in rows if isinstance(row, ImportedRow)]


def one(**changes: str) -> ImportedRow:
    (row,) = imported(file_of(changes))
    return row


def refused(**changes: str) -> RowProblem:
    first, good = read(file_of(changes, {"documentFormatted": "00.000.000/0001-91"}))
    assert isinstance(good, ImportedRow), "the rest goes on"
    assert isinstance(first, RowProblem)
    assert first.line == 2
    return first


DOCUMENTED = (CHECKOUT / "docs" / "importing.md").read_text("utf-8")
MAPPING = (Path(mappings.__file__).parent / "br_lista_suja.toml").read_text("utf-8")


def mapping_with(line: str, instead: str) -> str:
    """The bundled mapping with another line in place of one that it has."""
    assert MAPPING.count(f"\n{line}\n") == 1
    return MAPPING.replace(f"\n{line}\n", f"\n{instead}\n")


# The real register


@pytest.fixture(scope="module")
def real_file(shared_data: Path) -> bytes:
    return (shared_data / "br_lista_suja" / "employers_legal_entities.csv").read_bytes()


@pytest.fixture(scope="module")
def real_rows(real_file: bytes) -> list[ImportedRow]:
    return imported(real_file)


def test_the_real_register_gives_110_reports_on_105_firms_without_a_problem(real_rows: list[ImportedRow]) -> None:
    firms = {row.report.party.identifiers[0].id for row in real_rows if row.report.party.identifiers}
    assert (len(real_rows), len(firms)) == (110, 105)
    assert len({row.identity for row in real_rows}) == len({row.report.ref for row in real_rows}) == 110


def test_the_three_real_interval_dates_expire_two_years_of_listing_after_their_first_day(
    real_rows: list[ImportedRow],
) -> None:
    listed = {row.line: row.report.observations[0].description.rsplit("\n", 1)[1] for row in real_rows}
    again = {row.line: row.report for row in real_rows if " to " in listed[row.line]}
    assert {line: report.valid_until for line, report in again.items()} == {
        9: date(2027, 3, 4),  # 36 days served
        64: date(2027, 5, 26),  # 106 days served
        88: date(2027, 3, 5),  # 76 days served
    }
    assert listed[88] == "Listed from 2023-10-05 to 2023-12-19, from 2025-05-20."


def test_real_municipalities_are_official_names_of_the_rows_own_state(real_rows: list[ImportedRow]) -> None:
    official = {(region, name) for (region, _), name in LISTA_SUJA.gazetteer.names.items()}
    told = [(r.report.party.region, r.report.party.municipality) for r in real_rows if r.report.party.municipality]
    assert set(told) <= official
    assert len(told) == 97


def test_real_addresses_that_leave_a_doubt_give_no_municipality(real_rows: list[ImportedRow]) -> None:
    # Another state than the row's (32 61 89 97 98 110), none at all (15), a misspelling (55), two places (45 91), a
    # quarter or a state that is also a municipality's name (12 107), more words than the name (35).
    silent = {row.line for row in real_rows if row.report.party.municipality is None}
    assert silent == {12, 15, 32, 35, 45, 55, 61, 89, 91, 97, 98, 107, 110}


def test_what_leaves_of_the_real_register_holds_no_part_of_an_address_and_no_count(
    real_rows: list[ImportedRow],
) -> None:
    for row in real_rows:
        (draft,) = minimize(row.report, Policy()).drafts
        out = outgoing_finding(draft.finding, draft.handling)
        leaves = json.dumps([out.body, out.disclosed], ensure_ascii=False)
        assert row.report.party.address is not None
        assert row.report.party.address not in leaves
        for word in ("ALOJAMENTO", "RUA ", "SÍTIO", "RODOVIA", "KM ", "ZONA RURAL", "CEP"):
            assert word not in leaves
        assert not {"site_address", "affected", "clause"} & (out.body.keys() | out.disclosed.keys())
        assert "site_address" not in out.withheld
        assert out.body["source"]["when"] == str(row.report.finished.year)


def test_real_firms_met_at_one_place_in_one_year_share_an_event(real_rows: list[ImportedRow]) -> None:
    lines: dict[str | None, list[int]] = {}
    for row in real_rows:
        lines.setdefault(row.report.event, []).append(row.line)
    assert [together for together in lines.values() if len(together) > 1] == [[11, 70], [67, 74, 82, 83]]


def test_on_22_november_2026_46_are_current_61_expired_and_3_were_suspended_and_listed_again(
    real_rows: list[ImportedRow],
) -> None:
    today = date(2026, 11, 22)
    listed = {row.line: row.report.observations[0].description.rsplit("\n", 1)[1] for row in real_rows}
    again = {row.line for row in real_rows if " to " in listed[row.line]}
    others = [row.report.valid_until for row in real_rows if row.line not in again]
    assert Counter(until is not None and until >= today for until in others) == {True: 46, False: 61}
    assert len(again) == 3
    # The year is the inspection's: it is what the network is told, and no day of the listing.
    assert {minimize(r.report, Policy()).drafts[0].finding.source.when for r in real_rows} == {
        str(r.report.finished.year) for r in real_rows
    }


def test_rua_crisostomo_alvares_291_is_one_event_of_four_suppliers_that_are_linked_and_not_added_up(
    real_rows: list[ImportedRow],
) -> None:
    four = [row for row in real_rows if row.line in (67, 74, 82, 83)]
    drafts = [draft for row in four for draft in minimize(row.report, Policy()).drafts]
    entries = [
        Entry(f"{n:043}", "agency", n, draft.handling, draft.finding, EntryState.CURRENT)
        for n, draft in enumerate(drafts, 1)
    ]
    hits = [Hit(entry, Standing.CURRENT, Likeness(Verdict.MATCH)) for entry in entries]
    cover = Coverage(1, ("agency",), (), (), (), None)
    answers = [
        Answer(
            question=Question(),
            verdict=Verdict.MATCH,
            state=State.SHARED,
            hits=(hit,),
            unreadable=0,
            decision_state=DecisionState.NOTHING_SHARED,
            decisions=(),
            unreadable_decisions=0,
            pointers=(),
            unreadable_pointers=0,
            as_of=NOW,
            registry_version=1,
            positions={},
            coverage=cover,
        )
        for hit in hits
    ]
    said = describe(answers)
    found = [hit for answer in said["answers"] for hit in answer["findings"]]
    hashes = {entry.hash for entry in entries}
    assert [set(hit["same_event"]) for hit in found] == [hashes - {hit["statement"]} for hit in found]
    assert len({json.dumps(hit["finding"]["identifiers"]) for hit in found}) == 4, "linked, not merged"
    assert len({whom.key for entry in entries for whom in mentions(entry)}) == 4, "four suppliers"
    assert [draft.finding.affected for draft in drafts] == [Band.UP_TO_10] * 4
    out = [outgoing_finding(draft.finding, draft.handling) for draft in drafts]
    assert all("affected" in each.withheld and "affected" not in each.body | each.disclosed for each in out)
    assert "20" not in {*re.findall(r"\b\d+\b", json.dumps([[each.body, each.disclosed] for each in out]))}


def test_one_house_is_one_place_however_the_rest_of_its_address_is_written() -> None:
    same = [
        "RUA DAS FLORES, 291, BAIRRO BOA VISTA, IPOJUCA/PE",
        "RUA DAS FLORES, Nº 291 - CASA 2 - BOA VISTA - IPOJUCA/PE CEP: 03721-060",
        "Rua das Flores nº 291, Ipojuca-PE",
    ]
    others = ["RUA DAS FLORES, 292, IPOJUCA/PE", "RUA DAS FLORES, 291, OLINDA/PE", "SITIO DAS FLORES, 291, IPOJUCA/PE"]
    events = [one(address=address).report.event for address in (*same, *others)]
    assert len(set(events[:3])) == 1
    assert len(set(events)) == 4


def test_real_firms_with_a_persons_full_name_are_flagged(real_rows: list[ImportedRow]) -> None:
    flagged = {row.line for row in real_rows if row.report.party.named_after_person}
    assert {13, 20, 42, 43, 52, 53, 57, 58, 59, 61, 65, 67, 77, 87} <= flagged
    assert not {2, 3, 5, 9, 10, 17, 19, 24, 54, 60, 100, 104} & flagged


def test_the_real_register_exported_in_another_form_gives_the_same_identities_and_contents(
    real_file: bytes, real_rows: list[ImportedRow]
) -> None:
    rows = list(csv.DictReader(io.StringIO(real_file.decode())))
    columns = [*reversed(rows[0]), "added"]
    other = b"\xef\xbb\xbf" + file_of(
        *reversed(rows), columns=columns, restval="new", quoting=csv.QUOTE_ALL, lineterminator="\n"
    )
    again = imported(other)
    assert {(r.identity, r.content) for r in again} == {(r.identity, r.content) for r in real_rows}
    assert {r.report for r in again} == {r.report for r in real_rows}


def test_a_japanese_register_is_read_by_the_documented_mapping_alone(shared_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "jp.toml"
    path.write_text(DOCUMENTED.split("```toml\n")[1].split("```")[0], "utf-8")
    raw = (shared_data / "jp_mhlw" / "labor_law_publications_corporate.tsv").read_bytes()
    rows = read(raw, find_register(str(path)))
    assert {row.report.event for row in rows if isinstance(row, ImportedRow)} == {None}
    kinds = Counter(row.kind.value if isinstance(row, RowProblem) else "imported" for row in rows)
    assert kinds["not-listed"] == 1208, "an entry that the authority removed must never show as current"
    assert kinds["does-not-fit"] == 8, "entries without a date of prosecution"
    assert kinds["imported"] == 1371 - 1208 - 8


# What a row becomes


def test_the_documented_row_becomes_the_documented_report() -> None:
    (row,) = imported(DOCUMENTED.split("```csv\n")[1].split("```")[0].encode())
    report = row.report
    assert report.party.identifiers is not None
    assert report.party.identifiers[0].id == "11222333000181"
    assert (report.party.municipality, report.party.region) == ("Ipojuca", "PE")
    assert (report.valid_until, report.observations[0].affected) == (date(2027, 10, 6), 7)
    assert report.party.sector is not None
    assert report.party.sector.code == "2342-7/02"


def test_a_row_is_a_public_registers_report_that_nobody_signed() -> None:
    report = one().report
    assert (report.source, report.sharing_basis) == (SourceType.PUBLIC_REGISTER, SharingBasis.PUBLIC_REGISTER)
    assert (report.auditor, report.party.premises) == (None, Premises.NOT_CONFIRMED)
    assert report.observations[0].status is Status.CONFIRMED
    assert (report.finished.year, report.finished_precision) == (2024, "year")


def test_the_address_and_the_exact_count_stay_in_the_report() -> None:
    report = one().report
    assert report.party.address == report.observations[0].place == ROW["address"]
    assert report.observations[0].affected == 7


def test_the_only_indicator_is_inferred_and_its_reason_stands_in_the_mapping() -> None:
    found = one().report.observations[0].indicators
    assert [(f.indicator.value, f.basis.value) for f in found] == [("FL10", "inferred")]
    assert "does not say which" in LISTA_SUJA.mapping.says.indicators[0].why


def test_an_unknown_count_is_no_count() -> None:
    assert one(workersAffected="").report.observations[0].affected is None


def test_a_municipality_is_told_in_its_official_spelling() -> None:
    assert one(address="SITIO VELHO, ZONA RURAL - SAO LOURENCO DA MATA - PE.").report.party.municipality == (
        "São Lourenço da Mata"
    )


@pytest.mark.parametrize(
    "address",
    [
        "RUA IPOJUCA/PE",
        "SÍTIO SERRA DAS ABELHAS/PE",
        "SÍTIO SERRA DAS ABELHAS, ZONA RURAL",
        "RUA DAS FLORES, 50, IPOJUCA",
        "RUA DAS FLORES, IPOJUCA, OLINDA/PE",
        "RUA DAS FLORES, IPOJUCA/SP",
        "IPOJUCA/PE, CASA DE JOSÉ DA SILVA",
        "RUA D. OLINDA/PE",
        "IPOJUCA 50/PE",
        "/PE",
        "",
    ],
)
def test_a_doubtful_address_gives_no_municipality(address: str) -> None:
    party = one(address=address).report.party
    assert (party.region, party.municipality) == ("PE", None)


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from(["/PE", "-PE", " - PE.", "", "/SP"]))
def test_a_municipality_is_official_and_without_digits_whatever_the_address(before: str, tail: str) -> None:
    official = {name for (region, _), name in LISTA_SUJA.gazetteer.names.items() if region == "PE"}
    found = municipality_of(before + tail, "PE", LISTA_SUJA.gazetteer, {"CEP"})
    assert found is None or (found in official and not any(c.isdigit() for c in found))


def test_a_region_out_of_no_list_refuses_the_row_since_a_shifted_column_would_leave() -> None:
    assert refused(state=f"RUA {MARKER}").reason == "state is none of the regions of the mapping"


# Natural persons


@pytest.mark.parametrize(
    "number",
    [
        "123.456.789-09",
        "12345678909",
        "***.456.789-**",
        "XXX.456.789-XX",
        "CPF 123.456.789-09",
        "2345678909",
        "１２３４５６７８９０９",
    ],
)
def test_a_persons_tax_number_is_never_imported(number: str) -> None:
    problem = refused(documentFormatted=number, name=f"{MARKER} DA SILVA")
    assert problem.kind is ProblemKind.NATURAL_PERSON
    assert MARKER not in problem.reason
    assert not any(c.isdigit() for c in problem.reason)


@pytest.mark.parametrize(
    "name",
    [
        "JOSE DA SILVA 12345678900",
        "JOSE DA SILVA 123.456.789-00",
        "JOSE DA SILVA 123 456 789 00 ME",
        "JOSE DA SILVA 123\u200b456\u200b789\u200b00",
        "12.345.678 JOSE DA SILVA",
        "JOSE DA SILVA ***456789**",
        "JOSE DA SILVA XXX.456.789-XX",
        "JOSE DA SILVA 12345",
    ],
)
def test_a_name_that_carries_a_persons_number_is_never_imported(name: str) -> None:
    problem = refused(name=name)
    assert problem.kind is ProblemKind.NATURAL_PERSON
    assert "SILVA" not in problem.reason
    assert not any(c.isdigit() for c in problem.reason)


def test_a_company_number_with_letters_is_no_persons_number() -> None:
    row = one(documentFormatted="12.ABC.345/01DE-35")
    assert row.report.party.identifiers is not None
    assert row.report.party.identifiers[0].id == "12ABC34501DE35"


@pytest.mark.parametrize("name", ["POSTO 1000 LTDA", "A2 ENGENHARIA LTDA", "RESTAURANTE 24 HORAS LTDA"])
def test_a_short_number_in_a_firms_name_is_no_persons(name: str) -> None:
    assert one(name=name).report.party.names[0].text == name


@pytest.mark.parametrize(
    "name",
    [
        "JOAO PEREIRA EIRELI/ME",
        "JOAO PEREIRA",
        "J. PEREIRA & CIA LTDA",
        "ZULMIRO QUADROS LTDA",
        "CERAMICA EXEMPLO MEI",
        "CONSTRUTORA JOÃO DA SILVA LTDA",
        "P F XAVANTES TRANSPORTES LTDA",
    ],
)
def test_a_sole_trader_or_a_firm_that_bears_a_persons_name_is_flagged_and_not_clear(name: str) -> None:
    report = one(name=name).report
    assert report.party.named_after_person
    assert minimize(report, Policy()).drafts[0].handling.tlp is not Tlp.CLEAR


@pytest.mark.parametrize(
    "name", ["CERAMICA EXEMPLO LTDA", "SAO MIGUEL COMERCIAL LTDA", "USINA SANTA RITA S.A.", "ACME LTDA"]
)
def test_a_firm_named_after_its_trade_a_place_or_nothing_known_is_not_flagged(name: str) -> None:
    assert not one(name=name).report.party.named_after_person


def test_without_words_to_tell_every_firm_is_flagged() -> None:
    words = LISTA_SUJA.mapping.persons.model_copy(update={"business_words": frozenset()})
    assert bears_a_persons_name("CERAMICA EXEMPLO LTDA", words)


# Identity and content


@pytest.mark.parametrize(
    "written",
    [
        {"documentFormatted": "11222333000181"},
        {"inclusionDate": " 6/10/2025 "},
        {"cnae": "4120400"},
        {"workersAffected": "007"},
        {"name": "CERAMICA  EXEMPLO LTDA "},
        {"name": "CERAMICA EXEMPLO\nLTDA"},
        {"address": ROW["address"].replace(", ", ",\u00a0 ")},
    ],
)
def test_another_writing_of_the_same_values_is_the_same_row_with_the_same_content(written: dict[str, str]) -> None:
    row = one(**written)
    assert (row.identity, row.content) == (one().identity, one().content)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "CERAMICA EXEMPLO E FILHOS LTDA"},
        {"workersAffected": "8"},
        {"cnae": "4120-4/01"},
        {"address": "alojamento a rua das flores no 50 boa vista ipojuca PE"},
        {"inclusionDate": "06/10/2025 a 01/12/2025, 02/03/2026"},
    ],
)
def test_a_changed_row_keeps_its_identity_and_reference_and_has_another_content(changed: dict[str, str]) -> None:
    row = one(**changed)
    assert (row.identity, row.report.ref) == (one().identity, one().report.ref)
    assert row.content != one().content


@pytest.mark.parametrize(
    "changed",
    [
        {"documentFormatted": "00.000.000/0001-91"},
        {"year": "2023"},
        {"inclusionDate": "07/10/2025"},
        {"address": "RUA DAS FLORES, Nº 51, IPOJUCA/PE"},
    ],
)
def test_another_firm_year_place_or_first_listing_is_another_row(changed: dict[str, str]) -> None:
    assert one(**changed).identity != one().identity


def test_the_identity_does_not_depend_on_the_nodes_secret_but_the_event_does() -> None:
    (here,), (there,) = imported(file_of({})), imported(file_of({}), secret=SECRET + b"other")
    assert (here.identity, here.content) == (there.identity, there.content)
    assert here.report.event != there.report.event


def test_a_secret_too_short_to_be_one_is_refused() -> None:
    with pytest.raises(ValueError, match="secret"):
        read(file_of({}), secret=b"short")


def test_a_row_repeated_in_the_file_is_listed_once_and_named_the_second_time() -> None:
    _, again = read(file_of({}, {}))
    assert again == RowProblem(3, ProblemKind.REPEATED, "it says the same as line 2")


def test_a_row_that_contradicts_an_earlier_one_is_not_imported() -> None:
    first, other = read(file_of({}, {"workersAffected": "70"}))
    assert isinstance(first, ImportedRow)
    assert isinstance(other, RowProblem)
    assert other.kind is ProblemKind.CONTRADICTORY


def test_firms_at_one_place_in_one_year_share_an_event_and_others_do_not() -> None:
    other_firm = {"documentFormatted": "00.000.000/0001-91"}
    first, same, year, place = imported(
        file_of({}, other_firm, {**other_firm, "year": "2023"}, {**other_firm, "address": "RUA UM, IPOJUCA/PE"})
    )
    assert first.report.event == same.report.event
    assert len({first.report.event, year.report.event, place.report.event}) == 3


def test_firms_that_share_only_a_vague_place_were_not_met_in_one_raid() -> None:
    vague = {"address": "ZONA RURAL, IPOJUCA/PE"}
    first, other = imported(file_of(vague, {**vague, "documentFormatted": "00.000.000/0001-91"}))
    assert first.report.event != other.report.event


# Listings and validity

DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))


@settings(deadline=None)
@given(st.lists(DAYS, min_size=1, max_size=7, unique=True).map(sorted))
def test_a_listing_reads_as_it_is_written(days: list[date]) -> None:
    pairs = [(days[i], days[i + 1] if i + 1 < len(days) else None) for i in range(0, len(days), 2)]
    written = ", ".join(f"{a:%d/%m/%Y} a {b:%d/%m/%Y}" if b else f"{a:%d/%m/%Y}" for a, b in pairs)
    assert read_listing(written, ["%d/%m/%Y"], ["a"]) == tuple(Period(a, b) for a, b in pairs)


@settings(deadline=None)
@given(DAYS, st.integers(0, 3_000), st.integers(1, 400))
def test_a_finding_outlives_neither_the_registers_two_years_nor_ends_before_its_listing(
    start: date, length: int, gap: int
) -> None:
    first = Period(start, start + timedelta(days=length))
    now = Period(start + timedelta(days=length + gap))
    last = valid_until([first, now], 24, Earlier.DEDUCTED)
    assert now.start <= last < valid_until([first, now], 24, Earlier.IGNORED)
    assert last <= max(now.start, valid_until([now], 24, Earlier.DEDUCTED) - timedelta(days=length))


def test_two_years_from_a_leap_day_end_on_the_last_of_february() -> None:
    assert valid_until([Period(date(2024, 2, 29))], 24, Earlier.DEDUCTED) == date(2026, 2, 28)


def test_a_listing_that_has_ended_is_not_imported_as_current() -> None:
    assert refused(inclusionDate="05/10/2023 a 19/12/2023").kind is ProblemKind.NOT_LISTED


@pytest.mark.parametrize(
    "written",
    [
        "",
        "2025-10-06",
        "31/02/2025",
        "06/10/25",
        "06/10/2025,",
        "06/10/2025, 07/10/2025",
        "05/10/2025 a 19/12/2024, 20/05/2025",
        "05/10/2024 a 19/12/2024, 01/12/2024",
        "05/10/2024 a 19/12/2024 a 20/12/2024",
        f"{MARKER} 06/10/2025",
    ],
)
def test_a_listing_that_cannot_be_is_refused_without_repeating_it(written: str) -> None:
    problem = refused(inclusionDate=written)
    assert problem.kind is ProblemKind.DOES_NOT_FIT
    assert problem.reason.startswith("inclusionDate ")
    assert MARKER not in problem.reason


def test_an_inspection_later_than_its_listing_is_refused() -> None:
    assert refused(year="2026").reason == "year is later than the day it was listed"


# Files that do not fit


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"documentFormatted": "11.222.333/0001-80"}, "documentFormatted"),
        ({"documentFormatted": ""}, "documentFormatted"),
        ({"name": " "}, "name"),
        ({"name": MARKER * 60}, "name"),
        ({"year": MARKER}, "year"),
        ({"address": MARKER * 80}, "address"),
        ({"workersAffected": f"-1 {MARKER}"}, "workersAffected"),
        ({"workersAffected": "7.5"}, "workersAffected"),
        ({"cnae": "123.456.789-09"}, "cnae"),
    ],
)
def test_a_row_that_does_not_fit_is_listed_with_its_column_and_without_its_content(
    changed: dict[str, str], column: str
) -> None:
    problem = refused(**changed)
    assert problem.kind is ProblemKind.DOES_NOT_FIT
    assert problem.reason.split()[0] == column
    assert MARKER not in problem.reason


def test_a_row_with_too_few_cells_is_listed_and_the_rest_goes_on() -> None:
    raw = file_of({}) + f"{MARKER},1\r\n".encode() + file_of({"year": "2023"}).split(b"\r\n", 1)[1]
    first, short, last = read(raw)
    assert isinstance(first, ImportedRow)
    assert isinstance(last, ImportedRow)
    assert short == RowProblem(3, ProblemKind.UNREADABLE, "it has 2 cells where the header has 8")


def test_a_quote_that_is_never_closed_costs_one_row() -> None:
    header, row = file_of({}).split(b"\r\n", 1)
    raw = b"\r\n".join([header, b'"' + row.strip(), *[row.strip()] * 30])
    rows = read(raw)
    assert rows[0] == RowProblem(2, ProblemKind.UNREADABLE, "a quote is never closed")
    assert isinstance(rows[1], ImportedRow)
    assert [row.kind for row in rows[2:] if isinstance(row, RowProblem)] == [ProblemKind.REPEATED] * 29


def test_a_row_in_another_encoding_is_listed_and_the_rest_goes_on() -> None:
    raw = file_of({}) + file_of({"name": "CERÂMICA"}).decode().split("\r\n", 1)[1].encode("latin-1")
    assert read(raw)[1] == RowProblem(3, ProblemKind.UNREADABLE, "it is not written in utf-8")


def test_a_row_that_is_too_long_is_listed_and_the_rest_goes_on() -> None:
    rows = read(file_of({"name": "A" * MAX_ROW_BYTES * 3}, {}))
    assert isinstance(rows[0], RowProblem)
    assert rows[0].kind is ProblemKind.UNREADABLE
    assert isinstance(rows[1], ImportedRow)
    assert rows[1].line == 3


def test_a_cell_over_two_lines_is_one_row_and_later_lines_keep_their_number() -> None:
    rows = imported(file_of({"name": "CERAMICA\nEXEMPLO LTDA"}, {"year": "2023"}))
    assert [row.line for row in rows] == [2, 4]


def test_blank_lines_and_a_missing_last_line_end_are_no_rows() -> None:
    assert len(imported(file_of({}).strip() + b"\r\n\r\n,,,,,,,\r\n")) == 1


def test_a_missing_column_names_the_columns_found() -> None:
    with pytest.raises(RegisterUnreadable, match=r"no column 'cnae'; its columns are 'documentFormatted', 'name'"):
        read(file_of({}, columns=[c for c in ROW if c != "cnae"]))


def test_a_wrong_delimiter_is_named() -> None:
    with pytest.raises(RegisterUnreadable, match="its delimiter seems to be ';', the mapping says ','"):
        read(file_of({}, delimiter=";"))


def test_a_first_line_that_looks_like_a_row_is_not_shown() -> None:
    with pytest.raises(RegisterUnreadable) as caught:
        read(file_of({}).split(b"\r\n", 1)[1])
    assert "looks like a row" in str(caught.value)
    assert "CERAMICA" not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        ("a,b".encode("utf-16"), "UTF-16"),
        (b"x" * (MAX_ROW_BYTES + 1), "too long"),
        (b"\xff,\r\n", "cannot be read"),
        (file_of({}, columns=[*ROW, "name"]), "twice"),
    ],
)
def test_a_file_that_is_no_such_register_is_refused_as_a_whole(raw: bytes, reason: str) -> None:
    with pytest.raises(RegisterUnreadable, match=reason):
        read(raw)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_below_the_header_raise_anything(noise: bytes) -> None:
    for row in read(file_of({}) + noise + b"\r\n"):
        assert isinstance(row, ImportedRow | RowProblem)


@settings(deadline=None)
@given(st.sampled_from(sorted(ROW)), st.text(min_size=1, max_size=80))
def test_a_reason_never_repeats_a_cell(column: str, noise: str) -> None:
    for row in read(file_of({column: f"{MARKER}{noise}"})):
        assert isinstance(row, ImportedRow) or MARKER not in row.reason


# Mapping files


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


# What leaves a node, and what its log says


async def _got(api: httpx2.AsyncClient, path: str) -> Any:
    return (await api.get(f"/api/v1/{path}")).json()


async def test_no_dormitory_and_no_home_stands_in_a_record_a_log_or_an_export(
    town: Town, real_file: bytes, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    header, *lines = real_file.decode("utf-8-sig").splitlines()
    homes = [line for line in lines if re.search(r"ALOJAMENTO|CASA [23]|- CASA -", line)]
    assert len(homes) == 7
    house = await town.found("agency")
    await town.refresh()
    first, second = await house.hire("first", "reviewer"), await house.hire("second", "reviewer")
    table = base64.b64encode("\n".join([header, *homes]).encode()).decode("ascii")
    async with house.api(first) as api, house.api(second) as other, exchanging(house):
        done = await api.post("/api/v1/imports", json={"mapping": MAPPING, "table": table})
        assert done.json()["result"]["proposed"] == 7
        for each in (api, other):
            await open_sample(partial(_got, each), done.json()["batch"])
        await other.post(f"/api/v1/batches/{done.json()['batch']}/approve")

        async def sent() -> list[str] | None:
            items = (await api.get("/api/v1/published")).json()["items"]
            return [item["statement"] for item in items] if all(item["state"] == "sent" for item in items) else None

        exported = [(await api.get(f"/api/v1/records/{name}")).content for name in await until("all are sent", sent)]
        assert len(exported) == 7
        async with house.api(house.admin) as admin:
            trail = (await admin.get("/api/v1/trail", params={"limit": 200})).text
        reviews = (await api.get("/api/v1/reviews")).text
    signed = [json.dumps(decoded(raw), ensure_ascii=False) for raw in exported]
    said = "\n".join([*signed, trail, reviews, done.text, caplog.text, *capfd.readouterr()]).upper()
    assert "EMPREITEIRA DE MAO DE OBRA" in said, "what is said must be what was looked at"
    for line in homes:
        address = next(csv.reader([line]))[4]
        parts = [part.strip(" .") for part in re.split(r"[,:]|\s-\s", address.upper()) if len(part.strip(" .")) > 3]
        told = {"SÃO PAULO", "GOIÂNIA"}
        # As words: four digits of a house stand somewhere in any hundred hashes.
        leaked = [part for part in parts if re.search(rf"(?<![\w-]){re.escape(part)}(?![\w-])", said)]
        assert [part for part in leaked if "/" not in part and part not in told] == []


def decoded(raw: bytes) -> list[Any]:
    """Everything that can be read of a record."""
    jwt, *disclosures = json.loads(raw)["statement"].split("~")
    texts = [jwt.split(".")[1], *filter(None, disclosures)]
    return [json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))) for text in texts]
