"""Reading past SQLAlchemy: one statement for both databases, within the transaction, and few steps for a screening."""

from typing import Any

import aiosqlite.core
import pytest

from comity_node.db import Database
from comity_node.db.reading import Reading
from comity_node.db.rows.people import PersonRow
from comity_node.db.suppliers import NewSupplier
from comity_node.domain.screening import Question
from comity_node.services.answering.concerned import concerned
from comity_node.services.searching.indexing import Indexer
from comity_schemas.identifiers import Identifier
from comity_schemas.subject import SubjectType

MOST_STEPS = 15
"""Of SQLite's thread for one question, when nobody says anything: each takes longer than what the database does."""


NUMBER = Identifier(scheme="BR-CNPJ", id="54951803000150")


async def know(database: Database, *countries: str) -> None:
    async with database.write() as store:
        for n, country in enumerate(countries, 1):
            names = (f"Works {n}", f"Also {n}")
            await store.suppliers.ensure([NewSupplier(f"entered:{n}", SubjectType.SUPPLIER, names, (NUMBER,), country)])


async def test_numbers_and_values_go_in_on_both_databases(database: Database) -> None:
    await know(database, "MY", "MY", "BD", "MY")
    async with database.read() as store:
        reading = Reading(store._session)
        asked = "select number from supplier where number {these} and country = ? and name <> ? order by number"
        assert [n for (n,) in await reading.rows(asked, [1, 2, 3, 9], ("MY", "Works 2"))] == [1]
        assert list(await reading.rows(asked, [], ("MY", "Works 2"))) == []
        twice = "select 1 from supplier where number {these} union all select 2 from supplier where number {these}"
        assert sorted(n for (n,) in await reading.rows(twice, [1, 4])) == [1, 1, 2, 2]


async def test_it_is_within_the_transaction_and_sees_what_is_held_back(database: Database) -> None:
    count = "select count(*) from person where name = ?"
    async with database.read() as before:
        # SQLite's view begins with the first question.
        assert (await Reading(before._session).rows(count, (), ("ana",)))[0][0] == 0
        async with database.write() as store:
            store._session.add(PersonRow(id="p1", name="ana", roles="[]"))
            assert (await Reading(store._session).rows(count, (), ("ana",)))[0][0] == 1
        assert (await Reading(before._session).rows(count, (), ("ana",)))[0][0] == 0
    async with database.read() as after:
        assert (await Reading(after._session).rows(count, (), ("ana",)))[0][0] == 1


async def test_a_supplier_is_described_by_all_that_is_said_in_the_order_of_the_letters(database: Database) -> None:
    await know(database, "MY", "BD")
    async with database.read() as store:
        described = await store.suppliers.described([2, 1, 7])
    assert sorted(described) == [1, 2]
    assert (list(described[2].names), described[2].countries) == (["Also 2", "Works 2"], {"BD"})
    assert described[1].identifiers == [(NUMBER.scheme, NUMBER.id)]
    assert (described[1].known.number, described[1].known.whole, described[1].known.country) == (1, 1, "MY")


async def test_a_question_takes_few_steps(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await know(sqlite, "MY", "BD")
    await Indexer(sqlite).finish()
    steps, execute = 0, aiosqlite.core.Connection._execute

    async def counted(self: Any, *given: Any, **more: Any) -> Any:
        nonlocal steps
        steps += 1
        return await execute(self, *given, **more)

    async with sqlite.read():
        """The first of a connection opens it."""
    monkeypatch.setattr(aiosqlite.core.Connection, "_execute", counted)
    async with sqlite.read() as store:
        await concerned(store, Question("Works 1"), await store.behind.names())
    assert 5 < steps <= MOST_STEPS
