"""Connections to brokers: one for each address and lane, made when needed.

Rules:
- Every question ends within a bounded time. One that was not answered costs its connection.
- A broker that takes connections and is silent holds up nobody who asks another one.
- Kafka answers the requests of one connection one after the other. So questions, long fetches and appends have
  lanes of their own: a fetch that waits five seconds for news must not hold up a question.
- What went wrong is said in words for the person who can mend it: a wrong password is no outage.
- A broker is not trusted with our memory or processor either: what it may send and what signing in may cost is bounded.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import Enum
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, ScramAuthenticator  # type: ignore[import-untyped]
from aiokafka.errors import (  # type: ignore[import-untyped]
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.helpers import create_ssl_context  # type: ignore[import-untyped]

from comity_federation.bus import BusUnavailable, SignInRefused
from comity_federation.kafka.settings import SASL_MECHANISM, KafkaSettings

REQUEST_TIMEOUT_S: Final = 10.0
"""Longest wait for one answer."""

CONNECT_WITHIN_S: Final = 5.0
"""Longest that connecting may take, TLS and signing in included."""

SLOW_S: Final = 1.0
"""When whoever could answer has not by then, the next one is asked too."""

IDLE_S: Final = 540.0
"""Brokers drop connections that were idle for ten minutes; we do it before them."""

MOST_ANSWER_BYTES: Final = 32 << 20
"""Largest answer that is read; a fetch asks for 8 MiB, and gets one batch more at most."""

MOST_ITERATIONS: Final = 100_000
"""How often a broker may ask for the password to be hashed; Kafka's own bound is 16,384."""

Address = tuple[str, int]


class Lane(Enum):
    """Which of the connections to one broker."""

    ASK = "ask"
    FETCH = "fetch"
    APPEND = "append"


class _Scram(ScramAuthenticator):  # type: ignore[misc]
    def _step(self, payload: bytes | None) -> Any:
        try:
            return super()._step(payload)
        except LookupError as why:
            raise ConnectionError("signing in is answered with something else") from why

    def create_salted_password(self, salt: bytes, iterations: int) -> None:
        if iterations > MOST_ITERATIONS:
            raise ConnectionError(f"signing in would take {iterations} rounds of hashing")
        super().create_salted_password(salt, iterations)


class _Connection(AIOKafkaConnection):  # type: ignore[misc]
    def authenticator_scram(self) -> _Scram:
        return _Scram(
            loop=self._loop,
            sasl_plain_password=self._sasl_plain_password,
            sasl_plain_username=self._sasl_plain_username,
            sasl_mechanism=self._sasl_mechanism,
        )

    @staticmethod
    async def _read(self_ref: Callable[[], "_Connection | None"]) -> None:
        """Hand over frames as they come, like the original, but none that is larger than anything we ask for."""
        connection = self_ref()
        if connection is None:
            return
        reader = connection._reader
        del connection  # Whoever forgets a connection must not be kept from that by its own reading.
        while True:
            size = int.from_bytes(await reader.readexactly(4), "big")
            if size > MOST_ANSWER_BYTES:
                raise ConnectionError(f"an answer of {size} bytes")
            frame = await reader.readexactly(size)
            if (connection := self_ref()) is None:
                return
            connection._handle_frame(frame)
            del connection


class Connections:
    """All connections of one client."""

    def __init__(self, settings: KafkaSettings, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._open: dict[tuple[Address, Lane], _Connection] = {}
        self._opening: dict[tuple[Address, Lane], asyncio.Lock] = {}
        self._tls: ssl.SSLContext | None = None

    async def ask(self, address: Address, request: Any, lane: Lane) -> Any:
        """Return a broker's answer.

        Raises:
            BusUnavailable: it does not answer; whether it acted on the request is unknown.
        """
        connection = await self.connect(address, lane)
        try:
            return await connection.send(request)
        except (KafkaError, OSError, TimeoutError) as why:
            self._forget(address, lane, connection)
            how = "does not answer" if isinstance(why, TimeoutError) else "ended the connection"
            raise BusUnavailable(f"{_name(address)} {how}") from why

    async def ask_first(self, addresses: Iterable[Address], request: Any) -> tuple[Address, Any]:
        """Return who answers first, and the answer; the next is asked when one fails or is slow.

        Raises:
            BusUnavailable: nobody answers.
        """
        waiting = list(addresses)
        asked: dict[asyncio.Task[Any], Address] = {}
        failed: BusUnavailable = BusUnavailable("no broker is known")
        try:
            while waiting or asked:
                if waiting:
                    address = waiting.pop(0)
                    asked[asyncio.create_task(self.ask(address, request, Lane.ASK))] = address
                timeout = SLOW_S if waiting else None
                done, _ = await asyncio.wait(asked, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    address = asked.pop(task)
                    try:
                        return address, task.result()
                    except BusUnavailable as why:
                        # That a broker refuses us says more than another one's silence.
                        failed = failed if isinstance(failed, SignInRefused) else why
            raise failed
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def connect(self, address: Address, lane: Lane) -> Any:
        """Return the connection, made if need be.

        Raises:
            BusUnavailable: it cannot be made; surely nothing was sent.
        """
        place = (address, lane)
        async with self._opening.setdefault(place, asyncio.Lock()):
            connection = self._open.get(place)
            if connection is None or not connection.connected():
                if connection is not None:
                    self._forget(address, lane, connection)
                connection = self._open[place] = await self._connect(address)
            return connection

    async def close(self) -> None:
        """Drop all connections, waiting at most some seconds for them to end."""
        ends = [self._forget(address, lane, each) for (address, lane), each in list(self._open.items())]
        if closing := [end for end in ends if end is not None]:
            await asyncio.wait(closing, timeout=3)

    async def _connect(self, address: Address) -> _Connection:
        host, port = address
        s = self._settings
        secure = s.security_protocol == "SASL_SSL"
        try:
            if secure and self._tls is None:
                self._tls = create_ssl_context(cafile=str(s.cafile) if s.cafile else None)
            connection = _Connection(
                host,
                port,
                client_id=self._client_id,
                request_timeout_ms=int(REQUEST_TIMEOUT_S * 1000),
                ssl_context=self._tls,
                security_protocol=s.security_protocol,
                max_idle_ms=int(IDLE_S * 1000),
                sasl_mechanism=SASL_MECHANISM if secure else "PLAIN",
                sasl_plain_username=s.username,
                sasl_plain_password=self._password(),
            )
            async with asyncio.timeout(CONNECT_WITHIN_S):
                await connection.connect()
        except (SaslAuthenticationFailed, UnsupportedSaslMechanismError) as why:
            raise SignInRefused(f"{_name(address)} refuses this node's user name or password") from why
        except ssl.SSLCertVerificationError as why:
            raise SignInRefused(
                f"{_name(address)} shows a certificate that is not trusted ({why.verify_message}): "
                "kafka_ca_file must hold the certificate of the hub's authority"
            ) from why
        except TimeoutError as why:
            raise BusUnavailable(f"{_name(address)} does not answer") from why
        except (KafkaError, OSError, ValueError) as why:
            reason = getattr(why, "strerror", None) or "it ended the connection"
            raise BusUnavailable(f"{_name(address)} takes no connection: {reason}") from why
        return connection

    def _password(self) -> str | None:
        try:
            return self._settings.read_password()
        except OSError as why:
            raise SignInRefused(f"the file with this node's Kafka password cannot be read: {why.strerror}") from why

    def _forget(self, address: Address, lane: Lane, connection: _Connection) -> Any:
        if self._open.get((address, lane)) is connection:
            del self._open[address, lane]
        writer = connection._writer
        closed = connection.close()
        if writer is not None:
            # A silent broker would not answer to a farewell either.
            with suppress(OSError):
                writer.transport.abort()
        return closed


def addresses_of(bootstrap: str) -> list[Address]:
    """Return the addresses of a `bootstrap` setting."""
    found = []
    for each in bootstrap.split(","):
        host, _, port = each.strip().rpartition(":")
        found.append((host.strip("[]"), int(port)))
    return found


def _name(address: Address) -> str:
    return f"broker {address[0]}:{address[1]}"
