"""What the hub does: publish what has enough signatures, and say every day that it still stands.

The hub's key signs snapshot and timestamp only, so the hub can neither add nor change what the holders signed.

Order of writing, and what a crash leaves behind. Every file is written whole or not at all:

1. the lists, under their hashes; the parts and the snapshot, under their versions: nothing names them yet;
2. `timestamp.json`: from here on the new registry is published, whole;
3. a new root, last: before it the new lists are read through the old root, whose holders signed them too;
4. `staged/` is emptied. A crash before this: `publish` again finds its work done and finishes it.
"""

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tuf.api.metadata import Metadata, MetaFile, Snapshot, Timestamp

from comity_federation.keys import SigningPair
from comity_federation.registry.durable import replace_file
from comity_federation.registry.errors import (
    NothingStaged,
    NotTheHub,
    RegistryAbsent,
    RegistryUnreachable,
    SignaturesMissing,
    StagedOutdated,
)
from comity_federation.registry.roles import MEMBERS_FILE, SUSPENSIONS, SUSPENSIONS_FILE, Lifetimes, PairSigner
from comity_federation.registry.sources import DirectoryFiles
from comity_federation.registry.staged import ROOT, TARGETS, Signatures, Staged, count_signatures
from comity_federation.registry.staging import LIST_OF, RegistryDirectory
from comity_federation.registry.verification import (
    TIMESTAMP_NAME,
    Verified,
    list_name,
    metadata_name,
    verify,
)


@dataclass(frozen=True, slots=True)
class Publication:
    """What is going to be written, in this order.

    Attributes:
        writes: names and bytes, in the order of writing.
        parts: the staged parts this publishes; empty when the hub only signs again.
        waiting: staged parts that stay, because signatures are missing.
        result: the registry as it will be.
    """

    writes: tuple[tuple[str, bytes], ...] = field(repr=False)
    parts: tuple[str, ...]
    waiting: tuple[Signatures, ...]
    result: Verified = field(repr=False)


def publish(directory: RegistryDirectory, hub: SigningPair) -> Publication:
    """Publish every staged part that has enough signatures; with nothing staged, sign again for another day.

    A suspension does not wait for a change of members that is still being signed.

    Raises:
        RegistryError: as `plan_publication`.
        OSError: the directory cannot be written.
    """
    # The hub's timer signs again at any moment: what it planned before this must not be written over it.
    with directory.alone():
        plan = plan_publication(directory, hub)
        carry_out(directory, plan)
    return plan


def renew_signatures(directory: RegistryDirectory, hub: SigningPair) -> Publication:
    """Sign snapshot and timestamp again, whatever is staged: what the hub does every few hours.

    Raises:
        RegistryError: as `plan_publication`.
        OSError: the directory cannot be written.
    """
    with directory.alone():
        published = directory.published()
        if published is None:
            raise RegistryAbsent(f"{directory.path} holds no published registry")
        plan = _plan(directory, hub, published, Staged(), ())
        carry_out(directory, plan)
    return plan


def plan_publication(directory: RegistryDirectory, hub: SigningPair) -> Publication:
    """Return what `publish` will write; verified whole, nothing written yet.

    Raises:
        SignaturesMissing: nothing that is staged has enough.
        NothingStaged: the registry is not published yet and nothing is staged.
        NotTheHub: not the key the root names.
        StagedOutdated: a part ran out while it waited for signatures.
        RegistryError: as `RegistryDirectory.staged`.
    """
    published, staged = directory.published(), directory.staged()
    if published is None and not staged.parts:
        raise NothingStaged(f"{directory.path}: nothing is published and nothing is staged")
    counts = [count_signatures(published, staged, name) for name in staged.parts]
    lacking = tuple(count for count in counts if count.missing)
    ready = [count.part for count in counts if not count.missing]
    # A new root changes who may sign the rest: all of it goes together.
    if lacking and (published is None or staged.root is not None or not ready):
        raise SignaturesMissing(
            {count.part: count.missing for count in lacking}, {count.part: count.unsigned for count in lacking}
        )
    chosen = Staged(
        root=staged.root if ROOT in ready else None,
        targets=staged.targets if TARGETS in ready else None,
        suspensions=staged.suspensions if SUSPENSIONS in ready else None,
        files={name: raw for name, raw in staged.files.items() if name in ready},
    )
    return _plan(directory, hub, published, chosen, lacking)


def carry_out(directory: RegistryDirectory, plan: Publication) -> None:
    """Write a publication in its order, then empty what was staged of it.

    Raises:
        OSError: the directory cannot be written; what was published before still is.
    """
    for name, content in plan.writes:
        replace_file(directory.path / name, content)
    staged = directory.path / "staged"
    for part in plan.parts:
        (staged / f"{part}.json").unlink(missing_ok=True)
        if part in LIST_OF:
            (staged / LIST_OF[part]).unlink(missing_ok=True)
    if staged.exists() and not any(staged.glob("*.json")):
        shutil.rmtree(staged)


def _plan(
    directory: RegistryDirectory,
    hub: SigningPair,
    published: Verified | None,
    chosen: Staged,
    waiting: tuple[Signatures, ...],
) -> Publication:
    now = datetime.now(UTC)
    root = chosen.root.signed if chosen.root is not None else published.root if published is not None else None
    assert root is not None, "before the first publication all three parts go together"
    signer = PairSigner(hub)
    if signer.public_key.keyid not in root.roles[Timestamp.type].keyids:
        raise NotTheHub(f"{hub.kid} is not the hub's key that the root names: it may not sign snapshot and timestamp")
    for name, part in chosen.parts.items():
        if part.signed.is_expired(now):
            raise StagedOutdated(f"staged {name} expired on {part.signed.expires:%Y-%m-%d}: stage and sign it again")
    first = _lists_and_parts(chosen)
    snapshot, timestamp = _hub_metadata(first, chosen, published, directory.lifetimes, now)
    snapshot.sign(signer)
    timestamp.signed.snapshot_meta = MetaFile.from_data(snapshot.signed.version, snapshot.to_bytes(), ["sha256"])
    timestamp.sign(signer)
    writes = dict(first)
    writes[metadata_name(snapshot.signed.version, Snapshot.type)] = snapshot.to_bytes()
    writes[TIMESTAMP_NAME] = timestamp.to_bytes()
    if chosen.root is not None:
        writes[metadata_name(root.version, ROOT)] = chosen.root.to_bytes()
    files = DirectoryFiles(directory.path)
    first_root = writes.get(metadata_name(1, ROOT)) or files(metadata_name(1, ROOT))
    if first_root is None:
        raise RegistryUnreachable(f"{metadata_name(1, ROOT)} is missing")
    # The same steps as at every node, before anything is written: what is published can be read.
    result = verify(lambda name: writes.get(name) or files(name), first_root, None)
    return Publication(tuple(writes.items()), tuple(chosen.parts), waiting, result)


def _lists_and_parts(chosen: Staged) -> dict[str, bytes]:
    writes: dict[str, bytes] = {}
    for name, part, listed in (
        (TARGETS, chosen.targets, MEMBERS_FILE),
        (SUSPENSIONS, chosen.suspensions, SUSPENSIONS_FILE),
    ):
        if part is not None:
            writes[list_name(part.signed.targets[listed])] = chosen.files[name]
            writes[metadata_name(part.signed.version, name)] = part.to_bytes()
    return writes


def _hub_metadata(
    writes: dict[str, bytes], chosen: Staged, published: Verified | None, lifetimes: Lifetimes, now: datetime
) -> tuple[Metadata[Snapshot], Metadata[Timestamp]]:
    snapshot = Snapshot(version=1, expires=now + lifetimes.hub, meta={})
    timestamp = Timestamp(version=1, expires=now + lifetimes.hub)
    if published is not None:
        snapshot.version = published.snapshot.version + 1
        timestamp.version = published.timestamp.version + 1
        snapshot.meta = dict(published.snapshot.meta)
    for name, part in ((TARGETS, chosen.targets), (SUSPENSIONS, chosen.suspensions)):
        if part is not None:
            raw = writes[metadata_name(part.signed.version, name)]
            snapshot.meta[f"{name}.json"] = MetaFile.from_data(part.signed.version, raw, ["sha256"])
    return Metadata(snapshot), Metadata(timestamp)
