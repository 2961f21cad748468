"""Members of the site's own country do not read what could endanger people there, unless a focal point consents."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from builders import FINDING_IN_CLEAR, HANDLING
from comity_node.db import Database
from comity_node.domain.audience import readers, why_excluded
from comity_node.domain.due_process import FIXED, AtRisk, Outcome, PostponeReason, RetaliationCheck
from comity_node.domain.errors import (
    AlreadyDecided,
    Contradictory,
    FocalPointNeeded,
    HandlingRefused,
    HeldBack,
    NotFound,
)
from comity_node.services.review.audience import audience_of, take_consent_back
from comity_node.services.review.due_process import check_retaliation
from comity_node.services.review.revision import Step, propose_revision
from comity_schemas.finding import Finding, Status
from comity_schemas.handling import Contact, Handling
from comity_schemas.member import Member, MemberStatus
from node_world import NOW, OBSERVATION
from review_office import Office

GRAVE = [{**OBSERVATION, "severity": "S3"}]
POSTPONE = RetaliationCheck(
    frozenset({AtRisk.WORKERS}),
    Outcome.POSTPONE,
    Contact.NONE,
    PostponeReason.SAFETY_OF_PERSONS,
    NOW.date() + timedelta(days=9),
)


@pytest_asyncio.fixture
async def office(sqlite: Database) -> AsyncIterator[Office]:
    made = Office(sqlite)
    await made.open()
    yield made


def finding(**change: Any) -> Finding:
    return Finding.from_parsed({**FINDING_IN_CLEAR, **change})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, None),
        ({"severity": "S3"}, "its severity is S3"),
        ({"severity": "S4"}, "its severity is S4"),
        ({"source": {**FINDING_IN_CLEAR["source"], "type": "union"}}, "from workers"),
        ({"source": {**FINDING_IN_CLEAR["source"], "type": "ngo"}}, "from workers"),
        ({"source": {**FINDING_IN_CLEAR["source"], "type": "grievance-body"}}, "from workers"),
        ({"source": {**FINDING_IN_CLEAR["source"], "type": "court"}}, None),
        ({"indicators": [{"indicator": "FL12", "basis": "inferred"}]}, "a state imposes labour"),
    ],
)
def test_by_default_excluded_are_grave_worker_sourced_and_state_imposed_findings(
    change: dict[str, Any], said: str | None
) -> None:
    why = why_excluded(finding(**change))
    assert why is None if said is None else why is not None and said in why and why.startswith("of BR")


def test_readers_of_the_sites_own_country_come_first_with_the_reason(office: Office) -> None:
    def member(slug: str, country: str, **more: Any) -> Member:
        return office.member.model_copy(update={"slug": slug, "country": country, **more})

    members = [
        office.member,
        member("aid", "international"),
        member("body", "SE"),
        member("zebra", "BR"),
        member("gone", "BR", status=MemberStatus.PENDING),
    ]
    grave = finding(severity="S3")
    found = readers(members, "agency", grave, why_excluded(grave))
    assert [(r.slug, r.excluded is not None) for r in found] == [("zebra", True), ("aid", False), ("body", False)]
    assert [r.excluded for r in readers(members, "agency", finding(), None)] == [None] * 3


async def test_such_a_finding_is_held_back_until_a_focal_point_consents(database: Database) -> None:
    office = Office(database)
    await office.open()
    await office.store_report(observations=GRAVE)
    review = await office.heard("ana")
    with pytest.raises(HeldBack, match="no sharing groups yet"):
        await office.approve("fay", review)
    with pytest.raises(FocalPointNeeded):
        await office.consent(review, "ben")
    assert await office.released() == 0
    await office.consent(review)
    with pytest.raises(AlreadyDecided):
        await office.consent(review)
    async with office.database.read() as store:
        (_, noted) = (await store.trail.page(before=None, most=1))[0]
    assert (noted.event, noted.actor) == ("audience.consented", office.people["fay"].id)
    await office.approve("fay", review)
    assert await office.released() == 1
    with pytest.raises(AlreadyDecided):
        await office.write(lambda store: take_consent_back(store, office.people["fay"], review.id, NOW))


async def test_a_consent_is_taken_back_before_the_release(office: Office) -> None:
    await office.store_report(observations=GRAVE)
    review = await office.heard("ana")
    await office.consent(review)
    for who, error in (("ben", FocalPointNeeded), ("fay", None), ("fay", NotFound)):
        act = office.write(lambda store, w=who: take_consent_back(store, office.people[w], review.id, NOW))
        if error is None:
            await act
            continue
        with pytest.raises(error):
            await act
    with pytest.raises(HeldBack):
        await office.approve("fay", review)


async def test_what_contradicts_it_is_refused(office: Office) -> None:
    await office.store_report()
    await office.store_report("S" * 43, observations=GRAVE)
    plain, grave = await office.heard("ana"), await office.propose("ana", "S" * 43)
    with pytest.raises(Contradictory, match="nothing to consent to"):
        await office.consent(plain)
    await office.consent(grave)

    async def postpone() -> None:
        await office.write(lambda store: check_retaliation(store, office.people["fay"], grave.id, POSTPONE, FIXED, NOW))

    with pytest.raises(Contradictory, match="take that back first"):
        await postpone()
    await office.write(lambda store: take_consent_back(store, office.people["fay"], grave.id, NOW))
    await postpone()
    with pytest.raises(Contradictory, match="nobody reads it now"):
        await office.consent(grave)


@pytest.mark.parametrize("change", [{"tlp": "CLEAR"}, {"onward": "anyone"}])
async def test_terms_under_which_anybody_reads_it_are_refused(office: Office, change: dict[str, str]) -> None:
    terms = Handling.from_parsed({**HANDLING, **change})
    await office.store_report()
    await office.store_report("S" * 43, observations=GRAVE)
    await office.propose("ana", handling=terms)
    with pytest.raises(HandlingRefused, match="contradict"):
        await office.propose("ana", "S" * 43, handling=terms)


@pytest.mark.parametrize(("origin", "waits"), [("register", False), ("signed", True)])
async def test_only_what_a_public_register_has_itself_published_is_excepted(
    office: Office, origin: str, waits: bool
) -> None:
    await office.store_report(source="public-register", origin=origin, observations=GRAVE)
    review = await office.propose("ana")
    async with office.database.read() as store:
        assert ((await audience_of(store, review)).why is not None) is waits


@pytest.mark.parametrize(("status", "waits"), [(Status.UNDER_ENGAGEMENT, False), (Status.CONFIRMED, True)])
async def test_a_revision_waits_only_if_it_says_something_graver(office: Office, status: Status, waits: bool) -> None:
    await office.store_report(observations=GRAVE)
    first = await office.heard("ana")
    await office.consent(first)
    await office.approve("fay", first)
    (name,) = await office.sign()
    review = await office.write(lambda store: propose_revision(store, office.people["ana"], name, Step(status), NOW))
    async with office.database.read() as store:
        assert ((await audience_of(store, review)).why is not None) is waits
