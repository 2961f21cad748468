"""The exchange: the parts of a node that talk to the bus, in one process or in one each.

No part ever runs twice: each holds a lock of its own in the home. Every loop goes on after an error: it notes a
condition in words for `/readyz`, waits a little longer each time, and clears the condition when it is over.
"""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from typing import ClassVar

from comity_federation.bus import Bus
from comity_federation.keys import load_signing_pair
from comity_node.db.migrate import require_tables
from comity_node.services.peers.asking import Peers
from comity_node.services.peers.client import PeerClient
from comity_node.services.protection.duty import anything_to_pass_on, pass_on
from comity_node.wiring import Home, Node
from comity_node.wiring.locks import take
from comity_node.workers.following import Following
from comity_node.workers.loops import Loops, Step
from comity_node.workers.peers import PeerRounds
from comity_node.workers.receiver import Receiver
from comity_node.workers.relay import Relay
from comity_node.workers.retention import RetentionRounds
from comity_node.workers.searching import NameIndex
from comity_node.workers.suppliers import SupplierGraph
from comity_node.workers.watching import Watching
from comity_schemas.errors import ComityError

_LOOK_EVERY_S = 10.0
"""How often it is asked whether a case waits for a deputy."""


class ExchangeRuns(ComityError):
    """Another process does this part of this node's exchange already."""

    code: ClassVar[str] = "exchange.runs-already"


class Part(StrEnum):
    """What the exchange consists of."""

    RECEIVER = "receiver"
    """Refreshes the registry, receives, settles."""
    RELAY = "relay"
    """Signs and sends, and asks peers; alone reads the signing key."""


class Exchange:
    """The loops of one node's parts over one bus."""

    def __init__(self, node: Node, bus: Bus, parts: Collection[Part] = tuple(Part)) -> None:
        self._node = node
        self._bus = bus
        self._parts = parts
        self._loops = Loops(node)
        self._following = Following(node, self._loops)
        self._receiver: Receiver | None = None
        self._peers: Peers | None = None
        self._without_bus: dict[str, Step] = {}
        if Part.RECEIVER in parts:
            # People at risk do not wait for a broker, and neither do people who watch.
            self._without_bus = {"protection": self._pass_on, **Watching(node).loops, **NameIndex(node).loops}
            self._receiver = Receiver(node, bus, self._following, self._loops)
            graph, retention = SupplierGraph(node), RetentionRounds(node, self._following)
            self._steps = {"refresh": self._following.refresh, **self._receiver.loops, "suppliers": graph.follow}
            self._steps |= retention.loops
        else:
            self._steps = {"look": self._following.look}
        if Part.RELAY in parts:
            pair = load_signing_pair(node.home.signing_key)
            client = PeerClient(pair, node.clock)
            self._peers = Peers(node.settings.member, client, node.database, node.clock)
            settle_now = self._receiver.settle_now if self._receiver is not None else _nothing
            rounds = PeerRounds(node, self._peers, self._following, self._loops, settle_now)
            self._steps |= {**Relay(node, bus, self._following, pair, self._peers).loops, **rounds.loops}

    async def run(self) -> None:
        """Run until cancelled.

        Raises:
            ExchangeRuns: another process holds the lock.
        """
        with ExitStack() as locks:
            for part in self._parts:
                locks.enter_context(hold(self._node.home, part))
            # Beside an API of a later release this waits until the tables are this one's.
            await self._loops.keep_trying("database", lambda: require_tables(self._node.settings.database))
            await self._loops.clear_condition("exchange")
            async with asyncio.TaskGroup() as group:
                for name, step in self._without_bus.items():
                    group.create_task(self._loops.forever(name, step))
                if Part.RECEIVER in self._parts:
                    await self._following.refresh_now()
                # The relay by itself says under its own name that it cannot reach the bus: the receiver clears the
                # other.
                await self._loops.keep_trying("bus" if Part.RECEIVER in self._parts else "relay", self._bus.start)
                await self._over_the_bus()

    async def _over_the_bus(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for name, step in self._steps.items():
                    group.create_task(self._loops.forever(name, step))
        finally:
            if self._peers is not None:
                await self._peers.client.close()
            if self._receiver is not None:
                await self._receiver.close()
            await self._bus.stop()

    async def _pass_on(self) -> None:
        """Hand on to a deputy what nobody has looked at."""
        after, now = self._node.settings.windows.escalation, self._node.clock()
        async with self._node.database.read() as store:
            due = await anything_to_pass_on(store, after, now)
        if due:
            async with self._node.database.write() as store:
                await pass_on(store, after, now)
        await asyncio.sleep(min(_LOOK_EVERY_S, after.total_seconds() / 4))


def _nothing() -> None:
    """The receiver of another process looks into the inbox by itself."""


@contextmanager
def hold(home: Home, part: Part) -> Iterator[None]:
    """Hold a part's lock.

    Raises:
        ExchangeRuns: another process holds it.
    """
    with take(home.lock(part)) as taken:
        if not taken:
            raise ExchangeRuns(f"another process holds {part}.lock: the {part} of this node's exchange runs there")
        yield
