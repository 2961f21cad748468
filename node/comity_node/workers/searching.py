"""The name index follows the suppliers, a short step at a time; it needs no broker."""

import asyncio

from comity_node.services.searching.indexing import Indexer
from comity_node.wiring import Node
from comity_node.workers.loops import Named, Rest

_LOOK_EVERY_S = 2.0
_PAUSE_S = 0.02
"""Between two steps: whoever waits to write comes first."""


class NameIndex:
    """Keeps the name index up with the suppliers."""

    def __init__(self, node: Node) -> None:
        self._indexer = Indexer(node.database, clock=node.clock)
        self._rest = Rest(node.database)

    @property
    def loops(self) -> Named:
        """What must go on all the time."""
        return {"search": self._follow}

    async def _follow(self) -> None:
        worked = await self._rest.unless_in_vain(self._indexer.step)
        await asyncio.sleep(_PAUSE_S if worked else _LOOK_EVERY_S)
