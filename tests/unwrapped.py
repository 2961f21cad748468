"""What somebody reads who takes apart everything that was sent: a canary in a signed payload hides behind base64url."""

import base64
import binascii
import re

_CODED = re.compile(rb"[A-Za-z0-9_-]{16,}")


def unwrapped(raw: bytes) -> bytes:
    """Return bytes together with everything that they hold coded, as deep as it goes."""
    found, layer = [raw], raw
    for _ in range(4):
        layer = b"\n".join(_decoded(coded) for coded in _CODED.findall(layer))
        if not layer:
            break
        found.append(layer)
    return b"\n".join(found)


def _decoded(coded: bytes) -> bytes:
    try:
        return base64.urlsafe_b64decode(coded + b"=" * (-len(coded) % 4))
    except binascii.Error:
        return b""
