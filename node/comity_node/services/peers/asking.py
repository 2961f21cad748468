"""Whom to ask, and when again: a peer that does not answer rests, longer each time; one that answers wrongly is noted.

Kept in memory: after a start everybody may be asked.
"""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import TypeVar

import structlog

from comity_federation.registry import Registry
from comity_node.db import Database
from comity_node.domain.trail import Event
from comity_node.services.peers.client import PeerClient, PeerUnreachable, PeerWrong
from comity_schemas.member import Member, MemberStatus

Answer = TypeVar("Answer")

_FIRST_REST_S = 5.0
_LONGEST_REST_S = 600.0
_NOTE_EVERY_S = 3_600.0
"""A peer that is wrong all the time gets an entry an hour, no more."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Rest:
    until: float = 0.0
    failures: int = 0


@dataclass(slots=True)
class Peers:
    """The other members' nodes, as this node asks them."""

    own: str
    """This node's slug."""
    client: PeerClient
    database: Database
    clock: Callable[[], datetime]
    chance: random.Random = field(default_factory=random.SystemRandom)
    """Whom this node asks must not be foreseen: else two histories could be shown along the plan."""
    passed: Callable[[], float] = monotonic
    _rests: dict[str, _Rest] = field(default_factory=dict)
    _noted: dict[str, float] = field(default_factory=dict)

    def others(self, registry: Registry) -> list[Member]:
        """Return all other active members."""
        return [m for m in registry.members if m.status is MemberStatus.ACTIVE and m.slug != self.own]

    def reachable(self, registry: Registry) -> list[Member]:
        """Return the other active members that the registry gives an address of, in random order."""
        found = [member for member in self.others(registry) if member.endpoint is not None]
        self.chance.shuffle(found)
        return found

    def rested(self, peers: Sequence[Member]) -> list[Member]:
        """Return those of these peers that may be asked now."""
        return [peer for peer in peers if self._rests.get(peer.slug, _Rest()).until <= self.passed()]

    def resting(self) -> set[str]:
        """Return the members that are not asked now."""
        return {slug for slug, rest in self._rests.items() if rest.until > self.passed()}

    async def ask(self, peer: Member, question: Awaitable[Answer]) -> Answer | None:
        """Return a peer's answer, or None where it gave none that can be used: then it rests."""
        try:
            answer = await question
        except PeerUnreachable as error:
            log.info("peer.unreachable", peer=peer.slug, why=str(error))
            self.let_rest(peer)
            return None
        except PeerWrong as error:
            await self.note_wrong(peer, str(error))
            return None
        self._rests.pop(peer.slug, None)
        return answer

    async def note_wrong(self, peer: Member, what: str) -> None:
        """Put on the trail that a peer said what cannot be true, and let it rest."""
        log.warning("peer.wrong", peer=peer.slug, what=what)
        self.let_rest(peer)
        noted = self._noted.get(peer.slug)
        if noted is not None and self.passed() - noted < _NOTE_EVERY_S:
            return
        self._noted[peer.slug] = self.passed()
        async with self.database.write() as store:
            await store.trail.add(self.clock(), "relay", Event.PEER_WRONG, peer.slug, what=what)

    def let_rest(self, peer: Member) -> None:
        """Ask neither a member nor about its word for a while, longer each time."""
        rest = self._rests.setdefault(peer.slug, _Rest())
        rest.until = self.passed() + min(_FIRST_REST_S * 2**rest.failures, _LONGEST_REST_S)
        rest.failures = min(rest.failures + 1, 20)
