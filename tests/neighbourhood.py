"""Two honest members, one hostile, and a node that hears them all."""

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import text

from builders import Publisher, key_of
from comity_federation.bus import statements_topic
from comity_federation.local_log import LocalLog
from hostile_bus import HostileBus
from listening import Listener
from member_stories import AGENCY, BODY
from node_world import registry_of

MALLORY = Publisher("mallory", keys=(key_of("mallory 1"), key_of("mallory 2")))
OF_MALLORY = statements_topic("mallory")
MIB = 2**20
HONEST = 40


class Neighbourhood:
    """Two honest members, one hostile, and a node that hears them all."""

    def __init__(self, place: Path, log: LocalLog, **mallory: object) -> None:
        self.place = place
        self.bus = HostileBus(log)
        self.mallory = MALLORY.member(**mallory)
        self.registry = registry_of(AGENCY.member(), BODY.member(), self.mallory)
        self.node = Listener(place / "node", self.bus, self.registry)
        self.chains = {p.name: p.chain(HONEST) for p in (AGENCY, BODY)}

    async def say_honestly(self, start: int = 0, stop: int = HONEST) -> None:
        for slug, chain in self.chains.items():
            for made in chain[start:stop]:
                await self.bus.publish(statements_topic(slug), made.raw, {})

    async def flood(self, raws: Iterable[bytes]) -> None:
        for raw in raws:
            self.bus.put(OF_MALLORY, raw)

    async def others_are_whole(self) -> None:
        """Claim that what the honest said counts, all of it and nothing else."""
        seen = await self.node.snapshot()
        for slug, chain in self.chains.items():
            _, frozen_from, places, _ = seen[slug]
            assert frozen_from is None
            assert [places[seq].hash for seq in sorted(places)] == [made.hash for made in chain]
        assert await self.node.check() == []

    async def kept_of_mallory(self) -> tuple[int, int]:
        """Rows and bytes of raw records of the hostile member in this node's database."""
        async with self.node.database() as database, database.read() as store:
            connection = await store._session.connection()
            query = text("select count(*), coalesce(sum(length(raw)), 0) from received where member = 'mallory'")
            rows, size = (await connection.execute(query)).one()
        return int(rows), int(size)

    def disk_bytes(self) -> int:
        return sum(path.stat().st_size for path in (self.place / "node").iterdir())
