"""Peers that lie, dawdle, redirect or do not answer: none of it has an effect, and each is noted."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from comity_federation import strict_json
from comity_federation.local_log import LocalLog
from comity_node.services.peers import client as client_room
from comity_node.services.peers.client import PeerUnreachable, PeerWrong
from comity_schemas.member import MemberStatus
from peer_world import Liar, Street, serving

# Liars


async def lies(said: list[bytes], own: bytes) -> dict[str, tuple[bytes, bool]]:
    """What a liar may answer to `records/a?from=2`, and whether it is noted as wrong."""
    whole = strict_json.loads(said[1])
    jwt, _, disclosures = whole["statement"].partition("~")
    head, payload, signature = jwt.split(".")
    forged = strict_json.dumps({**whole, "statement": f"{head}.{payload}.{signature[:-4]}AAAA~{disclosures}"})
    return {
        "forged": (forged + b"\n", True),
        "another place": (said[2] + b"\n", True),
        "another member's": (own + b"\n", True),
        "no line end": (said[1], True),
        "junk": (b"\xff\x00junk\n", True),
        "an empty line": (b"\n", True),
        "more than asked": (b"".join(raw + b"\n" for raw in said[1:] * 50), True),
        "too many bytes": (b"x" * (3 * 1024 * 1024), True),
    }


async def test_no_lie_about_records_has_an_effect_and_each_is_noted(
    street: Street, log: LocalLog, tmp_path: Path
) -> None:
    a, b, c = await street.found("a", "b", "c")
    said = await a.publish(log, *"vwx")
    own = await c.publish(log, "c")
    await b.receive(a, said[0])
    await a.announce(b)
    await b.fill()
    for name, (lie, noted) in (await lies(said, own[0])).items():
        body = lie

        async def answer(_request: Request, body: bytes = body) -> Response:
            return Response(body, media_type="application/jsonl")

        before = len(await b.noted())
        b.now += 7_200
        async with serving(Liar(answer), c.port):
            assert await b.fill(patiently=False) == 0, name
        assert await b.held(a) == [(1, "accepted", None, None)], name
        assert (len(await b.noted()) > before) is noted, name
    assert {who for who, _ in await b.noted()} == {"c"}
    b.now += 7_200
    async with a.answering():
        assert await b.fill(patiently=False) == 2


async def test_an_altered_disclosure_is_no_statement_of_the_member_and_does_not_come_in(
    street: Street, log: LocalLog
) -> None:
    a, b, c = await street.found("a", "b", "c")
    said = await a.publish(log, "v", "w")
    await b.receive(a, said[0])
    await a.announce(b)
    altered = said[1].replace(b'~","sealed"', b'~WyJhIiwgImIiLCAiYyJd~","sealed"')

    async def answer(_request: Request) -> Response:
        return Response(altered + b"\n", media_type="application/jsonl")

    async with serving(Liar(answer), c.port):
        assert await b.fill() == 0
    assert await b.held(a) == [(1, "accepted", None, None)]


async def test_a_slow_a_redirecting_and_a_failing_peer_are_left_in_time(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await street.found("a", "b")
    monkeypatch.setattr(client_room, "ANSWER_WITHIN_S", 0.5)

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0.05)

    async def slow(_request: Request) -> Response:
        return StreamingResponse(drip())

    async def away(_request: Request) -> Response:
        return RedirectResponse(f"http://127.0.0.1:{b.port}/")

    async def failing(_request: Request) -> Response:
        return Response(b"{}", status_code=500)

    for answer in (slow, away, failing):
        liar = Liar(answer)
        async with serving(liar, a.port):
            with pytest.raises(PeerUnreachable):
                await b.peers.client.records(a.member, a.member, 1)
        assert len(liar.asked) == 1
    with pytest.raises(PeerUnreachable):
        await b.peers.client.checkpoint(a.member)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"member":"a","heads":[],"frozen":[],"heads":[]}',
        b'{"member":"b","heads":[],"frozen":[]}',
        b'{"member":"a","heads":[{"member":"a","seq":-1,"hash":"' + b"A" * 43 + b'"}],"frozen":[]}',
        b'{"member":"a","heads":[{"member":"a","seq":1.5,"hash":"' + b"A" * 43 + b'"}],"frozen":[]}',
        b"[" * 100_000,
    ],
)
async def test_a_checkpoint_of_another_form_is_wrong(street: Street, body: bytes) -> None:
    a, b = await street.found("a", "b")

    async def answer(_request: Request) -> Response:
        return Response(body, media_type="application/json")

    async with serving(Liar(answer), a.port):
        with pytest.raises(PeerWrong):
            await b.peers.client.checkpoint(a.member)


async def test_an_address_that_is_neither_https_nor_this_machine_is_never_called(street: Street) -> None:
    a, b = await street.found("a", "b")
    for endpoint in (None, "http://node.example", "ftp://127.0.0.1", "http://127.0.0.1.example/"):
        with pytest.raises(PeerUnreachable):
            await b.peers.client.checkpoint(a.member.model_copy(update={"endpoint": endpoint}))


async def test_a_token_that_was_sent_to_one_peer_is_no_good_at_another(street: Street) -> None:
    a, b, c = await street.found("a", "b", "c")
    kept: list[str] = []

    async def answer(request: Request) -> Response:
        kept.append(request.headers["authorization"])
        return Response(b"{}")

    async with serving(Liar(answer), a.port):
        with pytest.raises(PeerWrong):
            await b.peers.client.checkpoint(a.member)
    async with c.house.api(None, Authorization=kept[0]) as api:
        assert (await api.get("/api/v1/peers/checkpoint")).status_code == 401


async def test_a_peer_that_does_not_answer_rests_longer_each_time_and_is_asked_again(street: Street) -> None:
    a, b = await street.found("a", "b")
    rests = []
    for _ in range(5):
        assert await b.peers.ask(a.member, b.peers.client.checkpoint(a.member)) is None
        begin = b.now
        while not b.peers.rested([a.member]):
            b.now += 1.0
        rests.append(b.now - begin)
    assert rests == [5, 10, 20, 40, 80]
    async with a.answering():
        assert await b.peers.ask(a.member, b.peers.client.checkpoint(a.member)) is not None
    assert b.peers.rested([a.member])
    assert b.member.status is MemberStatus.ACTIVE
