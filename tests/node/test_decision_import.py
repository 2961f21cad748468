"""Registers of decisions become rulings: what is read, what is tied, what can leave; real lists and invented rows."""

import base64
import csv
import io
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from comity_node.domain.conventions.entities import DEBARMENT, Profile, topics
from comity_node.domain.matching.likeness import Likeness, Verdict
from comity_node.domain.register import (
    DecisionMapping,
    ImportedRuling,
    MappingRefused,
    ProblemKind,
    RowProblem,
    parse_decision_mapping,
    read_rulings,
)
from comity_node.domain.register.aliases import NameReading, read_names, read_other_name
from comity_node.domain.ruling import decision_handling, outgoing_decision
from comity_node.domain.screening import DecisionHit
from comity_node.domain.supplier_view import DecisionEntry, DecisionStanding, EntryState, decision_standing
from comity_node.mappings import mapping_text
from comity_node.vocabulary import countries
from comity_schemas.decision import Decision, End, Ground, Lifted, Measure, Stand
from comity_schemas.handling import Tlp
from comity_schemas.member import Role
from comity_schemas.subject import NameKind, SubjectType
from heard import open_sample
from node_world import House, Town, exchanging, until

SECRET = b"a secret of this node, for tests"
TODAY = date(2026, 11, 22)
rulings_of = partial(read_rulings, read_country=countries().read)
MARKER = "ZQXJ"


def mapping(name: str) -> DecisionMapping:
    read = parse_decision_mapping(mapping_text(name))
    assert read is not None
    return read


BANKS, LABOR = mapping("mdb_debarment"), mapping("us_h2_debarment")


def taken(rows: list[ImportedRuling | RowProblem]) -> list[ImportedRuling]:
    assert [row for row in rows if isinstance(row, RowProblem)] == []
    return [row for row in rows if isinstance(row, ImportedRuling)]


def standing(decision: Decision) -> DecisionStanding:
    terms = decision_handling(decision)
    return decision_standing(DecisionEntry("H" * 43, "agency", 1, terms, decision, EntryState.CURRENT), TODAY)


# --- the real list of the development banks


@pytest.fixture(scope="module")
def banks_file(shared_data: Path) -> bytes:
    return (shared_data / "mdb_debarment" / "records.csv").read_bytes()


@pytest.fixture(scope="module")
def banks(banks_file: bytes) -> dict[str, Decision]:
    """The decisions by the numbers that the collection gave its rows; they are no part of an identity."""
    ids = [row["id"] for row in csv.DictReader(io.StringIO(banks_file.decode("utf-8-sig")))]
    rows = taken(rulings_of(io.BytesIO(banks_file), BANKS, secret=SECRET))
    assert len({row.identity for row in rows}) == len(ids)
    return dict(zip(ids, (row.ruling.decision for row in rows), strict=True))


def test_the_banks_list_is_2818_decisions_887_original_and_1931_recognitions(banks: dict[str, Decision]) -> None:
    assert Counter(d.act.type for d in banks.values()) == {"original": 887, "recognition": 1931}
    assert {d.stand for d in banks.values()} == {Stand.RELAYS}
    recognised = Counter(d.act.of.code for d in banks.values() if d.act.of is not None)
    assert recognised == {"WBG": 771, "ADB": 813, "IDB": 177, "AFDB": 155, "EBRD": 15}


def test_cnn_caucasia_is_one_decision_and_two_recognitions(banks: dict[str, Decision]) -> None:
    first, *others = (banks[name] for name in ("WB-0001", "EBRD-0090", "IDB-0114"))
    assert (first.authority.code, first.act.type) == ("WBG", "original")
    assert [(d.authority.code, d.act.of and d.act.of.code, d.act.reference) for d in others] == [
        ("EBRD", "WBG", first.reference),
        ("IDB", "WBG", first.reference),
    ]


def test_recognitions_are_tied_only_to_what_the_labelled_pairs_call_the_same_firm(
    banks: dict[str, Decision], shared_data: Path
) -> None:
    by_reference = {d.reference: name for name, d in banks.items()}
    tied = {n: by_reference[d.act.reference] for n, d in banks.items() if d.act.reference is not None}
    assert len(tied) == 739
    with (shared_data / "mdb_debarment" / "pairs_hard_negative_siblings.csv").open() as file:
        siblings = {frozenset((row["a_id"], row["b_id"])) for row in csv.DictReader(file)}
    assert not siblings & {frozenset(pair) for pair in tied.items()}
    with (shared_data / "mdb_debarment" / "pairs_positive_by_sanction_key.csv").open() as file:
        pairs = [(row["a_id"], row["b_id"]) for row in csv.DictReader(file)]
    known = [(tied.get(b), a) for pair in pairs for a, b in (pair, pair[::-1]) if follows(banks, b, a)]
    assert Counter("right" if found == wanted else found for found, wanted in known) == {"right": 65, None: 8}


def follows(banks: dict[str, Decision], recognition: str, original: str) -> bool:
    of = banks[recognition].act.of
    return of is not None and banks[original].act.of is None and banks[original].authority.code == of.code


def test_two_branches_of_one_latin_name_are_told_apart_and_tied_to_by_nobody(banks: dict[str, Decision]) -> None:
    one, other = banks["WB-0012"], banks["WB-0155"]
    assert one.names is not None and other.names is not None
    assert one.names[0] == other.names[0] and one.names[1] != other.names[1]
    assert not {one.reference, other.reference} & {d.act.reference for d in banks.values()}


def test_ongoing_indefinite_2999_permanent_and_empty_are_five_meanings(banks: dict[str, Decision]) -> None:
    ends = Counter(term.end for d in banks.values() for term in d.terms)
    assert ends == {
        End.DATE: 1728,
        End.ONGOING: 632,
        End.PLACEHOLDER: 447,
        End.INDEFINITE: 7,
        End.PERMANENT: 2,
        End.NOT_STATED: 2,
    }
    assert not any("2999" in d.model_dump_json() for d in banks.values())


def test_no_bank_carries_a_labour_indicator_or_ground(banks: dict[str, Decision]) -> None:
    grounds = {ground for d in banks.values() for ground in d.grounds}
    assert not grounds & {Ground.FORCED_LABOUR, Ground.TRAFFICKING, Ground.LABOUR_PROGRAMME}
    assert not any("indicators" in d.to_parsed() for d in banks.values())
    # Where a cross debarment names no ground, none is made up; eight rows name a rule that tells no practice.
    assert sum(not d.grounds for d in banks.values()) == 401
    assert sum(d.grounds == (Ground.OTHER,) for d in banks.values()) == 8


def test_no_bank_s_decision_gives_the_topic_forced_labor_and_only_exclusions_in_force_give_debarment(
    banks: dict[str, Decision],
) -> None:
    given = Counter[tuple[str, ...]]()
    for decision in banks.values():
        terms = decision_handling(decision)
        entry = DecisionEntry("H" * 43, "agency", 1, terms, decision, EntryState.CURRENT)
        hit = DecisionHit(entry, decision_standing(entry, TODAY), Likeness(Verdict.MATCH))
        profile = Profile(1, (), decision.subject, ("Somebody",), (), (), (), (hit,))
        given[topics(profile, TODAY)] += 1
        assert (DEBARMENT in topics(profile, TODAY)) == (
            decision.measure is Measure.EXCLUSION and standing(decision) is DecisionStanding.IN_FORCE
        )
    assert sum(given.values()) == 2_818
    assert set(given) == {(), (DEBARMENT,)}
    assert given[(DEBARMENT,)] > 1_000 and given[()] > 100


def test_aliases_are_names_of_their_own_and_remarks_are_none(banks: dict[str, Decision]) -> None:
    names = {key: [(n.text, n.kind.value) for n in d.names or ()] for key, d in banks.items()}
    written = {name: key for key, found in names.items() for name, _ in found}
    assert len(names["WB-0008"]) == 1, "a limit of the exclusion is no name"
    assert [n for n in written if "REG. NO" in n.upper() or "KNOWN AS" in n.upper() or n.endswith("(")] == []
    assert ("A2Z POWERTECH LTD.", "former") in names[written["RISHIKESH WASTE MANAGEMENT LTD."]]
    assert ("MUE Group", "trading") in names[written["Al Ula Engineering Bureau"]]
    assert sum(len(found) > 1 for found in names.values()) > 400


def test_nothing_of_an_address_or_of_the_banks_words_leaves(banks_file: bytes) -> None:
    for row in taken(rulings_of(io.BytesIO(banks_file), BANKS, secret=SECRET))[::7]:
        decision = row.ruling.decision
        out = outgoing_decision(decision, decision_handling(decision))
        leaves = json.dumps([out.body, out.disclosed], ensure_ascii=False)
        said = {w.what: w.words for w in row.ruling.written}
        for column in ("address", "grounds"):
            assert len(said.get(column, "")) < 12 or said[column] not in leaves
        assert out.withheld == {}
        assert out.handling.tlp is (Tlp.GREEN if decision.named_after_person else Tlp.CLEAR)


# --- the real debarments of the Department of Labor


@pytest.fixture(scope="module")
def labor(shared_data: Path) -> dict[str, Decision]:
    raw = (shared_data / "us_h2_debarment" / "debarments_2010_2014_businesses.csv").read_bytes()
    rows = taken(rulings_of(io.BytesIO(raw), LABOR, secret=SECRET))
    assert len(rows) == len({row.identity for row in rows}) == 109
    return {row.ruling.written[0].words: row.ruling.decision for row in rows}


def test_castro_was_overturned_and_noble_and_meyers_were_rescinded(labor: dict[str, Decision]) -> None:
    lifted = {name: d.lifted for name, d in labor.items() if d.lifted is not None}
    assert lifted == {
        "Castro Harvesting": Lifted.OVERTURNED,
        "Noble Farm": Lifted.RESCINDED,
        "Douglas Meyers Farms": Lifted.RESCINDED,
    }
    assert {standing(labor[name]) for name in lifted} == {DecisionStanding.LIFTED}


def test_where_lists_of_swa_tobacco_and_gem_interiors_disagree_both_dates_are_shown(labor: dict[str, Decision]) -> None:
    disagree = {
        n: [(t.source, str(t.start), str(t.until)) for t in d.terms] for n, d in labor.items() if len(d.terms) > 1
    }
    assert disagree["SWA Tobacco"] == [
        ("published-lists", "2012-06-07", "2014-06-06"),
        ("oflc-spreadsheet", "2012-06-07", "2013-06-06"),
    ]
    assert disagree["G.E.M. Interiors, Inc."] == [
        ("published-lists", "2013-02-13", "2016-02-12"),
        ("another-document", "2013-02-13", "2016-02-13"),
    ]
    # Of four more the spreadsheet has both dates a year later; the notes say so.
    assert sorted(set(disagree) - {"SWA Tobacco", "G.E.M. Interiors, Inc."}) == [
        "GF Farm, Inc. DBA Sand Creek Farm",
        "Ponderosa Land & Cattle",
        "R&K Doyle Harvesting Ltd.",
        "Trimco Nurseries",
    ]


def test_only_international_labor_management_is_in_force_permanently(labor: dict[str, Decision]) -> None:
    shown = Counter(standing(d) for d in labor.values())
    in_force = [name for name, d in labor.items() if standing(d) is DecisionStanding.IN_FORCE]
    assert in_force == ["International Labor Management Corp."]
    assert labor[in_force[0]].terms[0].end is End.PERMANENT
    assert set(shown) == {DecisionStanding.IN_FORCE, DecisionStanding.ENDED, DecisionStanding.LIFTED}


def test_global_horizons_and_rolle_are_labour_providers(labor: dict[str, Decision]) -> None:
    providers = [name for name, d in labor.items() if d.subject is SubjectType.LABOUR_PROVIDER]
    assert providers == ["Global Horizons Manpower, Inc.", "Rolle Farm Labor Contractor"]


def test_a_debarment_from_a_labour_programme_is_no_indicator_and_tells_no_town(labor: dict[str, Decision]) -> None:
    assert {d.grounds for d in labor.values()} == {(Ground.LABOUR_PROGRAMME,)}
    # By name: two of the 109 rows are firms that were barred a second time.
    assert Counter(d.country for d in labor.values()) == {"US": 103, "CA": 1, None: 3}
    assert {len(d.region or "XX") for d in labor.values()} == {2}


def test_a_firm_that_trades_under_somebodys_name_is_flagged_and_the_name_stays(labor: dict[str, Decision]) -> None:
    one = labor["RSF Harvesting Corporation/DBA Roger St Fleur"]
    assert ([n.text for n in one.names or ()], one.named_after_person) == (["RSF Harvesting Corporation"], True)
    assert decision_handling(one).tlp is Tlp.GREEN


# --- orders of customs: parsed only


def test_of_54_customs_orders_five_are_findings_and_would_be_decisions(shared_data: Path) -> None:
    raw = (shared_data / "us_cbp_wro" / "wro_findings_secondary_copy.csv").read_bytes()
    orders = mapping("us_cbp_wro")
    read_them = rulings_of(io.BytesIO(raw), orders, secret=SECRET)
    rows = [row for row in read_them if isinstance(row, ImportedRuling)]
    # One order is about all goods of a fleet, in a sentence that is no name.
    assert (len(read_them), [row.line for row in read_them if isinstance(row, RowProblem)]) == (54, [48])
    assert Counter(row.ruling.decision.measure for row in rows) == {Measure.SUSPENSION: 48, Measure.EXCLUSION: 5}
    assert orders.parsed_only is not None


async def test_what_is_parsed_only_is_counted_and_nothing_of_it_is_kept(town: Town) -> None:
    house = await town.found("agency")
    await town.refresh()
    await house.hire("first", "reviewer")
    raw = b"entity_primary,aliases,country,effective_date,order_type\nExemplar Works,A|B,China,2020-01-01,WRO\n"
    body = {"mapping": mapping_text("us_cbp_wro"), "table": base64.b64encode(raw).decode("ascii")}
    done = (await asked(house, "first", "imports", body))["result"]
    assert (done["rows"], done["added"], done["proposed"], done["left_out"]) == (1, 0, 0, {"parsed-only": 1})
    assert "secondary copy" in done["problems"][0]["reason"]
    assert (await asked(house, "first", "reviews"))["items"] == []


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


async def asked(house: House, who: str, path: str, body: Any = None) -> Any:
    async with house.api(house.people[who]) as api:
        answer = await (api.get(f"/api/v1/{path}") if body is None else api.post(f"/api/v1/{path}", json=body))
    assert answer.is_success, answer.text
    return answer.json()


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
