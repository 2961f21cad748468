"""The name index within one view that does not change, for whoever asks it thousands of times."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import numpy as np
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.packing import Numbers
from comity_node.db.search import Search

MOST_BYTES: Final = 64 * 1024 * 1024
"""Of lists that are kept; those that were asked for longest ago are let go first."""
MOST_COUNTS: Final = 1_000_000


class KeptSearch(Search):
    """Says the same as the index, and reads each list once. For reading only."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session)
        self._counts: dict[int, int] = {}
        self._lists: OrderedDict[int, Numbers] = OrderedDict()
        self._bytes = 0

    async def counts(self, keys: Sequence[int]) -> dict[int, int]:
        """Return key to how many suppliers have it; those that nobody has are left out."""
        if len(self._counts) > MOST_COUNTS:
            self._counts.clear()
        if new := [key for key in keys if key not in self._counts]:
            found = await super().counts(new)
            self._counts.update((key, found.get(key, 0)) for key in new)
        return {key: count for key in keys if (count := self._counts[key])}

    async def suppliers(self, keys: Sequence[int]) -> list[tuple[int, Numbers]]:
        """Return (key, suppliers that have it), each key that somebody has once."""
        new = [key for key in keys if key not in self._lists]
        parts: dict[int, list[Numbers]] = {key: [] for key in new}
        for key, suppliers in await super().suppliers(new) if new else ():
            parts[key].append(suppliers)
        for key, some in parts.items():
            self._lists[key] = np.concatenate(some) if some else np.empty(0, dtype=np.int32)
            self._bytes += self._lists[key].nbytes
        found = [(key, self._lists[key]) for key in keys]
        for key in keys:
            self._lists.move_to_end(key)
        while self._bytes > MOST_BYTES:
            self._bytes -= self._lists.popitem(last=False)[1].nbytes
        return [(key, suppliers) for key, suppliers in found if len(suppliers)]
