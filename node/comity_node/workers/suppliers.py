"""Following the supplier view with whom it mentions; it waits while much is being received."""

import asyncio

from comity_node.db.suppliers import FOLLOWED_BY
from comity_node.services.suppliers.following import PART, follow
from comity_node.wiring import Node
from comity_node.workers.loops import Rest

_LOOK_EVERY_S = 2.0
_MANY = 2_000
"""So many more changes since the last look are a catching up: receiving goes first."""


class SupplierGraph:
    """Keeps suppliers up with the view, a part at a time."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._behind = 0
        self._is_folded = False
        self._before = 0
        self._rest = Rest(node.database)

    async def follow(self) -> None:
        """Take in a part of what changed, or wait a little."""
        if not await self._rest.unless_in_vain(self._look):
            await asyncio.sleep(_LOOK_EVERY_S)
            return
        if not self._behind and not self._is_folded:
            # After an update that folds names otherwise than what is stored.
            async with self._node.database.write() as store:
                self._is_folded = not await store.foldings.fold_anew(PART)
            await asyncio.sleep(0.1)
            return
        if self._behind > self._before + _MANY:
            await asyncio.sleep(_LOOK_EVERY_S)
            return
        async with self._node.database.write() as store:
            followed = await follow(store)
        self._behind -= followed
        await asyncio.sleep(0.1 if followed == PART else _LOOK_EVERY_S)

    async def _look(self) -> bool:
        """Tell whether there is anything to do."""
        if self._is_folded and not await self._node.database.glances.is_behind_view(FOLLOWED_BY):
            self._before = self._behind = 0
            return False
        async with self._node.database.read() as store:
            self._before, self._behind = self._behind, await store.suppliers.behind()
        return bool(self._behind) or not self._is_folded
