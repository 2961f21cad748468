"""What stands between a node and a broker, and can lose an acknowledgement: it knows Kafka's frames, within TLS.

The broker must advertise the proxy's address (`local_cluster.py --behind`). Every request that passes is counted by
its API key, so that a test can say how often a node asks while nobody answers.
"""

import asyncio
import ssl
import struct
from collections import Counter
from contextlib import suppress

PRODUCE = 0
"""API key of a request that appends. Source: Apache Kafka protocol guide, "Api Keys"."""


class FaultProxy:
    """The address of one broker, as its clients know it."""

    def __init__(self, port: int, broker_port: int, outside: ssl.SSLContext, inside: ssl.SSLContext) -> None:
        """Listens nowhere yet.

        Args:
            port: where clients connect.
            broker_port: where the broker really listens.
            outside: with the broker's certificate.
            inside: trusting it.
        """
        self._port, self._broker_port = port, broker_port
        self._outside, self._inside = outside, inside
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self.asked: Counter[int] = Counter()
        self.to_lose = 0
        """So many acknowledgements of appends are lost next: stored, and the connection breaks before the answer."""
        self.lost = 0

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port, ssl=self._outside)

    async def stop(self) -> None:
        """Break every connection and take no more."""
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def cut(self) -> None:
        """Break every connection; new ones are taken."""
        for writer in list(self._open):
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        self._open.add(writer)
        try:
            await self._pass_on(reader, writer)
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            pass  # One of the two has gone, and so must the other.
        finally:
            self._open.discard(writer)
            self._passing.discard(task)
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        context = {"ssl": self._inside, "server_hostname": "127.0.0.1"}
        broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self._broker_port, **context)  # type: ignore[arg-type]
        doomed: set[int] = set()
        both = [
            asyncio.create_task(self._requests(reader, broker_writer, doomed)),
            asyncio.create_task(self._answers(broker_reader, writer, doomed)),
        ]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            broker_writer.transport.abort()
            for each in both:
                each.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*both, return_exceptions=True)

    async def _requests(self, reader: asyncio.StreamReader, broker: asyncio.StreamWriter, doomed: set[int]) -> None:
        while True:
            frame = await whole_frame(reader)
            key, _, correlation = struct.unpack_from(">hhi", frame, 4)
            self.asked[key] += 1
            if key == PRODUCE and self.to_lose:
                self.to_lose -= 1
                doomed.add(correlation)
            broker.write(frame)
            await broker.drain()

    async def _answers(self, broker: asyncio.StreamReader, writer: asyncio.StreamWriter, doomed: set[int]) -> None:
        while True:
            frame = await whole_frame(broker)
            if struct.unpack_from(">i", frame, 4)[0] in doomed:
                self.lost += 1
                return
            writer.write(frame)
            await writer.drain()


async def whole_frame(reader: asyncio.StreamReader) -> bytes:
    """Return one message of Kafka, with its size before it."""
    head = await reader.readexactly(4)
    return head + await reader.readexactly(struct.unpack(">i", head)[0])
