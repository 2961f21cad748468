"""A node that receives, and one reviewer at it who looks at suppliers and judges."""

from typing import Any

from builders import DECISION_IN_CLEAR, FINDING_IN_CLEAR, Made, Publisher
from comity_node.db import Database
from comity_node.domain.people import Person, PersonRole
from comity_node.domain.screening import Question
from comity_node.domain.suppliers.account import Sorting
from comity_node.domain.suppliers.judging import Because
from comity_node.services.accounts import add_person
from comity_node.services.answering.screen import Answer, screen
from comity_node.services.suppliers.answers import describe_shown, person_names
from comity_node.services.suppliers.following import catch_up
from comity_node.services.suppliers.judging import Reason, judge_different, judge_same, put_apart, undo
from comity_node.services.suppliers.showing import show
from comity_schemas.identifiers import Identifier
from node_world import NOW, Bench, registry_of

LEI = {"scheme": "XI-LEI", "id": "ZZZZ00EXEMPLARGL0170"}
CNPJ = {"scheme": "BR-CNPJ", "id": "00000000000191"}
OTHER_CNPJ = {"scheme": "BR-CNPJ", "id": "11222333000181"}
WHY = Reason(Because.REGISTER_EXTRACT, "Private words: extract of 3 May, folder 7.")


class Desk:
    """A node that receives, and one reviewer at it."""

    def __init__(self, database: Database, person: Person) -> None:
        self.bench, self.database, self.person = Bench(database), database, person
        self.publishers: dict[str, Publisher] = {}
        self.last: dict[str, Made] = {}

    async def say(
        self,
        name: str = "Fazenda Exemplo Ltda",
        by: str = "agency",
        *identifiers: dict[str, str],
        kind: str = "finding",
        more: dict[str, Any] | None = None,
        **clear: Any,
    ) -> Made:
        """Receive one more finding or decision of a member."""
        publisher = self.publishers.setdefault(by, Publisher(by))
        body = {**(FINDING_IN_CLEAR if kind == "finding" else DECISION_IN_CLEAR), **clear}
        disclosed: dict[str, Any] = {"names": [{"text": name}], **(more or {})}
        if identifiers:
            disclosed["identifiers"] = list(identifiers)
        place = publisher.after(self.last[by]) if by in self.last else {}
        return await self.arrive(by, publisher.make(kind=kind, clear=body, disclosed=disclosed, **place))

    async def arrive(self, by: str, made: Made) -> Made:
        assert (await self.bench.arrive(self.publishers[by].member(), made.raw)).accepted == 1
        self.last[by] = made
        return made

    async def withdraw(self, by: str, made: Made) -> None:
        publisher = self.publishers[by]
        await self.arrive(by, publisher.withdrawal(made.hash, **publisher.after(self.last[by])))

    async def number(self, made: Made) -> int:
        """The supplier that a statement is about."""
        await catch_up(self.database)
        async with self.database.read() as store:
            (record,) = (await store.view.numbers([made.hash])).values()
            (number,) = [m.supplier for m in await store.mentions.by([record]) if m.role == "subject"]
        return number

    async def show(self, number: int, sorting: Sorting = Sorting.NEWEST, **part: int) -> dict[str, Any]:
        await catch_up(self.database)
        registry = registry_of(*(p.member() for p in self.publishers.values()))
        async with self.database.read() as store:
            shown = await show(store, number, registry, NOW)
            people = await person_names(store, shown.judgements, shown.facts)
        return describe_shown(shown, people, sorting=sorting, **{"skip": 0, "most": 50, **part})

    async def join(self, first: int, second: int) -> str:
        async with self.database.write() as store:
            return (await judge_same(store, self.person, first, second, WHY, NOW)).id

    async def keep_apart(self, first: int, second: int) -> str:
        async with self.database.write() as store:
            return (await judge_different(store, self.person, first, second, WHY, NOW)).id

    async def split(self, number: int, *made: Made) -> str:
        async with self.database.write() as store:
            return (await put_apart(store, self.person, number, [m.hash for m in made], WHY, NOW)).id

    async def undo(self, judgement: str) -> None:
        async with self.database.write() as store:
            await undo(store, self.person, judgement, None, NOW)


async def desk_at(database: Database) -> Desk:
    async with database.write() as store:
        person = await add_person(
            store, name="Ana", roles=[PersonRole.REVIEWER], firm=None, password_hash=None, by="test", now=NOW
        )
    return Desk(database, person)


async def screened(desk: Desk, *identifiers: dict[str, str], name: str | None = None) -> Answer:
    """Screen a supplier by its numbers or its name, as the desk's database is now."""
    await catch_up(desk.database)
    registry = registry_of(*(p.member() for p in desk.publishers.values()))
    question = Question(name, None, tuple(Identifier.from_parsed(i) for i in identifiers))
    async with desk.database.read() as store:
        (answer,) = await screen(store, [question], registry, NOW)
    return answer


def said(shown: dict[str, Any]) -> dict[str, str]:
    """Statement to how it concerns the supplier."""
    return {finding["statement"]: finding["way"] for finding in shown["findings"]}
