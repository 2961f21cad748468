"""Loops that go on after every error, and say in words what holds them up."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from comity_node.db import Database, DatabaseUnavailable
from comity_node.wiring import Node
from comity_schemas.errors import ComityError

Step = Callable[[], Awaitable[None]]
"""One round of a loop: it does what there is to do, or waits a little, and raises when it is held up."""

IDLE_S = 0.2
"""How long a round without work waits."""

_LONGEST_PAUSE_S = 10.0
"""What was held up for hours goes on within seconds of the end."""

log = structlog.get_logger(__name__)


class Loops:
    """The loops of one process. A condition has the name of its loop; it begins and ends in the database."""

    def __init__(self, node: Node) -> None:
        self._node = node
        # What an earlier run noted is cleared by the first success.
        self._clear: set[str] = set()

    async def forever(self, name: str, step: Step) -> None:
        """Do a step again and again."""
        while True:
            await self.keep_trying(name, step)

    async def keep_trying(self, name: str, step: Step) -> None:
        """Do a step until it succeeds, waiting a little longer each time."""

        async def note(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome is not None else None
            code = error.code if isinstance(error, ComityError) else "os"
            log.warning("exchange.held_up", step=name, code=code)
            await self.set_condition(name, str(error))

        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type((ComityError, OSError)),
            wait=wait_exponential(multiplier=IDLE_S, max=_LONGEST_PAUSE_S),
            before_sleep=note,
        ):
            with attempt:
                await step()
        await self.clear_condition(name)

    async def set_condition(self, name: str, text: str) -> None:
        """Say what holds a loop up."""
        self._clear.discard(name)
        # When it is the database that holds us up, the log line must do.
        with suppress(DatabaseUnavailable):
            async with self._node.database.write() as store:
                await store.conditions.set(name, text, self._node.clock())

    async def clear_condition(self, name: str) -> None:
        """Say that it is over; costs nothing when it was said before."""
        if name in self._clear:
            return
        with suppress(DatabaseUnavailable):
            async with self._node.database.write() as store:
                await store.conditions.clear(name)
            self._clear.add(name)


class Rest:
    """Spares a round what its last one did in vain, as long as nothing was committed since.

    Only for work of which the database alone, and what is named beside it, decides whether there is any.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._in_vain: object = None

    async def unless_in_vain(self, work: Callable[[], Awaitable[bool]], *, under: object = None) -> bool:
        """Do the work; False when there was none, or can be none.

        Args:
            work: tells whether there was any.
            under: what else it goes by, such as the registry: with another one it is done again.
        """
        now = (await self._database.version(), under)
        if now == self._in_vain:
            return False
        self._in_vain = None
        worked = await work()
        if not worked:
            self._in_vain = now
        return worked


Named = Mapping[str, Step]
"""Loops by the name that their conditions have."""
