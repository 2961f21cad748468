"""Nothing leaves before two people have said so, and exactly what they saw leaves."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.exc import IntegrityError

from builders import report
from comity_federation.lone_record import decide_alone
from comity_node.db import Database
from comity_node.domain.errors import (
    AlreadyDecided,
    AlreadyProposed,
    CannotPropose,
    FocalPointNeeded,
    HandlingRefused,
    NotFound,
    NotPublished,
    SamePerson,
)
from comity_node.domain.people import PersonRole
from comity_node.services.accounts import add_person, bearer, make_token
from comity_node.services.operating.check import check
from comity_node.services.review.release import (
    approve,
    read_outgoing,
)
from comity_node.services.review.report_status import report_status
from comity_schemas.handling import Handling
from comity_schemas.member import Role
from node_world import NOW, OBSERVATION, registry_of
from review_office import Office

HANDLING: dict[str, Any] = {
    "tlp": "GREEN",
    "contact": "desk",
    "purpose": "supply-chain-due-diligence",
    "permitted_use": ["engagement"],
    "onward": "members",
}


@pytest_asyncio.fixture
async def office(sqlite: Database) -> AsyncIterator[Office]:
    made = Office(sqlite)
    await made.open()
    yield made


@pytest_asyncio.fixture
async def either_office(database: Database) -> AsyncIterator[Office]:
    """As `office`, on both databases."""
    made = Office(database)
    await made.open()
    yield made


async def test_a_second_person_releases_and_approved_means_in_the_outbox(either_office: Office) -> None:
    office = either_office
    await office.store_report()
    review = await office.heard("ana")
    assert await office.released() == 0
    await office.approve("ben", review)
    assert (await office.released(), await office.state(review)) == (1, "approved")
    (name,) = await office.sign()
    async with office.database.read() as store:
        item = await store.outbox.of_hash(name)
        assert item is not None and item.outgoing == read_outgoing(review)
        events = [e.event for _, e in await store.trail.page(before=None, most=5)]
    due = ["supplier.notified", "retaliation.checked"]
    assert events == ["statement.signed", "review.approved", *due, "review.proposed"]
    assert await check(office.database, registry_of(office.member), NOW) == []


async def test_the_same_person_is_refused_also_with_another_token(either_office: Office) -> None:
    office = either_office
    await office.store_report()
    review = await office.propose("ana")
    async with office.database.write() as store:
        one = await make_token(store, office.people["ana"], label="desk", now=NOW)
        other = await make_token(store, office.people["ana"], label="phone", now=NOW)
    async with office.database.read() as store:
        again = await bearer(store, other.secret, NOW)
        assert again is not None and one.secret != other.secret
    with pytest.raises(SamePerson):
        await office.write(lambda store: approve(store, again, review.id, NOW, Role.AGENCY))
    with pytest.raises(SamePerson):
        await office.reject("ana", review)
    assert (await office.released(), await office.state(review)) == (0, "proposed")


async def test_the_database_itself_refuses_the_same_person(either_office: Office) -> None:
    office = either_office
    await office.store_report()
    review = await office.propose("ana")
    with pytest.raises(IntegrityError):
        await office.write(
            lambda store: store.reviews.decide(review.id, state="approved", by=office.people["ana"].id, now=NOW)
        )
    assert await office.state(review) == "proposed"


async def test_a_decided_review_is_not_decided_again(office: Office) -> None:
    await office.store_report()
    review = await office.heard("ana")
    await office.approve("ben", review)
    for act in (office.approve, office.reject):
        with pytest.raises(AlreadyDecided):
            await act("cy", review)
    assert await office.released() == 1


@pytest.mark.parametrize(
    ("change", "needed"),
    [
        ({}, False),
        ({"observations": [{**OBSERVATION, "severity": "S3"}]}, True),
        ({"observations": [{**OBSERVATION, "severity": "S4"}]}, True),
        ({"source": "union"}, True),
        ({"source": "ngo"}, True),
        ({"source": "grievance-body"}, True),
        ({"source": "court"}, False),
        ({"source": "public-register", "observations": [{**OBSERVATION, "severity": "S4"}]}, False),
    ],
)
async def test_a_focal_point_is_needed_where_people_could_be_blamed(
    office: Office, change: dict[str, Any], needed: bool
) -> None:
    await office.store_report(**change)
    review = await office.heard("ana")
    if needed:
        with pytest.raises(FocalPointNeeded):
            await office.approve("ben", review)
        assert await office.released() == 0
        await office.consent(review)
        await office.approve("fay", review)
    else:
        await office.approve("ben", review)
    assert await office.released() == 1


async def test_a_focal_point_that_has_left_does_not_count(office: Office) -> None:
    await office.store_report(source="union")
    office.people["fay"] = await office.write(
        lambda store: add_person(
            store,
            name="fay two",
            roles=[PersonRole.FOCAL_POINT, PersonRole.REVIEWER],
            firm=None,
            password_hash=None,
            by="test",
            now=NOW,
        )
    )
    review = await office.heard("fay")
    await office.write(lambda store: store.accounts.close_person(office.people["fay"].id, NOW))
    with pytest.raises(FocalPointNeeded):
        await office.approve("ben", review)
    assert await office.released() == 0


@pytest.mark.parametrize("marks", [("no-sharing-basis",), ("scheme-not-authorised",)])
async def test_a_marked_report_yields_nothing(office: Office, marks: tuple[str, ...]) -> None:
    await office.store_report(marks=marks)
    with pytest.raises(CannotPropose):
        await office.propose("ana")


@pytest.mark.parametrize(
    "change",
    [{"ref": "O9"}, {"severity": "S1"}, {"severity": "S0"}, {"indicators": []}],
    ids=["unknown", "S1", "S0", "no indicator"],
)
async def test_an_observation_that_cannot_leave_is_not_proposed(office: Office, change: dict[str, Any]) -> None:
    await office.store_report(observations=[{**OBSERVATION, **change}])
    with pytest.raises(CannotPropose):
        await office.propose("ana")


async def test_an_unknown_report_or_review_is_not_found(office: Office) -> None:
    with pytest.raises(NotFound):
        await office.propose("ana", "X" * 43)
    with pytest.raises(NotFound):
        await office.write(lambda store: approve(store, office.people["ana"], "nothing", NOW, Role.AGENCY))


@pytest.mark.parametrize("tlp", ["RED", "AMBER", "AMBER+STRICT"])
async def test_what_would_have_to_be_sealed_is_not_proposed(office: Office, tlp: str) -> None:
    await office.store_report()
    with pytest.raises(HandlingRefused):
        await office.propose("ana", handling=Handling.from_parsed({**HANDLING, "tlp": tlp}))


async def test_a_firm_named_after_a_person_is_never_clear(office: Office) -> None:
    party = {**report().party.to_parsed(), "named_after_person": True}
    await office.store_report(party=party, source="public-register")
    with pytest.raises(HandlingRefused):
        await office.propose("ana", handling=Handling.from_parsed({**HANDLING, "tlp": "CLEAR"}))
    assert read_outgoing(await office.propose("ana")).handling.tlp == "GREEN"


async def test_the_same_observation_is_proposed_once_and_again_after_a_rejection(office: Office) -> None:
    await office.store_report()
    first = await office.propose("ana")
    with pytest.raises(AlreadyProposed):
        await office.propose("ben")
    await office.reject("ben", first)
    second = await office.heard("ana")
    await office.approve("cy", second)
    with pytest.raises(AlreadyProposed):
        await office.propose("ana")
    assert (await office.released(), await office.state(first)) == (1, "rejected")


async def test_a_correction_names_what_it_replaces(office: Office) -> None:
    await office.store_report()
    await office.approve("ben", await office.heard("ana"))
    (first,) = await office.sign()
    await office.store_report("S" * 43, observations=[{**OBSERVATION, "status": "under-engagement"}])
    await office.approve("ben", await office.heard("ana", "S" * 43, revises=first))
    _, second = await office.sign()
    async with office.database.read() as store:
        item = await store.outbox.of_hash(second)
    assert item is not None and item.outgoing.body["replaces"] == first


async def test_only_what_was_published_here_and_stands_is_corrected_or_taken_back(office: Office) -> None:
    await office.store_report()
    for act in (lambda: office.withdraw("ana", "N" * 43), lambda: office.propose("ana", revises="N" * 43)):
        with pytest.raises(NotPublished):
            await act()
    await office.approve("ben", await office.heard("ana"))
    (name,) = await office.sign()
    await office.approve("ben", await office.withdraw("ana", name))
    with pytest.raises(NotPublished):
        await office.withdraw("cy", name)
    await office.store_report("S" * 43)
    with pytest.raises(NotPublished):
        await office.propose("ana", "S" * 43, revises=name)


async def test_two_people_take_back_and_it_stands_until_then(office: Office) -> None:
    await office.store_report()
    await office.approve("ben", await office.heard("ana"))
    (name,) = await office.sign()
    taking_back = await office.withdraw("ana", name)
    with pytest.raises(AlreadyProposed):
        await office.withdraw("ben", name)
    with pytest.raises(SamePerson):
        await office.approve("ana", taking_back)
    assert await office.released() == 1
    await office.reject("ben", taking_back)
    await office.approve("ana", await office.withdraw("ben", name))
    _, withdrawal = await office.sign()
    async with office.database.read() as store:
        item = await store.outbox.of_hash(withdrawal)
        stored = await store.reports.find("R" * 43)
        assert stored is not None
        (status,) = await report_status(store, stored)
    assert item is not None and item.outgoing.body == {"statement": name, "reason": "factual-error"}
    assert status.state == "withdrawn"


async def test_a_withdrawal_itself_cannot_be_taken_back(office: Office) -> None:
    await office.store_report()
    await office.approve("ben", await office.heard("ana"))
    (name,) = await office.sign()
    await office.approve("ben", await office.withdraw("ana", name))
    _, withdrawal = await office.sign()
    with pytest.raises(NotPublished):
        await office.withdraw("ana", withdrawal)


async def test_what_was_released_is_accepted_by_everybody(office: Office) -> None:
    await office.store_report()
    await office.approve("ben", await office.heard("ana"))
    (name,) = await office.sign()
    async with office.database.read() as store:
        item = await store.outbox.of_hash(name)
    assert item is not None and item.record is not None
    decision = decide_alone(item.record, lambda _: office.member, office.member.did)
    assert type(decision).__name__ == "Accepted"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("delete from outbox", "approved and not in the outbox"),
        ("update review set state = 'rejected'", "in the outbox and was not approved"),
        ("update outbox set record = :raw", "signed bytes of statement 1 were changed"),
        ("update outbox set outgoing = replace(outgoing, 'S2', 'S4')", "is not what was approved"),
    ],
)
async def test_check_notices_when_outbox_and_reviews_part(office: Office, change: str, said: str) -> None:
    await office.store_report()
    await office.approve("ben", await office.heard("ana"))
    (name,) = await office.sign()
    async with office.database.write() as store:
        item = await store.outbox.of_hash(name)
        assert item is not None and item.record is not None
        middle = item.record.rindex(b"~") - 9
        raw = item.record[:middle] + b"AAAA" + item.record[middle + 4 :]
        connection = await store._session.connection()
        await connection.exec_driver_sql(change.replace(":raw", "?"), (raw,) if ":raw" in change else ())
    problems = await check(office.database, registry_of(office.member), NOW)
    assert any(said in problem for problem in problems), problems
