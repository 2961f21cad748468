"""How large suppliers' names are, in keys of the name index, so that what names share is weighed against it.

Rules:
- What is written of a supplier stays until the index is built anew, so what a process has read stays true.
- It only helps to rank candidates; nobody is judged by it.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.kept_index import KeptIndex
from comity_node.db.reading import Reading

TOGETHER: Final = 1_000
"""Suppliers in one row: it stays below 2,000 bytes, so that PostgreSQL keeps it whole in its page."""

Sizes = NDArray[np.uint8]


class NameSizes:
    """Repository of the sizes of suppliers' names."""

    def __init__(self, session: AsyncSession, kept: KeptIndex) -> None:
        self._session = session
        self._reading = Reading(session)
        self._kept = kept

    async def of_all(self, newest: int) -> Sizes:
        """Return the size of each supplier up to one, by its number; 0 of those that are not in the index."""
        if len(self._kept.sizes) <= newest:
            start = len(self._kept.sizes) // TOGETHER * TOGETHER
            rows = await self._reading.rows(_FROM, (), (start,))
            self._kept.sizes = np.concatenate((self._kept.sizes[:start], *map(_unpacked, rows)))
        missing = newest + 1 - len(self._kept.sizes)
        return self._kept.sizes if missing <= 0 else np.pad(self._kept.sizes, (0, missing))

    async def put(self, first: int, sizes: bytes) -> None:
        """Write how large the suppliers from one number on are; those before it are there."""
        start = first // TOGETHER * TOGETHER
        there = b"".join(sizes for (sizes,) in await self._reading.rows(_FROM, (), (start,)))
        before = there[: first - start].ljust(first - start, bytes(1))
        whole = before + sizes
        parts = [{"f": start + place, "s": whole[place : place + TOGETHER]} for place in range(0, len(whole), TOGETHER)]
        if sizes:
            await (await self._session.connection()).execute(_PUT, parts)


def _unpacked(row: Sequence[bytes]) -> Sizes:
    return np.frombuffer(row[0], dtype=np.uint8)


_FROM = "select sizes from search_size where first >= ? order by first"
_PUT = text(
    "insert into search_size (first, sizes) values (:f, :s) on conflict (first) do update set sizes = excluded.sizes"
)
