"""Deciding what was received: the same view whatever the order, and nothing lost, refused or frozen without a trace."""

import inspect
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import node_world
from builders import FINDING_IN_CLEAR, Made, Publisher, key_of
from comity_federation.bus import Delivered, checkpoints_topic, statements_topic
from comity_node.db import Database
from comity_node.services.receiving.intake import positions, take_in
from comity_node.services.receiving.settle import Settled, settle
from comity_schemas.member import Last, Member, MemberStatus, Role
from honest_log import AGENCY, BODY, HONEST, named
from node_world import NOW, Bench, raws, registry_of

# One log, arriving in every way


async def test_records_in_order_count_and_are_folded(bench: Bench) -> None:
    settled = await bench.arrive(AGENCY.member(), *raws(HONEST))
    assert settled == Settled(accepted=6)
    head, frozen, places, view = (await bench.snapshot(AGENCY.member()))["agency"]
    assert (head, frozen, set(places), len(view)) == (6, None, {1, 2, 3, 4, 5, 6}, 6)
    assert await bench.check(AGENCY.member()) == []


@pytest.mark.parametrize("order", [[5, 4, 3, 2, 1, 0], [0, 2, 1, 4, 5, 3, 3, 0], [1, 1, 0, 0, 5, 4, 3, 2, 2]])
@pytest.mark.parametrize("batch", [1, 2, 20])
async def test_shuffled_and_repeated_records_end_in_the_same_view(quick: Bench, order: list[int], batch: int) -> None:
    member = AGENCY.member()
    for start in range(0, len(order), batch):
        await quick.arrive(member, *(HONEST[n].raw for n in order[start : start + batch]))
    head, frozen, places, view = (await quick.snapshot(member))["agency"]
    assert (head, frozen) == (6, None)
    assert {place.hash for place in places.values()} == {made.hash for made in HONEST} == set(view)
    async with quick.database.read() as store:
        assert (await store.logs.of("agency")).repeats == len(order) - 6
    assert await quick.check(member) == []


async def test_both_databases_end_with_the_same_after_the_same_story(bench: Bench, quick: Bench) -> None:
    finding = AGENCY.finding()
    revised = AGENCY.finding(clear={**FINDING_IN_CLEAR, "replaces": finding.hash}, **AGENCY.after(finding))
    withdrawn = AGENCY.withdrawal(revised.hash, **AGENCY.after(revised))
    other = AGENCY.chain(1, after=withdrawn, salt="other")
    arrivals = [withdrawn, revised.stripped("names"), *other, finding, revised, *AGENCY.chain(2, after=withdrawn)]
    for made in arrivals:
        await bench.arrive(AGENCY.member(), made.raw)
        await quick.arrive(AGENCY.member(), made.raw)
    thawed = AGENCY.member(thawed=other[0].last())
    for entry in (AGENCY.member(), thawed):
        await bench.settle(entry)
        await quick.settle(entry)
        assert await bench.snapshot(entry) == await quick.snapshot(entry)
        assert await bench.states(entry) == await quick.states(entry)
    assert (await bench.snapshot(thawed))["agency"][0] == 4


async def test_a_restart_between_batches_changes_nothing(migrated_url: str) -> None:
    for offset, made in enumerate((*HONEST[3:], *HONEST[:3])):
        database = Database(migrated_url)
        batch = [Delivered(statements_topic("agency"), offset, made.raw)]
        await take_in(database, batch, registry_of(AGENCY.member()), "bus", NOW)
        await database.close()
        database = Database(migrated_url)
        await settle(database, registry_of(AGENCY.member()), NOW)
        assert await positions(database, registry_of(AGENCY.member()), "bus") == {
            statements_topic("agency"): offset + 1,
            checkpoints_topic("agency"): 0,
        }
        await database.close()
    database = Database(migrated_url)
    assert (await Bench(database).snapshot(AGENCY.member()))["agency"][0] == 6
    await database.close()


async def test_a_gap_waits_and_then_drains(bench: Bench) -> None:
    member = AGENCY.member()
    assert await bench.arrive(member, *raws(HONEST[1:])) == Settled(waiting=5)
    assert (await bench.snapshot(member))["agency"][0] == 0
    assert (await bench.arrive(member, HONEST[0].raw)).accepted == 6
    assert (await bench.snapshot(member))["agency"][0] == 6


async def test_a_forged_record_that_waits_at_a_place_does_not_hold_up_the_true_one(bench: Bench) -> None:
    member = AGENCY.member()
    stranger = Publisher("agency", keys=(key_of("stranger"), key_of("stranger 2"), key_of("stranger 3")))
    forged = stranger.finding(key=2, **AGENCY.after(HONEST[0]))
    await bench.arrive(member, forged.raw)
    await bench.arrive(member, HONEST[1].raw)
    await bench.arrive(member, HONEST[0].raw)
    assert (await bench.states(member))[HONEST[1].hash] == [("accepted", None)]
    assert (await bench.states(member))[forged.hash] == [("waiting", "unknown-key")]


async def test_both_sides_of_a_fork_that_waited_in_a_gap_are_seen_when_it_closes(bench: Bench) -> None:
    member = AGENCY.member()
    other = AGENCY.chain(1, after=HONEST[0], salt="other")[0]
    await bench.arrive(member, HONEST[1].raw)
    await bench.arrive(member, other.raw)
    await bench.arrive(member, HONEST[0].raw)
    assert (await bench.snapshot(member))["agency"][:2] == (1, 2)


async def test_a_long_gap_drains_without_exhausting_the_stack(quick: Bench) -> None:
    member, chain = AGENCY.member(), AGENCY.chain(330)
    await quick.arrive(member, *raws(chain[1:]))
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 300)
    try:
        assert (await quick.arrive(member, chain[0].raw)).accepted == 330
    finally:
        sys.setrecursionlimit(limit)


async def test_other_members_are_not_touched_by_one_that_is_stuck(bench: Bench) -> None:
    agency, body = AGENCY.member(), BODY.member()
    both = registry_of(agency, body)
    settled = await bench.receive(agency, raws(HONEST[2:]), both)
    settled += await bench.receive(body, [*raws(BODY.chain(3)), b"garbage"], both)
    assert settled + await settle(bench.database, both, NOW) == Settled(accepted=3, waiting=4, refused=1)


# Forks


@pytest.mark.parametrize("order", ["first branch first", "other branch first", "mixed", "backwards"])
async def test_a_fork_freezes_from_the_first_differing_place_in_any_order(quick: Bench, order: str) -> None:
    member = AGENCY.member()
    other = AGENCY.chain(2, after=HONEST[2], salt="other")
    arrivals = {
        "first branch first": [*HONEST, *other],
        "other branch first": [*HONEST[:3], *other, *HONEST[3:]],
        "mixed": [other[1], HONEST[4], HONEST[0], other[0], HONEST[5], HONEST[1], HONEST[3], HONEST[2]],
        "backwards": [*reversed(other), *reversed(HONEST)],
    }[order]
    for made in arrivals:
        await quick.arrive(member, made.raw)
    head, frozen, places, view = (await quick.snapshot(member))["agency"]
    assert (head, frozen) == (3, 4)
    assert {place.hash for place in places.values()} == {made.hash for made in HONEST[:3]} == set(view)
    assert await quick.check(member) == []


async def test_a_fork_leaves_other_members_alone_and_is_on_the_trail(bench: Bench) -> None:
    agency, body = AGENCY.member(), BODY.member()
    both = registry_of(agency, body)
    await bench.receive(agency, raws([*HONEST[:3], *AGENCY.chain(1, after=HONEST[0], salt="other")]), both)
    await bench.receive(body, raws(BODY.chain(2)), both)
    await settle(bench.database, both, NOW)
    seen = await bench.snapshot(agency, body)
    assert (seen["agency"][1], seen["body"][:2]) == (2, (2, None))
    async with bench.database.read() as store:
        events = [entry.event for _, entry in await store.trail.page(before=None, most=50)]
    assert "log.frozen" in events


async def test_what_follows_a_fork_waits_and_is_kept(bench: Bench) -> None:
    member = AGENCY.member()
    other = AGENCY.chain(1, after=HONEST[2], salt="other")
    await bench.arrive(member, *raws([*HONEST[:5], *other]))
    await bench.arrive(member, HONEST[5].raw)
    states = await bench.states(member)
    assert [code for _, code in states[HONEST[5].hash]] == ["gap"]
    assert all(state == "waiting" for made in HONEST[3:] for state, _ in states[made.hash])


async def test_thawing_names_the_branch_that_goes_on(bench: Bench) -> None:
    other = AGENCY.chain(2, after=HONEST[2], salt="other")
    await bench.arrive(AGENCY.member(), *raws([*HONEST, *other]))
    for branch, kept, gone in ((HONEST[3], HONEST, other), (other[0], [*HONEST[:3], *other], HONEST[3:])):
        thawed = AGENCY.member(thawed=branch.last())
        await bench.settle(thawed)
        head, frozen, places, view = (await bench.snapshot(thawed))["agency"]
        assert (head, frozen) == (len(kept), None)
        assert {p.hash for p in places.values()} == {m.hash for m in kept} == set(view)
        assert (await bench.states(thawed))[gone[0].hash] == [("refused", "other-branch")]
        assert await bench.check(thawed) == []


# What the registry says


async def test_an_unknown_key_waits_and_counts_once_the_registry_lists_it(bench: Bench) -> None:
    before = AGENCY.member()
    before = before.model_copy(update={"signing_keys": before.signing_keys[:1]})
    rotated = AGENCY.chain(2, key=1, after=HONEST[1])
    await bench.arrive(before, *raws(HONEST[:2]), *raws(rotated))
    assert await bench.states(before) == {
        **{made.hash: [("accepted", None)] for made in HONEST[:2]},
        **{made.hash: [("waiting", "unknown-key")] for made in rotated},
    }
    await bench.settle(AGENCY.member())
    assert (await bench.snapshot(AGENCY.member()))["agency"][0] == 4


async def test_what_lies_beyond_a_suspension_waits_and_counts_when_it_is_lifted(bench: Bench) -> None:
    suspended = AGENCY.member(status=MemberStatus.SUSPENDED, closed=HONEST[1].last())
    await bench.arrive(suspended, *raws(HONEST[:4]))
    states = await bench.states(suspended)
    assert (await bench.snapshot(suspended))["agency"][0] == 2
    assert states[HONEST[2].hash] == [("waiting", "suspended")]
    await bench.settle(AGENCY.member())
    assert (await bench.snapshot(AGENCY.member()))["agency"][0] == 4


async def test_a_suspension_takes_back_what_counted_beyond_it(bench: Bench) -> None:
    await bench.arrive(AGENCY.member(), *raws(HONEST))
    suspended = AGENCY.member(status=MemberStatus.SUSPENDED, closed=HONEST[1].last())
    await bench.settle(suspended)
    head, _, _, view = (await bench.snapshot(suspended))["agency"]
    assert (head, set(view)) == (2, {made.hash for made in HONEST[:2]})
    assert await bench.check(suspended) == []


async def test_what_lies_beyond_a_removal_is_refused(bench: Bench) -> None:
    removed = AGENCY.member(status=MemberStatus.REMOVED, closed=HONEST[1].last())
    await bench.arrive(removed, *raws(HONEST[:3]))
    assert (await bench.states(removed))[HONEST[2].hash] == [("refused", "member-removed")]


async def test_what_a_closed_key_signed_beyond_its_end_is_refused_and_the_next_key_takes_the_place(
    bench: Bench,
) -> None:
    stolen = AGENCY.chain(2, after=HONEST[2], salt="stolen")
    true = AGENCY.chain(2, key=1, after=HONEST[2])
    closed = AGENCY.member(closed_keys={0: HONEST[2].last()})
    await bench.arrive(AGENCY.member(), *raws([*HONEST[:3], *stolen]))
    await bench.settle(closed)
    assert (await bench.states(closed))[stolen[0].hash] == [("refused", "key-closed")]
    await bench.arrive(closed, *raws(true))
    assert (await bench.snapshot(closed))["agency"][0] == 5
    assert await bench.check(closed) == []


async def test_only_the_members_whose_entry_changed_are_decided_anew(bench: Bench) -> None:
    both = registry_of(AGENCY.member(), BODY.member())
    await bench.receive(AGENCY.member(), raws(HONEST), both)
    await bench.receive(BODY.member(), raws(BODY.chain(2)), both)
    await settle(bench.database, both, NOW)
    changed = registry_of(AGENCY.member(role=Role.AUTHORITY), BODY.member(), version=2)
    assert (await settle(bench.database, changed, NOW)).accepted == 6
    assert await settle(bench.database, changed, NOW) == Settled()


# Early and late


@dataclass(frozen=True)
class Story:
    """What a member signed, the copies that arrive, and what the registry says of it one after the other."""

    copies: tuple[bytes, ...]
    registry: tuple[Member, ...]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    made: list[Made] = []
    for number in range(draw(st.integers(2, 7))):
        parent = draw(st.sampled_from(made)) if made and draw(st.integers(0, 4)) == 0 else (made[-1] if made else None)
        place = {} if parent is None else AGENCY.after(parent)
        made.append(_statement(draw, made, number, {**place, "key": int(draw(st.integers(0, 4)) == 0)}))
    copies = [m.raw for m in made]
    copies += [draw(st.sampled_from(made)).stripped("names").raw for _ in range(draw(st.integers(0, 2)))]
    copies += [draw(st.sampled_from(made)).raw_with(["AAAA"]) for _ in range(draw(st.integers(0, 1)))]
    entries = [_entry(draw, made) for _ in range(draw(st.integers(1, 3)))]
    return Story(tuple(copies), tuple(entries))


def _statement(draw: st.DrawFn, made: Sequence[Made], number: int, more: dict[str, Any]) -> Made:
    clear = {**FINDING_IN_CLEAR, "municipality": f"place {number}"}
    match draw(st.integers(0, 6)):
        case 0 if made:
            return AGENCY.withdrawal(draw(st.sampled_from(made)).hash, **more)
        case 1 | 2 if made:
            clear["replaces"] = draw(st.sampled_from(made)).hash
        case 3:
            clear["severity"] = "S9"
        case 4:
            return AGENCY.make(kind="new-kind", clear={"x": 1}, **more)
    return AGENCY.make(clear=clear, **named(f"Supplier {number}"), **more)


def _entry(draw: st.DrawFn, made: Sequence[Made]) -> Member:
    last = draw(st.sampled_from(made)).last()
    match draw(st.integers(0, 7)):
        case 0:
            return AGENCY.member(thawed=last)
        case 1:
            return AGENCY.member(closed_keys={0: last})
        case 2:
            return AGENCY.member(status=MemberStatus.SUSPENDED, closed=last)
        case 3:
            return AGENCY.member(status=MemberStatus.REMOVED, closed=last)
        case 4:
            one = AGENCY.member()
            return one.model_copy(update={"signing_keys": one.signing_keys[:1]})
        case 5:
            return AGENCY.member(status=MemberStatus.SUSPENDED, closed=Last(seq=0, hash=AGENCY.genesis))
    return AGENCY.member()


def _new_bench(scratch: Path) -> Bench:
    return Bench(Database(node_world.new_sqlite(scratch, f"{uuid.uuid4().hex}.db")))


@given(story=stories(), data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
async def test_who_joined_early_and_who_joins_late_end_with_the_same_view(
    story: Story, data: st.DataObject, scratch: Path
) -> None:
    arrivals = data.draw(
        st.permutations([*story.copies, *data.draw(st.lists(st.sampled_from(story.copies), max_size=3))])
    )
    entries = list(story.registry)
    early, late = _new_bench(scratch), _new_bench(scratch)
    try:
        member = entries.pop(0)
        for raw in arrivals:
            if entries and data.draw(st.integers(0, 2)) == 0:
                member = entries.pop(0)
            await early.receive(member, [raw])
            if data.draw(st.booleans()):
                await early.settle(member)
        final = story.registry[-1]
        await early.settle(final)
        await late.arrive(final, *story.copies)
        assert await early.snapshot(final) == await late.snapshot(final)
        assert await early.check(final) == []
        assert await late.check(final) == []
    finally:
        await early.database.close()
        await late.database.close()
