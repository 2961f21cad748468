"""Which web addresses a node calls: https, or http to this machine."""

from urllib.parse import urlsplit

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def is_safe_address(url: str) -> bool:
    """Tell whether nobody on the way can read or change what is said to this address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or _is_local(parts.scheme, parts.hostname))


def is_this_machine(hostname: str) -> bool:
    """Tell whether what is said to this host leaves no machine."""
    return hostname in _THIS_MACHINE


def _is_local(scheme: str, hostname: str | None) -> bool:
    return scheme == "http" and hostname in _THIS_MACHINE
