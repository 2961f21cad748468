"""A file of suppliers is read row by row: nothing lost, and what is wrong said in words."""

import io
import json
from typing import Any

import pytest

from builders import shared
from comity_node.domain.screening_files.asking import Reading
from comity_node.domain.screening_files.columns import Columns, What, map_columns
from comity_node.domain.screening_files.results import (
    CANDIDATES,
    COLUMNS,
    headings_with,
)
from comity_node.domain.tables.table import Row, TableRefused
from comity_node.services.screening_files.opening import open_given
from comity_node.vocabulary import countries
from given_rows import asked
from supplier_desk import LEI


@pytest.mark.parametrize(
    ("headings", "held"),
    [
        ("Vendor No;Vendor Name;Country;CNPJ", {"id": 0, "name": 1, "country": 2, "BR-CNPJ": 3}),
        ("Raison sociale;Pays;Adresse;Ville", {"name": 0, "country": 1, "address": (2, 3)}),
        ("Razón Social;País;Dirección", {"name": 0, "country": 1, "address": 2}),
        ("Наименование;Страна;Адрес", {"name": 0, "country": 1, "address": 2}),
        ("公司名称;国家;地址;统一社会信用代码", {"name": 0, "country": 1, "address": 2, "CN-USCI": 3}),
        ("اسم الشركة;الدولة", {"name": 0, "country": 1}),
        ("id;name;country;other_name;other_name2", {"id": 0, "name": 1, "country": 2, "other_name": (3, 4)}),
        ("supplier;name", {"name": 1}),
        ("Name;Country Code;Country", {"name": 0, "country": 1}),
        ("Identifier Scheme;Identifier", {"identifier_scheme": 0, "identifier": 1}),
    ],
)
def test_columns_are_guessed_from_headings_in_several_languages(headings: str, held: dict[str, Any]) -> None:
    columns = map_columns(headings.split(";"))
    found: dict[str, Any] = {what.value: places for what, places in columns.places.items()}
    found |= {scheme: (place,) for place, scheme in columns.numbers.items()}
    assert found == {what: places if isinstance(places, tuple) else (places,) for what, places in held.items()}


def test_what_somebody_says_counts_more_than_the_guess() -> None:
    headings = ["Name", "Trading as", "Nation", "Tax", "Tax"]
    columns = map_columns(headings, {"name": "Trading as", "country": "", "BR-CNPJ": "#5"})
    assert columns == Columns(tuple(headings), {What.NAME: (1,)}, {4: "BR-CNPJ"})
    assert columns.unread == ("Name", "Nation", "Tax")
    assert columns.in_words()[-1] == "not read: 'Name', 'Nation', 'Tax'"
    for told, words in (
        ({"name": "Nowhere"}, "'Nowhere' is no heading of this file"),
        ({"BR-CNPJ": "Tax"}, "stands there twice; say which by its place"),
        ({"colour": "Name"}, "'colour' is nothing that a column is read as"),
        ({"name": "", "other_name": ""}, "no column is known to hold a name or a number"),
    ):
        with pytest.raises(TableRefused, match=words):
            map_columns(headings, told)
    with pytest.raises(TableRefused, match=r"2 columns could hold the name: 'Vendor', 'vendor'; say which"):
        map_columns(["Vendor", "vendor"])


def test_each_kind_of_bad_row_gets_a_clear_answer_and_the_rest_is_read() -> None:
    rows, problems = asked(
        "id,name,other_name,country,BR-CNPJ\n"
        "1,,,BR,\n"
        f"2,{'x' * 10_000},,BR,\n"
        "3,Exemplar\u202e Gloves\x07 Ltd,A; B,Atlantis,11.222.333/0001-80\n"
        "3,Good,,Brasil,11222333000181.0\n"
        "4,\u200b\u202e,,,\n"
        "5,Pure\u0441ast Ltd,,,\n"
        ",,,,\n"
        "6,Last,,,"
    )
    assert [(row.row.number, row.refused) for row in rows if row.refused] == [
        (2, "it has no name and no number"),
        (3, "a name of more than 300 characters is nobody's, and was not used"),
        (6, "it has no name and no number"),
        (8, "it is empty"),
    ]
    assert rows[2].names == ("Exemplar Gloves Ltd", "A", "B")
    assert (rows[3].country, rows[3].identifiers[0].id) == ("BR", "11222333000181")
    assert [(p.number, p.what) for p in problems if p.number in (4, 5, 7)] == [
        (4, "a name holds control or direction-changing characters; it was read without them"),
        (4, "its BR-CNPJ number has another form, or its check digit does not fit, and was not used"),
        (4, "its country is none that the list of countries can read, and was not used"),
        (5, "its id stands in row 4 too; both were done"),
        (7, "a word of the name mixes letters of two alphabets that look alike"),
    ]


def test_a_formula_as_a_name_is_never_computed_and_the_row_says_so() -> None:
    columns = map_columns(["name"])
    row = Row(2, ("=1+1",), formulas=frozenset({0}))
    assert "which is never computed" in str(Reading(columns, countries().read, lambda _: None).ask(row).refused)
    assert "which is never computed" in str(asked("name,country\n#REF!,MY\n")[0][0].refused)


def test_a_formula_elsewhere_is_nobodys_address_and_the_row_says_so() -> None:
    columns = map_columns(["name", "other name", "address", "BR-CNPJ", "id"])
    cells = ("Exemplar Gloves", "=A2", "=VLOOKUP(B2,Sheet2!A:B,2,FALSE)", "=C2", "=ROW()")
    row = Reading(columns, countries().read, lambda _: None).ask(Row(2, cells, formulas=frozenset({1, 2, 3, 4})))
    assert (row.names, row.address, row.key, row.refused) == (("Exemplar Gloves",), None, "", None)
    assert [note.split(" is a formula")[0] for note in row.notes] == [
        "its other_name", "its address", "its id", "its BR-CNPJ number"
    ]  # fmt: skip
    (row,), problems = asked("name,address\nExemplar Gloves,#N/A\n")
    assert row.address is None and "its address is a formula or an error" in problems[0].what


def test_names_beyond_those_that_are_asked_about_are_told() -> None:
    (row,), problems = asked(f"name,other name\nGloves,{';'.join(f'Gloves {n}' for n in range(30))}\n")
    assert len(row.names) == 20
    assert [problem.what for problem in problems] == ["it has 31 names, of which the first 20 were asked about"]


@pytest.mark.parametrize("above", ["Bidders of tender 42\n", ",,\n"])
def test_titles_and_empty_rows_above_the_headings_are_told_with_what_to_do(above: str) -> None:
    with pytest.raises(TableRefused, match=r"(?i)delete (titles and empty rows above the headings|what stands above)"):
        asked(f"{above}name,country\nGloves,MY\n")


def test_several_numbers_in_one_cell_are_all_read_and_those_beyond_are_told() -> None:
    first, second = "54951803000150", "11222333000181"
    for heading, text in (
        ("BR-CNPJ", f"{first}; {second}"),
        ("identifier", f'"BR-CNPJ:{first}\nBR-CNPJ:\u200e{second}"'),
    ):
        (row,), problems = asked(f"name,{heading}\nGloves,{text}\n")
        assert ([i.id for i in row.identifiers], problems) == ([first, second], [])
    (row,), problems = asked(f"name,UNGM\nGloves,{';'.join(str(100_000 + n) for n in range(21))}\n")
    assert len(row.identifiers) == 20
    assert [problem.what for problem in problems] == ["it has 21 numbers, of which the first 20 were asked about"]


def test_a_name_of_nothing_but_a_legal_form_is_not_asked_about_and_the_row_says_so() -> None:
    columns = map_columns(["name", "other_name"])
    asked = [
        Reading(columns, countries().read, lambda _: None).ask(Row(2, cells)) for cells in (("Ltd", ""), ("Sa Sa", ""))
    ]
    assert asked[0].refused == "a name of nothing but a legal form names nobody, and was not used"
    assert asked[1].names == ("Sa Sa",)


def test_an_earlier_result_is_written_anew_and_a_column_of_the_same_name_stays() -> None:
    assert headings_with(["name", "state"], candidates=True) == (("name", "state", *COLUMNS, CANDIDATES), 2)
    assert headings_with(["name", *COLUMNS], candidates=False) == (("name", *COLUMNS), 1)


@pytest.mark.parametrize("behind", [(), (CANDIDATES,), (CANDIDATES, "notes")])
def test_a_result_that_is_screened_again_asks_about_its_own_rows_and_not_about_whom_it_found(
    behind: tuple[str, ...],
) -> None:
    headings = ("Company", *COLUMNS, *behind)
    opened = open_given(io.BytesIO(f"{','.join(headings)}\nAcme{',x' * (len(headings) - 1)}\n".encode()))
    assert opened.columns.places == {What.NAME: (0,)}


def test_the_columns_of_a_result_are_a_contract() -> None:
    assert ", ".join(COLUMNS) == (
        "verdict, score, supplier_id, supplier_name, reason, state, findings_current, findings_closed, decisions, "
        "risk, next_step, as_of"
    )


def package(**release: Any) -> str:
    inside = {"ocid": "ocds-1", "id": "1", "tag": ["award"], **release}
    return json.dumps({"version": "1.1", "releases": [inside]})


def test_everybody_behind_one_bid_stands_together() -> None:
    def party(key: str, name: str, *roles: str, **more: Any) -> dict[str, Any]:
        return {"id": key, "name": name, "roles": list(roles), **more}

    lei = {"scheme": "XI-LEI", "id": LEI["id"], "legalName": "Exemplar Gloves Sdn. Bhd."}
    place = {"streetAddress": "Jalan 1", "locality": "Klang", "countryName": "Malaysia"}
    given = package(
        parties=[
            party("B", "City", "buyer"),
            party("1", "Exemplar", "tenderer", "supplier", identifier=lei, address=place),
            party("2", "Partner", "tenderer"),
            party("3", "Dye House", "subcontractor"),
            party("4", "Rival", "tenderer"),
            party("5", "Loner", "tenderer"),
        ],
        bids={
            "details": [
                {
                    "id": "bid-1",
                    "tenderers": [{"id": "1"}, {"id": "2"}],
                    "subcontracting": {"subcontracts": [{"subcontractor": {"id": "3"}}]},
                    "productionSites": [{"name": "Plant 2", "address": {"countryName": "Malaysia"}}],
                },
                {"id": "bid-2", "tenderers": [{"id": "4"}, None]},
            ]
        },
        tender={"tenderers": [{"id": "1"}, {"id": "5", "name": "Loner"}]},
        awards=[{"id": "a", "suppliers": [{"id": "1"}]}],
    )
    rows, _ = asked(given)
    told = [(str(row.row.cells[1]), str(row.row.cells[2]), *row.names[:1], row.refused) for row in rows]
    assert told == [
        ("bid-1", "tenderer; supplier", "Exemplar", None),
        ("bid-1", "tenderer", "Partner", None),
        ("bid-1", "subcontractor", "Dye House", None),
        ("bid-1", "site", "Plant 2", None),
        ("bid-2", "tenderer", "Rival", None),
        ("bid-2", "tenderer", "it stands where a party should, and is none"),
        ("tenderers", "tenderer", "Loner", None),
    ]
    assert (rows[0].names[1], rows[0].country, rows[0].address) == ("Exemplar Gloves Sdn. Bhd.", "MY", "Jalan 1, Klang")
    assert [i.to_parsed() for i in rows[0].identifiers] == [LEI]


ACME = {"id": "1", "name": "Acme", "roles": ["tenderer"]}


@pytest.mark.parametrize(
    ("release", "names"),
    [
        (
            {"parties": [{"name": "Acme", "roles": ["tenderer"]}, {"name": "Best", "roles": ["supplier"]}]},
            ["Acme", "Best"],
        ),
        ({"parties": [{"roles": ["supplier"], "identifier": {"legalName": "Acme"}}]}, ["Acme"]),
        (
            {"parties": [{**ACME, "roles": "supplier"}, {**ACME, "id": 0, "name": "Best", "roles": ["Supplier"]}]},
            ["Acme", "Best"],
        ),
        ({"parties": [ACME, {**ACME, "name": "Best"}]}, ["Acme", "Best"]),
        ({"parties": [ACME], "tender": {"tenderers": [{"id": "1", "name": "Best"}]}}, ["Acme", "Best"]),
        (
            {"awards": {"suppliers": {"name": "Acme"}}, "tender": {"tenderers": [{"id": 7, "name": "Best"}]}},
            ["Acme", "Best"],
        ),
        ({"parties": [{**ACME, "identifier": {"legalName": "Acme; Best"}}]}, ["Acme", "Acme, Best"]),
    ],
)
def test_nobody_is_lost_whatever_a_publisher_makes_of_the_standard(release: dict[str, Any], names: list[str]) -> None:
    package = {"version": 1.1, "releases": [{"ocid": "ocds-1", **release}]}
    opened = open_given(io.BytesIO(json.dumps(package).encode()))
    read = Reading(opened.columns, countries().read, lambda _: None)
    found = [name for row in opened.table.rows for name in read.ask(row).names]
    assert sorted(found) == names


def test_who_is_described_again_later_keeps_the_name_it_had() -> None:
    releases = [{"ocid": "ocds-1", "parties": [{**ACME, "name": name}]} for name in ("Acme", "Zuotian")]
    table = open_given(io.BytesIO(json.dumps({"version": "1.1", "releases": releases}).encode())).table
    (row,) = table.rows
    assert row.cells[4:6] == ("Zuotian", "Acme")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('{"releases": []}', "states no version, so it is of 1.0; version 1.1 is read"),
        ('{"version": "1.2", "releases": []}', "is of version 1.2; version 1.1 is read"),
        ('{"version": "1.1", "releases": []}', "there is nobody to screen"),
        ('{"name": "x"}', "neither releases nor records"),
        ('{\n"version": "1.1",\n"releases": [}', "from line 3 on"),
        ('{"version": ' + "[" * 100_000, "cannot be read"),
        ('{"version": "1.1", "releases": [1, {"parties": [null, 7]}]}', "there is nobody to screen"),
    ],
)
def test_what_is_no_package_of_this_version_is_refused_in_words(given: str, words: str) -> None:
    with pytest.raises(TableRefused, match=words):
        asked(given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "this is a PDF; nothing was read"),
        (b"\xef\xbb\xbf \n<html><table>", "this is a web page or XML"),
        (b'[{"name": "A"}]', "this is a JSON list, and no OCDS package"),
        (b"{\\rtf1 name}", "a text document"),
        (b"\xd0\xcf\x11\xe0", r"the old form \(\.xls\), or one that opens with a password"),
        (b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", r"\(\.ods\)"),
    ],
)
def test_what_people_take_for_a_table_is_named_and_told_how_to_save(given: bytes, words: str) -> None:
    with pytest.raises(TableRefused, match=words) as refused:
        open_given(io.BytesIO(given))
    assert "CSV UTF-8" in str(refused.value)


def test_records_are_read_from_their_compiled_release_and_links_alone_are_told() -> None:
    one = {"ocid": "ocds-1", "parties": [{"id": "1", "name": "Exemplar", "roles": ["supplier"]}]}
    given = {"version": "1.1", "records": [{"ocid": "ocds-1", "compiledRelease": one}, {"ocid": "ocds-2"}]}
    rows, _ = asked(json.dumps(given))
    assert [(row.names, row.refused) for row in rows] == [
        (("Exemplar",), None),
        ((), "its record holds links to releases only"),
    ]


def behind(given: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return (bid, roles, name) of everybody in a package."""
    table = open_given(io.BytesIO(json.dumps({"version": "1.1", **given}).encode())).table
    return [(str(row.cells[1]), str(row.cells[2]), str(row.cells[4])) for row in table.rows]


def test_who_has_no_role_or_one_that_nobody_knows_is_screened_and_who_buys_is_not() -> None:
    parties = [
        {"id": "1", "name": "Acme", "roles": ["candidate"]},
        {"id": "2", "name": "Best"},
        {"id": "3", "name": "City", "roles": ["buyer", "reviewBody"]},
        {"id": "4", "name": "Ministry"},
        {"id": "5", "name": "Paid", "roles": ["payer", "payee"]},
        {},
    ]
    release = {"ocid": "o", "parties": parties, "tender": {"procuringEntity": {"id": "4"}}}
    assert behind({"releases": [release]}) == [
        ("other parties", "candidate", "Acme"),
        ("other parties", "no role stated", "Best"),
        ("other parties", "payer; payee", "Paid"),
    ]


def test_of_two_bids_of_one_tenderer_the_awarded_one_is_the_suppliers() -> None:
    both = {"id": "1", "name": "Acme", "roles": ["tenderer", "supplier"]}
    bids = [{"id": n, "tenderers": [{"id": "1"}], "relatedLots": [f"lot-{n}"]} for n in (1, 2)]
    of_lot = {"id": "a", "suppliers": [{"id": "1"}], "relatedLots": ["lot-2"]}
    for award in (of_lot, {**of_lot, "relatedLots": [], "relatedBid": 2}):
        release = {"ocid": "o", "parties": [both], "bids": {"details": bids}, "awards": [award]}
        assert behind({"releases": [release]}) == [("1", "tenderer", "Acme"), ("2", "tenderer; supplier", "Acme")]


def test_a_supplier_stands_in_the_bid_that_its_award_names() -> None:
    bids = [{"id": name, "tenderers": [{"id": name, "name": name}]} for name in ("Acme", "Best")]
    award = {"id": "a", "relatedBids": ["Acme"], "suppliers": [{"id": "Acme"}, {"id": "Best"}]}
    assert behind({"releases": [{"ocid": "o", "bids": {"details": bids}, "awards": [award]}]}) == [
        ("Acme", "tenderer; supplier", "Acme"),
        ("Acme", "supplier", "Best"),
        ("Best", "tenderer", "Best"),
    ]


def test_suppliers_and_subcontractors_that_only_a_contract_names_are_screened() -> None:
    contract = {
        "awardID": 1,
        "suppliers": [{"name": "Best"}],
        "subcontracting": {"subcontracts": [{"subcontractor": {"name": "Dyers"}}]},
    }
    awards = [{"id": 1, "suppliers": [{"name": "Acme"}]}]
    assert behind({"releases": [{"ocid": "o", "awards": awards, "contracts": [contract, {"id": 2}]}]}) == [
        ("award 1", "supplier", "Acme"),
        ("award 1", "subcontractor", "Dyers"),
        ("award 1", "supplier", "Best"),
    ]


def test_what_is_said_of_one_process_in_several_releases_is_read_together() -> None:
    first = {"ocid": "o", "parties": [{"id": 1.0, "name": "Acme"}], "bids": [{"id": "b", "tenderers": [{"id": 1}]}]}
    later = {"ocid": "o", "awards": [{"id": "a", "suppliers": [{"id": "1"}]}]}
    assert behind({"releases": [later, {"ocid": "p"}, first]}) == [("b", "tenderer; supplier", "Acme")]
    record = {"ocid": "o", "releases": [first, {"url": "https://example.org/2", "date": "2026-01-01"}]}
    assert behind({"records": [record]}) == [("b", "tenderer", "Acme"), ("", "", "")]
    assert behind({"records": [{"ocid": "o", "compiledRelease": {"awards": later["awards"]}}]}) == [
        ("award a", "supplier", "")
    ]


def test_how_a_package_is_read_is_said() -> None:
    given = package(tender={"tenderers": [{"name": "Acme"}, {"name": "Best"}]}, awards=[{"suppliers": [{"name": "C"}]}])
    assert open_given(io.BytesIO(given.encode())).in_words()[0] == (
        "an OCDS 1.1 package: 3 parties in 2 bids or other groups"
    )


def test_the_standards_own_samples_are_read() -> None:
    samples = shared("standards/ocds/samples")
    names = {}
    for sample in (
        "ocds-213czf-000-00001-04-award",
        "docs-organizations-identifiers",
        "ocds-213czf-000-00001-02-tender",
    ):
        try:
            rows, _ = asked((samples / f"{sample}.json").read_bytes())
            names[sample[-6:]] = [(row.names, row.country, row.row.cells[2]) for row in rows]
        except TableRefused as error:
            names[sample[-6:]] = str(error)
    assert names["-award"] == [
        (("AnyCorp Cycle Provision", "AnyCorp Ltd"), "GB", "supplier; tenderer"),
        (("Beta Corp Construction", "Beta Corp Ltd"), "GB", "tenderer"),
    ]
    assert names["ifiers"] == [(("IBM", "IBM LP LIMITED", "IBM UK LIMITED"), "GB", "supplier")]
    assert "nobody to screen" in names["tender"]


def test_the_real_lists_are_read_to_their_last_row() -> None:
    lists = sorted(shared("data/osh/facility_lists").glob("*.csv"))
    read = [asked(path.read_bytes()) for path in lists]
    rows = [row for each, _ in read for row in each]
    assert (len(lists), len(rows), sum(row.refused is not None for row in rows)) == (14, 963, 0)
    assert sum(row.country is None for row in rows) == 0
    debarred, problems = asked(shared("data/mdb_debarment/records.csv").read_bytes())
    # One is called "LLC" and nothing else.
    assert (len(debarred), sum(row.refused is not None for row in debarred)) == (2_818, 1)
    assert sum(len(row.names) > 1 for row in debarred) > 300
    assert len({problem.number for problem in problems}) < 60
