"""Nodes asking each other: what one gives and to whom, how gaps are filled, and what liars achieve."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import Response

from comity_federation import jws, strict_json
from comity_federation.encoding import digest
from comity_federation.forks import contradiction
from comity_federation.keys import SigningPair, new_signing_pair
from comity_federation.local_log import LocalLog
from comity_federation.log_state import peek
from comity_federation.peer_tokens import sign_peer_token
from comity_federation.statements import record_bytes
from comity_node.domain.errors import TooManyRequests
from comity_node.services.operating.check import check
from comity_node.services.peers.limits import AT_ONCE, BYTES_AT_ONCE, Limits
from comity_node.services.peers.serving import MOST_BYTES
from comity_schemas.statement import STATEMENT_TYP
from peer_world import Liar, Neighbour, Street, contradicting, serving


async def ask(
    of: Neighbour, path: str, by: Neighbour | SigningPair | None, *, audience: str | None = None, **changes: Any
) -> httpx2.Response:
    """Call a node's real application as another member's node would."""
    pair = by.pair if isinstance(by, Neighbour) else by
    now = of.house.node.clock() + changes.get("shift", timedelta())
    headers = {}
    if pair is not None:
        headers["Authorization"] = f"Bearer {sign_peer_token(pair, audience or of.member.did, now)}"
    async with of.house.api(None, **headers) as api:
        return await api.get(f"/api/v1/peers/{path}")


def lines(response: httpx2.Response) -> list[bytes]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/jsonl"
    found: list[bytes] = response.content.split(b"\n")
    assert found.pop() == b""
    return found


ADDRESSES = ("checkpoint", "records/a", f"records/a/{'A' * 43}", "forks/a")


# What a node gives, and to whom


async def test_nobody_but_an_active_member_with_a_token_for_this_node_is_answered(street: Street) -> None:
    a, b, c = await street.found("a", "b", "c")
    (pending,) = await street.found("pending", admit=False)
    street.town.world.suspend("c", 0)
    await street.refresh()
    for path in ADDRESSES:
        answers = [
            await ask(a, path, None),
            await ask(a, path, b, audience=c.member.did),
            await ask(a, path, b, audience=b.member.did),
            await ask(a, path, b, shift=timedelta(seconds=-300)),
            await ask(a, path, b, shift=timedelta(seconds=300)),
            await ask(a, path, c),
            await ask(a, path, pending.pair),
            await ask(a, path, new_signing_pair("did:web:b.example#signing-1")),
            await ask(a, path, new_signing_pair("did:web:nobody.example#signing-1")),
        ]
        async with a.house.api(a.house.admin) as api:
            answers.append(await api.get(f"/api/v1/peers/{path}"))
        assert {answer.status_code for answer in answers} == {401}
        assert len({answer.content for answer in answers}) == 1, "the answer tells why"
        assert (await ask(a, path, b)).status_code in (200, 404)


async def test_a_log_is_given_from_a_place_on_as_the_exact_bytes_and_nothing_that_was_withheld(
    street: Street, log: LocalLog
) -> None:
    a, b, c = await street.found("a", "b", "c")
    said = await a.publish(log, *"vwxyz")
    await b.receive(a, *said)
    for of in (a, b):
        assert lines(await ask(of, "records/a", c)) == said
        assert lines(await ask(of, "records/a?from=3&most=2", c)) == said[2:4]
        assert lines(await ask(of, "records/a?from=6", c)) == []
        name = digest(strict_json.loads(said[2])["statement"].partition("~")[0])
        assert lines(await ask(of, f"records/a/{name}", c)) == [said[2]]
        assert (await ask(of, f"records/b/{name}", c)).status_code == 404
        assert (await ask(of, "records/nobody", c)).status_code == 404
    async with a.house.node.database.read() as store:
        (item, *_) = await store.outbox.sent(1, most=1)
    assert item.outgoing.withheld
    for name in item.outgoing.withheld:
        assert name.encode() not in b"".join(said)


@pytest.mark.parametrize("query", ["from=0", "from=-1", "from=9007199254740992", "from=x", "most=0", "most=201"])
async def test_a_place_or_number_that_cannot_be_is_refused(street: Street, query: str) -> None:
    a, b = await street.found("a", "b")
    assert (await ask(a, f"records/a?{query}", b)).status_code == 422


async def test_what_waits_or_was_refused_is_not_given_and_a_hole_ends_the_answer(street: Street, log: LocalLog) -> None:
    a, b, c = await street.found("a", "b", "c")
    said = await a.publish(log, *"vwxyz")
    spoiled = said[1].replace(b'"sealed":[]', b'"sealed":["x"]')
    await b.receive(a, said[0], spoiled, said[2], said[3])
    assert [h[:3] for h in await b.held(a)] == [
        (1, "accepted", None),
        (2, "refused", "box"),
        (3, "waiting", "gap"),
        (4, "waiting", "gap"),
    ]
    assert lines(await ask(b, "records/a", c)) == said[:1]
    name = peek(said[2])
    assert name is not None
    assert (await ask(b, f"records/a/{name.hash}", c)).status_code == 404


async def test_what_is_signed_and_not_sent_yet_is_not_given(street: Street, log: LocalLog) -> None:
    a, b = await street.found("a", "b")
    said = await a.publish(log, "v", "w")
    async with a.house.node.database.write() as store:
        await store.outbox.resend_after(1)
    assert lines(await ask(a, "records/a", b)) == said[:1]
    unsent = peek(said[1])
    assert unsent is not None
    assert (await ask(a, f"records/a/{unsent.hash}", b)).status_code == 404


async def test_an_answer_is_bounded_in_bytes_and_always_brings_one(
    street: Street, log: LocalLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await street.found("a", "b")
    said = await a.publish(log, *"vwxyz")
    monkeypatch.setattr("comity_node.services.peers.serving.MOST_BYTES", len(said[0]) + len(said[1]))
    assert lines(await ask(a, "records/a", b)) == said[:2]
    monkeypatch.setattr("comity_node.services.peers.serving.MOST_BYTES", 1)
    assert lines(await ask(a, "records/a?from=4", b)) == said[3:4]
    assert MOST_BYTES == 1024 * 1024


async def test_a_checkpoint_tells_the_own_word_all_verified_heads_and_the_callers_own_word(
    street: Street, log: LocalLog
) -> None:
    a, b, c = await street.found("a", "b", "c")
    empty = (await ask(b, "checkpoint", c)).json()
    assert empty == {"member": "b", "heads": [], "frozen": []}
    said = await a.publish(log, "v", "w")
    await b.receive(a, *said)
    own, yours = await b.checkpoint(), await a.announce(b)
    async with b.house.node.database.write() as store:
        await store.peers.put_checkpoint("b", own, 0, b.house.node.clock())
    told = (await ask(b, "checkpoint", a)).json()
    last = peek(said[1])
    assert last is not None
    assert told["heads"] == [{"member": "a", "seq": 2, "hash": last.hash}]
    assert told["checkpoint"].encode() == own
    assert told["yours"].encode() == yours
    assert "yours" not in (await ask(b, "checkpoint", c)).json()


async def test_the_proof_of_a_fork_is_two_statements_with_the_members_signature(street: Street, log: LocalLog) -> None:
    a, b, c = await street.found("a", "b", "c")
    said = await a.publish(log, "v", "w")
    assert (await ask(b, "forks/a", c)).status_code == 404
    await b.receive(a, *said, await contradicting(a, 2))
    assert await b.frozen_from(a) == 2
    proof = lines(await ask(b, "forks/a", c))
    assert contradiction(proof, a.member) is not None
    assert [p.seq for p in map(peek, proof) if p] == [2, 2]
    assert lines(await ask(b, "records/a", c)) == said[:1]
    assert (await ask(b, "checkpoint", c)).json()["frozen"] == ["a"]
    await c.receive(a, *proof, said[0])
    assert await c.frozen_from(a) == 2


async def test_under_an_expired_registry_no_record_is_given_but_the_checkpoint_is(street: Street) -> None:
    a, b = await street.found("a", "b")
    expired = a.registry.expires + timedelta(seconds=1)
    a.house.node.clock = lambda: expired
    for path in ADDRESSES[1:]:
        answer = await ask(a, path, b)
        assert (answer.status_code, answer.json()["code"]) == (503, "registry.expired")
    assert (await ask(a, "checkpoint", b)).status_code == 200


async def test_one_caller_may_ask_so_much_and_others_are_not_held_up(street: Street) -> None:
    a, b, c = await street.found("a", "b", "c")
    now = b.house.node.clock()
    headers = {"Authorization": f"Bearer {sign_peer_token(b.pair, a.member.did, now)}"}
    async with a.house.api(None, **headers) as api:
        answers = [await api.get("/api/v1/peers/forks/a") for _ in range(AT_ONCE + 40)]
        assert answers[0].status_code == 404
        assert answers[-1].status_code == 429
        assert answers[-1].json()["code"] == "too-many-requests"
        assert int(answers[-1].headers["retry-after"]) >= 1
        other = sign_peer_token(c.pair, a.member.did, now)
        assert (
            await api.get("/api/v1/peers/checkpoint", headers={"Authorization": f"Bearer {other}"})
        ).status_code == 200


def test_an_allowance_grows_back_with_time_in_requests_and_in_bytes() -> None:
    now = 0.0
    limits = Limits(lambda: now)
    for _ in range(AT_ONCE):
        limits.take_one("a")
    with pytest.raises(TooManyRequests) as refused:
        limits.take_one("a")
    limits.take_one("b")
    now += refused.value.retry_after_s
    limits.take_one("a")
    limits.count_bytes("b", BYTES_AT_ONCE + 5 * 1024 * 1024)
    with pytest.raises(TooManyRequests) as refused:
        limits.take_one("b")
    assert 4 <= refused.value.retry_after_s <= 6
    now += refused.value.retry_after_s
    limits.take_one("b")


# Refill


async def test_a_withheld_tail_comes_from_the_publisher_and_is_noted_as_from_it(street: Street, log: LocalLog) -> None:
    a, b = await street.found("a", "b")
    said = await a.publish(log, *"vwxyz")
    await b.receive(a, *said[:2])
    await a.announce(b)
    async with a.answering():
        assert await b.fill() == 3
    assert await b.held(a) == [(1, "accepted", None, None), (2, "accepted", None, None)] + [
        (n, "accepted", None, "a") for n in (3, 4, 5)
    ]
    assert b.settled
    assert await check(b.house.node.database, b.registry, b.house.node.clock()) == []


async def test_a_gap_is_filled_without_any_checkpoint_since_what_waits_shows_it(street: Street, log: LocalLog) -> None:
    a, b = await street.found("a", "b")
    said = await a.publish(log, *"vwxyz")
    await b.receive(a, said[0], said[4])
    async with a.answering():
        assert await b.fill() == 3
    assert await b.head(a) == 5


async def test_a_place_is_not_hidden_by_what_anybody_can_write_under_a_key_that_is_not_listed(
    street: Street, log: LocalLog
) -> None:
    a, b = await street.found("a", "b")
    said = await a.publish(log, *"vwx")
    claims = {"seq": 2, "prev": "F" * 43, "kind": "finding", "body": {}}
    forger = new_signing_pair("did:web:nobody.example#signing-1")
    jwt = jws.sign(forger.secret, f"{a.member.did}#not-listed", STATEMENT_TYP, strict_json.dumps(claims))
    forged = record_bytes(jwt, ())
    await b.receive(a, said[0], forged)
    assert (await b.held(a))[1] == (2, "waiting", "unknown-key", None)
    await a.announce(b)
    async with a.answering():
        assert await b.fill() == 2
    assert await b.head(a) == 3


async def test_with_the_publisher_down_any_peer_will_do(street: Street, log: LocalLog) -> None:
    a, b, c, d = await street.found("a", "b", "c", "d")
    said = await a.publish(log, *"vwxyz")
    await b.receive(a, said[0])
    await a.announce(b)
    await c.receive(a, *said[:3])
    await d.receive(a, *said)
    async with c.answering(), d.answering():
        await b.fill()
    assert await b.head(a) == 5
    assert {source for *_, source in await b.held(a)} <= {None, "c", "d"}


async def test_a_gap_is_left_alone_while_it_is_young_and_asked_for_less_and_less_often_when_nobody_fills_it(
    street: Street, log: LocalLog
) -> None:
    a, b = await street.found("a", "b")
    said = await a.publish(log, "v", "w")
    await b.receive(a, said[0])
    await a.announce(b)
    liar = Liar(lambda _request: nothing())
    async with serving(liar, a.port):
        assert await b.fill(patiently=False) == 0
        assert liar.asked == []
        moments = []
        for _ in range(300):
            b.now += 1.0
            before = len(liar.asked)
            await b.refill.fill_gaps(b.registry)
            if len(liar.asked) > before:
                moments.append(b.now)
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert pauses == sorted(pauses)
    assert 3 < len(moments) < 10


async def nothing() -> Response:
    return Response(b"", media_type="application/jsonl")


async def test_a_copy_that_lacked_disclosures_is_completed(street: Street, log: LocalLog) -> None:
    a, b, c = await street.found("a", "b", "c")
    said = await a.publish(log, "v", "w")
    whole = strict_json.loads(said[0])
    jwt = whole["statement"].partition("~")[0]
    bare = strict_json.dumps({**whole, "statement": f"{jwt}~"})
    await b.receive(a, bare, said[1])
    assert (await b.held(a))[0][:2] == (1, "accepted")
    async with a.answering():
        assert await b.refill.complete_disclosures(b.registry) == 1
        await b.settle()
        assert await b.refill.complete_disclosures(b.registry) == 0
    async with b.house.node.database.read() as store:
        assert (await store.received.run("a", 1, most=2))[0].raw == said[0]
        assert await store.received.lacking("a", after=0, most=10) == []
    await c.receive(a, *said)
    async with b.house.node.database.read() as one, c.house.node.database.read() as other:
        assert await one.view.of_log("a") == await other.view.of_log("a")


async def test_what_nobody_has_any_more_is_asked_for_once_a_day(street: Street, log: LocalLog) -> None:
    a, b = await street.found("a", "b")
    said = await a.publish(log, "v")
    whole = strict_json.loads(said[0])
    bare = strict_json.dumps({**whole, "statement": whole["statement"].partition("~")[0] + "~"})
    await b.receive(a, bare)

    async def answer(_request: Request) -> Response:
        return Response(bare + b"\n", media_type="application/jsonl")

    liar = Liar(answer)
    async with serving(liar, a.port):
        for _ in range(5):
            assert await b.refill.complete_disclosures(b.registry) == 0
        assert len(liar.asked) == 1
        b.now += 25 * 3600
        await b.refill.complete_disclosures(b.registry)
        assert len(liar.asked) == 2
    assert len(await b.held(a)) == 1
