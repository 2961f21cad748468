"""The registry survives crashes while it is published, and a node reads it: kept, over HTTP, by a stranger."""

import contextlib
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from comity_federation.keys import new_signing_pair
from comity_federation.registry import (
    NothingStaged,
    Publication,
    RegistryAbsent,
    RegistryClient,
    RegistryDirectory,
    RegistryExists,
    RegistryRefused,
    RegistryUnreachable,
    changes,
    plan_publication,
    publish,
    publishing,
    read_registry,
    renew_signatures,
    staging,
)
from comity_federation.registry.durable import replace_file
from comity_schemas.member import (
    MemberStatus,
    ReportKey,
)
from registry_world import World, copy_of, last, new_member, rotate, served

# Crashes


@pytest.mark.parametrize("change", ["members", "suspension", "holders"])
def test_a_crash_after_any_write_leaves_the_old_or_the_new_registry_and_publish_finishes(
    world: World, change: str
) -> None:
    world.enter("undp")
    if change == "members":
        world.stage("unops")
        world.sign(0, 1)
    elif change == "suspension":
        world.directory.stage_suspension(
            changes.new_suspension("undp", last(2), changes.SuspensionReason.FORK, datetime.now(UTC))
        )
        world.sign(1)
    else:
        newcomer = new_signing_pair("holder-d")
        stay = [world.holders[1].public, world.holders[2].public, newcomer.public]
        world.directory.rotate(stay, 2, world.hub.public)
        world.holders[0] = newcomer
        world.sign(0, 1, 2)
    old = world.read()
    plan = plan_publication(world.directory, world.hub)
    new_version = plan.result.targets.version + plan.result.suspensions.version
    for count in range(len(plan.writes) + 1):
        path = copy_of(world, f"crash-{count}")
        for name, content in plan.writes[:count]:
            replace_file(path / name, content)
        seen = read_registry(path, world.root, datetime.now(UTC))
        assert seen.version in (old.version, new_version)
        fetched = RegistryClient(world.root, world.home / f"node-{count}", path).refresh()
        assert fetched == seen
        publish(RegistryDirectory(path), world.hub)
        assert read_registry(path, world.root, datetime.now(UTC)).version == new_version
        assert not (path / "staged").exists()


def test_a_write_that_fails_stops_publishing_before_anything_names_it(world: World) -> None:
    world.enter("undp")
    world.stage("unops")
    world.sign(0, 1)
    old = world.read()
    for name, _ in plan_publication(world.directory, world.hub).writes:
        path = copy_of(world, name.replace("/", "-"))
        blocked = path / name
        if blocked.exists():
            continue
        blocked.mkdir()
        before = (path / "metadata" / "timestamp.json").read_bytes()
        with pytest.raises(OSError, match=r".") as failed:
            publish(RegistryDirectory(path), world.hub)
        assert failed.value.filename2 == str(blocked)
        assert (path / "metadata" / "timestamp.json").read_bytes() == before
        assert read_registry(path, world.root, datetime.now(UTC)) == old
        blocked.rmdir()
        publish(RegistryDirectory(path), world.hub)
        assert read_registry(path, world.root, datetime.now(UTC)).version > old.version


def test_a_crash_while_the_hubs_key_changes_is_finished_by_publishing_again(world: World) -> None:
    world.enter("undp")
    client = world.client()
    client.refresh()
    rotate(world)
    world.sign(0, 1, 2)
    plan = plan_publication(world.directory, world.hub)
    for name, content in plan.writes[:-1]:
        replace_file(world.path / name, content)
    # Nodes keep what they have in the moment between the new timestamp and the new root.
    with pytest.raises(RegistryRefused):
        client.refresh()
    assert client.trusted() is not None
    publish(world.directory, world.hub)
    assert client.refresh().root_version == 2


# A node


def test_a_node_remembers_the_last_good_registry_without_its_source(world: World) -> None:
    world.enter("undp")
    registry = world.client().refresh()
    shutil.rmtree(world.path)
    restarted = world.client()
    with pytest.raises(RegistryUnreachable):
        restarted.refresh()
    assert restarted.trusted() == registry


def test_a_node_that_never_refreshed_trusts_nobody(world: World) -> None:
    assert world.client().trusted() is None


def test_a_node_reads_the_same_over_http_on_this_machine(world: World) -> None:
    world.enter("undp")
    with served(world.path) as url:
        client = world.client(source=url)
        assert client.refresh() == world.client("other").refresh()
        world.suspend("undp", 3)
        member = client.refresh().member("undp")
        client.close()
    assert member is not None
    assert member.status is MemberStatus.SUSPENDED


def test_members_are_found_by_slug_did_and_report_key(world: World) -> None:
    firm, key = new_member("firm"), new_signing_pair("did:web:firm.example#r1")
    firm = firm.model_copy(update={"report_keys": (ReportKey(kid=key.kid, key=key.public.key),)})
    world.change(changes.enter(world.directory.members(), firm, MemberStatus.ACTIVE), 0, 1)
    registry = world.read()
    found = registry.member("firm")
    assert found is not None
    assert found is registry.by_did("did:web:firm.example") is registry.by_report_key(key.kid)
    assert registry.member("nobody") is registry.by_did("did:web:x") is registry.by_report_key("did:web:x#1") is None


def test_a_stranger_reads_the_directory_and_is_told_where_the_root_came_from(world: World) -> None:
    world.enter("undp")
    now = datetime.now(UTC)
    assert world.read().root_given
    taken = read_registry(world.path, None, now)
    assert not taken.root_given
    assert taken.hash == world.read().hash


def test_an_empty_directory_is_no_registry(tmp_path: Path) -> None:
    with pytest.raises(RegistryUnreachable):
        read_registry(tmp_path, None, datetime.now(UTC))
    with pytest.raises(RegistryAbsent):
        RegistryDirectory(tmp_path).staged()
    with pytest.raises(NothingStaged):
        raise NothingStaged("the class is public")


def test_a_registry_is_not_begun_twice(world: World) -> None:
    with pytest.raises(RegistryExists):
        world.directory.init([holder.public for holder in world.holders], 2, world.hub.public)


# Two at once


def test_the_hubs_timer_and_a_publication_at_once_lose_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.enter("undp")
    world.stage("unops")
    world.sign(0, 1)
    planned, go = threading.Event(), threading.Event()

    def slowly(directory: RegistryDirectory, plan: Publication, write: Any = publishing.carry_out) -> None:
        if not plan.parts:
            planned.set()
            go.wait(10)
        write(directory, plan)

    monkeypatch.setattr(publishing, "carry_out", slowly)
    # Each with a directory object of its own, as two processes have.
    timer = threading.Thread(target=renew_signatures, args=(RegistryDirectory(world.path), world.hub))
    publication = threading.Thread(target=publish, args=(RegistryDirectory(world.path), world.hub))
    timer.start()
    assert planned.wait(10)
    publication.start()
    publication.join(0.2)
    go.set()
    timer.join()
    publication.join()
    assert world.read().member("unops") is not None
    assert world.client().refresh() == world.read()


def test_two_holders_who_sign_at_once_both_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.stage("undp")
    staged, both = world.directory.staged(), threading.Barrier(2)

    def together(path: Path, content: bytes, write: Any = replace_file) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.2)
        write(path, content)

    monkeypatch.setattr(staging, "replace_file", together)
    threads = [
        threading.Thread(target=RegistryDirectory(world.path).sign, args=(world.holders[number], staged))
        for number in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.directory.signatures(world.directory.staged())[0].missing == 0
