"""A finding, its supplier's reply and dispute, and what became of it, over two nodes, by their APIs and one log."""

from pathlib import Path
from typing import Any

from api_world import MEDIA_TYPE
from comity_schemas.member import Role
from heard import NOBODY_BLAMED
from node_world import Actor, House, Town, exchanging, until

ASKED = {"suppliers": [{"name": "Fazenda Exemplo Ltda", "country": "BR"}]}


async def ask(house: House, who: Actor, method: str, path: str, **more: Any) -> Any:
    async with house.api(who) as api:
        answer = await api.request(method, f"/api/v1/{path}", **more)
    assert answer.is_success, answer.text
    return answer.json()


async def test_reply_dispute_and_decision_reach_the_other_node_and_stand_beside_the_finding(tmp_path: Path) -> None:
    town = Town(tmp_path)
    agency, body = await town.found("agency"), await town.found("body", Role.PROCUREMENT_BODY)
    town.admit(town.firm_entry())
    await town.refresh()
    auditor = await agency.hire("greta", "auditor", firm="firm")
    ana, ben, fay = [await agency.hire(name, role) for name, role in PEOPLE]
    sanna = await body.hire("sanna", "officer")

    async def release(review: str) -> None:
        await ask(agency, ben, "POST", f"reviews/{review}/approve")

    async def shown() -> dict[str, Any] | None:
        answers = (await ask(body, sanna, "POST", "screenings", json=ASKED))["answers"]
        return next(iter(answers[0]["findings"]), None)

    report = (await ask(agency, auditor, "POST", "reports", content=town.signed(), headers=MEDIA_TYPE))["id"]
    review = (await ask(agency, ana, "POST", "reviews", json={"report": report, "observation": "O1"}))["id"]
    await ask(agency, ben, "POST", f"reviews/{review}/check", json=NOBODY_BLAMED)
    await ask(agency, ana, "POST", f"reviews/{review}/notify")
    said = {"review": review, "codes": ["facts-disputed"], "text": "Workers keep their documents themselves."}
    reply = (await ask(agency, ana, "POST", "replies", json={**said, "act": "reply"}))["id"]
    dispute = (await ask(agency, ana, "POST", "replies", json={**said, "act": "dispute", "text": None}))["id"]
    await release(review)
    async with exchanging(agency), exchanging(body):

        async def signed() -> bool:
            return bool((await ask(agency, ana, "GET", "published"))["items"][0]["statement"])

        await until("the finding is signed", signed)
        for word in (reply, dispute):
            await release((await ask(agency, ana, "POST", f"replies/{word}/release"))["id"])

        async def answered() -> dict[str, Any] | None:
            hit = await shown()
            return hit if hit is not None and len(hit["replies"]) == 2 else None

        hit = await until("both stand beside the finding at the other node", answered)
        assert hit["disputed"] == "disputed" and hit["standing"] == "current"
        assert {r.get("text") for r in hit["replies"]} == {None, "Workers keep their documents themselves."}
        assert {r["carried_by"] for r in hit["replies"]} == {"agency"}
        await ask(agency, fay, "POST", f"replies/{dispute}/decide", json={"outcome": "partly-upheld"})
        await release((await ask(agency, ana, "POST", f"replies/{dispute}/release"))["id"])

        async def decided() -> bool:
            hit = await shown()
            return hit is not None and hit["disputed"] == "dispute partly upheld"

        await until("the decision reaches the other node", decided)
    await town.close()


PEOPLE = (("ana", "reviewer"), ("ben", "reviewer"), ("fay", "focal-point"))
