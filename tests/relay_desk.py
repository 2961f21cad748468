"""One member's desk: a database, its log, and what the relay does on them, also after a restart or from a backup."""

import sqlite3
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

from comity_federation import strict_json
from comity_federation.bus import statements_topic
from comity_federation.decision import Decision, Trust
from comity_federation.encoding import digest
from comity_federation.keys import SigningPair, new_signing_pair
from comity_federation.local_log import LocalLog
from comity_federation.log_state import LogState
from comity_node.db import Database
from comity_node.db.outbox import OutboxItem
from comity_node.db.received import Received
from comity_node.db.reports import StoredReport
from comity_node.domain.lifecycle import Step
from comity_node.domain.minimize import Policy
from comity_node.domain.people import Person, PersonRole
from comity_node.services.accounts import add_person
from comity_node.services.publishing.own_log import reconcile
from comity_node.services.publishing.relay import Head, send_signed, sign_queued
from comity_node.services.review.release import approve, propose_release, propose_withdrawal
from comity_node.services.review.revision import propose_revision
from comity_schemas.finding import Status
from comity_schemas.member import Member, MemberStatus, Role, SigningKey
from comity_schemas.statement import WithdrawalReason
from faulty_bus import FaultyBus
from heard import hear
from node_world import NOW, audit_report, new_sqlite, registry_of

DID = "did:web:agency.example"
PAIR = new_signing_pair(f"{DID}#signing-1")
MEMBER = Member(
    did=DID,
    slug="agency",
    names=("Agency",),
    country="CH",
    role=Role.AGENCY,
    status=MemberStatus.ACTIVE,
    signing_keys=(SigningKey(kid=PAIR.kid, key=PAIR.public.key),),
)
REGISTRY = registry_of(MEMBER)
TOPIC = statements_topic(MEMBER.slug)


class Desk:
    """One database of the member, with what the relay does on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = Database(f"sqlite+aiosqlite:///{path}")

    async def hire(self) -> None:
        async with self.database.write() as store:
            for name, role in (("reviewer", PersonRole.REVIEWER), ("second", PersonRole.FOCAL_POINT)):
                await add_person(store, name=name, roles=[role], firm=None, password_hash=None, by="test", now=NOW)

    async def release(self, *refs: str, now: datetime = NOW) -> None:
        """Let two people release one finding of a report each."""
        reviewer, second = await self.people()
        async with self.database.write() as store:
            for ref in refs:
                party = {"type": "supplier", "names": [{"text": f"Fazenda {ref}"}], "country": "BR"}
                raw = strict_json.dumps(audit_report(ref=ref, party=party).to_parsed())
                stored = StoredReport(digest(raw), "register", raw, None, None, None, None, ref, (), reviewer.id, NOW)
                if await store.reports.find(stored.id) is None:
                    await store.reports.add(stored)
                review = await propose_release(store, reviewer, stored.id, "O1", policy=Policy(), now=now)
                await hear(store, reviewer, review.id, now)
                await approve(store, second, review.id, now, Role.AGENCY)

    async def withdraw(self, statement: str) -> None:
        """Let two people take a published finding back."""
        reviewer, second = await self.people()
        async with self.database.write() as store:
            wrong = WithdrawalReason.FACTUAL_ERROR
            review = await propose_withdrawal(store, reviewer, statement, wrong, NOW)
            await approve(store, second, review.id, NOW, Role.AGENCY)

    async def revise(self, statement: str) -> None:
        """Let two people say that the supplier talks."""
        reviewer, second = await self.people()
        async with self.database.write() as store:
            review = await propose_revision(store, reviewer, statement, Step(Status.UNDER_ENGAGEMENT), NOW)
            await approve(store, second, review.id, NOW, Role.AGENCY)

    async def people(self) -> tuple[Person, Person]:
        """Who proposes, and who approves."""
        async with self.database.read() as store:
            found = [await store.accounts.find_by_name(name) for name in ("reviewer", "second")]
        reviewer, second = (each[0] for each in found if each is not None)
        return reviewer, second

    async def reconcile(self, bus: LocalLog | FaultyBus) -> Head:
        return await reconcile(self.database, bus, MEMBER, REGISTRY, NOW)

    async def sign(self, floor: Head, pair: SigningPair = PAIR) -> int:
        return await sign_queued(self.database, MEMBER, pair, floor, NOW)

    async def send(self, bus: LocalLog | FaultyBus) -> int:
        return await send_signed(self.database, bus, MEMBER, NOW)

    async def turn(self, bus: LocalLog | FaultyBus) -> None:
        """What the exchange does after a start."""
        await self.sign(await self.reconcile(bus))
        await self.send(bus)

    async def items(self, state: str) -> list[OutboxItem]:
        async with self.database.read() as store:
            return await store.outbox.in_state(state, most=100)

    async def records(self) -> list[bytes]:
        """Everything that has a place, in log order."""
        items = [*await self.items("signed"), *await self.items("sent")]
        return [item.record or b"" for item in sorted(items, key=lambda i: i.seq or 0)]

    async def events(self) -> list[str]:
        async with self.database.read() as store:
            return [entry.event for _, entry in await store.trail.page(before=None, most=100)]

    def copy(self, name: str) -> Path:
        """Make a backup, as SQLite makes one of a database in use."""
        to = self.path.with_name(name)
        source, target = sqlite3.connect(self.path), sqlite3.connect(to)
        source.backup(target)
        source.close()
        target.close()
        return to


class Desks:
    """A member's desk, its log, and whatever is restored or restarted later."""

    def __init__(self, directory: Path, stack: AsyncExitStack) -> None:
        self.directory = directory
        self._stack = stack
        new_sqlite(directory, "own.db")
        self.desk = self.open(directory / "own.db")

    def open(self, path: Path) -> Desk:
        desk = Desk(path)
        self._stack.push_async_callback(desk.database.close)
        return desk

    def restart(self) -> Desk:
        """The same database, as a process sees it that knows nothing else."""
        return self.open(self.desk.path)

    async def new_log(self, name: str) -> LocalLog:
        log = LocalLog(self.directory / name)
        await log.start()
        self._stack.push_async_callback(log.stop)
        return log


async def on(log: LocalLog) -> list[bytes]:
    return [delivered.value for delivered in await log.tail(TOPIC, most=1_000)]


def read_by_a_peer(raws: Sequence[bytes]) -> list[type[Decision]]:
    """What any node decides about these records, in the order of the log."""
    state, trust = LogState(), Trust(MEMBER)
    return [type(state.decide(raw, trust)) for raw in raws]


async def received(desk: Desk) -> list[Received]:
    async with desk.database.read() as store:
        return await store.received.beyond(MEMBER.slug, 0, most=100)
