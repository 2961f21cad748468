"""An officer's alerts over two nodes: another member's finding arrives by webhook, and so does its withdrawal."""

import asyncio
from typing import Any

from api_world import furnish
from comity_schemas.member import Role
from node_world import Town, exchanging, until
from watch_room import receiver


async def test_an_officer_is_called_about_another_members_finding_and_about_its_withdrawal(town: Town) -> None:
    office = await furnish(town)
    more: dict[str, object] = {"webhook_networks": ["127.0.0.0/8"]}
    body = await town.found("buyer", Role.PROCUREMENT_BODY, more=more)
    await town.refresh()
    officer = await body.hire("officer", "officer")
    proposed = await office.made("reviewer", "GET", f"reviews/{await office.heard()}")
    (name,) = proposed["disclosed"]["names"]
    async with receiver() as taken, body.api(officer) as api:
        rows = {"rows": [{"row": "B-7", "name": name["text"]}]}
        assert (await api.post("/api/v1/vendors", json=rows)).json()["added"] == 1
        made = await api.post("/api/v1/watches", json={"title": "bidders", "webhook": taken.url})
        watch = made.json()
        assert made.status_code == 201 and watch["secret"].startswith("whsec_")
        tested = (await api.post(f"/api/v1/watches/{watch['id']}/test")).json()
        assert (tested["state"], taken.bodies[0]["test"]) == ("sent", True)
        async with exchanging(office.house), exchanging(body):
            statement = await office.published()
            assert await told(taken, 1) == [("new", statement, "B-7")]
            asked = {"statement": statement, "reason": "factual-error"}
            taken_back = (await office.made("reviewer", "POST", "withdrawals", json=asked))["id"]
            await office.made("reviewer 2", "POST", f"reviews/{taken_back}/approve")
            assert await told(taken, 2) == [("new", statement, "B-7"), ("withdrawn", statement, "B-7")]
        alerts = (await api.get("/api/v1/alerts")).json()["items"]
        assert [a["change"]["standing"] for a in alerts] == ["withdrawn", "withdrawn"], "as it stands now"
        log = (await api.get(f"/api/v1/watches/{watch['id']}/deliveries")).json()["items"]
        assert [each["state"] for each in log] == ["sent"] * 3


async def told(taken: Any, count: int) -> list[tuple[str, str, str]]:
    """(what, statement, row) of all alerts that came, once there are so many."""

    async def all_of_them() -> list[tuple[str, str, str]]:
        alerts = [alert for body in taken.bodies for alert in body["alerts"]]
        return [(a["what"], a["change"]["statement"], a["row"]) for a in alerts] if len(alerts) >= count else []

    found: list[tuple[str, str, str]] = await until(f"{count} alerts", all_of_them)
    await asyncio.sleep(0.3)
    assert len([a for body in taken.bodies for a in body["alerts"]]) == count, "none twice"
    return found
