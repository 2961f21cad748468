"""What one process has read of the name index, kept while the index stays as it is.

Most of what one name is looked for by, another one shares: three letters, words of trades and places. The index says
by a stamp whether it is still the one that was read; where it is not, nothing of before is used.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comity_node.db.packing import Numbers

MOST_BYTES: Final = 48 * 1024 * 1024
"""Of lists; those that were asked for longest ago are let go first."""
MOST_COUNTS: Final = 300_000
"""Keys of which it is known how many suppliers have them."""


class KeptLists:
    """The lists of one state of the index, as far as they were read."""

    def __init__(self, stamp: str | None = None) -> None:
        """Know nothing yet.

        Args:
            stamp: of this state of the index; None before it was begun, and within whoever changes it.
        """
        self.stamp = stamp
        self._counts: dict[int, int] = {}
        self._lists: OrderedDict[int, Numbers] = OrderedDict()
        self._bytes = 0

    def counts(self, keys: Iterable[int]) -> dict[int, int]:
        """Return key to how many suppliers have it, 0 for nobody, of the keys of which that is known."""
        return {key: count for key in keys if (count := self._counts.get(key)) is not None}

    def count(self, counts: Mapping[int, int]) -> None:
        """Take how many suppliers have these keys."""
        if len(self._counts) + len(counts) > MOST_COUNTS:
            self._counts.clear()
        self._counts.update(counts)

    def lists(self, keys: Iterable[int]) -> dict[int, Numbers]:
        """Return the lists of these keys that are kept."""
        found = {key: self._lists[key] for key in keys if key in self._lists}
        for key in found:
            self._lists.move_to_end(key)
        return found

    def keep(self, lists: Mapping[int, Numbers]) -> None:
        """Take lists that were read; they are not to be changed any more."""
        for key, numbers in lists.items():
            if key not in self._lists:
                self._lists[key] = numbers
                self._bytes += numbers.nbytes
        while self._bytes > MOST_BYTES:
            self._bytes -= self._lists.popitem(last=False)[1].nbytes


class KeptIndex:
    """What one process keeps of the name index."""

    def __init__(self) -> None:
        self.lists = KeptLists()
        self.sizes: NDArray[np.uint8] = np.zeros(0, dtype=np.uint8)
        """By the number of a supplier; see `NameSizes`."""


def in_one(parts: Sequence[Numbers]) -> Numbers:
    """Return the parts of a list as one, ascending."""
    if len(parts) == 1:
        return parts[0]
    numbers = np.concatenate(parts)
    numbers.sort()
    return numbers
