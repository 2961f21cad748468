"""What people judged of suppliers, where it meets statements that come, have come, or stand beside: nothing is lost."""

import pytest
import pytest_asyncio

from builders import FINDING_IN_CLEAR
from comity_node.db import Database
from comity_node.db.suppliers import Wanted
from comity_node.domain.screening import Question
from comity_node.domain.suppliers.judging import JudgementContradicts
from comity_node.services.answering.moment import this_moment
from comity_node.services.answering.screen import screen, screen_at
from comity_node.services.suppliers.following import catch_up
from comity_schemas.identifiers import Identifier
from node_world import NOW, registry_of
from supplier_desk import CNPJ, LEI, OTHER_CNPJ, Desk, desk_at, said, screened


@pytest_asyncio.fixture
async def desk(sqlite: Database) -> Desk:
    """A desk on SQLite, for rules that do not depend on the database."""
    return await desk_at(sqlite)


async def test_revisions_that_are_here_already_go_along_with_what_is_put_apart(desk: Desk) -> None:
    first, wrong = await desk.say("A", "agency", LEI), await desk.say("Namesake", "city", LEI)
    revised = await desk.say("Namesake", "city", LEI, replaces=wrong.hash)
    number = await desk.number(first)
    judgement = await desk.split(number, wrong)
    assert said(await desk.show(await desk.number(wrong))).keys() == {wrong.hash, revised.hash}
    assert said(await desk.show(number)).keys() == {first.hash}
    await desk.undo(judgement)
    assert said(await desk.show(number)).keys() == {first.hash, wrong.hash, revised.hash}


async def test_what_was_put_apart_is_put_apart_again_only_once_that_is_undone(desk: Desk) -> None:
    first = await desk.say("A", "agency", LEI)
    one, other = await desk.say("Namesake", "city", LEI), await desk.say("Namesake", "city", LEI)
    judgement = await desk.split(await desk.number(first), one, other)
    apart = await desk.number(one)
    with pytest.raises(JudgementContradicts, match=judgement):
        await desk.split(apart, one)
    assert await desk.number(one) == await desk.number(other) == apart


async def test_a_revision_of_what_was_put_apart_is_found_by_the_name_that_it_gives(desk: Desk) -> None:
    first, wrong = await desk.say("A", "agency", LEI), await desk.say("Namesake", "city", LEI)
    judgement = await desk.split(await desk.number(first), wrong)
    revised = await desk.say("Quite Another Works", "city", LEI, replaces=wrong.hash)
    assert revised.hash in {hit.entry.hash for hit in (await screened(desk, name="Quite Another Works")).hits}
    names = {n["text"] for n in (await desk.show(await desk.number(first)))["names"]}
    assert "Quite Another Works" not in names
    await desk.undo(judgement)
    assert revised.hash in {hit.entry.hash for hit in (await screened(desk, name="Quite Another Works")).hits}


async def test_whoever_is_joined_with_nobody_is_answered_as_of_a_moment_while_others_are_joined(
    database: Database,
) -> None:
    desk = await desk_at(database)
    joined = [await desk.say("Alpha", "agency", CNPJ), await desk.say("Beta", "city", OTHER_CNPJ)]
    await desk.join(*[await desk.number(made) for made in joined])
    one = await desk.say("Gamma", "agency", LEI)
    registry = registry_of(*(p.member() for p in desk.publishers.values()))
    async with desk.database.read() as store:
        moment = await this_moment(store, registry, NOW)
    later = await desk.say("Gamma", "city", LEI)
    assert await desk.number(later) == await desk.number(one)
    async with desk.database.read() as store:
        (answer,) = await screen_at(store, [Question(None, None, (Identifier.from_parsed(LEI),))], moment)
    assert [hit.entry.hash for hit in answer.hits] == [one.hash]


async def test_whom_to_speak_to_before_contacting_a_joined_supplier_is_told(desk: Desk) -> None:
    one, two = await desk.say("Alpha", "agency", LEI), await desk.say("Beta", "city", CNPJ)
    agency = desk.publishers["agency"]
    about = {"names": [{"text": "Alpha"}], "identifiers": [LEI]}
    pointer = await desk.arrive("agency", agency.pointer(disclosed=about, **agency.after(desk.last["agency"])))
    audit = await desk.arrive("agency", agency.notice(disclosed=about, **agency.after(desk.last["agency"])))
    await desk.join(await desk.number(one), await desk.number(two))
    answer = await screened(desk, CNPJ)
    assert [(hit.entry.hash, hit.likeness.verdict.value) for hit in answer.pointers] == [(pointer.hash, "match")]
    assert [hit.entry.hash for hit in answer.audits] == [audit.hash]
    by_itself = await screened(desk, LEI)
    assert [hit.likeness.reason for hit in by_itself.pointers] == [f"the same XI-LEI {LEI['id']}"]


async def test_a_clients_labour_provider_is_named_however_much_is_said_of_the_client(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comity_node.services.suppliers.screened.MOST", 1)
    supplies = {"supplies_to": [{"names": [{"text": "Client Ltd"}], "identifiers": [CNPJ]}]}
    old = {**FINDING_IN_CLEAR["source"], "when": "2025-01"}
    agent = await desk.say("Agent Ltd", "city", LEI, subject="labour-provider", more=supplies, source=old)
    await desk.say("Client Ltd", "agency", CNPJ)
    assert [through.statements for through in (await screened(desk, CNPJ)).through] == [(agent.hash,)]


async def test_what_a_joined_supplier_did_itself_is_told_however_much_is_said_of_its_sites(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comity_node.services.suppliers.screened.MOST", 1)
    old = {**FINDING_IN_CLEAR["source"], "when": "2025-01"}
    own, other = await desk.say("Alpha", "agency", LEI, source=old), await desk.say("Beta", "city", CNPJ, source=old)
    for town in ("Klang", "Ipoh"):
        await desk.say("Alpha", "agency", LEI, subject="site", municipality=town, country="MY")
    await desk.join(await desk.number(own), await desk.number(other))
    assert {hit.entry.hash for hit in (await screened(desk, CNPJ)).hits} == {own.hash, other.hash}


async def test_a_number_that_somebody_wrote_beside_says_of_no_other_statement_that_it_is_the_same_company(
    desk: Desk,
) -> None:
    bridge = await desk.say("Bridge", "rogue", LEI, CNPJ)
    third = await desk.say("Third", "city", LEI)
    answer = await screened(desk, {"scheme": "BR-CNPJ", "id": "00000000000272"})
    verdicts = {hit.entry.hash: hit.likeness.verdict.value for hit in answer.hits}
    assert verdicts == {bridge.hash: "same company, other site", third.hash: "review"}


async def test_a_places_number_is_no_number_of_its_organisation(desk: Desk) -> None:
    gln, osid = {"scheme": "GLN", "id": "4012345000009"}, {"scheme": "OSID", "id": "AE20220878C91ZR"}
    site = await desk.say("Exemplar Gloves", "agency", LEI, gln, osid, subject="site", country="MY")
    (operator,) = (await desk.show(await desk.number(site)))["operated_by"]
    shown = await desk.show(operator["number"])
    assert [i["scheme"] for i in shown["identifiers"]] == ["XI-LEI"]
    assert {i["scheme"] for i in (await desk.show(await desk.number(site)))["identifiers"]} == {"GLN", "OSID"}


async def test_whoever_reads_an_older_view_misses_nobody_whom_others_have_followed_since(database: Database) -> None:
    desk = await desk_at(database)
    made = await desk.say("Exemplar Gloves", "agency", LEI)
    registry = registry_of(*(p.member() for p in desk.publishers.values()))
    async with database.read() as older:
        assert await older.suppliers.behind() == 1
        await catch_up(database)
        async with database.read() as newer:
            assert not (await newer.behind.names()).entries
        (answer,) = await screen(older, [Question("Exemplar Gloves")], registry, NOW)
    assert [hit.entry.hash for hit in answer.hits] == [made.hash]


async def test_nobody_and_no_row_is_found_by_a_sign_that_postgresql_cannot_keep(database: Database) -> None:
    async with database.read() as store:
        assert await store.suppliers.page(Wanted(name="\0"), skip=0, most=1) == []
        assert await store.vendors.of_rows("ada", ["V\0"]) == {}


async def test_whoever_is_joined_with_the_one_asked_about_is_as_sure_also_where_its_own_name_is_like(
    desk: Desk,
) -> None:
    by_number = await desk.say("Fazenda Exemplo Ltda", "agency", CNPJ)
    by_name = await desk.say("Fazenda Exemplo Ltda", "city")
    namesake = await desk.say("Fazenda Exemplo Ltda", "body")

    async def verdicts() -> dict[str, str]:
        answer = await screened(desk, CNPJ, name="Fazenda Exemplo Ltda")
        return {hit.entry.hash: hit.likeness.verdict.value for hit in answer.hits}

    before = {by_number.hash: "match", by_name.hash: "review", namesake.hash: "review"}
    assert await verdicts() == before
    judgement = await desk.join(await desk.number(by_number), await desk.number(by_name))
    assert await verdicts() == {**before, by_name.hash: "match"}
    (told,) = [h for h in (await screened(desk, CNPJ)).hits if h.entry.hash == by_name.hash]
    assert told.likeness.reason.startswith("joined with what was found, by Ana on")
    await desk.undo(judgement)
    assert await verdicts() == before


async def test_a_labour_providers_finding_that_was_set_aside_is_none_of_it(desk: Desk) -> None:
    more = {"supplies_to": [{"names": [{"text": "Exemplar"}], "identifiers": [CNPJ]}]}
    said = await desk.say("Quick Hands", "agency", LEI, subject="labour-provider", more=more)
    await desk.say("Quick Hands", "city", LEI, subject="labour-provider", status="overturned")
    (through,) = (await screened(desk, CNPJ)).through
    assert through.statements == (said.hash,)
