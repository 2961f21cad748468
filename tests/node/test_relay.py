"""The relay: what was released is signed once, sent as it is, and never at a place that is taken."""

import asyncio
import sqlite3

import pytest

from comity_federation.bus import BusUnavailable, OutcomeUnknown
from comity_federation.decision import Accepted, Repeated
from comity_federation.local_log import LocalLog
from comity_federation.statements import genesis
from comity_node.domain.trail import Event
from comity_node.services.publishing.relay import Head, MayNotSay, require_sayable, sign_and_send, sign_queued
from comity_schemas.member import Role
from faulty_bus import Fate, FaultyBus
from node_world import NOW
from relay_desk import DID, MEMBER, PAIR, TOPIC, Desk, Desks, on, read_by_a_peer


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
    with pytest.raises(sqlite3.IntegrityError, match="disk full"):
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


async def test_after_a_head_that_the_database_lacks_nothing_is_signed(desk: Desk, log: LocalLog) -> None:
    await desk.release("a", "b")
    head = await desk.reconcile(log)
    assert await desk.sign(Head(5, "x" * 43)) == 0, "a hole of four places would stay in the outbox for ever"
    assert await desk.sign(head) == 2


async def test_what_the_member_may_not_say_any_more_waits_in_words_and_takes_no_place(
    desk: Desk, log: LocalLog
) -> None:
    await desk.release("a", "b")
    await desk.turn(log)
    (first, _) = await desk.items("sent")
    await desk.release("c")
    await desk.withdraw(first.hash or "")
    firm = MEMBER.model_copy(update={"role": Role.AUDIT_FIRM})
    floor = await desk.reconcile(log)
    assert await sign_queued(desk.database, firm, PAIR, floor, NOW) == 1
    assert [item.outgoing.kind for item in await desk.items("signed")] == ["withdrawal"]
    with pytest.raises(MayNotSay, match="refuse its finding"):
        await require_sayable(desk.database, firm)
    await require_sayable(desk.database, MEMBER)
    await desk.turn(log)
    assert [item.seq for item in await desk.items("sent")] == [1, 2, 3, 4]
    assert read_by_a_peer(await on(log)) == [Accepted] * 4
