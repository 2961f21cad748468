"""A hub that plays for time, and TUF's remaining attacks: what `test_registry_attacks.py` does not have.

Source: The Update Framework specification 1.0.33, §1.5 (attacks), §5.3.11 (recovery from fast-forward).
"""

import http.server
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tuf.api.metadata import Metadata, MetaFile, Root, Signature, Snapshot, Targets, Timestamp

from comity_federation import strict_json
from comity_federation.bus import checkpoints_topic
from comity_federation.keys import new_signing_pair
from comity_federation.local_log import LocalLog
from comity_federation.registry import (
    RegistryClient,
    RegistryError,
    RegistryRefused,
    RegistryUnreachable,
    publish,
    sources,
)
from comity_federation.registry.changes import enter
from comity_federation.registry.lists import write_list
from comity_federation.registry.roles import PairSigner, target_file
from comity_federation.registry.verification import TIMESTAMP_NAME, metadata_name
from comity_node.services.answering.moment import cover
from comity_schemas.member import MemberStatus
from hostile_bus import HostileBus
from listening import Listener
from member_stories import AGENCY, BODY, Story, checkpoint
from node_world import Clock
from registry_world import World, new_member, served


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.enter("undp")
    return world


def forged(world: World) -> Metadata[Targets]:
    """The next list with a member too many; nobody has signed it."""
    targets = world.published().targets
    content = write_list(enter(world.published().members, new_member("mallory"), MemberStatus.ACTIVE))
    file = target_file("members.json", content)
    (world.path / "targets" / f"{file.hashes['sha256']}.members.json").write_bytes(content)
    targets.version, targets.targets = targets.version + 1, {"members.json": file}
    return Metadata(targets)


def assert_unmoved(world: World, client: RegistryClient, known: Any, error: type[RegistryError]) -> None:
    with pytest.raises(error):
        client.refresh()
    assert client.trusted() == known
    assert known.member("mallory") is None


# One key counted many times


def test_one_holders_signature_written_twice_counts_once(world: World) -> None:
    client = world.client()
    known = client.refresh()
    part = forged(world)
    part.sign(PairSigner(world.holders[0]))
    text = strict_json.loads(part.to_bytes())
    text["signatures"] *= 2
    raw = strict_json.dumps(text)
    _hub_serves(world, part.signed.version, raw)
    assert_unmoved(world, client, known, RegistryRefused)
    with pytest.raises(RegistryRefused):
        world.read()


def test_one_holders_signature_under_anothers_name_counts_for_neither(world: World) -> None:
    client = world.client()
    known = client.refresh()
    part = forged(world)
    one = part.sign(PairSigner(world.holders[0]))
    for holder in world.holders[1:]:
        keyid = PairSigner(holder).public_key.keyid
        part.signatures[keyid] = Signature(keyid, one.signature)
    _hub_serves(world, part.signed.version, part.to_bytes())
    assert_unmoved(world, client, known, RegistryRefused)


@pytest.mark.parametrize("threshold", [0, -1, 1, True])
def test_a_root_cannot_lower_its_threshold_by_its_own_word(world: World, threshold: Any) -> None:
    client = world.client()
    known = client.refresh()
    text = strict_json.loads(world.root)
    signed = text["signed"]
    signed["version"] = 2
    for role in ("root", "targets"):
        signed["roles"][role]["threshold"] = threshold
    root = Metadata[Root].from_bytes(world.root)
    root.signed.version = 2
    if threshold is not True and threshold > 0:
        for role in root.signed.roles.values():
            role.threshold = threshold
    root.signatures.clear()
    root.sign(PairSigner(world.holders[0]))
    text = {"signatures": strict_json.loads(root.to_bytes())["signatures"], "signed": signed}
    (world.path / "metadata" / "2.root.json").write_bytes(strict_json.dumps(text))
    assert_unmoved(world, client, known, RegistryRefused)


def test_two_holders_may_change_the_holders_and_one_of_them_alone_may_not(world: World) -> None:
    """Root rotation: by the old threshold and the new one."""
    client = world.client()
    known = client.refresh()
    newcomer = new_signing_pair("holder-d")
    world.directory.rotate([world.holders[0].public, world.holders[1].public, newcomer.public], 2, world.hub.public)
    staged = world.path / "staged"
    assert any("root" in path.name for path in staged.rglob("*"))
    for signers in ((), (0,)):
        for number in signers:
            world.sign(number)
        for path in staged.rglob("*root*.json"):
            shutil.copy(path, world.path / "metadata" / "2.root.json")
        assert_unmoved(world, client, known, RegistryRefused)
        (world.path / "metadata" / "2.root.json").unlink()
    world.sign(1)
    publish(world.directory, world.hub)
    assert client.refresh().root_version == 2


# Rollback, fast-forward, mixing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["timestamp", "snapshot"])
def test_the_hubs_own_parts_never_go_back(world: World, part: str) -> None:
    old = {path.name: path.read_bytes() for path in (world.path / "metadata").iterdir()}
    world.enter("unops")
    client = world.client()
    known = client.refresh()
    now = world.published()
    if part == "timestamp":
        (world.path / TIMESTAMP_NAME).write_bytes(old["timestamp.json"])
    else:
        older = now.snapshot.version - 1
        timestamp = Timestamp(version=now.timestamp.version + 1, expires=_tomorrow(), snapshot_meta=MetaFile(older))
        _hub_signs(world, TIMESTAMP_NAME, Metadata(timestamp))
    assert_unmoved(world, client, known, RegistryRefused)


def test_a_hub_that_ran_ahead_of_all_versions_is_replaced_by_a_new_root_from_the_holders(world: World) -> None:
    """Fast-forward: after version 2^40 nothing honest looks new, until the holders take the hub's key away."""
    client = world.client()
    known = client.refresh()
    thief, before = world.hub, {path: path.read_bytes() for path in (world.path / "metadata").iterdir()}
    now = world.published()
    snapshot = Snapshot(version=2**40, expires=_tomorrow(), meta=dict(now.snapshot.meta))
    _hub_signs(world, metadata_name(2**40, "snapshot"), Metadata(snapshot))
    _hub_signs(
        world,
        TIMESTAMP_NAME,
        Metadata(Timestamp(version=2**40, expires=_tomorrow(), snapshot_meta=MetaFile(2**40))),
    )
    assert client.refresh().hash == known.hash
    for path, raw in before.items():
        path.write_bytes(raw)
    with pytest.raises(RegistryRefused):
        client.refresh()
    world.hub = new_signing_pair("honest-hub")
    world.directory.rotate([holder.public for holder in world.holders], 2, world.hub.public)
    world.sign(0, 1)
    publish(world.directory, world.hub)
    world.enter("unops")
    recovered = client.refresh()
    assert recovered.member("unops") is not None and recovered.root_version == 2
    assert thief.kid not in {pair.kid for pair in (world.hub, *world.holders)}


def test_parts_of_two_versions_do_not_make_a_third(world: World) -> None:
    """Mix and match: every pair of an older and a newer part, served under the newest names."""
    before = world.published()
    world.suspend("undp", 3)
    world.enter("unops")
    now = world.published()
    client = world.client()
    known = client.refresh()
    older = {name: raw for name, raw in before.files.items() if name.startswith("metadata/")}
    for role in ("targets", "suspensions", "snapshot"):
        old_name = next(name for name in older if f".{role}." in name)
        new_name = metadata_name(now.parts[role].version, role)
        kept = (world.path / new_name).read_bytes()
        (world.path / new_name).write_bytes(older[old_name])
        with pytest.raises(RegistryError):
            world.client(f"new-{role}").refresh()
        assert client.trusted() == known
        (world.path / new_name).write_bytes(kept)
    assert world.client("whole").refresh() == known


@pytest.mark.parametrize("served_as", ["timestamp", "snapshot", "targets", "root"])
def test_a_part_served_in_the_place_of_another_is_refused(world: World, served_as: str) -> None:
    client = world.client()
    known = client.refresh()
    now = world.published()
    names = {role: TIMESTAMP_NAME if role == "timestamp" else metadata_name(part.version, role)
             for role, part in now.parts.items()}  # fmt: skip
    for role in ("timestamp", "snapshot", "targets"):
        if role == served_as:
            continue
        target = world.path / ("metadata/2.root.json" if served_as == "root" else names[served_as])
        kept = target.read_bytes() if target.exists() else None
        target.write_bytes((world.path / names[role]).read_bytes())
        with pytest.raises(RegistryError):
            world.client(f"{role}-as-{served_as}").refresh()
        target.unlink() if kept is None else target.write_bytes(kept)
    assert client.refresh() == known


def test_a_root_cannot_skip_a_version(world: World) -> None:
    client = world.client()
    known = client.refresh()
    root = Metadata[Root].from_bytes(world.root)
    root.signed.version = 3
    root.signatures.clear()
    for holder in world.holders:
        root.sign(PairSigner(holder), append=True)
    (world.path / "metadata" / "2.root.json").write_bytes(root.to_bytes())
    assert_unmoved(world, client, known, RegistryRefused)


# Slow and endless


class _Dripping(http.server.BaseHTTPRequestHandler):
    """Gives one byte now and then, for ever."""

    def do_GET(self) -> None:
        if "root.json" in self.path:
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _EndlessRoots(_Dripping):
    """Answers every question for a new root with another megabyte."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"[" * 65_536)
        except OSError:
            pass


@pytest.mark.parametrize(("server", "error"), [(_Dripping, RegistryUnreachable), (_EndlessRoots, RegistryRefused)])
def test_a_server_that_is_slow_or_endless_costs_bounded_time(
    world: World, server: type[http.server.BaseHTTPRequestHandler], error: type[RegistryError], monkeypatch: Any
) -> None:
    assert sources.FETCH_SECONDS <= 120 and sources.GAP_SECONDS <= 10
    monkeypatch.setattr(sources, "FETCH_SECONDS", 0.5)
    known = world.client().refresh()
    with served(server) as url:
        client = world.client(source=url)
        begun = time.monotonic()
        with pytest.raises(error):
            client.refresh()
        client.close()
    assert time.monotonic() - begun < 5
    assert client.trusted() == known


# Withholding


async def test_a_hub_that_holds_a_change_back_is_noticed_through_the_checkpoints_of_peers(tmp_path: Path) -> None:
    """The hub shows this node version 1 for ever; its peers say in their checkpoints that they follow version 2."""
    log = LocalLog(tmp_path / "log.db")
    await log.start()
    story = Story((AGENCY, BODY))
    listener = Listener(tmp_path / "node", HostileBus(log), story.registry(), Clock())
    await log.publish(checkpoints_topic("agency"), checkpoint(AGENCY, []), {})
    await log.publish(checkpoints_topic("body"), checkpoint(BODY, [], registry_version=2), {})
    await listener.listen()
    coverage = await listener.coverage()
    assert coverage.newer_registry == ("body",) and not coverage.complete
    assert "body follow a newer registry than this node was shown" in coverage.in_words()
    # Shown the newer one, from wherever it came, it is over.
    story.registry_version = 2
    await listener.listen(story.registry())
    assert (await listener.coverage()).complete
    assert cover(story.registry(), await listener.logs(), listener.clock()).newer_registry == ()
    await log.stop()


def test_the_holders_replace_a_withholding_hub_by_a_root_that_is_carried_by_hand(world: World, tmp_path: Path) -> None:
    """The cure: a new root with another hub, and the registry from another address; the node keeps what it knew."""
    client = world.client()
    client.refresh()
    held_back = Path(shutil.copytree(world.path, tmp_path / "held-back"))
    world.hub = new_signing_pair("second-hub")
    world.directory.rotate([holder.public for holder in world.holders], 2, world.hub.public)
    world.sign(0, 1)
    publish(world.directory, world.hub)
    world.suspend("undp", 3)
    stuck = world.client("stuck", source=held_back)
    assert stuck.refresh().member("undp").status is MemberStatus.ACTIVE  # type: ignore[union-attr]
    root = (world.path / "metadata" / "2.root.json").read_bytes()
    cured = RegistryClient(root, world.home / "stuck", world.path)
    assert cured.refresh().member("undp").status is MemberStatus.SUSPENDED  # type: ignore[union-attr]
    # Under the new root the old hub's word counts no more.
    with pytest.raises(RegistryError):
        RegistryClient(root, world.home / "other", held_back).refresh()


def _tomorrow() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


def _hub_signs(world: World, name: str, metadata: Metadata[Any]) -> None:
    metadata.sign(PairSigner(world.hub))
    (world.path / name).write_bytes(metadata.to_bytes())


def _hub_serves(world: World, version: int, raw: bytes) -> None:
    """Name this very file as the newest targets, signed by the hub."""
    (world.path / metadata_name(version, "targets")).write_bytes(raw)
    now = world.published()
    meta = {**now.snapshot.meta, "targets.json": MetaFile.from_data(version, raw, ["sha256"])}
    snapshot = Snapshot(version=now.snapshot.version + 1, expires=_tomorrow(), meta=meta)
    _hub_signs(world, metadata_name(snapshot.version, "snapshot"), Metadata(snapshot))
    timestamp = Timestamp(
        version=now.timestamp.version + 1, expires=_tomorrow(), snapshot_meta=MetaFile(snapshot.version)
    )
    _hub_signs(world, TIMESTAMP_NAME, Metadata(timestamp))
