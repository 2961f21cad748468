"""A registry with three holders, two of whom give rights, and a hub, made of real files and real signatures."""

import http.server
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, MetaFile, Snapshot, Targets, Timestamp

from comity_federation.encoding import digest
from comity_federation.keys import SigningPair, new_signing_pair
from comity_federation.registry import Lifetimes, Registry, RegistryClient, RegistryDirectory, publish, read_registry
from comity_federation.registry.changes import enter, new_suspension
from comity_federation.registry.roles import PairSigner
from comity_federation.registry.verification import TIMESTAMP_NAME, Verified, metadata_name
from comity_schemas.member import Last, Member, MemberList, MemberStatus, Role, SigningKey, SuspensionReason


def new_member(slug: str, *, role: Role = Role.AGENCY, key: SigningPair | None = None) -> Member:
    """Return what `comity init` writes for a member, reduced to the essential."""
    did = f"did:web:{slug}.example"
    pair = key or new_signing_pair(f"{did}#k1")
    return Member(
        did=did,
        slug=slug,
        names=(slug.title(),),
        country="CH",
        role=role,
        status=MemberStatus.PENDING,
        signing_keys=(SigningKey(kid=pair.kid, key=pair.public.key),),
    )


def last(seq: int) -> Last:
    """Return a position whose hash stands for the statement of that number."""
    return Last(seq=seq, hash=digest(f"statement {seq}"))


class World:
    """Three holders, a hub, a directory; every method does what a person would do with the commands."""

    def __init__(self, home: Path, lifetimes: Lifetimes | None = None) -> None:
        self.home = home
        self.holders = [new_signing_pair(f"holder-{letter}") for letter in "abc"]
        self.hub = new_signing_pair("hub")
        self.directory = RegistryDirectory(home / "registry", lifetimes)
        self.directory.init([holder.public for holder in self.holders], 2, self.hub.public)
        self.sign(0, 1)
        publish(self.directory, self.hub)
        self.root = (self.directory.path / "metadata" / "1.root.json").read_bytes()

    @property
    def path(self) -> Path:
        """The registry's directory."""
        return self.directory.path

    def sign(self, *numbers: int) -> None:
        """Let these holders sign what is staged."""
        for number in numbers:
            self.directory.sign(self.holders[number], self.directory.staged())

    def stage(self, *slugs: str) -> None:
        """Stage new active members."""
        members = self.directory.members()
        for slug in slugs:
            members = enter(members, new_member(slug), MemberStatus.ACTIVE)
        self.directory.stage_members(members)

    def enter(self, *slugs: str) -> None:
        """Publish new active members."""
        self.stage(*slugs)
        self.sign(0, 2)
        publish(self.directory, self.hub)

    def change(self, members: MemberList, *signers: int) -> None:
        """Publish a list, signed by these holders."""
        self.directory.stage_members(members)
        self.sign(*signers)
        publish(self.directory, self.hub)

    def suspend(self, slug: str, seq: int, *, signer: int = 1) -> None:
        """Publish a suspension signed by one holder."""
        suspension = new_suspension(slug, last(seq), SuspensionReason.FORK, datetime.now(UTC))
        self.directory.stage_suspension(suspension)
        self.directory.sign(self.holders[signer], self.directory.staged(), parts=["suspensions"])
        publish(self.directory, self.hub)

    def client(self, name: str = "node", source: Path | str | None = None) -> RegistryClient:
        """Return a node of this registry with a local directory of its own."""
        return RegistryClient(self.root, self.home / name, source or self.path)

    def read(self) -> Registry:
        """Return the registry as a stranger reads it."""
        return read_registry(self.path, self.root, datetime.now(UTC))

    def published(self) -> Verified:
        """Return what is published, with its parts."""
        published = self.directory.published()
        assert published is not None
        return published

    def hub_names(self, *, to: Path | None = None, **parts: Metadata[Targets]) -> None:
        """Let a hostile hub sign a newer snapshot and timestamp that name whatever it likes."""
        path = to or self.path
        published = self.published()
        expires = datetime.now(UTC) + timedelta(days=1)
        meta = dict(published.snapshot.meta)
        for role, part in parts.items():
            raw = part.to_bytes()
            (path / metadata_name(part.signed.version, role)).write_bytes(raw)
            meta[f"{role}.json"] = MetaFile.from_data(part.signed.version, raw, ["sha256"])
        snapshot = Metadata(Snapshot(version=published.snapshot.version + 1, expires=expires, meta=meta))
        self._hub_writes(path / metadata_name(snapshot.signed.version, "snapshot"), snapshot)
        named = MetaFile(snapshot.signed.version)
        timestamp = Timestamp(version=published.timestamp.version + 1, expires=expires, snapshot_meta=named)
        self._hub_writes(path / TIMESTAMP_NAME, Metadata(timestamp))

    def _hub_writes(self, path: Path, metadata: Metadata[Any]) -> None:
        metadata.sign(PairSigner(self.hub))
        path.write_bytes(metadata.to_bytes())


def copy_of(world: World, name: str) -> Path:
    """Return a copy of the registry's directory as it is now."""
    return Path(shutil.copytree(world.path, world.home / name))


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def served(handler: Any) -> Iterator[str]:
    """Serve with a real HTTP server on this machine and give its URL; a path is served as files."""
    if isinstance(handler, Path):
        handler = partial(_Quiet, directory=str(handler))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def rotate(world: World) -> None:
    """Holder a leaves, d comes, and the hub gets a new key."""
    newcomer, hub = new_signing_pair("holder-d"), new_signing_pair("new-hub")
    world.directory.rotate([world.holders[1].public, world.holders[2].public, newcomer.public], 2, hub.public)
    world.holders[0], world.hub = newcomer, hub


def sleep_until(at: datetime) -> None:
    """Wait until a time has passed by the real clock, which expiry goes by."""
    time.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()) + 0.05)
