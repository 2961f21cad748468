"""Decisions read from the real lists of development banks, of the Department of Labor and of customs."""

import base64
import csv
import io
import json
from collections import Counter
from pathlib import Path

import pytest

from comity_node.domain.conventions.entities import DEBARMENT, Profile, topics
from comity_node.domain.matching.likeness import Likeness, Verdict
from comity_node.domain.register import (
    ImportedRuling,
    RowProblem,
)
from comity_node.domain.ruling import decision_handling, outgoing_decision
from comity_node.domain.screening import DecisionHit
from comity_node.domain.supplier_view import DecisionEntry, DecisionStanding, EntryState, decision_standing
from comity_node.mappings import mapping_text
from comity_schemas.decision import Decision, End, Ground, Lifted, Measure, Stand
from comity_schemas.handling import Tlp
from comity_schemas.subject import SubjectType
from node_world import Town
from rulings import BANKS, LABOR, SECRET, TODAY, asked, mapping, rulings_of, standing, taken

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
