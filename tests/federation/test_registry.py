"""The registry among honest people: thresholds, suspensions, renewal, rotation, crashes."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from comity_federation.keys import new_sealing_pair, new_signing_pair
from comity_federation.registry import (
    ChangeRefused,
    Lifetimes,
    NotAHolder,
    NotTheHub,
    RegistryDirectory,
    RegistryRefused,
    SignaturesMissing,
    StagedOutdated,
    changes,
    publish,
    renew_signatures,
)
from comity_federation.registry.changes import parse_last
from comity_federation.registry.lists import check_members
from comity_federation.statements import genesis
from comity_schemas.member import (
    MemberList,
    MemberStatus,
    PublicKey,
    ReportKey,
    SigningKey,
)
from registry_world import World, copy_of, last, new_member, rotate


def tree(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def entry(members: MemberList, slug: str) -> MemberStatus:
    return changes.find_member(members, slug).status


# Thresholds


def test_publish_refuses_below_the_threshold_says_who_is_missing_and_writes_nothing(world: World) -> None:
    world.stage("undp")
    world.sign(0)
    before = tree(world.path)
    with pytest.raises(SignaturesMissing) as refused:
        publish(world.directory, world.hub)
    assert refused.value.missing == {"targets": 1}
    assert refused.value.could_sign == {"targets": ("holder-b", "holder-c")}
    assert tree(world.path) == before


def test_signing_twice_counts_once(world: World) -> None:
    world.stage("undp")
    world.sign(0)
    world.sign(0)
    with pytest.raises(SignaturesMissing):
        publish(world.directory, world.hub)


@pytest.mark.parametrize("signers", [(0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_any_two_of_three_holders_give_a_right(world: World, signers: tuple[int, ...]) -> None:
    world.stage("undp")
    world.sign(*signers)
    publish(world.directory, world.hub)
    member = world.client().refresh().member("undp")
    assert member is not None
    assert member.status is MemberStatus.ACTIVE


def test_a_changed_proposal_loses_its_signatures(world: World) -> None:
    world.stage("undp")
    world.sign(0)
    world.stage("unops")
    world.sign(1)
    with pytest.raises(SignaturesMissing):
        publish(world.directory, world.hub)


def test_a_holder_signs_only_what_was_shown(world: World) -> None:
    world.stage("undp")
    shown = world.directory.staged()
    world.stage("mallory")
    with pytest.raises(RegistryRefused, match="changed while it was shown"):
        world.directory.sign(world.holders[0], shown)


@pytest.mark.parametrize("stranger", ["hub", "nobody"])
def test_a_key_that_is_no_holders_signs_nothing(world: World, stranger: str) -> None:
    world.stage("undp")
    before = tree(world.path)
    pair = world.hub if stranger == "hub" else new_signing_pair("nobody")
    with pytest.raises(NotAHolder):
        world.directory.sign(pair, world.directory.staged())
    assert tree(world.path) == before


def test_a_holder_cannot_publish(world: World) -> None:
    with pytest.raises(NotTheHub):
        publish(world.directory, world.holders[0])


def test_what_is_staged_for_an_older_version_is_not_published(world: World) -> None:
    world.stage("undp")
    world.sign(0, 1)
    stale = copy_of(world, "stale") / "staged"
    publish(world.directory, world.hub)
    world.enter("unops")
    shutil.copytree(stale, world.path / "staged")
    with pytest.raises(StagedOutdated):
        publish(world.directory, world.hub)


def test_what_expired_while_it_waited_for_signatures_is_not_published(world: World) -> None:
    late = RegistryDirectory(world.path, Lifetimes(lists=timedelta(seconds=-5)))
    late.stage_members(late.members())
    for holder in world.holders[:2]:
        late.sign(holder, late.staged())
    with pytest.raises(StagedOutdated, match="expired"):
        publish(late, world.hub)


# Suspensions


def test_one_holder_of_three_suspends_and_every_node_accepts_it(world: World) -> None:
    world.enter("undp", "unops")
    client = world.client()
    client.refresh()
    world.suspend("undp", 7, signer=2)
    registry = client.refresh()
    suspended, other = registry.member("undp"), registry.member("unops")
    assert suspended is not None
    assert other is not None
    assert (suspended.status, suspended.closed) == (MemberStatus.SUSPENDED, last(7))
    assert other.status is MemberStatus.ACTIVE


def test_what_a_process_has_read_is_read_anew_once_another_has_refreshed_it(world: World) -> None:
    world.enter("undp")
    reading, refreshing = world.client(), world.client()
    assert reading.trusted() is None
    before = refreshing.refresh()
    assert reading.trusted() == before
    assert reading.trusted() is reading.trusted()  # verified once
    world.suspend("undp", 7, signer=2)
    after = refreshing.refresh()
    assert after != before
    assert reading.trusted() == after
    (world.home / "node" / "trusted.json").write_bytes(b"{}")
    with pytest.raises(RegistryRefused):
        reading.trusted()


def test_a_suspension_does_not_wait_for_a_change_that_is_still_being_signed(world: World) -> None:
    world.enter("undp")
    world.stage("unops")
    world.sign(0)
    world.suspend("undp", 3)
    registry = world.read()
    member = registry.member("undp")
    assert member is not None
    assert member.status is MemberStatus.SUSPENDED
    assert registry.member("unops") is None
    # And the change is not lost, nor has its signer to sign again.
    world.sign(2)
    publish(world.directory, world.hub)
    assert world.read().member("unops") is not None


def test_lifting_a_suspension_needs_two_holders(world: World) -> None:
    world.enter("undp")
    world.suspend("undp", 3)
    lifted = changes.lift(world.directory.members(), world.directory.suspended(), "undp")
    with pytest.raises(SignaturesMissing):
        world.change(lifted, 1)
    world.sign(0)
    publish(world.directory, world.hub)
    member = world.client().refresh().member("undp")
    assert member is not None
    assert (member.status, member.closed) == (MemberStatus.ACTIVE, None)


def test_a_lifted_member_can_be_suspended_again(world: World) -> None:
    world.enter("undp")
    world.suspend("undp", 3)
    world.change(changes.lift(world.directory.members(), world.directory.suspended(), "undp"), 0, 1)
    world.suspend("undp", 9, signer=0)
    member = world.read().member("undp")
    assert member is not None
    assert member.closed == last(9)


def test_only_a_member_can_be_suspended(world: World) -> None:
    with pytest.raises(ChangeRefused, match="not a member"):
        world.suspend("nobody", 1)


# What may follow what


def test_a_removed_member_stays_listed_closed_and_removed(world: World) -> None:
    world.enter("undp")
    world.change(changes.remove(world.directory.members(), "undp", last(5)), 0, 1)
    member = world.read().member("undp")
    assert member is not None
    assert (member.status, member.closed) == (MemberStatus.REMOVED, last(5))
    with pytest.raises(ChangeRefused, match="removed"):
        changes.enter(world.directory.members(), new_member("undp"), MemberStatus.ACTIVE)


def test_a_new_entry_may_append_a_key_but_not_drop_or_reorder_one(world: World) -> None:
    world.enter("undp")
    members = world.directory.members()
    old = changes.find_member(members, "undp")
    second = new_signing_pair("did:web:undp.example#k2")
    added = SigningKey(kid=second.kid, key=second.public.key)
    appended = changes.enter(members, old.model_copy(update={"signing_keys": (*old.signing_keys, added)}))
    assert len(changes.find_member(appended, "undp").signing_keys) == 2
    for keys in ((), (added,), (added, *old.signing_keys)):
        with pytest.raises(ChangeRefused):
            changes.enter(members, old.model_copy(update={"signing_keys": keys}))


def test_a_new_entry_may_not_drop_a_closing(world: World) -> None:
    world.enter("undp")
    closed = changes.close_key(world.directory.members(), "undp", "k1", last(4))
    old = changes.find_member(world.directory.members(), "undp")
    with pytest.raises(ChangeRefused, match="drops or moves the closing"):
        changes.enter(closed, old)
    with pytest.raises(ChangeRefused, match="dropped or moved"):
        changes.close_key(closed, "undp", "k1", last(9))


def test_a_members_own_file_never_changes_its_status(world: World) -> None:
    world.enter("undp")
    members = world.directory.members()
    again = changes.find_member(members, "undp").model_copy(update={"status": MemberStatus.PENDING})
    assert entry(changes.enter(members, again), "undp") is MemberStatus.ACTIVE
    wish = new_member("mallory").model_copy(update={"status": MemberStatus.ACTIVE})
    with pytest.raises(ChangeRefused, match="must say pending"):
        changes.enter(members, wish)
    assert entry(changes.enter(members, new_member("fresh")), "fresh") is MemberStatus.PENDING


def test_no_member_vanishes_even_if_two_holders_want_it(world: World) -> None:
    world.enter("undp")
    with pytest.raises(ChangeRefused, match="vanished"):
        world.directory.stage_members(MemberList(v=1, members=()))


def test_slug_did_key_id_and_key_stand_once_in_the_list() -> None:
    one = new_member("one")
    shared = one.signing_keys[0].key
    two = new_member("two")
    report = ReportKey(kid="did:web:two.example#r1", key=shared)
    sealing = new_sealing_pair("did:web:two.example#s").public.key
    spoiled = PublicKey(kty="OKP", crv="Ed25519", x="B" * 43)
    for other in (
        two.model_copy(update={"slug": "one"}),
        two.model_copy(update={"did": one.did}),
        two.model_copy(update={"signing_keys": one.signing_keys}),
        two.model_copy(update={"signing_keys": (SigningKey(kid="did:web:two.example#k1", key=shared),)}),
        two.model_copy(update={"report_keys": (report,)}),
        two.model_copy(update={"signing_keys": (SigningKey(kid="did:web:two.example#k1", key=sealing),)}),
        two.model_copy(update={"signing_keys": (SigningKey(kid="did:web:two.example#k1", key=spoiled),)}),
        two.model_copy(update={"sealing_key": shared}),
        two.model_copy(update={"status": MemberStatus.REMOVED}),
        two.model_copy(update={"closed": last(1)}),
    ):
        with pytest.raises(ChangeRefused):
            check_members(MemberList.model_construct(v=1, members=(one, other)))
    check_members(MemberList(v=1, members=(one, two)))


# Version, hash, expiry


def test_place_0_is_named_with_the_beginning_of_the_members_own_log_only() -> None:
    did = "did:web:agency.example"
    nothing = parse_last("0", did)
    assert (nothing.seq, nothing.hash) == (0, genesis(did))
    assert parse_last(f"0:{genesis(did)}", did) == nothing
    for other in (f"0:{'A' * 43}", f"00:{'A' * 43}", f"0:{genesis('did:web:body.example')}"):
        with pytest.raises(ChangeRefused):
            parse_last(other, did)


def test_the_hubs_signing_again_changes_expiry_but_neither_version_nor_hash(world: World) -> None:
    world.enter("undp")
    client = world.client()
    before = client.refresh()
    again = RegistryDirectory(world.path, Lifetimes(hub=timedelta(days=2)))
    renew_signatures(again, world.hub)
    after = client.refresh()
    assert (after.version, after.hash, after.members) == (before.version, before.hash, before.members)
    assert after.expires > before.expires


def test_the_hub_signs_again_while_a_change_waits_for_signatures(world: World) -> None:
    world.stage("undp")
    world.sign(0)
    timestamp = world.published().timestamp.version
    renew_signatures(world.directory, world.hub)
    assert world.published().timestamp.version == timestamp + 1
    assert world.directory.signatures(world.directory.staged())[0].signed == ("holder-a",)


def test_every_published_change_raises_the_version(world: World) -> None:
    versions = [world.read().version]
    for step in (
        lambda: world.enter("undp"),
        lambda: world.suspend("undp", 2),
        lambda: world.change(changes.lift(world.directory.members(), world.directory.suspended(), "undp"), 0, 2),
        lambda: world.change(changes.thaw(world.directory.members(), "undp", last(1)), 1, 2),
    ):
        step()
        versions.append(world.read().version)
    assert versions == sorted(set(versions))


def test_renewed_lists_say_the_same_for_longer(world: World) -> None:
    world.enter("undp")
    before = world.read()
    world.directory.renew(root=True)
    world.sign(0, 1)
    publish(world.directory, world.hub)
    after = world.client().refresh()
    assert (after.hash, after.root_version) == (before.hash, 2)
    assert after.version > before.version


def test_nodes_follow_a_new_root_and_obey_the_new_holders_only(world: World) -> None:
    world.enter("undp")
    old, gone = world.client("old"), world.holders[0]
    old.refresh()
    rotate(world)
    world.sign(1, 2)
    publish(world.directory, world.hub)
    world.stage("unops")
    with pytest.raises(NotAHolder):
        world.directory.sign(gone, world.directory.staged())
    world.sign(0, 1)
    publish(world.directory, world.hub)
    assert old.refresh() == world.client("new").refresh()
    assert old.refresh().root_version == 2


def test_a_new_root_needs_the_old_threshold_too(world: World) -> None:
    rotate(world)
    world.sign(0, 1)
    with pytest.raises(SignaturesMissing) as refused:
        publish(world.directory, world.hub)
    assert refused.value.missing == {"root": 1, "targets": 1}
    world.sign(2)
    publish(world.directory, world.hub)


def test_a_holder_counts_once_and_is_not_the_hub(tmp_path: Path) -> None:
    a, b, hub = (new_signing_pair(name).public for name in ("a", "b", "hub"))
    twice = a.model_copy(update={"kid": "other-name"})
    sealing = new_sealing_pair("s").public
    for holders, threshold, hub_key in (
        ([a, twice], 2, hub),
        ([a, b], 3, hub),
        ([a, b], 2, a),
        ([a, sealing], 2, hub),
        ([], 1, hub),
    ):
        with pytest.raises(ChangeRefused):
            RegistryDirectory(tmp_path / "r").init(holders, threshold, hub_key)
    assert not (tmp_path / "r").exists()
