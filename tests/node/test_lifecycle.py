"""How a finding starts, which status may follow which, when it ends, and what an officer sees of it."""

from collections.abc import AsyncIterator
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from builders import FINDING_IN_CLEAR, Publisher, report
from comity_node.db import Database
from comity_node.domain.errors import AlreadyProposed, CannotPropose, NotPublished, StatusMayNotFollow
from comity_node.domain.lifecycle import MAY_FOLLOW, Step, check_start, check_step, in_words, may_start
from comity_node.domain.screening import Question
from comity_node.domain.validity import RULES, protected_until, valid_until
from comity_node.services.answering.answers import describe
from comity_node.services.answering.screen import screen
from comity_node.services.review.revision import propose_revision
from comity_schemas.finding import Finding, Remedy, SourceType, Status, Verified
from lives import EVERY_STEP, lives
from node_world import NOW, OBSERVATION, Bench, registry_of
from review_office import Office

LINE = (
    Status.ALLEGED,
    Status.UNDER_ENGAGEMENT,
    Status.CONFIRMED,
    Status.PLAN_AGREED,
    Status.IN_PROGRESS,
    Status.CLOSED_CLAIMED,
    Status.CLOSED_VERIFIED,
)
"""domain.md's line."""

NO_STEPS = [(b, a) for b in Status for a in Status if a is not b and a not in MAY_FOLLOW[b]]


def finding(status: Status = Status.ALLEGED, source: str = "audit", **more: Any) -> Finding:
    verified = {"verified": "desk"} if status is Status.CLOSED_VERIFIED else {}
    said = {**FINDING_IN_CLEAR, "source": {**FINDING_IN_CLEAR["source"], "type": source}, "status": status.value}
    return Finding.from_parsed({**said, **verified, **more})


# --- the machine itself


def test_every_status_has_a_row_and_the_line_of_the_domain_is_in_it() -> None:
    assert set(MAY_FOLLOW) == set(Status)
    assert all(after in MAY_FOLLOW[before] for before, after in pairwise(LINE))


@pytest.mark.parametrize(("before", "after"), NO_STEPS)
def test_an_illegal_transition_is_refused_and_the_allowed_ones_are_named(before: Status, after: Status) -> None:
    with pytest.raises(StatusMayNotFollow) as refused:
        check_step(finding(before), finding(after), follow_up=True)
    assert set(refused.value.allowed) == MAY_FOLLOW[before]
    assert all(status.value in str(refused.value) for status in MAY_FOLLOW[before])
    assert "nothing was changed" in str(refused.value)


def test_people_read_what_may_be_said_instead() -> None:
    with pytest.raises(StatusMayNotFollow) as refused:
        check_start(finding(Status.CLOSED_CLAIMED, "court"))
    assert str(refused.value) == (
        "a first finding from the source court cannot be closed-claimed; it starts as alleged or confirmed. Where the "
        "matter stands now follows as its revision; nothing was changed"
    )
    with pytest.raises(StatusMayNotFollow) as refused:
        check_step(finding(Status.CONFIRMED), finding(Status.ALLEGED), follow_up=True)
    assert str(refused.value) == (
        "alleged may not follow confirmed; what may follow is plan-agreed, overturned or contract-ended; nothing was "
        "changed"
    )
    with pytest.raises(StatusMayNotFollow) as refused:
        check_step(finding(Status.OVERTURNED), finding(Status.CONFIRMED), follow_up=True)
    assert str(refused.value) == (
        "confirmed may not follow overturned; what may follow is nothing: it is over, and what is true after all is "
        "published anew; nothing was changed"
    )
    before, after = finding(Status.IN_PROGRESS), finding(Status.CLOSED_VERIFIED, verified="on-site")
    with pytest.raises(StatusMayNotFollow) as refused:
        check_step(before, after, follow_up=False)
    assert str(refused.value) == (
        "only a follow-up report closes a finding as verified on site; verified from the desk or by workers needs "
        "none; nothing was changed"
    )


@pytest.mark.parametrize("status", list(Status))
def test_something_else_may_be_corrected_in_every_status(status: Status) -> None:
    check_step(finding(status), finding(status, severity="S1"), follow_up=False)


@pytest.mark.parametrize("source", list(SourceType))
def test_a_finding_starts_as_alleged_or_as_confirmed_where_a_court_or_authority_decided(source: SourceType) -> None:
    decided = source in (SourceType.COURT, SourceType.PUBLIC_REGISTER)
    allowed = {Status.ALLEGED, Status.CONFIRMED} if decided else {Status.ALLEGED}
    assert may_start(source) == allowed
    for status in Status:
        if status in allowed:
            check_start(finding(status, source.value))
        else:
            with pytest.raises(StatusMayNotFollow, match=in_words(frozenset(allowed))):
                check_start(finding(status, source.value))


def test_only_a_follow_up_report_closes_as_verified_on_site() -> None:
    before, closed = finding(Status.IN_PROGRESS), finding(Status.CLOSED_VERIFIED, verified="on-site")
    with pytest.raises(StatusMayNotFollow, match="follow-up report"):
        check_step(before, closed, follow_up=False)
    check_step(before, closed, follow_up=True)
    # What a follow-up has verified may be corrected in something else without another one.
    check_step(closed, closed.model_copy(update={"remedies": (Remedy.WAGES_PAID,)}), follow_up=False)


@given(st.lists(st.sampled_from([*Status]), max_size=12))
def test_nothing_follows_what_was_overturned(path: list[Status]) -> None:
    now = Status.ALLEGED
    for after in path:
        if after in MAY_FOLLOW[now]:
            assert now is not Status.OVERTURNED
            now = after


# --- validity


@pytest.mark.parametrize(
    ("scheme", "own", "until"),
    [
        ("amfori BSCI", None, date(2027, 3, 31)),
        ("amfori BSCI", "2028-03-13", date(2028, 3, 31)),
        ("amfori BSCI", "2030-01-01", date(2028, 3, 31)),
        ("RBA", None, date(2028, 3, 31)),
        ("RBA 8", "2099-12-31", date(2028, 3, 31)),
        ("SLCP CAF", None, date(2027, 3, 31)),
        ("SA8000", "2026-09-01", date(2026, 9, 30)),
        ("TfS", None, date(2029, 3, 31)),
        ("SMETA", None, date(2026, 8, 31)),
        ("SMETA", "2027-01-01", date(2027, 1, 31)),
    ],
)
def test_a_finding_expires_by_the_rule_of_its_scheme(scheme: str, own: str | None, until: date) -> None:
    assert valid_until(report(scheme=scheme, valid_until=own), 5) == until


def test_where_only_the_year_of_an_audit_is_known_months_are_counted_from_its_january() -> None:
    assert valid_until(report(scheme="SLCP CAF", finished_precision="year"), 5) == date(2027, 1, 31)
    assert valid_until(report(scheme="SMETA", finished_precision="year"), 5) == date(2026, 6, 30)


@pytest.mark.parametrize("finished", ["2026-01-02", "2026-03-14", "2026-12-30"])
@pytest.mark.parametrize(
    ("own", "until"),
    [(None, date(2027, 5, 31)), ("2026-12-31", date(2026, 12, 31)), ("2028-01-01", date(2027, 5, 31))],
)
def test_what_a_protected_source_said_ends_by_years_alone(finished: str, own: str | None, until: date) -> None:
    for scheme in ("SMETA", "RBA", "TfS"):
        assert protected_until(report(scheme=scheme, finished=finished, valid_until=own), 5) == until


def test_no_scheme_lets_a_finding_stand_longer_than_its_most() -> None:
    for begins, rule in RULES.items():
        assert valid_until(report(scheme=f"{begins} x", valid_until="2999-12-31"), 1).year <= 2026 + rule.most // 12


# --- two people move a published finding


@pytest_asyncio.fixture
async def office(sqlite: Database) -> AsyncIterator[Office]:
    made = Office(sqlite)
    await made.open()
    yield made


async def revise(office: Office, statement: str, status: Status, **more: Any) -> str:
    """Move a finding one step by two people; return the hash of what was signed."""
    review = await office.write(
        lambda store: propose_revision(store, office.people["ana"], statement, Step(status, **more), NOW)
    )
    await office.hear(review)
    await office.approve("ben", review)
    return (await office.sign())[-1]


async def published(office: Office, report_id: str = "R" * 43) -> str:
    """Publish a finding that is alleged."""
    await office.store_report(report_id)
    await office.approve("ben", await office.heard("ana", report_id))
    return (await office.sign())[-1]


async def test_every_allowed_transition_is_published_by_two_people(office: Office) -> None:
    seen: set[tuple[Status, Status]] = set()
    for number, life in enumerate(lives()):
        name = await published(office, f"{number:043}")
        for before, after in pairwise(life):
            how = {"verified": Verified.BY_WORKERS} if after is Status.CLOSED_VERIFIED else {}
            newer = await revise(office, name, after, remedies=(Remedy.FEES_REPAID,), **how)
            async with office.database.read() as store:
                item = await store.outbox.of_hash(newer)
            assert item is not None
            body = item.outgoing.body
            assert (body["status"], body["replaces"], body["remedies"]) == (after.value, name, ["fees-repaid"])
            seen.add((before, after))
            name = newer
    assert seen == EVERY_STEP


async def test_a_first_finding_may_start_as_alleged_where_the_report_says_that_the_matter_is_further(
    office: Office,
) -> None:
    await office.store_report(observations=[{**OBSERVATION, "status": "closed-verified", "verified": "desk"}])
    with pytest.raises(StatusMayNotFollow, match="starts as alleged"):
        await office.propose("ana")
    review = await office.heard("ana", starts_as=Status.ALLEGED)
    await office.approve("ben", review)
    assert await office.released() == 1


async def test_only_the_newest_form_is_revised_and_by_one_proposal_at_a_time(office: Office) -> None:
    first = await published(office)
    propose = lambda name, step: office.write(  # noqa: E731 said once
        lambda store: propose_revision(store, office.people["ana"], name, step, NOW)
    )
    review = await propose(first, Step(Status.CONFIRMED))
    with pytest.raises(AlreadyProposed):
        await propose(first, Step(Status.UNDER_ENGAGEMENT))
    await office.hear(review)
    await office.approve("ben", review)
    (_, newer) = await office.sign()
    with pytest.raises(NotPublished, match=newer):
        await propose(first, Step(Status.UNDER_ENGAGEMENT))
    with pytest.raises(CannotPropose, match="how it was verified"):
        await propose(newer, Step(Status.PLAN_AGREED, verified=Verified.DESK))


async def test_what_was_taken_back_meanwhile_is_not_revised(office: Office) -> None:
    name = await published(office)
    review = await office.write(
        lambda store: propose_revision(store, office.people["ana"], name, Step(Status.CONFIRMED), NOW)
    )
    await office.approve("ben", await office.withdraw("ana", name))
    with pytest.raises(NotPublished):
        await office.approve("ben", review)
    assert await office.state(review) == "proposed"


async def test_only_the_newest_form_is_taken_back_since_it_would_stand_on(office: Office) -> None:
    first = await published(office)
    early = await office.withdraw("ana", first)
    newer = await revise(office, first, Status.CONFIRMED)
    with pytest.raises(NotPublished, match=newer):
        await office.approve("ben", early)
    assert await office.state(early) == "proposed"
    await office.reject("ben", early)
    with pytest.raises(NotPublished, match=newer):
        await office.withdraw("ana", first)
    await office.approve("ben", await office.withdraw("ana", newer))


async def test_a_second_report_closes_on_site_what_the_first_one_found(office: Office) -> None:
    name = await published(office)
    for status in (Status.CONFIRMED, Status.PLAN_AGREED, Status.IN_PROGRESS):
        name = await revise(office, name, status)
    follows = {"follows_up": {"report": "R" * 43, "observation": "O1"}, "remedies": ["documents-returned"]}
    closed = {**OBSERVATION, **follows, "status": "closed-verified", "verified": "on-site"}
    await office.store_report("S" * 43, origin="signed", observations=[closed])
    await office.approve("ben", await office.heard("ana", "S" * 43))
    newer = (await office.sign())[-1]
    async with office.database.read() as store:
        item = await store.outbox.of_hash(newer)
    assert item is not None and item.outgoing.body["verified"] == "on-site"


# --- what an officer sees


@pytest.mark.parametrize(
    ("more", "standing", "credit"),
    [
        ({}, "current", None),
        (
            {"status": "in-progress", "remedies": ["fees-repaid"]},
            "current",
            {"status": "in-progress", "verified": None, "remedies": ["fees-repaid"]},
        ),
        (
            {"status": "closed-claimed"},
            "closed",
            {"status": "closed-claimed", "verified": None, "remedies": []},
        ),
        (
            {"status": "closed-verified", "verified": "by-workers", "remedies": ["wages-paid"]},
            "closed",
            {"status": "closed-verified", "verified": "by-workers", "remedies": ["wages-paid"]},
        ),
        ({"status": "overturned"}, "overturned", None),
        ({"status": "contract-ended"}, "current", None),
        ({"valid_until": "2026-09-30"}, "expired", None),
    ],
)
async def test_an_officer_sees_standing_and_closing_credit(
    sqlite: Database, more: dict[str, Any], standing: str, credit: dict[str, Any] | None
) -> None:
    agency = Publisher("agency")
    await Bench(sqlite).arrive(agency.member(), agency.finding(clear={**FINDING_IN_CLEAR, **more}).raw)
    async with sqlite.read() as store:
        answers = await screen(store, [Question("Fazenda Exemplo")], registry_of(agency.member()), NOW)
    (hit,) = describe(answers)["answers"][0]["findings"]
    assert (hit["standing"], hit["credit"], hit["relayed"]) == (standing, credit, False)
    assert describe(answers)["answers"][0]["state"].startswith("known" if standing == "overturned" else "findings")
