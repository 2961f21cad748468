"""A node's settings: `settings.toml` in its home, each overridable by an environment variable `COMITY_...`."""

import os
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, IPvAnyNetwork, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from comity_federation.addresses import is_this_machine
from comity_node.domain.due_process import FIXED, Windows
from comity_node.domain.minimize import Policy
from comity_node.domain.retention import USUAL_MONTHS
from comity_node.domain.vendor_contacts import MAIL_ADDRESS
from comity_node.services.review.mail import MailServer
from comity_node.wiring.environment import PREFIX, unknown_variables
from comity_schemas.errors import ComityError
from comity_schemas.finding import Severity
from comity_schemas.wire import Slug, misfits

_SHORTEST_TOKEN = 20


class SettingsRefused(ComityError):
    """`settings.toml` or a `COMITY_` variable does not fit; the text says where."""

    code: ClassVar[str] = "settings.refused"


class Settings(BaseSettings):
    """Everything that can be set. docs/operating.md explains each."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    member: Slug
    """Which member of the registry this node is."""
    database: str
    """SQLAlchemy URL: `sqlite+aiosqlite:///...` or `postgresql+asyncpg://...`."""
    bus: str
    """`local:PATH`, or `kafka://HOST:PORT,HOST:PORT`."""
    kafka_security: Literal["PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_username: str | None = None
    kafka_password_file: Path | None = None
    kafka_ca_file: Path | None = None
    registry: str
    """A directory, or an https URL."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8400
    env: Literal["production", "trial"] = "trial"
    registry_every_s: Annotated[float, Field(gt=0)] = 30.0
    checkpoint_every_s: Annotated[float, Field(gt=0)] = 900.0
    refill_after_s: Annotated[float, Field(gt=0)] = 10.0
    compare_heads_every_s: Annotated[float, Field(gt=0)] = 86_400.0
    metrics_token_file: Path | None = None
    goods_risk_file: Path | None = None
    """A state's list of goods by country; None, the default, shows no risk at all."""
    evidence: Path | None = None
    evidence_more_types: frozenset[str] = frozenset()
    evidence_scanner: tuple[str, ...] = ()
    keep_months: Annotated[int, Field(ge=1, le=600)] = USUAL_MONTHS
    contacts_months: Annotated[int, Field(ge=1, le=36)] = 12
    """How long a list of vendors' contacts is kept; it is personal data and grows old."""
    least_severity: Literal[Severity.S2, Severity.S3, Severity.S4] = Severity.S2
    """Stricter than the default is allowed, looser is not."""
    validity_months: Annotated[int, Field(ge=1, le=12)] = 12
    keep_screenings_months: Annotated[int, Field(ge=12, le=600)] = USUAL_MONTHS
    """How long a screening on file is kept: as long as the file of the procurement it belongs to."""
    keep_alerts_months: Annotated[int, Field(ge=1, le=120)] = 13
    """How long alerts, and the log of what was sent of them, are kept: a year can be looked back on."""
    protect_sources: bool = False
    """Whether nothing that identifies a source leaves, whatever it is; what workers' organisations gathered is
    protected always. `comity init` sets it for worker organisations and authorities."""
    reply_window_s: Annotated[float, Field(ge=0)] = FIXED.reply.total_seconds()
    reply_extension_s: Annotated[float, Field(ge=0)] = FIXED.extension.total_seconds()
    postponed_at_most_s: Annotated[float, Field(ge=0)] = FIXED.postponed.total_seconds()
    dispute_within_s: Annotated[float, Field(ge=0)] = FIXED.dispute.total_seconds()
    pass_on_after_s: Annotated[float, Field(gt=0)] = FIXED.escalation.total_seconds()

    mail_host: str | None = None
    """Who takes the node's mail to suppliers; None: the reviewer hands each code on."""
    mail_port: Annotated[int, Field(ge=1, le=65_535)] = 587
    mail_tls: Literal["starttls", "tls", "none"] = "starttls"
    mail_from: Annotated[str, Field(pattern=MAIL_ADDRESS, max_length=254)] | None = None
    mail_username: str | None = None
    mail_password_file: Path | None = None
    mail_ca_file: Path | None = None
    public_url: str | None = None
    """How this node is reached from outside; a supplier opens its code at `/supplier` under it."""
    webhook_networks: tuple[IPvAnyNetwork, ...] = ()
    """Networks of the organisation's own that webhooks may call beside public addresses."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, whose values come in as arguments."""
        return env_settings, init_settings

    @property
    def policy(self) -> Policy:
        """What this member lets leave."""
        return Policy(self.least_severity, self.validity_months, self.protect_sources)

    @property
    def mail_server(self) -> MailServer | None:
        """Who takes the node's mail, if anybody."""
        if self.mail_host is None or self.mail_from is None or self.public_url is None:
            return None
        return MailServer(
            self.mail_host,
            self.mail_port,
            self.mail_tls,
            self.mail_from,
            self.public_url,
            self.mail_username,
            self.mail_password_file,
            self.mail_ca_file,
        )

    @property
    def windows(self) -> Windows:
        """How long each step of due process may take."""
        return Windows(
            timedelta(seconds=self.reply_window_s),
            timedelta(seconds=self.reply_extension_s),
            timedelta(seconds=self.postponed_at_most_s),
            timedelta(seconds=self.dispute_within_s),
            timedelta(seconds=self.pass_on_after_s),
        )

    @property
    def checkpoint_every(self) -> timedelta:
        """How often a checkpoint is published."""
        return timedelta(seconds=self.checkpoint_every_s)

    def metrics_token(self) -> str | None:
        """Return the token with which the node's numbers are read; None when nobody may.

        Raises:
            SettingsRefused: the file cannot be read, or its token is too short to be one.
        """
        if self.metrics_token_file is None:
            return None
        try:
            token = self.metrics_token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsRefused(f"metrics_token_file: {self.metrics_token_file} cannot be read") from error
        if len(token) < _SHORTEST_TOKEN:
            raise SettingsRefused(f"metrics_token_file: a token has at least {_SHORTEST_TOKEN} characters")
        return token


def read_settings(path: Path) -> Settings:
    """Read a node's settings.

    Raises:
        SettingsRefused: missing, no TOML, a value that does not fit, a `COMITY_` variable that is none, or windows that
            production fixes otherwise.
    """
    if unknown := unknown_variables(os.environ, Settings.model_fields):
        raise SettingsRefused(f"the environment does not fit: {'; '.join(unknown)}. Unset or correct it")
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        settings = Settings(**values)
    except FileNotFoundError as error:
        raise SettingsRefused(f"{path} is not there: is this a node's home? `comity init` makes one") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsRefused(f"{path} is no TOML: {error}") from error
    except ValidationError as error:
        raise SettingsRefused(f"{path}: {misfits(error)}") from error
    except SettingsError as error:
        # It names the variable and not what stands in it.
        raise SettingsRefused(f"the environment does not fit: {error}; it is written as JSON") from error
    differences = settings.windows.differences()
    if settings.env == "production" and differences:
        raise SettingsRefused(f"{path}: env is production, which fixes the windows of due process: {differences[0]}")
    if settings.mail_host is not None:
        if settings.mail_from is None or settings.public_url is None:
            raise SettingsRefused(f"{path}: mail_host needs mail_from and public_url")
        if settings.mail_tls == "none" and not is_this_machine(settings.mail_host):
            raise SettingsRefused(f"{path}: mail_tls may be none on this machine only: the mail holds a secret code")
    return settings
