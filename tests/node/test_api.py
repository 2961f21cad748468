"""The API: closed by default, every error a problem with a stable code, and nothing that was sent comes back."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from api_place import Place, furnish, problem
from builders import key_of
from comity_federation import strict_json
from comity_federation.encoding import b64decode, b64encode
from comity_federation.keys import new_signing_pair
from comity_federation.registry import publish
from comity_federation.registry.changes import new_suspension
from comity_federation.signed_reports import sign_report
from comity_node.app import create_app
from comity_node.services.accounts import hash_password
from comity_schemas.member import Last, SuspensionReason
from comity_schemas.report import MAX_REPORT_BYTES
from node_world import Town, audit_report

# Closed by default


def _flat(routes: Any) -> Iterator[BaseRoute]:
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        if inner is not None and not isinstance(route, APIRoute):
            yield from _flat(inner.routes)
        else:
            yield route


OPEN = {("get", "/healthz"), ("get", "/readyz"), ("get", "/yente/healthz"), ("post", "/api/v1/tokens")}


async def test_every_route_but_health_and_sign_in_needs_a_token(place: Place) -> None:
    paths = create_app(place.house.node).openapi()["paths"]
    asked = 0
    for path, item in paths.items():
        for method in item:
            filled = re.sub(r"\{[a-z_]+\}", "7", path)
            response = await place.ask(None, method.upper(), filled)
            asked += 1
            if (method, path) in OPEN:
                assert response.status_code != 401
            else:
                problem(response, 401, "not-signed-in")
                assert response.headers["www-authenticate"] == "Bearer"
    assert asked > 25


def test_no_route_is_hidden_from_the_contract(place: Place) -> None:
    app = create_app(place.house.node)
    assert all(route.include_in_schema for route in _flat(app.routes) if isinstance(route, APIRoute))
    assert not [
        path
        for path in app.openapi()["paths"]
        if not path.startswith(("/api/v1/", "/yente/", "/reconcile/", "/healthz", "/readyz", "/metrics"))
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
    problem(await place.ask(place.focal, "POST", f"reviews/{grave}/approve"), 409, "review.held-back")
    assert (await place.ask(place.focal, "POST", f"reviews/{grave}/consent")).status_code == 200
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
