"""Nodes that reach each other: each answers on its own port of 127.0.0.1, as the registry lists it.

Nothing of ours is replaced: the real application behind a real server, the real client, real tokens. `Liar` is a
server of somebody who answers whatever a test says.
"""

import asyncio
import contextlib
import random
import shutil
import socket
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import Response

from comity_federation import strict_json
from comity_federation.bus import Delivered, statements_topic
from comity_federation.checkpoints import sign_checkpoint
from comity_federation.encoding import digest
from comity_federation.keys import SigningPair, load_signing_pair
from comity_federation.local_log import LocalLog
from comity_federation.registry import Registry
from comity_federation.statements import genesis, sign_statement
from comity_node.app import create_app
from comity_node.db import Database
from comity_node.db.reports import StoredReport
from comity_node.domain.minimize import Policy
from comity_node.domain.people import PersonRole
from comity_node.services.accounts import add_person
from comity_node.services.peers.asking import Peers
from comity_node.services.peers.client import PeerClient
from comity_node.services.peers.heads import Comparison
from comity_node.services.peers.refill import Refill
from comity_node.services.publishing.own_log import reconcile
from comity_node.services.publishing.relay import sign_and_send
from comity_node.services.receiving.intake import take_in
from comity_node.services.receiving.settle import settle
from comity_node.services.receiving.words import note_checkpoint
from comity_node.services.review.release import approve, propose_release
from comity_schemas.member import Member, Role
from comity_schemas.statement import Checkpoint
from heard import hear
from node_world import House, Town, audit_report


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # Signals are the test runner's.


@asynccontextmanager
async def serving(app: Any, port: int) -> AsyncIterator[None]:
    """Serve an application on a port of this machine while the block lasts."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_config=None, lifespan="off", timeout_graceful_shutdown=1
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done(), task
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


@dataclass
class Liar:
    """A server that answers what it is told to, and remembers what it was asked."""

    answer: Callable[[Request], Awaitable[Response]]
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        self.asked.append(request.url.path)
        await (await self.answer(request))(scope, receive, send)


async def contradicting(of: "Neighbour", seq: int) -> bytes:
    """Another statement of a member at a place of its log: what only a thief, or a fork of itself, signs."""
    async with of.house.node.database.read() as store:
        item = await store.outbox.at(seq)
        before = await store.outbox.at(seq - 1)
    assert item is not None
    return sign_statement(
        item.outgoing,
        iss=of.member.did,
        kid=of.pair.kid,
        key=of.pair.secret,
        seq=seq,
        prev=genesis(of.member.did) if before is None else before.hash or "",
        now=of.house.node.clock(),
    ).record


@dataclass
class Neighbour:
    """A node with an address, and what it does when a test tells it to."""

    house: House
    port: int
    pair: SigningPair
    peers: Peers
    refill: Refill
    comparison: Comparison
    settled: list[str] = field(default_factory=list)
    now: float = 1_000.0
    """The time that passes for its patience and its peers' rests; a test moves it on."""

    @property
    def slug(self) -> str:
        return self.house.slug

    _registry: Registry | None = None

    @property
    def registry(self) -> Registry:
        self._registry = self._registry or self.house.node.trusted_registry()
        return self._registry

    @property
    def member(self) -> Member:
        member = self.registry.member(self.slug)
        assert member is not None
        return member

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        async with serving(create_app(self.house.node), self.port):
            yield

    async def release(self, *refs: str) -> None:
        """Let two people release one finding of a report each."""
        now = self.house.node.clock()
        async with self.house.node.database.write() as store:
            people = []
            for name, role in (("reviewer", PersonRole.REVIEWER), ("second", PersonRole.FOCAL_POINT)):
                known = await store.accounts.find_by_name(name)
                people.append(
                    known[0]
                    if known
                    else await add_person(
                        store, name=name, roles=[role], firm=None, password_hash=None, by="test", now=now
                    )
                )
            for ref in refs:
                party = {"type": "supplier", "names": [{"text": f"Fazenda {ref}"}], "country": "BR"}
                raw = strict_json.dumps(audit_report(ref=ref, party=party).to_parsed())
                stored = StoredReport(digest(raw), "register", raw, None, None, None, None, ref, (), people[0].id, now)
                await store.reports.add(stored)
                review = await propose_release(store, people[0], stored.id, "O1", policy=Policy(), now=now)
                await hear(store, people[0], review.id, now)
                await approve(store, people[1], review.id, now, Role.AGENCY)

    async def publish(self, log: LocalLog, *refs: str) -> list[bytes]:
        """Release and send to a bus; return everything this node has said, in order."""
        await self.release(*refs)
        node, now = self.house.node, self.house.node.clock()
        head = await reconcile(node.database, log, self.member, self.registry, now)
        while await sign_and_send(node.database, log, self.member, self.pair, head, now):
            pass
        async with node.database.read() as store:
            return [item.record or b"" for item in await store.outbox.sent(1, most=1_000)]

    async def announce(self, to: "Neighbour") -> bytes:
        """Let another node hear this one's checkpoint, and return it."""
        raw = await self.checkpoint()
        async with to.house.node.database.write() as store:
            assert await note_checkpoint(store, self.member, raw, to.registry, to.house.node.clock()) is not None
        return raw

    async def checkpoint(self, **changes: Any) -> bytes:
        async with self.house.node.database.read() as store:
            seq, name = await store.outbox.last_sent() or (0, genesis(self.member.did))
        given = {"v": 1, "iss": self.member.did, "iat": int(self.house.node.clock().timestamp()), "seq": seq}
        given |= {"hash": name, "registry_version": self.registry.version, "registry_hash": self.registry.hash}
        said = Checkpoint.from_parsed({**given, "trail": "T" * 43, **changes})
        return sign_checkpoint(said, self.pair.kid, self.pair.secret)

    async def receive(self, of: "Neighbour", *raws: bytes) -> None:
        """Take records in as if the bus had brought them, and settle."""
        topic = statements_topic(of.slug)
        async with self.house.node.database.read() as store:
            begin = (await store.logs.positions("bus")).get(topic, 0)
        batch = [Delivered(topic, begin + n, raw) for n, raw in enumerate(raws)]
        await take_in(self.house.node.database, batch, self.registry, "bus", self.house.node.clock())
        await self.settle()

    async def settle(self) -> None:
        await settle(self.house.node.database, self.registry, self.house.node.clock())

    async def fill(self, *, patiently: bool = True) -> int:
        """Do one round of refill, after the patience for gaps has passed, and settle what came."""
        if patiently:
            await self.refill.fill_gaps(self.registry)
            self.now += self.refill.patience_s
        came = await self.refill.fill_gaps(self.registry)
        await self.settle()
        return came

    async def compare(self) -> int:
        """Ask two peers where everybody stands, look into what they report, and settle what came."""
        answered = await self.comparison.compare(self.registry)
        await self.comparison.look_into_reports(self.registry)
        await self.settle()
        return answered

    async def head(self, of: "Neighbour") -> int:
        async with self.house.node.database.read() as store:
            return (await store.logs.of(of.slug)).head

    async def frozen_from(self, of: "Neighbour") -> int | None:
        async with self.house.node.database.read() as store:
            return (await store.logs.of(of.slug)).frozen_from

    async def held(self, of: "Neighbour") -> list[tuple[int | None, str, str | None, str | None]]:
        """Return place, state, code and giver of everything held of a log."""
        async with self.house.node.database.read() as store:
            records = await store.received.beyond(of.slug, 0, most=1_000)
        return [(r.seq, r.state, r.code, r.source) for r in records]

    async def noted(self) -> list[tuple[str, str]]:
        """Return which peers were noted as wrong, and why."""
        async with self.house.node.database.read() as store:
            trail = await store.trail.page(before=None, most=200)
        return [(e.subject, strict_json.loads(e.detail.encode())["what"]) for _, e in trail if e.event == "peer.wrong"]


async def backup(of: Neighbour, to: Path) -> None:
    """Copy a node's database as SQLite makes a backup of one in use."""
    source, target = sqlite3.connect(of.house.home / "node.db"), sqlite3.connect(to)
    source.backup(target)
    source.close()
    target.close()


async def restore(of: Neighbour, kept: Path) -> None:
    """Put yesterday's database back, as an administrator would: with the node stopped."""
    await of.house.node.database.close()
    for left in of.house.home.glob("node.db*"):
        left.unlink()
    shutil.copy(kept, of.house.home / "node.db")
    of.house.node.database = Database(of.house.node.settings.database)
    of.peers.database = of.house.node.database


class Street:
    """A town in which every node has an address."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.neighbours: dict[str, Neighbour] = {}

    async def found(self, *slugs: str, admit: bool = True, **more: Any) -> list[Neighbour]:
        """Found nodes, let two holders admit all of them at once, and let all know each other."""
        made = []
        for slug in slugs:
            port = free_port()
            house = await self.town.found(slug, port=port, endpoint=f"http://127.0.0.1:{port}", admit=False, **more)
            pair = load_signing_pair(house.home / "keys" / "signing.jwk")
            client = PeerClient(pair, house.node.clock)
            peers = Peers(slug, client, house.node.database, house.node.clock, chance=random.Random(slug))
            refill = Refill(peers, lambda: None, 10.0)
            neighbour = Neighbour(house, port, pair, peers, refill, Comparison(peers, refill))
            peers.passed = partial(getattr, neighbour, "now")
            refill.settle_now = partial(neighbour.settled.append, slug)
            made.append(neighbour)
            self.neighbours[slug] = neighbour
        if admit:
            await self.admit(*made)
        else:
            await self.refresh()
        return made

    async def admit(self, *neighbours: Neighbour) -> None:
        """Let two holders admit these nodes' members at once."""
        files = [neighbour.house.node.home.member_file for neighbour in neighbours]
        self.town.admit(*(Member.from_parsed(strict_json.loads(file.read_bytes())) for file in files))
        await self.refresh()

    async def refresh(self) -> None:
        """Let every node fetch the registry."""
        await self.town.refresh()
        for neighbour in self.neighbours.values():
            neighbour._registry = None

    async def close(self) -> None:
        for neighbour in self.neighbours.values():
            await neighbour.peers.client.close()
