"""The auditor sees what would leave and may object: the release waits until that is withdrawn, or two overrule it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.exc import IntegrityError

from api_world import Office, furnish
from node_world import Town

WHY = {"reason": "the site was sold in May"}


@pytest_asyncio.fixture(scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    town = Town(tmp_path_factory.mktemp("objections"))
    yield await furnish(town)
    await town.close()


async def proposed(office: Office) -> tuple[str, str]:
    review = await office.heard()
    return str((await office.made("reviewer", "GET", f"reviews/{review}"))["report"]), review


async def object_to(office: Office, report: str, **more: Any) -> str:
    return str((await office.made("auditor", "POST", f"reports/{report}/objections", json={**WHY, **more}))["id"])


async def approve(office: Office, review: str, *, refused: str | None = None) -> None:
    answer = await office.ask("reviewer 2", "POST", f"reviews/{review}/approve")
    assert (answer.status_code, answer.json().get("code")) == (409, refused) if refused else answer.is_success, answer


async def overrule(office: Office, report: str, objection: str, by: str = "reviewer") -> str:
    body = {"act": "overrule", "objection": objection, "reason": "the deed says otherwise"}
    return str((await office.made(by, "POST", f"reports/{report}/joint-acts", json=body))["id"])


async def test_the_auditor_sees_the_drafts_of_the_own_reports_and_that_is_on_the_trail(office: Office) -> None:
    report = await office.report()
    drafts = await office.made("auditor", "GET", f"reports/{report}/drafts")
    assert [draft["observation"] for draft in drafts["drafts"]] == ["O1"]
    assert {fate["fate"] for fate in drafts["fates"]} == {"leaves", "withheld", "stays"}
    assert all(fate["why"] for fate in drafts["fates"])
    assert (await office.ask("auditor 2", "GET", f"reports/{report}/drafts")).status_code == 404
    entry = (await office.made("admin", "GET", "trail?limit=1"))["items"][0]
    assert (entry["event"], entry["subject"]) == ("report.read", report)


@pytest.mark.parametrize("more", [{}, {"observation": "O1"}])
async def test_an_objection_holds_the_release_back_until_it_is_withdrawn(office: Office, more: dict[str, str]) -> None:
    report, review = await proposed(office)
    objection = await object_to(office, report, **more)
    await approve(office, review, refused="review.objection-stands")
    assert (await office.ask("auditor 2", "POST", f"objections/{objection}/withdraw")).status_code == 404
    await office.made("auditor", "POST", f"objections/{objection}/withdraw")
    assert (await office.ask("auditor", "POST", f"objections/{objection}/withdraw")).status_code == 409
    await approve(office, review)
    events = [e["event"] for e in (await office.made("admin", "GET", "trail?limit=3"))["items"]]
    assert events == ["review.approved", "objection.withdrawn", "objection.made"]


async def test_an_objection_to_another_observation_holds_nothing_back_and_to_none_that_is_there_is_refused(
    office: Office,
) -> None:
    report, review = await proposed(office)
    answer = await office.ask("auditor", "POST", f"reports/{report}/objections", json={**WHY, "observation": "O9"})
    assert answer.status_code == 404
    await approve(office, review)


async def test_two_people_overrule_an_objection_and_one_alone_cannot(office: Office) -> None:
    report, review = await proposed(office)
    objection = await object_to(office, report)
    act = await overrule(office, report, objection)
    await approve(office, review, refused="review.objection-stands")
    alone = await office.ask("reviewer", "POST", f"joint-acts/{act}/confirm")
    assert (alone.status_code, alone.json()["code"]) == (409, "review.same-person")
    again = await office.ask(
        "focal", "POST", f"reports/{report}/joint-acts", json={"act": "overrule", "objection": objection, **WHY}
    )
    assert again.json()["code"] == "review.already-proposed"
    await office.made("focal", "POST", f"joint-acts/{act}/confirm")
    await approve(office, review)
    (listed,) = (await office.made("auditor", "GET", f"reports/{report}/objections"))["items"]
    assert listed["state"] == "overruled"
    assert (await office.ask("focal", "POST", f"joint-acts/{act}/decline")).json()["code"] == "review.already-decided"


async def test_what_was_declined_or_withdrawn_meanwhile_overrules_nothing(office: Office) -> None:
    report, review = await proposed(office)
    objection = await object_to(office, report)
    await office.made("focal", "POST", f"joint-acts/{await overrule(office, report, objection)}/decline")
    await approve(office, review, refused="review.objection-stands")
    act = await overrule(office, report, objection)
    await office.made("auditor", "POST", f"objections/{objection}/withdraw")
    assert (await office.ask("focal", "POST", f"joint-acts/{act}/confirm")).json()["code"] == "review.already-decided"


@pytest.mark.parametrize(
    "body",
    [{"act": "overrule", **WHY}, {"act": "hold", "objection": "x", **WHY}, {"act": "hold"}, {"act": "let-go", **WHY}],
)
async def test_what_does_not_fit_together_is_not_proposed(office: Office, body: dict[str, str]) -> None:
    answer = await office.ask("reviewer", "POST", f"reports/{await office.report()}/joint-acts", json=body)
    assert answer.status_code in (409, 422)


async def test_the_database_itself_refuses_the_same_person(office: Office) -> None:
    act = await office.joint_act("reviewer")
    who = office.person("reviewer").person.id
    with pytest.raises(IntegrityError):
        async with office.house.node.database.write() as store:
            await store.concerns.decide(act, state="confirmed", by=who, now=office.house.node.clock())


async def test_after_consent_was_withdrawn_nothing_new_leaves_of_a_report_and_the_reason_is_kept(
    office: Office,
) -> None:
    report, review = await proposed(office)
    withdrawn = {"act": "withdraw-basis", "reason": "the auditee wrote on 3 May"}
    restored = {"act": "restore-basis", "reason": "it was another site's letter"}
    acts = f"reports/{report}/joint-acts"
    assert (await office.ask("reviewer", "POST", acts, json=restored)).status_code == 409
    act = (await office.made("reviewer", "POST", acts, json=withdrawn))["id"]
    # Already when one person says so, since what has left cannot be called back.
    await approve(office, review, refused="review.basis-withdrawn")
    await office.made("reviewer 2", "POST", f"joint-acts/{act}/confirm")
    await approve(office, review, refused="review.basis-withdrawn")
    assert (await office.ask("reviewer", "POST", acts, json=withdrawn)).status_code == 409
    kept = (await office.made("reviewer", "GET", acts))["items"]
    assert [(each["act"], each["reason"], each["state"]) for each in kept] == [
        ("withdraw-basis", "the auditee wrote on 3 May", "confirmed")
    ]

    back = (await office.made("reviewer", "POST", acts, json=restored))["id"]
    await approve(office, review, refused="review.basis-withdrawn")
    await office.made("reviewer 2", "POST", f"joint-acts/{back}/confirm")
    await approve(office, review)


async def test_nothing_is_proposed_of_a_report_whose_basis_somebody_says_is_withdrawn(office: Office) -> None:
    report = await office.report()
    proposal, body = {"report": report, "observation": "O1"}, {"act": "withdraw-basis", "reason": "somebody phoned"}
    act = (await office.made("reviewer", "POST", f"reports/{report}/joint-acts", json=body))["id"]
    refused = await office.ask("reviewer", "POST", "reviews", json=proposal)
    assert (refused.status_code, refused.json()["code"]) == (409, "review.basis-withdrawn")
    await office.made("reviewer 2", "POST", f"joint-acts/{act}/decline")
    await office.made("reviewer", "POST", "reviews", json=proposal)


async def test_a_withdrawal_of_consent_that_was_declined_holds_nothing_back(office: Office) -> None:
    report, review = await proposed(office)
    body = {"act": "withdraw-basis", "reason": "somebody phoned"}
    act = (await office.made("reviewer", "POST", f"reports/{report}/joint-acts", json=body))["id"]
    await office.made("reviewer 2", "POST", f"joint-acts/{act}/decline")
    await approve(office, review)
