"""What the repositories tell about logs, peers' words and own statements taken back, the same on both databases."""

import json
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from builders import HANDLING, Publisher
from comity_federation import strict_json
from comity_federation.log_state import peek
from comity_federation.statements import Outgoing
from comity_node.db import Database
from comity_node.db.outbox import TakenBack
from comity_node.db.peers import ReportedHead
from comity_node.db.reviews import Review
from comity_node.domain.people import Person
from comity_schemas.handling import Handling
from node_world import NOW, Bench

AGENCY = Publisher()
MEMBER = AGENCY.member()


async def test_a_log_is_read_by_place_by_hash_and_by_what_it_lacks(bench: Bench) -> None:
    first = AGENCY.finding()
    second = AGENCY.finding(seq=2, prev=first.hash)
    third = AGENCY.finding(seq=3, prev=second.hash)
    fifth = AGENCY.finding(seq=5, prev="P" * 43)
    bare = second.stripped("names")
    await bench.arrive(MEMBER, first.raw, bare.raw, third.raw, fifth.raw)
    async with bench.database.read() as store:
        received = store.received
        assert [r.raw for r in await received.run(MEMBER.slug, 2, most=10)] == [bare.raw, third.raw]
        assert [r.raw for r in await received.run(MEMBER.slug, 1, most=1)] == [first.raw]
        assert [r.seq for r in await received.copies(MEMBER.slug, [1, 5, 6])] == [1, 5]
        assert [r.raw for r in await received.of_hash(MEMBER.slug, fifth.hash)] == [fifth.raw]
        assert await received.of_hash("other", fifth.hash) == []
        assert [r.hash for r in await received.lacking(MEMBER.slug, after=0, most=10)] == [second.hash]
        found = (await received.lacking(MEMBER.slug, after=0, most=10))[0].id
        assert await received.lacking(MEMBER.slug, after=found, most=10) == []
        assert await received.first_beyond_gap(MEMBER.slug, 3) == 5
        assert await received.first_beyond_gap(MEMBER.slug, 4) is None
        assert [r.seq for r in await received.beyond(MEMBER.slug, 2, most=10)] == [3, 5]


async def test_a_fuller_copy_from_a_peer_ends_the_lack_and_names_its_giver(bench: Bench) -> None:
    whole = AGENCY.finding()
    await bench.arrive(MEMBER, whole.stripped("names").raw)
    async with bench.database.write() as store:
        await store.received.add(MEMBER.slug, whole.raw, peek(whole.raw), NOW, None, source="giver")
    async with bench.database.read() as store:
        assert [r.source for r in await store.received.copies(MEMBER.slug, [1])] == [None, "giver"]
    await bench.settle(MEMBER)
    async with bench.database.read() as store:
        assert await store.received.lacking(MEMBER.slug, after=0, most=10) == []
        assert [r.raw for r in await store.received.run(MEMBER.slug, 1, most=10)] == [whole.raw]


async def test_of_each_member_the_latest_checkpoint_is_kept_and_of_each_reporter_its_latest_word(
    database: Database,
) -> None:
    one = ReportedHead("b", "a", 4, "H" * 43, NOW)
    newer = ReportedHead("b", "a", 5, "I" * 43, NOW + timedelta(seconds=1))
    async with database.write() as store:
        await store.peers.put_checkpoint("a", b"old", 1, NOW)
        await store.peers.put_checkpoint("a", b"new", 2, NOW)
        await store.peers.note_head(one)
        await store.peers.note_head(newer)
        await store.peers.note_head(ReportedHead("c", "a", 4, "H" * 43, NOW))
        await store.peers.forget_head(one)
    async with database.read() as store:
        assert await store.peers.checkpoint("a") == b"new"
        assert await store.peers.checkpoint("b") is None
        assert [h.reporter for h in await store.peers.reported_heads(most=5)] == ["c", "b"]
        assert (await store.peers.reported_heads(most=5))[1] == newer


def outgoing(name: str) -> Outgoing:
    return Outgoing("finding", Handling.from_parsed(HANDLING), {"country": name}, {"names": [name]}, {"affected": 3})


def as_found(name: str) -> Outgoing:
    """As a record shows it: without what was withheld, its keys in any order."""
    said = outgoing(name)
    shuffled = json.loads(json.dumps(dict(reversed(said.body.items()))))
    return Outgoing(said.kind, said.handling, shuffled, said.disclosed, {})


async def queue(database: Database, *names: str) -> None:
    async with database.write() as store:
        for person in ("one", "two"):
            if await store.accounts.find_person(person) is None:
                await store.accounts.add_person(Person(person, person, frozenset(), None), None)
        for number, name in enumerate(names):
            review = Review(f"{name}{number}", "withdraw", "proposed", "{}", "one", NOW)
            await store.reviews.add(review)
            await store.reviews.decide(review.id, state="approved", by="two", now=NOW)
            await store.outbox.add(review.id, outgoing(name))


def taken_back(name: str, seq: int, *, signed_s: int = 0, sent: bool = True) -> TakenBack:
    signed = NOW + timedelta(seconds=signed_s)
    return TakenBack(as_found(name), seq, f"{seq}" * 43, strict_json.dumps([seq]), signed, NOW if sent else None)


async def test_a_statement_taken_back_takes_the_row_that_still_waits_to_say_it_and_only_one(database: Database) -> None:
    await queue(database, "A", "A", "B")
    async with database.write() as store:
        await store.outbox.take_back([taken_back("A", 1), taken_back("C", 2, sent=False)])
    async with database.read() as store:
        assert [(i.id, i.review_id, i.seq) for i in await store.outbox.in_state("sent", most=9)] == [(1, "A0", 1)]
        (lost,) = await store.outbox.without_review()
        assert (lost.state, lost.seq, lost.outgoing.disclosed) == ("signed", 2, {"names": ["C"]})
        assert [number for number, _ in await store.outbox.queued(most=9)] == [2, 3]
        assert [(item.seq, act) for item, act in await store.outbox.page(before=None, most=1)] == [(2, None)]


async def test_what_was_signed_before_it_was_approved_is_another_statement(database: Database) -> None:
    await queue(database, "A")
    async with database.write() as store:
        await store.outbox.take_back([taken_back("A", 1, signed_s=-1)])
    async with database.read() as store:
        assert [number for number, _ in await store.outbox.queued(most=9)] == [1]
        assert len(await store.outbox.without_review()) == 1


async def test_a_row_without_a_review_can_never_wait_to_be_signed(database: Database) -> None:
    async with database.write() as store:
        await store.outbox.take_back([taken_back("A", 1, sent=False)])
        await store.outbox.unsign(1)
    async with database.read() as store:
        assert await store.outbox.counts() == {}
    with pytest.raises(IntegrityError, match="queued_was_reviewed"):
        async with database.write() as store:
            await store.outbox.add(None, outgoing("A"))  # type: ignore[arg-type]
