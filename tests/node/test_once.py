"""A write that is asked for again under its key is done once, and answered the same."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest_asyncio
from sqlalchemy import text

from api_world import MEDIA_TYPE, Office, furnish
from comity_node.db.given_answers import MOST_A_PERSON, GivenAnswer
from comity_node.db.rows.people import GivenAnswerRow
from heard import NOBODY_BLAMED
from node_world import Town


async def reviews(office: Office) -> list[str]:
    return [item["id"] for item in (await office.made("reviewer", "GET", "reviews"))["items"]]


async def events(office: Office, event: str) -> int:
    async with office.house.node.database.read() as store:
        return sum(entry.event == event for _, entry in await store.trail.page(before=None, most=1_000))


@pytest_asyncio.fixture
async def office(town: Town) -> Office:
    return await furnish(town)


@pytest_asyncio.fixture
async def either(town: Town, migrated_url: str) -> Office:
    """On SQLite and on PostgreSQL."""
    return await furnish(town, migrated_url)


def new_key() -> str:
    return f'"{uuid.uuid4()}"'


async def test_the_same_request_under_the_same_key_is_done_once_and_answered_the_same(either: Office) -> None:
    body, key = {"report": await either.report(), "observation": "O1"}, new_key()
    first = await either.ask("reviewer", "POST", "reviews", key, json=body)
    again = await either.ask("reviewer", "POST", "reviews", key, json=body)
    bare = await either.ask("reviewer", "POST", "reviews", key.strip('"'), json=body)
    assert [a.status_code for a in (first, again, bare)] == [201, 201, 201]
    assert first.json() == again.json() == bare.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["content-type"] == first.headers["content-type"]
    assert await reviews(either) == [first.json()["id"]]
    # Without the key it is a second proposal of the same.
    other = await either.ask("reviewer", "POST", "reviews", json=body)
    assert (other.status_code, other.json()["code"]) == (409, "review.already-proposed")


async def test_every_write_of_the_main_job_can_be_asked_again(office: Office) -> None:
    raw = office.signed()
    asked: list[tuple[str, str, str, dict[str, Any]]] = [
        ("auditor", "POST", "reports", {"content": raw, "headers": MEDIA_TYPE}),
        ("admin", "POST", "people", {"json": {"name": "new", "roles": ["officer"], "password": "long enough words"}}),
    ]
    report = str((await office.ask("auditor", "POST", "reports", content=raw, headers=MEDIA_TYPE)).json()["id"])
    asked.append(("reviewer", "POST", "reviews", {"json": {"report": report, "observation": "O1"}}))
    for step in ("ask", "decide", "close"):
        if step == "decide":
            (review,) = await reviews(office)
            asked = [
                ("reviewer", "POST", f"reviews/{review}/check", {"json": NOBODY_BLAMED}),
                ("reviewer", "POST", f"reviews/{review}/notify", {}),
            ]
            asked.append(("reviewer 2", "POST", f"reviews/{review}/approve", {}))
        elif step == "close":
            people = (await office.ask("admin", "GET", "people")).json()
            asked = [("admin", "DELETE", f"people/{p['id']}", {}) for p in people if p["name"] == "new"]
        for who, method, path, more in asked:
            key = new_key()
            one = await office.ask(who, method, path, key, **more)
            two = await office.ask(who, method, path, key, **more)
            assert one.is_success, one.text
            assert (one.status_code, one.text and one.json()) == (two.status_code, two.text and two.json()), path
            assert two.headers["idempotency-replayed"] == "true"
    assert [await events(office, e) for e in ("review.approved", "person.closed", "review.proposed")] == [1, 1, 1]


async def test_the_same_key_with_another_request_is_refused_and_nothing_is_done(office: Office) -> None:
    one, two, key = await office.report(), await office.report(), new_key()
    first = await office.ask("reviewer", "POST", "reviews", key, json={"report": one, "observation": "O1"})
    for path, body in (("reviews", {"report": two, "observation": "O1"}), ("reviews?x=1", {}), ("withdrawals", {})):
        other = await office.ask("reviewer", "POST", path, key, json=body)
        assert other.status_code == 422, other.text
    other = await office.ask("reviewer", "POST", "reviews", key, json={"report": two, "observation": "O1"})
    assert other.json()["code"] == "idempotency.key-reused"
    assert await reviews(office) == [first.json()["id"]]


async def test_a_key_is_one_persons_own(office: Office) -> None:
    report, key = await office.report(), new_key()
    body = {"report": report, "observation": "O1"}
    assert (await office.ask("reviewer", "POST", "reviews", key, json=body)).status_code == 201
    other = await office.ask("reviewer 2", "POST", "reviews", key, json=body)
    assert (other.status_code, other.json()["code"]) == (409, "review.already-proposed")


async def test_what_was_refused_is_judged_anew(office: Office) -> None:
    key, body = new_key(), {"report": "A" * 43, "observation": "O1"}
    for _ in range(2):
        refused = await office.ask("reviewer", "POST", "reviews", key, json=body)
        assert (refused.status_code, refused.headers.get("idempotency-replayed")) == (404, None)
    body["report"] = await office.report()
    assert (await office.ask("reviewer", "POST", "reviews", key, json=body)).status_code == 201


async def test_while_the_first_is_at_work_a_second_is_told_so(either: Office) -> None:
    body, key = {"report": await either.report(), "observation": "O1"}, new_key()
    async with either.house.node.database.write():
        # The first waits for its turn to write.
        first = asyncio.create_task(either.ask("reviewer", "POST", "reviews", key, json=body))

        async with asyncio.timeout(8):
            await asyncio.sleep(0.2)
            answer = await either.ask("reviewer", "POST", "reviews", key, json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency.in-progress")
        assert not first.done()
    assert (await first).status_code == 201
    again = await either.ask("reviewer", "POST", "reviews", key, json=body)
    assert (again.status_code, again.json()) == (201, (await first).json())


async def test_the_work_and_its_answer_are_kept_together_or_not_at_all(either: Office) -> None:
    body, key = {"report": await either.report(), "observation": "O1"}, new_key()
    async with either.house.node.database.write() as store:
        connection = await store._session.connection()
        await connection.execute(text("alter table given_answer rename to given_answer_away"))
        await connection.execute(text("create table given_answer (person_id text, key text, at text)"))
    broken = await either.ask("reviewer", "POST", "reviews", key, json=body)
    assert broken.status_code >= 500
    assert await reviews(either) == []
    async with either.house.node.database.write() as store:
        connection = await store._session.connection()
        await connection.execute(text("drop table given_answer"))
        await connection.execute(text("alter table given_answer_away rename to given_answer"))
    assert (await either.ask("reviewer", "POST", "reviews", key, json=body)).status_code == 201


async def test_answers_are_kept_for_a_day_and_a_thousand_a_person(either: Office) -> None:
    now = either.house.node.clock()
    someone, another = either.person("reviewer").person.id, either.person("reviewer 2").person.id
    given = GivenAnswer("r", 200, "{}")
    async with either.house.node.database.write() as store:
        await store.given_answers.keep(another, "kept-of-another", given, now)
        rows = [{"person_id": someone, "key": f"k{n}", "at": now + timedelta(seconds=n)} for n in range(MOST_A_PERSON)]
        for row in rows:
            store._session.add(GivenAnswerRow(**row, request="r", status=200, body="{}"))
        await store._session.flush()
        for number in (MOST_A_PERSON, MOST_A_PERSON + 1):
            await store.given_answers.keep(someone, f"k{number}", given, now + timedelta(seconds=number))
    late = now + timedelta(seconds=MOST_A_PERSON + 2)
    async with either.house.node.database.write() as store:
        answers = store.given_answers
        gone = [await answers.find(someone, f"k{n}", late) is None for n in (0, 1, 2, MOST_A_PERSON + 1)]
        assert gone == [True, True, False, False]
        assert await answers.find(another, "kept-of-another", late) == given
        tomorrow = late + timedelta(hours=24)
        assert await answers.find(someone, f"k{MOST_A_PERSON + 1}", tomorrow) is None
        await answers.keep(someone, "new", given, tomorrow)
        left = (await (await store._session.connection()).execute(text("select count(*) from given_answer"))).scalar()
    assert left == 1


async def test_a_key_of_another_form_is_refused(office: Office) -> None:
    for key in ("short", "", '"no end', "a b c d e f g h", "ünicode-key", "x" * 129):
        answer = await office.ask("reviewer", "POST", "reviews", json={}, headers={"Idempotency-Key": key.encode()})
        assert (answer.status_code, answer.json()["code"]) == (422, "request.malformed"), key


async def test_neither_the_request_nor_a_password_can_be_read_from_what_is_kept(office: Office) -> None:
    body = {"name": "newcomer", "roles": ["officer"], "password": "Canary-long-password"}
    assert (await office.ask("admin", "POST", "people", new_key(), json=body)).status_code == 201
    async with office.house.node.database.read() as store:
        rows = (await (await store._session.connection()).execute(text("select * from given_answer"))).all()
    assert len(rows) == 1 and "Canary" not in str(rows)
