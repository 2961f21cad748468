"""The stage: a registry signed 2 of 3, three node processes, their people, and a bus between them."""

import asyncio
import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import ClassVar, Self, TypeVar

from comity_federation.bus import Bus, checkpoints_topic, statements_topic
from comity_federation.kafka_bus import KafkaBus, KafkaSettings
from comity_federation.kafka_topics import prepare_topics
from comity_federation.keys import SigningPair, new_signing_pair, write_key_pair
from comity_federation.local_log import LocalLog
from comity_federation.registry import RegistryDirectory, changes, publish
from comity_node.remote import NodeRefused, NodeUnreachable, Remote
from comity_node.wiring.founding import Founding, found_node
from comity_schemas.errors import ComityError
from comity_schemas.member import Authorisation, Basis, Member, MemberList, MemberStatus, Role

Found = TypeVar("Found")

FIRM, AGENCY, BODY = "lindqvist-assurance", "relief-goods", "inkop-norr"
MEMBERS = {
    FIRM: ("Lindqvist Assurance", Role.AUDIT_FIRM, "CH"),
    AGENCY: ("Relief Goods Agency", Role.AGENCY, "international"),
    BODY: ("Inköp Norr", Role.PROCUREMENT_BODY, "SE"),
}
"""Invented: slug to name, role, country."""

REPLY_WINDOW_S = 1.0
"""Instead of 30 days, which production fixes: a demonstration ends the same day."""

START_WITHIN_S = 60.0


class StageFailed(ComityError):
    """The network could not be set up; the text says which part and why."""

    code: ClassVar[str] = "demo.stage"


@dataclass(slots=True)
class RunningNode:
    """One node process and the people who work at it."""

    slug: str
    home: Path
    process: subprocess.Popen[str]
    url: str
    admin: Remote
    people: dict[str, Remote] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)


class Stage:
    """Everything of the demonstration that must be stopped afterwards."""

    def __init__(
        self, directory: Path, *, kafka: str | None = None, databases: Mapping[str, str] | None = None
    ) -> None:
        """Nothing is made yet.

        Args:
            directory: where everything goes.
            kafka: bootstrap address; else the embedded local log.
            databases: by slug the URL of another database than SQLite in the node's home.
        """
        self._databases = databases or {}
        self.directory = directory
        self.registry = directory / "registry"
        self.kafka = kafka
        self.bus_url = f"kafka://{kafka}" if kafka else f"local:{directory / 'log.db'}"
        self.auditor: SigningPair = new_signing_pair(f"{did(FIRM)}#auditor-7")
        self.nodes: dict[str, RunningNode] = {}
        self._processes: list[subprocess.Popen[str]] = []
        self._holders = [new_signing_pair(f"holder-{n}") for n in (1, 2, 3)]
        self._hub = new_signing_pair("hub")

    def __enter__(self) -> Self:
        """Begin with nothing running."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop every process and let go of every connection."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        for node in self.nodes.values():
            for remote in (node.admin, *node.people.values()):
                remote.close()

    def make_registry(self) -> None:
        """Begin the registry: three holders, any two of whom give rights."""
        staged = RegistryDirectory(self.registry)
        staged.init([pair.public for pair in self._holders], 2, self._hub.public)
        self._sign_and_publish(staged)

    async def make_nodes(self) -> None:
        """Make three homes, and let two holders sign their members into the registry."""
        root = (self.registry / "metadata" / "1.root.json").read_bytes()
        write_key_pair(self.directory / "auditor.jwk", self.auditor)
        admins: dict[str, str] = {}
        entries: list[Member] = []
        for slug, (name, role, country) in MEMBERS.items():
            is_firm = role is Role.AUDIT_FIRM
            port = _free_port()
            founding = Founding(
                slug=slug,
                did=did(slug),
                name=name,
                role=role,
                country=country,
                registry=str(self.registry),
                bus=self.bus_url,
                admin="admin",
                port=port,
                endpoint=f"http://127.0.0.1:{port}",
                database=self._databases.get(slug),
                root=root,
                report_keys=[self.auditor.public] if is_firm else [],
                authorisations=[_SMETA] if is_firm else [],
                more={"registry_every_s": 2.0, "reply_window_s": REPLY_WINDOW_S},
            )
            founded = await found_node(self.directory / slug, founding, datetime.now(UTC))
            admins[slug] = founded.token.secret
            entries.append(Member.model_validate_json(founded.home.member_file.read_bytes()))
        self._admit(entries)
        if self.kafka:
            await asyncio.to_thread(prepare_topics, KafkaSettings(bootstrap=self.kafka), list(MEMBERS))
        self._admins = admins

    def start_nodes(self) -> None:
        """Start one process a node and wait until each answers.

        Raises:
            StageFailed: a node ended or did not answer; its log says why.
        """
        started = {slug: self._start(slug) for slug in MEMBERS}
        self._processes = list(started.values())
        for slug, process in started.items():
            url = _wait_for_ready(slug, process)
            admin = Remote(url, self._admins[slug])
            self.nodes[slug] = RunningNode(slug, self.directory / slug, process, url, admin)
        for slug, node in self.nodes.items():
            wait_for(f"{slug} reads its registry", partial(node.admin.get, "/network"))

    def add_person(self, slug: str, name: str, role: str, firm: str | None = None) -> Remote:
        """Add somebody with an account of their own, sign them in, and return their way to the node."""
        node = self.nodes[slug]
        password = secrets.token_urlsafe(12)
        node.admin.post("/people", {"name": name, "roles": [role], "firm": firm, "password": password})
        with Remote(node.url) as nobody:
            token = nobody.post("/tokens", {"name": name, "password": password, "label": "demo"})["token"]
        node.people[name], node.tokens[name] = Remote(node.url, token), token
        return node.people[name]

    def hostile_bus(self) -> Bus:
        """Return the bus as its operator could use it: writing into anybody's log."""
        if self.kafka:
            return KafkaBus(KafkaSettings(bootstrap=self.kafka), client_id="hostile")
        return LocalLog(self.directory / "log.db")

    def run_command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one `comity` command as anybody would."""
        return subprocess.run(  # noqa: S603 our own command
            [sys.executable, "-c", "from comity_node.cli import main; main()", *words],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "COLUMNS": "200"},
        )

    def _admit(self, entries: list[Member]) -> None:
        staged = RegistryDirectory(self.registry)
        members: MemberList = staged.members()
        for entry in entries:
            members = changes.enter(members, entry, MemberStatus.ACTIVE)
        staged.stage_members(members)
        self._sign_and_publish(staged)

    def _sign_and_publish(self, staged: RegistryDirectory) -> None:
        for holder in self._holders[:2]:
            staged.sign(holder, staged.staged())
        publish(staged, self._hub)

    def _start(self, slug: str) -> subprocess.Popen[str]:
        with (self.directory / f"{slug}.log").open("w") as log:
            return subprocess.Popen(  # noqa: S603 our own command
                [
                    sys.executable,
                    "-c",
                    "from comity_node.cli import main; main()",
                    "serve",
                    "--home",
                    str(self.directory / slug),
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )


_SMETA = Authorisation(
    scheme="SMETA", basis=Basis.ACCREDITED, valid_from=date(2025, 1, 1), valid_until=date(2027, 12, 31)
)


def did(slug: str) -> str:
    """Return the invented DID of a member."""
    return f"did:web:{slug}.example"


def _free_port() -> int:
    # The registry lists where a node answers, so it must be known before the node is there.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def topics() -> list[str]:
    """Return all topics of the demonstration."""
    return [name for slug in MEMBERS for name in (statements_topic(slug), checkpoints_topic(slug))]


def _wait_for_ready(slug: str, process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith("ready:"):
        raise StageFailed(f"the node {slug} did not start; see {slug}.log")
    return line.split(" on ")[1].strip()


def wait_for(what: str, ask: Callable[[], Found | None], within_s: float = 30.0) -> Found:
    """Ask until there is an answer; a node that does not answer yet is asked again.

    Raises:
        StageFailed: it took too long.
    """
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        with contextlib.suppress(NodeUnreachable, NodeRefused):
            found = ask()
            if found is not None:
                return found
        time.sleep(0.1)
    raise StageFailed(f"{what}: not within {within_s:.0f} s")


@contextlib.contextmanager
def local_broker() -> Iterator[str]:
    """Start a real Kafka on this machine and give its address.

    Raises:
        StageFailed: this is no checkout, or the broker did not start; nothing else was started.
    """
    checkout = os.environ.get("COMITY_CHECKOUT")
    script = Path(checkout or ".") / "deploy" / "kafka" / "local_broker.py"
    if not script.exists():
        raise StageFailed("--kafka starts the broker of the checkout's deploy/kafka: run ./comity demo there")
    process = subprocess.Popen(  # noqa: S603 our own script
        [sys.executable, str(script), "--until-stdin-closes"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        announced = process.stdout.readline()
        if not announced:
            raise StageFailed("the broker did not start; its own words stand above")
        yield json.loads(announced)["bootstrap"]
    finally:
        process.stdin.close()
        process.wait(30)
