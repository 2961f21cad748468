"""Each row of a file gets what the network shares, with its state in words and what to do, all from one view."""

import asyncio
import io
import json
import multiprocessing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from comity_node.db import Database
from comity_node.domain.inherent_risk import Exploitation, GoodsRisk, RiskList
from comity_node.domain.screening import Question
from comity_node.domain.screening_files.asking import Asked
from comity_node.domain.screening_files.results import (
    CANDIDATES,
    COLUMNS,
    NOT_SEARCHED,
    Result,
    not_asked,
)
from comity_node.domain.tables.table import TableRefused
from comity_node.domain.tables.writing import form_of
from comity_node.services.answering.answers import describe
from comity_node.services.answering.moment import this_moment
from comity_node.services.answering.screen import screen_at
from comity_node.services.screening_files.network import NetworkAsker, NetworkView
from comity_node.services.screening_files.opening import open_given
from comity_node.services.screening_files.running import Account, Once, screened
from comity_node.services.screening_files.spreading import ProcessEnded, spread
from comity_node.services.suppliers.facts import add_supplier
from comity_node.services.suppliers.following import catch_up
from comity_node.vocabulary import countries
from comity_schemas.subject import SubjectType
from given_rows import asked
from node_world import NOW, registry_of
from supplier_desk import CNPJ, LEI, Desk, desk_at


@pytest_asyncio.fixture
async def desk(sqlite: Database) -> Desk:
    return await desk_at(sqlite)


async def results(desk: Desk, raw: str, risks: RiskList | None = None) -> list[dict[str, Any]]:
    """What is written beside each row, by column."""
    await catch_up(desk.database)
    registry = registry_of(*(p.member() for p in desk.publishers.values()))
    given, account = open_given(io.BytesIO(raw.encode())), Account()
    async with desk.database.read() as store:
        asker = NetworkAsker(store, await this_moment(store, registry, NOW), risks)
        found = [r async for part in screened(given, asker, countries().read, account, part=2) for _, r in part]
    return [dict(zip((*COLUMNS, CANDIDATES), each.cells(candidates=True), strict=True)) for each in found]


async def test_all_findings_are_counted_and_what_counts_today_is_shown_also_of_too_many(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comity_node.domain.screening.MOST_CANDIDATES", 2)
    for _ in range(3):
        await desk.say("Fazenda Exemplo Ltda", "agency", valid_until="2020-01-01")
    current = await desk.say("Fazenda Exemplu Ltda", "agency")
    await desk.say("Fazenda Exemplo Ltda", "city", kind="decision")
    (row,) = await results(desk, "name\nFazenda Exemplo Ltda\n")
    assert (row["findings_current"], row["findings_closed"], row["decisions"]) == (1, 3, 1)
    async with desk.database.read() as store:
        moment = await this_moment(store, registry_of(), NOW)
        (answer,) = describe(await screen_at(store, [Question("Fazenda Exemplo Ltda")], moment))["answers"]
    assert current.hash in [hit["statement"] for hit in answer["findings"]]
    assert answer["further"] == {"findings": 2, "decisions": 0}


async def test_each_row_gets_its_verdict_its_state_in_words_and_what_to_do(desk: Desk) -> None:
    made = await desk.say("Fazenda Exemplo Ltda", "agency", CNPJ)
    await desk.say("Obra Exemplar", "city", LEI, kind="decision")
    gone = await desk.say("Withdrawn Works", "agency")
    await desk.withdraw("agency", gone)
    rows = await results(
        desk,
        "id,name,country,BR-CNPJ,XI-LEI\n"
        f"1,Another Name,BR,{CNPJ['id']},\n"
        "2,Fazenda Exemplo,BR,,\n"
        f"3,Obra,,,{LEI['id']}\n"
        "4,Withdrawn Works,,,\n"
        "5,Nobody At All,,,\n"
        "6,,,,\n",
    )
    assert [row["verdict"] for row in rows] == ["match", "review", "match", "review", "none", ""]
    states = [row["state"].partition("; incomplete")[0] for row in rows]
    assert states[:3] == [
        "findings shared",
        "findings shared under a like name, identity not confirmed",
        "known, never audited",
    ]
    assert states[3:] == ["known, no finding shared", "no supplier by this name", NOT_SEARCHED]
    counts = [(row["findings_current"], row["findings_closed"], row["decisions"]) for row in rows]
    assert counts == [(1, 0, 0), (1, 0, 0), (0, 0, 1), (0, 0, 0), (0, 0, 0), (None, None, None)]
    assert (rows[0]["supplier_id"], rows[0]["supplier_name"]) == (str(await desk.number(made)), "Fazenda Exemplo Ltda")
    assert rows[0]["reason"] == f"the same BR-CNPJ {CNPJ['id']}"
    assert "A person must look" in rows[1]["next_step"] and "Read the findings" in rows[0]["next_step"]
    assert rows[4]["next_step"].startswith("No clearance") and "not screened" in rows[5]["reason"]
    assert {row["as_of"] for row in rows} == {NOW.isoformat(timespec="seconds")}
    assert json.loads(rows[1]["candidates"])[0]["id"] == rows[0]["supplier_id"]
    assert {row["risk"] for row in rows} == {""}, "off unless a member switches it on"


async def test_a_supplier_that_only_somebody_here_entered_is_named_and_is_a_candidate(desk: Desk) -> None:
    await desk.say("Exemplar Mills", "agency")
    async with desk.database.write() as store:
        entered = await add_supplier(store, desk.person, "Exemplar Milling", "MY", SubjectType.SUPPLIER, (), NOW)
    (equal,) = await results(desk, "name\nExemplar Milling\n")
    assert (equal["verdict"], equal["supplier_name"]) == ("review", "Exemplar Milling")
    assert equal["reason"] == "the name is equal: Exemplar Milling"
    assert equal["supplier_id"] == str(entered.number)
    assert json.loads(equal["candidates"])[0]["id"] == equal["supplier_id"]


async def test_where_nothing_is_found_it_says_who_was_not_heard(desk: Desk) -> None:
    await desk.say()
    desk.publishers["silent"] = type(desk.publishers["agency"])("silent")
    (row,) = await results(desk, "name\nNobody At All\n")
    assert row["state"].startswith("no supplier by this name; incomplete: 2 of 2 members not heard since ")
    assert row["next_step"].endswith("Screen again when the missing members are heard.")


async def test_inherent_risk_is_attributed_and_says_whom_it_is_not_about(desk: Desk) -> None:
    await desk.say()
    risks = RiskList((GoodsRisk("Gloves", "Manufacturing", "MY", (Exploitation.FORCED_LABOUR,), "A state's list"),), ())
    rows = await results(desk, "name,country,product\nNobody,MY,gloves\nNobody,MY,rice\nNobody,CH,gloves\n", risks)
    assert [row["risk"] for row in rows] == [
        "A state's list, of goods from this country, not of the supplier: Gloves: forced labour",
        "",
        "",
    ]


async def test_several_processes_say_the_same_from_one_view_and_one_that_is_gone_ends_the_file(desk: Desk) -> None:
    """Also when something is received, and judged here, after they began."""
    first, other = await desk.say("Exemplar Gloves", "agency"), await desk.say("Exemplar Mills", "city", LEI)
    numbers = [await desk.number(first), await desk.number(other)]
    registry = registry_of(*(p.member() for p in desk.publishers.values()))
    read, _ = asked(
        "name,LEI\nExemplar Gloves,\nExemplar Mills,\nNobody,\n,\nExemplar Gloves,\n" + f"X,{LEI['id']}\n" * 2
    )
    async with desk.database.read() as store:
        moment = await this_moment(store, registry, NOW)
        alone = [(await NetworkAsker(store, moment).ask([row]))[0] for row in read]
    view = NetworkView(desk.database.url, None, moment, None)
    async with spread(view, 2, "spawn", desk.database.write()) as asker:
        assert asker.at_once == 4
        await desk.join(*numbers)
        await desk.say("Exemplar Gloves", "later")
        said = await asyncio.gather(*(Once(asker).ask(part) for part in (read, read[:3], read[3:])))
        assert said == [alone, alone[:3], alone[3:]]
        assert [each.verdict for each in alone] == ["review", "review", "none", None, "review", "match", "match"]
        for process in multiprocessing.active_children():
            process.kill()
        with pytest.raises(ProcessEnded, match="Nothing of the file is given out"):
            await asker.ask(read)
    async with desk.database.read() as store:
        assert await NetworkAsker(store, moment).ask(read) != alone, "what was judged counts for whoever asks anew"
    assert multiprocessing.active_children() == []


async def test_rows_that_ask_the_same_are_asked_about_once() -> None:
    class Counting:
        at_once = 1
        count = 0

        async def ask(self, rows: Sequence[Asked]) -> list[Result]:
            self.count += len(rows)
            return [not_asked(row.names[0], NOW) for row in rows]

    counting = Counting()
    once = Once(counting)
    read, _ = asked("id,name,country\n1,A,MY\n2,A,MY\n3,A,SE\n4,B,MY\n")
    assert [said.reason[-1] for said in await once.ask(read)] == list("AAAB")
    assert (await once.ask(read[::-1]))[0].reason[-1] == "B" and counting.count == 3


def test_a_result_has_a_form_that_its_name_says() -> None:
    assert [form_of(Path(name)) for name in ("a.csv", "b.XLSX")] == ["csv", "xlsx"]
    with pytest.raises(TableRefused, match=r"a\.ods is neither"):
        form_of(Path("a.ods"))
