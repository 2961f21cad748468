"""Registers of decisions become rulings: what is read, what is tied, what can leave; real lists and invented rows."""

import base64
import csv
import io
import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from comity_node.domain.register import (
    ImportedRuling,
    MappingRefused,
    ProblemKind,
    RowProblem,
    parse_decision_mapping,
)
from comity_node.domain.register.aliases import NameReading, read_names, read_other_name
from comity_node.mappings import mapping_text
from comity_node.vocabulary import countries
from comity_schemas.decision import Decision
from comity_schemas.member import Role
from comity_schemas.subject import NameKind
from heard import open_sample
from node_world import House, Town, exchanging, until
from rulings import BANKS, SECRET, asked, mapping, rulings_of, taken

MARKER = "ZQXJ"


# --- names out of names

READING = NameReading([(mark.kind, word) for mark in BANKS.name_marks for word in mark.words], BANKS.remark_words)
FORMER, TRADING, PLAIN = NameKind.FORMER, NameKind.TRADING, NameKind.REGISTERED


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("EXEMPLAR WORKS LTD", [("EXEMPLAR WORKS LTD", PLAIN)]),
        ("EXEMPLAR (INDIA) PRIVATE LIMITED", [("EXEMPLAR (INDIA) PRIVATE LIMITED", PLAIN)]),
        ("Exemplar Works S.A. (EXWO)", [("Exemplar Works S.A.", PLAIN), ("EXWO", TRADING)]),
        ("Exemplar Works (Tambov)", [("Exemplar Works (Tambov)", PLAIN)]),
        ("EXEMPLAR WORKS (QATAR)", [("EXEMPLAR WORKS (QATAR)", PLAIN)]),
        ("EXEMPLAR WORKS TRUST (EWT)", [("EXEMPLAR WORKS TRUST", PLAIN), ("EWT", TRADING)]),
        ("Exemplar Works (“Exem plar”)", [("Exemplar Works", PLAIN), ("Exem plar", TRADING)]),
        ("Exemplar Works and Sons (Exemplar Works)", [("Exemplar Works and Sons", PLAIN), ("Exemplar Works", TRADING)]),
        ("Exemplar JSC  (formerly Sample JSC)", [("Exemplar JSC", PLAIN), ("Sample JSC", FORMER)]),
        ("Exemplar Ltd, formerly known as Sample Ltd", [("Exemplar Ltd", PLAIN), ("Sample Ltd", FORMER)]),
        (
            "Exemplar Ltd (also known as A Ltd; also d.b.a. B Medical)",
            [("Exemplar Ltd", PLAIN), ("A Ltd", TRADING), ("B Medical", TRADING)],
        ),
        ("Exemplar, doing business as One or Two", [("Exemplar", PLAIN), ("One", TRADING), ("Two", TRADING)]),
        ("Exemplar Ltd (Reg. No. 12345)", [("Exemplar Ltd", PLAIN)]),
        ("Exemplar Ltd (but only for its work in water)", [("Exemplar Ltd", PLAIN)]),
        ("Exemplar Ltd (", [("Exemplar Ltd", PLAIN)]),
        ("Dbagi Works", [("Dbagi Works", PLAIN)]),
        ("(Exemplar)", [("(Exemplar)", PLAIN)]),
    ],
)
def test_a_name_is_read_with_its_aliases(written: str, names: list[tuple[str, NameKind]]) -> None:
    assert [(n.text, n.kind) for n in read_names(written, READING)] == names


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("(f.k.a. Sample Ltda.) *665", [("Sample Ltda.", FORMER)]),
        ("(Sample Group) (Reg. No. 1163) *662", [("Sample Group", TRADING)]),
        ("*634", []),
        (", 576", []),
        ("(Reg. No.: 684)*584", []),
        ("示例(集团)有限公司", [("示例(集团)有限公司", PLAIN)]),
        ("Currently doing business as Sample LLC", [("Sample LLC", TRADING)]),
    ],
)
def test_a_column_of_other_names_is_read(written: str, names: list[tuple[str, NameKind]]) -> None:
    assert [(n.text, n.kind) for n in read_other_name(written, READING)] == names


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=80))
def test_no_name_makes_the_reading_fail_or_lose_the_name(written: str) -> None:
    names = read_names(written, READING)
    assert all(name.text.strip() for name in names)


# --- invented rows

ROW = {
    "list": "WB",
    "name": "EXEMPLAR WORKS LTD",
    "other_name": "",
    "address": f"{MARKER} STREET 7",
    "country": "Georgia",
    "from_date": "2024-12-10",
    "to_date": "2026-12-09",
    "grounds": "Fraudulent Practices",
    "origin": "World Bank Group",
}


def table(*rows: dict[str, str]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(ROW))
    writer.writeheader()
    writer.writerows({**ROW, **row} for row in rows)
    return text.getvalue().encode()


def read(*rows: dict[str, str]) -> list[ImportedRuling | RowProblem]:
    return rulings_of(io.BytesIO(table(*rows)), BANKS, secret=SECRET)


def one(**changes: str) -> Decision:
    (row,) = taken(read(changes))
    return row.ruling.decision


EBRD = {"list": "EBRD", "origin": "World Bank Group"}


def test_a_recognition_of_a_name_that_two_originals_bear_refers_to_the_one_that_ends_the_same_day() -> None:
    first, second = {"address": "a"}, {"address": "b", "to_date": "2030-01-01"}
    rows = taken(
        read(first, second, {**EBRD, "to_date": "2030-01-01"}, {**EBRD, "address": "c", "to_date": "2031-01-01"})
    )
    a, b, same_day, another_day = (row.ruling.decision for row in rows)
    assert (same_day.act.reference, another_day.act.reference) == (b.reference, None)
    assert a.reference != b.reference


def test_a_recognition_refers_to_nobody_abroad_and_to_no_other_authority() -> None:
    rows = taken(read({}, {**EBRD, "country": "Peru"}, {"list": "IDB", "origin": "ADB cross debarment"}))
    assert [row.ruling.decision.act.reference for row in rows] == [None, None, None]


def test_an_alias_ties_a_recognition_to_the_older_name() -> None:
    old, new = taken(read({}, {**EBRD, "name": "Renamed Ltd (formerly Exemplar Works Ltd)"}))
    assert new.ruling.decision.act.reference == old.ruling.decision.reference


def test_the_reference_is_the_same_on_every_import_and_not_to_be_guessed_from_the_row() -> None:
    (here,), (there,) = (
        taken(rulings_of(io.BytesIO(table({})), BANKS, secret=secret)) for secret in (SECRET, SECRET + b"other")
    )
    assert here.identity == there.identity
    assert here.ruling.decision.reference != there.ruling.decision.reference
    assert one().reference == here.ruling.decision.reference


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"country": f"{MARKER}land"}, "country"),
        ({"from_date": MARKER}, "from_date"),
        ({"to_date": f"until {MARKER}"}, "to_date"),
        ({"origin": f"{MARKER} Bank"}, "origin"),
        ({"list": MARKER}, "list"),
        ({"grounds": f"Cross Debarment: {MARKER}"}, "grounds"),
        ({"name": "12345"}, "name"),
        ({"name": MARKER * 60}, "name"),
        ({"name": "d/b/a"}, "name"),
        ({"name": "- (Reg. No. 12345)"}, "name"),
        ({"to_date": "2020-01-01"}, "to_date"),
    ],
)
def test_a_row_that_does_not_fit_is_listed_without_its_content_and_the_rest_goes_on(
    changed: dict[str, str], column: str
) -> None:
    bad, good = read(changed, {"address": "elsewhere"})
    assert isinstance(bad, RowProblem) and isinstance(good, ImportedRuling)
    assert (bad.line, bad.kind, bad.reason.split()[0]) == (2, ProblemKind.DOES_NOT_FIT, column)
    assert MARKER not in bad.reason


def test_a_row_twice_is_one_and_a_row_that_contradicts_it_is_not_taken() -> None:
    _, again, other = read({}, {}, {"to_date": "2027-01-01"})
    assert isinstance(again, RowProblem) and isinstance(other, RowProblem)
    assert (again.kind, other.kind) == (ProblemKind.REPEATED, ProblemKind.CONTRADICTORY)


@pytest.mark.parametrize(
    ("line", "instead", "where"),
    [
        ('measure = "exclusion"', 'measure = "revenge"', "measure"),
        ('source = "banks-lists"', "", "source"),
        ('source = "banks-lists"', 'source = "banks-lists"\nremark = "x"', "remark"),
        ('LK = ["Sri Lanca"]', 'ZZ = ["Sri Lanca"]', "the file"),
        ('placeholder = ["2999-12-31"]', 'date = ["2999-12-31"]', "the file"),
        ('authority = "list"', "", "the file"),
        ('dates = ["%Y-%m-%d"]', 'dates = ["%Y"]', "the file"),
        ('name = "name"', "", "columns.name"),
    ],
)
def test_a_broken_mapping_is_refused_with_its_key(line: str, instead: str, where: str) -> None:
    text = mapping_text("mdb_debarment")
    assert text.count(f"\n{line}\n") == 1
    with pytest.raises(MappingRefused) as caught:
        parse_decision_mapping(text.replace(f"\n{line}\n", f"\n{instead}\n"))
    assert caught.value.where == where


# --- imported at one node, found at another


@pytest_asyncio.fixture
async def houses(town: Town) -> AsyncIterator[tuple[House, House]]:
    agency, body = await town.found("agency"), await town.found("body", Role.PROCUREMENT_BODY)
    await town.refresh()
    for name in ("first", "second"):
        await agency.hire(name, "reviewer")
    await body.hire("officer", "officer")
    async with exchanging(agency), exchanging(body):
        yield agency, body


async def release(house: House, batch: str, expected: int) -> None:
    """Let both open their samples, and the second release."""
    for who in ("first", "second"):
        await open_sample(partial(asked, house, who), batch)
    job = await asked(house, "second", f"batches/{batch}/approve", {})
    assert (job["state"], job["result"]) == ("done", {"decided": expected, "not_decided": 0, "problems": []})


def imported(raw: bytes) -> dict[str, str]:
    return {"mapping": mapping_text("mdb_debarment"), "table": base64.b64encode(raw).decode("ascii")}


async def test_one_case_on_three_lists_is_imported_released_together_and_found_as_one_case(
    houses: tuple[House, House],
) -> None:
    agency, body = houses
    rows = [{}, EBRD, {"list": "IDB", "origin": "WBG cross debarment", "from_date": "2025-01-02"}]
    job = await asked(agency, "first", "imports", imported(table(*rows, {"country": "Nowhere"})))
    done = job["result"]
    assert job["state"] == "done"
    assert {k: done[k] for k in ("kind", "rows", "added", "proposed", "left_out")} == {
        "kind": "decision",
        "rows": 4,
        "added": 3,
        "proposed": 3,
        "left_out": {"does-not-fit": 1},
    }
    await release(agency, done["batch"], 3)

    async def three() -> list[dict[str, Any]] | None:
        found = await asked(body, "officer", "screenings", {"suppliers": [{"name": "Exemplar Works"}]})
        hits = found["answers"][0]["decisions"]
        return hits if len(hits) == 3 else None

    hits = {hit["decision"]["authority"]["code"]: hit for hit in await until("three decisions", three)}
    assert set(hits["WBG"]["recognised_by"]) == {hits["EBRD"]["statement"], hits["IDB"]["statement"]}
    assert (hits["EBRD"]["recognised_by"], hits["IDB"]["recognised_by"]) == ([], [])

    again = (await asked(agency, "first", "imports", imported(table(*rows))))["result"]
    assert (again["unchanged"], again["added"], again["proposed"]) == (3, 0, 0)
    moved = [{**rows[0], "to_date": "2028-12-09"}, *rows[1:]]
    changed = (await asked(agency, "first", "imports", imported(table(*moved))))["result"]
    assert (changed["unchanged"], changed["changed"], changed["proposed"]) == (2, 1, 1)
    await release(agency, changed["batch"], 1)

    async def superseded() -> bool:
        found = await asked(body, "officer", "screenings", {"suppliers": [{"name": "Exemplar Works"}]})
        standings = [(h["decision"]["terms"][0]["until"], h["standing"]) for h in found["answers"][0]["decisions"]]
        return ("2028-12-09", "in force") in standings and ("2026-12-09", "superseded") in standings

    await until("the moved end supersedes", superseded)
    assert MARKER not in json.dumps(await asked(agency, "first", "published"))


def test_a_country_is_read_by_the_one_list_unless_the_column_holds_something_else() -> None:
    columns = "entity_primary,aliases,country,effective_date,order_type"
    orders = mapping("us_cbp_wro").model_copy(update={"parsed_only": None})
    for written, code in (("CHINA", "CN"), ("Viet Nam", "VN"), ("越南", "VN")):
        (row,) = rulings_of(io.BytesIO(f"{columns}\nWorks,,{written},2020-01-01,WRO\n".encode()), orders, secret=SECRET)
        assert isinstance(row, ImportedRuling) and row.ruling.decision.country == code
    for each in (orders, mapping("mdb_debarment")):
        twice = [word for words in each.countries.values() for word in words if countries().read(word) is not None]
        assert twice == [], "no spelling stands in two places"
    states = mapping("us_h2_debarment")
    assert states.only_these_countries, "CA is California there, not Canada"
