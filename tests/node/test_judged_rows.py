"""What was judged of a row counts wherever the row is asked about again, and nothing new is hidden by it."""

import io
import json
from typing import Any

import pytest

from builders import FINDING_IN_CLEAR
from comity_node.domain import screening
from comity_node.domain.conventions.asking import read_example
from comity_node.domain.conventions.options import describe_likeness
from comity_node.domain.conventions.reconciling import read_batch, row_of
from comity_node.domain.screening import Question
from comity_node.domain.screening_files.results import COLUMNS
from comity_node.domain.watching.judging import VendorJudged
from comity_node.services.answering.moment import this_moment
from comity_node.services.answering.screen import screen
from comity_node.services.conventions.matching import match
from comity_node.services.screening_files.network import asking_network
from comity_node.services.screening_files.opening import open_given
from comity_node.services.screening_files.running import Account, screened
from comity_node.services.watching.judging import judge_vendor, judged_of_rows
from comity_node.vocabulary import countries
from node_world import NOW, registry_of
from supplier_desk import CNPJ, LEI, OTHER_CNPJ
from watch_room import WatchRoom, row


async def judge(room: WatchRoom, named: str, supplier: int, judged: VendorJudged) -> None:
    async with room.database.write() as store:
        await judge_vendor(store, room.officer, await room.vendor(named), supplier, judged, None, NOW)


async def results(room: WatchRoom, raw: str, whose: str | None = None) -> list[dict[str, Any]]:
    """What is written beside each row of a file, by column."""
    await room.look()
    registry = registry_of(*(p.member() for p in room.desk.publishers.values()))
    async with room.database.read() as store:
        moment = await this_moment(store, registry, NOW)
    async with asking_network(room.database, moment, None, 9, owner=whose or room.officer.id) as asker:
        parts = screened(open_given(io.BytesIO(raw.encode())), asker, countries().read, Account())
        found = [result async for part in parts for _, result in part]
    return [dict(zip(COLUMNS, each.cells(candidates=False), strict=True)) for each in found]


async def test_a_dismissed_supplier_takes_no_place_and_is_named(
    room: WatchRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screening, "MOST_CANDIDATES", 1)
    await room.keep(V1=row("Exemplar Gloves"))
    nearest = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI))
    other = await room.desk.number(await room.desk.say("Exemplar Glove Works", "city", OTHER_CNPJ))
    asked = "id,name\nV1,Exemplar Gloves\nV9,Exemplar Gloves\n"
    assert [each["supplier_id"] for each in await results(room, asked)] == [str(nearest)] * 2
    await judge(room, "V1", nearest, VendorJudged.NOT_SAME)
    now, equal = await results(room, asked)
    assert equal["supplier_id"] == str(nearest), "an equal row of which nothing was judged"
    assert (now["supplier_id"], now["verdict"]) == (str(other), "review")
    assert now["reason"].endswith(f"; judged not to be supplier {nearest} on 2026-10-01")
    of_another, _ = await results(room, asked, whose=room.other.id)
    assert of_another["supplier_id"] == str(nearest), "nobody else's judgement counts"


async def test_all_that_is_said_of_a_recognised_supplier_is_found_under_whatever_name(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    number = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI))
    await judge(room, "V1", number, VendorJudged.SAME)
    await room.desk.say("示例手套", "city", LEI)
    (found,) = await results(room, "id,name\nV1,Exemplar Gloves\n")
    assert (found["verdict"], found["state"].partition(";")[0], found["findings_current"]) == (
        "match",
        "findings shared",
        2,
    )
    assert found["reason"] == "judged to be the same on 2026-10-01"


async def test_what_a_recognised_supplier_did_itself_is_found_however_much_is_said_of_its_sites(
    room: WatchRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comity_node.services.answering.judged.MOST", 1)
    await room.keep(V1=row("Exemplar Gloves", OTHER_CNPJ))
    old = {**FINDING_IN_CLEAR["source"], "when": "2025-01"}
    number = await room.desk.number(await room.desk.say("示例手套", "agency", LEI, source=old))
    for town in ("Klang", "Ipoh"):
        await room.desk.say("示例手套", "city", LEI, subject="site", municipality=town)
    await judge(room, "V1", number, VendorJudged.SAME)
    city = room.desk.publishers["city"]
    about = {"names": [{"text": "示例手套"}], "identifiers": [LEI]}
    await room.desk.arrive("city", city.pointer(disclosed=about, **city.after(room.desk.last["city"])))
    (found,) = await results(room, f"id,name,BR-CNPJ\nV1,,{OTHER_CNPJ['id']}\n")
    assert found["findings_current"] == 1
    assert found["next_step"].startswith("Speak to city before")


async def test_a_row_that_is_asked_about_otherwise_is_asked_anew_and_says_why(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves", country="MY"))
    number = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI, country="MY"))
    await judge(room, "V1", number, VendorJudged.SAME)
    asked = (
        f"id,name,country,BR-CNPJ\nV1,Exemplar Gloves,,\nV1,Exemplar Gloves,TH,\nV1,Exemplar Gloves,MY,{CNPJ['id']}\n"
    )
    found = await results(room, asked)
    assert [each["verdict"] for each in found] == ["match", "review", "review"]
    assert found[1]["reason"].endswith("; it was judged same, but it is asked about with another country")
    assert found[2]["reason"].endswith("; it was judged same, but it is asked about with another number")


async def test_a_supplier_once_recognised_is_to_be_looked_at_also_where_nothing_else_is_alike(room: WatchRoom) -> None:
    await room.keep(V1=row("Kowalski Trading House"))
    number = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI, severity="S4"))
    await judge(room, "V1", number, VendorJudged.SAME)
    await room.keep(V1=row("Zephyr Quarry"))
    (found,) = await results(room, "id,name\nV1,Zephyr Quarry\n")
    assert (found["verdict"], found["supplier_id"], found["findings_current"]) == ("review", str(number), 1)
    assert found["reason"] == "it was judged same, but of the row name changed since"
    (other,) = await results(room, "id,name\nV1,Northwind Rubber\n")
    assert other["supplier_id"] == "", "whoever else is asked about under the row's id is not the row"


async def test_others_clients_name_the_row_and_what_was_judged_of_it_counts(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"), V2=row("Exemplar Gloves"))
    number = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI))
    await judge(room, "V1", number, VendorJudged.SAME)
    await judge(room, "V2", number, VendorJudged.NOT_SAME)
    example = read_example("Company", {"name": "Exemplar Gloves"}, countries().read)
    registry = registry_of(*(p.member() for p in room.desk.publishers.values()))
    found = await match(room.database, [example] * 3, registry, room.officer.id, NOW, ["V1", "V2", None])
    told = [[describe_likeness(c.likeness, 0.7)["match"] for c in each.candidates] for each in found]
    assert told == [[True], [], [False]]
    assert [[each.judgement.supplier for each in one.answer.set_aside] for one in found] == [[], [number], []]


@pytest.mark.parametrize(
    ("value", "said"), [("V-1", "V-1"), (["V-1"], "V-1"), (17, "17"), ([], None), ({}, None), (" ", None)]
)
def test_openrefine_names_the_row_by_a_column(value: Any, said: str | None) -> None:
    for pid in ("row", "LegalEntity:row"):
        batch = read_batch(json.dumps({"q0": {"query": "A", "properties": [{"pid": pid, "v": value}]}}))
        assert row_of(batch["q0"]) == said


@pytest.mark.parametrize(
    ("judged", "verdicts"), [(VendorJudged.SAME, ["match"] * 3), (VendorJudged.NOT_SAME, [])], ids=["same", "not same"]
)
async def test_pointers_and_audits_count_as_whom_they_name_was_judged(
    room: WatchRoom, judged: VendorJudged, verdicts: list[str]
) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    number = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI))
    agency, about = room.desk.publishers["agency"], {"names": [{"text": "Exemplar Gloves"}], "identifiers": [LEI]}
    await room.desk.arrive("agency", agency.pointer(disclosed=about, **agency.after(room.desk.last["agency"])))
    whole = {"subject": "supplier"}
    await room.desk.arrive(
        "agency", agency.notice(disclosed=about, more=whole, **agency.after(room.desk.last["agency"]))
    )
    await judge(room, "V1", number, judged)
    await room.look()
    async with room.database.read() as store:
        judgements = await judged_of_rows(store, room.officer.id, [("V1", row("Exemplar Gloves"))])
        members = registry_of(*(p.member() for p in room.desk.publishers.values()))
        (answer,) = await screen(store, [Question("Exemplar Gloves")], members, NOW, judgements)
    said = (*answer.hits, *answer.pointers, *answer.audits)
    assert [hit.likeness.verdict.value for hit in said] == verdicts
    assert [each.judgement.supplier for each in answer.set_aside] == ([] if verdicts else [number])
