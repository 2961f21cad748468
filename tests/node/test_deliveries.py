"""Who has applied what a node took back: member by member, with since when, by their own word."""

from datetime import timedelta

import pytest

from builders import HANDLING, Publisher
from comity_federation.checkpoints import in_parts
from comity_federation.local_log import LocalLog
from comity_federation.statements import Outgoing
from comity_node.db import Database, deliveries
from comity_node.db.outbox import TakenBack
from comity_node.domain.errors import NotFound
from comity_node.services.operating.status import measure, weigh
from comity_node.services.publishing.deliveries import Correction, Delivery, corrections, not_applied, who_has_applied
from comity_node.services.receiving.words import note_checkpoint, verified_heads
from comity_node.services.review.release import approve, propose_withdrawal
from comity_schemas.handling import Handling
from comity_schemas.member import Role
from comity_schemas.statement import Kind, WithdrawalReason
from node_world import NOW
from peer_world import Neighbour, Street


async def take_back(of: Neighbour, log: LocalLog) -> tuple[str, str, list[bytes]]:
    """Let a node publish a finding and take it back; return both hashes and all it has said."""
    await of.publish(log, "x")
    node = of.house.node
    async with node.database.write() as store:
        (item, _) = (await store.outbox.page(before=None, most=1))[0]
        assert item.hash is not None
        first, second = [(await store.accounts.find_by_name(name)) for name in ("reviewer", "second")]
        assert first is not None and second is not None
        error = WithdrawalReason.FACTUAL_ERROR
        review = await propose_withdrawal(store, first[0], item.hash, error, node.clock())
        await approve(store, second[0], review.id, node.clock(), Role.AGENCY)
    said = await of.publish(log)
    async with node.database.read() as store:
        (last, _) = (await store.outbox.page(before=None, most=1))[0]
    assert last.hash is not None
    await of.receive(of, *said)
    return item.hash, last.hash, said


async def applied(of: Neighbour, statement: str) -> Delivery:
    async with of.house.node.database.read() as store:
        return await who_has_applied(store, of.registry, of.slug, statement)


async def test_it_is_known_member_by_member_who_has_applied_a_withdrawal_and_since_when(
    street: Street, log: LocalLog
) -> None:
    a, b, c = await street.found("a", "b", "c")
    finding, withdrawal, said = await take_back(a, log)
    await b.receive(a, *said)
    await c.receive(a, said[0])
    asked = await applied(a, finding)
    assert (asked.statement, asked.kind, asked.seq) == (withdrawal, "withdrawal", 2)
    assert asked.members == [("b", None, 0), ("c", None, 0)]
    before = a.house.node.clock()
    async with b.answering(), c.answering():
        await a.comparison.ask_who_has_applied(a.registry)
        ((_, since, furthest), missing) = (await applied(a, withdrawal)).members
        assert since is not None and before <= since <= a.house.node.clock() and furthest == 2
        assert missing == ("c", None, 1)
        # Who has said so is not asked again; who has not, is, and says it once it has.
        await c.receive(a, said[1])
        await a.comparison.ask_who_has_applied(a.registry)
    assert [each for _, each, _ in (await applied(a, withdrawal)).members].count(None) == 0
    assert ("b", since, 2) in (await applied(a, withdrawal)).members
    with pytest.raises(NotFound):
        await applied(a, "A" * 43)


async def test_the_daily_heads_tell_it_too_and_an_older_word_takes_nothing_back(street: Street, log: LocalLog) -> None:
    a, b = await street.found("a", "b")
    _, withdrawal, said = await take_back(a, log)
    words = []
    for raw in said:
        await b.receive(a, raw)
        async with b.house.node.database.read() as store:
            (part,) = in_parts(await verified_heads(store, b.registry))
        words.append(await b.checkpoint(peers=part.to_parsed()))
    for raw in (words[1], words[0]):
        async with a.house.node.database.write() as store:
            await note_checkpoint(store, b.member, raw, a.registry, a.house.node.clock() + timedelta(hours=3))
    ((slug, since, furthest),) = (await applied(a, withdrawal)).members
    # Since it said so, not since it was heard.
    assert (slug, furthest) == ("b", 2)
    assert since is not None and since < a.house.node.clock() + timedelta(hours=1)


async def test_after_a_day_the_status_names_who_has_not_applied_it(street: Street, log: LocalLog) -> None:
    a, b, _ = await street.found("a", "b", "c")
    _, _, said = await take_back(a, log)
    await b.receive(a, *said)
    async with b.answering():
        await a.comparison.ask_who_has_applied(a.registry)
    async with a.house.node.database.read() as store:
        measures = await measure(store, a.house.node.clock())
    running = dict.fromkeys(("api", "receiver", "relay"), True)
    for hours, names in ((23, []), (25, ["c"])):
        now = a.house.node.clock() + timedelta(hours=hours)
        late = [t for t in weigh(measures, a.registry, running, "a", now).late if t.name == "not-applied"]
        assert [trouble.what.split()[0] for trouble in late] == names
    assert "the oldest is the withdrawal at place 2" in late[0].what


async def test_nobody_is_asked_while_nothing_was_taken_back(street: Street, log: LocalLog) -> None:
    a, b = await street.found("a", "b")
    await a.receive(a, *await a.publish(log, "x"))
    async with a.house.node.database.read() as store:
        assert await corrections(store) == []
    async with b.answering():
        await a.comparison.ask_who_has_applied(a.registry)
    async with a.house.node.database.read() as store:
        assert await store.deliveries.furthest() == {}


async def test_words_are_kept_in_order_and_in_bounds(database: Database) -> None:
    async with database.write() as store:
        for seq in (3, 2, 3, 7):
            await store.deliveries.note("b", seq, NOW + timedelta(minutes=seq))
        await store.deliveries.note("c", 1, NOW)
    async with database.read() as store:
        assert await store.deliveries.furthest() == {"b": 7, "c": 1}
        assert await store.deliveries.since(2) == {"b": NOW + timedelta(minutes=3)}
        assert await store.deliveries.since(4) == {"b": NOW + timedelta(minutes=7)}


async def test_only_the_newest_words_of_a_member_are_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "MOST_WORDS", 3)
    async with database.write() as store:
        for seq in range(1, 8):
            await store.deliveries.note("b", seq, NOW + timedelta(minutes=seq))
    async with database.read() as store:
        assert await store.deliveries.since(1) == {"b": NOW + timedelta(minutes=5)}
        assert await store.deliveries.furthest() == {"b": 7}


def test_who_lacks_an_older_correction_is_told_of_the_oldest() -> None:
    found = [Correction("B" * 43, 9, "finding", NOW), Correction("A" * 43, 5, "withdrawal", NOW - timedelta(days=3))]
    members = [Publisher(slug).member() for slug in ("b", "c", "d")]
    late = not_applied(found, {"b": 4, "c": 5, "d": 9}, members, NOW + timedelta(days=2))
    assert {slug: [each.seq for each in missing] for slug, missing in late.items()} == {"b": [5, 9], "c": [9]}
    # Within a day nobody is late.
    assert not_applied(found[:1], {}, members, NOW + timedelta(days=1)) == {}


async def test_a_correction_is_followed_however_much_was_said_since(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comity_node.services.publishing.deliveries._NEWEST", 2)

    def said(seq: int, outgoing: Outgoing) -> TakenBack:
        return TakenBack(outgoing, seq, f"hash-{seq}", b"raw", NOW, NOW)

    terms = Handling.from_parsed(HANDLING)
    finding = Outgoing("finding", terms, {"country": "BD"}, {}, {})
    taken_back = Outgoing(Kind.WITHDRAWAL, terms, {"statement": "hash-1"}, {}, {})
    corrected = Outgoing("finding", terms, {"country": "BD", "replaces": "hash-2"}, {}, {})
    async with database.write() as store:
        of_log = [finding, finding, taken_back, corrected, *[finding] * 9]
        await store.outbox.take_back([said(seq, outgoing) for seq, outgoing in enumerate(of_log, start=1)])
    async with database.read() as store:
        assert [found.seq for found in await corrections(store)] == [4, 3]
