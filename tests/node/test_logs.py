"""Logs of a served node: structured, and without a body, a name or a token, whatever it does and goes through."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2

from api_world import MEDIA_TYPE, PASSWORD, furnish
from builders import IDENTIFIERS
from comity_federation.bus import checkpoints_topic, statements_topic
from comity_federation.signed_reports import sign_report
from command_network import wait_until
from heard import NOBODY_BLAMED
from node_world import Town, audit_report, served

CANARY = "Zqxjcanary"


class Api:
    """A served node's API, asked synchronously; what it answers is looked at elsewhere."""

    def __init__(self, client: httpx2.Client, tokens: dict[str, str]) -> None:
        self._client = client
        self._tokens = tokens

    def ask(self, who: str | None, method: str, path: str, **more: Any) -> httpx2.Response:
        headers = {**({"Authorization": f"Bearer {self._tokens[who]}"} if who else {}), **more.pop("headers", {})}
        path = path if path.startswith("/") else f"/api/v1/{path}"
        return self._client.request(method, path, headers=headers, **more)

    def made(self, who: str, method: str, path: str, **more: Any) -> Any:
        answer = self.ask(who, method, path, **more)
        assert answer.is_success, answer.text
        return answer.json()


async def _set_up(place: Path) -> tuple[Town, dict[str, str], bytes]:
    town = Town(place)
    office = await furnish(town)
    await office.house.hire(f"{CANARY}-person", "officer")
    party = {"type": "supplier", "names": [{"text": f"{CANARY} Ltda"}], "country": "BR", "identifiers": IDENTIFIERS}
    pair = town.auditor
    signed = sign_report(
        audit_report(party=party, team=[f"{CANARY}-team"], summary=f"{CANARY}-summary"),
        iss=pair.kid.partition("#")[0],
        kid=pair.kid,
        key=pair.secret,
        now=office.house.node.clock(),
    )
    tokens = {who: actor.token for who, actor in office.house.people.items()}
    await town.close()
    return town, tokens, signed


async def _write_to_bus(town: Town) -> None:
    log = town.log()
    for topic in (statements_topic("agency"), statements_topic("firm"), checkpoints_topic("firm")):
        await log.publish(topic, f'{{"statement":"{CANARY}"}}'.encode(), {"ce_id": CANARY})
    await log.stop()


def _main_job(api: Api, signed: bytes) -> None:
    report = api.made("auditor", "POST", "reports", content=signed, headers=MEDIA_TYPE)["id"]
    assert CANARY in api.ask("reviewer", "GET", f"reports/{report}/drafts").text
    body = {"report": report, "observation": "O1"}
    review = api.made("reviewer", "POST", "reviews", json=body, headers={"Idempotency-Key": f"{CANARY}-key"})["id"]
    api.made("reviewer", "POST", f"reviews/{review}/check", json=NOBODY_BLAMED)
    api.made("reviewer", "POST", f"reviews/{review}/notify")
    api.made("reviewer 2", "POST", f"reviews/{review}/approve")
    asked = {"suppliers": [{"name": f"{CANARY} Ltda", "country": "BR"}]}

    def found() -> bool:
        return "findings shared" in api.made("officer", "POST", "screenings", json=asked)["answers"][0]["state"]

    wait_until("the finding is found", found)
    (item,) = api.made("reviewer", "GET", "published")["items"]
    withdrawal = {"statement": item["statement"], "reason": "factual-error"}
    taken_back = api.made("reviewer", "POST", "withdrawals", json=withdrawal)["id"]
    api.made("reviewer 2", "POST", f"reviews/{taken_back}/approve")


def _what_people_do_wrong(api: Api, tokens: dict[str, str]) -> None:
    asked = [
        (None, "POST", "tokens", {"json": {"name": CANARY, "password": f"{CANARY}-password"}}, 401),
        (None, "GET", "me", {"headers": {"Authorization": f"Bearer {CANARY}"}}, 401),
        (None, "GET", "peers/checkpoint", {"headers": {"Authorization": f"Bearer {CANARY}"}}, 401),
        (None, "GET", "/metrics", {"headers": {"Authorization": f"Bearer {CANARY}"}}, 401),
        (None, "GET", f"/{CANARY}", {}, 404),
        ("officer", "DELETE", f"screenings?{CANARY}", {}, 405),
        ("officer", "POST", "screenings", {"json": {"suppliers": [{"nome": CANARY}]}}, 422),
        ("officer", "POST", "screenings", {"content": f'{{"{CANARY}"'.encode()}, 422),
        ("officer", "GET", "people", {"params": {"q": CANARY}}, 403),
        ("auditor", "POST", "reports", {"content": CANARY.encode()}, 415),
        ("auditor", "POST", "reports", {"content": b"{" + CANARY.encode(), "headers": MEDIA_TYPE}, 422),
        ("reviewer", "POST", "reviews", {"json": {}, "headers": {"Idempotency-Key": f"{CANARY}-key"}}, 422),
        ("reviewer", "GET", f"reviews?cursor={CANARY}", {}, 422),
        ("reviewer", "POST", "imports", {"json": {"mapping": CANARY, "table": ""}}, 422),
        ("admin", "POST", "people", {"json": {"name": CANARY, "roles": ["officer"], "password": CANARY[:5]}}, 422),
    ]
    for who, method, path, more, status in asked:
        answer = api.ask(who, method, path, **more)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
    # Answered by 413, or the connection is closed while it is still being sent.
    too_large = {"content": CANARY.encode() * 500_000, "headers": {**MEDIA_TYPE, "Connection": "close"}}
    with suppress(httpx2.HTTPError):
        api.ask("auditor", "POST", "reports", **too_large)
    api.made(
        "admin", "POST", "people", json={"name": f"{CANARY} 2", "roles": ["officer"], "password": PASSWORD + CANARY}
    )


@contextmanager
def changed(file: Path, change: str, back: str) -> Iterator[None]:
    """Change a node's database behind its back while the block lasts."""
    for first, statement in ((True, change), (False, back)):
        with sqlite3.connect(file, timeout=20) as connection:
            connection.execute(statement)
        connection.close()
        if first:
            yield


def _what_goes_wrong_inside(api: Api, database: Path, log: Path) -> None:
    # A proposal nobody can read: an answer of 500, with a traceback whose text would quote it.
    review = api.made("reviewer", "GET", "reviews?limit=1")["items"][0]["id"]
    broken = f'update review set content = \'{{"handling": {{"tlp": "{CANARY}"}}}}\' where id = \'{review}\''
    with changed(database, "create table kept as select id, content from review", "drop table kept"):
        restore = "update review set content = (select content from kept where kept.id = review.id)"
        with changed(database, broken, restore):
            assert api.ask("reviewer", "GET", f"reviews/{review}").status_code == 500
    # A row of the outbox that the relay cannot read: the exchange ends, and is started again.
    queue = "update outbox set state = 'queued', seq = null, hash = null, outgoing = replace(outgoing, 'GREEN', '{}')"
    with changed(database, "create table kept as select * from outbox", "drop table kept"):
        restore = (
            "update outbox set (state, seq, hash, outgoing) ="
            " (select state, seq, hash, outgoing from kept where kept.id = outbox.id)"
        )
        with changed(database, queue.format(CANARY), restore):
            wait_until("the exchange has ended", lambda: "exchange.ended" in log.read_text())
    # A table that is away.
    with changed(database, "alter table person rename to person_away", "alter table person_away rename to person"):
        assert api.ask("officer", "GET", "me").status_code == 500


def test_the_logs_of_a_whole_life_hold_no_body_no_name_and_no_token(tmp_path: Path) -> None:
    town, tokens, signed = asyncio.run(_set_up(tmp_path))
    house = town.houses["agency"]
    with (
        served(house.home) as node,
        httpx2.Client(base_url=node.url, timeout=30, limits=httpx2.Limits(max_keepalive_connections=0)) as client,
    ):
        api = Api(client, tokens)
        _main_job(api, signed)
        asyncio.run(_write_to_bus(town))
        wait_until("junk is refused", lambda: len(api.made("admin", "GET", "quarantine")["items"]) == 2)
        _what_people_do_wrong(api, tokens)
        _what_goes_wrong_inside(api, house.home / "node.db", node.log)
        trail = api.ask("admin", "GET", "trail?limit=200").text
    said = node.log.read_text()
    lines = [json.loads(line) for line in said.splitlines()]
    events = {line["event"] for line in lines}
    # It is the log of all of this, not an empty one.
    assert {"registry.changed", "crashed", "exchange.ended", "Exception in ASGI application"} <= events
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)
    assert any("pydantic" in json.dumps(line.get("exception", {})) for line in lines)
    secrets = [CANARY, "Canary", PASSWORD, *tokens.values(), *(f"{who} person" for who in ("auditor", "reviewer"))]
    assert [secret for secret in secrets if secret.lower() in said.lower()] == []
    assert "review.approved" in trail and [secret for secret in secrets if secret.lower() in trail.lower()] == []
