"""Damaged files, servers that misbehave and lists that expire: the last good registry stays, and why is said."""

import http.server
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity_federation.registry import (
    Lifetimes,
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
from comity_federation.registry.changes import new_suspension
from comity_federation.registry.verification import TIMESTAMP_NAME
from comity_schemas.member import SuspensionReason
from registry_world import World, copy_of, last, served, sleep_until


@pytest.fixture
def world(world: World) -> World:
    world.enter("undp")
    return world


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
