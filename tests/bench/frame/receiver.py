"""A node that receives a corpus: founded as anybody would, and served as the processes that production runs."""

import asyncio
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from nacl.signing import VerifyKey
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

import node_world
from bench.frame.buses import fill_kafka, fill_local
from bench.frame.corpus import MEMBERS, Corpus, members, publisher, spare
from bench.frame.progress import progress
from bench.frame.results import Reference
from comity_federation import jws
from comity_federation.kafka_bus import KafkaSettings
from comity_federation.kafka_topics import prepare_topics
from comity_node.domain.supplier_view import EntryState
from comity_schemas.member import MemberStatus, Role
from comity_schemas.statement import STATEMENT_TYP
from node_world import House, Served, Town

SAMPLE = 2_000
"""Records of which the reference verifies the signatures."""

SPARE = spare().name

LOOK_S = 0.25
"""How often the receiving node's database is asked how far it is: each look takes from what is measured."""

_SETTLED = text("select coalesce(sum(head), 0) from log where member not in (:own, :spare)")
"""One prepared question over one connection: asked through a store it took a twentieth of a core."""

AS_FOUNDED = {"registry_every_s": 30.0}
"""A new node's own settings, where tests are in more of a hurry."""

WARM = 0.05
"""The part of a run that is not counted: processes start, and the first batches come."""

NODE = f"reader-{secrets.token_hex(3)}"
"""The receiving member: another one in each process, since a broker may outlive it."""


def bare_verification(corpus: Corpus) -> Reference:
    """Return the yardstick: one core checking nothing but the Ed25519 signatures of the corpus."""
    keys = [publisher(number).keys[0].verify_key for number in range(MEMBERS)]
    work: list[tuple[VerifyKey, bytes, bytes]] = []
    for place, raw in enumerate(corpus.records(min(SAMPLE, corpus.size))):
        statement = raw.removeprefix(b'{"statement":"').partition(b"~")[0].decode()
        token = jws.take_apart(statement, STATEMENT_TYP)
        work.append((keys[place % MEMBERS], token.signed, token.signature))

    def verify() -> int:
        for key, signed, signature in work:
            key.verify(signed, signature)
        return len(work)

    return Reference("one core's Ed25519 verifications by PyNaCl", verify)


@asynccontextmanager
async def founded(directory: Path, bus: str, *, database: str | None = None) -> AsyncIterator[House]:
    """Found a node in a registry that lists the corpus's members."""
    town = Town(directory, bus)
    house = await town.found(NODE, Role.PROCUREMENT_BODY, database=database, more=AS_FOUNDED)
    listed = (*members(), spare().member())
    town.admit(*(member.model_copy(update={"status": MemberStatus.PENDING}) for member in listed))
    if bus.startswith("kafka:"):
        prepare_topics(KafkaSettings(bus.removeprefix("kafka://")), [NODE, SPARE])
    try:
        yield house
    finally:
        await town.close()


async def fill(bus: str, corpus: Corpus) -> None:
    """Put the corpus on a bus, named as in a node's settings."""
    kind, _, where = bus.partition(":")
    if kind == "kafka":
        await fill_kafka(where.removeprefix("//"), corpus)
    else:
        await fill_local(Path(where), corpus)


@dataclass(frozen=True)
class Run:
    """How a node took in a corpus."""

    samples: list[tuple[float, int]]
    """(seconds since the node was started, statements settled), growing."""

    def seconds(self, begin: int, end: int) -> float:
        """Return how long the statements between these two counts took, in seconds."""
        return self._when(end) - self._when(begin)

    def rate(self) -> float:
        """Return statements a second, without the start."""
        total = self.samples[-1][1]
        begin = next(
            (place for place, (_, done) in enumerate(self.samples) if done >= total * WARM), len(self.samples) - 1
        )
        begin = min(begin, len(self.samples) - 2)
        (since, before), (until, after) = self.samples[begin], self.samples[-1]
        return (after - before) / (until - since)

    def total_seconds(self) -> float:
        """Return how long it took from the start of the node's processes to the last statement."""
        return self.samples[-1][0]

    def _when(self, count: int) -> float:
        before = (0.0, 0)
        for sample in self.samples:
            if sample[1] >= count:
                part = (count - before[1]) / (sample[1] - before[1])
                return before[0] + part * (sample[0] - before[0])
            before = sample
        return before[0]


@asynccontextmanager
async def looking_at(house: House) -> AsyncIterator[AsyncConnection]:
    """Give a connection for `settled`, kept for all looks."""
    engine = create_async_engine(house.node.database.url)
    try:
        async with engine.connect() as looking:
            yield looking
    finally:
        await engine.dispose()


async def settled(looking: AsyncConnection) -> int:
    """Return how many statements of the corpus the node has settled."""
    async with looking.begin():
        return int((await looking.execute(_SETTLED, {"own": NODE, "spare": SPARE})).scalar_one())


async def receive(house: House, corpus: Corpus, title: str = "receiving") -> Run:
    """Wait until the served node has settled the whole corpus, and return how that went."""
    async with looking_at(house) as looking:
        began = time.perf_counter()
        samples = [(0.0, await settled(looking))]
        with progress(title, corpus.size) as bar:
            while samples[-1][1] < corpus.size:
                await asyncio.sleep(LOOK_S)
                done = await settled(looking)
                if done > samples[-1][1]:
                    samples.append((time.perf_counter() - began, done))
                bar.at(done)
    return Run(samples)


def database_bytes(house: House) -> int:
    """Return how large a node's SQLite database is, with everything in the one file."""
    with closing(sqlite3.connect(house.node.home.database_file)) as database:
        database.execute("pragma wal_checkpoint(truncate)")
    return house.node.home.database_file.stat().st_size


async def require_everything_accepted(house: House, corpus: Corpus) -> None:
    """Assert that the node holds exactly the corpus: every record accepted once, folded, each log's head its end."""
    async with house.node.database.read() as store:
        counts = await store.received.counts()
        for number, slug in enumerate(corpus.slugs):
            assert counts[slug] == {"accepted": corpus.length}, f"{slug}: {counts[slug]}"
            log = await store.logs.of(slug)
            place = (await store.received.places(slug, [corpus.length]))[corpus.length]
            assert (log.head, log.frozen_from, log.repeats) == (corpus.length, None, 0), log
            assert place.hash == corpus.last_hash(number), f"{slug}: another hash at the head"
        # All logs are folded by one function; a few stand for all when there are many.
        for slug in corpus.slugs[:: max(1, corpus.size // 20_000)]:
            view = await store.view.of_log(slug)
            assert len(view) == corpus.length, f"{slug}: {len(view)} entries for {corpus.length} findings"
            assert {entry.state for entry in view.values()} == {EntryState.CURRENT}


@contextmanager
def served(house: House) -> Iterator[Served]:
    """Run the node as `comity serve` does: its API, and whatever processes do its exchange."""
    with node_world.served(house.home) as running:
        yield running
