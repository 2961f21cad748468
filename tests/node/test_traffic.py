"""Whom a node screens leaves no trace in its traffic: idle and under a thousand screenings it says the same, as often.

Both processes of a served node note every connection, datagram and name they ask the system for. The three places they
may reach count what arrives, and how large it is: a real broker, the registry, and another member. Nothing of the node
is replaced.
"""

import asyncio
import json
import time
import uuid
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import pytest

from builders import CHECKOUT
from comity_federation.kafka.settings import KafkaSettings
from comity_federation.kafka_topics import prepare_topics
from comity_node.app import create_app
from comity_node.workers.reading_ahead import READ_WAIT
from counting_proxy import CountingProxy, Passed
from fault_proxy import PRODUCE
from node_world import Town, served, until
from peer_world import free_port, serving
from supplier_desk import LEI, desk_at

FETCH = 1

EVERY_S = 0.3
"""How often the node asks for the registry."""

PATIENCE_S = 180
"""A machine that does much else is given time."""

COMPARE_S = 1.0
"""How often it asks another member where everybody stands."""

CHECKPOINT_S = 0.5
"""How often it says on the bus that it is there."""

ROUNDS = 6
"""Requests at the registry that each of the two times lasts for."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One request."""

    at: float
    line: str
    size: int
    """Of its headers and body, in bytes."""


class Files:
    """Files over HTTP, as of the registry, and what was asked of whoever gives them."""

    def __init__(self, directory: Path) -> None:
        self.arrived: list[Arrived] = []
        arrived = self.arrived

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                arrived.append(Arrived(time.time(), self.requestline, len(bytes(self.headers))))
                file = directory / self.path.lstrip("/")
                body = file.read_bytes() if file.is_file() else b""
                self.send_response(200 if file.is_file() else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def between(self, begin: float, end: float) -> list[Arrived]:
        return [each for each in self.arrived if begin <= each.at < end]


class Member:
    """Another member's node, and what was asked of it."""

    def __init__(self, app: Any, port: int) -> None:
        self._app, self.port, self.arrived = app, port, list[Arrived]()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            size = sum(len(name) + len(value) for name, value in scope["headers"])
            self.arrived.append(Arrived(time.time(), f"{scope['method']} {scope['path']}", size))
        await self._app(scope, receive, send)

    def between(self, begin: float, end: float) -> list[Arrived]:
        return [each for each in self.arrived if begin <= each.at < end]


def noted(directory: Path) -> dict[str, list[tuple[float, str, Any]]]:
    """Process, by what it was started as, to what it asked the system for."""
    found: dict[str, list[tuple[float, str, Any]]] = {}
    for file in directory.glob("*.jsonl"):
        (_, _, argv), *rest = [json.loads(line) for line in file.read_text().splitlines()]
        name = "exchange" if "comity_node.workers" in argv else "api"
        found.setdefault(name, []).extend((at, what, where) for at, what, where in rest)
    return found


@pytest.mark.kafka
async def test_a_thousand_screenings_change_nothing_in_what_leaves_a_node(kafka: str, tmp_path: Path) -> None:
    (captured := tmp_path / "captured").mkdir()
    mark = uuid.uuid4().hex[:8]
    async with CountingProxy(kafka) as bus:
        town = Town(tmp_path, f"kafka://127.0.0.1:{bus.port}")
        registry, port = Files(town.world.path), free_port()
        more = {"registry": registry.url, "registry_every_s": EVERY_S, "checkpoint_every_s": CHECKPOINT_S}
        house = await town.found(f"agency-{mark}", more={**more, "compare_heads_every_s": COMPARE_S})
        city = await town.found(f"city-{mark}", port=port, endpoint=f"http://127.0.0.1:{port}")
        other = Member(create_app(city.node), port)
        await town.refresh()
        await asyncio.to_thread(prepare_topics, KafkaSettings(kafka), [house.slug, city.slug])
        officer = await house.hire("officer", "officer")
        await (await desk_at(house.node.database)).say("Exemplar Gloves", "agency", LEI)
        await house.node.close()
        hook = {"PYTHONPATH": str(CHECKOUT / "tests" / "captured"), "COMITY_CAPTURE": str(captured)}
        async with AsyncExitStack() as stack:
            stack.push_async_callback(city.node.close)
            await stack.enter_async_context(serving(other, port))
            node = stack.enter_context(served(house.home, **hook))
            headers = {"Authorization": f"Bearer {officer.token}"}
            async with httpx2.AsyncClient(base_url=node.url, headers=headers, timeout=120) as api:
                # The first answers load and follow what was received: that is over before anything is compared.
                await _screen(api, 1)
                went_round = partial(_went_round, registry, other, bus)
                await until("it says that it is there", partial(went_round, 0.0), PATIENCE_S)
                idle = time.time()
                await until("the schedule went round at leisure", partial(went_round, idle), PATIENCE_S)
                busy = time.time()
                answered = await _screen(api, 1_000)
                await until("the schedule went round meanwhile", partial(went_round, busy), PATIENCE_S)
                end = time.time()
    assert answered == 1_000
    said = noted(captured)
    # Both processes were watched, and the watching sees: the exchange does reach all three.
    assert set(said) == {"api", "exchange"}
    calls = [(what, where) for some in said.values() for _, what, where in some]
    # Names are asked for only where there is none: an address in digits asks nobody.
    assert {where for what, where in calls if what.startswith("socket.get")} <= {"127.0.0.1"}
    reached = {tuple(where) for what, where in calls if not what.startswith("socket.get")}
    assert reached == {("127.0.0.1", place.port) for place in (registry, other, bus)}
    # The process that is asked reaches nobody while it is.
    assert [call for call in said["api"] if idle <= call[0] < end] == []
    # The same requests of the same size, and no more of them than the schedule has.
    for place, every in ((registry, EVERY_S), (other, COMPARE_S)):
        quiet, loud = place.between(idle, busy), place.between(busy, end)
        assert _kinds(loud) <= _kinds(place.between(0, busy))
        assert 0 < len(loud) <= len(_kinds(quiet)) * ((end - busy) / every + 1)
    quiet_bus, loud_bus = bus.between(idle, busy), bus.between(busy, end)
    assert _sizes(loud_bus) <= _sizes(bus.between(0, busy))
    asked, waiting = Counter(each.kind for each in loud_bus), {s for s in _sizes(quiet_bus) if s[0] == FETCH}
    assert 0 < asked[PRODUCE] <= (end - busy) / CHECKPOINT_S + 2
    # Each of those who wait for news asks again when some has come, and after so long without any.
    rounds = (end - busy) / READ_WAIT.total_seconds() + asked[PRODUCE] + 2
    assert 0 < asked[FETCH] <= len(waiting) * rounds
    # Whoever compares where everybody stands asks the bus as well, as often as the members.
    others = [count for kind, count in asked.items() if kind not in (PRODUCE, FETCH)]
    assert max(others, default=0) <= (end - busy) / COMPARE_S + 2


def _kinds(arrived: list[Arrived]) -> set[tuple[str, int]]:
    return {(each.line, each.size) for each in arrived}


def _sizes(passed: list[Passed]) -> set[tuple[int, int]]:
    return {(each.kind, each.size) for each in passed}


async def _went_round(registry: Files, other: Member, bus: CountingProxy, since: float) -> bool:
    """Tell whether the schedule went round twice and more, however slow the machine is."""
    now = time.time()
    said = sum(each.kind == PRODUCE for each in bus.between(since, now))
    return len(registry.between(since, now)) >= ROUNDS and len(other.between(since, now)) >= 2 and said >= 2


async def _screen(api: httpx2.AsyncClient, how_many: int) -> int:
    answered = 0
    while answered < how_many:
        many = min(20, how_many - answered)
        suppliers = [{"name": f"Exemplar Gloves {number}"} for number in range(answered, answered + many)]
        answer = await api.post("/api/v1/screenings", json={"suppliers": suppliers})
        assert answer.status_code == 200, answer.text
        answered += len(answer.json()["answers"])
    return answered
