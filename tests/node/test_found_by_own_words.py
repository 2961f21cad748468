"""Each statement is found by what it says itself: nothing that others say of its supplier hides it."""

import pytest_asyncio

from comity_node.db import Database
from comity_node.domain.matching.likeness import Verdict
from comity_node.domain.screening import Question
from comity_node.services.answering.moment import this_moment
from comity_node.services.answering.screen import Answer, screen, screen_at
from comity_node.services.suppliers.following import catch_up
from comity_schemas.identifiers import Identifier
from node_world import NOW, registry_of
from supplier_desk import CNPJ, LEI, OTHER_CNPJ, Desk, desk_at

ANOTHER = (Identifier.from_parsed(OTHER_CNPJ),)


@pytest_asyncio.fixture
async def desk(sqlite: Database) -> Desk:
    """A desk on SQLite, for rules that do not depend on the database."""
    return await desk_at(sqlite)


async def asked(desk: Desk, question: Question) -> Answer:
    await catch_up(desk.database)
    registry = registry_of(*(p.member() for p in desk.publishers.values()))
    async with desk.database.read() as store:
        (answer,) = await screen(store, [question], registry, NOW)
    return answer


def found_of(answer: Answer) -> dict[str, str]:
    """Who said what was found to its verdict."""
    return {hit.entry.member: hit.likeness.verdict.value for hit in answer.hits}


async def test_a_latin_name_that_one_member_gives_hides_no_native_name_that_another_gives(desk: Desk) -> None:
    await desk.say("深圳市华为电子有限公司", "agency", LEI)
    await desk.say("Completely Other Works", "city", LEI)
    answer = await asked(desk, Question("Shenzhen Huawei Electronics"))
    assert found_of(answer) == {"agency": "review", "city": "review"}
    assert [like.likeness.verdict for like in answer.suppliers] == [Verdict.REVIEW]


async def test_a_number_that_one_member_adds_speaks_against_no_other_members_finding(desk: Desk) -> None:
    await desk.say("Exemplar Gloves Kajang", "agency", LEI)
    question = Question("Exemplar Glovas Kajan Wks", None, ANOTHER)
    alone = await asked(desk, question)
    registry = registry_of(*(p.member() for p in desk.publishers.values()))
    async with desk.database.read() as store:
        then = await this_moment(store, registry, NOW)
    await desk.say("Exemplar Gloves Kajang", "city", LEI, CNPJ)
    assert found_of(alone).items() <= found_of(await asked(desk, question)).items()
    async with desk.database.read() as store:
        (as_then,) = await screen_at(store, [question], then)
    assert (found_of(as_then), as_then.verdict) == (found_of(alone), alone.verdict)


async def test_an_address_asked_for_speaks_for_whoever_is_there(desk: Desk) -> None:
    await desk.say(
        "Exemplar Northern Rubber Gloves Kajang", "agency", LEI, municipality="Port Klang", region="Selangor"
    )
    assert found_of(await asked(desk, Question("Exemplar Gloves"))) == {}
    there = Question("Exemplar Gloves", addresses=("Port Klang, Selangor",))
    assert found_of(await asked(desk, there)) == {"agency": "review"}
