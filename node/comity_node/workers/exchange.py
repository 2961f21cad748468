"""The exchange: refreshes the registry, receives, settles, signs, sends, and publishes checkpoints.

One process a node, kept so by a lock. Every loop goes on after an error: it notes a condition in words for `/readyz`,
waits a little longer each time, and clears the condition when it is over.
"""

import asyncio
import fcntl
import hmac
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import ClassVar, TextIO

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from comity_federation.bus import Bus, BusError, HistoryMissing, OutcomeUnknown, checkpoints_topic
from comity_federation.checkpoints import sign_checkpoint
from comity_federation.encoding import digest
from comity_federation.keys import SigningPair, load_signing_pair
from comity_federation.registry import Registry, RegistryError
from comity_federation.statements import genesis
from comity_node.db import DatabaseUnavailable
from comity_node.domain.errors import RegistryMissing
from comity_node.services.intake import forget_position, positions, take_in
from comity_node.services.relay import Head, reconcile, send_signed, sign_queued
from comity_node.services.settle import Settled, settle
from comity_node.wiring import Node
from comity_schemas.errors import ComityError
from comity_schemas.member import Member, MemberStatus
from comity_schemas.statement import Checkpoint

_READ_AT_ONCE = 500
_READ_WAIT = timedelta(seconds=1)
_IDLE_S = 0.2
_LONGEST_PAUSE_S = 30.0

log = structlog.get_logger(__name__)


class ExchangeRuns(ComityError):
    """Another process does this node's exchange already."""

    code: ClassVar[str] = "exchange.runs-already"


class Exchange:
    """The loops of one node over one bus."""

    def __init__(self, node: Node, bus: Bus) -> None:
        self._node = node
        self._bus = bus
        self._registry: Registry | None = None
        self._pair: SigningPair = load_signing_pair(node.home.signing_key)
        self._floor: Head | None = None
        self._bus_id: str | None = None
        self._settle_now = asyncio.Event()
        self._checkpoint_due: datetime | None = None
        self._checkpointed: int = -1
        self._troubles: dict[str, str] = {}
        # What an earlier run noted is cleared by the first success.
        self._held_up = {"bus", "registry", "refresh", "receive", "settle", "relay"}

    async def run(self) -> None:
        """Run until cancelled.

        Raises:
            ExchangeRuns: another process holds the lock.
        """
        with _lock(self._node):
            for name in ("exchange", "topics"):
                await self._clear_condition(name)
            await self._refresh_once()
            await self._keep_trying("bus", self._bus.start)
            loops = (self._refresh, self._receive, self._settle, self._relay)
            try:
                async with asyncio.TaskGroup() as group:
                    for loop in loops:
                        group.create_task(self._forever(loop.__name__.strip("_"), loop))
            finally:
                await self._bus.stop()

    async def _forever(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._keep_trying(name, step)

    async def _keep_trying(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        """Do a step until it succeeds, waiting a little longer each time."""

        async def note(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome is not None else None
            code = error.code if isinstance(error, ComityError) else "os"
            log.warning("exchange.held_up", step=name, code=code)
            await self._set_condition(name, str(error))

        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type((ComityError, OSError)),
            wait=wait_exponential(multiplier=_IDLE_S, max=_LONGEST_PAUSE_S),
            before_sleep=note,
        ):
            with attempt:
                await step()
        if name in self._held_up:
            await self._clear_condition(name)

    async def _refresh(self) -> None:
        await asyncio.sleep(self._node.settings.registry_every_s)
        await self._refresh_once(quiet=False)

    async def _refresh_once(self, *, quiet: bool = True) -> None:
        client = self._node.registry_client
        if client is None:
            await self._set_condition(
                "registry", "no trusted root yet: place root.json in this node's home and restart"
            )
            return
        try:
            registry = await asyncio.to_thread(client.refresh)
        except RegistryError as error:
            # Nothing new is accepted meanwhile; screening goes on over the last good list.
            await self._set_condition("registry", str(error))
            log.warning("registry.held_up", code=error.code)
            if self._registry is None and quiet:
                self._registry = client.trusted()
            return
        await self._clear_condition("registry")
        if self._registry is None or registry != self._registry:
            log.info("registry.changed", version=registry.version, members=len(registry.members))
            self._registry = registry
            self._floor = None
            self._settle_now.set()

    async def _receive(self) -> None:
        registry = self._registry
        if registry is None:
            await asyncio.sleep(_IDLE_S)
            return
        bus_id = await self._bus.bus_id()
        if bus_id != self._bus_id:
            # Another bus, or this one made anew: what it holds of the own log must be looked at before going on.
            self._bus_id, self._floor, self._checkpoint_due = bus_id, None, None
        where = await positions(self._node.database, registry, bus_id)
        try:
            delivered = await self._bus.read(where, most=_READ_AT_ONCE, wait=_READ_WAIT)
        except HistoryMissing as error:
            log.warning("bus.history_missing", topic=error.topic, position=error.position)
            await forget_position(self._node.database, error.topic, bus_id)
            # The own topic may be lost too: compare again before the next signature, and send again what is missing.
            self._floor = None
            return
        await self._note_troubles()
        if delivered and await take_in(self._node.database, delivered, registry, bus_id, self._node.clock()):
            self._settle_now.set()

    async def _note_troubles(self) -> None:
        troubles = dict(self._bus.troubles())
        if troubles == self._troubles:
            return
        self._troubles = troubles
        if troubles:
            words = "; ".join(f"{topic}: {why}" for topic, why in sorted(troubles.items())[:5])
            await self._set_condition("topics", f"{len(troubles)} topics cannot be read: {words}")
        else:
            await self._clear_condition("topics")

    async def _settle(self) -> None:
        await self._settle_now.wait()
        self._settle_now.clear()
        registry = self._registry
        now = self._node.clock()
        if registry is None or registry.expires <= now:
            # Acceptance waits; what was received stays in the inbox.
            await asyncio.sleep(1)
            self._settle_now.set()
            return
        settled = await settle(self._node.database, registry, now)
        if settled != Settled():
            log.info("settled", accepted=settled.accepted, waiting=settled.waiting, refused=settled.refused)

    async def _relay(self) -> None:
        registry = self._registry
        if registry is None:
            await asyncio.sleep(_IDLE_S)
            return
        member = self._node.own_member(registry)
        self._require_key(member)
        now = self._node.clock()
        if self._floor is None:
            self._floor = await reconcile(self._node.database, self._bus, member, registry, now)
        try:
            signed = await sign_queued(self._node.database, member, self._pair, self._floor, now)
            sent = await send_signed(self._node.database, self._bus, member, now)
            await self._publish_checkpoint(registry, member, now)
        except (OutcomeUnknown, BusError):
            self._floor = None
            raise
        if not signed and not sent:
            await asyncio.sleep(_IDLE_S)

    def _require_key(self, member: Member) -> None:
        if member.status is not MemberStatus.ACTIVE:
            raise RegistryMissing(f"the registry lists {member.slug} as {member.status}: nothing is signed")
        listed = [key for key in member.signing_keys if key.closed is None]
        if not listed or listed[-1].kid != self._pair.kid:
            raise RegistryMissing(f"the registry does not list this node's key {self._pair.kid} as the newest")

    async def _publish_checkpoint(self, registry: Registry, member: Member, now: datetime) -> None:
        async with self._node.database.read() as store:
            head = Head(*(await store.outbox.head() or (0, genesis(member.did))))
            trail_head = await store.trail.head()
        if self._floor is not None and self._floor.seq > head.seq:
            head = self._floor
        due = self._checkpoint_due is None or now >= self._checkpoint_due
        if not due and head.seq == self._checkpointed:
            return
        checkpoint = Checkpoint(
            v=1,
            iss=member.did,
            iat=int(now.timestamp()),
            seq=head.seq,
            hash=head.hash,
            registry_version=registry.version,
            registry_hash=registry.hash,
            trail=self._seal_trail(trail_head),
        )
        raw = sign_checkpoint(checkpoint, self._pair.kid, self._pair.secret)
        await self._bus.publish(checkpoints_topic(member.slug), raw, {"content-type": "application/jwt"})
        self._checkpoint_due = now + self._node.settings.checkpoint_every
        self._checkpointed = head.seq

    def _seal_trail(self, trail_head: str) -> str:
        # Salted so that nobody learns how busy the node is; from a secret, so that the salt can be shown later.
        salt = hmac.digest(self._node.home.secret.read_bytes(), trail_head.encode("ascii"), "sha256")[:16]
        return digest(salt + trail_head.encode("ascii"))

    async def _set_condition(self, name: str, text: str) -> None:
        self._held_up.add(name)
        # When it is the database that holds us up, the log line must do.
        with suppress(DatabaseUnavailable):
            async with self._node.database.write() as store:
                await store.conditions.set(name, text, self._node.clock())

    async def _clear_condition(self, name: str) -> None:
        self._held_up.discard(name)
        async with self._node.database.write() as store:
            await store.conditions.clear(name)


def _lock(node: Node) -> TextIO:
    lock = node.home.exchange_lock.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise ExchangeRuns(
            f"another process holds {node.home.exchange_lock.name}: this node's exchange runs"
        ) from error
    return lock
