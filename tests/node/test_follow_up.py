"""A report may stand in place of an earlier one, and close or reopen what it observed, by name, about one party."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from pydantic import ValidationError

from builders import AuditFirm, Publisher, key_of
from comity_federation.keys import new_signing_pair
from comity_federation.signed_reports import sign_report
from comity_federation.statements import genesis
from comity_node.db import Database
from comity_node.db.reviews import Review
from comity_node.domain.errors import CannotPropose, FollowUpRefused, StatusMayNotFollow, SupersedesUnknown
from comity_node.domain.follow_up import check_follow_up
from comity_node.domain.lifecycle import Step
from comity_node.domain.minimize import Policy
from comity_node.domain.people import Person, PersonRole
from comity_node.services.accounts import add_person
from comity_node.services.publishing.relay import Head, sign_queued
from comity_node.services.reports.submit import MARKS, Receipt, submit_report
from comity_node.services.review.release import approve, propose_release, read_outgoing
from comity_node.services.review.revision import propose_revision
from comity_schemas.finding import Status
from comity_schemas.member import Role
from comity_schemas.report import Report
from heard import hear
from node_world import NOW, OBSERVATION, SMETA, audit_report, registry_of

FIRM, OTHER_FIRM = AuditFirm("firm"), AuditFirm("rival", key_of("rival"))
AGENCY = Publisher()
REGISTRY = registry_of(*(f.member(authorisations=(SMETA,)) for f in (FIRM, OTHER_FIRM)), AGENCY.member())
CLOSED = {**OBSERVATION, "status": "closed-verified", "verified": "on-site"}
CONSENT = {"given": "2026-01-01", "scope": "findings to the network"}


class Desk:
    """A node's reports, and the people who submit and release them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.people: dict[str, Person] = {}

    async def open(self) -> None:
        for name, role, firm in (
            ("greta", "auditor", "firm"),
            ("rita", "auditor", "rival"),
            ("ana", "reviewer", None),
            ("ben", "reviewer", None),
        ):
            async with self.database.write() as store:
                self.people[name] = await add_person(
                    store, name=name, roles=[PersonRole(role)], firm=firm, password_hash=None, by="test", now=NOW
                )

    async def submit(self, firm: AuditFirm = FIRM, **changes: Any) -> Receipt:
        content = audit_report(**{"auditor": firm.did, **changes})
        raw = sign_report(content, iss=firm.did, kid=firm.kid, key=firm.key, now=NOW)
        who = self.people["greta" if firm is FIRM else "rita"]
        async with self.database.write() as store:
            return await submit_report(store, raw, who, REGISTRY, receiver=AGENCY.did, now=NOW)

    async def propose(self, report: str, observation: str = "O1", **more: Any) -> Any:
        async with self.database.write() as store:
            return await propose_release(
                store, self.people["ana"], report, observation, policy=Policy(), now=NOW, **more
            )

    async def publish(self, report: str, observation: str = "O1") -> str:
        """Release an observation; return the hash of its statement."""
        return await self._release(await self.propose(report, observation))

    async def move(self, statement: str, status: Status) -> str:
        """Revise a published finding from the desk; return the hash of the new form."""
        async with self.database.write() as store:
            review = await propose_revision(store, self.people["ana"], statement, Step(status), NOW)
        return await self._release(review)

    async def _release(self, review: Review) -> str:
        async with self.database.write() as store:
            await hear(store, self.people["ben"], review.id, NOW)
            await approve(store, self.people["ben"], review.id, NOW, Role.AGENCY)
        pair = new_signing_pair(f"{AGENCY.did}#k1")
        await sign_queued(self.database, AGENCY.member(), pair, Head(0, genesis(AGENCY.did)), NOW)
        async with self.database.read() as store:
            item = await store.outbox.of_review(review.id)
        assert item is not None and item.hash is not None
        return item.hash

    async def marks(self, report: str) -> tuple[str, ...]:
        async with self.database.read() as store:
            stored = await store.reports.find(report)
        assert stored is not None
        return stored.marks


@pytest_asyncio.fixture
async def desk(sqlite: Database) -> AsyncIterator[Desk]:
    made = Desk(sqlite)
    await made.open()
    yield made


def following(report: str, observation: str = "O1", **changes: Any) -> dict[str, Any]:
    return {**CLOSED, "follows_up": {"report": report, "observation": observation}, **changes}


def _reopened(report: str) -> dict[str, Any]:
    return {**OBSERVATION, "follows_up": {"report": report, "observation": "O1"}}


async def test_a_follow_up_revises_what_was_published_as_closed_verified_on_site(desk: Desk) -> None:
    first = await desk.submit()
    published = await desk.publish(first.id)
    for status in (Status.CONFIRMED, Status.PLAN_AGREED, Status.IN_PROGRESS):
        published = await desk.move(published, status)
    later = await desk.submit(ref="F-1", finished="2026-06-01", observations=[following(first.id)])
    review = await desk.propose(later.id)
    said = read_outgoing(review).body
    assert (said["replaces"], said["status"], said["verified"]) == (published, "closed-verified", "on-site")


async def test_it_may_come_from_another_firm_and_reopen(desk: Desk) -> None:
    first = await desk.submit(observations=[{**OBSERVATION, "status": "closed-claimed"}])
    later = await desk.submit(OTHER_FIRM, observations=[_reopened(first.id)])
    assert later.marks == ()


async def test_what_another_observation_says_is_not_verified_on_site_by_this_one(desk: Desk) -> None:
    first = await desk.submit(observations=[OBSERVATION, {**OBSERVATION, "ref": "O2"}])
    published = [await desk.publish(first.id, ref) for ref in ("O1", "O2")]
    for status in (Status.CONFIRMED, Status.PLAN_AGREED, Status.IN_PROGRESS):
        published[1] = await desk.move(published[1], status)
    later = await desk.submit(ref="F-1", observations=[following(first.id, "O1")])
    with pytest.raises(StatusMayNotFollow, match="follow-up report"):
        await desk.propose(later.id, revises=published[1])


async def test_what_is_not_published_yet_is_not_revised_behind_its_back(desk: Desk) -> None:
    first = await desk.submit()
    await desk.propose(first.id)
    later = await desk.submit(ref="F-1", observations=[following(first.id)])
    with pytest.raises(CannotPropose, match="not published yet"):
        await desk.propose(later.id)


async def test_what_was_never_released_has_nothing_to_revise(desk: Desk) -> None:
    first = await desk.submit()
    later = await desk.submit(ref="F-1", observations=[_reopened(first.id)])
    assert "replaces" not in read_outgoing(await desk.propose(later.id)).body


@pytest.mark.parametrize(
    ("change", "observation", "words"),
    [
        ({}, following("R" * 43), "which is not here"),
        ({}, following("", "O9"), "which is not here"),
        (
            {"party": {"type": "supplier", "names": [{"text": "Another"}], "country": "BR"}},
            following(""),
            "another party",
        ),
        (
            {"party": {"type": "site", "names": [{"text": "Fazenda Exemplo"}], "country": "BR"}},
            following(""),
            "another",
        ),
        ({"finished": "2026-03-13"}, following(""), "before the audit"),
        ({"access": "denied"}, following(""), "access was denied"),
    ],
    ids=["unknown report", "unknown observation", "another supplier", "another type", "earlier", "not let in"],
)
async def test_what_does_not_fit_is_refused_and_nothing_is_stored(
    desk: Desk, change: dict[str, Any], observation: dict[str, Any], words: str
) -> None:
    first = await desk.submit()
    named = observation["follows_up"]
    given = {**observation, "follows_up": {**named, "report": named["report"] or first.id}}
    with pytest.raises(FollowUpRefused, match=words):
        await desk.submit(ref="F-1", observations=[given], **change)
    async with desk.database.read() as store:
        assert [r.id for r in await store.reports.page(firm=None, before=None, most=9)] == [first.id]


async def test_spellings_of_one_name_in_one_country_are_one_party(desk: Desk) -> None:
    first = await desk.submit()
    party = {"type": "supplier", "names": [{"text": "FAZENDA EXEMPLO"}], "country": "BR"}
    assert (await desk.submit(ref="F-1", party=party, observations=[following(first.id)])).marks == ()


def test_a_look_at_another_site_of_the_same_company_closes_nothing() -> None:
    company = {"scheme": "XI-LEI", "id": "ZZZZ00EXEMPLARGL0170"}

    def at(branch: str, **more: Any) -> Report:
        numbers = [company, {"scheme": "BR-CNPJ", "id": branch}]
        site = {"type": "site", "names": [{"text": "Fazenda Exemplo"}], "country": "BR", "identifiers": numbers}
        return audit_report(party=site, **more)

    first = at("00000000000191")
    again, other = (
        at(branch, ref="F-1", observations=[following("R" * 43)]) for branch in ("00000000000191", "00000000000272")
    )
    check_follow_up(again, again.observations[0], first)
    with pytest.raises(FollowUpRefused, match="another party"):
        check_follow_up(other, other.observations[0], first)


def test_only_a_follow_up_is_verified_on_site() -> None:
    with pytest.raises(ValidationError, match="only a follow-up"):
        audit_report(observations=[CLOSED])
    with pytest.raises(ValidationError, match="follow up the same one"):
        audit_report(observations=[following("R" * 43), following("R" * 43, ref="O2")])
    assert audit_report(observations=[{**CLOSED, "verified": "by-workers"}])


# --- in place of an earlier one


async def test_a_superseded_report_yields_nothing_more_and_says_so(desk: Desk) -> None:
    first = await desk.submit()
    second = await desk.submit(ref="2026-0042-b", supersedes=first.id)
    assert await desk.marks(first.id) == ("superseded",)
    with pytest.raises(CannotPropose, match="another report in its place"):
        await desk.propose(first.id)
    await desk.propose(second.id)
    with pytest.raises(SupersedesUnknown, match="already"):
        await desk.submit(ref="2026-0042-c", supersedes=first.id)


async def test_nobody_supersedes_another_firms_report_or_one_that_is_not_here(desk: Desk) -> None:
    first = await desk.submit()
    for firm, earlier in ((OTHER_FIRM, first.id), (FIRM, "R" * 43)):
        with pytest.raises(SupersedesUnknown, match="submitted no report"):
            await desk.submit(firm, ref="b", supersedes=earlier)
    assert await desk.marks(first.id) == ()


# --- may it be shared at all


@pytest.mark.parametrize(
    ("change", "marks"),
    [
        ({}, ()),
        ({"sharing_basis": None}, ("no-sharing-basis",)),
        ({"client": "Agency", "client_did": AGENCY.did}, ()),
        ({"client": "Another buyer"}, ("no-client-consent",)),
        ({"client": "Another member", "client_did": "did:web:other.example"}, ("no-client-consent",)),
        ({"client": "Another buyer", "client_consent": CONSENT}, ()),
    ],
    ids=["for the party itself", "no basis", "for us", "for another", "for another member", "with consent"],
)
async def test_without_a_basis_and_the_clients_consent_a_report_is_kept_and_yields_nothing(
    desk: Desk, change: dict[str, Any], marks: tuple[str, ...]
) -> None:
    receipt = await (desk.submit(**change) if "sharing_basis" not in change else _without_basis(desk))
    assert receipt.marks == marks == await desk.marks(receipt.id)
    if marks:
        with pytest.raises(CannotPropose) as refused:
            await desk.propose(receipt.id)
        assert str(refused.value) == MARKS[marks[0]]


async def _without_basis(desk: Desk) -> Receipt:
    parsed = {k: v for k, v in audit_report(auditor=FIRM.did).to_parsed().items() if k != "sharing_basis"}
    raw = sign_report(Report.from_parsed(parsed), iss=FIRM.did, kid=FIRM.kid, key=FIRM.key, now=NOW)
    async with desk.database.write() as store:
        return await submit_report(store, raw, desk.people["greta"], REGISTRY, receiver=AGENCY.did, now=NOW)


# --- what the form itself refuses


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"started": "2026-03-15"}, "ends before it starts"),
        ({"client_consent": CONSENT}, "need a client"),
        ({"interviews": 3, "interviewed_women": 4}, "equal or larger interviews"),
        ({"keep_until": "2026-01-01"}, "kept until before"),
        ({"scope": {"assessed": ["FL01"], "not_assessed": [{"indicator": "FL01", "why": "access-denied"}]}}, "once"),
        ({"scope": {"not_assessed": [{"indicator": "FL07", "why": "access-denied"}]}}, "calls not assessed"),
        ({"sites": [{"type": "site", "names": [{"text": "x"}], "country": "BR"}]}, "has this type and a ref"),
        ({"labour_providers": [{"type": "site", "ref": "a", "names": [{"text": "x"}], "country": "BR"}]}, "this type"),
        ({"observations": [{**OBSERVATION, "about": "S9"}]}, "about S9, which is not listed"),
    ],
)
def test_a_report_that_contradicts_itself_is_no_report(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        audit_report(**change)


def test_a_report_names_whom_each_observation_concerns() -> None:
    provider = {"type": "labour-provider", "ref": "L1", "names": [{"text": "Agent"}], "country": "NP"}
    made = audit_report(labour_providers=[provider], observations=[{**OBSERVATION, "about": "L1"}])
    assert made.party_of(made.observations[0]).country == "NP"
    assert made.finished == date(2026, 3, 14)
