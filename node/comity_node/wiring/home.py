"""A node's home directory: what lies where."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from comity_node.wiring.settings import Settings, read_settings
from comity_schemas.errors import ComityError


class HomeExists(ComityError):
    """A node lives in this directory already; nothing was changed."""

    code: ClassVar[str] = "home.exists"


@dataclass(frozen=True, slots=True)
class Home:
    """The paths of one node; everything in it is readable by its owner only."""

    path: Path

    @property
    def settings_file(self) -> Path:
        """What can be set."""
        return self.path / "settings.toml"

    @property
    def signing_key(self) -> Path:
        """The private key that signs statements."""
        return self.path / "keys" / "signing.jwk"

    @property
    def sealing_key(self) -> Path:
        """The private key that opens what was sealed for this member."""
        return self.path / "keys" / "sealing.jwk"

    @property
    def member_file(self) -> Path:
        """What `comity registry add` takes."""
        return self.path / "member.json"

    @property
    def root_file(self) -> Path:
        """The trusted root of the registry, as it was given out of band."""
        return self.path / "root.json"

    @property
    def crosswalks(self) -> Path:
        """Crosswalks of the member's own, one file a scheme; need not exist."""
        return self.path / "crosswalks"

    @property
    def registry_cache(self) -> Path:
        """The last good registry."""
        return self.path / "registry"

    def lock(self, part: str) -> Path:
        """Held by the process that does this part: `api`, `receiver`, `relay`."""
        return self.path / f"{part}.lock"

    @property
    def database_file(self) -> Path:
        """The default database."""
        return self.path / "node.db"

    @property
    def evidence(self) -> Path:
        """Evidence files, encrypted, unless the settings name another directory."""
        return self.path / "evidence"

    @property
    def evidence_keys(self) -> Path:
        """The key of each evidence file: what is shredded when its time is over."""
        return self.path / "keys" / "evidence"

    @property
    def report_keys(self) -> Path:
        """The key of each report in the database, shredded when its time is over; and of drafts and notes."""
        return self.path / "keys" / "reports"

    @property
    def secret(self) -> Path:
        """Salts what is random to others and repeatable here: event references."""
        return self.path / "keys" / "node.secret"

    def settings(self) -> Settings:
        """Read the settings.

        Raises:
            SettingsRefused: see there.
        """
        return read_settings(self.settings_file)

    def write_settings(self, values: dict[str, object]) -> None:
        """Write the settings for the first time, each value with the sentence that explains it in the docs."""
        lines = ["# A node's settings; docs/operating.md explains each. COMITY_<NAME> in the environment wins."]
        lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
        self.settings_file.write_text("\n".join(lines) + "\n", encoding="utf-8")
