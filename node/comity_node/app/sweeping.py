"""When the API's process looks for garbage: between requests, not in the midst of one.

What requests leave in caches stays, and the collector would walk through all of it ever again: for a tenth of a second
and more, in one request of a hundred. So it never looks through what is old by itself. Where some requests were
answered and none is running, all that came since is looked through once, and what stays is not looked at again.
"""

import gc
from typing import Final

EVERY: Final = 200
"""Requests after which it is time."""
AT_LATEST: Final = 5_000
"""Requests after which it is done although others are running: whoever waits does so once."""
_NEVER: Final = 1_000_000


class Sweeper:
    """Looks for garbage between requests."""

    def __init__(self) -> None:
        self._swept = 0

    def begin(self) -> None:
        """Leave alone what was loaded until now, and from here on what is old."""
        gc.freeze()
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, _NEVER)

    def look(self, answered: int, running: int) -> bool:
        """Look for garbage if it is time; return whether it was.

        Args:
            answered: requests since the start.
            running: requests that somebody waits for.
        """
        since = answered - self._swept
        if since < (EVERY if not running else AT_LATEST):
            return False
        self._swept = answered
        gc.collect()
        gc.freeze()
        return True
