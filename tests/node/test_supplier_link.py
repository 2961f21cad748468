"""A supplier sees through its link exactly what the network sees, and answers for itself."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from heard import NOBODY_BLAMED
from link_world import DENIED, Desk, opened, published, tell


@pytest_asyncio.fixture
async def desk(tmp_path: Any) -> AsyncIterator[Desk]:
    async with opened(tmp_path, 30 * 86_400) as made:
        yield made


@pytest_asyncio.fixture
async def hasty(tmp_path: Any) -> AsyncIterator[Desk]:
    """The same with a window of a second."""
    async with opened(tmp_path, 1) as made:
        yield made


async def test_a_link_is_made_only_once_the_supplier_was_told(desk: Desk) -> None:
    early = await desk.ask("ana", "POST", f"reviews/{desk.review}/link")
    assert (early.status_code, early.json()["code"]) == (409, "review.not-yet")
    assert (await tell(desk)).startswith("comity_supplier_")


async def test_opening_uses_nothing_up_and_shows_exactly_what_the_network_would_see(desk: Desk) -> None:
    secret = await tell(desk)
    one, again = [(await desk.through(secret, "GET")).json() for _ in range(2)]
    assert one == again
    review = (await desk.ask("ana", "GET", f"reviews/{desk.review}")).json()
    assert one["says"] == {**review["clear"], **review["disclosed"]}
    # Nothing withheld, nothing of the report, nobody of this node.
    told = json.dumps(one, ensure_ascii=False)
    assert "Canary" not in told and '"affected"' not in told and desk.house.people["ana"].person.id not in told


async def test_a_draft_is_kept_until_it_is_said(desk: Desk) -> None:
    secret = await tell(desk)
    begun = {"act": "reply", "codes": ["remedied"], "text": "We are still writing"}
    assert (await desk.through(secret, "PUT", "supplier/draft", json=begun)).json()["draft"] == begun
    refused = await desk.through(secret, "POST", "supplier/words", json={**DENIED, "text": "Mr Tan has them."})
    assert (refused.status_code, refused.json()["code"]) == (422, "reply.text-refused")
    assert (await desk.through(secret, "GET")).json()["draft"] == begun
    said = await desk.through(secret, "POST", "supplier/words", json=DENIED)
    assert said.status_code == 201 and said.json()["draft"] is None
    (word,) = said.json()["words"]
    assert (word["late"], word["entered_by"]) == (False, None)


async def test_the_window_is_extended_once_and_while_it_runs(desk: Desk) -> None:
    secret = await tell(desk)
    before = (await desk.through(secret, "GET")).json()
    longer = (await desk.through(secret, "POST", "supplier/extension")).json()
    assert (before["may_extend"], longer["may_extend"]) == (True, False)
    assert longer["window_ends"] > before["window_ends"] and "extended once" in longer["in_words"]
    twice = await desk.through(secret, "POST", "supplier/extension")
    assert (twice.status_code, twice.json()["code"]) == (422, "review.contradictory")
    stages = []
    for days in (40, 5):
        desk.clock.pass_time(days=days)
        stages.append((await desk.through(secret, "GET")).json()["stage"])
    assert stages == ["window-open", "ready"]


@pytest.mark.parametrize(("days", "late"), [(29, False), (31, True)])
async def test_a_reply_after_the_window_is_taken_and_marked_late_and_a_dispute_never_is(
    desk: Desk, days: int, late: bool
) -> None:
    secret = await tell(desk)
    desk.clock.pass_time(days=days)
    await desk.through(secret, "POST", "supplier/words", json=DENIED)
    said = await desk.through(secret, "POST", "supplier/words", json={**DENIED, "act": "dispute"})
    assert {word["act"]: word["late"] for word in said.json()["words"]} == {"reply": late, "dispute": False}


async def test_a_revoked_or_wrong_link_opens_nothing_and_is_no_token_of_a_person(desk: Desk) -> None:
    await tell(desk)
    made = await desk.link()
    for path in ("reviews", "me"):
        assert (await desk.through(made["secret"], "GET", path)).status_code == 401
    assert (await desk.through("comity_supplier_wrong", "GET")).status_code == 401
    assert (await desk.through(desk.house.people["ana"].token, "GET")).status_code == 401
    assert (await desk.ask("ben", "DELETE", f"links/{made['id']}")).status_code == 204
    assert (await desk.through(made["secret"], "GET")).status_code == 401
    assert (await desk.ask("ben", "DELETE", f"links/{made['id']}")).status_code == 404


# --- it ends by itself


async def ended(desk: Desk, secret: str) -> str:
    answers = [
        await desk.through(secret, "GET"),
        await desk.through(secret, "POST", "supplier/words", json=DENIED),
        await desk.through(secret, "POST", "supplier/extension"),
        await desk.through(secret, "PUT", "supplier/draft", json={"act": "reply"}),
    ]
    assert {(each.status_code, each.json()["code"]) for each in answers} == {(410, "link.ended")}
    again = await desk.ask("ana", "POST", f"reviews/{desk.review}/link")
    assert again.status_code in (404, 410), "nor is another one made"
    return str(answers[0].json()["detail"])


async def test_a_link_ends_by_itself_when_the_proposal_is_rejected(desk: Desk) -> None:
    secret = await tell(desk)
    assert (await desk.ask("ben", "POST", f"reviews/{desk.review}/reject")).status_code == 200
    assert "not published after all" in await ended(desk, secret)


async def test_a_link_ends_by_itself_when_the_finding_is_withdrawn(hasty: Desk) -> None:
    desk = hasty
    secret = await tell(desk)
    statement = await published(desk)
    assert (await desk.through(secret, "GET")).json()["statement"] == statement
    body = {"statement": statement, "reason": "wrong-subject"}
    review = (await desk.ask("ana", "POST", "withdrawals", json=body)).json()["id"]
    assert (await desk.through(secret, "GET")).status_code == 200, "it stands until two have decided"
    await desk.ask("ben", "POST", f"reviews/{review}/approve")
    assert "taken back" in await ended(desk, secret)


async def test_a_link_follows_the_revision_and_ends_by_itself_when_that_is_expired_or_overturned(hasty: Desk) -> None:
    desk = hasty
    secret = await tell(desk)
    statement = await published(desk)
    await desk.through(secret, "POST", "supplier/words", json=DENIED)
    for status in ("confirmed", "overturned"):
        made = await desk.ask("ana", "POST", "revisions", json={"statement": statement, "status": status})
        assert made.status_code == 201, made.text
        review = made.json()["id"]
        await desk.ask("ana", "POST", f"reviews/{review}/check", json=NOBODY_BLAMED)
        await desk.ask("ana", "POST", f"reviews/{review}/notify")
        statement = await published(desk, review)
        if status == "confirmed":
            shown = (await desk.through(secret, "GET")).json()
            assert (shown["statement"], shown["says"]["status"], len(shown["words"])) == (statement, "confirmed", 1)
            said = (await desk.through(secret, "POST", "supplier/words", json={**DENIED, "act": "dispute"})).json()
            assert [word["review"] for word in said["words"]] == [desk.review, review]
            desk.clock.pass_time(days=1_000)
            late = await desk.through(secret, "GET")
            assert (late.status_code, late.json()["code"]) == (410, "link.ended") and "expired" in late.json()["detail"]
            desk.clock.pass_time(days=-1_000)
    assert "overturned" in await ended(desk, secret)


async def test_what_was_said_of_any_form_of_a_finding_is_still_there_at_the_newest(hasty: Desk) -> None:
    secret = await tell(hasty)
    statement, forms = await published(hasty), [hasty.review]
    for status in ("confirmed", "plan-agreed"):
        await hasty.through(secret, "POST", "supplier/words", json=DENIED)
        made = await hasty.ask("ana", "POST", "revisions", json={"statement": statement, "status": status})
        forms.append(made.json()["id"])
        await hasty.ask("ana", "POST", f"reviews/{forms[-1]}/check", json=NOBODY_BLAMED)
        await hasty.ask("ana", "POST", f"reviews/{forms[-1]}/notify")
        statement = await published(hasty, forms[-1])
    shown = (await hasty.through(secret, "GET")).json()
    assert (shown["statement"], [word["review"] for word in shown["words"]]) == (statement, forms[:-1])


async def test_whoever_has_a_link_asks_within_limits_and_wrong_secrets_do_not_slow_a_good_one(desk: Desk) -> None:
    secret = await tell(desk)
    async with desk.house.api(Authorization="Bearer comity_supplier_wrong") as api:
        wrong = [(await api.get("/api/v1/supplier")).status_code for _ in range(70)]
        assert (wrong[:60], wrong[-1]) == ([401] * 60, 429)
        api.headers["Authorization"] = f"Bearer {secret}"
        good = [await api.get("/api/v1/supplier") for _ in range(70)]
    assert [each.status_code for each in good[:60]] == [200] * 60
    assert good[-1].status_code == 429 and int(good[-1].headers["Retry-After"]) >= 1


async def test_who_wrote_its_answer_down_is_not_told_to_a_supplier(desk: Desk) -> None:
    secret = await tell(desk)
    said = await desk.ask("ben", "POST", "replies", json={**DENIED, "review": desk.review})
    assert said.json()["entered_by"] == desk.house.people["ben"].person.id
    shown = await desk.through(secret, "GET")
    assert [word["entered_by"] for word in shown.json()["words"]] == ["agency"]
    assert desk.house.people["ben"].person.id not in shown.text
