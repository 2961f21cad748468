"""The relay on a past that came back, a topic that lost its end, a key that was closed: no place is signed twice."""

from datetime import timedelta

import pytest

from builders import Publisher
from comity_federation.bus import BusUnavailable, checkpoints_topic
from comity_federation.checkpoints import sign_checkpoint
from comity_federation.decision import Accepted
from comity_federation.keys import new_signing_pair
from comity_federation.local_log import LocalLog
from comity_federation.log_state import peek
from comity_federation.statements import genesis, sign_statement
from comity_node.db import Store
from comity_node.db.reports import StoredReport
from comity_node.domain.errors import NotPublished, SamePerson
from comity_node.domain.trail import Event
from comity_node.services.operating.check import check
from comity_node.services.publishing import own_log
from comity_node.services.publishing.deliveries import who_has_applied
from comity_node.services.publishing.own_log import OwnLogFrozen, OwnLogIncomplete, OwnLogUndecided, reconcile
from comity_node.services.publishing.published import is_taken_back, newest_hash
from comity_node.services.publishing.relay import Head, send_signed, sign_queued
from comity_node.services.review.replies import Said, decide_dispute, write_down
from comity_node.services.review.report_status import report_status
from comity_schemas.member import Last, SigningKey
from comity_schemas.reply import DisputeOutcome, ReplyAct, ReplyCode
from comity_schemas.statement import Checkpoint
from node_world import NOW, Bench, registry_of
from relay_desk import DID, MEMBER, PAIR, REGISTRY, TOPIC, Desk, Desks, on, read_by_a_peer, received
from vector_others import CHECKPOINT


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
    await restored.withdraw(item.hash or "")
    await restored.turn(log)
    assert read_by_a_peer(await on(log)) == [Accepted] * 2
    assert await check(restored.database, REGISTRY, NOW) == []


async def test_what_was_taken_back_or_revised_after_the_backup_stays_so(
    desk: Desk, desks: Desks, log: LocalLog
) -> None:
    await desk.release("a", "b", "c")
    await desk.turn(log)
    taken_back, revised, standing = (item.hash or "" for item in await desk.items("sent"))
    backup = desk.copy("backup.db")
    await desk.withdraw(taken_back)
    await desk.revise(revised)
    await desk.turn(log)
    newer = (await desk.items("sent"))[-1].hash or ""
    restored = desks.open(backup)
    await restored.turn(log)
    for act in (restored.withdraw, restored.revise):
        with pytest.raises(NotPublished, match="taken back already"):
            await act(taken_back)
    with pytest.raises(NotPublished, match=f"newer form is {newer}"):
        await restored.revise(revised)
    async with restored.database.read() as store:
        assert [await is_taken_back(store, name) for name in (taken_back, revised, standing)] == [True, False, False]
        assert [await newest_hash(store, name) for name in (revised, standing)] == [newer, standing]
        applied = await who_has_applied(store, REGISTRY, MEMBER.slug, taken_back)
        review = (await restored.items("sent"))[0].review_id
        assert (applied.kind, applied.seq, review is not None) == ("withdrawal", 4, True)
        (status,) = await report_status(store, await reported(store, review or ""))
    assert status.state == "withdrawn"
    await restored.revise(newer)
    await restored.withdraw(standing)
    await restored.turn(log)
    assert read_by_a_peer(await on(log)) == [Accepted] * 7


async def reported(store: Store, review_id: str) -> StoredReport:
    """The report that a proposal was made from."""
    review = await store.reviews.find(review_id)
    stored = None if review is None else await store.reports.find(review.report_id or "")
    assert stored is not None
    return stored


async def test_a_dispute_about_what_only_the_log_knew_is_decided_by_its_publisher(
    desk: Desk, desks: Desks, log: LocalLog
) -> None:
    backup = desk.copy("backup.db")
    await desk.release("a")
    await desk.turn(log)
    restored = desks.open(backup)
    await restored.turn(log)
    await Bench(restored.database).arrive(MEMBER, *await on(log))
    (own,) = await restored.items("sent")
    reviewer, second = await restored.people()
    said = Said(ReplyAct.DISPUTE, (ReplyCode.FACTS_DISPUTED,), about=own.hash)
    async with restored.database.write() as store:
        word = await write_down(store, said, reviewer, NOW)
        with pytest.raises(SamePerson):
            await decide_dispute(store, reviewer, word.id, DisputeOutcome.UPHELD, NOW)
        decided = await decide_dispute(store, second, word.id, DisputeOutcome.UPHELD, NOW)
    assert decided.outcome is DisputeOutcome.UPHELD


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
