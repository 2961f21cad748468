"""Salted disclosures: fields that can be shown, withheld or forgotten one by one without breaking a signature.

Stricter than RFC 9901: object properties only, at the top of `body` only, at most 64 digests, sorted, padded with
decoys to a fixed count so that nobody can tell how much is withheld.

Source: RFC 9901 §4.2 (disclosures, decoys), §7.1 (verification).
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from comity_federation import strict_json
from comity_federation.encoding import NotCanonical, b64decode, b64encode, digest
from comity_schemas.errors import ComityError

SALT_BYTES = 16
PADDED_DIGESTS = 16
"""Every body carries this many digests, so their number tells nothing."""

_RESERVED = frozenset({"_sd", "..."})


class MalformedDisclosure(ComityError):
    """The text is not a disclosure: canonical base64url of `[salt, name, value]` in strict JSON."""

    code: ClassVar[str] = "disclosure.malformed"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One field with its salt, as it travels."""

    encoded: str
    name: str
    value: Any

    @property
    def digest(self) -> str:
        """SHA-256 of the encoded text."""
        return digest(self.encoded)


def disclose(name: str, value: Any) -> Disclosure:
    """Return a field under a fresh 128-bit salt; never reuse one, also for an unchanged field."""
    salt = b64encode(secrets.token_bytes(SALT_BYTES))
    return Disclosure(b64encode(strict_json.dumps([salt, name, value])), name, value)


def read_disclosure(encoded: str) -> Disclosure:
    """Return the field a disclosure shows.

    Raises:
        MalformedDisclosure: any other form, or a reserved name.
    """
    try:
        parts = strict_json.loads(b64decode(encoded))
    except (NotCanonical, strict_json.NotStrict) as error:
        raise MalformedDisclosure(str(error)) from error
    if not isinstance(parts, list) or len(parts) != 3 or not all(isinstance(p, str) for p in parts[:2]):
        raise MalformedDisclosure("a disclosure is [salt, name, value]")
    if parts[1] in _RESERVED:
        raise MalformedDisclosure(f"{parts[1]!r} cannot be disclosed")
    return Disclosure(encoded, parts[1], parts[2])


def padded(digests: Iterable[str]) -> list[str]:
    """Return the digests sorted, with decoys up to the fixed count."""
    found = list(digests)
    decoys = (digest(secrets.token_bytes(32)) for _ in range(PADDED_DIGESTS - len(found)))
    return sorted([*found, *decoys])
