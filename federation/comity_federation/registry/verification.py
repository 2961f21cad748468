"""Whether a set of files is a registry: one path for nodes, keepers and strangers, without I/O, told the time.

Fed by name and bytes, so the same steps judge a directory, what a node fetched, and what is about to be published:

1. Roots: the first is trusted as given; each next one, n+1, is signed by the threshold of n and of itself. The last
   must not be expired.
2. `timestamp.json`: signed by the hub's key of that root; not expired.
3. `snapshot`: the version, length and hash the timestamp names; signed by the hub; not expired.
4. `targets`: the version, length and hash the snapshot names; signed k of n; not expired; of the only shape.
5. `suspensions`: the same, signed by one of the keys that `targets` delegates to.
6. The two lists: length and hash as named by 4 and 5; strict JSON; closed schema; the rules of `lists`.

python-tuf's `Updater` cannot be told the time and reads only the network, so what it fetched goes through these steps
again. It adds what they cannot know: that nothing is older than what was seen before.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from comity_federation.registry.errors import ChangeRefused, RegistryExpired, RegistryRefused, RegistryUnreachable
from comity_federation.registry.lists import check_members, check_suspensions, read_list
from comity_federation.registry.roles import (
    MAX_ROOTS,
    MEMBERS_FILE,
    SUSPENSIONS,
    SUSPENSIONS_FILE,
    check_root,
    check_suspensions_role,
    check_targets,
)
from comity_schemas.member import MemberList, SuspensionList

Files = Callable[[str], bytes | None]
"""Gives a file of the registry by its name, such as `metadata/timestamp.json`; None when there is none."""

TIMESTAMP_NAME = "metadata/timestamp.json"

SignedPart = TypeVar("SignedPart", Root, Timestamp, Snapshot, Targets)


def metadata_name(version: int, role: str) -> str:
    """Return where a version of a role's metadata lies."""
    return f"metadata/{version}.{role}.json"


def list_name(target: TargetFile) -> str:
    """Return where a list lies: under its hash, so that no version ever overwrites another."""
    return f"targets/{target.hashes['sha256']}.{target.path}"


@dataclass(frozen=True, slots=True)
class Verified:
    """A whole registry that passed every step. `files` are exactly the bytes the answer stands on."""

    root: Root
    timestamp: Timestamp
    snapshot: Snapshot
    targets: Targets
    suspensions: Targets
    members: MemberList
    suspended: SuspensionList
    files: dict[str, bytes] = field(repr=False)

    @property
    def parts(self) -> dict[str, Root | Timestamp | Snapshot | Targets]:
        """The five signed parts by name."""
        return {
            Root.type: self.root,
            Targets.type: self.targets,
            SUSPENSIONS: self.suspensions,
            Snapshot.type: self.snapshot,
            Timestamp.type: self.timestamp,
        }

    @property
    def expires(self) -> datetime:
        """When the first of the five parts runs out."""
        return min(part.expires for part in self.parts.values())

    @property
    def holders_expire(self) -> datetime:
        """When the first of the three parts runs out that the holders sign."""
        return min(self.root.expires, self.targets.expires, self.suspensions.expires)


def verify(files: Files, first_root: bytes, at: datetime | None) -> Verified:
    """Return the registry that these files are.

    Args:
        files: where to read; nothing in it is believed.
        first_root: trusted as given.
        at: the time to judge expiry by; None ignores expiry (for keepers, who renew what has expired, and for a
            node's own copy, of which `expires` tells).

    Raises:
        RegistryExpired: a part ran out before `at`.
        RegistryRefused: a step failed.
        RegistryUnreachable: a file is missing.
    """
    used: dict[str, bytes] = {}

    def read(name: str) -> bytes:
        raw = files(name)
        if raw is None:
            raise RegistryUnreachable(f"{name} is missing")
        used[name] = raw
        return raw

    root = _follow_roots(files, first_root, used)
    _unexpired(root, Root.type, at)

    timestamp = _open_signed(Timestamp, read(TIMESTAMP_NAME), Timestamp.type, root)
    _unexpired(timestamp, Timestamp.type, at)

    meta = timestamp.snapshot_meta
    snapshot = _open_named(Snapshot, read(metadata_name(meta.version, Snapshot.type)), Snapshot.type, root, meta)
    _unexpired(snapshot, Snapshot.type, at)

    meta = _meta(snapshot, Targets.type)
    targets = _open_named(Targets, read(metadata_name(meta.version, Targets.type)), Targets.type, root, meta)
    check_targets(targets)
    _unexpired(targets, Targets.type, at)

    meta = _meta(snapshot, SUSPENSIONS)
    suspensions = _open_named(Targets, read(metadata_name(meta.version, SUSPENSIONS)), SUSPENSIONS, targets, meta)
    check_suspensions_role(suspensions)
    _unexpired(suspensions, SUSPENSIONS, at)

    members = read_members(read(list_name(targets.targets[MEMBERS_FILE])), targets)
    suspended = read_suspensions(read(list_name(suspensions.targets[SUSPENSIONS_FILE])), suspensions)
    return Verified(root, timestamp, snapshot, targets, suspensions, members, suspended, used)


def read_members(raw: bytes, targets: Targets) -> MemberList:
    """Return the members' list that `targets` names (step 6).

    Raises:
        RegistryRefused: other bytes than named, or the rules are broken.
    """
    _check_bytes(targets.targets[MEMBERS_FILE], raw)
    listed = read_list(MemberList, raw, MEMBERS_FILE)
    try:
        check_members(listed)
    except ChangeRefused as error:
        raise RegistryRefused(f"{MEMBERS_FILE}: {error}") from error
    return listed


def read_suspensions(raw: bytes, suspensions: Targets) -> SuspensionList:
    """Return the suspensions that the delegated role names (step 6).

    Raises:
        RegistryRefused: other bytes than named, or anything but suspensions in it.
    """
    _check_bytes(suspensions.targets[SUSPENSIONS_FILE], raw)
    listed = read_list(SuspensionList, raw, SUSPENSIONS_FILE)
    try:
        check_suspensions(listed)
    except ChangeRefused as error:
        raise RegistryRefused(f"{SUSPENSIONS_FILE}: {error}") from error
    return listed


def parse_metadata(kind: type[SignedPart], raw: bytes, name: str) -> Metadata[SignedPart]:
    """Return metadata of this kind, its signatures not yet checked.

    Raises:
        RegistryRefused: damaged, or of another kind.
    """
    try:
        parsed: Metadata[SignedPart] = Metadata.from_bytes(raw)
    except RepositoryError as error:
        raise RegistryRefused(f"{name} cannot be read: it is damaged") from error
    if not isinstance(parsed.signed, kind):
        raise RegistryRefused(f"{name} is {parsed.signed.type} metadata, {kind.type} is needed")
    if parsed.signed.unrecognized_fields:
        raise RegistryRefused(f"{name} has fields nobody knows: {', '.join(parsed.signed.unrecognized_fields)}")
    return parsed


def _follow_roots(files: Files, first_root: bytes, used: dict[str, bytes]) -> Root:
    root = _open_root(first_root, "the first root", None)
    used[metadata_name(root.version, Root.type)] = first_root
    for _ in range(MAX_ROOTS):
        name = metadata_name(root.version + 1, Root.type)
        raw = files(name)
        if raw is None:
            return root
        root = _open_root(raw, name, root)
        used[name] = raw
    raise RegistryRefused(f"more than {MAX_ROOTS} roots")


def _open_root(raw: bytes, name: str, before: Root | None) -> Root:
    parsed = parse_metadata(Root, raw, name)
    root = parsed.signed
    try:
        root.verify_delegate(Root.type, parsed.signed_bytes, parsed.signatures)
        if before is not None:
            before.verify_delegate(Root.type, parsed.signed_bytes, parsed.signatures)
    except (RepositoryError, ValueError) as error:
        raise RegistryRefused(f"{name}: {error}") from error
    if before is not None and root.version != before.version + 1:
        raise RegistryRefused(f"{name} says version {root.version}, {before.version + 1} is next")
    check_root(root)
    return root


def _open_signed(kind: type[SignedPart], raw: bytes, role: str, delegator: Root | Targets) -> SignedPart:
    parsed = parse_metadata(kind, raw, role)
    try:
        delegator.verify_delegate(role, parsed.signed_bytes, parsed.signatures)
    except (RepositoryError, ValueError) as error:
        raise RegistryRefused(str(error)) from error
    return parsed.signed


def _open_named(kind: type[SignedPart], raw: bytes, role: str, delegator: Root | Targets, meta: MetaFile) -> SignedPart:
    try:
        meta.verify_length_and_hashes(raw)
    except RepositoryError as error:
        raise RegistryRefused(f"{role}: other bytes than the hub's snapshot or timestamp names") from error
    signed = _open_signed(kind, raw, role, delegator)
    if signed.version != meta.version:
        raise RegistryRefused(f"{role} is version {signed.version}, version {meta.version} is named")
    return signed


def _meta(snapshot: Snapshot, role: str) -> MetaFile:
    meta = snapshot.meta.get(f"{role}.json")
    if meta is None:
        raise RegistryRefused(f"the snapshot does not name {role}")
    return meta


def _check_bytes(target: TargetFile, raw: bytes) -> None:
    try:
        target.verify_length_and_hashes(raw)
    except RepositoryError as error:
        raise RegistryRefused(f"{target.path}: other bytes than were signed") from error


def _unexpired(part: Root | Timestamp | Snapshot | Targets, name: str, at: datetime | None) -> None:
    if at is not None and part.is_expired(at):
        raise RegistryExpired(name, part.expires)
