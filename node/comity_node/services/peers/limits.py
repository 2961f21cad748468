"""How much one caller may ask: so much at once, then so much a second. Kept in memory by the process that answers."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from comity_node.domain.errors import TooManyRequests

AT_ONCE = 120
A_SECOND = 4.0
"""Requests: enough to fetch 800 records a second, more than a member may publish in a minute of its daily budget."""

BYTES_AT_ONCE = 32 * 1024 * 1024
BYTES_A_SECOND = 1024 * 1024.0


@dataclass(slots=True)
class _Allowance:
    requests: float
    bytes: float
    at: float


class Limits:
    """One allowance a caller."""

    def __init__(
        self, clock: Callable[[], float] = monotonic, *, at_once: int = AT_ONCE, a_second: float = A_SECOND
    ) -> None:
        self._clock = clock
        self._at_once, self._a_second = at_once, a_second
        self._callers: dict[str, _Allowance] = {}

    def take_one(self, caller: str) -> None:
        """Count one request.

        Raises:
            TooManyRequests: more than allowed; nothing was looked up.
        """
        now = self._clock()
        left = self._callers.setdefault(caller, _Allowance(self._at_once, BYTES_AT_ONCE, now))
        passed = max(0.0, now - left.at)
        left.requests = min(self._at_once, left.requests + passed * self._a_second)
        left.bytes = min(BYTES_AT_ONCE, left.bytes + passed * BYTES_A_SECOND)
        left.at = now
        if left.requests < 1 or left.bytes < 0:
            waits = max((1 - left.requests) / self._a_second, -left.bytes / BYTES_A_SECOND)
            raise TooManyRequests(retry_after_s=max(1, math.ceil(waits)))
        left.requests -= 1

    def count_bytes(self, caller: str, size: int) -> None:
        """Count what was given; the next request waits for what is too much."""
        if caller in self._callers:
            self._callers[caller].bytes -= size
