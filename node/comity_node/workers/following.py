"""The registry as a process of the exchange goes by it: fetched by the one that receives, looked up by any other."""

import asyncio
from collections.abc import Callable

import structlog

from comity_federation.registry import Registry, RegistryError, RegistryExpired
from comity_node.domain.errors import RegistryMissing
from comity_node.wiring import Node
from comity_node.workers.loops import Loops

_LOOK_EVERY_S = 2.0

log = structlog.get_logger(__name__)


class Following:
    """The registry in force; `current` is another object whenever its word changed, and None before the first."""

    def __init__(self, node: Node, loops: Loops) -> None:
        self._node = node
        self._loops = loops
        self.current: Registry | None = None
        self.on_change: list[Callable[[], None]] = []
        """Called after `current` has changed."""

    async def refresh(self) -> None:
        """Wait for the next time and fetch what is new."""
        await asyncio.sleep(self._node.settings.registry_every_s)
        await self.refresh_now(first=False)

    async def refresh_now(self, *, first: bool = True) -> None:
        """Fetch what is new; the first time, what an earlier run fetched will do."""
        client = self._node.registry_client
        if client is None:
            await self._loops.set_condition(
                "registry", "no trusted root yet: place root.json in this node's home and restart"
            )
            return
        try:
            registry = await asyncio.to_thread(client.refresh)
        except RegistryError as error:
            # Nothing new is accepted meanwhile; screening goes on over the last good list.
            await self._loops.set_condition("registry", self._in_words(error))
            log.warning("registry.held_up", code=error.code)
            if self.current is None and first:
                self._take(await asyncio.to_thread(client.trusted))
            return
        await self._loops.clear_condition("registry")
        self._take(registry)

    async def look(self) -> None:
        """Take what the receiving process has fetched, and wait."""
        try:
            self._take(await self._node.registry())
        except RegistryMissing:
            self._take(None)
        await asyncio.sleep(_LOOK_EVERY_S)

    def _in_words(self, error: RegistryError) -> str:
        if not isinstance(error, RegistryExpired):
            return str(error)
        # A wrong clock looks the same as a silent hub: only a person can tell, and only with both times.
        now = self._node.clock()
        return (
            f"{error}; this machine's clock says {now:%Y-%m-%d %H:%M} UTC. If the clock is wrong, set it; "
            "if it is right, the hub or the key holders must publish anew. Until then what arrives waits, undecided"
        )

    def _take(self, registry: Registry | None) -> None:
        if registry is not None and registry != self.current:
            log.info("registry.changed", version=registry.version, members=len(registry.members))
            self.current = registry
            for tell in self.on_change:
                tell()
