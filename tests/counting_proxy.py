"""What stands between a node and a broker and notes every request that passes: when, of which kind, how large.

It listens without TLS before a broker without TLS, and puts its own port where the broker's answers name the broker's:
so every connection of a client passes it, whatever address it learns.
"""

import asyncio
import struct
import time
from dataclasses import dataclass

from fault_proxy import whole_frame


@dataclass(frozen=True, slots=True)
class Passed:
    """One request."""

    at: float
    kind: int
    """The API key. Source: Apache Kafka protocol guide, "Api Keys"."""
    size: int
    """In bytes, with its frame."""


class CountingProxy:
    """The address of one broker, as its clients know it."""

    def __init__(self, broker: str) -> None:
        self._host, _, port = broker.rpartition(":")
        self._broker_port, self.port = int(port), 0
        self.passed: list[Passed] = []
        self._passing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "CountingProxy":
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        named = self._host.encode()
        self._broker, self._self = (named + struct.pack(">i", port) for port in (self._broker_port, self.port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def between(self, begin: float, end: float) -> list[Passed]:
        return [each for each in self.passed if begin <= each.at < end]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        answers, requests = await asyncio.open_connection(self._host, self._broker_port)
        both = asyncio.gather(self._ask(reader, requests), self._answer(answers, writer))
        try:
            await both
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # One of the two has gone, and so must the other.
        finally:
            both.cancel()
            for each in (requests, writer):
                each.transport.abort()
            self._passing.discard(task)

    async def _ask(self, reader: asyncio.StreamReader, broker: asyncio.StreamWriter) -> None:
        while True:
            asked = await whole_frame(reader)
            self.passed.append(Passed(time.time(), struct.unpack_from(">h", asked, 4)[0], len(asked)))
            broker.write(asked)
            await broker.drain()

    async def _answer(self, broker: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write((await whole_frame(broker)).replace(self._broker, self._self))
            await writer.drain()
