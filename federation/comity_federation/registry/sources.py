"""Where a registry's files come from: a directory, or an https URL. Bounded in bytes and in time; nothing is believed.

A path or host cannot make a node read more than the limits of `roles`, wait longer than `FETCH_SECONDS` for one file,
follow a redirect, or unpack anything.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
from tuf.api.exceptions import DownloadError, DownloadHTTPError, DownloadLengthMismatchError, SlowRetrievalError
from tuf.ngclient import FetcherInterface

from comity_federation.addresses import is_safe_address
from comity_federation.registry.errors import RegistryRefused, RegistryUnreachable
from comity_federation.registry.roles import MAX_LIST_BYTES, MAX_METADATA_BYTES

FETCH_SECONDS = 120.0
"""Longest time for one file. A list of 250 members is about 300 KiB: 40 s on a line of 64 kbit/s."""

GAP_SECONDS = 10.0
"""Longest time to connect and between two pieces."""

_DIRECTORY_URL = "registry:///"


class DirectoryFiles:
    """Reads a registry's directory by name; None when a file is missing."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __call__(self, name: str) -> bytes | None:
        """Return the file.

        Raises:
            RegistryRefused: larger than allowed.
            RegistryUnreachable: there, but not readable.
        """
        most = most_bytes(name)
        try:
            with (self._directory / name).open("rb") as file:
                raw = file.read(most + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RegistryUnreachable(f"{self._directory / name}: {error.strerror}") from error
        if len(raw) > most:
            raise RegistryRefused(f"{name} is larger than {most} bytes")
        return raw


class Fetcher(FetcherInterface):
    """What `tuf.ngclient` fetches with. Remembers the metadata it got, to say later what had expired."""

    def __init__(self) -> None:
        self.fetched: dict[str, bytes] = {}

    def _fetch(self, url: str) -> Iterator[bytes]:
        raise NotImplementedError

    def download_bytes(self, url: str, max_length: int) -> bytes:
        """Return the metadata file at `url`.

        Raises:
            DownloadError: as in python-tuf.
        """
        # The hub's snapshot may name any length; ours is the limit.
        raw = super().download_bytes(url, min(max_length, MAX_METADATA_BYTES))
        self.fetched[url.rpartition("/")[2]] = raw
        return raw


class DirectoryFetcher(Fetcher):
    """Fetches from a directory on this machine."""

    base = _DIRECTORY_URL

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._files = DirectoryFiles(directory)

    def _fetch(self, url: str) -> Iterator[bytes]:
        name = url.removeprefix(_DIRECTORY_URL)
        # Names come from signed metadata, but a holder is no owner of this machine's files.
        if name.count("/") != 1 or ".." in name:
            raise DownloadError(f"{name!r} is no file of a registry")
        try:
            raw = self._files(name)
        except RegistryRefused as error:
            raise DownloadLengthMismatchError(str(error)) from error
        except RegistryUnreachable as error:
            raise DownloadError(str(error)) from error
        if raw is None:
            raise DownloadHTTPError(f"{name} is missing", 404)
        yield raw


class HttpFetcher(Fetcher):
    """Fetches over https; http only from this machine."""

    def __init__(self, base: str, client: httpx2.Client) -> None:
        super().__init__()
        self.base = base
        self._client = client

    def _fetch(self, url: str) -> Iterator[bytes]:
        deadline = time.monotonic() + FETCH_SECONDS
        try:
            with self._client.stream("GET", url) as response:
                if response.status_code != httpx2.codes.OK:
                    raise DownloadHTTPError(f"{url} answers {response.status_code}", response.status_code)
                # Raw: nothing is unpacked. Piece by piece as it comes: a server that drips is noticed at once.
                for piece in response.iter_raw():
                    yield piece
                    if time.monotonic() > deadline:
                        raise SlowRetrievalError(f"{url} took longer than {FETCH_SECONDS:.0f} s")
        except httpx2.HTTPError as error:
            raise DownloadError(f"{url}: {type(error).__name__}") from error


def most_bytes(name: str) -> int:
    """Return the limit for a file of the registry."""
    return MAX_LIST_BYTES if name.startswith("targets/") else MAX_METADATA_BYTES


def http_base(source: str) -> str:
    """Return the URL with a closing slash.

    Raises:
        RegistryUnreachable: neither https nor http to this machine.
    """
    if not is_safe_address(source):
        raise RegistryUnreachable(f"{source}: a registry is fetched by https (http only from this machine)")
    return source if source.endswith("/") else source + "/"


def http_client() -> httpx2.Client:
    """Return a client that follows no redirect and asks for nothing packed."""
    return httpx2.Client(
        timeout=GAP_SECONDS, follow_redirects=False, headers={"accept-encoding": "identity", "user-agent": "comity"}
    )
