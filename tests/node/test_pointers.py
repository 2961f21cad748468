"""A pointer says whom to speak to before a supplier is contacted, and nothing by which two could be told apart."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio

from builders import IDENTIFIERS, NAMES, Publisher
from comity_node.db import Database
from comity_node.domain.errors import AlreadyProposed, Contradictory, FocalPointNeeded, NotFound, NotPublished
from comity_node.domain.pointing import Whom, pointer_to
from comity_node.domain.screening import Question
from comity_node.services.answering.answers import describe
from comity_node.services.answering.screen import screen
from comity_node.services.review.due_process import clock_of
from comity_node.services.review.pointers import PointerState, pointers_to, propose_pointer
from comity_node.services.review.release import propose_withdrawal
from comity_node.services.review.replies import Said, write_down
from comity_schemas.identifiers import Identifier
from comity_schemas.member import Member
from comity_schemas.pointer import POINTER_TERMS
from comity_schemas.reply import ReplyAct, ReplyCode
from comity_schemas.statement import WithdrawalReason
from comity_schemas.subject import Name
from node_world import NOW, Bench, registry_of
from review_office import Office

AGENCY = Publisher("agency")
WHOM = Whom("BR", (Name(text=NAMES[0]["text"]),), (Identifier.from_parsed(IDENTIFIERS[0]),))
ENDS = WithdrawalReason.NO_LONGER_NEEDED


async def answer(database: Database, *members: Member, days: int = 0, **asked: Any) -> dict[str, Any]:
    question = Question(**(asked or {"name": NAMES[0]["text"]}))
    async with database.read() as store:
        answers = await screen(store, [question], registry_of(*members), NOW + timedelta(days=days))
    (found,) = describe(answers)["answers"]
    return found


# --- at every node


@pytest.mark.parametrize("opens", [True, False])
async def test_a_pointer_shows_until_it_ends_and_says_nothing_of_the_supplier(database: Database, opens: bool) -> None:
    bench, member = Bench(database, opens=opens), AGENCY.member()
    first = AGENCY.pointer(disclosed={"names": NAMES, "identifiers": IDENTIFIERS})
    longer = AGENCY.pointer(more={"replaces": first.hash, "valid_until": "2027-06-30"}, **AGENCY.after(first))
    over = AGENCY.withdrawal(longer.hash, more={"reason": ENDS}, **AGENCY.after(longer))
    await bench.arrive(member, first.raw)
    by_number = await answer(database, member, identifiers=WHOM.identifiers)
    (shown,) = by_number["pointers"]
    assert (shown["speak_to"], shown["verdict"], by_number["verdict"]) == ("agency", "match", "match")
    # Known, and nothing is said of it: no finding, no decision, no state of its own.
    assert (by_number["state"], by_number["findings"], by_number["decisions"]) == ("known, never audited", [], [])
    await bench.arrive(member, longer.raw)
    (shown,) = (await answer(database, member))["pointers"]
    assert (shown["statement"], shown["pointer"]["valid_until"]) == (longer.hash, "2027-06-30")
    assert (await answer(database, member, days=400))["pointers"] == []
    await bench.arrive(member, over.raw)
    assert (await answer(database, member))["pointers"] == []
    assert await bench.check(member) == []


async def test_a_pointer_whose_names_are_forgotten_is_counted(sqlite: Database) -> None:
    await Bench(sqlite).arrive(AGENCY.member(), AGENCY.pointer(disclosed={}).raw)
    found = await answer(sqlite, AGENCY.member())
    assert (found["pointers"], found["unreadable_pointers"]) == ([], 1)


# --- at the member that points


@pytest_asyncio.fixture
async def office(sqlite: Database) -> AsyncIterator[Office]:
    made = Office(sqlite)
    await made.open()
    yield made


async def point(office: Office, who: str = "ana", whom: Whom = WHOM, revises: str | None = None) -> Any:
    return await office.write(lambda store: propose_pointer(store, office.people[who], whom, NOW, revises=revises))


async def end(office: Office, statement: str, reason: WithdrawalReason = ENDS) -> Any:
    return await office.write(lambda store: propose_withdrawal(store, office.people["ana"], statement, reason, NOW))


async def state(office: Office, days: int = 0) -> list[PointerState]:
    async with office.database.read() as store:
        return [own.state for own in await pointers_to(store, WHOM, NOW + timedelta(days=days))]


async def test_a_focal_point_is_one_of_the_two_whatever_it_is_for(office: Office) -> None:
    review = await point(office)
    async with office.database.read() as store:
        assert "says nothing about the supplier" in (await clock_of(store, review, NOW)).in_words
    with pytest.raises(FocalPointNeeded):
        await office.approve("ben", review)
    assert await office.released() == 0
    await office.approve("fay", review)
    (name,) = await office.sign()
    over = await end(office, name)
    with pytest.raises(FocalPointNeeded):
        await office.approve("ben", over)
    await office.approve("fay", over)
    assert await state(office) == [PointerState.ENDED]


async def test_a_focal_point_may_propose_and_any_reviewer_release(office: Office) -> None:
    await office.approve("ben", await point(office, "fay"))
    assert await office.released() == 1


@pytest.mark.parametrize(
    "whom",
    [
        WHOM,
        Whom("AR", (Name(text="Another name"),), WHOM.identifiers),
        Whom("BR", (Name(text="FAZENDA EXEMPLO"),)),
    ],
)
async def test_one_supplier_never_has_two_pointers(office: Office, whom: Whom) -> None:
    first = await point(office)
    with pytest.raises(AlreadyProposed, match="something has happened"):
        await point(office, whom=whom)
    await office.approve("fay", first)
    (name,) = await office.sign()
    with pytest.raises(AlreadyProposed):
        await point(office, whom=whom)
    # It can be prolonged, once, and after its end another may begin.
    longer = await point(office, revises=name)
    with pytest.raises(AlreadyProposed):
        await point(office, revises=name)
    await office.approve("fay", longer)
    (_, newer) = await office.sign()
    assert await state(office) == [PointerState.PROLONGED, PointerState.RELEASED]
    with pytest.raises(NotPublished):
        await point(office, revises=name)
    await office.approve("fay", await end(office, newer))
    await point(office, whom=whom)


async def test_another_supplier_of_the_same_name_abroad_may_have_one(office: Office) -> None:
    await point(office)
    await point(office, whom=Whom("AR", WHOM.names))


async def test_a_rejected_or_expired_pointer_stands_in_nobodys_way(office: Office) -> None:
    await office.reject("fay", await point(office))
    await office.approve("fay", await point(office))
    assert await state(office) == [PointerState.REJECTED, PointerState.RELEASED]
    assert await state(office, days=400) == [PointerState.REJECTED, PointerState.EXPIRED]


async def test_every_pointer_ends_for_the_same_reason_and_nothing_else_does(office: Office) -> None:
    await office.store_report()
    await office.approve("fay", await office.heard("ana"))
    await office.approve("fay", await point(office))
    finding, pointer = await office.sign()
    for reason in set(WithdrawalReason) - {ENDS}:
        with pytest.raises(Contradictory, match="no-longer-needed"):
            await end(office, pointer, reason)
    with pytest.raises(Contradictory, match="no-longer-needed"):
        await end(office, finding)


async def test_nobody_replies_to_a_pointer(office: Office) -> None:
    review = await point(office)
    await office.approve("fay", review)
    (name,) = await office.sign()
    for about in ({"review_id": review.id}, {"about": name}):
        said = Said(ReplyAct.DISPUTE, (ReplyCode.FACTS_DISPUTED,), **about)
        with pytest.raises(NotFound):
            await office.write(lambda store, said=said: write_down(store, said, office.people["cy"], NOW))


@pytest.mark.parametrize(
    ("today", "last"),
    [
        ("2026-10-01", "2027-04-30"),
        ("2026-10-31", "2027-04-30"),
        ("2027-08-31", "2028-02-29"),
        ("2026-06-15", "2026-12-31"),
    ],
)
def test_a_pointer_ends_with_the_sixth_month_after(today: str, last: str) -> None:
    assert pointer_to(WHOM, date.fromisoformat(today)).valid_until.isoformat() == last


def test_the_terms_forbid_contact_and_passing_on() -> None:
    assert (POINTER_TERMS.contact, POINTER_TERMS.onward, POINTER_TERMS.tlp) == ("none", "nobody", "GREEN")
    assert "not-sole-ground-for-exclusion" in POINTER_TERMS.permitted_use


async def test_a_pointer_is_not_prolonged_into_one_for_another_supplier(office: Office) -> None:
    await office.approve("fay", await point(office))
    (name,) = await office.sign()
    for other in (Whom("BR", (Name(text="Somebody else"),)), Whom("AR", WHOM.names)):
        with pytest.raises(Contradictory, match="another supplier"):
            await point(office, whom=other, revises=name)
    # Under a new name, with the same number, it is the same supplier.
    await point(office, whom=Whom("AR", (Name(text="Its new name"),), WHOM.identifiers), revises=name)
