"""Calling a webhook: signed, safe against being replayed, and never anywhere but where its officer said.

The form is Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,BASE64` with HMAC-SHA256 over
`ID.TIMESTAMP.BODY`. The id stays the same however often a delivery is tried; the timestamp is of the try.

Rules (a URL is somebody's word, and this node stands inside an organisation's network):
- `https` only; its host is resolved once, every address must be public or in a network that the administrator allowed
  (`webhook_networks`), and the call goes to that very address, so that a name that resolves to another one a moment
  later gains nothing. Plain `http` only where the address itself is this machine's and allowed.
- No redirect is followed, no proxy of the environment is used, nothing of the answer is read but its status: who has
  answered 2xx has taken it, however slow or endless what follows is.
- Every call ends after `_WITHIN_S`, looking up the host included.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import json
import socket
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx2

from comity_node.services.watching.watches import SECRET_PREFIX
from comity_schemas.errors import ComityError

MOST_URL = 500
_WITHIN_S = 15.0
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_PUBLIC = ipaddress.IPv6Network("2000::/3")
"""All that was ever given out; site-local, IPv4-compatible and translated addresses lie elsewhere, and lead inside."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotDelivered(ComityError):
    """Nobody took it; the text says why, and names neither the address nor what was sent."""

    code: ClassVar[str] = "delivery.not-taken"


def check_url(url: str) -> None:
    """Refuse a URL that could not be called whatever its host resolves to.

    Raises:
        NotDelivered: it has another scheme, no host, a user, a fragment, or is too long.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise NotDelivered("this is no URL") from error
    problems = (
        (len(url) > MOST_URL or not url.isascii() or not url.isprintable() or " " in url, "this is no URL"),
        (parts.scheme not in ("https", "http"), "a webhook is called by https"),
        (not parts.hostname, "the URL names no host"),
        (parts.username is not None or parts.password is not None, "the URL has a user or password in it"),
        (bool(parts.fragment), "the URL has a fragment, which is never sent"),
        (port == 0, "the URL has the port 0"),
    )
    for is_so, words in problems:
        if is_so:
            raise NotDelivered(words)


def signature(secret: str, delivery: str, timestamp: int, body: bytes) -> str:
    """Return the header `webhook-signature` of a call.

    Source: Standard Webhooks, symmetric signatures.
    """
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{delivery}.{timestamp}.".encode() + body
    return "v1," + b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")


async def call(
    url: str, secret: str, delivery: str, content: dict[str, Any], now: datetime, allowed: Sequence[Network]
) -> str:
    """Call a webhook; return in words what it answered.

    Raises:
        NotDelivered: it may not be called, did not answer, or answered anything but 2xx.
    """
    check_url(url)
    parts = urlsplit(url)
    assert parts.hostname is not None
    port = parts.port or (443 if parts.scheme == "https" else 80)
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    timestamp = int(now.timestamp())
    headers = {
        "Host": parts.netloc,
        "Content-Type": "application/json",
        "User-Agent": "comity",
        "webhook-id": delivery,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, delivery, timestamp, body),
    }
    try:
        async with asyncio.timeout(_WITHIN_S):
            address = await _address(parts.hostname, port, parts.scheme, allowed)
            literal = f"[{address}]" if address.version == 6 else str(address)
            target = parts._replace(netloc=f"{literal}:{port}").geturl()
            status = await _post(target, parts.hostname, headers, body)
    except TimeoutError as error:
        raise NotDelivered(f"no answer within {_WITHIN_S:.0f} s") from error
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
        # Its text can hold the address.
        raise NotDelivered(f"it could not be reached ({type(error).__name__})") from error
    if not 200 <= status < 300:
        redirects = ", and a redirect is not followed" if 300 <= status < 400 else ""
        raise NotDelivered(f"it answered {status}{redirects}")
    return f"it answered {status}"


async def _post(target: str, host: str, headers: dict[str, str], body: bytes) -> int:
    async with (
        httpx2.AsyncClient(follow_redirects=False, trust_env=False, timeout=_WITHIN_S) as client,
        client.stream("POST", target, headers=headers, content=body, extensions={"sni_hostname": host}) as response,
    ):
        return response.status_code


async def _address(host: str, port: int, scheme: str, allowed: Sequence[Network]) -> Address:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        # Labels that are empty or too long are told by the codec of names, not by the resolver.
        raise NotDelivered("its host has no address") from error
    addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    if not addresses:
        raise NotDelivered("its host has no address")
    for address in addresses:
        if not _may_call(address, scheme, allowed):
            raise NotDelivered(
                "its host is inside a network that webhooks may not call; an administrator can allow it with "
                "webhook_networks in settings.toml"
                if scheme == "https"
                else "a webhook is called by https"
            )
    return addresses[0]


def _meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one leads to: mapped, 6to4, Teredo or NAT64; any other as it is."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def _may_call(address: Address, scheme: str, allowed: Sequence[Network]) -> bool:
    address = _meant(address)
    named = any(address.version == network.version and address in network for network in allowed)
    if scheme != "https":
        return named and address.is_loopback
    public = address.is_global and not address.is_multicast and (address.version == 4 or address in _PUBLIC)
    return named or public
