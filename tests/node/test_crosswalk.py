"""The crosswalk: a clause only proposes, a person picks, the rest is not assessed; a broken file is refused whole."""

import csv
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from builders import CHECKOUT
from comity_node.domain.minimize import Policy, minimize
from comity_node.domain.vocabulary import (
    CrosswalkRefused,
    Crosswalks,
    CrosswalkUnknown,
    parse_crosswalk,
    proposals_of,
    read_articles,
)
from comity_node.vocabulary import bundled_crosswalks, crosswalks_with
from comity_schemas.indicators import CrosswalkOnly, Indicator
from node_world import Town, audit_report, comity

ALL = crosswalks_with(None)
DRAFT_SCHEMES = {"SMETA", "SA8000", "amfori BSCI", "RBA", "SLCP", "UN Supplier Code", "FAR 52.222-50", "TfS"}
OWN = """
scheme = "House rules"
versions = ["3"]
title = "Our own audit"
publisher = "Our agency"
reviewed = true

[sources]
us = "decided by our audit committee"

[[clause]]
clause = "A"
title = "Papers"
indicators = { FL07 = "stated", MS01 = "inferred" }
source = "us"

[[clause]]
clause = "B"
title = "Trees"
indicators = { EN01 = "stated" }
source = "us"
"""


def proposed(scheme: str, version: str, clause: str) -> dict[str, str]:
    return {code.value: how.value for code, how in ALL.find(scheme, version, clause).proposed.items()}


def smeta(**observation: Any) -> Any:
    tagged = {"clause": {"clause": "1"}, "severity": "S3", "indicators": [], **observation}
    return audit_report(tagged, scheme="SMETA", scheme_version="7.0")


# --- what comes with Comity


def test_the_eight_schemes_of_the_draft_are_there_and_every_row_names_its_source() -> None:
    assert {each.scheme for _, each in ALL.files} >= DRAFT_SCHEMES
    assert ALL.refused == ()
    assert sum(len(each.clause) for _, each in ALL.files) == 220
    for _, each in ALL.files:
        assert {row.source for row in each.clause} == set(each.sources), "a source that no row rests on"
        assert not each.reviewed, "a person has reviewed it: say who and when in the file, then mend this test"


def test_what_the_draft_left_out_of_the_texts_is_there() -> None:
    assert "FL12" in proposed("SA8000", "2014", "2") and "FL12" in proposed("RBA", "8.0", "A1")
    assert proposed("SA8000", "2014", "5")["HV01"] == "stated"
    assert proposed("FAR 52.222-50", "2021-11", "(b)(1)")["FL09"] == "stated"
    assert proposed("FAR 52.222-50", "2021-11", "(b)(2)") == {}
    assert "HS03" not in proposed("UN Supplier Code", "Rev.06", "9")
    assert set(proposed("UN Supplier Code", "Rev.06", "5").values()) == {"inferred"}


def test_a_clause_about_hours_never_states_excessive_overtime() -> None:
    stated = [
        (each.scheme, row.clause)
        for _, each in ALL.files
        for row in each.clause
        if row.proposed.get(Indicator("FL11")) == "stated"
    ]
    assert stated == []


def test_the_version_is_part_of_the_key() -> None:
    assert proposed("SMETA", "6.1", "10A") == {"RC03": "inferred", "RC02": "inferred", "FL07": "inferred"}
    assert proposed("SMETA", "7.0", "10A") == proposed("smeta", "7", "10a") == {}
    assert ALL.find("SMETA", "7.0", "10A").indicators.keys() == {"EN01"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("SMETTA", "7.0", "1"), "no crosswalk knows the scheme SMETTA; known are FAR 52.222-50, JP labour law"),
        (("SMETA", "8.0", "1"), "no crosswalk knows version 8.0 of SMETA; known are 6.1, 7.0, 7"),
        (("SMETA", None, "1"), "a clause of SMETA means nothing without its version; known are 6.1, 7.0, 7"),
        (("SMETA", "7.0", "99"), "SMETA 7.0 has no clause 99 here; it has 0, 1, 1A, 2"),
        (
            ("UN Supplier Code", "Rev.07", "5"),
            "no crosswalk knows version Rev.07 of UN Supplier Code; known",
        ),
    ],
)
def test_an_unknown_scheme_version_or_clause_names_the_known_ones(asked: Any, said: str) -> None:
    with pytest.raises(CrosswalkUnknown, match=f"^{said.replace('.', chr(92) + '.')}"):
        ALL.find(*asked)


def test_codes_of_the_crosswalk_only_are_never_proposed() -> None:
    rows = [row for _, each in ALL.files for row in each.clause]
    named = Counter(code for row in rows for code in row.indicators)
    assert {code.value for code in CrosswalkOnly} <= named.keys()
    assert {code for row in rows for code in row.proposed} == set(Indicator)


# --- law articles of Japan


JAPAN = ALL.scheme("JP labour law", "2016")


@pytest.mark.parametrize(
    ("cell", "clauses"),
    [
        ("最低賃金法第４条", ["MWA 4"]),
        ("労働基準法第104条の２ 労働基準法第120条", ["LSA 104-2", "LSA 120"]),
        ("労働安全衛生法第21条 労働安全衛生規則第519条 労働者派遣法第45条", ["ISHA 21", "WDA 45"]),
        ("労働安全衛生法第20 条 クレーン等安全規則第70条の５", ["ISHA 20"]),
        ("労働安全衛生法42条", ["ISHA 42"]),
        ("労働安全衛生法第91条、120条", ["ISHA 91", "ISHA 120"]),
        ("労働安全衛生法第100条 労働安全衛生規則第97条第２項", ["ISHA 100"]),
    ],
)
def test_law_articles_are_read_as_they_are_written(cell: str, clauses: list[str]) -> None:
    assert list(read_articles(cell, JAPAN).clauses) == clauses
    assert read_articles(cell, JAPAN).unread == ()


def test_what_is_no_known_law_is_told_and_not_guessed() -> None:
    found = read_articles("民法第709条 労働基準法第32条 ほか", JAPAN)
    assert found.clauses == ("LSA 32",)
    assert found.unread == ("民法第709条", "ほか")


def test_article_32_is_hours_and_no_indicator_of_forced_labour() -> None:
    assert proposed("JP labour law", "2016", "LSA 32") == {"WH01": "stated"}
    assert set(proposed("JP labour law", "2016", "LSA 5")) == {"FL03", "FL05", "FL06"}
    forced = [row.clause for row in JAPAN.clause if any(code.value.startswith("FL") for code in row.proposed)]
    assert forced == ["LSA 5", "LSA 15"]


def test_every_article_of_the_published_register_is_read_and_known() -> None:
    path = CHECKOUT.parent / "shared" / "data" / "jp_mhlw" / "labor_law_publications_corporate.tsv"
    if not path.exists():
        reason = f"{path} is absent: it lies beside the checkout, not in it"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row["violation_law"] for row in csv.DictReader(file, delimiter="\t")]
    read = [read_articles(cell, JAPAN) for cell in rows]
    assert len(rows) == 1_371
    assert [found.unread for found in read if found.unread] == []
    assert [clause for found in read for clause in found.clauses if JAPAN.find(clause) is None] == []
    assert sum("LSA 5" in found.clauses for found in read) == 3
    assert all(found.clauses for found in read)


# --- a clause only proposes


def test_smeta_7_clause_1_that_nobody_tagged_yields_no_finding_never_ten() -> None:
    untagged = smeta()
    (proposal,) = proposals_of(untagged, ALL)
    assert len(proposal.proposed) == len(proposal.not_assessed) == 10 and proposal.picked == {}
    assert minimize(untagged, Policy()).drafts == ()


def test_what_a_person_picks_leaves_and_the_rest_is_not_assessed() -> None:
    tagged = smeta(indicators=[{"indicator": "FL07", "basis": "stated"}, {"indicator": "CL01", "basis": "inferred"}])
    (proposal,) = proposals_of(tagged, ALL)
    assert set(proposal.picked) == {"FL07", "CL01"}, "a person may also pick what no clause proposes"
    assert len(proposal.not_assessed) == 9 and "FL07" not in proposal.not_assessed
    (draft,) = minimize(tagged, Policy()).drafts
    assert [found.indicator for found in draft.finding.indicators] == ["FL07", "CL01"]


def test_an_unknown_clause_and_one_that_proposes_nothing_say_so_and_hinder_nothing() -> None:
    unknown, about_trees = smeta(clause={"clause": "1.2"}), smeta(clause={"clause": "10A"})
    (first,), (second,) = proposals_of(unknown, ALL), proposals_of(about_trees, ALL)
    assert "has no clause 1.2 here" in str(first.why_none) and first.title is None
    assert "none of the indicators" in str(second.why_none) and second.title == "Environment 2-pillar"


async def test_an_untagged_import_yields_nothing_on_the_real_path_from_report_to_proposal(tmp_path: Path) -> None:
    town = Town(tmp_path)
    house = await town.found("agency")
    town.admit(town.firm_entry())
    auditor = await house.hire("greta", "auditor", firm="firm")
    reviewer = await house.hire("ana", "reviewer")
    await town.refresh()
    house.node.home.crosswalks.mkdir()
    (house.node.home.crosswalks / "own.toml").write_text(OWN)
    (house.node.home.crosswalks / "broken.toml").write_text(OWN.replace('"us"\n', '"you"\n', 1))
    async with house.api(auditor) as greta, house.api(reviewer) as ana:
        sent = await greta.post(
            "/api/v1/reports",
            content=town.signed(smeta()),
            headers={"Content-Type": "application/vnd.comity.report+json"},
        )
        report = sent.json()["id"]
        shown = (await ana.get(f"/api/v1/reports/{report}/drafts")).json()
        refused = await ana.post("/api/v1/reviews", json={"report": report, "observation": "O1"})
        listed = (await ana.get("/api/v1/vocabulary/crosswalks")).json()
        rows = await ana.get("/api/v1/vocabulary/clauses", params={"scheme": "house rules", "version": "3"})
        reviews = (await ana.get("/api/v1/reviews")).json()["items"]
    await town.close()
    assert shown["drafts"] == [] and reviews == []
    assert len(shown["proposals"][0]["proposed"]) == 10 and shown["proposals"][0]["picked"] == {}
    assert (refused.status_code, refused.json()["code"]) == (409, "review.cannot-propose")
    assert [row["clause"] for row in rows.json()["rows"]] == ["A", "B"] and rows.json()["origin"] == "own.toml"
    (broken,) = listed["refused"]
    assert (broken["file"], broken["line"]) == ("broken.toml", 12) and "'you'" in broken["reason"]


# --- a member's own file


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ('FL07 = "stated"', 'FL99 = "stated"', 14, "FL99 is no code of the vocabulary"),
        ('FL07 = "stated"', 'FL07 = "likely"', 14, "Input should be 'stated', 'inferred' or 'not assessed'"),
        ('title = "Papers"\n', "", 11, "title is missing"),
        ('title = "Trees"', 'title = "Trees"\nweight = "3"', 20, "no such key is known: weight"),
        ('versions = ["3"]', 'version = "3"', 3, "no such key is known: version"),
        ('versions = ["3"]', "versions = []", 3, "at least 1 item"),
        ('clause = "B"', 'clause = "a"', 18, "clause a stands there twice"),
        ('source = "us"', 'source = "you"', 12, "clause A names the source 'you'"),
        ('title = "Trees"', "title = Trees", 19, "it is not TOML"),
        ("reviewed = true", "reviewed = 2026-01-01", 1, "a date or time stands unquoted"),
        ("reviewed = true", 'reviewed = "yes"', 6, "valid boolean"),
    ],
)
def test_a_broken_file_is_refused_with_line_and_reason(old: str, new: str, line: int, reason: str) -> None:
    assert parse_crosswalk(OWN, "own.toml").scheme == "House rules"
    assert old in OWN
    with pytest.raises(CrosswalkRefused) as refused:
        parse_crosswalk(OWN.replace(old, new, 1), "own.toml")
    assert (refused.value.file, refused.value.line) == ("own.toml", line), refused.value
    assert reason in refused.value.reason


def test_a_file_that_says_anew_what_another_says_is_refused_whole() -> None:
    again = parse_crosswalk(OWN.replace("House rules", "smeta").replace('["3"]', '["9", "7.0"]'), "own.toml")
    found = Crosswalks.of([*bundled_crosswalks(), ("own.toml", again)])
    assert [r.file for r in found.refused] == ["own.toml"] and "smeta-7.toml" in found.refused[0].reason
    assert found.find("SMETA", "7.0", "1").title == "Employment is Freely Chosen"
    with pytest.raises(CrosswalkUnknown, match=r"refused: own\.toml"):
        found.scheme("SMETA", "9")


def test_commands_list_show_and_check(tmp_path: Path) -> None:
    folder = tmp_path / "crosswalks"
    folder.mkdir()
    good, bad = folder / "own.toml", folder / "bad.toml"
    good.write_text(OWN)
    bad.write_bytes(OWN.encode().replace(b"Trees", b"Tr\xe9es").replace(b"House", b"Other"))
    listed = comity("crosswalk", "list", "--json", COMITY_HOME=str(tmp_path))
    told = json.loads(listed.stdout)
    assert "House rules" in {each["scheme"] for each in told["crosswalks"]}
    assert [(Path(r["file"]).name, r["line"], r["reason"]) for r in told["refused"]] == [
        ("bad.toml", 19, "it is not UTF-8 text")
    ]
    shown = comity("crosswalk", "show", "SMETA", "7.0", "1")
    assert "stated: FL03, FL07, FL09, FL12" in shown.stdout and "A clause only proposes" in shown.stdout
    checked = comity("crosswalk", "check", str(good), str(bad))
    assert checked.returncode == 1 and "own.toml: House rules 3, 2 clauses, fits" in checked.stdout
    assert "line 19" in checked.stderr and "[crosswalk.refused]" in checked.stderr
    unknown = comity("crosswalk", "show", "SMETA", "9")
    assert unknown.returncode == 1 and "[crosswalk.unknown]" in unknown.stderr
