"""Bytes that a finding takes on the wire, in Kafka's log and in a node's database, and what a checkpoint takes.

    ./comity bench footprint [--size 20k]

docs/scale.md reckons with these.
"""

import asyncio
import tempfile
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from bench.frame.buses import database_of, kafka, log_bytes
from bench.frame.corpus import Corpus, corpus_of, publisher
from bench.frame.receiver import database_bytes, fill, founded, receive, require_everything_accepted, served
from bench.frame.results import arguments, report
from builders import IAT
from comity_federation.checkpoints import sign_checkpoint
from comity_federation.encoding import digest
from comity_schemas.statement import Checkpoint


async def take_in(bus: str, corpus: Corpus, directory: Path, database: str | None) -> int:
    """Let a new node take in the corpus and return how large its database has become."""
    async with founded(directory, bus, database=database) as house:
        with served(house):
            await receive(house, corpus, "taking in")
        await require_everything_accepted(house, corpus)
        if database is None:
            return database_bytes(house)
        url = make_url(database).set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(url)
        try:
            return int(await connection.fetchval("select pg_database_size(current_database())"))
        finally:
            await connection.close()


def checkpoint_bytes() -> int:
    """Return how large a member's checkpoint is."""
    who = publisher(0)
    hashes = {name: digest(name) for name in ("hash", "registry_hash", "trail")}
    checkpoint = Checkpoint(v=1, iss=who.did, iat=IAT, seq=40_000, registry_version=120, **hashes)
    return len(sign_checkpoint(checkpoint, who.kid(), who.keys[0]))


def main() -> None:
    """Measure and print."""
    size = arguments(__doc__, size="20k").parse_args().size
    corpus = corpus_of(size)
    report("footprint-record", sum(map(len, corpus.records(corpus.size))) / corpus.size, "bytes a finding")
    report("footprint-checkpoint", checkpoint_bytes(), "bytes a checkpoint")
    report("footprint-kafka", log_bytes(corpus) / corpus.size, "bytes a finding")
    with kafka() as bootstrap:
        bus = f"kafka://{bootstrap}"
        asyncio.run(fill(bus, corpus))
        for kind in ("sqlite", "postgres"):
            with tempfile.TemporaryDirectory(prefix="comity-bench-") as directory:
                with database_of(kind, Path(directory)) as database:
                    whole = asyncio.run(take_in(bus, corpus, Path(directory), database))
                report(f"footprint-{kind}", whole / corpus.size, "bytes a finding")


if __name__ == "__main__":
    main()
