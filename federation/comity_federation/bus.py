"""What a node needs of a bus: publish one record to its own log, read logs from positions the node itself keeps.

The bus is untrusted. Positions belong to the node's database, never to the bus: `read` is told where to begin on
every call, so that after any error the next call simply begins at the database's position again. Offsets grow but
have holes; they are never used to detect gaps. The same record may be delivered more than once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Protocol

from comity_schemas.errors import ComityError

MAX_BATCH_BYTES = 262_144
"""Largest record with its headers and framing, in bytes, on every bus: a topic's `max.message.bytes`."""

MOST_OFFSET = 2**53
"""No log reaches this offset: whoever names a later one is not believed, so that no database meets one it cannot hold.
"""

_FRAMING_BYTES = 128
"""More than Kafka adds to one record sent alone: 61 bytes of batch header, some 20 of lengths."""


def batch_bytes(value: bytes, headers: Mapping[str, str]) -> int:
    """Return how large a record may become on the wire, in bytes, framing included."""
    named = len("".join((*headers, *headers.values())).encode()) + 10 * len(headers)
    return len(value) + named + _FRAMING_BYTES


def statements_topic(slug: str) -> str:
    """Return the topic of a member's statements."""
    return f"comity.statements.v1.{slug}"


def checkpoints_topic(slug: str) -> str:
    """Return the topic of a member's checkpoints."""
    return f"comity.checkpoints.v1.{slug}"


@dataclass(frozen=True, slots=True)
class Delivered:
    """One record as the bus handed it over. Nothing in it is believed yet."""

    topic: str
    offset: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Skipped:
    """Offsets `first..last` of a topic that hold no record for us: compressed, outdated or unreadable batches, null
    values, or what is no longer held."""

    topic: str
    first: int
    last: int
    reason: str


class BusError(ComityError):
    """Root of what a bus can answer."""

    code: ClassVar[str] = "bus"


class BusUnavailable(BusError):
    """Nothing was sent or read; the bus does not answer. Try again later."""

    code: ClassVar[str] = "bus.unavailable"


class SignInRefused(BusUnavailable):
    """The bus does not let this node in, or is not the one it trusts. Trying again helps once that is mended."""

    code: ClassVar[str] = "bus.sign-in-refused"


class OutcomeUnknown(BusError):
    """The record may or may not have been stored: read the topic's tail before sending anything else."""

    code: ClassVar[str] = "bus.outcome-unknown"


class PublishRefused(BusError):
    """The bus said no, for good: too large, no such topic, or no right to write."""

    code: ClassVar[str] = "bus.refused"


class HistoryMissing(BusError):
    """The position lies outside what the bus still holds: truncated, rebuilt, or another cluster.

    Ask `bus_id` before going on: if it has changed, no position means anything any more. The other topics of the same
    call are not affected; leave this one out and read on.

    Attributes:
        topic: the log concerned.
        position: where the node wanted to go on.
    """

    code: ClassVar[str] = "bus.history-missing"

    def __init__(self, topic: str, position: int) -> None:
        super().__init__(f"{topic} does not hold offset {position} any more")
        self.topic = topic
        self.position = position


class Bus(Protocol):
    """A place of logs. Implementations: `LocalLog` (one machine) and `KafkaBus`; one contract suite holds both."""

    async def start(self) -> None:
        """Connect.

        Raises:
            BusUnavailable: nothing answers.
        """

    async def stop(self) -> None:
        """Disconnect within ten seconds, whatever the bus does."""

    async def bus_id(self) -> str:
        """Return what names this bus: when it changes, positions mean nothing and reading begins at 0 again."""

    async def publish(self, topic: str, value: bytes, headers: Mapping[str, str]) -> int:
        """Append one record and return its offset, once it is stored durably.

        Calls may overlap: records of one topic are stored in the order of the calls, and when one is not surely
        stored, those waiting behind it are not sent (`BusUnavailable`). Overlapping calls are much faster.

        Raises:
            OutcomeUnknown: no answer in time.
            PublishRefused: refused for good.
            BusUnavailable: surely not stored.
        """

    async def read(self, positions: Mapping[str, int], *, most: int, wait: timedelta) -> Sequence[Delivered | Skipped]:
        """Return up to `most` records of the named topics from the given offsets on, in order within each topic.

        A topic's next position is one past the last offset it was given (`Delivered.offset`, `Skipped.last`), and
        never a lower one than before: repeats begin lower. Name all topics in one call; two calls do not overlap.

        Args:
            positions: topic to next offset wanted; 0 is the beginning, wherever that now is. A topic that does not
                exist yet is silent; one that was read (above 0) and is gone is `HistoryMissing`.
            most: upper bound of records returned.
            wait: how long to wait when there is nothing; an empty answer is no error.

        Raises:
            BusUnavailable: nothing was read.
            HistoryMissing: a position lies outside what is stored.
        """

    async def tail(self, topic: str, *, most: int) -> Sequence[Delivered]:
        """Return the last `most` records of a topic, oldest first; empty when it holds none.

        Raises:
            BusUnavailable: the topic did not answer; nobody may sign on this basis.
        """

    async def end(self, topics: Sequence[str]) -> Mapping[str, int]:
        """Return for each topic the offset after its last record; 0 for an empty or missing one.

        Raises:
            BusUnavailable: no answer.
        """

    def troubles(self) -> Mapping[str, str]:
        """Return the topics that cannot be read at the moment, and why, in words; empty when all can."""
