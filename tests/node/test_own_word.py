"""A node never forks itself, also when only peers know what it has signed."""

from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from comity_federation import strict_json
from comity_federation.bus import statements_topic
from comity_federation.decision import Accepted, Trust
from comity_federation.local_log import LocalLog
from comity_federation.log_state import LogState
from comity_node.services.operating.check import check
from comity_node.services.publishing.own_log import OwnLogIncomplete, reconcile
from comity_node.services.publishing.own_word import NoPeerAnswers, ask_about_own_log
from comity_node.services.publishing.relay import Head, sign_and_send
from comity_schemas.member import MemberStatus
from peer_world import Liar, Neighbour, Street, backup, contradicting, restore, serving


async def start(of: Neighbour, log: LocalLog) -> Head:
    """What the relay does at every start, up to the first signature."""
    async with of.house.node.database.read() as store:
        known = await store.outbox.last_sent()
    told = await ask_about_own_log(of.peers, of.member, of.registry, known[0] if known else 0)
    return await reconcile(of.house.node.database, log, of.member, of.registry, of.house.node.clock(), told)


async def go_on(of: Neighbour, log: LocalLog, head: Head) -> None:
    while await sign_and_send(of.house.node.database, log, of.member, of.pair, head, of.house.node.clock()):
        pass


def is_one_story(of: Neighbour, *raws: bytes) -> bool:
    """Whether any node would accept these records, in this order, with nothing forked or refused."""
    state, trust = LogState(), Trust(of.member)
    return {type(state.decide(raw, trust)) for raw in raws} == {Accepted}


async def hidden(tmp_path: Path) -> LocalLog:
    """The own topic as a hostile broker shows it after the restore: without its tail."""
    log = LocalLog(tmp_path / "hidden.db")
    await log.start()
    return log


async def test_a_database_set_back_with_its_topics_tail_hidden_signs_nothing_twice_since_a_peer_knows(
    street: Street, log: LocalLog, tmp_path: Path
) -> None:
    a, b = await street.found("a", "b")
    said = await a.publish(log, "v")
    await backup(a, tmp_path / "yesterday.db")
    said = await a.publish(log, "w", "x")
    await b.receive(a, *said)
    await restore(a, tmp_path / "yesterday.db")
    await a.release("y")
    shown = await hidden(tmp_path)
    await shown.publish(statements_topic("a"), said[0], {})
    async with b.answering():
        head = await start(a, shown)
    assert head.seq == 3
    await go_on(a, shown, head)
    everything = [delivered.value for delivered in await shown.tail(statements_topic("a"), most=100)]
    # What the topic hid is sent again, the same bytes, and the new statement comes after it.
    assert everything[:3] == said
    assert is_one_story(a, *everything)
    await b.receive(a, *everything)
    assert (await b.frozen_from(a), await b.head(a)) == (None, 4)
    await a.settle()
    assert [row[:2] + row[3:] for row in await a.held(a)] == [(2, "waiting", "b"), (3, "waiting", "b")]
    await a.receive(a, *everything)
    assert await a.head(a) == 4
    assert await check(a.house.node.database, a.registry, a.house.node.clock()) == []
    await shown.stop()


async def test_what_was_signed_and_not_sent_gives_way_to_what_a_peer_has(
    street: Street, log: LocalLog, tmp_path: Path
) -> None:
    a, b = await street.found("a", "b")
    await a.publish(log, "v")
    await a.release("z")
    await backup(a, tmp_path / "yesterday.db")
    said = await a.publish(log)
    await b.receive(a, *said)
    await restore(a, tmp_path / "yesterday.db")
    shown = await hidden(tmp_path)
    # Signed again elsewhere in the dark: another statement at place 2, never sent.
    async with a.house.node.database.read() as store:
        first = await store.outbox.head()
    assert first is not None
    away = LocalLog(tmp_path / "no" / "where.db")
    with pytest.raises(Exception, match="no/where"):
        await go_on(a, away, Head(*first))
    async with a.house.node.database.read() as store:
        assert [item.seq for item in await store.outbox.in_state("signed", most=10)] == [2]
    async with b.answering():
        head = await start(a, shown)
    await go_on(a, shown, head)
    everything = [delivered.value for delivered in await shown.tail(statements_topic("a"), most=100)]
    assert everything == said, "said once, as it was said before"
    await shown.stop()


async def test_nothing_is_signed_while_peers_exist_and_none_answers(street: Street, log: LocalLog) -> None:
    a, b = await street.found("a", "b")
    await a.release("v")
    with pytest.raises(NoPeerAnswers, match="nothing is signed"):
        await start(a, log)
    async with b.answering():
        assert (await start(a, log)).seq == 0


async def test_one_peer_that_answers_is_enough_where_the_others_are_down(street: Street, log: LocalLog) -> None:
    a, _b, _c, _d, _e, f = await street.found("a", "b", "c", "d", "e", "f")
    async with f.answering():
        assert (await start(a, log)).seq == 0


async def test_a_network_of_one_and_peers_without_an_address_are_not_waited_for(street: Street, log: LocalLog) -> None:
    (a,) = await street.found("a")
    assert (await start(a, log)).seq == 0
    await street.town.found("b")
    await street.refresh()
    assert [m.status for m in a.registry.members] == [MemberStatus.ACTIVE] * 2
    assert (await start(a, log)).seq == 0


async def test_a_peer_that_claims_more_than_it_can_show_stops_nothing_when_another_answers(
    street: Street, log: LocalLog
) -> None:
    a, b, c = await street.found("a", "b", "c")

    async def answer(request: Request) -> Response:
        if request.url.path.endswith("/checkpoint"):
            heads = [{"member": "a", "seq": 10**9, "hash": "F" * 43}]
            return Response(strict_json.dumps({"member": "c", "heads": heads, "frozen": [], "yours": "a.b.c"}))
        return Response(b"", media_type="application/jsonl")

    async with b.answering(), serving(Liar(answer), c.port):
        assert (await start(a, log)).seq == 0
    assert await a.noted() == [("c", f"reports statement {10**9} of a and cannot produce it")]


async def test_an_own_checkpoint_that_a_peer_kept_stops_the_signing_when_its_statement_is_nowhere(
    street: Street, log: LocalLog, tmp_path: Path
) -> None:
    a, b = await street.found("a", "b")
    await backup(a, tmp_path / "yesterday.db")
    await a.publish(log, "v", "w")
    await a.announce(b)
    await restore(a, tmp_path / "yesterday.db")
    shown = await hidden(tmp_path)
    async with b.answering():
        with pytest.raises(OwnLogIncomplete) as waits:
            await start(a, shown)
    assert (waits.value.missing, waits.value.known) == (1, 2)
    assert "Nothing is signed" in str(waits.value)
    await shown.stop()


async def test_a_stolen_statement_that_a_peer_holds_beside_ours_is_not_taken_back(
    street: Street, log: LocalLog
) -> None:
    a, b = await street.found("a", "b")
    said = await a.publish(log, "v", "w")
    stolen = await contradicting(a, 2)
    await b.receive(a, said[0], stolen)
    async with b.answering():
        assert (await start(a, log)).seq == 2
    async with a.house.node.database.read() as store:
        assert [item.record for item in await store.outbox.sent(1, most=9)] == said
