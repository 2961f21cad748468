"""A register of published inspection results becomes reports: what is read, what is refused, what can leave."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity_node.domain.minimize import Policy, minimize
from comity_node.domain.register import (
    ImportedRow,
    ProblemKind,
    RegisterUnreadable,
    RowProblem,
)
from comity_node.domain.register.listing import Earlier, Period, read_listing, valid_until
from comity_node.domain.register.persons import bears_a_persons_name
from comity_node.domain.register.place import municipality_of
from comity_node.domain.tables.lines import MAX_ROW_BYTES
from comity_schemas.finding import SourceType, Status
from comity_schemas.handling import Tlp
from comity_schemas.report import Premises, SharingBasis
from register_rows import DOCUMENTED, LISTA_SUJA, MARKER, ROW, SECRET, file_of, imported, one, read, refused


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


def test_a_date_that_stands_for_none_costs_its_row_and_not_the_file() -> None:
    problem = refused(inclusionDate="31/12/9999")
    assert problem.reason == "inclusionDate has a date from which no time can be counted"


def test_a_listing_that_was_taken_up_again_ends_on_the_day_it_was_taken_off() -> None:
    columns = LISTA_SUJA.mapping.columns.model_copy(update={"delisted": "removalDate"})
    mapping = LISTA_SUJA.mapping.model_copy(update={"columns": columns})
    raw = file_of(
        {"inclusionDate": "05/10/2024 a 19/12/2024, 20/05/2025", "removalDate": "01/08/2025"},
        columns=[*ROW, "removalDate"],
    )
    (row,) = imported(raw, replace(LISTA_SUJA, mapping=mapping))
    assert row.report.valid_until == date(2025, 8, 1)


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
