"""The API: closed by default, every error a problem with a stable code, and nothing that was sent comes back."""

import importlib
import json
import pkgutil
import re
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

import comity_federation
import comity_node
import comity_schemas
from builders import key_of
from comity_federation import strict_json
from comity_federation.encoding import b64decode, b64encode
from comity_federation.keys import new_signing_pair
from comity_federation.registry import publish
from comity_federation.registry.changes import new_suspension
from comity_federation.signed_reports import ReportRefused, sign_report
from comity_node.api.problems import STATUS
from comity_node.app import create_app
from comity_node.domain import errors as domain_errors
from comity_node.services.accounts import hash_password
from comity_schemas.errors import ComityError
from comity_schemas.member import Last, SuspensionReason
from comity_schemas.report import MAX_REPORT_BYTES
from heard import NOBODY_BLAMED
from node_world import Actor, House, Town, audit_report

MEDIA_TYPE = {"Content-Type": "application/vnd.comity.report+json"}
CANARY = "Zzyzx-Canary"
SAFE_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class Place:
    """An agency's node with its people, and an audit firm that submits to it."""

    def __init__(self, town: Town, house: House) -> None:
        self.town, self.house = town, house

    def __getattr__(self, name: str) -> Actor:
        return self.house.people[name]

    async def ask(self, who: Actor | None, method: str, path: str, **more: Any) -> httpx2.Response:
        async with self.house.api(who) as api:
            return await api.request(method, path if path.startswith("/") else f"/api/v1/{path}", **more)

    async def submit(self, raw: bytes, who: Actor | None = None) -> httpx2.Response:
        return await self.ask(who or self.auditor, "POST", "reports", content=raw, headers=MEDIA_TYPE)

    async def propose(self, **report: Any) -> str:
        """Submit a report and propose its first observation; return the review's id."""
        receipt = (await self.submit(self.town.signed(audit_report(**report)))).json()
        made = await self.ask(self.reviewer, "POST", "reviews", json={"report": receipt["id"], "observation": "O1"})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def heard(self, **report: Any) -> str:
        """Propose, and let the supplier be heard."""
        review = await self.propose(**report)
        await self.hear(review)
        return review

    async def hear(self, review: str) -> None:
        checked = await self.ask(self.second, "POST", f"reviews/{review}/check", json=NOBODY_BLAMED)
        notified = await self.ask(self.second, "POST", f"reviews/{review}/notify")
        assert (checked.status_code, notified.status_code) == (200, 200), checked.text


async def furnish(town: Town, database: str | None = None) -> Place:
    house = await town.found("agency", database=database)
    town.admit(town.firm_entry())
    other = new_signing_pair("did:web:other.example#auditor-1")
    town.admit(
        town.firm_entry(
            did="did:web:other.example",
            slug="other",
            signing_keys=(_key("did:web:other.example#signing-1"),),
            report_keys=({"kid": other.kid, "key": other.public.key.model_dump()},),
        )
    )
    await town.refresh()
    await house.hire("auditor", "auditor", firm="firm")
    await house.hire("rival", "auditor", firm="other")
    await house.hire("freelancer", "auditor")
    await house.hire("reviewer", "reviewer")
    await house.hire("second", "reviewer")
    await house.hire("focal", "focal-point")
    await house.hire("officer", "officer")
    house.people["admin"] = house.admin
    return Place(town, house)


def _key(kid: str) -> dict[str, Any]:
    pair = new_signing_pair(kid)
    return {"kid": kid, "key": pair.public.key.model_dump()}


@pytest_asyncio.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    town = Town(tmp_path_factory.mktemp("town"))
    yield await furnish(town)
    await town.close()


def problem(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that the answer is, checked in its form."""
    said: dict[str, Any] = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, said["status"], said["code"]) == (status, status, code)
    assert said["type"] == f"urn:comity:problem:{code}"
    assert set(said) <= {"type", "title", "status", "code", "detail", "errors"} and said["detail"]
    return said


# Closed by default


def _flat(routes: Any) -> Iterator[BaseRoute]:
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        if inner is not None and not isinstance(route, APIRoute):
            yield from _flat(inner.routes)
        else:
            yield route


async def test_every_route_but_health_and_sign_in_needs_a_token(place: Place) -> None:
    paths = create_app(place.house.node).openapi()["paths"]
    asked = 0
    for path, item in paths.items():
        for method in item:
            filled = re.sub(r"\{[a-z_]+\}", "7", path)
            response = await place.ask(None, method.upper(), filled)
            asked += 1
            if (method, path) in {("get", "/healthz"), ("get", "/readyz"), ("post", "/api/v1/tokens")}:
                assert response.status_code != 401
            else:
                problem(response, 401, "not-signed-in")
                assert response.headers["www-authenticate"] == "Bearer"
    assert asked > 25


def test_no_route_is_hidden_from_the_contract(place: Place) -> None:
    app = create_app(place.house.node)
    assert all(route.include_in_schema for route in _flat(app.routes) if isinstance(route, APIRoute))
    assert not [
        path for path in app.openapi()["paths"] if not path.startswith(("/api/v1/", "/healthz", "/readyz", "/metrics"))
    ]


@pytest.mark.parametrize("token", ["comity_wrong", "", "ünicode", "a" * 5000])
async def test_a_wrong_token_is_refused(place: Place, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode("latin-1")}
    problem(await place.ask(None, "GET", "me", headers=headers), 401, "not-signed-in")


async def test_a_revoked_token_an_expired_one_and_a_closed_account_end_at_once(place: Place) -> None:
    for end in ("revoke", "close", "expire"):
        actor = await place.house.hire(f"leaving {end}", "officer")
        assert (await place.ask(actor, "GET", "me")).status_code == 200
        if end == "revoke":
            (token,) = (await place.ask(actor, "GET", "tokens")).json()
            assert (await place.ask(actor, "DELETE", f"tokens/{token['id']}")).status_code == 204
        elif end == "close":
            assert (await place.ask(place.admin, "DELETE", f"people/{actor.person.id}")).status_code == 204
        else:
            kept = place.house.node.clock
            place.house.node.clock = lambda: datetime.now(UTC) + timedelta(days=31)
            try:
                problem(await place.ask(actor, "GET", "me"), 401, "not-signed-in")
            finally:
                place.house.node.clock = kept
            continue
        problem(await place.ask(actor, "GET", "me"), 401, "not-signed-in")


WRONG_ROLE = [
    ("officer", "POST", "reports"),
    ("officer", "GET", "reports"),
    ("officer", "GET", "reviews"),
    ("officer", "GET", "published"),
    ("officer", "GET", "trail"),
    ("officer", "GET", "quarantine"),
    ("officer", "POST", "people"),
    ("auditor", "POST", "screenings"),
    ("auditor", "POST", "reviews"),
    ("auditor", "GET", f"records/{'A' * 43}"),
    ("reviewer", "POST", "screenings"),
    ("reviewer", "GET", "people"),
    ("reviewer", "GET", "quarantine/1/raw"),
    ("focal", "POST", "reviews"),
    ("focal", "POST", "imports"),
    ("focal", "POST", "withdrawals"),
    ("admin", "POST", "screenings"),
    ("admin", "GET", "reports"),
    ("admin", "POST", "reviews/x/approve"),
]


@pytest.mark.parametrize(("who", "method", "path"), WRONG_ROLE, ids=[" ".join(row) for row in WRONG_ROLE])
async def test_a_wrong_role_is_refused(place: Place, who: str, method: str, path: str) -> None:
    problem(await place.ask(getattr(place, who), method, path, json={}), 403, "not-allowed")


async def test_what_is_somebody_elses_is_not_found_just_as_what_does_not_exist(place: Place) -> None:
    receipt = (await place.submit(place.town.signed())).json()
    for path in (f"reports/{receipt['id']}", f"reports/{receipt['id']}/signed"):
        absent = path.replace(receipt["id"], "A" * 43)
        assert (await place.ask(place.auditor, "GET", path)).status_code == 200
        for stranger in (place.rival, place.freelancer):
            foreign = problem(await place.ask(stranger, "GET", path), 404, "not-found")
            assert foreign == problem(await place.ask(stranger, "GET", absent), 404, "not-found")
    assert (await place.ask(place.rival, "GET", "reports")).json()["items"] == []
    assert (await place.ask(place.freelancer, "GET", "reports")).json()["items"] == []


async def test_another_persons_token_is_not_found(place: Place) -> None:
    (token,) = (await place.ask(place.officer, "GET", "tokens")).json()
    problem(await place.ask(place.admin, "DELETE", f"tokens/{token['id']}"), 404, "not-found")
    assert (await place.ask(place.officer, "GET", "me")).status_code == 200


@pytest.mark.parametrize("path", ["reviews/x", "batches/x", "people/x", f"records/{'A' * 43}", "quarantine/77/raw"])
async def test_what_does_not_exist_is_not_found(place: Place, path: str) -> None:
    method = "POST" if path.startswith("batches") else "DELETE" if path.startswith("people") else "GET"
    who = place.admin if path.startswith(("people", "records", "quarantine")) else place.reviewer
    path += "/approve" if path.startswith("batches") else ""
    problem(await place.ask(who, method, path), 404, "not-found")


async def test_signing_in_tells_nobody_which_names_exist(place: Place) -> None:
    await place.house.hire("known", "officer", password=hash_password("a good password"))
    said = [
        problem(
            await place.ask(None, "POST", "tokens", json={"name": name, "password": "wrong password"}),
            401,
            "wrong-password",
        )
        for name in ("known", "unknown")
    ]
    assert said[0] == said[1]
    good = await place.ask(None, "POST", "tokens", json={"name": "known", "password": "a good password"})
    assert good.status_code == 201 and good.json()["token"].startswith("comity_")


async def test_an_account_without_a_password_cannot_sign_in(place: Place) -> None:
    for password in ("", " ", "None", "password"):
        response = await place.ask(None, "POST", "tokens", json={"name": "officer", "password": password})
        assert response.status_code in (401, 422)


async def test_only_an_admin_adds_people_and_a_name_is_taken_for_ever(place: Place) -> None:
    body = {"name": "newcomer", "roles": ["officer"], "password": "long enough indeed"}
    added = await place.ask(place.admin, "POST", "people", json=body)
    assert added.status_code == 201
    problem(await place.ask(place.admin, "POST", "people", json=body), 409, "name-taken")
    await place.ask(place.admin, "DELETE", f"people/{added.json()['id']}")
    taken = problem(await place.ask(place.admin, "POST", "people", json=body), 409, "name-taken")
    assert "newcomer" not in taken["detail"]


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


# Reports


async def test_a_receipt_repeats_and_nothing_is_stored_twice(place: Place) -> None:
    raw = place.town.signed()
    first, again = await place.submit(raw), await place.submit(raw)
    assert (first.status_code, first.json()["repeated"], again.json()["repeated"]) == (201, False, True)
    assert {**first.json(), "repeated": True} == again.json()
    stored = await place.ask(place.auditor, "GET", f"reports/{first.json()['id']}/signed")
    assert stored.content == raw
    reports = (await place.ask(place.auditor, "GET", "reports", params={"limit": 200})).json()["items"]
    assert [r["id"] for r in reports].count(first.json()["id"]) == 1


def bad_signature(town: Town) -> bytes:
    did = town.auditor.kid.partition("#")[0]
    return sign_report(audit_report(), iss=did, kid=town.auditor.kid, key=key_of("thief"), now=datetime.now(UTC))


def altered(town: Town) -> bytes:
    signed = strict_json.loads(town.signed())
    section = strict_json.loads(b64decode(signed["sections"][2]))
    section[2]["severity"] = "S4"
    signed["sections"][2] = b64encode(strict_json.dumps(section))
    return strict_json.dumps(signed)


def unknown_auditor(town: Town) -> bytes:
    stranger = new_signing_pair("did:web:firm.example#auditor-99")
    return sign_report(
        audit_report(), iss="did:web:firm.example", kid=stranger.kid, key=stranger.secret, now=datetime.now(UTC)
    )


REFUSALS: list[tuple[str, Callable[[Town], bytes], int, str]] = [
    ("bad signature", bad_signature, 422, "report.bad-signature"),
    ("altered", altered, 422, "report.altered"),
    ("a section too few", lambda town: _without_last_section(town), 422, "report.altered"),
    ("unknown auditor", unknown_auditor, 403, "report.unknown-auditor"),
    ("no report", lambda town: b"{}", 422, "report.malformed"),
    ("no JSON", lambda town: b"\xff", 422, "report.malformed"),
    ("empty", lambda town: b"", 422, "report.malformed"),
    ("another firm", lambda town: town.signed(audit_report(auditor="did:web:x.example")), 422, "report.malformed"),
    ("too large", lambda town: b"x" * (MAX_REPORT_BYTES + 1), 413, "report.too-large"),
]  # fmt: skip


def _without_last_section(town: Town) -> bytes:
    signed = strict_json.loads(town.signed())
    return strict_json.dumps({**signed, "sections": signed["sections"][:-1]})


@pytest.mark.parametrize(("make", "status", "code"), [r[1:] for r in REFUSALS], ids=[r[0] for r in REFUSALS])
async def test_a_report_that_cannot_be_taken_in_is_refused_by_its_own_code(
    place: Place, make: Callable[[Town], bytes], status: int, code: str
) -> None:
    before = (await place.ask(place.reviewer, "GET", "reports", params={"limit": 200})).json()
    response = await place.submit(make(place.town))
    problem(response, status, code)
    assert "Canary" not in response.text
    assert (await place.ask(place.reviewer, "GET", "reports", params={"limit": 200})).json() == before


async def test_who_submits_for_another_firm_is_refused(place: Place) -> None:
    problem(await place.submit(place.town.signed(), place.rival), 403, "report.another-firm")
    problem(await place.submit(place.town.signed(), place.freelancer), 403, "report.another-firm")


async def test_without_sharing_basis_or_authorisation_a_report_is_kept_marked_and_cannot_be_proposed(
    place: Place,
) -> None:
    for change, mark in (
        ({"sharing_basis": None}, "no-sharing-basis"),
        ({"scheme": "SA8000"}, "scheme-not-authorised"),
        ({"finished": "2019-12-31", "started": None}, "scheme-not-authorised"),
    ):
        receipt = (await place.submit(place.town.signed(audit_report(**change)))).json()
        assert receipt["marks"] == [mark] and receipt["explained"]
        body = {"report": receipt["id"], "observation": "O1"}
        problem(await place.ask(place.reviewer, "POST", "reviews", json=body), 409, "review.cannot-propose")


async def test_a_suspended_auditor_is_refused(tmp_path: Any) -> None:
    town = Town(tmp_path)
    place = await furnish(town)
    suspension = new_suspension("firm", Last(seq=0, hash="A" * 43), SuspensionReason.MISCONDUCT, datetime.now(UTC))
    town.world.directory.stage_suspension(suspension)
    town.world.directory.sign(town.world.holders[1], town.world.directory.staged(), parts=["suspensions"])
    publish(town.world.directory, town.world.hub)
    await town.refresh()
    problem(await place.submit(town.signed()), 403, "report.auditor-not-active")
    await town.close()


async def test_a_reviewer_sees_the_original_beside_what_leaves_and_a_fate_for_every_field(place: Place) -> None:
    receipt = (await place.submit(place.town.signed())).json()
    said = (await place.ask(place.reviewer, "GET", f"reports/{receipt['id']}/drafts")).json()
    (draft,) = said["drafts"]
    assert said["report"]["observations"][0]["testimony"].startswith("Canary-testimony")
    assert "Canary" not in json.dumps([draft["clear"], draft["disclosed"]])
    assert {fate["fate"] for fate in said["fates"]} == {"leaves", "stays", "withheld"}
    assert draft["withheld"]["affected"] == "1-10"


async def test_the_auditor_sees_what_became_of_the_report(place: Place) -> None:
    receipt = (await place.submit(place.town.signed())).json()
    status = f"reports/{receipt['id']}"

    async def state() -> str:
        return str((await place.ask(place.auditor, "GET", status)).json()["observations"][0]["state"])

    assert await state() == "not proposed"
    body = {"report": receipt["id"], "observation": "O1"}
    review = (await place.ask(place.reviewer, "POST", "reviews", json=body)).json()["id"]
    assert await state() == "proposed"
    await place.hear(review)
    assert (await place.ask(place.second, "POST", f"reviews/{review}/approve")).status_code == 200
    assert await state() == "released"


async def test_two_people_release_and_each_refusal_has_its_code(place: Place) -> None:
    review = await place.heard()
    problem(await place.ask(place.reviewer, "POST", f"reviews/{review}/approve"), 409, "review.same-person")
    assert (await place.ask(place.second, "POST", f"reviews/{review}/approve")).status_code == 200
    problem(await place.ask(place.second, "POST", f"reviews/{review}/approve"), 409, "review.already-decided")
    grave = await place.heard(source="union", scheme="SMETA")
    problem(await place.ask(place.second, "POST", f"reviews/{grave}/approve"), 409, "review.focal-point-needed")
    assert (await place.ask(place.focal, "POST", f"reviews/{grave}/approve")).status_code == 200
    handling = {
        "tlp": "AMBER",
        "contact": "desk",
        "purpose": "supply-chain-due-diligence",
        "permitted_use": ["engagement"],
        "onward": "members",
    }
    receipt = (await place.submit(place.town.signed())).json()
    body = {"report": receipt["id"], "observation": "O1", "handling": handling}
    problem(await place.ask(place.reviewer, "POST", "reviews", json=body), 422, "review.handling-refused")
    body["handling"] = {**handling, "tlp": "PURPLE"}
    problem(await place.ask(place.reviewer, "POST", "reviews", json=body), 422, "request.malformed")
    body["handling"] = {**handling, "tlp": "CLEAR"}
    proposed = await place.ask(place.reviewer, "POST", "reviews", json=body)
    assert (proposed.status_code, proposed.json()["handling"]) == (201, body["handling"])
    nothing = {"statement": "A" * 43, "reason": "overturned"}
    problem(await place.ask(place.reviewer, "POST", "withdrawals", json=nothing), 409, "review.not-published")


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


# Errors, all of them


def all_errors() -> list[type[ComityError]]:
    for package in (comity_schemas, comity_federation, comity_node):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "migrations" not in module.name and not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    found: list[type[ComityError]] = []
    waiting: list[type[ComityError]] = [ComityError]
    while waiting:
        found.append(one := waiting.pop())
        waiting += [sub for sub in one.__subclasses__() if sub.__module__.startswith("comity_")]
    return found


def test_every_error_has_a_stable_code_of_its_own() -> None:
    codes: dict[str, type[ComityError]] = {}
    for error in all_errors():
        assert "code" in vars(error), f"{error.__name__} inherits its code"
        assert re.fullmatch(r"[a-z]+([.-][a-z]+)*", error.code), error.code
        assert error.code not in codes, f"{error.__name__} and {codes[error.code].__name__} share {error.code}"
        codes[error.code] = error
    assert len(codes) > 40


def test_every_error_says_what_it_is() -> None:
    for error in all_errors():
        assert (error.__doc__ and error.__doc__ != ComityError.__doc__) or error is ComityError, error.__name__


RAISED_THROUGH_THE_API = ("report.", "review.", "import.", "request.")
"""Errors of these families reach people through the API, as does everything of `domain.errors`."""
NEVER_THROUGH_THE_API = {
    "decision.unreadable",
    "report.refused",
    "report.unreadable",
    "report.sheet-refused",
    "report.proof-broken",
}
"""A root that is never raised itself, and those of the command line."""


def test_every_error_that_the_api_can_raise_has_a_status_and_every_status_an_error() -> None:
    errors = all_errors()
    reaching = {
        e.code for e in errors if e.code.startswith(RAISED_THROUGH_THE_API) or e.__module__ == domain_errors.__name__
    } - NEVER_THROUGH_THE_API
    assert {e.code for e in errors if issubclass(e, ReportRefused)} <= reaching | NEVER_THROUGH_THE_API
    assert reaching <= set(STATUS)
    of_the_frame = {"request.malformed", "request.content-type", "request.too-large"}
    assert set(STATUS) - of_the_frame <= {e.code for e in errors}


async def test_an_error_of_the_database_does_not_show_what_was_to_be_stored(place: Place) -> None:
    with pytest.raises(Exception, match="UNIQUE") as caught:
        async with place.house.node.database.write() as store:
            person = place.officer.person
            await store.accounts.add_person(person, f"{CANARY}-hash")
    assert CANARY not in str(caught.value)
