"""What can go wrong with a registry, for the node that reads it and for those who keep it."""

from datetime import datetime
from typing import ClassVar

from comity_schemas.errors import ComityError


class RegistryError(ComityError):
    """Root of every error about the registry."""

    code: ClassVar[str] = "registry"


class RegistryExpired(RegistryError):
    """A list has run out: acceptance waits until a fresh one is there. Nothing is lost or refused.

    Attributes:
        part: which one: `root`, `timestamp`, `snapshot`, `targets` (the members) or `suspensions`.
        since: when it ran out.
    """

    code: ClassVar[str] = "registry.expired"

    def __init__(self, part: str, since: datetime) -> None:
        super().__init__(f"the registry's {part} expired on {since:%Y-%m-%d at %H:%M:%S} UTC")
        self.part = part
        self.since = since


class RegistryRefused(RegistryError):
    """What was offered is damaged or an attack: wrongly signed, rolled back, mixed, oversized, or not of the schema."""

    code: ClassVar[str] = "registry.refused"


class RegistryUnreachable(RegistryError):
    """Nothing, or not everything, could be fetched. Try again later."""

    code: ClassVar[str] = "registry.unreachable"


class RegistryAbsent(RegistryError):
    """The directory holds no published registry."""

    code: ClassVar[str] = "registry.absent"


class RegistryExists(RegistryError):
    """The directory holds a registry already."""

    code: ClassVar[str] = "registry.exists"


class ChangeRefused(RegistryError):
    """The change would break a rule of the lists, such as dropping a closing or listing a key twice."""

    code: ClassVar[str] = "registry.change-refused"


class NotAHolder(RegistryError):
    """The key may sign nothing of what is staged."""

    code: ClassVar[str] = "registry.not-a-holder"


class NotTheHub(RegistryError):
    """The key is not the one the root names for snapshot and timestamp."""

    code: ClassVar[str] = "registry.not-the-hub"


class NothingStaged(RegistryError):
    """There is nothing to sign or to publish."""

    code: ClassVar[str] = "registry.nothing-staged"


class StagedOutdated(RegistryError):
    """What is staged was made for another published version, or ran out while it waited for signatures."""

    code: ClassVar[str] = "registry.staged-outdated"


class SignaturesMissing(RegistryError):
    """What is staged has not enough signatures yet.

    Attributes:
        missing: how many are missing, by part (`root`, `targets`, `suspensions`).
        could_sign: names of the holders whose signature would count and is not there, by part.
    """

    code: ClassVar[str] = "registry.signatures-missing"

    def __init__(self, missing: dict[str, int], could_sign: dict[str, tuple[str, ...]]) -> None:
        parts = "; ".join(
            f"{part} needs {count} more (not signed yet: {', '.join(could_sign[part])})"
            for part, count in missing.items()
        )
        super().__init__(f"signatures are missing: {parts}")
        self.missing = missing
        self.could_sign = could_sign
