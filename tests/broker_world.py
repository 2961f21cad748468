"""Three real brokers that a test may kill, pause and fill, with proxies before them, and the hub's administrator.

`Brokers` runs `deploy/kafka/local_cluster.py`. Clients are told the proxies' addresses, so every connection passes one.
"""

import asyncio
import json
import resource
import socket
import ssl
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

import servers
from comity_federation.kafka.cluster import Absent, Cluster
from comity_federation.kafka_bus import KafkaSettings
from comity_federation.kafka_topics import grant_rights, kafka_admin, prepare_topics
from fault_proxy import FaultProxy


class Brokers:
    """The brokers by number from 1, each behind a proxy."""

    def __init__(self, process: asyncio.subprocess.Process, announced: dict[str, Any], proxies: list[FaultProxy]):
        self._process = process
        self.announced = announced
        self.proxies = proxies
        self.pids: list[int] = announced["pids"]
        self.cafile = Path(announced["cafile"])

    @property
    def admin(self) -> KafkaSettings:
        """The administrator's own way in."""
        return self.settings(self.announced["username"], self.announced["password"])

    def settings(self, username: str, password: str) -> KafkaSettings:
        return KafkaSettings(self.announced["bootstrap"], "SASL_SSL", username, password, self.cafile)

    async def do(self, command: str) -> None:
        """Let the script carry out a command (`kill 2`, `start 2`, `stop 2`, `rebuild`)."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n".encode())
        answer = json.loads(await self._process.stdout.readline())
        assert "error" not in answer, answer
        self.pids = answer["pids"]

    def pause(self, *numbers: int) -> None:
        for number in numbers:
            servers.pause(self.pids[number - 1])

    def resume(self, *numbers: int) -> None:
        for number in numbers:
            servers.resume(self.pids[number - 1])

    def fill_disk(self, *numbers: int, room: int = 0) -> None:
        """From now on no file of these brokers grows beyond `room` bytes: to them, the disk is full."""
        for number in numbers:
            resource.prlimit(self.pids[number - 1], resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))

    def alive(self) -> list[int]:
        """Return the numbers of the brokers whose processes run."""
        return [number for number, pid in enumerate(self.pids, start=1) if pid and _runs(pid)]

    async def leader(self, topic: str) -> int:
        """Return which broker leads a topic."""
        cluster = Cluster(self.admin, "test")
        try:
            while True:
                found = (await cluster.leaders([topic]))[topic]
                if not isinstance(found, Absent):
                    return found
                await asyncio.sleep(0.2)
        finally:
            await cluster.close()

    async def at_the_hub(self, work: Callable[[Any], Any]) -> Any:
        """Let the administrator do something."""

        def act() -> Any:
            with kafka_admin(self.admin) as admin:
                return work(admin)

        return await asyncio.to_thread(act)

    async def admit(self, accounts: dict[str, str]) -> None:
        """Make topics, accounts and rights of members, by slug and password."""
        await asyncio.to_thread(
            prepare_topics,
            self.admin,
            list(accounts),
            replication_factor=min(3, len(self.pids)),
            min_insync=self.enough,
        )
        for slug, password in accounts.items():
            await self.set_password(slug, password)
        await self.grant(*accounts)

    @property
    def enough(self) -> int:
        return max(1, len(self.pids) - 1)

    async def grant(self, *slugs: str) -> None:
        await asyncio.to_thread(grant_rights, self.admin, {slug: f"User:{slug}" for slug in slugs})

    async def set_password(self, slug: str, password: str) -> None:
        """Give an account another password."""
        from kafka.admin import ScramMechanism, UserScramCredentialUpsertion  # noqa: PLC0415

        change = UserScramCredentialUpsertion(slug, ScramMechanism.SCRAM_SHA_512, password)
        failed = await self.at_the_hub(lambda admin: admin.alter_user_scram_credentials([change]))
        assert not any(failed.values()), failed

    def asked(self) -> Counter[int]:
        """Return how many requests of each kind have passed so far."""
        return sum((proxy.asked for proxy in self.proxies), Counter())


@asynccontextmanager
async def brokers(*options: str, count: int = 3) -> AsyncIterator[Brokers]:
    """Run brokers behind proxies while the block lasts."""
    await asyncio.to_thread(servers.fetch, servers.LOCAL_CLUSTER, *options)
    ports = free_ports(count)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(servers.LOCAL_CLUSTER),
        *("--brokers", str(count), "--behind", ",".join(map(str, ports)), *options),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(servers.START_SECONDS):
            line = await process.stdout.readline()
        if not line:
            raise servers.ServerFailed(f"local_cluster.py did not start: {(await process.stderr.read()).decode()}")
        announced = json.loads(line)
        outside, inside = _contexts(announced)
        behind = [int(address.rpartition(":")[2]) for address in announced["bootstrap"].split(",")]
        proxies = [FaultProxy(port, real, outside, inside) for port, real in zip(ports, behind, strict=True)]
        for proxy in proxies:
            await proxy.start()
        announced["bootstrap"] = ",".join(f"127.0.0.1:{port}" for port in ports)
        try:
            yield Brokers(process, announced, proxies)
        finally:
            for proxy in proxies:
                await proxy.stop()
    finally:
        process.stdin.close()
        await process.wait()


def free_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 that nobody listens on now."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _contexts(announced: dict[str, Any]) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the broker's own TLS, and that of somebody who trusts it."""
    store = Path(announced["keystore"]).read_bytes()
    key, certificate, _ = pkcs12.load_key_and_certificates(store, announced["password"].encode())
    assert key is not None
    assert certificate is not None
    outside = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with tempfile.NamedTemporaryFile(suffix=".pem") as pem:
        pem.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        pem.write(certificate.public_bytes(Encoding.PEM))
        pem.flush()
        outside.load_cert_chain(pem.name)
    return outside, ssl.create_default_context(cafile=announced["cafile"])


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
