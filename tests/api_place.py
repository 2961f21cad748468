"""An agency's node as the API's own tests ask it: somebody of every kind, and what an answer must look like."""

from typing import Any

import httpx2

from comity_federation.keys import new_signing_pair
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
            signing_keys=(listed_key("did:web:other.example#signing-1"),),
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


def listed_key(kid: str) -> dict[str, Any]:
    pair = new_signing_pair(kid)
    return {"kid": kid, "key": pair.public.key.model_dump()}


def problem(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that the answer is, checked in its form."""
    said: dict[str, Any] = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, said["status"], said["code"]) == (status, status, code)
    assert said["type"] == f"urn:comity:problem:{code}"
    assert set(said) <= {"type", "title", "status", "code", "detail", "errors"} and said["detail"]
    return said
