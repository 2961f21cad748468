"""When people are at risk: safety plan and referral first, assigned staff only, and nothing that gives anybody away."""

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio

from comity_node.db import Database
from comity_node.db.cases import NOTHING_UNREVIEWED
from comity_node.domain.errors import Contradictory, FocalPointNeeded, NotFound, StepMayNotFollow
from comity_node.domain.protection import ADULTS, CHILDREN, HELD_BACK, Case, ContactKind, Step
from comity_node.services.operating.status import measure
from comity_node.services.protection import cases, contacts
from comity_node.services.review.due_process import clock_of
from comity_node.services.review.pointers import PointerState, own_pointer, propose_pointer
from comity_schemas.finding import Severity
from comity_schemas.indicators import Indicator
from node_world import NOW, new_sqlite, registry_of
from review_office import Office
from risk_office import ABROAD, HOTLINE, WHOM, furnished, open_case, step, trail, walk


@pytest_asyncio.fixture
async def office(sqlite: Database) -> AsyncIterator[Office]:
    yield await furnished(sqlite)


# --- assigned staff only


async def test_a_case_opens_to_assigned_staff_only_and_every_reading_is_on_the_trail(database: Database) -> None:
    office = await furnished(database)
    case = await open_case(office)
    people = office.people
    assert set(case.staff) == {people["ana"].id, people["fay"].id}

    async def read(who: str, name: str) -> Case:
        return await office.write(lambda store: cases.read_case(store, people[who], name, NOW))

    for who in ("ana", "fay"):
        assert (await read(who, case.id)).id == case.id
    # The same answer as for what does not exist.
    for who, name in (("flo", case.id), ("ben", case.id), ("ana", "0" * 16), ("ben", "0" * 16)):
        with pytest.raises(NotFound, match=r"^no such case$"):
            await read(who, name)
    entries = await trail(office)
    read = [entry.actor for entry in entries if entry.event == "case.read"]
    assert read == [people["fay"].id, people["ana"].id]
    async with office.database.read() as store:
        shown = [len(await store.cases.page(people[who].id, before=None, most=9)) for who in ("ana", "fay", "ben")]
    assert shown == [1, 1, 0]


async def test_a_focal_point_of_the_case_says_who_sees_it_and_one_must_stay(office: Office) -> None:
    case = await open_case(office)
    people = office.people

    async def assign(by: str, name: str) -> Any:
        return await office.write(lambda store: cases.assign(store, people[by], case.id, name, NOW))

    async def remove(by: str, who: str) -> None:
        await office.write(lambda store: cases.remove(store, people[by], case.id, people[who].id, NOW))

    with pytest.raises(FocalPointNeeded):
        await assign("ana", "ben")
    with pytest.raises(NotFound):
        await assign("fay", "nobody")
    await assign("fay", "ben")
    await remove("fay", "ana")
    with pytest.raises(NotFound):
        await remove("ana", "ben")
    with pytest.raises(Contradictory, match="focal point must stay"):
        await remove("fay", "fay")
    await assign("fay", "flo")
    await remove("fay", "fay")
    async with office.database.read() as store:
        found = await store.cases.find(case.id)
    assert found is not None and set(found.staff) == {people["ben"].id, people["flo"].id}


async def test_an_audit_firms_person_is_never_assigned(office: Office) -> None:
    case = await open_case(office)
    await office.hire("gus", "reviewer", firm="firm")
    with pytest.raises(NotFound):
        await office.write(lambda store: cases.assign(store, office.people["fay"], case.id, "gus", NOW))


# --- the path


@pytest.mark.parametrize("children", [False, True])
async def test_the_path_has_one_order_and_closes_only_after_referral_was_offered(
    office: Office, children: bool
) -> None:
    case = await open_case(office, children=children)
    path = CHILDREN if children else ADULTS
    for due in path:
        for other in set(Step) - {due}:
            with pytest.raises(StepMayNotFollow, match=f"{due} comes next"):
                await step(office, case, other)
        case = await step(office, case, due)
    assert case.is_closed and [done.step for done in case.steps] == list(path)
    assert case.steps[-2].consent is False
    with pytest.raises(StepMayNotFollow, match="closed"):
        await step(office, case, Step.CLOSED)


def test_for_children_best_interests_come_first_and_school_and_income_before_the_end() -> None:
    order = [*CHILDREN]
    assert order.index(Step.BEST_INTERESTS) < order.index(Step.SAFETY_PLAN)
    assert order.index(Step.NO_DISMISSAL) < order.index(Step.SCHOOLING_AND_INCOME) < order.index(Step.REFERRAL_OFFERED)
    assert [each for each in CHILDREN if each in ADULTS] == [*ADULTS]


@pytest.mark.parametrize(
    ("what", "given", "said"),
    [
        (Step.REFERRAL_CONTACTED, {"contact": None}, "a local contact belongs"),
        (Step.REFERRAL_CONTACTED, {"consent": True}, "consent, yes or no"),
        (Step.REFERRAL_OFFERED, {"consent": None}, "consent, yes or no"),
        (Step.SAFETY_PLAN, {"consent": True}, "consent, yes or no"),
    ],
)
async def test_a_step_needs_what_belongs_to_it(office: Office, what: Step, given: dict[str, Any], said: str) -> None:
    case = await open_case(office)
    case = await walk(office, case, ADULTS[ADULTS.index(what) - 1])
    with pytest.raises(StepMayNotFollow, match=said):
        await step(office, case, what, **given)


async def test_a_contact_is_one_of_the_country_where_the_people_are(office: Office) -> None:
    case = await walk(office, await open_case(office, place="AR"), Step.SAFETY_PLAN)
    for wrong in (HOTLINE.id, "0" * 16):
        with pytest.raises(NotFound):
            await step(office, case, Step.REFERRAL_CONTACTED, contact=wrong)
    await step(office, case, Step.REFERRAL_CONTACTED, contact=ABROAD.id)


async def test_only_a_focal_point_looks_first_and_closes(office: Office) -> None:
    case = await open_case(office)
    with pytest.raises(FocalPointNeeded):
        await step(office, case, Step.REVIEWED, "ana")
    case = await walk(office, case, Step.REFERRAL_OFFERED)
    with pytest.raises(FocalPointNeeded):
        await step(office, case, Step.CLOSED, "ana")


async def test_a_step_is_taken_back_and_the_closing_too(office: Office) -> None:
    case = await walk(office, await open_case(office), Step.CLOSED)

    async def take_back() -> Case:
        return await office.write(lambda store: cases.take_back(store, office.people["ana"], case.id, NOW))

    for left in reversed(range(len(ADULTS))):
        assert (await take_back()).steps == case.steps[:left]
    with pytest.raises(StepMayNotFollow):
        await take_back()
    case = await step(office, case, Step.REVIEWED)
    assert (await walk(office, case, Step.CLOSED)).is_closed


# --- what others are told


async def test_nothing_is_told_before_safety_plan_and_referral(office: Office) -> None:
    case = await open_case(office)

    async def point() -> Case:
        return await office.write(lambda store: cases.point_for(store, office.people["fay"], case.id, NOW))

    for due in (Step.REVIEWED, Step.SAFETY_PLAN):
        await step(office, case, due)
        with pytest.raises(StepMayNotFollow, match="come first"):
            await point()
    assert await pointers(office) == []


async def pointers(office: Office) -> list[Any]:
    async with office.database.read() as store:
        return [await own_pointer(store, r, NOW) for r in await store.own_pointers.page(before=None, most=9)]


async def test_the_pointer_of_a_case_and_one_for_talks_cannot_be_told_apart(sqlite: Database, tmp_path: Any) -> None:
    """The same content, fields, terms and end; records of the same length; the same entries of the trail."""

    other = Database(new_sqlite(tmp_path, "other.db"))
    try:
        offices = [await furnished(sqlite), await furnished(other)]
        case = await walk(offices[0], await open_case(offices[0], children=True), Step.SCHOOLING_AND_INCOME)
        before = [len(await trail(office)) for office in offices]
        await offices[0].write(lambda store: cases.point_for(store, offices[0].people["fay"], case.id, NOW))
        await offices[1].write(lambda store: propose_pointer(store, offices[1].people["fay"], WHOM, NOW))
        seen = []
        for office, noted in zip(offices, before, strict=True):
            (own,) = await pointers(office)
            async with office.database.read() as store:
                clock = await clock_of(store, own.review, NOW)
            # Anybody may be the second person: a focal point proposed it, in both.
            await office.approve("ben", own.review)
            (name,) = await office.sign()
            async with office.database.read() as store:
                item = await store.outbox.of_hash(name)
            assert item is not None and item.record is not None
            entries = (await trail(office))[: len(await trail(office)) - noted]
            seen.append(
                {
                    "outgoing": item.outgoing,
                    "content": own.review.content,
                    "record_bytes": len(item.record),
                    "digests": len(json.loads(item.record)["statement"].split("~")),
                    "clock": (clock.in_words, clock.stage, clock.exempt),
                    "trail": [(e.event, e.detail.replace(name, "")) for e in entries],
                    "at": (own.review.proposed_at, item.signed_at),
                }
            )
        assert seen[0] == seen[1]
    finally:
        await other.close()


async def test_a_pointer_that_stands_for_talks_serves_a_case_and_no_second_one_leaves(office: Office) -> None:
    review = await office.write(lambda store: propose_pointer(store, office.people["ana"], WHOM, NOW))
    await office.approve("fay", review)
    case = await walk(office, await open_case(office), Step.REFERRAL_CONTACTED)
    case = await office.write(lambda store: cases.point_for(store, office.people["fay"], case.id, NOW))
    (own,) = await pointers(office)
    assert (case.pointer, own.review.id, own.state) == (review.id, review.id, PointerState.RELEASED)


async def test_what_the_trail_says_of_a_case_names_neither_step_nor_pointer_nor_supplier(office: Office) -> None:
    case = await walk(office, await open_case(office, children=True, reference="ABC-7"), Step.CLOSED)
    await office.write(lambda store: cases.point_for(store, office.people["fay"], case.id, NOW))
    (own,) = await pointers(office)
    of_case = [e for e in await trail(office) if e.event.startswith("case.")]
    assert {e.subject for e in of_case} == {case.id} and {e.detail for e in of_case} == {"{}"}
    for entry in of_case:
        assert own.review.id not in str(entry)
    assert all(case.id not in f"{e.subject} {e.detail}" for e in await trail(office) if e not in of_case)


async def test_focal_point_detail_is_decided_recorded_shown_and_held_back(office: Office) -> None:
    case = await walk(office, await open_case(office), Step.SAFETY_PLAN)
    registry = registry_of(
        office.member,
        office.member.model_copy(update={"slug": "city", "country": "SE"}),
        office.member.model_copy(update={"slug": "ministry", "country": "BR"}),
    )

    async def decide(*members: str, who: str = "fay") -> Case:
        said = ((Indicator.RETENTION_OF_IDENTITY_DOCUMENTS,), Severity.S4, members)
        return await office.write(
            lambda store: cases.decide_detail(store, office.people[who], case.id, *said, registry, NOW)
        )

    with pytest.raises(StepMayNotFollow):
        await decide("city")
    case = await walk(office, case, Step.REFERRAL_CONTACTED)
    with pytest.raises(FocalPointNeeded):
        await decide("city", who="ana")
    with pytest.raises(Contradictory, match="where the people are"):
        await decide("city", "ministry")
    with pytest.raises(Contradictory, match="no active member"):
        await decide("nobody")
    case = await decide("city")
    assert case.detail is not None and (case.detail.members, case.detail.severity) == (("city",), Severity.S4)
    assert "no sharing groups yet" in HELD_BACK
    assert await office.released() == 0


# --- local contacts


async def test_contacts_are_changed_in_place_and_their_review_dates_watched(office: Office) -> None:
    moved = contacts.contact_of("BR", "EXEMPLO hotline", ContactKind.HOTLINE, "+55 200", date(2026, 12, 1))
    added = await office.write(lambda store: contacts.take_in(store, office.people["fay"], [moved], NOW))
    assert added == (0, 1)
    async with office.database.read() as store:
        assert [c.reach for c in await store.referrals.contacts("BR")] == ["+55 200"]
        assert await store.referrals.count(NOW.date()) == (2, 0)
        assert await store.referrals.count(date(2026, 12, 2)) == (2, 1)
    for wrong, said in (([moved, moved], "twice"), ([late()], "to be looked at again")):
        with pytest.raises(Contradictory, match=said):
            await office.write(lambda store, w=wrong: contacts.take_in(store, office.people["fay"], w, NOW))
    await office.write(lambda store: contacts.remove_contact(store, office.people["fay"], moved.id, NOW))
    with pytest.raises(NotFound):
        await office.write(lambda store: contacts.remove_contact(store, office.people["fay"], moved.id, NOW))


def late() -> Any:
    return contacts.contact_of("BR", "Late", ContactKind.NGO, "x", NOW.date() - timedelta(days=1))


async def test_a_node_without_cases_says_so(sqlite: Database) -> None:
    async with sqlite.read() as store:
        assert (await measure(store, NOW)).unreviewed == NOTHING_UNREVIEWED
