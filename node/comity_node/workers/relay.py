"""The relay: signs what was released, sends it, and publishes checkpoints. It alone reads the signing key.

It needs no other part: whether the bus is still the one it knows, and holds what it held, it asks the bus itself.
"""

import asyncio
from datetime import datetime, timedelta
from time import monotonic

from comity_federation.bus import Bus, BusError, checkpoints_topic, statements_topic
from comity_federation.checkpoints import in_parts, sign_checkpoint
from comity_federation.encoding import digest
from comity_federation.keys import SigningPair
from comity_federation.log_state import peek
from comity_federation.registry import Registry
from comity_federation.statements import genesis
from comity_node.db.outbox import OwnLog
from comity_node.domain.errors import RegistryMissing
from comity_node.domain.trail import Anchor
from comity_node.services.peers.asking import Peers
from comity_node.services.publishing.own_log import Told, reconcile
from comity_node.services.publishing.own_word import ask_about_own_log
from comity_node.services.publishing.relay import Head, require_sayable, sign_and_send
from comity_node.services.receiving.words import verified_heads
from comity_node.services.trail import is_anchor_due
from comity_node.wiring import Node
from comity_node.workers.following import Following
from comity_node.workers.loops import IDLE_S, Named
from comity_schemas.member import Member, MemberStatus
from comity_schemas.statement import Checkpoint

_LOOK_AT_BUS_EVERY_S = 1.0

_CHECKPOINT_EVERY_S = 1.0
"""While statement after statement is sent."""

_HEADS_AGAIN = timedelta(minutes=10)

_LEAP_S = 60.0
"""A clock that is this much further than the time this process has counted: the machine may have been set back. One
that is this much behind it was put right."""


class Relay:
    """One node's signing and sending, over one bus."""

    def __init__(self, node: Node, bus: Bus, following: Following, pair: SigningPair, peers: Peers) -> None:
        self._node = node
        self._bus = bus
        self._following = following
        self._pair = pair
        self._peers = peers
        self._floor: Head | None = None
        self._left: str | None = None
        self._peers_asked = False
        following.on_change.append(self._doubt)
        self._moment = (monotonic(), node.clock())
        self._heads_due: datetime | None = None
        self._seen: tuple[str, int] | None = None
        self._nothing_waits_at: object = None
        self._look_at = 0.0
        self._checkpoint_due: datetime | None = None
        self._anchor_wanted = False
        self._checkpointed = -1
        self._checkpointed_at = 0.0
        self._sent = 0

    @property
    def loops(self) -> Named:
        """What must go on all the time."""
        return {"relay": self._relay}

    async def _relay(self) -> None:
        registry = self._following.current
        if registry is None:
            await asyncio.sleep(IDLE_S)
            return
        member = self._node.own_member(registry)
        self._require_key(member)
        now = self._node.clock()
        try:
            await self._look_at_bus(member)
            waits = await self._look_at_database(member, now)
            if self._floor is None:
                # Before the comparison: what comes to the topic during it is noticed before the next sending.
                self._left = await self._last_on_topic(member)
                self._floor = await self._find_own_head(member, registry, now)
                waits = True
            done = 0
            if waits:
                done = await sign_and_send(self._node.database, self._bus, member, self._pair, self._floor, now)
            if self._is_checkpoint_due(now, idle=not done):
                await self._publish_checkpoint(registry, member, now)
            if waits and not done:
                await require_sayable(self._node.database, member)
        except BusError:
            self._doubt()
            raise
        if not done:
            await asyncio.sleep(IDLE_S)

    async def _find_own_head(self, member: Member, registry: Registry, now: datetime) -> Head:
        told: Told | None = None
        if not self._peers_asked:
            async with self._node.database.read() as store:
                known = await store.outbox.last_sent()
            told = await ask_about_own_log(self._peers, member, registry, known[0] if known else 0)
        head = await reconcile(self._node.database, self._bus, member, registry, now, told)
        self._peers_asked = True
        return head

    async def _look_at_database(self, member: Member, now: datetime) -> bool:
        """Tell whether anything waits; notice a database or a whole machine that was set back meanwhile."""
        before, self._moment = self._moment, (monotonic(), now)
        ahead_s = (now - before[1]).total_seconds() - (self._moment[0] - before[0])
        leapt = ahead_s > _LEAP_S
        if ahead_s < -_LEAP_S:
            # It was ahead until now: what is due by that time would not be said for as long.
            self._checkpoint_due = self._heads_due = None
        version = await self._node.database.version()
        if version == self._nothing_waits_at and self._floor is not None and not leapt:
            return False
        own = await self._own_log()
        head, sent, sends = own.signed, own.sent, own.waits_for_sending
        self._anchor_wanted = own.anchor_wanted
        set_back = self._floor is not None and self._floor.seq > (head[0] if head else 0)
        if leapt or set_back or (sends and self._floor is not None and await self._was_overtaken(member, sent)):
            self._floor, self._peers_asked = None, False
        elif self._floor is not None and head is not None:
            # The next signature comes after everything this process has seen signed, whatever the database says then.
            self._floor = Head(*head)
        self._sent = sent[0] if sent else 0
        waits = own.waits_for_signature or sends
        self._nothing_waits_at = None if waits or self._floor is None else version
        return waits

    async def _own_log(self) -> OwnLog:
        own = await self._node.database.glances.own_log()
        if own is None:
            # In a transaction it says why.
            async with self._node.database.read() as store:
                own = await store.outbox.own_log()
        return own

    async def _was_overtaken(self, member: Member, sent: tuple[int, str] | None) -> bool:
        """Tell whether the own topic ends with something else than this process left there or has sent since.

        A resumed snapshot remembers neither that it was one nor what was signed since; only the topic does.
        """
        return await self._last_on_topic(member) not in (self._left, sent and sent[1])

    async def _last_on_topic(self, member: Member) -> str | None:
        tail = await self._bus.tail(statements_topic(member.slug), most=1)
        if not tail:
            return None
        claimed = peek(tail[0].value)
        return claimed.hash if claimed else digest(tail[0].value)

    def _doubt(self) -> None:
        """Compare with the topic again before the next signature."""
        self._floor = None

    async def _look_at_bus(self, member: Member) -> None:
        """Notice another bus, and one that lost what it held of the own log."""
        if self._floor is not None and monotonic() < self._look_at:
            return
        topic = statements_topic(member.slug)
        end = (await self._bus.end([topic]))[topic]
        now = (await self._bus.bus_id(), end)
        if self._seen is not None and (now[0] != self._seen[0] or now[1] < self._seen[1]):
            self._doubt()
            # Others lost our word on where we stand, too.
            self._checkpoint_due = None
        self._seen = now
        self._look_at = monotonic() + _LOOK_AT_BUS_EVERY_S

    def _require_key(self, member: Member) -> None:
        if member.status is not MemberStatus.ACTIVE:
            raise RegistryMissing(f"the registry lists {member.slug} as {member.status}: nothing is signed")
        listed = [key for key in member.signing_keys if key.closed is None]
        if not listed or listed[-1].kid != self._pair.kid:
            raise RegistryMissing(f"the registry does not list this node's key {self._pair.kid} as the newest")

    def _is_checkpoint_due(self, now: datetime, *, idle: bool) -> bool:
        """Tell whether to say where the own log stands: now and then, for an export of the trail, and after what was
        sent, while much is sent once a second."""
        if self._checkpoint_due is None or self._heads_due is None or now >= min(self._checkpoint_due, self._heads_due):
            return True
        rests = idle or monotonic() >= self._checkpointed_at + _CHECKPOINT_EVERY_S
        return rests and (self._anchor_wanted or self._sent != self._checkpointed)

    async def _publish_checkpoint(self, registry: Registry, member: Member, now: datetime) -> None:
        async with self._node.database.read() as store:
            # What is signed and not sent yet is announced when it is: should it be lost, nobody waits for it.
            head = Head(*(await store.outbox.last_sent() or (0, genesis(member.did))))
            number, trail = await store.trail.head()
            anchors = await is_anchor_due(store, number, now)
        heads_due = self._heads_due is None or now >= self._heads_due
        checkpoint = Checkpoint(
            v=1,
            iss=member.did,
            iat=int(now.timestamp()),
            seq=head.seq,
            hash=head.hash,
            registry_version=registry.version,
            registry_hash=registry.hash,
            trail=trail,
        )
        await self._publish(member, checkpoint, now, number if anchors else None)
        self._checkpoint_due = now + self._node.settings.checkpoint_every
        self._checkpointed, self._checkpointed_at = head.seq, monotonic()
        if heads_due:
            await self._publish_heads(registry, member, checkpoint, now)

    async def _publish_heads(self, registry: Registry, member: Member, checkpoint: Checkpoint, now: datetime) -> None:
        """Once a day say how far every other log is verified here, so that a split is found without asking."""
        async with self._node.database.read() as store:
            heads = [head for head in await verified_heads(store, registry) if head.member != member.slug]
        for part in in_parts(heads):
            await self._publish(member, checkpoint.model_copy(update={"peers": part}), now)
        # A new node has none yet.
        every = timedelta(seconds=self._node.settings.compare_heads_every_s)
        self._heads_due = now + (every if heads else min(every, _HEADS_AGAIN))

    async def _publish(self, member: Member, checkpoint: Checkpoint, now: datetime, fixes: int | None = None) -> None:
        raw = sign_checkpoint(checkpoint, self._pair.kid, self._pair.secret)
        if checkpoint.peers is None:
            # The API serves this one; it cannot sign any itself.
            async with self._node.database.write() as store:
                await store.peers.put_checkpoint(member.slug, raw, checkpoint.seq, now)
                if fixes is not None:
                    await store.trail.put_anchor(Anchor(fixes, checkpoint.trail, raw, now))
        await self._bus.publish(checkpoints_topic(member.slug), raw, {"content-type": "application/jwt"})
