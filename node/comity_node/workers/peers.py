"""Talking to other members' nodes: fetching what the bus does not bring, and comparing how far each log goes.

In the process that holds the signing key, since every call carries a token signed with it.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from time import monotonic

from comity_federation.registry import Registry
from comity_node.services.peers.asking import Peers
from comity_node.services.peers.heads import Comparison, newer_registries
from comity_node.services.peers.refill import LACKING_EVERY_S, Refill
from comity_node.wiring import Node
from comity_node.workers.following import Following
from comity_node.workers.loops import Loops, Named, Rest

_LOOK_EVERY_S = 1.0
_REGISTRIES_EVERY_S = 10.0
_APPLIED_EVERY_S = 30.0
"""How often those who lack a withdrawal or correction are asked for it, while somebody does."""
_AGAIN_S = 60.0
"""When nobody answered a comparison, it is tried again after this."""


class PeerRounds:
    """One node's rounds among its peers."""

    def __init__(
        self, node: Node, peers: Peers, following: Following, loops: Loops, settle_now: Callable[[], None]
    ) -> None:
        self._node = node
        self._following = following
        self._loops = loops
        self._peers = peers
        self._refill = Refill(peers, settle_now, node.settings.refill_after_s)
        self._comparison = Comparison(peers, self._refill)
        self._rest_of_gaps = Rest(node.database)
        self._rest_of_reports = Rest(node.database)
        self._lacking_at = 0.0
        self._compare_at = 0.0
        self._applied_at = 0.0
        self._registries_at = 0.0
        self._newer_since: datetime | None = None

    @property
    def loops(self) -> Named:
        """What must go on all the time."""
        return {"refill": self._fetch, "heads": self._compare}

    async def _fetch(self) -> None:
        await asyncio.sleep(_LOOK_EVERY_S)
        registry = self._following.current
        if registry is None or not self._is_in(registry):
            return
        await self._rest_of_gaps.unless_in_vain(partial(self._fill_gaps, registry), under=registry)
        if monotonic() >= self._lacking_at:
            self._lacking_at = monotonic() + LACKING_EVERY_S
            await self._refill.complete_disclosures(registry)

    async def _compare(self) -> None:
        await asyncio.sleep(_LOOK_EVERY_S)
        registry = self._following.current
        if registry is None or not self._is_in(registry):
            return
        await self._rest_of_reports.unless_in_vain(partial(self._look_into_reports, registry), under=registry)
        if monotonic() >= self._registries_at:
            self._registries_at = monotonic() + _REGISTRIES_EVERY_S
            await self._note_newer_registries(registry)
        if monotonic() >= self._applied_at:
            self._applied_at = monotonic() + _APPLIED_EVERY_S
            await self._comparison.ask_who_has_applied(registry)
        if monotonic() >= self._compare_at:
            heard = await self._comparison.compare(registry)
            self._compare_at = monotonic() + (self._node.settings.compare_heads_every_s if heard else _AGAIN_S)

    async def _fill_gaps(self, registry: Registry) -> bool:
        if not self._refill.knows_of_gaps and not await self._node.database.glances.a_gap_is_shown():
            return False
        await self._refill.fill_gaps(registry)
        return self._refill.knows_of_gaps

    async def _look_into_reports(self, registry: Registry) -> bool:
        if not await self._node.database.glances.a_head_is_reported():
            return False
        return await self._comparison.look_into_reports(registry)

    def _is_in(self, registry: Registry) -> bool:
        """Whether this node's member is one that others answer."""
        return any(member.slug == self._peers.own for member in registry.members if member.status == "active")

    async def _note_newer_registries(self, registry: Registry) -> None:
        async with self._node.database.read() as store:
            ahead = await newer_registries(store, registry)
        now = self._node.clock()
        if not ahead:
            self._newer_since = None
            await self._loops.clear_condition("registry-behind")
            return
        self._newer_since = self._newer_since or now
        # Nodes look for a new list at different moments.
        if (now - self._newer_since).total_seconds() < 2 * self._node.settings.registry_every_s:
            return
        await self._loops.set_condition(
            "registry-behind",
            f"{', '.join(ahead[:5])} and {len(ahead)} members in all go by another registry than this node was shown "
            f"(version {registry.version}): whoever serves the list holds it back, or shows two. What was accepted "
            "under the last good list stands. Compare with a member and call the registrar",
        )
