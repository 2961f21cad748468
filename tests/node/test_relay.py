"""The relay: what was released is signed once, sent as it is, and never at a place that is taken."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.exc import DBAPIError

from builders import Publisher
from comity_federation import strict_json
from comity_federation.bus import BusUnavailable, OutcomeUnknown, checkpoints_topic, statements_topic
from comity_federation.checkpoints import sign_checkpoint
from comity_federation.decision import Accepted, Decision, Repeated, Trust
from comity_federation.encoding import digest
from comity_federation.keys import SigningPair, new_signing_pair
from comity_federation.local_log import LocalLog
from comity_federation.log_state import LogState, peek
from comity_federation.statements import genesis, sign_statement
from comity_node.db import Database
from comity_node.db.outbox import OutboxItem
from comity_node.db.received import Received
from comity_node.db.reports import StoredReport
from comity_node.domain.minimize import Policy
from comity_node.domain.people import PersonRole
from comity_node.domain.trail import Event
from comity_node.services.accounts import add_person
from comity_node.services.operating.check import check
from comity_node.services.publishing import own_log
from comity_node.services.publishing.own_log import OwnLogFrozen, OwnLogIncomplete, OwnLogUndecided, reconcile
from comity_node.services.publishing.relay import Head, send_signed, sign_and_send, sign_queued
from comity_node.services.review.release import approve, propose_release, propose_withdrawal
from comity_schemas.member import Last, Member, MemberStatus, Role, SigningKey
from comity_schemas.statement import Checkpoint, WithdrawalReason
from faulty_bus import Fate, FaultyBus
from heard import hear
from node_world import NOW, Bench, audit_report, new_sqlite, registry_of
from vector_others import CHECKPOINT

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
        async with self.database.write() as store:
            found = [await store.accounts.find_by_name(name) for name in ("reviewer", "second")]
            reviewer, second = (each[0] for each in found if each is not None)
            for ref in refs:
                party = {"type": "supplier", "names": [{"text": f"Fazenda {ref}"}], "country": "BR"}
                raw = strict_json.dumps(audit_report(ref=ref, party=party).to_parsed())
                stored = StoredReport(digest(raw), "register", raw, None, None, None, None, ref, (), reviewer.id, NOW)
                if await store.reports.find(stored.id) is None:
                    await store.reports.add(stored)
                review = await propose_release(store, reviewer, stored.id, "O1", policy=Policy(), now=now)
                await hear(store, reviewer, review.id, now)
                await approve(store, second, review.id, now, Role.AGENCY)

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


@pytest_asyncio.fixture
async def desks(tmp_path: Path) -> AsyncIterator[Desks]:
    async with AsyncExitStack() as stack:
        made = Desks(tmp_path, stack)
        await made.desk.hire()
        yield made


@pytest_asyncio.fixture
async def log(desks: Desks) -> LocalLog:
    return await desks.new_log("log.db")


@pytest.fixture
def desk(desks: Desks) -> Desk:
    return desks.desk


async def on(log: LocalLog) -> list[bytes]:
    return [delivered.value for delivered in await log.tail(TOPIC, most=1_000)]


def read_by_a_peer(raws: Sequence[bytes]) -> list[type[Decision]]:
    """What any node decides about these records, in the order of the log."""
    state, trust = LogState(), Trust(MEMBER)
    return [type(state.decide(raw, trust)) for raw in raws]


async def test_what_was_released_goes_out_in_the_order_of_its_release_with_the_bytes_signed(
    desk: Desk, log: LocalLog
) -> None:
    await desk.release("a", "b", "c")
    await desk.turn(log)
    sent = await desk.items("sent")
    assert [(i.id, i.seq) for i in sent] == [(1, 1), (2, 2), (3, 3)]
    assert await on(log) == [i.record for i in sent]
    assert read_by_a_peer(await on(log)) == [Accepted] * 3


@pytest.mark.parametrize("fate", [Fate.STORED_BUT_UNKNOWN, Fate.LOST_AND_UNKNOWN])
@pytest.mark.parametrize("place", [0, 1, 2])
async def test_after_an_unknown_outcome_each_statement_is_on_the_log_once_with_the_bytes_signed(
    desk: Desk, log: LocalLog, fate: Fate, place: int
) -> None:
    bus = FaultyBus(log, fates=[*[Fate.STORED] * place, fate])
    await desk.release("a", "b", "c")
    await desk.sign(await desk.reconcile(bus))
    signed = await desk.records()
    with pytest.raises(OutcomeUnknown):
        await desk.send(bus)
    assert len(await desk.items("signed")) == 3 - place, "unknown is not sent"
    await desk.turn(bus)
    assert await on(log) == signed == await desk.records()
    assert len(await desk.items("sent")) == 3


async def test_a_bus_that_is_away_leaves_the_statement_signed_and_it_goes_out_unchanged_later(
    desk: Desk, log: LocalLog
) -> None:
    bus = FaultyBus(log, fates=[Fate.UNAVAILABLE])
    await desk.release("a")
    with pytest.raises(BusUnavailable):
        await desk.turn(bus)
    signed = await desk.records()
    await desk.turn(bus)
    assert await on(log) == signed
    assert len(signed) == 1


async def test_signing_that_cannot_be_committed_uses_no_place(desk: Desk, desks: Desks, log: LocalLog) -> None:
    await desk.release("a", "b")
    floor = await desk.reconcile(log)
    with sqlite3.connect(desk.path) as disk:
        disk.execute("CREATE TRIGGER full BEFORE INSERT ON trail BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(DBAPIError):
        await desk.sign(floor)
    assert len(await desk.items("queued")) == 2
    with sqlite3.connect(desk.path) as disk:
        disk.execute("DROP TRIGGER full")
    disk.close()
    await desks.restart().turn(log)
    assert read_by_a_peer(await on(log)) == [Accepted] * 2


async def test_a_crash_after_signing_sends_the_same_bytes_at_the_same_places(
    desk: Desk, desks: Desks, log: LocalLog
) -> None:
    await desk.release("a", "b")
    await desk.sign(await desk.reconcile(log))
    signed = await desk.records()
    restarted = desks.restart()
    await restarted.release("c")
    await restarted.turn(log)
    assert (await on(log))[:2] == signed
    assert read_by_a_peer(await on(log)) == [Accepted] * 3


async def test_a_crash_between_sending_and_marking_puts_nothing_on_the_log_twice(
    desk: Desk, desks: Desks, log: LocalLog
) -> None:
    await desk.release("a", "b")
    await desk.sign(await desk.reconcile(log))
    signed = await desk.records()
    await log.publish(TOPIC, signed[0], {})
    restarted = desks.restart()
    await restarted.turn(log)
    assert await on(log) == signed
    assert len(await restarted.items("sent")) == 2


async def test_a_statement_sent_twice_is_a_repeat_for_every_reader(desk: Desk, log: LocalLog) -> None:
    await desk.release("a", "b")
    await desk.sign(await desk.reconcile(log))
    await log.publish(TOPIC, (await desk.records())[0], {})
    await desk.send(log)
    assert read_by_a_peer(await on(log)) == [Accepted, Repeated, Accepted]


async def test_a_restored_backup_adopts_the_topics_head_and_goes_on_after_it(
    desk: Desk, desks: Desks, log: LocalLog
) -> None:
    await desk.release("a")
    await desk.turn(log)
    backup = desk.copy("backup.db")
    await desk.release("b", "c")
    await desk.turn(log)
    newest = peek((await on(log))[-1])
    restored = desks.open(backup)
    await restored.release("d")
    head = await restored.reconcile(log)
    assert newest is not None
    assert head == Head(3, newest.hash)
    assert Event.LOG_ADOPTED in await restored.events()
    await restored.turn(log)
    assert read_by_a_peer(await on(log)) == [Accepted] * 4


async def test_what_only_the_topic_knew_is_among_the_published_and_can_be_withdrawn(
    desk: Desk, desks: Desks, log: LocalLog
) -> None:
    backup = desk.copy("backup.db")
    await desk.release("a")
    await desk.turn(log)
    restored = desks.open(backup)
    await restored.turn(log)
    (item,) = await restored.items("sent")
    assert (item.seq, item.review_id, item.record) == (1, None, (await on(log))[0])
    assert item.outgoing.disclosed["names"][0]["text"] == "Fazenda a"
    async with restored.database.write() as store:
        found = [await store.accounts.find_by_name(name) for name in ("reviewer", "second")]
        reviewer, second = (each[0] for each in found if each is not None)
        proposal = await propose_withdrawal(store, reviewer, item.hash or "", WithdrawalReason.FACTUAL_ERROR, NOW)
        await approve(store, second, proposal.id, NOW, Role.AGENCY)
    await restored.turn(log)
    assert read_by_a_peer(await on(log)) == [Accepted] * 2
    assert await check(restored.database, REGISTRY, NOW) == []


async def test_what_a_backup_holds_queued_and_the_topic_holds_said_is_not_said_again(
    desk: Desk, desks: Desks, log: LocalLog
) -> None:
    await desk.release("a", "b")
    backup = desk.copy("backup.db")
    await desk.turn(log)
    restored = desks.open(backup)
    await restored.turn(log)
    assert len(await on(log)) == 2
    assert [(i.id, i.seq) for i in await restored.items("sent")] == [(1, 1), (2, 2)]
    assert await check(restored.database, REGISTRY, NOW) == []


async def test_the_same_released_again_after_it_was_said_is_another_statement(
    desk: Desk, desks: Desks, log: LocalLog
) -> None:
    backup = desk.copy("backup.db")
    await desk.release("a")
    await desk.turn(log)
    restored = desks.open(backup)
    await restored.release("a", now=NOW + timedelta(seconds=1))
    await restored.turn(log)
    assert [i.seq for i in await restored.items("sent")] == [1, 2]


async def test_more_than_the_tail_holds_is_taken_back_from_what_was_received(
    desk: Desk, desks: Desks, log: LocalLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_log, "_TAIL", 2)
    monkeypatch.setattr(own_log, "_AT_ONCE", 2)
    backup = desk.copy("backup.db")
    await desk.release(*"abcdefg")
    await desk.turn(log)
    restored = desks.open(backup)
    with pytest.raises(OwnLogIncomplete) as waits:
        await restored.reconcile(log)
    assert (waits.value.missing, waits.value.known) == (1, 7)
    await Bench(restored.database).arrive(MEMBER, *await on(log))
    assert (await restored.reconcile(log)).seq == 7
    assert [i.seq for i in await restored.items("sent")] == [1, 2, 3, 4, 5, 6, 7]


async def test_an_own_checkpoint_that_names_more_than_anybody_can_show_stops_the_signing_until_the_key_is_closed(
    desk: Desk, log: LocalLog
) -> None:
    await desk.release("a")
    await desk.turn(log)
    said = Checkpoint.from_parsed({**CHECKPOINT, "iss": DID, "seq": 3})
    await log.publish(checkpoints_topic(MEMBER.slug), sign_checkpoint(said, PAIR.kid, PAIR.secret), {})
    with pytest.raises(OwnLogIncomplete) as waits:
        await desk.reconcile(log)
    assert (waits.value.missing, waits.value.known) == (2, 3)
    (own,) = await desk.items("sent")
    new = new_signing_pair(f"{DID}#signing-2")
    keys = (
        SigningKey(kid=PAIR.kid, key=PAIR.public.key, closed=Last(seq=1, hash=own.hash or "")),
        SigningKey(kid=new.kid, key=new.public.key),
    )
    member = MEMBER.model_copy(update={"signing_keys": keys})
    assert await reconcile(desk.database, log, member, registry_of(member), NOW) == Head(1, own.hash or "")


async def test_what_a_closed_key_said_beyond_its_last_is_said_again_with_the_new_key(desk: Desk, log: LocalLog) -> None:
    await desk.release("a", "b", "c")
    await desk.turn(log)
    first = peek((await on(log))[0])
    assert first is not None
    new = new_signing_pair(f"{DID}#signing-2")
    closed = SigningKey(kid=PAIR.kid, key=PAIR.public.key, closed=Last(seq=1, hash=first.hash))
    member = MEMBER.model_copy(update={"signing_keys": (closed, SigningKey(kid=new.kid, key=new.public.key))})
    bench = Bench(desk.database)
    await bench.arrive(MEMBER, *await on(log))
    registry = registry_of(member)
    with pytest.raises(OwnLogUndecided):
        await reconcile(desk.database, log, member, registry, NOW)
    await bench.settle(member)
    head = await reconcile(desk.database, log, member, registry, NOW)
    assert head == Head(1, first.hash)
    assert await sign_queued(desk.database, member, new, head, NOW) == 2
    await send_signed(desk.database, log, member, NOW)
    await bench.receive(member, (await on(log))[3:], registry)
    await bench.settle(member)
    counted = [(r.seq, r.state) for r in await received(desk) if r.state == "accepted"]
    assert counted == [(1, "accepted"), (2, "accepted"), (3, "accepted")]
    assert [i.id for i in await desk.items("sent")] == [1, 2, 3]
    assert await check(desk.database, registry, NOW) == []
    assert (await reconcile(desk.database, log, member, registry, NOW)).seq == 3


async def test_after_a_thaw_that_names_another_branch_the_own_branch_is_said_again(
    desk: Desk, desks: Desks, log: LocalLog
) -> None:
    await desk.release("a")
    await desk.turn(log)
    other = desks.open(desk.copy("backup.db"))
    elsewhere = await desks.new_log("elsewhere.db")
    await elsewhere.publish(TOPIC, (await on(log))[0], {})
    await desk.release("b")
    await desk.turn(log)
    await other.release("z")
    await other.turn(elsewhere)
    bench = Bench(desk.database)
    await bench.arrive(MEMBER, *await on(log), (await on(elsewhere))[1])
    named = peek((await on(elsewhere))[1])
    assert named is not None
    thawed = MEMBER.model_copy(update={"thawed": Last(seq=2, hash=named.hash)})
    await bench.settle(thawed)
    head = await reconcile(desk.database, log, thawed, registry_of(thawed), NOW)
    assert head == Head(2, named.hash)
    assert [i.id for i in await desk.items("queued")] == [2]
    assert await desk.sign(head) == 1
    await desk.send(log)
    await bench.receive(thawed, (await on(log))[2:], registry_of(thawed))
    await bench.settle(thawed)
    assert [(r.seq, r.state) for r in await received(desk) if r.state == "accepted"] == [
        (1, "accepted"),
        (2, "accepted"),
        (3, "accepted"),
    ]


async def received(desk: Desk) -> list[Received]:
    async with desk.database.read() as store:
        return await store.received.beyond(MEMBER.slug, 0, most=100)


async def test_a_forged_checkpoint_stops_nothing(desk: Desk, log: LocalLog) -> None:
    said = Checkpoint.from_parsed({**CHECKPOINT, "iss": DID, "seq": 3})
    forged = sign_checkpoint(said, PAIR.kid, new_signing_pair(PAIR.kid).secret)
    await log.publish(checkpoints_topic(MEMBER.slug), forged, {})
    assert (await desk.reconcile(log)).seq == 0


async def test_a_node_whose_own_log_is_frozen_signs_nothing(desk: Desk, desks: Desks, log: LocalLog) -> None:
    other = desks.open(desk.copy("backup.db"))
    await desk.release("a")
    await other.release("b")
    elsewhere = await desks.new_log("elsewhere.db")
    await desk.turn(log)
    await other.turn(elsewhere)
    await Bench(desk.database).arrive(MEMBER, *await on(log), *await on(elsewhere))
    with pytest.raises(OwnLogFrozen):
        await desk.reconcile(log)


async def test_a_head_known_already_is_not_adopted_again(desk: Desk, log: LocalLog) -> None:
    await desk.release("a")
    await desk.turn(log)
    await desk.reconcile(log)
    assert Event.LOG_ADOPTED not in await desk.events()


async def test_a_statement_that_the_backup_holds_signed_and_the_topic_holds_too_is_marked_and_not_sent_again(
    desk: Desk, desks: Desks, log: LocalLog
) -> None:
    await desk.release("a")
    await desk.sign(await desk.reconcile(log))
    backup = desk.copy("backup.db")
    await desk.send(log)
    restored = desks.open(backup)
    await restored.turn(log)
    assert len(await on(log)) == 1
    assert [i.seq for i in await restored.items("sent")] == [1]


async def test_what_a_backup_signed_at_a_taken_place_is_queued_again_and_signed_at_the_next(
    desk: Desk, desks: Desks, log: LocalLog
) -> None:
    await desk.release("a")
    await desk.turn(log)
    restored = desks.open(desk.copy("backup.db"))
    await desk.release("b")
    await restored.release("other")
    await restored.sign(await restored.reconcile(log))
    await desk.turn(log)
    head = await restored.reconcile(log)
    assert (head.seq, [i.id for i in await restored.items("queued")]) == (2, [2])
    await restored.turn(log)
    assert [(i.seq, i.id) for i in await restored.items("sent")] == [(1, 1), (2, 3), (3, 2)]
    assert read_by_a_peer(await on(log)) == [Accepted] * 3


async def test_what_was_signed_after_a_taken_place_is_queued_again_too_since_it_names_another_predecessor(
    desk: Desk, desks: Desks, log: LocalLog
) -> None:
    await desk.release("a")
    await desk.turn(log)
    restored = desks.open(desk.copy("backup.db"))
    await restored.release("x", "y", "z")
    await restored.sign(await restored.reconcile(log))
    await desk.release("b")
    await desk.turn(log)
    await restored.turn(log)
    assert read_by_a_peer(await on(log)) == [Accepted] * 5
    assert [(i.id, i.seq) for i in await restored.items("sent")] == [(1, 1), (5, 2), (2, 3), (3, 4), (4, 5)]


async def test_a_lost_topic_gets_everything_again_with_the_same_bytes(desk: Desk, desks: Desks, log: LocalLog) -> None:
    await desk.release("a", "b", "c")
    await desk.turn(log)
    before = await on(log)
    rebuilt = await desks.new_log("rebuilt.db")
    await desk.release("d")
    await desk.turn(rebuilt)
    assert (await on(rebuilt))[:3] == before
    assert read_by_a_peer(await on(rebuilt)) == [Accepted] * 4


async def test_a_topic_that_lost_its_end_gets_that_end_again(desk: Desk, desks: Desks, log: LocalLog) -> None:
    await desk.release("a", "b", "c")
    await desk.turn(log)
    before = await on(log)
    older = await desks.new_log("older.db")
    await older.publish(TOPIC, before[0], {})
    await desk.turn(older)
    assert await on(older) == before


async def test_with_topic_and_newest_rows_lost_signing_goes_on_after_what_the_node_has_itself_received(
    desk: Desk, desks: Desks, log: LocalLog
) -> None:
    backup = desk.copy("backup.db")
    await desk.release("a", "b")
    await desk.turn(log)
    restored = desks.open(backup)
    settled = await Bench(restored.database).arrive(MEMBER, *await on(log))
    assert settled.accepted == 2
    rebuilt = await desks.new_log("rebuilt.db")
    await restored.release("c")
    await restored.turn(rebuilt)
    assert (await on(rebuilt))[:2] == await on(log)
    assert read_by_a_peer(await on(rebuilt)) == [Accepted] * 3


async def test_a_topic_that_does_not_answer_gives_no_place_to_sign_at(desk: Desk, desks: Desks) -> None:
    await desk.release("a")
    with pytest.raises(BusUnavailable):
        await desk.turn(LocalLog(desks.directory / "absent" / "log.db"))
    assert len(await desk.items("queued")) == 1
    assert Event.STATEMENT_SIGNED not in await desk.events()


async def test_junk_and_foreign_and_forged_records_on_the_own_topic_move_no_head(desk: Desk, log: LocalLog) -> None:
    await desk.release("a")
    await desk.turn(log)
    (own,) = await desk.items("sent")
    stranger = new_signing_pair(PAIR.kid)
    forged = sign_statement(own.outgoing, iss=DID, kid=PAIR.kid, key=stranger.secret, seq=9, prev=genesis(DID), now=NOW)
    tampered = sign_statement(own.outgoing, iss=DID, kid=PAIR.kid, key=PAIR.secret, seq=9, prev=genesis(DID), now=NOW)
    for raw in (
        b"",
        b"junk",
        Publisher(name="other").finding(seq=7).raw,
        forged.record,
        tampered.record.replace(b'{"statement":"', b'{"statement":"A', 1),
    ):
        await log.publish(TOPIC, raw, {})
    assert await desk.reconcile(log) == Head(1, own.hash or "")
    await desk.release("b")
    await desk.turn(log)
    assert [i.seq for i in await desk.items("sent")] == [1, 2]


async def test_a_genuine_record_found_only_on_the_topic_moves_the_head(desk: Desk, log: LocalLog) -> None:
    await desk.release("a")
    await desk.turn(log)
    (own,) = await desk.items("sent")
    genuine = sign_statement(own.outgoing, iss=DID, kid=PAIR.kid, key=PAIR.secret, seq=2, prev=own.hash or "", now=NOW)
    await log.publish(TOPIC, genuine.record, {})
    assert await desk.reconcile(log) == Head(2, genuine.hash)


async def test_while_one_batch_is_sent_the_next_is_signed_and_committed_before_it_goes(
    desk: Desk, log: LocalLog
) -> None:
    floor = await desk.reconcile(log)
    await desk.release("a", "b")
    assert await sign_and_send(desk.database, log, MEMBER, PAIR, floor, NOW) == 2
    assert (await on(log), len(await desk.items("signed"))) == ([], 2)
    await desk.release("c")
    assert await sign_and_send(desk.database, log, MEMBER, PAIR, floor, NOW) == 3
    assert (len(await on(log)), len(await desk.items("signed"))) == (2, 1)
    assert await sign_and_send(desk.database, log, MEMBER, PAIR, floor, NOW) == 1
    assert await sign_and_send(desk.database, log, MEMBER, PAIR, floor, NOW) == 0
    assert read_by_a_peer(await on(log)) == [Accepted] * 3
    async with desk.database.read() as store:
        assert await store.trail.first_break() is None
    assert (await desk.events()).count(Event.STATEMENT_SIGNED) == 3


async def test_when_sending_fails_what_was_signed_meanwhile_is_kept_and_sent_after_the_next_look(
    desk: Desk, log: LocalLog
) -> None:
    bus = FaultyBus(log, fates=[Fate.STORED, Fate.LOST_AND_UNKNOWN])
    await desk.release("a", "b", "c")
    await desk.sign(await desk.reconcile(bus))
    await desk.release("d")
    with pytest.raises(OutcomeUnknown):
        await sign_and_send(desk.database, bus, MEMBER, PAIR, Head(0, genesis(DID)), NOW)
    assert [(i.state, i.seq) for i in [*await desk.items("sent"), *await desk.items("signed")]] == [
        ("sent", 1),
        ("signed", 2),
        ("signed", 3),
        ("signed", 4),
    ]
    await desk.turn(bus)
    assert read_by_a_peer(await on(log)) == [Accepted] * 4


async def test_a_place_taken_while_the_next_were_signed_is_not_signed_twice(desk: Desk, log: LocalLog) -> None:
    await desk.release("a", "b")
    floor = await desk.reconcile(log)
    both = await asyncio.gather(desk.sign(floor), desk.sign(floor))
    assert sorted(both) == [0, 2], "the second found the place taken, and kept nothing"
    await desk.send(log)
    assert read_by_a_peer(await on(log)) == [Accepted] * 2
