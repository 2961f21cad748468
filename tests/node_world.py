"""A node for tests: real databases, a real registry on disk signed 2 of 3, a real log, real people.

`Town` is a network: a registry and as many nodes as a test founds in it. `Bench` is one node's received records on a
bare database, for tests that are about deciding and folding only.
"""

import asyncio
import contextlib
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx2
from fastapi import FastAPI

import servers
from builders import report
from comity_federation import strict_json
from comity_federation.bus import Delivered, statements_topic
from comity_federation.encoding import digest
from comity_federation.keys import SigningPair, new_signing_pair
from comity_federation.local_log import LocalLog
from comity_federation.registry import Registry
from comity_federation.registry.changes import enter
from comity_federation.signed_reports import sign_report
from comity_node.app import create_app
from comity_node.db import Database
from comity_node.db.migrate import migrate_async
from comity_node.domain.people import Person, PersonRole
from comity_node.services.accounts import add_person, make_token
from comity_node.services.operating.check import check
from comity_node.services.receiving.intake import take_in
from comity_node.services.receiving.opening import open_records
from comity_node.services.receiving.settle import Settled, settle
from comity_node.services.receiving.subscriptions import subscribe
from comity_node.wiring import Node
from comity_node.wiring.founding import Founding, found_node
from comity_node.workers.exchange import Exchange, Part
from comity_schemas.member import Authorisation, Basis, Member, MemberStatus, Role
from comity_schemas.report import Report
from registry_world import World

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
"""Some time after `builders.IAT`."""

SMETA = Authorisation(
    scheme="SMETA", basis=Basis.ACCREDITED, valid_from=date(2020, 1, 1), valid_until=date(2035, 12, 31)
)


class Clock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **span: float) -> None:
        self.now += timedelta(**span)


@functools.cache
def migrated_sqlite() -> Path:
    """Return an empty database that was really migrated, made once in a process."""
    path = Path(tempfile.mkdtemp(prefix="comity-test-db-")) / "empty.db"
    servers.on_its_own_loop(migrate_async(f"sqlite+aiosqlite:///{path}"))
    return path


def new_sqlite(directory: Path, name: str = "node.db") -> str:
    """Return the URL of a migrated, empty SQLite database: a copy of one that was really migrated."""
    path = directory / name
    shutil.copyfile(migrated_sqlite(), path)
    path.chmod(0o600)
    return f"sqlite+aiosqlite:///{path}"


def registry_of(*members: Member, version: int = 1, expires: datetime = NOW + timedelta(days=30)) -> Registry:
    """Return a verified registry's content, for tests that are not about how it was verified."""
    name = digest(strict_json.dumps([member.to_parsed() for member in members]))
    return Registry(version, name, members, expires, 1)


class Bench:
    """Received records on a real database, without a bus: what arrives is said by the test."""

    def __init__(self, database: Database, now: datetime = NOW, *, opens: bool = True) -> None:
        """Receives into a database.

        Args:
            database: migrated.
            now: the time.
            opens: whether ordinary statements are accepted at once, as they are in production, or all go to the inbox.
        """
        self.database = database
        self.now = now
        self.opens = opens
        self._offset = 0

    async def receive(self, member: Member, raws: Iterable[bytes], registry: Registry | None = None) -> Settled:
        """Take records in as one batch of the bus."""
        batch: list[Delivered] = []
        for raw in raws:
            batch.append(Delivered(statements_topic(member.slug), self._offset, raw))
            self._offset += 2
        under = registry or registry_of(member)
        opened = open_records([(subscribe(member).entry, item.value) for item in batch]) if self.opens else None
        return (await take_in(self.database, batch, under, "bus", self.now, opened)).settled

    async def settle(self, *members: Member) -> Settled:
        return await settle(self.database, registry_of(*members), self.now)

    async def arrive(self, member: Member, *raws: bytes) -> Settled:
        """Take in and settle."""
        return await self.receive(member, raws) + await self.settle(member)

    async def check(self, *members: Member) -> list[str]:
        return await check(self.database, registry_of(*members), self.now)

    async def states(self, member: Member) -> dict[str, list[tuple[str, str | None]]]:
        """Return hash to the states and codes of all its copies."""
        found: dict[str, list[tuple[str, str | None]]] = {}
        async with self.database.read() as store:
            for start in range(1, 2_000, 500):
                for row in await store.received.by_ids(range(start, start + 500)):
                    if row.member == member.slug:
                        found.setdefault(row.hash or "", []).append((row.state, row.code))
        return found

    async def snapshot(self, *members: Member) -> dict[str, Any]:
        """Return everything a reader could see of these logs."""
        seen: dict[str, Any] = {}
        async with self.database.read() as store:
            for member in members:
                log = await store.logs.of(member.slug)
                places = await store.received.places(member.slug, range(1, log.head + 2))
                view = await store.view.of_log(member.slug)
                seen[member.slug] = (log.head, log.frozen_from, places, view)
        return seen


@dataclass
class Actor:
    """Somebody with an account and a token."""

    person: Person
    token: str


@dataclass
class House:
    """One founded node."""

    slug: str
    node: Node
    admin: Actor
    clock: Clock | None = None
    people: dict[str, Actor] = field(default_factory=dict)
    _app: tuple[Node, FastAPI] | None = None
    """Made with the first request: making one and its first answer cost as much as fifteen others."""

    @property
    def home(self) -> Path:
        return self.node.home.path

    async def hire(self, name: str, *roles: str, firm: str | None = None, password: str | None = None) -> Actor:
        """Add somebody with a token."""
        now = self.node.clock()
        async with self.node.database.write() as store:
            person = await add_person(
                store,
                name=name,
                roles=[PersonRole(role) for role in roles],
                firm=firm,
                password_hash=password,
                by="test",
                now=now,
            )
            token = await make_token(store, person, label="test", now=now)
        self.people[name] = Actor(person, token.secret)
        return self.people[name]

    def api(self, actor: Actor | None = None, **headers: str) -> httpx2.AsyncClient:
        """Return a client of this node's real application, in this process."""
        given = {"Authorization": f"Bearer {actor.token}"} if actor else {}
        if self._app is None or self._app[0] is not self.node:
            self._app = (self.node, create_app(self.node))
        transport = httpx2.ASGITransport(app=self._app[1], raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url="http://node", headers={**given, **headers})


class Town:
    """A registry signed 2 of 3, a local log, and nodes."""

    def __init__(self, directory: Path, bus: str | None = None) -> None:
        self.directory = directory
        self.world = World(directory)
        self.bus = bus or f"local:{directory / 'log.db'}"
        self.auditor: SigningPair = new_signing_pair("did:web:firm.example#auditor-1")
        self.houses: dict[str, House] = {}

    async def found(
        self,
        slug: str,
        role: Role = Role.AGENCY,
        *,
        database: str | None = None,
        clock: Clock | None = None,
        port: int = 0,
        endpoint: str | None = None,
        admit: bool = True,
        more: dict[str, object] | None = None,
    ) -> House:
        """Found a node and let two holders admit its member."""
        is_firm = role is Role.AUDIT_FIRM
        founding = Founding(
            slug=slug,
            did=f"did:web:{slug}.example",
            name=slug.title(),
            role=role,
            country="CH",
            registry=str(self.world.path),
            bus=self.bus,
            admin="admin",
            database=database,
            port=port,
            endpoint=endpoint,
            root=self.world.root,
            report_keys=[self.auditor.public] if is_firm else [],
            authorisations=[SMETA] if is_firm else [],
            more={"registry_every_s": 1.0, "reply_window_s": 0.0, **(more or {})},
        )
        home = self.directory / slug
        if database is None and not home.exists():
            home.mkdir(mode=0o700)
            new_sqlite(home)
        founded = await found_node(home, founding, datetime.now(UTC))
        if admit:
            self.admit(Member.from_parsed(strict_json.loads(founded.home.member_file.read_bytes())))
        node = Node.open(founded.home.path) if clock is None else Node.open(founded.home.path, clock)
        house = House(slug, node, Actor(founded.admin, founded.token.secret), clock)
        self.houses[slug] = house
        return house

    def admit(self, *entries: Member) -> None:
        """Let two of three holders sign these members in as active."""
        members = self.world.directory.members()
        for entry in entries:
            members = enter(members, entry, MemberStatus.ACTIVE)
        self.world.change(members, 0, 1)

    def entry(self, slug: str) -> Member:
        return next(m for m in self.world.directory.members().members if m.slug == slug)

    def firm_entry(self, **changes: Any) -> Member:
        """An audit firm that runs no node: its people have accounts elsewhere."""
        signing = new_signing_pair("did:web:firm.example#signing-1")
        given: dict[str, Any] = {
            "did": "did:web:firm.example",
            "slug": "firm",
            "names": ("Firm",),
            "country": "DE",
            "role": Role.AUDIT_FIRM,
            "status": MemberStatus.PENDING,
            "signing_keys": ({"kid": signing.kid, "key": signing.public.key.model_dump()},),
            "report_keys": ({"kid": self.auditor.kid, "key": self.auditor.public.key.model_dump()},),
            "authorisations": (SMETA.model_dump(),),
        }
        return Member.model_validate({**given, **changes}, strict=False)

    def signed(self, content: Report | None = None) -> bytes:
        """Return a report that the firm's auditor signed."""
        did = self.auditor.kid.partition("#")[0]
        return sign_report(
            content or audit_report(), iss=did, kid=self.auditor.kid, key=self.auditor.secret, now=datetime.now(UTC)
        )

    def log(self) -> LocalLog:
        return LocalLog(Path(self.bus.removeprefix("local:")))

    async def refresh(self) -> None:
        """Let every node fetch the registry."""
        for house in self.houses.values():
            assert house.node.registry_client is not None
            await asyncio.to_thread(house.node.registry_client.refresh)
            house.node._known = None

    async def close(self) -> None:
        for house in self.houses.values():
            await house.node.close()


OBSERVATION: dict[str, Any] = {
    "ref": "O1",
    "clause": {"clause": "1.2"},
    "description": "Canary-description: passports lay in a locked drawer of the office.",
    "testimony": "Canary-testimony: the woman at the third table said so.",
    "place": "Canary-place, dormitory B",
    "indicators": [{"indicator": "FL07", "basis": "stated"}],
    "severity": "S2",
    "extent": "systemic",
    "status": "alleged",
    "affected": 7,
    "affected_women": 3,
}


def audit_report(*observations: dict[str, Any], **changes: Any) -> Report:
    """Return a report that yields a finding; an observation is given by what differs."""
    given = [{**OBSERVATION, **each} for each in observations] or [OBSERVATION]
    return report(
        **{
            "auditor": "did:web:firm.example",
            "team": ["Canary-team Auditor"],
            "observations": given,
            "evidence": [],
            **changes,
        }
    )


@asynccontextmanager
async def exchanging(house: House, *parts: Part) -> AsyncIterator[None]:
    """Run a node's exchange, or parts of it, while the block lasts."""
    task = asyncio.create_task(Exchange(house.node, house.node.bus(), parts or tuple(Part)).run())
    # One step: it holds the lock now.
    await asyncio.sleep(0)
    try:
        yield
    finally:
        assert not task.done(), task
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(what: str, ask: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
    """Ask until the answer is true; fail with what was waited for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = await ask()
        if found:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")


def comity(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one `comity` command as anybody would."""
    return subprocess.run(
        [sys.executable, "-c", "from comity_node.cli import main; main()", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**clean_environment(), **environment},
    )


def clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COMITY_")}
    return {**kept, "COLUMNS": "200", "NO_COLOR": "1"}


@dataclass
class Served:
    """A node process, its address and where its log goes."""

    process: subprocess.Popen[str]
    url: str
    log: Path

    def ended(self) -> str:
        return self.log.read_text()


@contextmanager
def served(home: Path, **environment: str) -> Iterator[Served]:
    """Run `comity serve` as a process of its own while the block lasts."""
    log = home.parent / f"{home.name}.served.log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", "from comity_node.cli import main; main()", "serve", "--home", str(home)],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**clean_environment(), **environment},
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r"on (http://\S+)", line)
        assert found, f"the node did not start: {log.read_text()}"
        yield Served(process, found[1], log)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


class Remote:
    """One person at a served node, from async tests."""

    def __init__(self, url: str, token: str) -> None:
        # A server closes what was idle for five seconds: let no request meet it in that moment.
        self._client = httpx2.AsyncClient(
            base_url=f"{url}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
            limits=httpx2.Limits(keepalive_expiry=2),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def get(self, path: str, **params: Any) -> Any:
        return self.ok(await self._client.get(path, params=params)).json()

    async def raw(self, path: str) -> bytes:
        return self.ok(await self._client.get(path)).content

    async def post(self, path: str, body: Any = None) -> Any:
        return self.ok(await self.ask(path, body)).json()

    async def ask(self, path: str, body: Any = None) -> httpx2.Response:
        """Return whatever is answered to a POST."""
        return await self._client.post(path, json=body)

    async def all(self, path: str) -> list[Any]:
        """Return all pages of a list."""
        items: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(path, limit=200, **cursor)
            items += page["items"]
            if page["next"] is None:
                return items
            cursor = {"cursor": page["next"]}

    def ok(self, response: httpx2.Response) -> httpx2.Response:
        assert not response.is_error, f"{response.status_code}: {response.text}"
        return response


def raws(made: Sequence[Any]) -> list[bytes]:
    return [each.raw for each in made]
