"""What happens in every trial: two members, and people who release, correct and take back while the list changes.

A town is made once and copied for each trial: `agency` with two findings approved and two reports waiting, `body` that
only reads, a registry signed 2 of 3, and beside it what the registry will publish midway.
"""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

import servers
from comity_federation import strict_json
from comity_federation.encoding import digest
from comity_federation.registry.changes import enter
from comity_federation.registry.durable import replace_file
from comity_node.app import create_app
from comity_node.db.migrate import migrate_async
from comity_node.db.reports import StoredReport
from comity_node.domain.matching.party import Party
from comity_node.domain.minimize import Policy
from comity_node.domain.watching.watches import Channel, Interest, Timing
from comity_node.services.receiving.subscriptions import trust_fingerprint
from comity_node.services.review.release import approve, propose_release
from comity_node.services.watching.vendors import keep_vendors
from comity_node.services.watching.watches import begin_watch
from comity_node.wiring import Node
from comity_schemas.member import Member, MemberStatus, Role
from node_world import Actor, House, Town, audit_report
from registry_world import new_member

PUBLISHER, RECEIVER = "agency", "body"
STATEMENTS = 6
EFFECT = {
    ("Supplier a", "withdrawn"): 1,
    ("Supplier b", "superseded"): 1,
    ("Supplier b", "current"): 1,
    ("Supplier c", "current"): 1,
    ("Supplier d", "current"): 1,
}
"""What every node must know in the end: which supplier's findings are in which state, each exactly once."""

ALERTS = {
    ("new", "Supplier a"): 1,
    ("withdrawn", "Supplier a"): 1,
    ("new", "Supplier b"): 2,
    ("changed", "Supplier b"): 2,
    ("new", "Supplier c"): 1,
    ("new", "Supplier d"): 1,
}
"""What the receiver's officer must have been told: of the row once more than of the rest."""


@dataclass(frozen=True)
class Ground:
    """On what the nodes stand: `sqlite` or `postgres`, `locallog` or `kafka`."""

    database: str
    bus: str

    def __str__(self) -> str:
        return f"{self.database}/{self.bus}"


@dataclass(frozen=True)
class Prepared:
    """A town to copy: homes, registry and tokens in a directory, and by member the URL of its PostgreSQL database."""

    ground: Ground
    directory: Path
    databases: dict[str, str]


async def prepare(directory: Path, ground: Ground, postgres: str | None, kafka: str | None) -> Prepared:
    """Make the town that all trials on this ground begin with."""
    databases: dict[str, str] = {}
    if ground.database == "postgres":
        assert postgres is not None
        databases = {slug: servers.new_database(postgres) for slug in (PUBLISHER, RECEIVER)}
        for url in databases.values():
            await migrate_async(url)
    town = Town(directory, None if ground.bus == "locallog" else f"kafka://{kafka}")
    for slug in (PUBLISHER, RECEIVER):
        await town.found(slug, database=databases.get(slug), more={"registry_every_s": 0.25})
    await town.refresh()
    house = town.houses[PUBLISHER]
    reviewer, second = await house.hire("reviewer", "reviewer"), await house.hire("second", "focal-point")
    await _fill_desk(house, reviewer, second)
    await _watch_all(town.houses[RECEIVER])
    await town.close()
    tokens = {"reviewer": reviewer.token, "second": second.token}
    (directory / "tokens.json").write_text(json.dumps(tokens))
    _prepare_next_registry(town)
    return Prepared(ground, directory, databases)


async def _watch_all(house: House) -> None:
    """Let an officer watch everything, and one of the suppliers by a row of the own list."""
    officer, now = await house.hire("officer", "officer"), datetime.now(UTC)
    async with house.node.database.write() as store:
        await keep_vendors(store, officer.person, [("B", Party(("Supplier b",), "BR"))], now)
        for interest in (Interest(vendors=False), Interest()):
            await begin_watch(store, officer.person, "all", interest, Channel.FEED, Timing.AT_ONCE, None, now)


async def _fill_desk(house: House, reviewer: Actor, second: Actor) -> None:
    now = datetime.now(UTC)
    async with house.node.database.write() as store:
        for letter in "abcd":
            raw = report_of(letter)
            stored = StoredReport(
                digest(raw), "register", raw, None, None, None, None, letter, (), reviewer.person.id, now
            )
            await store.reports.add(stored)
        for letter in "ab":
            name = digest(report_of(letter))
            review = await propose_release(store, reviewer.person, name, "O1", policy=Policy(), now=now)
            await approve(store, second.person, review.id, now, Role.AGENCY)


def report_of(letter: str) -> bytes:
    # Of a public register, whose release needs neither retaliation check nor reply window.
    party = {"type": "supplier", "names": [{"text": f"Supplier {letter}"}], "country": "BR"}
    return strict_json.dumps(audit_report(ref=letter, party=party, source="public-register").to_parsed())


def _prepare_next_registry(town: Town) -> None:
    """Sign the list that comes midway (the publisher's entry changes, a third member joins) and hold it back."""
    now, after = town.world.path, town.directory / "registry-next"
    before = Path(shutil.copytree(now, town.directory / "registry-before"))
    entry = town.entry(PUBLISHER)
    members = enter(town.world.directory.members(), entry.model_copy(update={"names": ("Renamed",)}), entry.status)
    members = enter(members, new_member("third"), MemberStatus.ACTIVE)
    town.world.change(members, 0, 1)
    now.rename(after)
    before.rename(now)


def publish_next_registry(directory: Path) -> None:
    """Let the hub publish it: what others name first, the file that names them last."""
    new, old = directory / "registry-next", directory / "registry"
    files = [path for path in new.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: path.name == "timestamp.json"):
        replace_file(old / path.relative_to(new), path.read_bytes())


class Story:
    """The people, the hub and whoever watches: what of the story has happened is seen in the nodes alone.

    So whoever dies in the middle of it, another one goes on.
    """

    def __init__(self, directory: Path, patience_s: float = 30.0) -> None:
        self._directory, self._patience_s = directory, patience_s
        self._tokens = json.loads((directory / "tokens.json").read_text())
        self.nodes = {slug: Node.open(directory / slug) for slug in (PUBLISHER, RECEIVER)}
        self._app = create_app(self.nodes[PUBLISHER])

    async def tell(self) -> None:
        """Play the story to its end: all is known everywhere."""
        async with AsyncExitStack() as stack:
            for node in self.nodes.values():
                stack.push_async_callback(node.close)
            await self._until(f"{RECEIVER} has both findings", lambda: self._has(RECEIVER, 2))
            await self._withdraw("a")
            await self._release("c")
            await self._release("d")
            await self._until(f"{RECEIVER} has five statements", lambda: self._has(RECEIVER, 5))
            publish_next_registry(self._directory)
            await self._until("both have decided under the new list", self._under_the_new_list)
            await self._release("b", corrects=True)
            await self._until("both nodes have everything and nothing is left to do", self._all_done)

    async def _until(self, what: str, ask: Callable[[], Awaitable[bool]]) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                while not await ask():
                    await asyncio.sleep(0.04)
        except TimeoutError:
            raise AssertionError(f"{what}: not within {self._patience_s:.0f} s; {await self._state()}") from None

    async def _has(self, slug: str, head: int) -> bool:
        async with self.nodes[slug].database.read() as store:
            return (await store.logs.of(PUBLISHER)).head >= head

    async def _under_the_new_list(self) -> bool:
        new = self._next_entry()
        for node in self.nodes.values():
            async with node.database.read() as store:
                if (await store.logs.of(PUBLISHER)).decided_under != trust_fingerprint(new):
                    return False
        return True

    async def _all_done(self) -> bool:
        for node in self.nodes.values():
            async with node.database.read() as store:
                log = await store.logs.of(PUBLISHER)
                if (
                    log.head < STATEMENTS
                    or log.announced_seq != log.head
                    or await store.received.members_in_state("new")
                ):
                    return False
                if await store.conditions.all():
                    return False
        async with self.nodes[RECEIVER].database.read() as store:
            if await store.changes.followed("alerts") < await store.changes.newest():
                return False
        async with self.nodes[PUBLISHER].database.read() as store:
            return await store.outbox.counts() == {"sent": STATEMENTS}

    def _next_entry(self) -> Member:
        listed = self.nodes[PUBLISHER].trusted_registry().member(PUBLISHER)
        assert listed is not None
        return listed.model_copy(update={"names": ("Renamed",)})

    async def _state(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for slug, node in self.nodes.items():
            async with node.database.read() as store:
                found[slug] = (
                    await store.received.counts(),
                    await store.outbox.counts(),
                    await store.logs.of(PUBLISHER),
                    [condition.text for condition in await store.conditions.all()],
                )
        return found

    async def _release(self, letter: str, *, corrects: bool = False) -> None:
        name = digest(report_of(letter))
        revises = await self._statement_about(letter) if corrects else None
        body: dict[str, Any] = {"report": name, "observation": "O1"}
        if revises is not None:
            body["revises"] = revises
        found = [r for r in await self._reviews() if r["report"] == name and r["target"] == revises]
        await self._decide(found[0] if found else await self._post("reviewer", "/reviews", body))

    async def _withdraw(self, letter: str) -> None:
        statement = await self._statement_about(letter)
        body = {"statement": statement, "reason": "factual-error"}
        found = [r for r in await self._reviews() if r["target"] == statement and r["act"] == "withdraw"]
        await self._decide(found[0] if found else await self._post("reviewer", "/withdrawals", body))

    async def _decide(self, review: dict[str, Any]) -> None:
        if review["state"] == "proposed":
            await self._post("second", f"/reviews/{review['id']}/approve", None)
            # What was answered must never be lost again.
            with (self._directory / "answered").open("a") as file:
                file.write(f"{review['id']}\n")

    async def _statement_about(self, letter: str) -> str:
        (review,) = [
            r for r in await self._reviews() if r["report"] == digest(report_of(letter)) and r["target"] is None
        ]
        published = (await self._get("/published", limit=50))["items"]
        return str(next(p["statement"] for p in published if p["review"] == review["id"]))

    async def _reviews(self) -> list[dict[str, Any]]:
        return list((await self._get("/reviews", limit=50))["items"])

    async def _get(self, path: str, **params: Any) -> Any:
        async with self._client("reviewer") as client:
            return self._ok(await client.get(path, params=params))

    async def _post(self, who: str, path: str, body: Any) -> Any:
        async with self._client(who) as client:
            return self._ok(await client.post(path, json=body))

    def _client(self, who: str) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app=self._app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {self._tokens[who]}"}
        return httpx2.AsyncClient(transport=transport, base_url="http://node/api/v1", headers=headers)

    def _ok(self, response: httpx2.Response) -> Any:
        assert not response.is_error, f"{response.status_code}: {response.text}"
        return response.json()


def copy_town(prepared: Prepared, to: Path, databases: dict[str, str]) -> None:
    """Copy a town, so that every path and database in the settings names the copy."""
    shutil.copytree(prepared.directory, to)
    for slug in (PUBLISHER, RECEIVER):
        settings = to / slug / "settings.toml"
        text = settings.read_text().replace(str(prepared.directory), str(to))
        if slug in databases:
            text = text.replace(prepared.databases[slug], databases[slug])
        settings.write_text(text)
        settings.chmod(0o600)
