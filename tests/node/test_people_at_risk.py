"""When people are at risk: safety plan and referral first, assigned staff only, and nothing that gives anybody away."""

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio

from builders import AuditFirm
from comity_federation.signed_reports import sign_report
from comity_node.db import Database
from comity_node.db.cases import NOTHING_UNREVIEWED
from comity_node.db.reports import StoredReport
from comity_node.domain import lifecycle
from comity_node.domain.due_process import FIXED, Stage
from comity_node.domain.errors import Contradictory, FocalPointNeeded, HeldBack, NotFound, StepMayNotFollow
from comity_node.domain.minimize import Policy
from comity_node.domain.protection import ADULTS, CHILDREN, HELD_BACK, Case, ContactKind, Step
from comity_node.services.operating.retention import UNDECIDED, why_kept
from comity_node.services.operating.status import measure
from comity_node.services.protection import cases, contacts, duty
from comity_node.services.reports.submit import submit_report
from comity_node.services.review.concerns import HOLD, decide_act, propose_act
from comity_node.services.review.due_process import clock_of, notify_supplier
from comity_node.services.review.pointers import PointerState, own_pointer, propose_pointer
from comity_node.services.review.release import approve, propose_release, reject
from comity_node.services.review.replies import Said, decide_dispute, propose_reply, write_down
from comity_node.services.review.revision import propose_revision
from comity_node.services.review.supplier_links import make_link, open_link, show
from comity_schemas.finding import Severity, Status
from comity_schemas.indicators import Indicator
from comity_schemas.member import Role
from comity_schemas.reply import DisputeOutcome, ReplyAct, ReplyCode
from node_world import NOW, audit_report, new_sqlite, registry_of
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


# --- the report it came from


async def test_a_report_of_a_case_opens_to_assigned_staff_only_and_nothing_of_it_is_released(office: Office) -> None:
    await office.store_report()
    review = await office.heard("ana")
    case = await open_case(office, report_id="R" * 43)
    people = office.people
    async with office.database.read() as store:
        kept = {who: await store.cases.keeps_report_from("R" * 43, people[who].id) for who in ("ana", "fay", "ben")}
        seen = {who: await reports_and_reviews(store, people[who].id) for who in ("fay", "ben")}
        clock = await clock_of(store, review, NOW)
        assert await store.cases.keeps_report_from("S" * 43, people["ben"].id) is False
    assert kept == {"ana": False, "fay": False, "ben": True}
    assert seen == {"fay": (1, 1), "ben": (0, 0)}
    assert clock.stage is Stage.POSTPONED and "no sharing groups yet" in clock.in_words
    for held in (
        lambda: office.approve("fay", review),
        lambda: office.write(lambda store: notify_supplier(store, people["fay"], review.id, FIXED, NOW)),
    ):
        with pytest.raises(HeldBack, match="sealed to focal points"):
            await held()
    with pytest.raises(NotFound, match="no such report"):
        await office.write(
            lambda store: propose_release(store, people["ben"], "R" * 43, "O1", policy=Policy(), now=NOW)
        )
    assert await office.released() == 0 and case.report_id == "R" * 43


async def test_why_a_report_is_kept_beyond_its_day_does_not_tell_a_case_from_a_proposal(office: Office) -> None:
    await office.store_report()
    await office.propose("ana")
    await office.store_report("Q" * 43)
    await open_case(office, report_id="Q" * 43)
    async with office.database.read() as store:
        said = {await why_kept(store, name * 43) for name in "RQ"}
    assert said == {UNDECIDED}


async def test_what_was_published_of_a_case_and_is_held_of_it_is_not_for_others(office: Office) -> None:
    await office.store_report()
    await office.approve("fay", await office.heard("ana"))
    (finding,) = await office.sign()
    people = office.people
    held = await office.write(
        lambda store: propose_act(store, people["ana"], HOLD, "R" * 43, None, "a court asks", NOW)
    )
    await open_case(office, report_id="R" * 43)
    talks = lifecycle.Step(Status.UNDER_ENGAGEMENT)
    # Else its clock would tell that people are at risk, and the proposal what is withheld.
    with pytest.raises(NotFound, match="no such report"):
        await office.write(lambda store: propose_revision(store, people["ben"], finding, talks, NOW))
    with pytest.raises(NotFound):
        await office.write(lambda store: decide_act(store, people["ben"], held.id, NOW, confirm=True))
    await office.write(lambda store: propose_revision(store, people["ana"], finding, talks, NOW))
    await office.write(lambda store: decide_act(store, people["fay"], held.id, NOW, confirm=True))


async def test_a_case_keeps_back_what_came_from_a_register_too(database: Database) -> None:
    office = await furnished(database)
    people = office.people
    imported = StoredReport("Q" * 43, "register", b"{}", None, None, None, None, "row", (), people["ana"].id, NOW)
    await office.write(lambda store: store.reports.add(imported))
    await open_case(office, report_id=imported.id)
    async with office.database.read() as store:
        seen = {who: (await reports_and_reviews(store, people[who].id))[0] for who in ("ana", "fay", "ben")}
    assert seen == {"ana": 1, "fay": 1, "ben": 0}


async def test_what_its_auditor_submits_in_place_of_the_report_is_kept_back_as_well(database: Database) -> None:
    """It says the same of the same people, and nobody who submits it, or reads, can know of the case."""
    office, firm = await furnished(database), AuditFirm("firm")
    await office.hire("gus", "auditor", firm="firm")
    people, registry = office.people, registry_of(office.member, firm.member())

    async def submit(**changes: Any) -> str:
        content = audit_report(**changes)
        raw = sign_report(content, iss=firm.did, kid=firm.kid, key=firm.key, now=NOW)
        did = office.member.did
        made = await office.write(lambda s: submit_report(s, raw, people["gus"], registry, receiver=did, now=NOW))
        return str(made.id)

    first = await submit(ref="A")
    case = await open_case(office, report_id=first)
    second = await submit(ref="B", supersedes=first)
    third = await submit(ref="C", supersedes=second)
    other = await submit(ref="D")
    async with office.database.read() as store:
        for report in (first, second, third):
            kept = {who: await store.cases.keeps_report_from(report, people[who].id) for who in ("ana", "fay", "ben")}
            assert kept == {"ana": False, "fay": False, "ben": True}
        assert await store.cases.reports_among({first, second, third, other}) == {first, second, third}
        assert [each.id for each in await store.cases.of_report(third)] == [case.id]
        assert (await reports_and_reviews(store, people["ben"].id))[0] == 1


async def test_a_case_whose_focal_points_have_all_left_goes_to_the_next_and_stays_with_the_living(
    database: Database,
) -> None:
    office = await furnished(database)
    people = office.people
    cases_of = [await open_case(office), await walk(office, await open_case(office), Step.CLOSED)]
    await office.write(lambda store: store.accounts.close_person(people["fay"].id, NOW))

    async def pass_on() -> tuple[bool, int]:
        async with office.database.read() as store:
            due = await duty.anything_to_pass_on(store, FIXED.escalation, NOW)
        return due, await office.write(lambda store: duty.pass_on(store, FIXED.escalation, NOW))

    assert await pass_on() == (True, 2)
    assert await pass_on() == (False, 0)
    for case in cases_of:
        seen = await office.write(lambda store, c=case: cases.read_case(store, people["flo"], c.id, NOW))
        assert people["flo"].id in seen.staff and people["fox"].id not in seen.staff
    for who in ("flo", "fox"):
        await office.write(lambda store, w=who: store.accounts.close_person(people[w].id, NOW))
    assert (await pass_on())[1] == 0, "nobody is there to see to it"
    await office.hire("fred", "focal-point")
    assert await pass_on() == (True, 2)


async def reports_and_reviews(store: Any, person: str) -> tuple[int, int]:
    reports = await store.reports.page(firm=None, before=None, most=9, seen_by=person)
    reviews = await store.reviews.page(state=None, before=None, most=9, seen_by=person)
    return len(reports), len(reviews)


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


async def test_its_supplier_is_never_told_of_a_case(office: Office) -> None:
    await office.store_report()
    review = await office.heard("ana")
    people = office.people
    _, secret = await office.write(lambda store: make_link(store, people["ana"], review.id, NOW))
    await open_case(office, report_id="R" * 43)

    async def shown() -> tuple[Stage, str]:
        async with office.database.read() as store:
            clock = (await show(store, await open_link(store, secret), NOW)).clock
        return clock.stage, clock.in_words

    stage, words = await shown()
    assert stage is Stage.READY and "people" not in words and "held back" not in words


async def test_what_a_supplier_says_of_a_case_and_its_link_are_not_for_others(database: Database) -> None:
    office = await furnished(database)
    await office.store_report()
    review = await office.heard("ana")
    people = office.people
    said = Said(ReplyAct.DISPUTE, (ReplyCode.FACTS_DISPUTED,), review_id=review.id)
    word = await office.write(lambda store: write_down(store, said, None, NOW))
    await open_case(office, report_id="R" * 43)
    for tried in (
        lambda store: make_link(store, people["ben"], review.id, NOW),
        lambda store: write_down(store, said, people["ben"], NOW),
        lambda store: propose_reply(store, people["ben"], word.id, NOW),
        lambda store: decide_dispute(store, people["ben"], word.id, DisputeOutcome.DISMISSED, NOW),
        lambda store: approve(store, people["ben"], review.id, NOW, Role.AGENCY),
        lambda store: reject(store, people["ben"], review.id, NOW),
    ):
        with pytest.raises(NotFound, match=r"^no such"):
            await office.write(tried)
    async with office.database.read() as store:
        seen = {who: await store.words.page(before=None, most=9, seen_by=people[who].id) for who in ("fay", "ben")}
    assert ([w.id for w in seen["fay"]], seen["ben"]) == ([word.id], [])
    await office.write(lambda store: make_link(store, people["fay"], review.id, NOW))
    # The supplier itself goes on answering.
    await office.write(lambda store: write_down(store, said, None, NOW))
