"""The registry among hostile people: the hub, one holder, the network. The last good registry always stays."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, TargetFile, Targets

from comity_federation.keys import SigningPair, new_signing_pair
from comity_federation.registry import (
    ChangeRefused,
    Lifetimes,
    Registry,
    RegistryClient,
    RegistryExpired,
    RegistryRefused,
    publish,
)
from comity_federation.registry.changes import enter, new_suspension
from comity_federation.registry.lists import write_list
from comity_federation.registry.roles import PairSigner, new_root, target_file
from comity_schemas.member import MemberList, MemberStatus, SuspensionList, SuspensionReason
from registry_world import World, copy_of, last, new_member, served, sleep_until


@pytest.fixture
def world(world: World) -> World:
    world.enter("undp")
    return world


def resigned(metadata: Metadata[Targets], *pairs: SigningPair) -> Metadata[Targets]:
    for pair in pairs:
        metadata.sign(PairSigner(pair), append=True)
    return metadata


def forged_members(world: World) -> Metadata[Targets]:
    """Return the next members' list with one member too many, in place but unsigned."""
    targets = world.published().targets
    content = write_list(enter(world.published().members, new_member("mallory"), MemberStatus.ACTIVE))
    return next_version(world, targets, "members.json", content)


def next_version(world: World, part: Targets, name: str, content: bytes) -> Metadata[Targets]:
    file = target_file(name, content)
    part.version += 1
    part.targets = {name: file}
    (world.path / "targets" / f"{file.hashes['sha256']}.{name}").write_bytes(content)
    return Metadata(part)


def assert_refused(world: World, client: RegistryClient, known: Registry, match: str | None = None) -> None:
    """Claim that node and stranger refuse, and that the node keeps what it had."""
    with pytest.raises(RegistryRefused, match=match):
        client.refresh()
    assert client.trusted() == known
    with pytest.raises(RegistryRefused):
        client.refresh()


# A hostile hub


@pytest.mark.parametrize("signers", [(), ("hub",), (0,), ("hub", 1), ("stranger", 1)])
def test_nobody_gives_a_right_without_two_holders(world: World, signers: tuple[Any, ...]) -> None:
    client = world.client()
    known = client.refresh()
    keys = {"hub": world.hub, "stranger": new_signing_pair("stranger"), 0: world.holders[0], 1: world.holders[1]}
    world.hub_names(targets=resigned(forged_members(world), *(keys[each] for each in signers)))
    assert_refused(world, client, known)
    with pytest.raises(RegistryRefused):
        world.read()


def test_an_old_registry_put_back_is_refused(world: World) -> None:
    old = copy_of(world, "old")
    world.suspend("undp", 3)
    client = world.client()
    known = client.refresh()
    shutil.rmtree(world.path)
    old.rename(world.path)
    assert_refused(world, client, known)


def test_a_fresh_signature_of_the_hub_over_older_lists_is_refused_by_whoever_saw_newer_ones(world: World) -> None:
    before = world.published()
    world.suspend("undp", 3)
    client = world.client()
    known = client.refresh()
    raw = before.files[f"metadata/{before.suspensions.version}.suspensions.json"]
    world.hub_names(suspensions=Metadata[Targets].from_bytes(raw))
    assert_refused(world, client, known)
    # Nor does a node forget by losing python-tuf's cache: its own copy counts.
    shutil.rmtree(world.home / "node" / "tuf")
    assert_refused(world, client, known, "went back")


def test_a_new_node_can_be_held_back_only_until_the_older_list_expires(tmp_path: Path) -> None:
    world = World(tmp_path, Lifetimes(lists=timedelta(seconds=5)))
    world.enter("undp")
    before = world.published()
    world.suspend("undp", 3)
    raw = before.files[f"metadata/{before.suspensions.version}.suspensions.json"]
    world.hub_names(suspensions=Metadata[Targets].from_bytes(raw))
    believed = world.client("new").refresh()
    held_back = believed.member("undp")
    assert held_back is not None
    assert held_back.status is MemberStatus.ACTIVE
    sleep_until(believed.expires)
    with pytest.raises(RegistryExpired):
        world.client("newer").refresh()


def test_a_list_swapped_for_an_older_one_is_refused(world: World) -> None:
    before = world.published()
    world.enter("unops")
    old, new = (each.targets.targets["members.json"].hashes["sha256"] for each in (before, world.published()))
    targets = world.path / "targets"
    shutil.copy(targets / f"{old}.members.json", targets / f"{new}.members.json")
    with pytest.raises(RegistryRefused):
        world.client().refresh()
    with pytest.raises(RegistryRefused):
        world.read()


@pytest.mark.parametrize("helpers", [0, 1])
def test_a_hub_and_one_holder_cannot_appoint_new_holders(world: World, helpers: int) -> None:
    client = world.client()
    known = client.refresh()
    thieves = [new_signing_pair(f"thief-{number}") for number in range(3)]
    root = Metadata(new_root(2, [thief.public for thief in thieves], 2, world.hub.public))
    root.signed.expires = datetime.now(UTC) + timedelta(days=1)
    for pair in (*thieves, *world.holders[:helpers]):
        root.sign(PairSigner(pair), append=True)
    targets = resigned(forged_members(world), *thieves)
    world.hub_names(targets=targets)
    (world.path / "metadata" / "2.root.json").write_bytes(root.to_bytes())
    assert_refused(world, client, known)
    with pytest.raises(RegistryRefused, match=r"2\.root\.json"):
        world.read()


def test_another_registry_under_the_same_address_is_refused(world: World, tmp_path: Path) -> None:
    client = world.client()
    known = client.refresh()
    other = World(tmp_path / "other")
    shutil.rmtree(world.path)
    shutil.copytree(other.path, world.path)
    with pytest.raises(RegistryRefused):
        client.refresh()
    assert client.trusted() == known
    with pytest.raises(RegistryRefused):
        world.read()


# One hostile holder


def suspensions_by(world: World, content: bytes, *pairs: SigningPair) -> None:
    part = next_version(world, world.published().suspensions, "suspensions.json", content)
    world.hub_names(suspensions=resigned(part, *pairs))


def test_a_suspension_by_somebody_who_is_no_holder_is_refused(world: World) -> None:
    client = world.client()
    known = client.refresh()
    suspension = new_suspension("undp", last(1), SuspensionReason.FORK, datetime.now(UTC))
    content = write_list(SuspensionList(v=1, suspensions=(suspension,)))
    suspensions_by(world, content, world.hub, new_signing_pair("stranger"))
    assert_refused(world, client, known)


@pytest.mark.parametrize(
    "extra",
    [
        {"members": []},
        {"lifted": []},
        {"suspensions": [{"member": "undp", "status": "active"}]},
        {"v": 2},
    ],
)
def test_the_list_of_suspensions_can_say_nothing_else(world: World, extra: dict[str, Any]) -> None:
    client = world.client()
    known = client.refresh()
    content = json.dumps({"v": 1, "suspensions": []} | extra).encode()
    suspensions_by(world, content, world.holders[0])
    assert_refused(world, client, known, "suspensions.json")


@pytest.mark.parametrize("names", [("members.json",), ("members.json", "suspensions.json")])
def test_the_delegated_role_cannot_give_members(world: World, names: tuple[str, ...]) -> None:
    client = world.client()
    known = client.refresh()
    content = write_list(enter(MemberList(v=1, members=()), new_member("mallory"), MemberStatus.ACTIVE))
    part = next_version(world, world.published().suspensions, "members.json", content)
    kept = world.published().suspensions.targets
    part.signed.targets |= {name: kept[name] for name in names if name in kept}
    world.hub_names(suspensions=resigned(part, world.holders[0]))
    with pytest.raises(RegistryRefused):
        client.refresh()
    assert client.trusted() == known
    with pytest.raises(RegistryRefused):
        world.read()


def test_the_delegated_role_cannot_delegate(world: World) -> None:
    client = world.client()
    known = client.refresh()
    part = Metadata(world.published().suspensions)
    part.signed.version += 1
    key = PairSigner(new_signing_pair("friend")).public_key
    role = DelegatedRole("friend", [key.keyid], 1, True, ["*"])
    part.signed.delegations = Delegations({key.keyid: key}, {"friend": role})
    world.hub_names(suspensions=resigned(part, world.holders[0]))
    assert_refused(world, client, known)


def test_one_holder_cannot_drop_anothers_suspension(world: World) -> None:
    world.suspend("undp", 3, signer=1)
    client = world.client()
    known = client.refresh()
    suspensions_by(world, write_list(SuspensionList(v=1, suspensions=())), world.holders[0])
    assert_refused(world, client, known, "dropped or changed")


def test_an_honest_hub_does_not_publish_a_dropped_suspension(world: World) -> None:
    world.suspend("undp", 3, signer=1)
    world.directory.stage_suspension(new_suspension("undp", last(5), SuspensionReason.FORK, datetime.now(UTC)))
    content = write_list(SuspensionList(v=1, suspensions=()))
    part = world.path / "staged" / "suspensions.json"
    metadata = Metadata[Targets].from_bytes(part.read_bytes())
    metadata.signed.targets = {"suspensions.json": target_file("suspensions.json", content)}
    part.write_bytes(resigned(metadata, world.holders[0]).to_bytes())
    (world.path / "staged" / "lists" / "suspensions.json").write_bytes(content)
    with pytest.raises(ChangeRefused, match="dropped or changed"):
        publish(world.directory, world.hub)


def test_a_holder_cannot_make_a_node_fetch_what_is_too_large(world: World) -> None:
    part = Metadata(world.published().suspensions)
    part.signed.version += 1
    huge = TargetFile(10**12, {"sha256": "0" * 64}, "suspensions.json")
    part.signed.targets = {"suspensions.json": huge}
    world.hub_names(suspensions=resigned(part, world.holders[0]))
    with pytest.raises(RegistryRefused, match="larger"):
        world.client().refresh()


def test_a_hub_cannot_make_a_node_fetch_what_is_too_large_by_naming_its_length(world: World) -> None:
    part = next_version(world, world.published().suspensions, "suspensions.json", b'{"v":1,"suspensions":[]}')
    part.signed.unrecognized_fields["padding"] = "x" * 600_000
    world.hub_names(suspensions=resigned(part, world.holders[0]))
    with served(world.path) as url:
        client = world.client(source=url)
        with pytest.raises(RegistryRefused, match="maximum allowed length"):
            client.refresh()
        client.close()


# What is staged, on its way from holder to holder


def stage_with(world: World, change: Callable[[Targets], None]) -> None:
    world.stage("unops")
    path = world.path / "staged" / "targets.json"
    metadata = Metadata[Targets].from_bytes(path.read_bytes())
    change(metadata.signed)
    path.write_bytes(metadata.to_bytes())


def _delegate_wider(targets: Targets) -> None:
    assert targets.delegations is not None
    assert targets.delegations.roles is not None
    targets.delegations.roles["suspensions"].paths = ["*.json"]


def _delegate_to_a_friend(targets: Targets) -> None:
    friend = PairSigner(new_signing_pair("friend")).public_key
    targets.add_key(friend, "suspensions")


def _hide_a_field(targets: Targets) -> None:
    targets.unrecognized_fields["note"] = "hello"


def _name_another_list(targets: Targets) -> None:
    targets.targets["members.json"] = target_file("members.json", b'{"v":1,"members":[]}')


@pytest.mark.parametrize("change", [_delegate_wider, _delegate_to_a_friend, _hide_a_field, _name_another_list])
def test_a_holder_is_not_offered_what_cannot_be_shown_whole(world: World, change: Callable[[Targets], None]) -> None:
    stage_with(world, change)
    with pytest.raises(RegistryRefused):
        world.directory.staged()
