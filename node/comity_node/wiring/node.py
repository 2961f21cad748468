"""One node, put together."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from comity_federation.bus import Bus
from comity_federation.kafka_bus import KafkaBus, KafkaSettings
from comity_federation.local_log import LocalLog, LocalLogInProduction
from comity_federation.registry import Registry, RegistryClient
from comity_node.db import Database
from comity_node.domain.errors import RegistryMissing
from comity_node.services.evidence.vault import Vault
from comity_node.services.watching.sending import Outward
from comity_node.wiring.home import Home
from comity_node.wiring.settings import Settings
from comity_schemas.errors import ComityError
from comity_schemas.member import Member, Role

Clock = Callable[[], datetime]
_LOOK_AGAIN = timedelta(seconds=1)


def utc_now() -> datetime:
    """Return the time; everything else is given a clock."""
    return datetime.now(UTC)


class BusRefused(ComityError):
    """The setting `bus` names no bus."""

    code: ClassVar[str] = "settings.bus"


@dataclass(slots=True)
class Node:
    """What the API, the workers and the commands work on."""

    home: Home
    settings: Settings
    database: Database
    registry_client: RegistryClient | None
    clock: Clock
    _known: tuple[datetime, Registry] | None = None

    @classmethod
    def open(cls, path: Path, clock: Clock = utc_now) -> "Node":
        """Open the node of a home directory; nothing connects yet.

        Raises:
            SettingsRefused: the settings do not fit.
        """
        home = Home(path)
        settings = home.settings()
        source: Path | str = settings.registry
        if not settings.registry.startswith(("http://", "https://")):
            source = Path(settings.registry)
        client = None
        if home.root_file.exists():
            client = RegistryClient(home.root_file.read_bytes(), home.registry_cache, source)
        return cls(home, settings, Database(settings.database, home.report_keys), client, clock)

    def bus(self) -> Bus:
        """Return the bus of the settings, not started.

        Raises:
            BusRefused: the setting names none.
        """
        kind, _, where = self.settings.bus.partition(":")
        if kind == "local":
            if self.settings.env == "production":
                raise LocalLogInProduction("env is production, and the local log has no authentication: use Kafka")
            return LocalLog(Path(where))
        if kind == "kafka":
            return KafkaBus(self._kafka(where.removeprefix("//")), client_id=f"comity-{self.settings.member}")
        raise BusRefused(f"{self.settings.bus!r} is neither local:PATH nor kafka://HOST:PORT")

    @property
    def vault(self) -> Vault:
        """Where evidence files lie."""
        return Vault(self.settings.evidence or self.home.evidence, self.home.evidence_keys)

    @property
    def outward(self) -> Outward:
        """Through what alerts are sent."""
        return Outward(self.settings.mail_server, self.settings.webhook_networks, self.settings.member)

    def trusted_registry(self) -> Registry:
        """Return the last good registry, without any network.

        Raises:
            RegistryMissing: the node has none yet.
        """
        registry = None if self.registry_client is None else self.registry_client.trusted()
        if registry is None:
            raise RegistryMissing("this node has no registry yet: place the trusted root in its home and start it once")
        return registry

    async def registry(self) -> Registry:
        """Return the last good registry, looked up again every second at most.

        Raises:
            RegistryMissing: the node has none yet.
        """
        now = self.clock()
        # A clock that was set back must not let an old one stand: who was suspended meanwhile would not be.
        if self._known is None or not timedelta(0) <= now - self._known[0] < _LOOK_AGAIN:
            self._known = (now, await asyncio.to_thread(self.trusted_registry))
        return self._known[1]

    def own_member(self, registry: Registry) -> Member:
        """Return this node's member as the registry lists it.

        Raises:
            RegistryMissing: it is not listed.
        """
        member = registry.member(self.settings.member)
        if member is None:
            raise RegistryMissing(
                f"the registry does not list {self.settings.member}; hand member.json to the registrar"
            )
        return member

    async def own_role(self) -> Role:
        """Return what this node's member is.

        Raises:
            RegistryMissing: it is not listed, or there is no registry yet.
        """
        return self.own_member(await self.registry()).role

    async def close(self) -> None:
        """Let go of all connections."""
        await self.database.close()
        if self.registry_client is not None:
            self.registry_client.close()

    def _kafka(self, bootstrap: str) -> KafkaSettings:
        s = self.settings
        return KafkaSettings(
            bootstrap=bootstrap,
            security_protocol=s.kafka_security,
            username=s.kafka_username,
            password=s.kafka_password_file,
            cafile=s.kafka_ca_file,
        )
