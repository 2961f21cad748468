"""Whom a node screens leaves no trace in its traffic: idle and under a thousand screenings it says the same, as often.

Both processes of a served node note every connection, datagram and name they ask the system for; the one place they
may reach, the registry, counts what arrives. Nothing of the node is replaced.
"""

import json
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2

from builders import CHECKOUT
from node_world import Town, served, until
from supplier_desk import LEI, desk_at

EVERY_S = 0.3
"""How often the node asks for the registry."""

ROUNDS = 6
"""Requests at the registry that each of the two times lasts for."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One request at the registry."""

    at: float
    line: str
    size: int
    """Of its headers and body, in bytes."""


class Registry:
    """The registry's files over HTTP, and what was asked of it."""

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
        Thread(target=self.server.serve_forever, daemon=True).start()

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


async def test_a_thousand_screenings_change_nothing_in_what_leaves_a_node(town: Town, tmp_path: Path) -> None:
    registry = Registry(town.world.path)
    captured = tmp_path / "captured"
    captured.mkdir()
    url = f"http://127.0.0.1:{registry.port}/"
    house = await town.found("agency", more={"registry": url, "registry_every_s": EVERY_S})
    await town.refresh()
    officer = await house.hire("officer", "officer")
    await (await desk_at(house.node.database)).say("Exemplar Gloves", "agency", LEI)
    await house.node.close()
    bus = Path(town.bus.removeprefix("local:"))
    hook = {"PYTHONPATH": str(CHECKOUT / "tests" / "captured"), "COMITY_CAPTURE": str(captured)}
    with served(house.home, **hook) as node:
        headers = {"Authorization": f"Bearer {officer.token}"}
        async with httpx2.AsyncClient(base_url=node.url, headers=headers, timeout=120) as api:
            # The first answers load and follow what was received: that is over before anything is compared.
            await _screen(api, 1)
            await until("the node has said that it is there", lambda: _has_begun(registry, bus))
            idle = time.time()
            await until("the registry was asked at leisure", partial(_asked, registry, idle))
            busy, on_the_bus = time.time(), _records(bus)
            answered = await _screen(api, 1_000)
            await until("the registry was asked meanwhile", partial(_asked, registry, busy))
            end = time.time()
    assert answered == 1_000
    said = noted(captured)
    # Both processes were watched, and the watching sees: the exchange does ask the registry.
    assert set(said) == {"api", "exchange"}
    calls = [(what, where) for some in said.values() for _, what, where in some]
    # Names are asked for only where there is none: an address in digits asks nobody.
    assert {where for what, where in calls if what.startswith("socket.get")} <= {"127.0.0.1"}
    reached = {tuple(where) for what, where in calls if not what.startswith("socket.get")}
    assert reached == {("127.0.0.1", registry.port)}
    assert on_the_bus == _records(bus) > 0
    # The same requests of the same size, and no more of them than the schedule has.
    quiet, loud = registry.between(idle, busy), registry.between(busy, end)
    assert {(a.line, a.size) for a in loud} <= {(a.line, a.size) for a in quiet}
    a_round = len({a.line for a in quiet})
    assert len(loud) <= a_round * ((end - busy) / EVERY_S + 1)
    # The process that is asked reaches nobody while it is.
    assert [call for call in said["api"] if idle <= call[0] < end] == []


async def _asked(registry: Registry, since: float) -> bool:
    """Tell whether the schedule went round twice and more, however slow the machine is."""
    return len(registry.between(since, time.time())) >= ROUNDS


async def _has_begun(registry: Registry, bus: Path) -> bool:
    return len(registry.arrived) >= 3 and bus.exists() and _records(bus) > 0


def _records(bus: Path) -> int:
    """Return how many records stand on the local bus, of all topics: here the bus is a file."""
    with closing(sqlite3.connect(f"file:{bus}?mode=ro", uri=True)) as connection:
        return int(connection.execute("select count(*) from record").fetchone()[0])


async def _screen(api: httpx2.AsyncClient, how_many: int) -> int:
    answered = 0
    while answered < how_many:
        many = min(500, how_many - answered)
        suppliers = [{"name": f"Exemplar Gloves {number}"} for number in range(answered, answered + many)]
        answer = await api.post("/api/v1/screenings", json={"suppliers": suppliers})
        assert answer.status_code == 200, answer.text
        answered += len(answer.json()["answers"])
    return answered
