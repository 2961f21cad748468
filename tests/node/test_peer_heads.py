"""Comparing heads: who is shown another history finds out, and nobody can freeze or slander anybody else."""

from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from comity_federation import strict_json
from comity_federation.bus import Delivered, checkpoints_topic
from comity_federation.checkpoints import in_parts, open_checkpoint
from comity_federation.local_log import LocalLog
from comity_federation.log_state import peek
from comity_node.db.peers import ReportedHead
from comity_node.services.peers import heads
from comity_node.services.peers.heads import PEERS_COMPARED, newer_registries
from comity_node.services.receiving.intake import take_in
from comity_node.services.receiving.words import note_checkpoint, verified_heads
from comity_schemas.peers import MAX_HEADS, PeerHead
from comity_schemas.statement import MAX_RECORD_BYTES
from peer_world import Liar, Neighbour, Street, contradicting, serving


def reporting(of: Neighbour, *heads: dict[str, Any], checkpoint: bytes | None = None, **more: Any) -> Liar:
    """A node that reports heads and has nothing else to give."""
    said = {"member": of.slug, "heads": heads, "frozen": [], **more}
    if checkpoint is not None:
        said["checkpoint"] = checkpoint.decode("ascii")

    async def answer(request: Request) -> Response:
        if request.url.path.endswith("/checkpoint"):
            return Response(strict_json.dumps(said))
        return Response(b"{}", status_code=404)

    return Liar(answer)


def impatient(*neighbours: Neighbour) -> None:
    for neighbour in neighbours:
        neighbour.refill.patience_s = 0.0


async def test_a_split_view_is_found_by_two_nodes_that_ask_each_other(street: Street, log: LocalLog) -> None:
    a, b, c = await street.found("a", "b", "c")
    impatient(b, c)
    said = await a.publish(log, *"vwx")
    await b.receive(a, *said)
    await c.receive(a, said[0], await contradicting(a, 2))
    async with b.answering(), c.answering():
        assert await b.compare() == 1
        assert (await b.frozen_from(a), await b.head(a)) == (2, 1)
        # What it asks has frozen the log meanwhile, and gives the proof.
        assert await c.compare() == 1
        assert (await c.frozen_from(a), await c.head(a)) == (2, 1)
    assert await b.noted() == await c.noted() == []


async def test_a_spoiled_copy_of_the_other_story_does_not_hide_a_split(street: Street, log: LocalLog) -> None:
    a, b, c = await street.found("a", "b", "c")
    impatient(b)
    said = await a.publish(log, *"vw")
    other = await contradicting(a, 2)
    await b.receive(a, *said, other.replace(b'"sealed":[]', b'"sealed":["x"]'))
    await c.receive(a, said[0], other)
    assert (2, "refused", "box", None) in await b.held(a)
    async with c.answering():
        await b.compare()
    assert await b.frozen_from(a) == 2


async def test_a_split_is_found_by_the_daily_word_on_the_bus_too(street: Street, log: LocalLog) -> None:
    a, b, c = await street.found("a", "b", "c")
    impatient(b)
    said = await a.publish(log, *"vw")
    await b.receive(a, *said)
    await c.receive(a, said[0], await contradicting(a, 2))
    async with c.house.node.database.read() as store:
        (part,) = in_parts(await verified_heads(store, c.registry))
    raw = await c.checkpoint(peers=part.to_parsed())
    async with b.house.node.database.write() as store:
        assert await note_checkpoint(store, c.member, raw, b.registry, b.house.node.clock()) is not None
    async with c.answering():
        await b.comparison.look_into_reports(b.registry)
    await b.settle()
    assert await b.frozen_from(a) == 2


async def test_a_head_that_is_further_makes_a_node_catch_up(street: Street, log: LocalLog) -> None:
    a, b, c = await street.found("a", "b", "c")
    impatient(b)
    said = await a.publish(log, *"vwxyz")
    await b.receive(a, *said[:2])
    await c.receive(a, *said)
    async with c.answering():
        await b.compare()
        assert await b.head(a) == 2, "the reported statement waits for those before it"
        await b.fill()
    assert await b.head(a) == 5
    assert await b.noted() == []


async def test_a_false_head_freezes_nobody_and_is_noted_at_its_reporter(street: Street, log: LocalLog) -> None:
    a, b, c = await street.found("a", "b", "c")
    impatient(b)
    said = await a.publish(log, *"vw")
    await b.receive(a, *said)
    for seq in (1, 2, 3, 10**9):
        b.now += 7_200
        async with serving(reporting(c, {"member": "a", "seq": seq, "hash": "F" * 43}), c.port):
            await b.compare()
        assert (await b.frozen_from(a), await b.head(a)) == (None, 2)
        assert (await b.noted())[0] == ("c", f"reports statement {seq} of a and cannot produce it")
    async with b.house.node.database.read() as store:
        assert await store.peers.reported_heads(most=10) == []


async def test_a_fork_that_nobody_can_prove_freezes_nobody(street: Street, log: LocalLog) -> None:
    a, b, c = await street.found("a", "b", "c")
    said = await a.publish(log, "v")
    await b.receive(a, *said)
    proof = said[0] + b"\n" + said[0] + b"\n"

    async def answer(request: Request) -> Response:
        if request.url.path.endswith("/checkpoint"):
            return Response(strict_json.dumps({"member": "c", "heads": [], "frozen": ["a", "b", "c", "nobody"]}))
        return Response(proof, media_type="application/jsonl")

    async with serving(Liar(answer), c.port):
        await b.compare()
    assert await b.frozen_from(a) is None
    assert len(await b.held(a)) == 1


async def test_a_reporter_that_does_not_answer_is_asked_later_and_not_blamed(street: Street, log: LocalLog) -> None:
    a, b, c = await street.found("a", "b", "c")
    impatient(b)
    said = await a.publish(log, "v", "w")
    await b.receive(a, said[0])
    await c.receive(a, *said)
    async with c.answering():
        await b.comparison.compare(b.registry)
    await b.comparison.look_into_reports(b.registry)
    assert await b.noted() == []
    b.now += 60
    async with c.answering():
        await b.comparison.look_into_reports(b.registry)
    await b.settle()
    assert await b.head(a) == 2


async def test_however_many_false_heads_a_silent_member_reports_others_are_looked_into(
    street: Street, log: LocalLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "_REPORTS_AT_ONCE", 2)
    a, b, c, d = await street.found("a", "b", "c", "d")
    impatient(b)
    said = await a.publish(log, "v", "w")
    await b.receive(a, said[0])
    await d.receive(a, *said)
    lies = [{"member": slug, "seq": 9, "hash": "F" * 43} for slug in ("a", "b", "d")]
    async with serving(reporting(c, *lies), c.port):
        await b.comparison.compare(b.registry)
    # From here on it does not answer.
    async with d.answering():
        b.now += 60
        await b.comparison.compare(b.registry)
        for _ in range(2):
            await b.comparison.look_into_reports(b.registry)
    await b.settle()
    assert await b.head(a) == 2


async def test_what_a_member_without_address_reports_falsely_is_not_asked_of_others_again_and_again(
    street: Street, log: LocalLog
) -> None:
    a, b, d = await street.found("a", "b", "d")
    house = await street.town.found("c")
    await street.refresh()
    impatient(b)
    said = await a.publish(log, "v")
    await b.receive(a, *said)
    now = b.house.node.clock()
    async with b.house.node.database.write() as store:
        for member in ("a", "b", "d"):
            await store.peers.note_head(ReportedHead(house.slug, member, 9, "F" * 43, now))
    asked = reporting(d)
    async with serving(asked, d.port):
        for _ in range(10):
            assert await b.comparison.look_into_reports(b.registry)
        assert len(asked.asked) == 1
        b.now += 6
        await b.comparison.look_into_reports(b.registry)
        assert len(asked.asked) == 2
    assert await b.noted() == []


async def test_an_answer_that_calls_everybody_frozen_makes_nobody_ask_without_end(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "_PROOFS_AT_ONCE", 1)
    b, c = await street.found("b", "c")
    liar = reporting(c, frozen=["b", "c"] * 50)
    async with serving(liar, c.port):
        assert await b.compare() == 1
    assert len([path for path in liar.asked if "/forks/" in path]) == 1


async def test_a_young_report_is_let_be_since_the_statement_may_be_on_its_way(street: Street, log: LocalLog) -> None:
    a, b, c = await street.found("a", "b", "c")
    said = await a.publish(log, "v")
    await c.receive(a, *said)
    async with c.answering():
        await b.compare()
        async with b.house.node.database.read() as store:
            assert len(await store.peers.reported_heads(most=10)) == 1
        await b.receive(a, *said)
        impatient(b)
        await b.comparison.look_into_reports(b.registry)
    assert await b.held(a) == [(1, "accepted", None, None)]
    async with b.house.node.database.read() as store:
        assert await store.peers.reported_heads(most=10) == []


async def test_two_are_asked_in_a_round_and_not_always_the_same(street: Street) -> None:
    b, *others = await street.found("b", "c", "d", "e", "f")
    drawn: list[frozenset[str]] = []
    for _ in range(12):
        asked: list[str] = []
        for peer in b.peers.rested(b.peers.reachable(b.registry))[:PEERS_COMPARED]:
            asked.append(peer.slug)
        drawn.append(frozenset(asked))
    assert {len(pair) for pair in drawn} == {2}
    assert len(set(drawn)) > 3
    assert frozenset().union(*drawn) == {other.slug for other in others}


async def test_a_checkpoint_heard_from_its_node_counts_as_from_the_bus_and_a_false_one_does_not(
    street: Street, log: LocalLog
) -> None:
    a, b, c = await street.found("a", "b", "c")
    said = await a.publish(log, "v")
    own = await a.checkpoint()
    async with serving(reporting(a, checkpoint=own), a.port):
        await b.comparison.compare(b.registry)
    async with b.house.node.database.read() as store:
        assert (await store.logs.of("a")).announced_seq == 1
    forged = await c.checkpoint(iss=a.member.did, seq=7)
    b.now += 60
    async with serving(reporting(c, checkpoint=forged), c.port):
        await b.comparison.compare(b.registry)
    assert await b.noted() == [("c", "gives as its checkpoint what it did not sign")]
    assert len(said) == 1


async def test_a_newer_registry_at_a_peer_is_told_and_only_by_that_peers_own_signature(
    street: Street, log: LocalLog
) -> None:
    a, b = await street.found("a", "b")

    async def ahead(raw: bytes) -> list[str]:
        async with b.house.node.database.write() as store:
            await note_checkpoint(store, a.member, raw, b.registry, b.house.node.clock())
            return await newer_registries(store, b.registry)

    assert await ahead(await a.checkpoint()) == []
    assert await ahead(await b.checkpoint(iss=a.member.did, registry_version=99)) == []
    assert await ahead(await a.checkpoint(registry_version=b.registry.version + 1)) == ["a"]
    assert await ahead(await a.checkpoint(registry_hash="X" * 43)) == ["a"]
    assert await ahead(await a.checkpoint(registry_version=1, registry_hash="X" * 43)) == []


def test_the_heads_of_a_large_network_go_out_in_parts_that_each_fit() -> None:
    heads = [PeerHead(member=f"{'m' * 44}-{n:05}", seq=2**53 - 1, hash="H" * 43) for n in range(2 * MAX_HEADS + 1)]
    parts = in_parts(heads)
    assert [(p.part, p.of, len(p.heads)) for p in parts] == [(1, 3, MAX_HEADS), (2, 3, MAX_HEADS), (3, 3, 1)]
    assert [head for part in parts for head in part.heads] == heads
    assert in_parts([]) == []


async def test_the_daily_word_is_heard_by_a_node_that_was_away_for_the_rest_of_the_day(
    street: Street, log: LocalLog
) -> None:
    a, b, c = await street.found("a", "b", "c")
    await c.receive(a, *await a.publish(log, *"vw"))
    async with c.house.node.database.read() as store:
        (part,) = in_parts(await verified_heads(store, c.registry))
    said = [await c.checkpoint(peers=part.to_parsed()), *[await c.checkpoint(iat=n) for n in range(90)], b"junk.@.x"]
    batch = [Delivered(checkpoints_topic("c"), n, raw) for n, raw in enumerate(said)]
    assert await take_in(b.house.node.database, batch, b.registry, "bus", b.house.node.clock()) is not None
    async with b.house.node.database.read() as store:
        assert [(h.reporter, h.member, h.seq) for h in await store.peers.reported_heads(most=10)] == [("c", "a", 2)]


async def test_a_full_part_is_a_checkpoint_that_is_taken(street: Street) -> None:
    (a,) = await street.found("a")
    heads = [PeerHead(member=f"{'m' * 44}-{n:05}", seq=2**53 - 1, hash="H" * 43) for n in range(MAX_HEADS)]
    raw = await a.checkpoint(peers=in_parts(heads)[0].to_parsed())
    assert len(raw) < MAX_RECORD_BYTES
    assert open_checkpoint(raw, a.member).peers == in_parts(heads)[0]


@pytest.mark.parametrize("number", [0, 1])
async def test_what_is_reported_of_strangers_and_of_what_is_known_is_not_kept(
    street: Street, log: LocalLog, number: int
) -> None:
    a, b = await street.found("a", "b")
    said = await a.publish(log, "v")
    await b.receive(a, *said)
    known = peek(said[0])
    assert known is not None
    heads = [
        {"member": "stranger", "seq": 4, "hash": "S" * 43},
        {"member": "a", "seq": 1, "hash": known.hash},
    ]
    async with serving(reporting(a, heads[number]), a.port):
        assert await b.compare() == 1
    async with b.house.node.database.read() as store:
        assert await store.peers.reported_heads(most=10) == []
