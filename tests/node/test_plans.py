"""Corrective-action plans: items move and are escalated here; others read only remedies, month and how verified."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from builders import FINDING_IN_CLEAR
from comity_node.cli import due
from comity_node.db import Database
from comity_node.domain.errors import AlreadyProposed, CannotPropose, NotFound, NotPublished, PlanMayNot, SamePerson
from comity_node.domain.lifecycle import MAY_FOLLOW, check_step
from comity_node.domain.plan import (
    MAY_MOVE,
    EscalationStep,
    ItemState,
    PlanItem,
    check_escalation,
    check_move,
    escalate_by,
    in_words,
    is_overdue,
    next_step,
)
from comity_node.services.operating.retention import NOTHING_DESTROYED
from comity_node.services.remedy import plans
from comity_node.services.remedy.contracts import NOTHING_DUE
from comity_node.services.remedy.plans import Move
from comity_schemas.finding import CLOSED, Finding, Remedy, Verified
from comity_schemas.finding import Status as Public
from node_world import NOW, OBSERVATION
from review_office import Office
from unwrapped import unwrapped

FEES = PlanItem(
    id="i1",
    finding="F" * 43,
    report_id=None,
    observation=None,
    remedy=Remedy.FEES_REPAID,
    due="2026-11",
    state=ItemState.AGREED,
    made_by="ana",
    made_at=NOW,
)
FEES_DONE = ("fees-repaid",)
PAPERS = replace(FEES, id="i2", remedy=Remedy.DOCUMENTS_RETURNED, due="2026-12")
DONE = {"state": ItemState.DONE, "done_by": "ana", "done_at": NOW}
CHECKED = {**DONE, "state": ItemState.VERIFIED, "verified": Verified.BY_WORKERS, "verifier": "the union"}


def finding(status: Public = Public.UNDER_ENGAGEMENT, **more: Any) -> Finding:
    verified = {"verified": "desk"} if status is Public.CLOSED_VERIFIED else {}
    return Finding.from_parsed({**FINDING_IN_CLEAR, "status": status.value, **verified, **more})


# --- items


@pytest.mark.parametrize("state", list(ItemState))
@pytest.mark.parametrize("to", list(ItemState))
def test_an_item_moves_only_where_it_may_and_back_only_with_a_reason(state: ItemState, to: ItemState) -> None:
    item = replace(FEES, state=state)
    if to not in MAY_MOVE[state]:
        with pytest.raises(PlanMayNot, match="what may follow is"):
            check_move(item, to, "why")
        return
    check_move(item, to, "why")
    order = list(ItemState)
    if to is ItemState.DROPPED or order.index(to) < order.index(state):
        with pytest.raises(PlanMayNot, match="needs a reason"):
            check_move(item, to, None)
    else:
        check_move(item, to, None)


def test_an_item_is_overdue_from_the_first_day_after_its_month_and_escalated_every_month() -> None:
    assert not is_overdue(FEES, date(2026, 11, 30)) and is_overdue(FEES, date(2026, 12, 1))
    assert not is_overdue(replace(FEES, **DONE), date(2030, 1, 1))
    assert "OVERDUE since 2026-11-30, next step by 2026-12-30" in in_words(FEES, date(2026, 12, 30))
    assert "NEXT STEP DUE since 2026-12-30" in in_words(FEES, date(2026, 12, 31))
    reminded = replace(
        FEES, escalated=(plans.Escalated(EscalationStep.REMINDED, "ana", datetime(2027, 1, 5, tzinfo=UTC)),)
    )
    assert escalate_by(reminded) == date(2027, 2, 4)
    assert "last step: reminded, next step by 2027-02-04" in in_words(reminded, date(2027, 1, 6))
    with pytest.raises(PlanMayNot, match="not overdue"):
        check_escalation(FEES, EscalationStep.REMINDED, date(2026, 11, 30))
    check_escalation(reminded, EscalationStep.MANAGEMENT, date(2027, 1, 6))
    further = replace(
        FEES, escalated=(plans.Escalated(EscalationStep.CONTRACT_TERMS, "ana", datetime(2027, 1, 5, tzinfo=UTC)),)
    )
    with pytest.raises(PlanMayNot, match="goes further"):
        check_escalation(further, EscalationStep.REMINDED, date(2027, 1, 6))


def test_what_nobody_verifies_within_90_days_is_said() -> None:
    done = replace(FEES, **DONE)
    assert in_words(done, NOW.date() + timedelta(days=90)).endswith("to be verified")
    assert in_words(done, NOW.date() + timedelta(days=91)).endswith(f"OVERDUE since {NOW.date() + timedelta(days=90)}")


# --- what others read of it


@pytest.mark.parametrize(
    ("now", "items", "status", "verified", "remedies", "due_month"),
    [
        (Public.ALLEGED, [FEES], Public.UNDER_ENGAGEMENT, None, None, None),
        (Public.UNDER_ENGAGEMENT, [FEES, PAPERS], Public.PLAN_AGREED, None, (), "2026-12"),
        (Public.CONFIRMED, [FEES], Public.PLAN_AGREED, None, (), "2026-11"),
        (Public.PLAN_AGREED, [replace(FEES, state=ItemState.UNDER_WAY)], Public.IN_PROGRESS, None, (), "2026-11"),
        (Public.PLAN_AGREED, [replace(FEES, **DONE), PAPERS], Public.IN_PROGRESS, None, FEES_DONE, "2026-12"),
        (Public.PLAN_AGREED, [replace(FEES, **CHECKED)], Public.IN_PROGRESS, None, FEES_DONE, None),
        (Public.IN_PROGRESS, [replace(FEES, **DONE)], Public.CLOSED_CLAIMED, None, FEES_DONE, None),
        (Public.IN_PROGRESS, [replace(FEES, **CHECKED)], Public.CLOSED_VERIFIED, "by-workers", FEES_DONE, None),
        (
            Public.CLOSED_CLAIMED,
            [replace(FEES, **CHECKED)],
            Public.CLOSED_VERIFIED,
            "by-workers",
            ("fees-repaid",),
            None,
        ),
        (Public.CLOSED_CLAIMED, [FEES], Public.IN_PROGRESS, None, (), "2026-11"),
        (Public.CONTRACT_ENDED, [replace(FEES, **DONE)], Public.CLOSED_CLAIMED, None, FEES_DONE, None),
    ],
)
def test_a_finding_follows_its_plan_one_allowed_step_at_a_time(
    now: Public, items: list[PlanItem], status: Public, verified: str | None, remedies: Any, due_month: str | None
) -> None:
    step = next_step(finding(now), items)
    assert step is not None
    assert (step.status, step.verified, step.remedies, step.remedy_due) == (status, verified, remedies, due_month)


def test_a_remedy_that_is_only_agreed_is_never_said_as_done_and_what_the_report_said_stays() -> None:
    said = finding(Public.IN_PROGRESS, remedies=["wages-paid", "fees-repaid"])
    step = next_step(said, [FEES, replace(PAPERS, **DONE)])
    assert step is not None and set(step.remedies or ()) == {Remedy.WAGES_PAID, Remedy.DOCUMENTS_RETURNED}
    twice = next_step(said, [FEES, replace(FEES, id="i3", **DONE), replace(PAPERS, **DONE)])
    assert twice is not None and Remedy.FEES_REPAID not in (twice.remedies or ())


def test_the_weakest_verification_of_all_is_said() -> None:
    seen = replace(FEES, **{**CHECKED, "verified": Verified.ON_SITE})
    paper = replace(PAPERS, **{**CHECKED, "verified": Verified.DESK})
    for items, how in (
        ([seen], "on-site"),
        ([seen, replace(PAPERS, **CHECKED)], "by-workers"),
        ([seen, paper], "desk"),
    ):
        step = next_step(finding(Public.IN_PROGRESS), items)
        assert step is not None and step.verified == how


def test_nothing_is_said_of_an_empty_plan_of_dropped_items_or_of_what_was_overturned() -> None:
    assert next_step(finding(), []) is None
    assert next_step(finding(), [replace(FEES, state=ItemState.DROPPED)]) is None
    assert next_step(finding(Public.OVERTURNED), [FEES]) is None
    assert next_step(finding(Public.PLAN_AGREED, remedy_due="2026-11"), [FEES]) is None


ITEMS = st.lists(
    st.builds(
        lambda state, remedy, month: replace(
            FEES, remedy=remedy, due=f"2027-{month:02}", **{**(CHECKED if state == "verified" else {}), "state": state}
        ),
        st.sampled_from([*ItemState]),
        st.sampled_from([*Remedy]),
        st.integers(1, 12),
    ),
    max_size=6,
)


@given(st.sampled_from([*Public]), ITEMS)
def test_what_is_proposed_may_always_follow_and_proposing_on_comes_to_an_end(
    now: Public, items: list[PlanItem]
) -> None:
    said, steps = finding(now), 0
    while (step := next_step(said, items)) is not None:
        how = {} if step.verified is None else {"verified": step.verified.value}
        given = {"remedies": said.remedies if step.remedies is None else step.remedies}
        after = finding(step.status, remedies=[r.value for r in given["remedies"]], remedy_due=step.remedy_due, **how)
        check_step(said, after, follow_up=True)
        assert step.status is said.status or step.status in MAY_FOLLOW[said.status]
        if step.status in CLOSED:
            assert not [item for item in items if item.state in (ItemState.AGREED, ItemState.UNDER_WAY)]
        said, steps = after, steps + 1
        assert steps < 8


# --- two people, a finding, a database


@pytest_asyncio.fixture
async def office(sqlite: Database) -> AsyncIterator[Office]:
    made = Office(sqlite)
    await made.open()
    yield made


async def published(office: Office) -> str:
    await office.store_report()
    await office.approve("ben", await office.heard("ana"))
    return (await office.sign())[-1]


async def agree(office: Office, statement: str, remedy: Remedy = Remedy.FEES_REPAID, due: str = "2026-11") -> PlanItem:
    async def add(store: Any) -> PlanItem:
        subject = await plans.subject_of_finding(store, statement)
        return await plans.add_item(store, office.people["ana"], subject, remedy, due, "Canary-note of the plan", NOW)

    item: PlanItem = await office.write(add)
    return item


async def move(office: Office, item: PlanItem, to: ItemState, who: str = "ana", **more: Any) -> PlanItem:
    async def go(store: Any) -> PlanItem:
        found = await plans.find_item(store, item.id)
        return await plans.move_item(store, office.people[who], found, Move(to, **more), NOW)

    moved: PlanItem = await office.write(go)
    return moved


async def say(office: Office, statement: str) -> str:
    review = await office.write(lambda store: plans.propose_step(store, office.people["ana"], statement, NOW))
    await office.hear(review)
    await office.approve("ben", review)
    return (await office.sign())[-1]


async def test_a_finding_goes_from_alleged_to_verified_with_its_plan_and_no_word_of_the_plan_leaves(
    office: Office,
) -> None:
    first = await published(office)
    item = await agree(office, first)
    said = [await say(office, first), await say(office, first)]
    await move(office, item, ItemState.UNDER_WAY)
    said.append(await say(office, first))
    await move(office, item, ItemState.DONE)
    said.append(await say(office, first))
    with pytest.raises(SamePerson):
        await move(office, item, ItemState.VERIFIED, verified=Verified.BY_WORKERS, verifier="Canary-verifier, union")
    checked = {"verified": Verified.BY_WORKERS, "verifier": "Canary-verifier, union"}
    await move(office, item, ItemState.VERIFIED, "ben", **checked)
    said.append(await say(office, said[1]))
    with pytest.raises(CannotPropose, match="read already"):
        await say(office, first)
    bodies = []
    async with office.database.read() as store:
        for name in said:
            found = await store.outbox.of_hash(name)
            assert found is not None and found.record is not None
            read = unwrapped(found.record)
            assert b'"finding"' in read and b"Canary" not in read and "Canary" not in str(found.outgoing)
            bodies.append({k: found.outgoing.body.get(k) for k in ("status", "remedies", "remedy_due", "verified")})
        trail = [entry.detail for _, entry in await store.trail.page(before=None, most=100)]
    assert [body["status"] for body in bodies] == [
        "under-engagement",
        "plan-agreed",
        "in-progress",
        "closed-claimed",
        "closed-verified",
    ]
    assert [body["remedies"] for body in bodies] == [[], [], [], ["fees-repaid"], ["fees-repaid"]]
    assert [body["remedy_due"] for body in bodies] == [None, *["2026-11"] * 4]
    assert bodies[-1]["verified"] == "by-workers"
    assert "Canary" not in "".join(trail)


async def test_a_plan_belongs_to_the_observation_before_and_after_its_release_in_every_form(office: Office) -> None:
    await office.store_report()

    async def add(store: Any) -> PlanItem:
        subject = await plans.subject_of_observation(store, "R" * 43, "O1")
        return await plans.add_item(store, office.people["ana"], subject, Remedy.WAGES_PAID, "2027-01", None, NOW)

    item: PlanItem = await office.write(add)
    async with office.database.read() as store:
        plan = await plans.plan_of(store, await plans.subject_of_observation(store, "R" * 43, "O1"))
        assert plan.published is None and "nothing was published" in str(plan.held_up)
        with pytest.raises(NotFound):
            await plans.subject_of_observation(store, "R" * 43, "O9")
        with pytest.raises(NotPublished):
            await plans.subject_of_finding(store, "S" * 43)
    await office.approve("ben", await office.heard("ana"))
    first = (await office.sign())[-1]
    newer = await say(office, first)
    async with office.database.read() as store:
        for name in (first, newer):
            plan = await plans.plan_of(store, await plans.subject_of_finding(store, name))
            assert [i.id for i in plan.items] == [item.id] and plan.subject.statement == newer
        again = await plans.subject_of_observation(store, "R" * 43, "O1")
        assert again.statement == newer


async def test_while_a_revision_waits_or_after_a_withdrawal_the_plan_says_why_nothing_can_be_said(
    office: Office,
) -> None:
    first = await published(office)
    await agree(office, first)
    review = await office.write(lambda store: plans.propose_step(store, office.people["ana"], first, NOW))
    with pytest.raises(AlreadyProposed):
        await office.write(lambda store: plans.propose_step(store, office.people["ana"], first, NOW))
    await office.reject("ben", review)
    await office.approve("ben", await office.withdraw("ana", first))
    async with office.database.read() as store:
        plan = await plans.plan_of(store, await plans.subject_of_finding(store, first))
    assert "taken back" in str(plan.held_up) and len(plan.items) == 1


async def test_on_site_is_verified_only_by_a_follow_up_report_that_says_so_of_this_remedy(office: Office) -> None:
    first = await published(office)
    item = await agree(office, first, Remedy.DOCUMENTS_RETURNED)
    await move(office, item, ItemState.DONE)
    on_site = {"verified": Verified.ON_SITE, "verifier": "Greta"}
    follows = {"follows_up": {"report": "R" * 43, "observation": "O1"}, "status": "closed-verified"}
    seen = {**OBSERVATION, **follows, "verified": "on-site"}
    await office.store_report("S" * 43, origin="signed", observations=[{**seen, "remedies": ["fees-repaid"]}])
    await office.store_report("T" * 43, origin="signed", observations=[{**seen, "remedies": ["documents-returned"]}])
    for report in (None, "S" * 43, "R" * 43):
        with pytest.raises(PlanMayNot, match="follow-up report"):
            await move(office, item, ItemState.VERIFIED, "ben", follow_up=report, **on_site)
    await move(office, item, ItemState.VERIFIED, "ben", follow_up="T" * 43, **on_site)
    for _ in range(3):
        await say(office, first)
    with pytest.raises(CannotPropose, match="follow-up report says so"):
        await say(office, first)
    await office.approve("ben", await office.heard("ana", "T" * 43))
    newest = (await office.sign())[-1]
    async with office.database.read() as store:
        plan = await plans.plan_of(store, await plans.subject_of_finding(store, first))
    assert plan.subject.statement == newest and plan.step is None and plan.published is not None
    assert plan.published.finding.verified is Verified.ON_SITE


async def test_a_correction_and_a_step_back_keep_what_stood_there_and_the_trail_has_no_word_of_it(
    office: Office,
) -> None:
    item = await agree(office, await published(office))
    ana = office.people["ana"]

    async def correct(store: Any, **changes: Any) -> PlanItem:
        found = await plans.find_item(store, item.id)
        return await plans.correct_item(store, ana, found, changes, "Canary-misheard", NOW)

    await office.write(lambda store: correct(store, due="2027-02"))
    with pytest.raises(PlanMayNot, match="says so already"):
        await office.write(lambda store: correct(store, due="2027-02"))
    await move(office, item, ItemState.DONE)
    with pytest.raises(PlanMayNot, match="take it back first"):
        await office.write(lambda store: correct(store, due="2027-03"))
    back = await move(office, item, ItemState.UNDER_WAY, reason="Canary-they asked again")
    assert (back.done_by, back.done_at) == (None, None)
    async with office.database.read() as store:
        acts = [(act.act, act.reason, act.before) for act in await store.local_acts.of(item.id)]
        trail = await store.trail.page(before=None, most=4)
    assert acts == [
        ("correct", "Canary-misheard", {"due": "2026-11"}),
        ("done", None, {"state": "agreed"}),
        ("under-way", "Canary-they asked again", {"state": "done"}),
    ]
    events = [entry.event.value for _, entry in reversed(trail)]
    assert events == ["plan.item-added", "plan.item-corrected", "plan.item-moved", "plan.item-moved"]
    assert "Canary" not in str(trail)


async def test_the_database_itself_refuses_that_one_person_does_and_verifies(office: Office) -> None:
    item = await agree(office, await published(office))
    ana = office.people["ana"].id
    wrong = replace(item, **{**CHECKED, "done_by": ana, "verified_by": ana})
    with pytest.raises(IntegrityError):
        await office.write(lambda store: store.plans.put(wrong))


async def test_status_says_what_is_overdue_and_what_waits_to_be_verified(office: Office) -> None:
    first = await published(office)
    late, done = await agree(office, first), await agree(office, first, Remedy.WAGES_PAID)
    await agree(office, first, Remedy.HOURS_REDUCED, "2030-01")
    await move(office, done, ItemState.DONE)
    at = NOW + timedelta(days=100)
    async with office.database.read() as store:
        found = await plans.late_items(store, at)
        assert (await plans.late_items(store, NOW)).overdue == []
    lines = due.lines(found, NOTHING_DUE, NOTHING_DESTROYED, at.date())
    assert lines[0] == "plans       2 items agreed and not done yet: comity plan list"
    assert lines[1].startswith(
        f"plan        {late.id} fees-repaid: agreed, due 2026-11, OVERDUE since 2026-11-30, NEXT"
    )
    assert lines[2].startswith(f"plan        {done.id} wages-paid: done, as the supplier says; to be verified, OVERDUE")
    facts = due.facts(found, NOTHING_DUE, NOTHING_DESTROYED, at.date())["plans"]
    assert [item["next_step_due"] for item in facts["overdue"]] == [True]
    assert facts["items"] == {"agreed": 2, "done": 1}


async def test_the_plan_of_what_was_released_anew_is_told_by_what_stands_now(office: Office) -> None:
    first = await published(office)
    item = await agree(office, first)
    await office.approve("ben", await office.withdraw("ana", first))
    await office.approve("ben", await office.heard("ana"))
    anew = (await office.sign())[-1]
    async with office.database.read() as store:
        plan = await plans.plan_of(store, await plans.subject_of_observation(store, "R" * 43, "O1"))
    assert (plan.subject.statement, plan.held_up, [i.id for i in plan.items]) == (anew, None, [item.id])
