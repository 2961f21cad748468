"""Inherent risk: a state's list, local, attributed on every line, off by default, and never published."""

from collections import Counter
from pathlib import Path

import pytest

from builders import CHECKOUT
from comity_node.domain.inherent_risk import TVPRA, Exploitation, GoodsRisk, RiskList, read_goods_risks
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
    assert known == {"api/risks.py"}
