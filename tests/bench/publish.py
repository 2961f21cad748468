"""Approved findings a second that a relay signs, sends, sees acknowledged and marks, on Kafka.

    ./comity bench publish [--size 10k] [--database sqlite|postgres]

The findings are approved and wait in the outbox before the relay starts, a process of its own (`comity exchange
--only relay`) with its database and the broker on the same machine. The first 5 % are not counted. At the end every
record must be on the topic once, in order, unbroken and acceptable, and marked.

The reference is aiokafka's idempotent producer sending the same bytes to the same broker, as fast as it can.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from aiokafka import AIOKafkaProducer

from bench.frame.buses import database_of, kafka
from bench.frame.corpus import outgoing
from bench.frame.progress import progress, say
from bench.frame.receiver import LOOK_S, NODE, Run, founded
from bench.frame.results import Goal, arguments, report
from comity_federation.bus import statements_topic
from comity_federation.decision import Accepted, Trust
from comity_federation.kafka_bus import KafkaBus, KafkaSettings
from comity_federation.kafka_topics import prepare_topics
from comity_federation.log_state import LogState
from comity_federation.statements import Outgoing, cloud_event_headers
from comity_node.db.reviews import Review
from comity_node.services.review.release import RELEASE
from node_world import House, clean_environment

GOAL = Goal(ratio_at_least=0.25, value_at_least=3_000)
SPARE = "bare-producer"
"""Whose topic the reference writes to."""

AT_ONCE = 500
"""Approvals in one transaction while preparing."""


async def approve(house: House, size: int) -> None:
    """Let two people have approved so many findings."""
    first, second = [await house.hire(name, "reviewer") for name in ("Ana", "Bakari")]
    with progress("approving findings", size) as bar:
        for begin in range(0, size, AT_ONCE):
            async with house.node.database.write() as store:
                for number in range(begin, min(begin + AT_ONCE, size)):
                    now, name = datetime.now(UTC), f"review-{number}"
                    await store.reviews.add(
                        Review(name, RELEASE, "proposed", "{}", proposed_by=first.person.id, proposed_at=now)
                    )
                    await store.reviews.decide(name, state="approved", by=second.person.id, now=now)
                    await store.outbox.add(name, outgoing(number % 50, 1 + number // 50))
            bar.at(begin + AT_ONCE)


@contextmanager
def relay(house: House) -> Iterator[None]:
    """Run the node's relay as a process of its own while the block lasts."""
    log = house.home.parent / "relay.log"
    with log.open("w") as said:
        command = [sys.executable, "-c", "from comity_node.cli import main; main()"]
        command += ["exchange", "--home", str(house.home), "--only", "relay"]
        process = subprocess.Popen(command, stdout=said, stderr=said, env=clean_environment())
        try:
            yield
            assert process.poll() is None, f"the relay ended: {log.read_text()}"
        finally:
            process.terminate()
            process.wait(30)


async def watch(house: House, size: int) -> Run:
    """Wait until everything is marked as sent."""
    began, samples = time.perf_counter(), [(0.0, 0)]
    with progress("publishing", size) as bar:
        while samples[-1][1] < size:
            await asyncio.sleep(LOOK_S)
            async with house.node.database.read() as store:
                done = (await store.outbox.counts()).get("sent", 0)
            if done > samples[-1][1]:
                samples.append((time.perf_counter() - began, done))
            bar.at(done)
    return Run(samples)


async def require_published(house: House, bootstrap: str, size: int) -> list[bytes]:
    """Assert that the topic holds what was approved, once, in order, as any node would accept it; return it."""
    bus = KafkaBus(KafkaSettings(bootstrap), "bench")
    await bus.start()
    on_topic = [delivered.value for delivered in await bus.tail(statements_topic(NODE), most=2 * size)]
    await bus.stop()
    async with house.node.database.read() as store:
        items = await store.outbox.in_state("sent", most=2 * size)
        broken = await store.trail.first_break()
    assert broken is None, f"the trail breaks at {broken}"
    assert [item.review_id for item in items] == [f"review-{number}" for number in range(size)]
    assert [item.seq for item in items] == list(range(1, size + 1))
    assert on_topic == [item.record for item in items], "sent is not what was signed, once and in order"
    assert house.node.registry_client is not None
    member = house.node.own_member(house.node.trusted_registry())
    state, trust = LogState(), Trust(member)
    for raw in on_topic:
        assert isinstance(state.decide(raw, trust), Accepted)
        state.places = {state.head: state.places[state.head]}
    return on_topic


async def produce(bootstrap: str, records: Sequence[tuple[bytes, list[tuple[str, bytes]]]]) -> float:
    """Return the records a second of aiokafka's idempotent producer."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", linger_ms=5, max_batch_size=200_000
    )
    await producer.start()
    began = time.perf_counter()
    futures = []
    for value, headers in records:
        futures.append(await producer.send(statements_topic(SPARE), value, partition=0, headers=headers))
    await asyncio.gather(*futures)
    took = time.perf_counter() - began
    await producer.stop()
    say(f"aiokafka's idempotent producer: {len(records) / took:,.0f}/s")
    return len(records) / took


async def measure(bootstrap: str, directory: Path, database: str | None, size: int) -> None:
    """Approve, publish, compare and print."""
    prepare_topics(KafkaSettings(bootstrap), [SPARE])
    async with founded(directory, f"kafka://{bootstrap}", database=database) as house:
        await approve(house, size)
        assert house.node.registry_client is not None
        await asyncio.to_thread(house.node.registry_client.refresh)
        with relay(house):
            rate = (await watch(house, size)).rate()
        records = await require_published(house, bootstrap, size)
    said = Outgoing("finding", outgoing(0, 1).handling, {}, {}, {})
    headers = cloud_event_headers(f"did:web:{NODE}.example", 1, said.kind, datetime.now(UTC))
    sent = [(raw, [(name, text.encode()) for name, text in headers.items()]) for raw in records]
    bare = max([await produce(bootstrap, sent) for _ in range(3)])
    report(
        "publish",
        rate,
        "findings/s",
        goal=GOAL,
        reference="aiokafka's idempotent producer, same bytes, records/s",
        reference_value=bare,
        findings=size,
    )


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__, size="10k")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    asked = parser.parse_args()
    with (
        kafka() as bootstrap,
        tempfile.TemporaryDirectory(prefix="comity-bench-") as directory,
        database_of(asked.database, Path(directory)) as database,
    ):
        asyncio.run(measure(bootstrap, Path(directory), database, asked.size))


if __name__ == "__main__":
    main()
