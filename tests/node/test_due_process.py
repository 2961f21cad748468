"""Nobody reads of a supplier before it was asked who could be blamed, and before the supplier could answer."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.exc import IntegrityError

from builders import FINDING_IN_CLEAR, HANDLING, NAMES
from comity_node.db import Database
from comity_node.domain.due_process import (
    FIXED,
    AtRisk,
    Outcome,
    PostponeReason,
    RetaliationCheck,
    Stage,
    Windows,
    check_combination,
    says_something_graver,
)
from comity_node.domain.errors import Contradictory, FocalPointNeeded, HeldBack, NotYet
from comity_node.domain.lifecycle import Step
from comity_node.services.operating.status import measure
from comity_node.services.review.due_process import Clock, check_retaliation, clock_of, notify_supplier
from comity_node.services.review.release import approve, read_outgoing
from comity_node.services.review.revision import propose_revision
from comity_node.wiring.settings import SettingsRefused, read_settings
from comity_schemas.finding import Finding, Status
from comity_schemas.handling import Contact, Handling, Tlp
from comity_schemas.member import Role
from node_world import NOW, OBSERVATION
from review_office import Office

TODAY = NOW.date()
NOTIFY = RetaliationCheck(frozenset({AtRisk.NOBODY}), Outcome.NOTIFY, Contact.ENGAGE)
POSTPONE = RetaliationCheck(
    frozenset({AtRisk.WORKERS}),
    Outcome.POSTPONE,
    Contact.NONE,
    PostponeReason.RISK_OF_RETALIATION,
    TODAY + timedelta(days=90),
)


@pytest_asyncio.fixture
async def office(sqlite: Database) -> AsyncIterator[Office]:
    made = Office(sqlite)
    await made.open()
    await made.store_report()
    yield made


@pytest_asyncio.fixture
async def either_office(database: Database) -> AsyncIterator[Office]:
    """As `office`, on both databases."""
    made = Office(database)
    await made.open()
    await made.store_report()
    yield made


async def check(office: Office, review: Any, given: RetaliationCheck, who: str = "ben") -> None:
    await office.write(lambda store: check_retaliation(store, office.people[who], review.id, given, FIXED, NOW))


async def notify(office: Office, review: Any) -> None:
    await office.write(lambda store: notify_supplier(store, office.people["ben"], review.id, FIXED, NOW))


async def approve_at(office: Office, review: Any, days: float) -> None:
    await office.write(
        lambda store: approve(store, office.people["fay"], review.id, NOW + timedelta(days=days), Role.AGENCY)
    )


async def clock(office: Office, review: Any, days: float = 0) -> Clock:
    async with office.database.read() as store:
        found = await store.reviews.find(review.id)
        assert found is not None
        return await clock_of(store, found, NOW + timedelta(days=days))


# --- combinations


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"blamed": frozenset()}, "who could be blamed"),
        ({"blamed": frozenset({AtRisk.NOBODY, AtRisk.WORKERS})}, "who could be blamed"),
        ({"outcome": Outcome.NOTIFY}, "may not notice"),
        ({"outcome": Outcome.NOTIFY, "contact": Contact.DESK}, "may not notice"),
        ({"outcome": Outcome.NOTIFY, "contact": Contact.OPEN}, "belong to a postponement"),
        ({"contact": Contact.ENGAGE}, "lets readers talk to the supplier"),
        ({"contact": Contact.OPEN}, "lets readers talk to the supplier"),
        ({"reason": None}, "needs a reason and a date"),
        ({"review_by": None}, "needs a reason and a date"),
        ({"blamed": frozenset({AtRisk.NOBODY})}, "nobody could be blamed"),
        ({"review_by": TODAY}, "outside"),
        ({"review_by": TODAY + timedelta(days=91)}, "outside"),
    ],
)
def test_combinations_that_contradict_each_other_are_refused(change: dict[str, Any], said: str) -> None:
    check_combination(POSTPONE, Tlp.GREEN, TODAY, FIXED)
    given = {name: getattr(POSTPONE, name) for name in ("blamed", "outcome", "contact", "reason", "review_by")}
    with pytest.raises(Contradictory, match=said):
        check_combination(RetaliationCheck(**{**given, **change}), Tlp.GREEN, TODAY, FIXED)


def test_what_everybody_may_read_is_not_postponed() -> None:
    with pytest.raises(Contradictory, match="anybody"):
        check_combination(POSTPONE, Tlp.CLEAR, TODAY, FIXED)


# --- the way to a release


async def test_check_then_notice_then_window_then_a_second_person(
    either_office: Office,
) -> None:
    office = either_office
    review = await office.propose("ana")
    assert (await clock(office, review)).stage is Stage.CHECK_NEEDED
    with pytest.raises(NotYet, match="who could be blamed"):
        await approve_at(office, review, 400)
    with pytest.raises(NotYet, match="who could be blamed"):
        await notify(office, review)
    await check(office, review, NOTIFY)
    assert (await clock(office, review)).stage is Stage.NOTICE_NEEDED
    with pytest.raises(NotYet, match="to be notified"):
        await approve_at(office, review, 400)
    await notify(office, review)
    assert (await clock(office, review, 29.9)).stage is Stage.WINDOW_OPEN
    with pytest.raises(NotYet, match="runs until 2026-10-31 12:00 UTC"):
        await approve_at(office, review, 29.9)
    assert await office.released() == 0
    assert (await clock(office, review, 30)).stage is Stage.READY
    await approve_at(office, review, 30)
    assert await office.released() == 1
    async with office.database.read() as store:
        item = await store.outbox.of_review(review.id)
        events = [e.event for _, e in await store.trail.page(before=None, most=4)]
    assert item is not None and item.outgoing.handling.contact is Contact.ENGAGE
    assert events == ["review.approved", "supplier.notified", "retaliation.checked", "review.proposed"]


async def test_what_is_postponed_is_recorded_shown_and_held_back(office: Office) -> None:
    review = await office.propose("ana")
    await check(office, review, POSTPONE)
    with pytest.raises(HeldBack, match="nothing can be sealed yet"):
        await approve_at(office, review, 400)
    with pytest.raises(HeldBack):
        await notify(office, review)
    now, later = await clock(office, review, 90), await clock(office, review, 91)
    assert (now.stage, now.overdue, later.overdue) == (Stage.POSTPONED, False, True)
    assert "supplier not yet heard" in now.in_words and "not to be cited in an adverse decision" in now.in_words
    assert "OVERDUE" in later.in_words
    async with office.database.read() as store:
        found = await store.reviews.find(review.id)
        (open_process,) = (await measure(store, NOW)).process
    assert found is not None and read_outgoing(found).handling.contact is Contact.NONE
    assert open_process.review_id == review.id and await office.released() == 0


async def test_a_postponement_is_looked_at_again_and_the_supplier_then_told(office: Office) -> None:
    review = await office.propose("ana")
    await check(office, review, POSTPONE)
    await check(office, review, NOTIFY)
    await notify(office, review)
    await approve_at(office, review, 30)
    assert await office.released() == 1


async def test_a_notice_cannot_be_taken_back_or_given_twice(office: Office) -> None:
    review = await office.propose("ana")
    await check(office, review, NOTIFY)
    await notify(office, review)
    for act in (lambda: notify(office, review), lambda: check(office, review, POSTPONE)):
        with pytest.raises(Contradictory, match="notified already"):
            await act()


async def test_only_a_focal_point_lets_the_supplier_be_told_where_somebody_could_be_blamed(office: Office) -> None:
    review = await office.propose("ana")
    told = RetaliationCheck(frozenset({AtRisk.INFORMANTS}), Outcome.NOTIFY, Contact.ENGAGE)
    with pytest.raises(FocalPointNeeded):
        await check(office, review, told)
    assert (await clock(office, review)).process is None
    await check(office, review, told, who="fay")
    assert (await clock(office, review)).stage is Stage.NOTICE_NEEDED


# --- where neither check nor window belongs


async def test_a_public_register_has_its_authoritys_own_procedure(office: Office) -> None:
    await office.store_report("P" * 43, source="public-register")
    review = await office.propose("ana", "P" * 43)
    assert "authority's own procedure" in (await clock(office, review)).in_words
    with pytest.raises(Contradictory, match="authority's own procedure"):
        await check(office, review, NOTIFY)
    await approve_at(office, review, 0)
    assert await office.released() == 1


async def test_an_auditor_cannot_call_a_report_a_public_register_to_avoid_the_window(office: Office) -> None:
    await office.store_report("P" * 43, source="public-register", origin="signed")
    with pytest.raises(NotYet):
        await approve_at(office, await office.propose("ana", "P" * 43), 400)


async def test_taking_back_waits_for_nobody(office: Office) -> None:
    await office.approve("fay", await office.heard("ana"))
    (name,) = await office.sign()
    await approve_at(office, await office.withdraw("ana", name), 0)
    assert await office.released() == 2


@pytest.mark.parametrize(("status", "waits"), [(Status.UNDER_ENGAGEMENT, False), (Status.CONFIRMED, True)])
async def test_a_revision_waits_only_if_it_says_something_graver(office: Office, status: Status, waits: bool) -> None:
    await office.approve("fay", await office.heard("ana"))
    (name,) = await office.sign()
    review = await office.write(lambda store: propose_revision(store, office.people["ana"], name, Step(status), NOW))
    assert (await clock(office, review)).stage is (Stage.CHECK_NEEDED if waits else Stage.READY)


async def test_a_correction_that_adds_an_indicator_is_heard_anew(office: Office) -> None:
    await office.approve("fay", await office.heard("ana"))
    (name,) = await office.sign()
    more = {**OBSERVATION, "indicators": [*OBSERVATION["indicators"], {"indicator": "FL09", "basis": "stated"}]}
    await office.store_report("S" * 43, observations=[more])
    review = await office.propose("ana", "S" * 43, revises=name)
    with pytest.raises(NotYet):
        await approve_at(office, review, 400)


@pytest.mark.parametrize(
    ("change", "graver"),
    [
        ({}, False),
        ({"severity": "S1"}, False),
        ({"severity": "S3"}, True),
        ({"extent": "systemic"}, True),
        ({"valid_until": "2027-04-01"}, True),
        ({"valid_until": "2026-04-01"}, False),
        ({"country": "AR"}, True),
        ({"names": [{"text": "Somebody else"}]}, True),
        ({"subject": "site"}, True),
        ({"municipality": "Another town"}, True),
        ({"region": "Another region"}, True),
        ({"subject": "labour-provider", "supplies_to": [{"names": [{"text": "A client"}]}]}, True),
        ({"site_address": "Rua Um, 1"}, False),
        ({"affected": "500+"}, True),
        ({"status": "closed-claimed", "remedies": ["wages-paid"]}, False),
        ({"status": "overturned"}, False),
    ],
)
def test_what_is_graver_than_what_the_supplier_was_heard_on(change: dict[str, Any], graver: bool) -> None:
    said = {**FINDING_IN_CLEAR, "names": NAMES, "status": "in-progress"}
    assert says_something_graver(Finding.from_parsed(said), Finding.from_parsed({**said, **change})) is graver


@pytest.mark.parametrize(
    ("before", "after", "graver"),
    [
        ("audit", "union", True),
        ("audit", "grievance-body", True),
        ("public-register", "audit", True),
        ("union", "ngo", False),
        ("audit", "court", False),
        ("union", "audit", False),
    ],
)
def test_that_others_spoke_is_asked_about_anew(before: str, after: str, graver: bool) -> None:
    one, other = (
        Finding.from_parsed({**FINDING_IN_CLEAR, "source": {**FINDING_IN_CLEAR["source"], "type": source}})
        for source in (before, after)
    )
    assert says_something_graver(one, other) is graver


async def test_what_a_union_says_of_what_an_auditor_said_asks_who_could_be_blamed(office: Office) -> None:
    await office.store_report("A" * 43, valid_until="2029-06-30")
    await office.approve("fay", await office.heard("ana", "A" * 43))
    (finding,) = await office.sign()
    await office.store_report("W" * 43, source="union", origin="signed")
    review = await office.propose("ana", "W" * 43, revises=finding)
    with pytest.raises(NotYet, match="who could be blamed"):
        await office.approve("fay", review)
    await office.hear(review)
    with pytest.raises(HeldBack, match="from workers"):
        await office.approve("fay", review)


# --- windows


def test_production_has_the_windows_of_the_domain() -> None:
    days = [w.days for w in (FIXED.reply, FIXED.extension, FIXED.postponed, FIXED.dispute)]
    assert days == [30, 14, 90, 30] and FIXED.differences() == []
    short = Windows(timedelta(seconds=2), FIXED.extension, FIXED.postponed, FIXED.dispute)
    assert short.differences() == ["reply window 2 s instead of 30 days"]


@pytest.mark.parametrize("name", ["reply_window_s", "reply_extension_s", "postponed_at_most_s", "dispute_within_s"])
def test_production_refuses_shortened_windows(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f'member = "a"\ndatabase = "sqlite://"\nbus = "kafka://b:9"\nregistry = "r"\n{name} = 60\n')
    assert len(read_settings(file).windows.differences()) == 1
    monkeypatch.setenv("COMITY_ENV", "production")
    with pytest.raises(SettingsRefused, match="production, which fixes the windows"):
        read_settings(file)


@pytest.mark.parametrize(
    "change", ["reason = null", "review_by = null", "notified_at = checked_at", "window_ends = checked_at"]
)
async def test_the_database_itself_refuses_half_a_postponement(either_office: Office, change: str) -> None:
    office = either_office
    review = await office.propose("ana")
    await check(office, review, POSTPONE)
    async with office.database.write() as store:
        connection = await store._session.connection()
        with pytest.raises(IntegrityError):
            await connection.exec_driver_sql(f"update due_process set {change}")


WIDER = Handling.from_parsed({**HANDLING, "tlp": "CLEAR", "contact": "engage"})


async def test_a_revision_that_more_may_read_is_heard_anew_and_none_widens_by_default(office: Office) -> None:
    narrow = Handling.from_parsed({**HANDLING, "onward": "nobody"})
    await office.approve("fay", await office.heard("ana", handling=narrow))
    (name,) = await office.sign()
    await office.store_report("S" * 43)
    widened = await office.propose("ana", "S" * 43, revises=name, handling=WIDER)
    with pytest.raises(NotYet, match="who could be blamed"):
        await office.approve("ben", widened)
    await office.reject("ben", widened)
    usual = await office.propose("ana", "S" * 43, revises=name)
    assert read_outgoing(usual).handling.onward == "nobody"
    await office.approve("ben", usual)
