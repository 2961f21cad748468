"""Base64url and hashes in the one form that is accepted.

Python's decoder drops foreign characters and ignores spare bits, so every decoded text is encoded again and compared.
"""

import base64
import binascii
import hashlib
from typing import ClassVar

import pybase64

from comity_schemas.errors import ComityError


class NotCanonical(ComityError):
    """The text is not base64url in its only allowed form: no padding, no foreign characters, no spare bits."""

    code: ClassVar[str] = "encoding.not-canonical"


def b64encode(value: bytes) -> str:
    """Return base64url without padding."""
    return pybase64.b64encode_as_string(value, b"-_").rstrip("=")


def b64decode(text: str) -> bytes:
    """Return the bytes of canonical base64url.

    Raises:
        NotCanonical: any other spelling.
    """
    try:
        value = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise NotCanonical("not base64url") from error
    if b64encode(value) != text:
        raise NotCanonical("base64url is not in canonical form")
    return value


def digest(value: bytes | str) -> str:
    """Return SHA-256 of the bytes (of ASCII text) as base64url."""
    return b64encode(hashlib.sha256(value.encode("ascii") if isinstance(value, str) else value).digest())
