"""What holds for every operation of the API: what is sent, lists and their cursors, headers, faults, health."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx2
import pytest

from api_place import CANARY, MEDIA_TYPE, SAFE_HEADERS, Place, furnish, problem
from comity_federation.encoding import b64encode
from comity_node.app import create_app
from comity_schemas.errors import ComityError
from node_world import Town

# What is sent


async def test_a_malformed_body_is_named_by_place_and_kind_and_never_sent_back(place: Place) -> None:
    bodies: list[dict[str, Any]] = [
        {"name": CANARY * 50, "password": CANARY, "hours": CANARY},
        {"name": [CANARY], "password": {CANARY: 1}},
    ]
    for body in bodies:
        response = await place.ask(None, "POST", "tokens", json=body)
        said = problem(response, 422, "request.malformed")
        assert CANARY not in response.text
        assert said["errors"] and all(set(each) == {"loc", "type"} for each in said["errors"])


async def test_an_unknown_field_is_refused(place: Place) -> None:
    for path, who, body in (
        ("tokens", None, {"name": "x", "password": "y"}),
        ("reviews", place.reviewer, {"report": "A" * 43, "observation": "O1"}),
        ("withdrawals", place.reviewer, {"statement": "A" * 43, "reason": "overturned"}),
        ("screenings", place.officer, {"suppliers": [{"name": "x"}]}),
    ):
        said = problem(await place.ask(who, "POST", path, json={**body, "extra": CANARY}), 422, "request.malformed")
        assert {"loc": ["body", "extra"], "type": "extra_forbidden"} in said["errors"]


async def test_a_wrong_content_type_is_refused(place: Place) -> None:
    raw = place.town.signed()
    for media_type in ("text/plain", "application/x-www-form-urlencoded", ""):
        headers = {"Content-Type": media_type}
        response = await place.ask(place.auditor, "POST", "reports", content=raw, headers=headers)
        problem(response, 415, "request.content-type")
    body = json.dumps({"name": "x", "password": "y"}).encode()
    response = await place.ask(None, "POST", "tokens", content=body, headers={"Content-Type": "text/plain"})
    problem(response, 422, "request.malformed")


@pytest.mark.parametrize("declared", [True, False], ids=["length declared", "length hidden"])
async def test_a_body_over_the_limit_is_refused_whole(place: Place, declared: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(6):
            yield b"x" * 1024 * 1024

    content: Any = b"x" * (6 * 1024 * 1024) if declared else pieces()
    response = await place.ask(place.auditor, "POST", "reports", content=content, headers=MEDIA_TYPE)
    problem(response, 413, "request.too-large")
    assert SAFE_HEADERS.items() <= dict(response.headers).items()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"name":"\\ud800","password":"x"}'])
async def test_a_body_that_is_no_json_object_is_a_problem_and_no_crash(place: Place, body: bytes) -> None:
    response = await place.ask(None, "POST", "tokens", content=body, headers={"Content-Type": "application/json"})
    problem(response, 422, "request.malformed")


async def test_a_body_too_deep_to_be_read_is_a_problem_and_no_crash(place: Place) -> None:
    json_type = {"Content-Type": "application/json"}
    problem(await place.ask(None, "POST", "tokens", content=b"[" * 100_000, headers=json_type), 400, "request.refused")


# Lists


async def test_a_list_is_walked_by_its_cursor_and_ends(place: Place) -> None:
    made = [(await place.submit(place.town.signed())).json()["id"] for _ in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await place.ask(place.auditor, "GET", "reports", params={"limit": 2, **cursor})).json()
        assert len(page["items"]) <= 2
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen[:5] == made[::-1]
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("cursor", ["%", "AAAA", b64encode(b"-1"), b64encode(b"1e9"), b64encode(b"9" * 20), "A" * 41])
@pytest.mark.parametrize("path", ["reports", "reviews", "published"])
async def test_a_cursor_that_was_not_made_here_is_refused(place: Place, path: str, cursor: str) -> None:
    response = await place.ask(place.reviewer, "GET", path, params={"cursor": cursor})
    problem(response, 422, "request.malformed" if len(cursor) > 40 else "request.cursor")


@pytest.mark.parametrize("limit", ["0", "201", "x"])
async def test_a_page_is_bounded(place: Place, limit: str) -> None:
    response = await place.ask(place.reviewer, "GET", "reports", params={"limit": limit})
    problem(response, 422, "request.malformed")


# The frame


async def test_every_answer_carries_the_safe_headers(place: Place) -> None:
    asked = [("GET", "/healthz"), ("GET", "/api/v1/me"), ("GET", "/nowhere"), ("DELETE", "/healthz"), ("GET", "/docs")]
    for method, path in asked:
        response = await place.ask(None, method, path)
        assert SAFE_HEADERS.items() <= dict(response.headers).items(), path
        assert "server" not in response.headers


async def test_a_fault_of_ours_is_a_bare_problem_with_the_safe_headers(place: Place) -> None:
    kept = place.house.node.clock

    def broken() -> datetime:
        raise RuntimeError(CANARY)

    place.house.node.clock = broken
    try:
        response = await place.ask(place.officer, "GET", "me")
    finally:
        place.house.node.clock = kept
    problem(response, 500, "unexpected")
    assert CANARY not in response.text
    assert SAFE_HEADERS.items() <= dict(response.headers).items()


async def test_an_error_that_has_no_status_hides_its_words(place: Place) -> None:
    class Unforeseen(ComityError):
        code = "test.unforeseen"

    app = create_app(place.house.node)

    @app.get("/unforeseen")
    async def unforeseen() -> None:
        raise Unforeseen(CANARY)

    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://node") as api:
        response = await api.get("/unforeseen")
    problem(response, 500, "test.unforeseen")
    assert CANARY not in response.text


async def test_the_contract_is_openapi_3_1_and_no_page_loads_scripts(place: Place) -> None:
    contract = (await place.ask(None, "GET", "openapi.json")).json()
    assert contract["openapi"].startswith("3.1")
    for page in ("/docs", "/redoc", "/docs/oauth2-redirect", "/openapi.json", "/"):
        problem(await place.ask(None, "GET", page), 404, "not-found")


async def test_alive_says_nothing_and_ready_says_what_holds_the_node_up(place: Place) -> None:
    assert (await place.ask(None, "GET", "/healthz")).json() == {"status": "alive"}
    assert (await place.ask(None, "GET", "/readyz")).status_code == 200
    async with place.house.node.database.write() as store:
        await store.conditions.set("bus", "the broker does not answer", place.house.node.clock())
    response = await place.ask(None, "GET", "/readyz")
    said = response.json()
    assert (response.status_code, said["ready"]) == (503, False)
    assert [(each["name"], each["text"]) for each in said["held_up"]] == [("bus", "the broker does not answer")]
    async with place.house.node.database.write() as store:
        await store.conditions.clear("bus")
    assert (await place.ask(None, "GET", "/readyz")).status_code == 200


async def test_a_node_without_a_registry_is_alive_not_ready_and_says_so(town: Town) -> None:
    house = await town.found("lonely", admit=False)
    async with house.api(house.admin) as api:
        assert (await api.get("/healthz")).status_code == 200
        ready = await api.get("/readyz")
        assert ready.status_code == 503 and "no registry yet" in ready.text
        problem(await api.get("/api/v1/network"), 503, "registry.missing")


async def test_screening_answers_with_what_it_rests_on(place: Place) -> None:
    body = {
        "suppliers": [{"name": "Nobody At All", "country": "BR"}, {"identifiers": [{"scheme": "UNGM", "id": "7777"}]}]
    }
    answer = (await place.ask(place.officer, "POST", "screenings", json=body)).json()
    assert {a["state"] for a in answer["answers"]} == {"no supplier by this name"}
    assert {"as_of", "registry_version", "positions", "coverage"} <= set(answer)
    assert answer["coverage"]["complete"] is False and "not heard" in answer["coverage"]["in_words"]


@pytest.mark.postgres
async def test_odd_names_in_an_address_never_reach_postgresql(tmp_path: Any, postgres_url: str) -> None:
    place = await furnish(Town(tmp_path), postgres_url)
    try:
        huge = "9" * 30
        for who, path in (
            (place.reviewer, "reports/%00"),
            (place.reviewer, "reviews/%00"),
            (place.reviewer, "reviews?state=%00"),
            (place.reviewer, f"reports?cursor={b64encode(str(2**53 - 1).encode())}"),
            (place.admin, f"quarantine/{huge}/raw"),
            (place.admin, f"quarantine/{2**40}/raw"),
            (place.admin, "records/%00"),
        ):
            problem(
                await place.ask(who, "GET", path), 422, "request.cursor" if "cursor" in path else "request.malformed"
            )
        problem(await place.ask(place.admin, "DELETE", "people/%00"), 422, "request.malformed")
        problem(await place.ask(place.officer, "DELETE", "tokens/%F0%9F%92%A9"), 422, "request.malformed")
        nul = {"name": "a\u0000b", "password": "x\u0000y"}
        problem(await place.ask(None, "POST", "tokens", json=nul), 422, "request.malformed")
        nul = {"suppliers": [{"name": "a\u0000b"}]}
        problem(await place.ask(place.officer, "POST", "screenings", json=nul), 422, "request.malformed")
        review = await place.heard()
        assert (await place.ask(place.second, "POST", f"reviews/{review}/approve")).status_code == 200
        (item,) = (await place.ask(place.reviewer, "GET", "published")).json()["items"]
        assert item["state"] == "queued"
    finally:
        await place.town.close()
