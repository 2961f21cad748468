"""Inherent risk: a state's list, local, attributed on every line, off by default, and never published."""

from collections import Counter
from pathlib import Path

import pytest
import typer

from builders import CHECKOUT
from comity_node.cli.risk import risk
from comity_node.domain.inherent_risk import (
    TVPRA,
    Exploitation,
    GoodsRisk,
    Level,
    RiskList,
    Sourced,
    rank,
    read_goods_risks,
)
from comity_node.vocabulary import countries
from comity_schemas.statement import BODIES, Kind
from node_world import Town

HEADER = "good,sector,country,child_labor,forced_labor,forced_child_labor,derived_exploitation"


@pytest.fixture(scope="module")
def real_list(shared_data: Path) -> RiskList:
    with (shared_data / "us_dol_tvpra" / "goods_by_country.csv").open("rb") as stream:
        return read_goods_risks(stream, countries().read)


def test_the_real_list_is_467_goods_by_country_and_every_line_says_whose_word_it_is(real_list: RiskList) -> None:
    assert (len(real_list.risks), real_list.refused) == (467, ())
    assert {risk.according_to for risk in real_list.risks} == {TVPRA}
    told = Counter(what for risk in real_list.risks for what in risk.says)
    assert (told[Exploitation.FORCED_LABOUR], all(risk.says for risk in real_list.risks)) == (121, True)


def test_burma_of_the_list_is_asked_for_as_myanmar(real_list: RiskList) -> None:
    assert {risk.good for risk in real_list.find("MM")} >= {"Bamboo", "Jade"}


def test_a_good_is_found_by_words_of_its_name_without_accents(real_list: RiskList) -> None:
    assert {(r.good, r.country) for r in real_list.find(good="acai berries")} == {("Açaí Berries", "BR")}
    assert real_list.find("BR", "bricks") and not real_list.find("SE", "bricks")


@pytest.mark.parametrize("good", ["coal", "-", "\u0301", " "])
def test_no_good_stands_for_another_that_only_has_its_letters_nor_one_without_words_for_all(good: str) -> None:
    charcoal = GoodsRisk("Charcoal", "M", "BR", (Exploitation.FORCED_LABOUR,), TVPRA)
    (ranked,) = rank([Sourced("V1", "BR", (good,))], RiskList((charcoal,), ()))
    assert ranked.level is Level.OTHER_GOODS


@pytest.mark.parametrize(
    "row",
    [
        "Bricks,M,Atlantis,Yes,No,No,No",
        "Bricks,M,Brazil,Maybe,No,No,No",
        ",M,Brazil,Yes,No,No,No",
        "Bricks,M,Brazil,No,No,No,No",
    ],
)
def test_a_line_that_does_not_fit_is_refused_without_its_content(row: str, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"{HEADER}\n{row}\nBricks,M,Brazil,Yes,No,No,No\n", "utf-8")
    with file.open("rb") as stream:
        read = read_goods_risks(stream, countries().read)
    assert (len(read.risks), [problem.line for problem in read.refused]) == (1, [2])
    assert not {"Atlantis", "Maybe"} & set(read.refused[0].reason.split())


async def test_it_is_off_by_default_and_local_when_it_is_on(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "goods.csv"
    file.write_text(f"{HEADER}\nBricks,Manufacturing,Burma,Yes,Yes,No,No\n", "utf-8")
    off = await town.found("agency")
    on = await town.found("body", more={"goods_risk_file": str(file)})
    await town.refresh()
    said = {}
    for house in (off, on):
        officer = await house.hire("officer", "officer")
        async with house.api(officer) as api:
            said[house.slug] = (await api.get("/api/v1/risks", params={"country": "MM", "good": "brick"})).json()
    assert (said["agency"]["on"], said["agency"]["risks"]) == (False, [])
    assert said["body"]["risks"] == [
        {
            "good": "Bricks",
            "sector": "Manufacturing",
            "country": "MM",
            "says": ["child labour", "forced labour"],
            "according_to": TVPRA,
        }
    ]
    assert "not this node's opinion" in said["body"]["words"]


def test_a_risk_can_be_no_statement_and_no_part_that_publishes_knows_it() -> None:
    assert GoodsRisk not in BODIES.values() and not any("risk" in kind for kind in Kind)
    node = CHECKOUT / "node" / "comity_node"
    known = {str(path.relative_to(node)) for path in node.rglob("*.py") if "inherent_risk" in path.read_text("utf-8")}
    publishing = ("services/publishing", "services/review", "services/reports", "services/peers", "workers", "db")
    assert "api/risks.py" in known
    assert [path for path in sorted(known) if path.startswith(publishing)] == []


# --- ranked


def test_rows_are_ranked_by_what_the_list_says_of_country_and_good_and_each_says_why(real_list: RiskList) -> None:
    rows = [
        Sourced("nowhere", None, ("cotton",)),
        Sourced("clean so far", "SE", ("steel",)),
        Sourced("another good", "BR", ("aircraft",)),
        Sourced("children", "BR", ("acai berries",)),
        Sourced("made of", "CN", ("solar cells",)),
        Sourced("forced", "IN", ("bricks", "bricks")),
        Sourced("forced twice", "CN", ("cotton", "gloves")),
    ]
    ranked = rank(rows, real_list)
    assert [(each.row.row, each.level) for each in ranked] == [
        ("forced twice", Level.FORCED_LABOUR),
        ("forced", Level.FORCED_LABOUR),
        ("children", Level.CHILD_LABOUR),
        ("made of", Level.MADE_OF),
        ("another good", Level.OTHER_GOODS),
        ("clean so far", Level.NOTHING),
        ("nowhere", Level.NOT_ASKED),
    ]
    assert {line.country for line in ranked[0].lines} == {"CN"}
    assert all(line.according_to == TVPRA for each in ranked for line in each.lines)
    assert "no clearance" in Level.NOTHING.value


async def test_a_risk_stands_beside_an_answer_and_changes_nothing_in_it(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "goods.csv"
    file.write_text(f"{HEADER}\nBricks,Manufacturing,Burma,Yes,Yes,No,No\n", "utf-8")
    house = await town.found("body", more={"goods_risk_file": str(file)})
    await town.refresh()
    asked = {"name": "Exemplar Bricks", "country": "MM"}
    rows = [{"row": "V-2"}, {"row": "V-1", "goods": ["bricks"]}, {"row": "V-3", "country": "SE", "goods": ["bricks"]}]
    async with house.api(await house.hire("officer", "officer")) as api:
        plain = (await api.post("/api/v1/screenings", json={"suppliers": [asked]})).json()
        with_goods = {"suppliers": [{**asked, "goods": ["bricks"]}, {**asked, "country": "SE"}]}
        beside = (await api.post("/api/v1/screenings", json=with_goods)).json()
        kept = [{"row": "V-1", "name": "Exemplar Bricks", "country": "MM"}]
        await api.post("/api/v1/vendors", json={"rows": kept})
        ranked = (await api.post("/api/v1/risks/rank", json={"rows": rows})).json()
    assert (plain["inherent_risk"], beside["answers"][0]["state"]) == (None, plain["answers"][0]["state"])
    first, second = beside["inherent_risk"]["rows"]
    assert (first["because"], second["because"]) == (Level.FORCED_LABOUR.value, Level.NOTHING.value)
    assert (first["lines"][0]["according_to"], beside["answers"][0].keys()) == (TVPRA, plain["answers"][0].keys())
    # The country of V-1 is that of the officer's own watched row.
    assert [(each["row"], each["country"]) for each in ranked["rows"]] == [("V-1", "MM"), ("V-3", "SE"), ("V-2", None)]
    assert "not this node's opinion" in ranked["words"]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (b"row,country,good\nV1,BR,bricks\n", "has no column 'goods'"),
        (b"row;country;goods\nV1;BR;bricks\n", "its delimiter seems to be ';'"),
        ("row,country,goods\nV1,BR,Açaí Berries\n".encode("windows-1252"), "line 2"),
    ],
)
def test_rows_that_cannot_be_read_are_refused_in_words_and_none_is_ranked(
    written: bytes, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes(written)
    with pytest.raises(typer.Exit):
        risk(None, None, file)
    assert why in capsys.readouterr().err
