"""How to reach the brokers: the same settings serve the bus and the creation of topics."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from comity_federation.bus import BusError

SASL_MECHANISM = "SCRAM-SHA-512"
"""The one way to sign in: the broker keeps no password, and a listener cannot learn it."""


class KafkaSettingsIncomplete(BusError):
    """The settings do not say enough to connect."""

    code: ClassVar[str] = "bus.kafka-settings-incomplete"


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Where the brokers are and how to sign in.

    Attributes:
        bootstrap: `host:port`, several separated by commas.
        security_protocol: `PLAINTEXT` on one's own machine; `SASL_SSL` (TLS and SCRAM-SHA-512) everywhere else.
        username: Kafka user, with `SASL_SSL`.
        password: of that user, or the file that holds it, read whenever a connection is made; never printed.
        cafile: PEM file of the authority that signed the brokers' certificates; None for the system's own.

    Raises:
        KafkaSettingsIncomplete: no address, or `SASL_SSL` without user and password.
    """

    bootstrap: str
    security_protocol: Literal["PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    username: str | None = None
    password: str | Path | None = field(default=None, repr=False)
    cafile: Path | None = None

    def __post_init__(self) -> None:
        if not self.bootstrap.strip():
            raise KafkaSettingsIncomplete("no bootstrap address given")
        if self.security_protocol == "SASL_SSL" and not (self.username and self.password):
            raise KafkaSettingsIncomplete("SASL_SSL needs a user name and a password")

    def read_password(self) -> str | None:
        """Return the password as it is now.

        Raises:
            OSError: its file cannot be read.
        """
        return self.password.read_text(encoding="utf-8").strip() if isinstance(self.password, Path) else self.password
