"""What a case keeps back: the report it came from, what stands in its place, and what its supplier says of it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from builders import AuditFirm
from comity_federation.signed_reports import sign_report
from comity_node.db import Database
from comity_node.db.reports import StoredReport
from comity_node.domain import lifecycle
from comity_node.domain.due_process import FIXED, Stage
from comity_node.domain.errors import HeldBack, NotFound
from comity_node.domain.minimize import Policy
from comity_node.domain.protection import Step
from comity_node.services.operating.retention import UNDECIDED, why_kept
from comity_node.services.protection import cases, duty
from comity_node.services.reports.submit import submit_report
from comity_node.services.review.concerns import HOLD, decide_act, propose_act
from comity_node.services.review.due_process import clock_of, notify_supplier
from comity_node.services.review.release import approve, propose_release, reject
from comity_node.services.review.replies import Said, decide_dispute, propose_reply, write_down
from comity_node.services.review.revision import propose_revision
from comity_node.services.review.supplier_links import make_link, open_link, show
from comity_schemas.finding import Status
from comity_schemas.member import Role
from comity_schemas.reply import DisputeOutcome, ReplyAct, ReplyCode
from node_world import NOW, audit_report, registry_of
from review_office import Office
from risk_office import furnished, open_case, walk


@pytest_asyncio.fixture
async def office(sqlite: Database) -> AsyncIterator[Office]:
    yield await furnished(sqlite)


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
