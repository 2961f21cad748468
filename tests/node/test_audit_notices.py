"""Audit notices tell others of an audit, planned or done, and tell "assessed, nothing open" from "never audited"."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from api_world import a_plan
from builders import FINDING_IN_CLEAR, IDENTIFIERS, NAMES, NOTHING_GRAVE, Publisher
from comity_node.cli.words import say_answer
from comity_node.db import Database
from comity_node.domain.errors import AlreadyAudited, AlreadyProposed, CannotPropose, HandlingRefused, NotYet
from comity_node.domain.minimize import Policy
from comity_node.domain.noticing import assessed, done_notice, plan_ends
from comity_node.domain.screening import Question
from comity_node.services.answering.answers import describe
from comity_node.services.answering.screen import screen
from comity_node.services.operating.check import check
from comity_node.services.receiving.settle import redecide
from comity_node.services.review.audit_notices import Done, propose_done, propose_plan
from comity_node.services.review.release import read_outgoing
from comity_schemas.audit_notice import AuditNotice
from comity_schemas.handling import Handling
from comity_schemas.identifiers import Identifier
from comity_schemas.indicators import Indicator
from comity_schemas.member import Member
from node_world import NOW, OBSERVATION, Bench, audit_report, new_sqlite, registry_of
from review_office import Office

AGENCY, BODY = Publisher("agency"), Publisher("body")
CNPJ = Identifier.from_parsed(IDENTIFIERS[0])
CLEAN = {"result": NOTHING_GRAVE}


async def answer_of(
    database: Database, *members: Member, days: int = 0, by_name: bool = False, asked: str | None = None
) -> dict[str, Any]:
    question = Question(asked or NAMES[0]["text"], identifiers=() if by_name else (CNPJ,))
    async with database.read() as store:
        answers = await screen(store, [question], registry_of(*members), NOW + timedelta(days=days))
    found: dict[str, Any] = describe(answers)["answers"][0]
    return found


# --- what screening tells


STATES: dict[str, tuple[list[Any], dict[str, Any], str, list[str]]] = {
    "nothing grave": ([AGENCY.notice(more=CLEAN)], {}, "assessed, nothing open in scope", ["FL07", "FL08"]),
    "by name only": ([AGENCY.notice(more=CLEAN)], {"by_name": True}, "known, no finding shared", []),
    "result not told": ([AGENCY.notice()], {}, "known, no finding shared", []),
    "something grave": (
        [AGENCY.notice(more={"result": {**NOTHING_GRAVE, "major": "1-10"}})],
        {},
        "known, no finding shared",
        [],
    ),
    "expired": ([AGENCY.notice(more=CLEAN)], {"days": 400}, "known, no finding shared", []),
    "planned": ([AGENCY.notice(more={"stage": "planned"})], {}, "known, never audited", []),
    "a decision alone": ([AGENCY.decision()], {}, "known, never audited", []),
    "nothing": ([], {}, "no supplier by this name", []),
}


@pytest.mark.parametrize("case", STATES)
async def test_assessed_nothing_open_is_told_from_never_audited(sqlite: Database, case: str) -> None:
    made, asked, state, nothing_open = STATES[case]
    await Bench(sqlite).arrive(AGENCY.member(), *[each.raw for each in made])
    found = await answer_of(sqlite, AGENCY.member(), **asked)
    assert (found["state"], found["assessed"]["nothing_open"]) == (state, nothing_open)
    # Never for an indicator that nobody assessed.
    assert "FL05" in found["assessed"]["not_assessed"]
    assert not set(found["assessed"]["not_assessed"]) & set(nothing_open)


async def test_a_finding_is_open_whatever_an_audit_says(database: Database) -> None:
    members = (AGENCY.member(), BODY.member())
    bench = Bench(database)
    await bench.arrive(members[0], AGENCY.notice(more=CLEAN).raw)
    finding = BODY.finding(clear={**FINDING_IN_CLEAR, "valid_until": "2026-12-31"})
    await bench.arrive(members[1], finding.raw)
    found = await answer_of(database, *members)
    assert (found["state"], found["assessed"]["nothing_open"]) == ("findings shared", ["FL07"])
    gone = BODY.withdrawal(finding.hash, **BODY.after(finding))
    await bench.arrive(members[1], gone.raw)
    found = await answer_of(database, *members)
    assert (found["state"], found["assessed"]["nothing_open"]) == ("assessed, nothing open in scope", ["FL07", "FL08"])
    assert await bench.check(*members) == []


async def test_an_audit_of_a_like_name_by_which_something_grave_was_open_leaves_nothing_clear(sqlite: Database) -> None:
    members, bench = (AGENCY.member(), BODY.member()), Bench(sqlite)
    await bench.arrive(members[0], AGENCY.notice(more=CLEAN).raw)
    grave = {"assessed": ["FL08"], "not_assessed": [], "result": {**NOTHING_GRAVE, "critical": "1-10"}}
    await bench.arrive(members[1], BODY.notice(more=grave, disclosed={"names": NAMES}).raw)
    found = await answer_of(sqlite, *members)
    assert (found["state"], found["assessed"]["nothing_open"]) == ("assessed, nothing open in scope", ["FL07"])


@pytest.mark.parametrize(
    ("subject", "nothing_open"), [("site", []), ("supplier", ["FL07", "FL08"])], ids=["a site", "the company"]
)
async def test_an_audit_of_one_site_leaves_nothing_clear_of_the_company_that_has_it(
    sqlite: Database, subject: str, nothing_open: list[str]
) -> None:
    lei = {"scheme": "XI-LEI", "id": "ZZZZ00EXEMPLARGL0170"}
    about = {"names": NAMES, "identifiers": [lei]}
    await Bench(sqlite).arrive(AGENCY.member(), AGENCY.notice(more={**CLEAN, "subject": subject}, disclosed=about).raw)
    question = Question(None, identifiers=(Identifier.from_parsed(lei),))
    async with sqlite.read() as store:
        (answer,) = await screen(store, [question], registry_of(AGENCY.member()), NOW)
    assert (answer.verdict, [each.value for each in answer.assessed.nothing_open]) == ("match", nothing_open)


@pytest.mark.parametrize("opens", [True, False])
async def test_a_plan_is_revised_into_what_was_done_and_taken_back_like_others(sqlite: Database, opens: bool) -> None:
    plan = AGENCY.notice(more={"stage": "planned"})
    done = AGENCY.notice(more={**CLEAN, "replaces": plan.hash}, **AGENCY.after(plan))
    gone = AGENCY.withdrawal(done.hash, **AGENCY.after(done))
    bench, member, said = Bench(sqlite, opens=opens), AGENCY.member(), []
    for made in (plan, done, gone):
        await bench.arrive(member, made.raw)
        found = await answer_of(sqlite, member)
        said.append((found["state"], sorted(hit["standing"] for hit in found["audits"])))
    assert said == [
        ("known, never audited", ["current"]),
        ("assessed, nothing open in scope", ["current", "superseded"]),
        ("known, never audited", ["superseded", "withdrawn"]),
    ]
    folded = (await bench.snapshot(member))["agency"]
    async with sqlite.write() as store:
        await redecide(store, member, NOW, why="test")
    assert (await bench.snapshot(member))["agency"] == folded
    assert await bench.check(member) == []


async def test_the_view_of_audits_does_not_depend_on_the_fast_lane(tmp_path: Path) -> None:
    plan = AGENCY.notice(more={"stage": "planned"})
    done = AGENCY.notice(more={"replaces": plan.hash}, **AGENCY.after(plan))
    seen = []
    for opens in (True, False):
        database = Database(new_sqlite(tmp_path, f"{opens}.db"))
        bench = Bench(database, opens=opens)
        await bench.arrive(AGENCY.member(), plan.raw, done.raw)
        seen.append(await bench.snapshot(AGENCY.member()))
        await database.close()
    assert seen[0] == seen[1]


async def test_an_audit_is_said_in_words(sqlite: Database, capsys: pytest.CaptureFixture[str]) -> None:
    await Bench(sqlite).arrive(AGENCY.member(), AGENCY.notice(more=CLEAN).raw)
    async with sqlite.read() as store:
        given_answers = await screen(store, [Question(identifiers=(CNPJ,))], registry_of(AGENCY.member()), NOW)
    say_answer(describe(given_answers))
    said = capsys.readouterr().out
    assert "SMETA 2026-08, done, current until 2027-08-31; looks for FL07, FL08; open: improvement 1-10" in said
    assert "Assessed, nothing open: FL07, FL08. Of all other indicators nothing is said." in said


SCOPES = st.lists(st.sampled_from([*Indicator]), max_size=5, unique=True)


@given(SCOPES, SCOPES, SCOPES, st.booleans())
def test_nothing_is_open_only_where_somebody_looked_and_nobody_found(
    one: list[Indicator], other: list[Indicator], reported: list[Indicator], grave: bool
) -> None:
    clean = AuditNotice.from_parsed({**AGENCY.notice().body, "assessed": one, "not_assessed": [], **CLEAN})
    result = {**NOTHING_GRAVE, "critical": "1-10" if grave else "0"}
    second = AuditNotice.from_parsed({**clean.to_parsed(), "assessed": other, "result": result})
    said = assessed([clean, second], reported)
    assert not set(said.nothing_open) & set(reported)
    assert set(said.nothing_open) <= set(one) | set(other)
    assert not grave or not set(said.nothing_open) & set(other)
    assert not set(said.nothing_open) & set(said.not_assessed)
    assert set(said.nothing_open) | set(said.not_assessed) | set(reported) == set(Indicator)


# --- at the publisher


@pytest_asyncio.fixture
async def office(sqlite: Database) -> AsyncIterator[Office]:
    made = Office(sqlite)
    await made.open()
    yield made


LIGHT = {**OBSERVATION, "ref": "O2", "severity": "S1"}
SCOPE = {"assessed": ["FL07", "FL11"], "not_assessed": [{"indicator": "FL05", "why": "no-safe-way-to-ask"}]}


async def tell(office: Office, who: str = "ana", revises: str | None = None, **more: Any) -> Any:
    policy, handling = more.pop("policy", Policy()), more.pop("handling", None)
    done = Done(**{"report_id": "R" * 43, **more})
    return await office.write(
        lambda store: propose_done(
            store, office.people[who], done, policy=policy, now=NOW, revises=revises, handling=handling
        )
    )


async def plan_one(office: Office, anyway: bool = False, **changes: Any) -> Any:
    said = {"subject": "site", "stage": "planned", **a_plan(), "valid_until": "2027-02-28", **changes}
    said["names"] = [{"text": name} for name in said["names"]]
    notice = AuditNotice.from_parsed(said)
    return await office.write(
        lambda store: propose_plan(store, office.people["ana"], notice, own="agency", now=NOW, anyway=anyway)
    )


async def test_two_people_tell_of_an_audit_from_its_report_and_only_bands_of_what_is_light(office: Office) -> None:
    observations = [{**LIGHT, "ref": f"L{n}", "severity": f"S{n % 2}"} for n in range(5)]
    await office.store_report(origin="signed", observations=observations, scope=SCOPE)
    review = await tell(office, with_result=True)
    out = read_outgoing(review)
    assert out.kind == "audit-notice" and out.handling.contact == "desk"
    assert out.body["result"] == {**NOTHING_GRAVE, "improvement": "1-10", "minor": "1-10"}
    assert (out.body["assessed"], out.body["not_assessed"]) == (["FL07", "FL11"], ["FL05"])
    assert set(out.disclosed) <= {"names", "identifiers"} and "Canary" not in review.content
    with pytest.raises(AlreadyProposed, match="told already"):
        await tell(office)
    await office.approve("ben", review)
    (name,) = await office.sign()
    await office.approve("ben", await tell(office, revises=name))
    await office.approve("ben", await office.withdraw("ana", (await office.sign())[-1]))
    assert await office.released() == 3
    assert await check(office.database, registry_of(office.member), NOW) == []


async def test_a_result_waits_until_every_grave_observation_stands_in_a_published_finding(office: Office) -> None:
    await office.store_report(origin="signed", observations=[OBSERVATION, LIGHT], scope=SCOPE)
    with pytest.raises(NotYet, match="O1 before the supplier was heard"):
        await tell(office, with_result=True)
    review = await office.heard("ana")
    await office.approve("fay", review)
    with pytest.raises(NotYet):
        await tell(office, with_result=True)
    (finding,) = await office.sign()
    told = await tell(office, with_result=True)
    await office.reject("ben", told)
    assert read_outgoing(told).body["result"] == {**NOTHING_GRAVE, "improvement": "0", "minor": "1-10", "major": "1-10"}
    # Without a result it says nothing of them, and need not wait.
    await office.store_report("S" * 43, origin="signed", observations=[OBSERVATION], scope=SCOPE)
    assert "result" not in read_outgoing(await tell(office, report_id="S" * 43)).body
    # What was taken back would still be counted as open.
    await office.approve("ben", await office.withdraw("ana", finding))
    with pytest.raises(NotYet, match="O1"):
        await tell(office, with_result=True)


async def test_what_a_protected_source_gathered_is_told_in_no_notice(office: Office) -> None:
    await office.store_report(origin="signed", source="union")
    with pytest.raises(CannotPropose, match="protected"):
        await tell(office)
    with pytest.raises(CannotPropose, match="protected"):
        done_notice(audit_report(), None, Policy(protect_sources=True), with_result=False)


async def test_a_notice_has_a_sharing_basis_and_terms_that_can_be_released(office: Office) -> None:
    await office.store_report("M" * 43, origin="signed", marks=("no-sharing-basis",))
    with pytest.raises(CannotPropose, match="no sharing basis"):
        await tell(office, report_id="M" * 43)
    party = {**audit_report().party.to_parsed(), "named_after_person": True}
    await office.store_report(origin="signed", party=party)
    terms = Handling.from_parsed(
        {
            "tlp": "CLEAR",
            "contact": "open",
            "purpose": "supply-chain-due-diligence",
            "permitted_use": ["due-diligence"],
            "onward": "anyone",
        }
    )
    with pytest.raises(HandlingRefused, match="never TLP:CLEAR"):
        await tell(office, handling=terms)
    with pytest.raises(CannotPropose, match="no site or labour provider S9"):
        await tell(office, about="S9")


async def test_a_plan_that_another_members_audit_makes_needless_is_refused_unless_it_is_wanted(office: Office) -> None:
    theirs = BODY.notice(
        more={"country": "TH", "assessed": ["FL07", "FL08"]}, disclosed={"names": [{"text": "MILL  TWO"}]}
    )
    await Bench(office.database).arrive(BODY.member(), theirs.raw)
    with pytest.raises(AlreadyAudited, match=f"body tells of an audit of it: SMETA 2026-08.*{theirs.hash}"):
        await plan_one(office)
    # It looks for something else as well; or somebody wants it all the same.
    await plan_one(office, assessed=["FL07", "FL11"])
    review = await plan_one(office, anyway=True)
    assert read_outgoing(review).handling.contact == "none"
    await office.approve("ben", review)
    assert await office.released() == 1


async def test_an_expired_audit_hinders_no_plan(office: Office) -> None:
    theirs = BODY.notice(
        more={"country": "TH", "valid_until": "2026-09-30"}, disclosed={"names": [{"text": "Mill Two"}]}
    )
    await Bench(office.database).arrive(BODY.member(), theirs.raw)
    await plan_one(office)


@pytest.mark.parametrize(
    ("month", "until"), [("2026-10", "2026-12-31"), ("2027-12", "2028-02-29"), ("2027", "2028-02-29")]
)
def test_a_plan_ends_by_itself(month: str, until: str) -> None:
    assert str(plan_ends(month, date(2026, 10, 1))) == until


@pytest.mark.parametrize("month", ["2026-09", "2025", "2029-11", "9999-12"])
def test_nobody_plans_an_audit_for_a_month_that_is_over_or_far_off(month: str) -> None:
    with pytest.raises(CannotPropose):
        plan_ends(month, date(2026, 10, 1))


async def test_a_result_is_not_told_when_its_finding_was_taken_back_before_the_release(office: Office) -> None:
    await office.store_report(origin="signed", observations=[OBSERVATION, LIGHT], scope=SCOPE)
    await office.approve("fay", await office.heard("ana"))
    (finding,) = await office.sign()
    told = await tell(office, with_result=True)
    await office.approve("ben", await office.withdraw("ana", finding))
    with pytest.raises(NotYet, match="O1"):
        await office.approve("ben", told)
    assert await office.state(told) == "proposed"


async def test_a_notice_that_was_taken_back_is_told_anew(office: Office) -> None:
    await office.store_report(origin="signed", observations=[LIGHT], scope=SCOPE)
    await office.approve("ben", await tell(office))
    (name,) = await office.sign()
    await office.approve("ben", await office.withdraw("ana", name))
    await office.approve("ben", await tell(office))
    with pytest.raises(AlreadyProposed, match="told already"):
        await tell(office)
