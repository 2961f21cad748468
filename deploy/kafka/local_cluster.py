"""Starts three real brokers on this machine as a hub runs them: TLS, accounts and ACLs, one broker may be lost.

    python deploy/kafka/local_cluster.py [--brokers 3] [--directory D] [--version V] [--behind PORT,PORT,PORT]

It is for tests of what happens when brokers fail. When all have answered, one line of JSON appears on stdout,

    {"bootstrap": "127.0.0.1:40123,...", "pids": [4711, ...], "cafile": "...", "keystore": "...",
     "username": "admin", "password": "...", "directory": "...", "seconds": 7.4, "version": "4.3.1"}

and then every line on stdin is a command, each answered by a line with the pids (0 for one that does not run) or an
`error`. The script ends with stdin.

    kill N    end broker N at once           start N M …  start these again, and wait until they answer
    stop N    let it end in order            rebuild      end all, forget everything, start anew as another cluster

The rules are those of local_broker.py: pinned jars only, on 127.0.0.1 only, nothing outlives this script. Certificates
and passwords are made for this directory and good for nothing else; every start begins anew, also in a directory that
was named. Standard library only.
"""

import argparse
import functools
import json
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from local_broker import DEFAULT_VERSION, format_storage, java_command, new_cluster_id, write_settings  # noqa: E402
from local_cache import CannotStart  # noqa: E402
from local_process import (  # noqa: E402
    Command,
    announce,
    common_arguments,
    data_directory,
    free_ports,
    run,
    running,
    wait_until,
    with_fresh_ports,
)

ADMIN = "admin"
STOP_SECONDS = 20
"""How long a broker may take to hand over what it leads and end."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where one broker listens."""

    client: int
    internal: int
    controller: int
    advertised: int
    """What clients are told: another one than `client` when something stands between."""


@dataclass(slots=True)
class Cluster:
    """The brokers of one directory, by number from 1."""

    java: list[str]
    directory: Path
    ports: list[Ports]
    password: str
    store: Path
    running: dict[int, tuple[subprocess.Popen[bytes], ExitStack]] = field(default_factory=dict)

    def home(self, number: int) -> Path:
        """The directory of one broker."""
        return self.directory / f"broker-{number}"

    def prepare(self) -> None:
        """Write all settings and format all storage, as a new cluster."""
        cluster = new_cluster_id()
        account = f"SCRAM-SHA-512=[name={ADMIN},password={self.password}]"

        def one(number: int) -> None:
            home = self.home(number)
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            settings = write_settings(home, 0, 0, self.differing(number))
            format_storage(self.java, home, settings, cluster, "--add-scram", account)

        with ThreadPoolExecutor() as threads:
            list(threads.map(one, self.numbers()))

    def numbers(self) -> range:
        """The brokers' numbers."""
        return range(1, len(self.ports) + 1)

    def differing(self, number: int) -> dict[str, object]:
        """What differs from server.properties, which is for one open broker."""
        ports = self.ports[number - 1]
        most, enough = min(3, len(self.ports)), max(1, min(3, len(self.ports)) - 1)
        between = (
            'org.apache.kafka.common.security.plain.PlainLoginModule required username="broker" '
            f'password="{self.password}" user_broker="{self.password}";'
        )
        return {
            "node.id": number,
            "controller.quorum.voters": ",".join(
                f"{n}@127.0.0.1:{p.controller}" for n, p in enumerate(self.ports, start=1)
            ),
            "listeners": f"CLIENT://127.0.0.1:{ports.client},INTERNAL://127.0.0.1:{ports.internal},"
            f"CONTROLLER://127.0.0.1:{ports.controller}",
            "advertised.listeners": f"CLIENT://127.0.0.1:{ports.advertised},INTERNAL://127.0.0.1:{ports.internal}",
            "inter.broker.listener.name": "INTERNAL",
            # Between the brokers no TLS: they never leave this machine. PLAIN, because the accounts of members lie in
            # the log that a broker can read only after it has signed in.
            "listener.security.protocol.map": "CLIENT:SASL_SSL,INTERNAL:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.internal.plain.sasl.jaas.config": between,
            "listener.name.controller.plain.sasl.jaas.config": between,
            "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.client.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            "listener.name.client.ssl.keystore.type": "PKCS12",
            "listener.name.client.ssl.keystore.location": self.store,
            "listener.name.client.ssl.keystore.password": self.password,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:broker;User:{ADMIN}",
            "allow.everyone.if.no.acl.found": "false",
            "default.replication.factor": most,
            "min.insync.replicas": enough,
            "offsets.topic.replication.factor": most,
            "transaction.state.log.replication.factor": most,
            "transaction.state.log.min.isr": enough,
            "share.coordinator.state.topic.replication.factor": most,
            "share.coordinator.state.topic.min.isr": enough,
            "num.replica.fetchers": 1,
            # A test of retention must not wait five minutes for it, nor one of a lost broker for nine seconds.
            "log.retention.check.interval.ms": 1000,
            "log.initial.task.delay.ms": 1000,
            "broker.session.timeout.ms": 4000,
            "broker.heartbeat.interval.ms": 500,
        }

    def start(self, *numbers: int) -> None:
        """Start brokers together and wait until all of them answer.

        Raises:
            CannotStart: one does not; the others stay.
        """
        for number in numbers:
            if number in self.running and self.running[number][0].poll() is None:
                raise CannotStart(f"broker {number} runs already")
            self.end(number)
            command = [*self.java, "kafka.Kafka", str(self.home(number) / "server.properties")]
            stack = ExitStack()
            # Killed at the end: nobody needs its data, and one that is paused would never obey.
            process = stack.enter_context(running(Command(command, self.log(number), signal.SIGKILL, account={})))
            self.running[number] = (process, stack)
        for number in numbers:
            port = self.ports[number - 1].client
            process, _ = self.running[number]
            wait_until(functools.partial(takes_tls, port, self.cafile()), process, self.log(number))

    def end(self, number: int) -> None:
        """Kill a broker, if it runs."""
        if number in self.running:
            self.running.pop(number)[1].close()

    def stop(self, number: int) -> None:
        """Let a broker hand over and end."""
        if number in self.running:
            process = self.running[number][0]
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired as late:
                raise CannotStart(f"broker {number} does not end") from late
            self.end(number)

    def rebuild(self) -> None:
        """Start anew with nothing, as another cluster at the same addresses."""
        for number in self.numbers():
            self.end(number)
        self.prepare()
        self.start(*self.numbers())

    def log(self, number: int) -> Path:
        """Where a broker writes what it has to say."""
        return self.home(number) / "broker.log"

    def cafile(self) -> Path:
        """The certificate that clients trust."""
        return self.directory / "ca.pem"

    def pids(self) -> list[int]:
        """The process of each broker; 0 where none runs."""
        return [
            self.running[n][0].pid if n in self.running and self.running[n][0].poll() is None else 0
            for n in self.numbers()
        ]

    def obey(self, line: str) -> None:
        """Carry out one command.

        Raises:
            CannotStart: it cannot be carried out.
        """
        known = {str(number): number for number in self.numbers()}
        match line.split():
            case ["kill", digits] if digits in known:
                self.end(known[digits])
            case ["stop", digits] if digits in known:
                self.stop(known[digits])
            case ["start", *several] if several and known.keys() >= set(several):
                # Together: a broker without a majority of the others does not answer.
                self.start(*[known[digits] for digits in several])
            case ["rebuild"]:
                self.rebuild()
            case _:
                raise CannotStart(f"{line.strip()!r} is no command: kill N, stop N, start N M …, rebuild")


def takes_tls(port: int, cafile: Path) -> bool:
    """Whether a broker completes a TLS handshake with the right certificate."""
    context = ssl.create_default_context(cafile=cafile)
    try:
        with (
            socket.create_connection(("127.0.0.1", port), 1) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1"),
        ):
            return True
    except (OSError, ssl.SSLError):
        return False


def make_certificate(java: list[str], directory: Path, password: str) -> Path:
    """Make a key and a certificate for 127.0.0.1, and give the keystore; the certificate itself is `ca.pem`."""
    keytool = str(Path(java[0]).with_name("keytool"))
    store = directory / "broker.p12"
    keys = ["-keystore", str(store), "-storetype", "PKCS12", "-storepass", password, "-alias", "broker"]
    usage = ["-ext", "san=ip:127.0.0.1,dns:localhost", "-ext", "bc:c=ca:true"]
    usage += ["-ext", "ku:c=digitalSignature,keyCertSign"]
    made = ["-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=localhost", "-validity", "30"]
    for arguments in ([*made, *usage], ["-exportcert", "-rfc", "-file", str(directory / "ca.pem")]):
        making = subprocess.run([keytool, *arguments, *keys], capture_output=True, text=True, check=False)  # noqa: S603
        if making.returncode:
            raise CannotStart(f"keytool could not make a certificate: {making.stdout}{making.stderr}")
    return store


@contextmanager
def gathered(java: list[str], directory: Path, brokers: int, behind: list[int]) -> Iterator[Cluster]:
    """A cluster that is prepared; everything that runs is ended with the block."""
    free = free_ports(0, 3 * brokers)
    ports = []
    for number in range(brokers):
        client, internal, controller = free[3 * number : 3 * number + 3]
        ports.append(Ports(client, internal, controller, behind[number] if behind else client))
    password = secrets.token_hex(16)
    (directory / "ca.pem").unlink(missing_ok=True)
    (directory / "broker.p12").unlink(missing_ok=True)
    cluster = Cluster(java, directory, ports, password, make_certificate(java, directory, password))
    cluster.prepare()
    try:
        yield cluster
    finally:
        for number in cluster.numbers():
            cluster.end(number)


def serve_once(java: list[str], directory: Path, asked: argparse.Namespace) -> None:
    """Start all brokers, announce them, and obey until stdin ends."""
    began = time.monotonic()
    behind = [int(port) for port in asked.behind.split(",")] if asked.behind else []
    if behind and len(behind) != asked.brokers:
        raise CannotStart("--behind needs one port for each broker")
    with gathered(java, directory, asked.brokers, behind) as cluster:
        cluster.start(*cluster.numbers())
        announce(
            bootstrap=",".join(f"127.0.0.1:{ports.client}" for ports in cluster.ports),
            pids=cluster.pids(),
            cafile=str(cluster.cafile()),
            keystore=str(cluster.store),
            username=ADMIN,
            password=cluster.password,
            directory=str(directory),
            seconds=round(time.monotonic() - began, 1),
            version=asked.version,
        )
        for line in sys.stdin:
            try:
                cluster.obey(line)
            except CannotStart as error:
                print(json.dumps({"error": str(error), "pids": cluster.pids()}), flush=True)
            else:
                print(json.dumps({"pids": cluster.pids()}), flush=True)


def main() -> None:
    """Fetch what is missing, start the brokers and stay with them."""
    parser = common_arguments("Start several real, secured brokers on 127.0.0.1, for tests of failure.")
    parser.add_argument("--version", default=DEFAULT_VERSION, help=f"Kafka's version (default: {DEFAULT_VERSION})")
    parser.add_argument("--brokers", type=int, default=3, help="how many (default: 3)")
    parser.add_argument("--behind", default="", help="ports that clients are told instead, one a broker: a proxy's")
    asked = parser.parse_args()
    java = java_command(asked.version)
    if asked.fetch_only:
        return
    with data_directory(asked.directory, "kafka") as directory:
        with_fresh_ports(lambda: serve_once(java, directory, asked))


if __name__ == "__main__":
    run("local_cluster", main)
