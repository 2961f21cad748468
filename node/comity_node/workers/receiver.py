"""The receiver: reads all logs from the bus, takes in what is ordinary, and settles the rest."""

import asyncio
from contextlib import suppress
from datetime import date, datetime
from functools import partial

import structlog

from comity_federation.bus import Bus, BusError, HistoryMissing
from comity_federation.registry import Registry
from comity_node.services.receiving.intake import forget_position, positions, take_in
from comity_node.services.receiving.limits import Paused, find_paused
from comity_node.services.receiving.opening import Openers
from comity_node.services.receiving.settle import Settled, settle
from comity_node.services.receiving.subscriptions import subscriptions
from comity_node.wiring import Node
from comity_node.workers.following import Following
from comity_node.workers.loops import IDLE_S, Loops, Named, Rest
from comity_node.workers.reading_ahead import Batch, ReadingAhead

_LOOK_AGAIN_S = 2.0

log = structlog.get_logger(__name__)


class Receiver:
    """One node's receiving, over one bus."""

    def __init__(self, node: Node, bus: Bus, following: Following, loops: Loops) -> None:
        self._node = node
        self._bus = bus
        self._following = following
        self._loops = loops
        self._settle_now = asyncio.Event()
        self._rest = Rest(node.database)
        following.on_change.append(self._settle_now.set)
        self._troubles: dict[str, str] | None = None
        self._openers = Openers()
        self._ahead: ReadingAhead | None = None
        self._begin_anew = False
        self._paused: Paused | None = None
        self._paused_on: date | None = None
        self._ends: dict[str, int] = {}
        self._ends_of = ""
        self._settlings = 0
        """How often something was settled."""

    def settle_now(self) -> None:
        """Settle what somebody else has put into the inbox."""
        self._settle_now.set()

    @property
    def loops(self) -> Named:
        """What must go on all the time."""
        return {"receive": self._receive, "settle": self._settle}

    async def close(self) -> None:
        """Stop reading, and the processes that open what was read."""
        await self._stop_reading()
        self._openers.close()

    async def _receive(self) -> None:
        registry = self._following.current
        if registry is None:
            await asyncio.sleep(IDLE_S)
            return
        try:
            ahead = await self._read_ahead(registry)
            batch = await ahead.next()
            await self._note_troubles(registry)
            if batch.delivered:
                await self._take_in(ahead, batch)
        except HistoryMissing as error:
            await self._stop_reading()
            log.warning("bus.history_missing", topic=error.topic, position=error.position)
            await forget_position(self._node.database, error.topic, await self._bus.bus_id())
        except BaseException:
            await self._stop_reading()
            raise

    async def _read_ahead(self, registry: Registry) -> ReadingAhead:
        """Return what reads on, begun anew where the database stands after any change."""
        ahead, today = self._ahead, self._node.clock().date()
        if ahead is not None and ahead.registry is registry and not self._begin_anew and today == self._paused_on:
            return ahead
        await self._stop_reading()
        bus_id = await self._bus.bus_id()
        await self._learn_ends(registry, bus_id)
        paused = await self._find_paused(registry, today)
        self._paused_on = today
        where = await positions(self._node.database, registry, bus_id)
        wanted = {topic: offset for topic, offset in where.items() if topic not in paused.topics}
        self._ahead = ReadingAhead(self._bus, self._openers, registry, bus_id, wanted)
        return self._ahead

    async def _stop_reading(self) -> None:
        ahead, self._ahead, self._begin_anew = self._ahead, None, False
        if ahead is not None:
            await ahead.close()

    async def _find_paused(self, registry: Registry, today: date) -> Paused:
        settlings = self._settlings
        async with self._node.database.read() as store:
            paused = await find_paused(store, subscriptions(registry), today)
        await self._note_paused(paused)
        # What was settled meanwhile may have let one of them go on.
        self._begin_anew |= bool(paused.parked) and self._settlings != settlings
        return paused

    async def _learn_ends(self, registry: Registry, bus_id: str) -> None:
        """Ask where logs end that were not read on this bus before: up to there reading them is catching up."""
        if bus_id != self._ends_of:
            self._ends, self._ends_of = {}, bus_id
        # One that cannot be read would leave the question about all others without an answer.
        unknown = self._ends_unknown(registry) - self._bus.troubles().keys()
        if unknown:
            # Without an answer all of it counts as catching up; the next time it is asked again.
            with suppress(BusError):
                self._ends.update(await self._bus.end(sorted(unknown)))

    def _ends_unknown(self, registry: Registry) -> set[str]:
        return subscriptions(registry).statements.keys() - self._ends.keys()

    async def _take_in(self, ahead: ReadingAhead, batch: Batch) -> None:
        now = self._node.clock()
        # While the registry is expired acceptance waits, and all goes to the inbox.
        opened = None if ahead.registry.expires <= now else batch.opened
        taken = await take_in(
            self._node.database,
            batch.delivered,
            ahead.registry,
            ahead.bus_id,
            now,
            opened,
            batch.begins,
            ends=self._ends,
            left=ahead.left,
            is_newest=lambda: self._following.current is ahead.registry,
        )
        if taken is None:
            log.warning("receive.begun_anew")
            self._begin_anew = True
            return
        if taken.left:
            # Not begun anew for them: what was read of the others and opened is good.
            paused = await self._find_paused(ahead.registry, now.date())
            ahead.leave(taken.left)
            self._begin_anew |= not taken.left <= paused.topics
        if taken.to_settle:
            self._settle_now.set()

    async def _note_paused(self, paused: Paused) -> None:
        if paused == self._paused:
            return
        self._paused = paused
        for name, topics, why in (
            ("parked", paused.parked, "so much of them waits undecided that the rest is left on the bus"),
            ("budget", paused.over_budget, "their members have published more today than the registry grants"),
        ):
            if topics:
                words = ", ".join(sorted(topics)[:5])
                await self._loops.set_condition(name, f"{len(topics)} logs are not read on, {why}: {words}")
            else:
                await self._loops.clear_condition(name)

    async def _note_troubles(self, registry: Registry) -> None:
        troubles = dict(self._bus.troubles())
        if troubles == self._troubles:
            return
        self._troubles = troubles
        # Now it is known about which of them to ask.
        self._begin_anew |= bool(self._ends_unknown(registry))
        if troubles:
            words = "; ".join(f"{topic}: {why}" for topic, why in sorted(troubles.items())[:5])
            await self._loops.set_condition("topics", f"{len(troubles)} topics cannot be read: {words}")
        else:
            await self._loops.clear_condition("topics")

    async def _settle(self) -> None:
        # Others put records into the inbox too: a person who lets one be decided anew, a relay that asks peers.
        with suppress(TimeoutError):
            # Not `wait_for`: before Python 3.12 it swallows a cancelling that comes in the moment of the event.
            async with asyncio.timeout(_LOOK_AGAIN_S):
                await self._settle_now.wait()
        self._settle_now.clear()
        registry = self._following.current
        now = self._node.clock()
        if registry is None or registry.expires <= now:
            # Acceptance waits; what was received stays in the inbox.
            await asyncio.sleep(1)
            self._settle_now.set()
            return
        await self._rest.unless_in_vain(partial(self._settle_under, registry, now), under=registry)

    async def _settle_under(self, registry: Registry, now: datetime) -> bool:
        """Decide what is undecided; tell whether anything was."""
        settled = await settle(self._node.database, registry, now, lambda: self._following.current is registry)
        if settled != Settled():
            self._settlings += 1
            # What was parked may be read on now, and what was not kept is read again.
            self._begin_anew |= bool(settled.read_again or (self._paused is not None and self._paused.parked))
            log.info("settled", accepted=settled.accepted, waiting=settled.waiting, refused=settled.refused)
        return settled != Settled()
