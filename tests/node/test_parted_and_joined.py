"""What people judged of suppliers, where it meets statements that come, have come, or stand beside: nothing is lost."""

import pytest_asyncio

from comity_node.db import Database
from comity_node.domain.screening import Question
from comity_node.services.answering.screen import Answer, screen
from comity_node.services.suppliers.following import catch_up
from comity_schemas.identifiers import Identifier
from node_world import NOW, registry_of
from supplier_desk import LEI, Desk, desk_at


@pytest_asyncio.fixture
async def desk(sqlite: Database) -> Desk:
    """A desk on SQLite, for rules that do not depend on the database."""
    return await desk_at(sqlite)


async def screened(desk: Desk, *identifiers: dict[str, str], name: str | None = None) -> Answer:
    await catch_up(desk.database)
    registry = registry_of(*(p.member() for p in desk.publishers.values()))
    question = Question(name, None, tuple(Identifier.from_parsed(i) for i in identifiers))
    async with desk.database.read() as store:
        (answer,) = await screen(store, [question], registry, NOW)
    return answer


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
