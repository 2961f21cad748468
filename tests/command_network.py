"""A served agency in a network with an audit firm, and its commands as people run them."""

import contextlib
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builders import IDENTIFIERS, NAMES
from comity_federation.keys import write_key_pair
from comity_node.remote import Remote
from node_world import Town, comity

Ran = subprocess.CompletedProcess[str]

PEOPLE = {
    "greta": ("auditor", "firm"),
    "ana": ("reviewer", None),
    "bakari": ("focal-point", None),
    "sanna": ("officer", None),
}
PARTY = {"type": "supplier", "names": NAMES, "country": "BR", "identifiers": IDENTIFIERS}


@dataclass
class Network:
    """A served agency in a network with an audit firm."""

    town: Town
    home: Path
    url: str
    tokens: dict[str, str]
    place: Path
    steps: dict[str, Ran] = field(default_factory=dict)

    def do(self, who: str, *words: str, code: int = 0, **environment: str) -> Ran:
        """Run a command as one person; it must end as expected."""
        ran = comity(*words, COMITY_URL=self.url, COMITY_TOKEN=self.tokens[who], **environment)
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran

    def ask(self, who: str, path: str, **params: Any) -> Any:
        with Remote(self.url, self.tokens[who]) as remote:
            return remote.get(path, **params)

    def local(self, *words: str, code: int = 0, **environment: str) -> Ran:
        """Run a command on the home, on this machine."""
        ran = comity(*words, COMITY_HOME=str(self.home), **environment)
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran

    @property
    def root(self) -> str:
        return str(self.home / "root.json")


def wait_until(what: str, holds: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")


async def set_up(place: Path) -> tuple[Town, Path, dict[str, str]]:
    town = Town(place)
    house = await town.found("agency")
    town.admit(town.firm_entry())
    tokens = {"admin": house.admin.token}
    for name, (role, firm) in PEOPLE.items():
        tokens[name] = (await house.hire(name, role, firm=firm)).token
    await town.refresh()
    await town.close()
    write_key_pair(place / "auditor.jwk", town.auditor)
    return town, house.home, tokens


def whole_message(sender: socket.socket) -> bytes:
    """Read one request or answer; its body may come after its headers."""
    sender.settimeout(20)
    read = b""
    while True:
        read += sender.recv(65_536)
        head, _, body = read.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if length is not None and len(body) == int(length[1]):
            return read


@contextlib.contextmanager
def losing_the_first_answer(url: str) -> Iterator[str]:
    """An address before a node: what is asked first is done there, and its answer is lost on the way back."""
    node = url.removeprefix("http://").split(":")

    def pass_on() -> None:
        for lost in (True, False):
            asker, _ = server.accept()
            with asker, socket.create_connection((node[0], int(node[1]))) as there:
                there.sendall(whole_message(asker))
                answer = whole_message(there)
                if not lost:
                    asker.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as thread:
        passing = thread.submit(pass_on)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        passing.result(20)
