"""What holds at the moment of release, rule by rule: what a proposal is, who must be one of the two, which terms fit.

The words of a refusal are compared as they stand: people decide by them what to do.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from builders import (
    CORROBORATION_IN_CLEAR,
    DECISION_IN_CLEAR,
    FINDING_IN_CLEAR,
    HANDLING,
    IDENTIFIERS,
    NAMES,
    NOTICE_IN_CLEAR,
    POINTER_HANDLING,
    POINTER_IN_CLEAR,
    REPLY_IN_CLEAR,
)
from comity_federation.statements import Outgoing
from comity_node.db import Database
from comity_node.db.reviews import Review
from comity_node.domain.corroborating import outgoing_corroboration
from comity_node.domain.errors import (
    AlreadyDecided,
    AlreadyProposed,
    CannotPropose,
    Contradictory,
    FocalPointNeeded,
    HandlingRefused,
    NotFound,
    SamePerson,
)
from comity_node.domain.minimize import Policy, outgoing_finding
from comity_node.domain.noticing import outgoing_notice
from comity_node.domain.people import Person, PersonRole
from comity_node.domain.pointing import outgoing_pointer
from comity_node.domain.replying import outgoing_reply
from comity_node.domain.ruling import outgoing_decision
from comity_node.services.review.release import (
    RELEASE_CHECKS,
    approve,
    check_handling,
    minimize_stored,
    propose_withdrawal,
    read_outgoing,
    reject,
    unmarked,
)
from comity_schemas.audit_notice import AuditNotice
from comity_schemas.corroboration import Corroboration
from comity_schemas.decision import Decision
from comity_schemas.finding import Commitment, Finding, Status
from comity_schemas.handling import Handling
from comity_schemas.member import Role
from comity_schemas.pointer import Pointer
from comity_schemas.reply import Reply
from comity_schemas.statement import WithdrawalReason
from node_world import NOW, OBSERVATION
from review_office import Office

TERMS = Handling.from_parsed(HANDLING)
REPORT = "R" * 43
PUBLISHED = "A" * 43

ANA = Person("1", "ana", frozenset({PersonRole.REVIEWER}))
BEN = Person("2", "ben", frozenset({PersonRole.REVIEWER}))
FAY = Person("3", "fay", frozenset({PersonRole.FOCAL_POINT}))


def finding(**changes: Any) -> Finding:
    return Finding.from_parsed({**FINDING_IN_CLEAR, "names": NAMES, "identifiers": IDENTIFIERS, **changes})


def from_a(source: str) -> dict[str, str]:
    return {**FINDING_IN_CLEAR["source"], "type": source}


def decision(**changes: Any) -> Decision:
    return Decision.from_parsed({**DECISION_IN_CLEAR, "names": NAMES, **changes})


def notice(**changes: Any) -> AuditNotice:
    return AuditNotice.from_parsed({**NOTICE_IN_CLEAR, "names": NAMES, **changes})


def corroboration(source: str = "audit", scheme: str = "SMETA") -> Corroboration:
    said = {**CORROBORATION_IN_CLEAR["source"], "type": source, "scheme": scheme}
    return Corroboration.from_parsed({**CORROBORATION_IN_CLEAR, "source": said})


def proposal(terms: dict[str, Any] = HANDLING, act: str = "release", **content: Any) -> Review:
    return Review("r1", act, "proposed", json.dumps({**content, "handling": terms}), "1", NOW)


# What a proposal would let leave


SAID: dict[str, tuple[Any, Callable[[Any, Handling], Outgoing]]] = {
    "finding": (finding(), outgoing_finding),
    "decision": (decision(), outgoing_decision),
    "reply": (Reply.from_parsed(REPLY_IN_CLEAR), outgoing_reply),
    "pointer": (Pointer.from_parsed({**POINTER_IN_CLEAR, "names": NAMES}), outgoing_pointer),
    "corroboration": (corroboration(), outgoing_corroboration),
    "notice": (notice(), outgoing_notice),
}


@pytest.mark.parametrize("kind", SAID)
def test_what_leaves_is_what_was_proposed_under_its_own_kind_and_terms(kind: str) -> None:
    body, outgoing = SAID[kind]
    assert read_outgoing(proposal(**{kind: body.to_parsed()})) == outgoing(body, TERMS)


def test_a_withdrawal_leaves_as_one_with_nothing_disclosed_or_withheld() -> None:
    body = {"statement": PUBLISHED, "reason": "factual-error"}
    assert read_outgoing(proposal(act="withdraw", withdrawal=body)) == Outgoing("withdrawal", TERMS, body, {}, {})


# Who must be one of the two


def _check(review: Review, *people: Person) -> None:
    for check in RELEASE_CHECKS:
        check(review, people)


SAFE: dict[str, Any] = {
    "an isolated S2 of an audit": {"finding": finding()},
    "what a register has published": {"finding": finding(severity="S4", source=from_a("public-register"))},
    "what an authority decided": {"decision": decision()},
    "what the supplier answers": {"reply": Reply.from_parsed(REPLY_IN_CLEAR)},
    "that another audit saw the same": {"corroboration": corroboration()},
    "that an audit was made": {"notice": notice()},
}

ENDANGERING: dict[str, tuple[dict[str, Any], str]] = {
    "an S3": ({"finding": finding(severity="S3")}, "a finding of severity S3 from audit evidence"),
    "from a union": (
        {"finding": finding(source=from_a("union"))},
        "a finding of severity S2 from union evidence",
    ),
    "a union that saw the same": ({"corroboration": corroboration("union")}, "a corroboration from union evidence"),
}


@pytest.mark.parametrize("what", SAFE)
def test_two_reviewers_release_what_endangers_nobody(what: str) -> None:
    _check(proposal(**{kind: body.to_parsed() for kind, body in SAFE[what].items()}), ANA, BEN)


@pytest.mark.parametrize("what", ENDANGERING)
def test_what_people_could_be_blamed_for_needs_a_focal_point_whichever_of_the_two_it_is(what: str) -> None:
    said, words = ENDANGERING[what]
    review = proposal(**{kind: body.to_parsed() for kind, body in said.items()})
    with pytest.raises(FocalPointNeeded) as refused:
        _check(review, ANA, BEN)
    needed = "is released only when one of the two people is a focal point; nothing was published"
    assert str(refused.value) == f"{words} {needed}"
    _check(review, ANA, FAY)
    _check(review, FAY, BEN)


def test_a_pointer_begins_and_ends_with_a_focal_point_and_the_words_tell_nothing_of_it() -> None:
    body = Pointer.from_parsed({**POINTER_IN_CLEAR, "names": NAMES}).to_parsed()
    ending = {"statement": PUBLISHED, "reason": WithdrawalReason.NO_LONGER_NEEDED.value}
    begins, ends = proposal(POINTER_HANDLING, pointer=body), proposal(POINTER_HANDLING, "withdraw", withdrawal=ending)
    said = set()
    for review in (begins, ends):
        with pytest.raises(FocalPointNeeded) as refused:
            _check(review, ANA, BEN)
        said.add(str(refused.value))
        _check(review, FAY, BEN)
    assert said == {"a pointer begins and ends only when one of the two people is a focal point; nothing was published"}


def test_any_two_people_take_back_what_is_no_pointer() -> None:
    wrong = {"statement": PUBLISHED, "reason": WithdrawalReason.FACTUAL_ERROR.value}
    _check(proposal(act="withdraw", withdrawal=wrong), ANA, BEN)


# Terms


NOT_SEALED = "TLP:{} cannot be released: sharing groups do not exist yet; GREEN and CLEAR can"
NAMED = "the supplier bears a person's name: what is said of it is never TLP:CLEAR"
GRAVE = (
    "these terms contradict what the finding says: TLP:CLEAR lets anybody read it, and members of BR, the site's own "
    "country: its severity is S4 should not"
)
CLEAR = {**HANDLING, "tlp": "CLEAR"}


@pytest.mark.parametrize(
    ("body", "terms", "words"),
    [
        (finding(), {**HANDLING, "tlp": "AMBER"}, NOT_SEALED.format("AMBER")),
        (None, {**HANDLING, "tlp": "RED"}, NOT_SEALED.format("RED")),
        (finding(severity="S4"), CLEAR, GRAVE),
        (finding(named_after_person=True), CLEAR, NAMED),
        (decision(named_after_person=True), CLEAR, NAMED),
        (notice(named_after_person=True), CLEAR, NAMED),
    ],
    ids=["AMBER", "RED", "a grave finding", "a finding", "a decision", "a notice"],
)
def test_terms_under_which_nothing_can_leave_are_refused_in_words(body: Any, terms: Any, words: str) -> None:
    with pytest.raises(HandlingRefused) as refused:
        check_handling(body, Handling.from_parsed(terms))
    assert str(refused.value) == words
    if body is not None:
        kind = {"Finding": "finding", "Decision": "decision", "AuditNotice": "notice"}[type(body).__name__]
        with pytest.raises(HandlingRefused):
            _check(proposal(terms, **{kind: body.to_parsed()}), ANA, FAY)


@pytest.mark.parametrize("body", [finding(), decision(), notice(), None, finding(named_after_person=True)], ids=str)
def test_terms_under_which_it_may_leave_pass(body: Any) -> None:
    check_handling(body, TERMS)
    if not getattr(body, "named_after_person", False):
        check_handling(body, Handling.from_parsed(CLEAR))


# What is kept of a proposal and of its end, and what stands in its way


@pytest_asyncio.fixture
async def office(sqlite: Database) -> Office:
    made = Office(sqlite)
    await made.open()
    return made


async def newest(office: Office) -> tuple[Any, ...]:
    async with office.database.read() as store:
        ((_, entry),) = await store.trail.page(before=None, most=1)
    return entry.at, entry.actor, entry.event.value, entry.subject, json.loads(entry.detail)


async def found(office: Office, review: Review) -> Review:
    async with office.database.read() as store:
        kept = await store.reviews.find(review.id)
    assert kept is not None
    return kept


async def test_a_proposal_is_kept_as_it_was_made_and_who_made_it_is_on_the_trail(office: Office) -> None:
    party = {"type": "supplier", "names": [{"text": "示例织造"}], "country": "CN"}
    await office.store_report(party=party, observations=[{**OBSERVATION, "status": "under-engagement"}])
    review = await office.propose("ana", batch="b1", starts_as=Status.ALLEGED)
    ana = office.people["ana"].id
    kept = await found(office, review)
    assert (kept.act, kept.state, kept.proposed_by, kept.proposed_at) == ("release", "proposed", ana, NOW)
    assert (kept.report_id, kept.observation, kept.target, kept.batch) == (REPORT, "O1", None, "b1")
    assert (kept.decided_by, kept.decided_at) == (None, None)
    said = json.loads(kept.content)["finding"]
    assert (said["status"], said["names"][0]["text"], "replaces" in said) == ("alleged", "示例织造", False)
    assert await newest(office) == (NOW, ana, "review.proposed", review.id, {"act": "release", "report": REPORT})


@pytest.mark.parametrize(
    ("root", "signature", "shown"), [("A" * 43, "a.b.c", True), ("A" * 43, None, False), (None, "a.b.c", False)]
)
async def test_a_commitment_goes_with_what_an_auditor_signed_and_with_nothing_else(
    office: Office, root: str | None, signature: str | None, shown: bool
) -> None:
    await office.store_report()
    async with office.database.read() as store:
        stored = await store.reports.find(REPORT)
    assert stored is not None
    (draft,) = minimize_stored(replace(stored, root=root, signature=signature), Policy()).drafts
    assert draft.finding.commitment == (Commitment(root="A" * 43, signature="a.b.c") if shown else None)


async def test_a_release_and_a_rejection_are_kept_with_who_decided_and_are_on_the_trail(office: Office) -> None:
    await office.store_report()
    ben = office.people["ben"].id
    rejected = await office.propose("ana")
    told = await office.write(lambda store: reject(store, office.people["ben"], rejected.id, NOW))
    assert told.id == rejected.id
    assert await newest(office) == (NOW, ben, "review.rejected", rejected.id, {"act": "release"})
    released = await office.heard("ana")
    await office.approve("ben", released)
    assert await newest(office) == (NOW, ben, "review.approved", released.id, {"act": "release"})
    for review, state in ((rejected, "rejected"), (released, "approved")):
        kept = await found(office, review)
        assert (kept.state, kept.decided_by, kept.decided_at) == (state, ben, NOW)


async def test_a_focal_point_may_be_who_proposed_what_endangers_people(office: Office) -> None:
    await office.store_report(observations=[{**OBSERVATION, "severity": "S4"}])
    review = await office.heard("fay")
    await office.consent(review, "fay")
    await office.approve("ben", review)
    assert (await found(office, review)).state == "approved"


async def released(office: Office) -> str:
    await office.store_report()
    await office.approve("ben", await office.heard("ana"))
    return (await office.sign())[-1]


async def test_taking_back_is_proposed_and_released_under_the_terms_of_what_is_taken_back(office: Office) -> None:
    name = await released(office)
    review = await office.withdraw("ana", name)
    ana = office.people["ana"].id
    kept = await found(office, review)
    assert (kept.act, kept.state, kept.target, kept.proposed_by) == ("withdraw", "proposed", name, ana)
    assert (kept.report_id, kept.observation, kept.batch, kept.proposed_at) == (None, None, None, NOW)
    assert await newest(office) == (NOW, ana, "review.proposed", review.id, {"act": "withdraw", "statement": name})
    async with office.database.read() as store:
        item = await store.outbox.of_hash(name)
    outgoing = read_outgoing(kept)
    assert item is not None and outgoing.handling == item.outgoing.handling
    assert outgoing.body == {"statement": name, "reason": "factual-error"}


async def test_only_a_pointer_ends_as_no_longer_needed(office: Office) -> None:
    name, reason = await released(office), WithdrawalReason.NO_LONGER_NEEDED
    with pytest.raises(Contradictory) as refused:
        await office.write(lambda store: propose_withdrawal(store, office.people["ana"], name, reason, NOW))
    assert str(refused.value) == (
        "every pointer, and nothing else, ends as no-longer-needed: another reason could tell two apart. Nothing was "
        "proposed"
    )


async def test_what_is_decided_or_ones_own_is_refused_in_words(office: Office) -> None:
    await office.store_report()
    review = await office.heard("ana")
    with pytest.raises(SamePerson) as own:
        await office.approve("ana", review)
    assert str(own.value) == "you proposed this yourself; a second person must decide. Nothing was published"
    await office.approve("ben", review)
    with pytest.raises(AlreadyDecided) as decided:
        await office.reject("cy", review)
    assert str(decided.value) == "this review was approved already; nothing was changed"
    with pytest.raises(AlreadyProposed) as again:
        await office.propose("cy")
    assert str(again.value) == f"observation O1 is approved already (review {review.id})"
    with pytest.raises(NotFound) as unknown:
        await office.write(lambda store: approve(store, office.people["ana"], "nothing", NOW, Role.AGENCY))
    assert str(unknown.value) == "no such review"


async def test_a_withdrawal_that_was_proposed_or_released_is_not_proposed_again(office: Office) -> None:
    name = await released(office)
    await office.withdraw("ana", name)
    with pytest.raises(AlreadyProposed) as again:
        await office.withdraw("ben", name)
    assert str(again.value) == "its withdrawal is proposed or approved already"


async def test_what_was_taken_back_and_is_true_after_all_is_released_anew(office: Office) -> None:
    name = await released(office)
    withdrawal = await office.withdraw("ana", name)
    with pytest.raises(AlreadyProposed):
        await office.propose("ana")
    await office.approve("ben", withdrawal)
    await office.sign()
    await office.approve("ben", await office.heard("ana"))
    *_, taken_back, anew = await office.sign()
    assert len({name, taken_back, anew}) == 3
    with pytest.raises(AlreadyProposed):
        await office.propose("ana")


async def test_a_second_observation_of_a_report_is_another_proposal(office: Office) -> None:
    await office.store_report(observations=[OBSERVATION, {**OBSERVATION, "ref": "O2"}])
    first, second = await office.propose("ana"), await office.propose("ana", observation="O2")
    assert (first.observation, second.observation) == ("O1", "O2")
    with pytest.raises(CannotPropose) as refused:
        await office.propose("ana", observation="O3")
    assert str(refused.value) == (
        "observation O3 yields no finding: it is not in the report, no indicator was picked, or its severity is below "
        "what this member lets leave"
    )


async def test_of_a_report_nothing_is_said_that_is_unknown_marked_or_whose_basis_is_withdrawn(office: Office) -> None:
    async def asked(name: str) -> Any:
        return await office.write(lambda store: unmarked(store, office.people["ana"], name))

    with pytest.raises(NotFound) as unknown:
        await asked(REPORT)
    assert str(unknown.value) == "no such report"
    await office.store_report()
    assert (await asked(REPORT)).id == REPORT
    await office.store_report("S" * 43, marks=("no-sharing-basis", "superseded"))
    with pytest.raises(CannotPropose) as marked:
        await asked("S" * 43)
    assert str(marked.value).startswith("the report states no sharing basis: it is kept and cannot yield a finding; ")
    assert "its auditor has submitted another report in its place" in str(marked.value)


async def test_what_this_members_role_may_not_say_is_not_released(office: Office) -> None:
    await office.store_report()
    review = await office.heard("ana")
    with pytest.raises(CannotPropose) as refused:
        await office.write(lambda store: approve(store, office.people["ben"], review.id, NOW, Role.OBSERVER))
    assert str(refused.value) == (
        "every node would refuse this statement at step 11 (role a member of role observer may not publish a finding); "
        "nothing was published"
    )
    assert (await office.released(), await office.state(review)) == (0, "proposed")
