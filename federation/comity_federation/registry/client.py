"""What a node does with a registry: fetch it, believe only what is verified and not older, keep the last good one.

Rules:

1. Only bytes that passed `verification` and are not older than the last good ones become the registry.
2. Whatever fails, the last good registry stays where it is, on disk and in hand: trust never moves backwards.
3. A suspension, once seen, is gone only when k of n have lifted it.
4. The last good registry is one file, replaced atomically: a crash leaves the old or the new one.

A hostile hub can sign a snapshot that names older lists: a node that has seen newer ones refuses it, a new node is
kept back until those lists expire. Nothing more.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tuf.api.exceptions import DownloadError, DownloadLengthMismatchError, ExpiredMetadataError, RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp
from tuf.ngclient import Updater, UpdaterConfig

from comity_federation import strict_json
from comity_federation.encoding import b64decode, b64encode, digest
from comity_federation.registry.durable import replace_file
from comity_federation.registry.errors import (
    ChangeRefused,
    RegistryError,
    RegistryExpired,
    RegistryRefused,
    RegistryUnreachable,
)
from comity_federation.registry.lists import check_suspension_succession
from comity_federation.registry.roles import (
    MAX_LIST_BYTES,
    MAX_METADATA_BYTES,
    MAX_ROOTS,
    MEMBERS_FILE,
    SUSPENSIONS,
    SUSPENSIONS_FILE,
    check_targets,
)
from comity_federation.registry.sources import (
    DirectoryFetcher,
    DirectoryFiles,
    Fetcher,
    HttpFetcher,
    http_base,
    http_client,
)
from comity_federation.registry.verification import (
    TIMESTAMP_NAME,
    Verified,
    list_name,
    metadata_name,
    parse_metadata,
    verify,
)
from comity_schemas.errors import ComityError
from comity_schemas.member import Member, in_force

_CONFIG = UpdaterConfig(
    max_root_rotations=MAX_ROOTS,
    max_delegations=2,
    root_max_length=MAX_METADATA_BYTES,
    timestamp_max_length=16 * 1024,
    snapshot_max_length=64 * 1024,
    targets_max_length=MAX_METADATA_BYTES,
    app_user_agent="comity",
)


@dataclass(frozen=True, slots=True)
class Registry:
    """Who is in the network, verified.

    Attributes:
        version: version of the members' list plus version of the suspensions'. Both only grow and every published
            change raises one of them, so it grows with every change; the hub's re-signing raises neither. A hostile
            hub could show two mixes with one sum, therefore: same version, other `hash` is as much an alarm as a
            higher version.
        hash: SHA-256 over the SHA-256 of `members.json` and of `suspensions.json`; what the lists say, whoever signed.
        members: in force, that is with suspensions applied.
        expires: the earliest end of root, timestamp, snapshot, members' list and suspensions. The hub's two are in it
            because they are what limits everybody who is *not* the hub to a day; when the hub is silent for longer,
            acceptance waits, and loses nothing.
        root_version: version of the root it was verified under.
        root_given: False if the root came from the same place as the registry itself (trust on first use).
    """

    version: int
    hash: str
    members: tuple[Member, ...]
    expires: datetime
    root_version: int
    root_given: bool = True
    _by_slug: dict[str, Member] = field(init=False, repr=False, compare=False)
    _by_did: dict[str, Member] = field(init=False, repr=False, compare=False)
    _by_report_key: dict[str, Member] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the members."""
        report_keys = {key.kid: member for member in self.members for key in member.report_keys}
        object.__setattr__(self, "_by_slug", {member.slug: member for member in self.members})
        object.__setattr__(self, "_by_did", {member.did: member for member in self.members})
        object.__setattr__(self, "_by_report_key", report_keys)

    def member(self, slug: str) -> Member | None:
        """Return the member with this slug, whatever its status."""
        return self._by_slug.get(slug)

    def by_did(self, did: str) -> Member | None:
        """Return the member with this DID, whatever its status."""
        return self._by_did.get(did)

    def by_report_key(self, kid: str) -> Member | None:
        """Return the audit firm that lists this report key, whatever its status."""
        return self._by_report_key.get(kid)


class RegistryClient:
    """A node's registry: one source, one local directory.

    Several processes of a node may share the directory: `refresh` takes a lock, `trusted` reads one file that is
    replaced whole. Both block; from async code call them in a thread. A refresh without news is two small requests.
    """

    def __init__(self, root: bytes, local_dir: Path, source: Path | str) -> None:
        """Remember where things are; nothing is read yet.

        Args:
            root: the trusted root, as the member was given it out of band.
            local_dir: this node's own; made if missing.
            source: a directory, or an https URL under which `metadata/` and `targets/` lie.

        Raises:
            RegistryUnreachable: the URL is neither https nor http to this machine.
        """
        self._root = root
        self._local = local_dir
        self._source = source if isinstance(source, Path) else http_base(source)
        self._http = None if isinstance(source, Path) else http_client()
        self._read_before: tuple[bytes, Registry] | None = None

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._http is not None:
            self._http.close()

    def refresh(self) -> Registry:
        """Fetch what is new and return the registry as of now.

        Raises:
            RegistryExpired: a part has run out; acceptance waits.
            RegistryRefused: damage or an attack; the last good registry stays.
            RegistryUnreachable: not everything could be fetched.
            OSError: the local directory cannot be written.
        """
        self._local.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._locked():
            known = self._read_known()
            fetcher = self._fetcher()
            self._update(fetcher)
            files = self._fetched_files()
            verified = verify(files.get, self._root, datetime.now(UTC))
            if known is not None:
                _check_not_older(known, verified)
            if known is None or known.files != verified.files:
                self._keep(verified)
        return to_registry(verified, root_given=True)

    def trusted(self) -> Registry | None:
        """Return the last good registry without any network; None before the first refresh.

        It may be expired: compare `expires`. What was read before is verified once: it follows from the bytes alone.

        Raises:
            RegistryRefused: the local copy is damaged, or was verified under a root that is not trusted any more.
        """
        raw = self._read_bundle()
        if raw is None:
            return None
        before = self._read_before
        if before is None or before[0] != raw:
            try:
                verified = verify(self._files_of(raw).get, self._root, None)
            except RegistryUnreachable as error:
                raise self._damaged() from error
            before = self._read_before = raw, to_registry(verified, root_given=True)
        return before[1]

    @property
    def _bundle(self) -> Path:
        return self._local / "trusted.json"

    @property
    def _cache(self) -> Path:
        return self._local / "tuf"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._local / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _fetcher(self) -> Fetcher:
        if isinstance(self._source, Path):
            return DirectoryFetcher(self._source)
        assert self._http is not None
        return HttpFetcher(self._source, self._http)

    def _update(self, fetcher: Fetcher) -> None:
        """Let python-tuf fetch and check into its cache; it refuses whatever is older than the cache.

        Raises:
            RegistryExpired: a part has run out.
            RegistryRefused: a check failed.
            RegistryUnreachable: a file could not be fetched.
        """
        (self._cache / "targets").mkdir(parents=True, exist_ok=True, mode=0o700)
        base = self._source if isinstance(self._source, str) else DirectoryFetcher.base
        try:
            updater = Updater(
                str(self._cache),
                base + "metadata/",
                str(self._cache / "targets"),
                base + "targets/",
                fetcher=fetcher,
                config=_CONFIG,
                bootstrap=self._root,
            )
            updater.refresh()
            check_targets(parse_metadata(Targets, self._cached(Targets.type), Targets.type).signed)
            for name in (MEMBERS_FILE, SUSPENSIONS_FILE):
                _fetch_list(updater, name)
        except ExpiredMetadataError as error:
            raise self._expired(fetcher) from error
        except (RepositoryError, DownloadLengthMismatchError, ValueError, KeyError, TypeError) as error:
            raise RegistryRefused(str(error) or type(error).__name__) from error
        except DownloadError as error:
            raise RegistryUnreachable(str(error) or type(error).__name__) from error

    def _expired(self, fetcher: Fetcher) -> RegistryError:
        # python-tuf does not say when. In its own order, the first part that has run out is the one it refused.
        now = datetime.now(UTC)
        for role in (Root.type, Timestamp.type, Snapshot.type, Targets.type, SUSPENSIONS):
            newest = [raw for name, raw in fetcher.fetched.items() if name.removesuffix(".json").endswith(role)]
            cached = self._cache / f"{role}.json"
            raw = newest[-1] if newest else cached.read_bytes() if cached.exists() else None
            if raw is not None:
                signed = Metadata[Any].from_bytes(raw).signed
                if signed.is_expired(now):
                    return RegistryExpired(role, signed.expires)
        return RegistryExpired("list", now)

    def _fetched_files(self) -> dict[str, bytes]:
        """Return python-tuf's cache under the names the files have in a registry."""
        files: dict[str, bytes] = {}
        first = Metadata[Root].from_bytes(self._root).signed.version
        for version in range(first, first + MAX_ROOTS):
            cached = self._cache / "root_history" / f"{version}.root.json"
            if not cached.exists():
                break
            files[metadata_name(version, Root.type)] = cached.read_bytes()
        files[TIMESTAMP_NAME] = self._cached(Timestamp.type)
        snapshot = parse_metadata(Snapshot, self._cached(Snapshot.type), Snapshot.type).signed
        files[metadata_name(snapshot.version, Snapshot.type)] = self._cached(Snapshot.type)
        for role, name in ((Targets.type, MEMBERS_FILE), (SUSPENSIONS, SUSPENSIONS_FILE)):
            signed = parse_metadata(Targets, self._cached(role), role).signed
            files[metadata_name(signed.version, role)] = self._cached(role)
            files[list_name(signed.targets[name])] = (self._cache / "targets" / name).read_bytes()
        return files

    def _cached(self, role: str) -> bytes:
        return (self._cache / f"{role}.json").read_bytes()

    def _keep(self, verified: Verified) -> None:
        content = {name: b64encode(raw) for name, raw in sorted(verified.files.items())}
        replace_file(self._bundle, strict_json.dumps(content), mode=0o600)

    def _read_bundle(self) -> bytes | None:
        try:
            return self._bundle.read_bytes()
        except FileNotFoundError:
            return None

    def _files_of(self, raw: bytes) -> dict[str, bytes]:
        try:
            content = strict_json.loads(raw)
            return {str(name): b64decode(text) for name, text in content.items()}
        except (ComityError, AttributeError, TypeError, ValueError) as error:
            raise self._damaged() from error

    def _read_known(self) -> Verified | None:
        """Return the last good registry under the root it was verified with, to compare new ones against."""
        raw = self._read_bundle()
        if raw is None:
            return None
        files = self._files_of(raw)
        roots = [name for name in files if name.endswith(".root.json")]
        first = min(roots, key=lambda name: int(name.removeprefix("metadata/").partition(".")[0]), default=None)
        if first is None:
            raise self._damaged()
        try:
            return verify(files.get, files[first], None)
        except RegistryError as error:
            raise self._damaged() from error

    def _damaged(self) -> RegistryRefused:
        return RegistryRefused(
            f"{self._bundle} is damaged: this node cannot tell any more what it has seen; "
            "restore it, or remove it to begin again from the trusted root"
        )


def read_registry(directory: Path, root: bytes | None, at: datetime) -> Registry:
    """Return the registry in a directory as it stood for anyone at a given time. Offline, nothing is written.

    Args:
        directory: as a hub publishes it.
        root: the trusted root; None takes the directory's own first root, and the answer's `root_given` says so.
        at: the time by which nothing in it may have expired. It does not choose among versions: the newest is read.

    Raises:
        RegistryExpired: a part had run out at that time.
        RegistryRefused: a step of verification failed.
        RegistryUnreachable: a file is missing or unreadable.
    """
    files = DirectoryFiles(directory)
    first_root = root if root is not None else files(metadata_name(1, Root.type))
    if first_root is None:
        raise RegistryUnreachable(f"{directory} holds no {metadata_name(1, Root.type)}: it is no registry")
    return to_registry(verify(files, first_root, at), root_given=root is not None)


def to_registry(verified: Verified, *, root_given: bool) -> Registry:
    """Return what a node needs of a verified registry."""
    members = verified.targets.targets[MEMBERS_FILE].hashes["sha256"]
    suspensions = verified.suspensions.targets[SUSPENSIONS_FILE].hashes["sha256"]
    return Registry(
        version=verified.targets.version + verified.suspensions.version,
        hash=digest(bytes.fromhex(members) + bytes.fromhex(suspensions)),
        members=in_force(verified.members, verified.suspended),
        expires=verified.expires,
        root_version=verified.root.version,
        root_given=root_given,
    )


def _fetch_list(updater: Updater, name: str) -> None:
    info = updater.get_targetinfo(name)
    if info is None:
        raise RegistryRefused(f"nobody who may list it lists {name}")
    if info.length > MAX_LIST_BYTES:
        raise RegistryRefused(f"{name} is larger than {MAX_LIST_BYTES} bytes")
    if updater.find_cached_target(info) is None:
        updater.download_target(info)


def _check_not_older(known: Verified, new: Verified) -> None:
    for name, was, now in (
        ("root", known.root.version, new.root.version),
        ("members' list", known.targets.version, new.targets.version),
        ("list of suspensions", known.suspensions.version, new.suspensions.version),
    ):
        if now < was:
            raise RegistryRefused(f"the {name} went back from version {was} to {now}")
    try:
        check_suspension_succession(known.suspended, new.suspended, new.members.lifted)
    except ChangeRefused as error:
        raise RegistryRefused(str(error)) from error
