"""What befalls brokers, and what two real nodes make of it: one publishes all the while, the other receives.

Each fault is a coroutine of `FAULTS`: it does the harm, lets it last, and mends it. `suffer` measures what the nodes do
meanwhile and says in an `Outcome` what must hold of every fault.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

import servers
from broker_world import Brokers, brokers, free_ports
from comity_federation import strict_json
from comity_federation.bus import statements_topic
from comity_federation.encoding import digest
from comity_federation.kafka_topics import prepare_topics, revoke_rights
from comity_node.db.reports import StoredReport
from comity_node.domain.minimize import Policy
from comity_node.domain.people import Person
from comity_node.services.operating.check import check
from comity_node.services.review.release import approve, propose_release
from comity_schemas.member import Role
from fault_proxy import PRODUCE
from heard import hear
from node_world import Served, Town, audit_report, served, until

RELEASE_EVERY_S = 0.4
RECOVERED_WITHIN_S = 30.0
AGENCY, BODY = "agency", "body"


@dataclass
class Network:
    """Three brokers, a member that publishes and one that receives, each a process of its own."""

    brokers: Brokers
    town: Town
    directory: Path
    at: dict[str, Served] = field(default_factory=dict)
    people: tuple[Person, Person] | None = None
    released: int = 0

    @property
    def topic(self) -> str:
        return statements_topic(AGENCY)

    def password_file(self, slug: str) -> Path:
        return self.directory / f"{slug}.password"

    async def admit(self) -> None:
        """Let the hub make topics, accounts and rights."""
        await self.brokers.admit({slug: self.password_file(slug).read_text() for slug in self.town.houses})

    async def release(self) -> None:
        """Let two people of the agency release one more finding."""
        house = self.town.houses[AGENCY]
        now = house.node.clock()
        if self.people is None:
            self.people = (
                (await house.hire("one", "reviewer")).person,
                (await house.hire("two", "reviewer", "focal-point")).person,
            )
        one, two = self.people
        self.released += 1
        raw = strict_json.dumps(audit_report(ref=f"fault-{self.released}").to_parsed())
        report = StoredReport(digest(raw), "register", raw, None, None, None, None, raw.hex()[:64], (), one.id, now)
        async with house.node.database.write() as store:
            await store.reports.add(report)
            review = await propose_release(store, one, report.id, "O1", policy=Policy(), now=now)
            await hear(store, one, review.id, now)
            await approve(store, two, review.id, now, Role.AGENCY)

    async def ready(self, slug: str) -> dict[str, Any]:
        """Return what a node says of itself."""
        async with httpx2.AsyncClient(timeout=20) as client:
            answer: dict[str, Any] = (await client.get(f"{self.at[slug].url}/readyz")).json()
            return answer

    async def all_applied(self) -> bool:
        """Tell whether the receiver counts everything that was released, and nothing holds either node up."""
        if await self.applied() < self.released:
            return False
        return all([(await self.ready(slug))["ready"] for slug in self.at])

    async def applied(self) -> int:
        async with self.town.houses[BODY].node.database.read() as store:
            return (await store.received.counts()).get(AGENCY, {}).get("accepted", 0)

    async def lost_and_doubled(self) -> tuple[int, int]:
        """Compare what was released with what the receiver counts."""
        async with self.town.houses[AGENCY].node.database.read() as store:
            sent = [item.hash for item in await store.outbox.in_state("sent", most=100_000)]
        async with self.town.houses[BODY].node.database.read() as store:
            counted = Counter([(each.seq, each.hash) async for each in store.received.accepted(AGENCY)])
            entries = await store.view.of_log(AGENCY)
        hashes = {name for _, name in counted}
        lost = self.released - len(sent) + sum(name not in hashes or name not in entries for name in sent)
        return lost, counted.total() - len({seq for seq, _ in counted}) + len(entries) - len(hashes)


@asynccontextmanager
async def network(directory: Path, *options: str) -> AsyncIterator[Network]:
    """Run everything while the block lasts."""
    async with brokers(*options) as running:
        town = Town(directory, f"kafka://{running.announced['bootstrap']}")
        made = Network(running, town, directory)
        for slug, role, port in zip((AGENCY, BODY), (Role.AGENCY, Role.PROCUREMENT_BODY), free_ports(2), strict=True):
            made.password_file(slug).write_text(f"first-{slug}")
            more: dict[str, object] = {
                "kafka_security": "SASL_SSL",
                "kafka_username": slug,
                "kafka_password_file": str(made.password_file(slug)),
                "kafka_ca_file": str(running.cafile),
                "refill_after_s": 1.0,
            }
            await town.found(slug, role, port=port, endpoint=f"http://127.0.0.1:{port}", more=more)
        await made.admit()
        with ExitStack() as stack:
            for slug, house in town.houses.items():
                made.at[slug] = await asyncio.to_thread(stack.enter_context, served(house.home))
            await made.release()
            await until("the first finding is applied", made.all_applied)
            yield made
        await town.close()


# what the nodes do meanwhile


@dataclass
class Outcome:
    """What must hold whatever befalls the brokers."""

    fault: str
    lasted_s: float = 0.0
    released: int = 0
    lost: int = 0
    doubled: int = 0
    problems: list[str] = field(default_factory=list)
    """What `comity check` finds at either node."""
    api_slowest_s: float = 0.0
    api_failed: int = 0
    waited: int = 0
    """Most that waited in the outbox, as `/readyz` says."""
    words: dict[str, str] = field(default_factory=dict)
    """What `/readyz` said held a node up, by condition."""
    recovered_s: float = 0.0
    """From the end of the fault until all is applied and both nodes are ready."""
    processor_share: float = 0.0
    """Processor time of both exchange processes while the fault lasted, as a share of one core."""
    asked_per_s: float = 0.0
    """Requests that reached the proxies while the fault lasted."""
    grown_mb: float = 0.0
    """By how much both exchange processes grew together."""


async def suffer(network: Network, fault: str, seconds: float) -> Outcome:
    """Let a fault last while findings are released and both nodes are watched, then wait until all is well again."""
    outcome = Outcome(fault)
    before = network.released
    exchanges = [_exchange_of(served) for served in network.at.values()]
    cpu, grown, asked, began = (
        _processor_s(exchanges),
        _resident_mb(exchanges),
        network.brokers.asked(),
        time.monotonic(),
    )
    watching = [asyncio.create_task(_release_steadily(network)), asyncio.create_task(_watch(network, outcome))]
    try:
        await FAULTS[fault](network, seconds)
        took = outcome.lasted_s = time.monotonic() - began
        outcome.processor_share = (_processor_s(exchanges) - cpu) / took
        outcome.asked_per_s = (network.brokers.asked() - asked).total() / took
        mended = time.monotonic()
        watching[0].cancel()
        with suppress(asyncio.CancelledError):
            await watching[0]
        await until(f"after {fault}, all is applied", network.all_applied, 4 * RECOVERED_WITHIN_S)
        outcome.recovered_s = time.monotonic() - mended
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    outcome.grown_mb = _resident_mb(exchanges) - grown
    outcome.released = network.released - before
    outcome.lost, outcome.doubled = await network.lost_and_doubled()
    for house in network.town.houses.values():
        outcome.problems += await check(house.node.database, house.node.trusted_registry(), datetime.now(UTC))
    return outcome


async def _release_steadily(network: Network) -> None:
    while True:
        # Shielded: an act of two people is done or not, but not cut in the middle by the end of a test.
        await asyncio.shield(network.release())
        await asyncio.sleep(RELEASE_EVERY_S)


async def _watch(network: Network, outcome: Outcome) -> None:
    async with httpx2.AsyncClient(timeout=20) as client:
        while True:
            for slug, node in network.at.items():
                began = time.monotonic()
                try:
                    alive = await client.get(f"{node.url}/healthz")
                    said = (await client.get(f"{node.url}/readyz")).json()
                except httpx2.HTTPError:
                    outcome.api_failed += 1
                    continue
                outcome.api_slowest_s = max(outcome.api_slowest_s, time.monotonic() - began)
                outcome.api_failed += alive.status_code != 200
                outcome.waited = max(outcome.waited, said["waiting_to_send"])
                outcome.words |= {f"{slug}: {held['name']}": held["text"] for held in said["held_up"]}
            await asyncio.sleep(0.3)


def _exchange_of(node: Served) -> int:
    (child,) = Path(f"/proc/{node.process.pid}/task/{node.process.pid}/children").read_text().split()
    return int(child)


def _processor_s(pids: list[int]) -> float:
    ticks = 0
    for pid in pids:
        parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(parts[11]) + int(parts[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _resident_mb(pids: list[int]) -> float:
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


# the faults


async def leader_killed(network: Network, seconds: float) -> None:
    leader = await network.brokers.leader(network.topic)
    await network.brokers.do(f"kill {leader}")
    await asyncio.sleep(seconds)
    await network.brokers.do(f"start {leader}")


async def leader_paused(network: Network, seconds: float) -> None:
    leader = await network.brokers.leader(network.topic)
    network.brokers.pause(leader)
    await asyncio.sleep(seconds)
    network.brokers.resume(leader)


async def two_paused(network: Network, seconds: float) -> None:
    leader = await network.brokers.leader(network.topic)
    other = leader % 3 + 1
    network.brokers.pause(leader, other)
    await asyncio.sleep(seconds)
    network.brokers.resume(leader, other)


async def rolling_restart(network: Network, seconds: float) -> None:
    for number in (1, 2, 3):
        await network.brokers.do(f"stop {number}")
        await network.brokers.do(f"start {number}")
        await asyncio.sleep(seconds / 3)


async def acknowledgements_lost(network: Network, seconds: float) -> None:
    before = sum(proxy.lost for proxy in network.brokers.proxies)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        leader = await network.brokers.leader(network.topic)
        network.brokers.proxies[leader - 1].to_lose = 1
        await asyncio.sleep(1.5)
    for proxy in network.brokers.proxies:
        proxy.to_lose = 0
    assert sum(proxy.lost for proxy in network.brokers.proxies) > before, f"no answer to request {PRODUCE} was lost"


async def disks_full(network: Network, seconds: float) -> None:
    """A broker that cannot write ends itself; this one befalls all three."""
    network.brokers.fill_disk(1, 2, 3)

    async def all_ended() -> bool:
        return not network.brokers.alive()

    await until("the brokers end for want of room", all_ended, 60)
    await asyncio.sleep(seconds)
    await network.brokers.do("start 1 2 3")


async def cluster_rebuilt(network: Network, seconds: float) -> None:
    await network.brokers.do("rebuild")
    await asyncio.sleep(seconds)  # Nobody has an account there yet.
    await network.admit()


async def topic_truncated(network: Network, seconds: float) -> None:
    from kafka.structs import TopicPartition  # noqa: PLC0415

    place = TopicPartition(network.topic, 0)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await network.brokers.at_the_hub(lambda admin: admin.delete_records({place: -1}))
        await asyncio.sleep(1)


async def history_lost_to_one(network: Network, seconds: float) -> None:
    """What was published while the receiver stood still is gone from the topic before it goes on."""
    receiver = _exchange_of(network.at[BODY])
    servers.pause(receiver)
    try:
        await asyncio.sleep(seconds)
        await topic_truncated(network, 1)
    finally:
        servers.resume(receiver)


async def history_shortened(network: Network, seconds: float) -> None:
    await _configure(network, {"retention.ms": "1"})
    await asyncio.sleep(seconds)
    await asyncio.to_thread(prepare_topics, network.brokers.admin, [AGENCY, BODY], replication_factor=3, min_insync=2)


async def _configure(network: Network, configs: dict[str, str]) -> None:
    from kafka.admin import ConfigResource, ConfigResourceType  # noqa: PLC0415

    change = ConfigResource(ConfigResourceType.TOPIC, network.topic, configs)
    await network.brokers.at_the_hub(lambda admin: admin.alter_configs([change], incremental=True))


async def rights_revoked(network: Network, seconds: float) -> None:
    await asyncio.to_thread(revoke_rights, network.brokers.admin, [f"User:{AGENCY}", f"User:{BODY}"])
    await asyncio.sleep(seconds)
    await network.brokers.grant(AGENCY, BODY)


async def password_changed(network: Network, seconds: float) -> None:
    """The hub changes it, the connections end, and only later the node's people put the new one into its file."""
    new = f"next-{network.released}"
    await network.brokers.set_password(AGENCY, new)
    for proxy in network.brokers.proxies:
        proxy.cut()
    await asyncio.sleep(seconds)
    network.password_file(AGENCY).write_text(new)


FAULTS: dict[str, Callable[[Network, float], Awaitable[None]]] = {
    fault.__name__: fault
    for fault in (
        leader_killed,
        leader_paused,
        two_paused,
        rolling_restart,
        acknowledgements_lost,
        topic_truncated,
        history_lost_to_one,
        history_shortened,
        rights_revoked,
        password_changed,
        disks_full,
        cluster_rebuilt,
    )
}
