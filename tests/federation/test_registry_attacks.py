"""The registry among hostile people: the hub, one holder, the network. The last good registry always stays."""

import http.server
import json
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, TargetFile, Targets

from comity_federation.keys import SigningPair, new_signing_pair
from comity_federation.registry import (
    ChangeRefused,
    Lifetimes,
    Registry,
    RegistryClient,
    RegistryDirectory,
    RegistryError,
    RegistryExpired,
    RegistryRefused,
    RegistryUnreachable,
    publish,
    read_registry,
    renew_signatures,
)
from comity_federation.registry.changes import enter, new_suspension
from comity_federation.registry.lists import write_list
from comity_federation.registry.roles import PairSigner, new_root, target_file
from comity_federation.registry.verification import TIMESTAMP_NAME
from comity_schemas.member import MemberList, MemberStatus, SuspensionList, SuspensionReason
from registry_world import World, copy_of, last, new_member, served


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
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


def sleep_until(at: datetime) -> None:
    time.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()) + 0.05)


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


# Damage, and the network


def files_used(world: World) -> list[str]:
    return sorted(world.published().files)


SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda raw: raw[:-20],
    "emptied": lambda raw: b"",
    "lengthened": lambda raw: raw + b" " * 600_000,
    "nested": lambda raw: b"[" * 15_000,
}


@pytest.mark.parametrize("damage", [*SPOILED, "removed"])
def test_any_damaged_file_is_refused_and_the_last_good_registry_stays(world: World, damage: str) -> None:
    known = world.client().refresh()
    world.enter("unops")
    honest = world.read()
    for name in files_used(world):
        if name == "metadata/1.root.json":
            continue
        path = copy_of(world, "damaged")
        if damage == "removed":
            (path / name).unlink()
        else:
            (path / name).write_bytes(SPOILED[damage]((path / name).read_bytes()))
        wanted = RegistryUnreachable if damage == "removed" else RegistryRefused
        with pytest.raises(wanted):
            RegistryClient(world.root, world.home / "fresh", path).refresh()
        with pytest.raises(wanted):
            read_registry(path, world.root, datetime.now(UTC))
        member = RegistryClient(world.root, Path(shutil.copytree(world.home / "node", world.home / "other")), path)
        try:
            # What has not changed since is not fetched again, so its damage is not even seen.
            assert member.refresh() == honest
        except RegistryError:
            assert member.trusted() == known
        for used in ("damaged", "fresh", "other"):
            shutil.rmtree(world.home / used)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_changed_byte_anywhere_changes_what_is_believed(world: World, data: st.DataObject) -> None:
    honest = world.read()
    name = data.draw(st.sampled_from(files_used(world)))
    raw = bytearray((world.path / name).read_bytes())
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[position]))
    original = (world.path / name).read_bytes()
    (world.path / name).write_bytes(bytes(raw))
    try:
        believed = read_registry(world.path, world.root, datetime.now(UTC))
    except RegistryError:
        return
    finally:
        (world.path / name).write_bytes(original)
    assert believed == honest


def test_a_hostile_file_system_name_cannot_be_asked_for(world: World) -> None:
    fetcher = world.client()._fetcher()
    with pytest.raises(Exception, match="no file of a registry"):
        fetcher.download_bytes("registry:///metadata/../../secret.json", 100)


def test_a_damaged_local_copy_is_named_and_never_silently_forgotten(world: World) -> None:
    client = world.client()
    client.refresh()
    copy = world.home / "node" / "trusted.json"
    copy.write_bytes(copy.read_bytes()[:-50])
    for ask in (client.trusted, client.refresh):
        with pytest.raises(RegistryRefused, match=r"trusted\.json is damaged"):
            ask()


def test_what_was_kept_is_readable_by_the_node_only(world: World) -> None:
    world.client().refresh()
    assert (world.home / "node" / "trusted.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("url", ["http://hub.example/registry", "ftp://hub.example/", "hub.example", "file:///etc"])
def test_a_registry_is_fetched_by_https_only(world: World, url: str) -> None:
    with pytest.raises(RegistryUnreachable, match="https"):
        world.client(source=url)


class _Answering(http.server.BaseHTTPRequestHandler):
    """Answers 404 to new roots, as there is none, and anything else in its own way."""

    def do_GET(self) -> None:
        if "root.json" in self.path:
            self.send_error(404)
        else:
            self.answer()

    def answer(self) -> None:
        raise NotImplementedError

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Endless(_Answering):
    def answer(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"{" * 65536)
        except OSError:
            pass


class _Failing(_Answering):
    def answer(self) -> None:
        self.send_error(500)


@pytest.mark.parametrize(
    ("server", "error"),
    [(_Endless, RegistryRefused), (_Failing, RegistryUnreachable)],
)
def test_a_server_that_misbehaves_costs_little_and_changes_nothing(
    world: World, server: type[_Answering], error: type[RegistryError]
) -> None:
    known = world.client().refresh()
    with served(server) as url:
        client = world.client(source=url)
        begun = time.monotonic()
        with pytest.raises(error):
            client.refresh()
        client.close()
    assert time.monotonic() - begun < 5
    assert client.trusted() == known


def test_a_redirect_is_not_followed_even_to_the_right_registry(world: World) -> None:
    with served(world.path) as right:

        class Elsewhere(_Answering):
            def do_GET(self) -> None:
                self.send_response(302)
                self.send_header("location", right.rstrip("/") + self.path)
                self.end_headers()

        with served(Elsewhere) as url:
            client = world.client(source=url)
            with pytest.raises(RegistryUnreachable, match="302"):
                client.refresh()
            client.close()


def test_a_server_that_is_not_there_is_unreachable(world: World) -> None:
    with served(world.path) as url:
        pass
    client = world.client(source=url)
    with pytest.raises(RegistryUnreachable):
        client.refresh()
    client.close()


# Expiry


@pytest.mark.parametrize(
    ("short", "part"),
    [
        (Lifetimes(hub=timedelta(seconds=4)), "timestamp"),
        (Lifetimes(lists=timedelta(seconds=4)), "targets"),
        (Lifetimes(root=timedelta(seconds=4)), "root"),
    ],
)
def test_an_expired_part_makes_acceptance_wait_and_says_since_when(tmp_path: Path, short: Lifetimes, part: str) -> None:
    world = World(tmp_path, short)
    client = world.client()
    known = client.refresh()
    sleep_until(known.expires)
    for ask in (client.refresh, world.client("new").refresh, world.read):
        with pytest.raises(RegistryExpired) as expired:
            ask()
        assert (expired.value.part, expired.value.since) == (part, known.expires)
    assert client.trusted() == known
    # And by the time at which it still held, a stranger reads it.
    then = known.expires - timedelta(seconds=1)
    assert read_registry(world.path, world.root, then).hash == known.hash


def test_an_expired_list_of_suspensions_counts_as_expired(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.enter("undp")
    short = RegistryDirectory(world.path, Lifetimes(lists=timedelta(seconds=4)))
    short.stage_suspension(new_suspension("undp", last(1), SuspensionReason.FORK, datetime.now(UTC)))
    short.sign(world.holders[0], short.staged())
    publish(short, world.hub)
    client = world.client()
    known = client.refresh()
    sleep_until(known.expires)
    for ask in (client.refresh, world.read):
        with pytest.raises(RegistryExpired) as expired:
            ask()
        assert (expired.value.part, expired.value.since) == ("suspensions", known.expires)


def test_acceptance_goes_on_after_the_hub_signs_again(tmp_path: Path) -> None:
    world = World(tmp_path, Lifetimes(hub=timedelta(seconds=4)))
    client = world.client()
    known = client.refresh()
    sleep_until(known.expires)
    with pytest.raises(RegistryExpired):
        client.refresh()
    renew_signatures(RegistryDirectory(world.path), world.hub)
    assert client.refresh().version == known.version
    assert TIMESTAMP_NAME in world.published().files
