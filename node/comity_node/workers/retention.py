"""Destroying by itself what is past its last day.

Only while the registry is in force: nothing of it can be undone, and a clock that is far wrong looks like a registry
that has expired. Whoever knows better runs `comity evidence shred`.
"""

import asyncio
from time import monotonic

import structlog

from comity_node.services.filing.keeping import destroy_past
from comity_node.services.importing.jobs import forget_files
from comity_node.services.operating.retention import expire
from comity_node.services.watching.retention import forget_old
from comity_node.wiring import Node
from comity_node.workers.following import Following
from comity_node.workers.loops import Named

_EVERY_S = 60.0
_LOOK_EVERY_S = 1.0

log = structlog.get_logger(__name__)


class RetentionRounds:
    """One node's rounds of retention."""

    def __init__(self, node: Node, following: Following) -> None:
        self._node = node
        self._following = following
        self._at = 0.0

    @property
    def loops(self) -> Named:
        """What must go on all the time."""
        return {"retention": self._round}

    async def _round(self) -> None:
        registry, now = self._following.current, self._node.clock()
        if monotonic() >= self._at and registry is not None and registry.expires > now:
            done = await expire(self._node.database, self._node.vault, self._node.settings.keep_months, now)
            screenings = await destroy_past(self._node.database, now)
            await forget_files(self._node.database, now)
            await forget_old(self._node.database, self._node.settings.keep_alerts_months, now)
            if done.reports or done.files or screenings:
                log.info("retention.destroyed", reports=done.reports, files=done.files, screenings=screenings)
            self._at = monotonic() + _EVERY_S
        await asyncio.sleep(_LOOK_EVERY_S)
