"""What one member sends beyond bounds stays on the bus, which keeps it; nothing is lost, and others are not held up."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders import Publisher
from comity_federation.bus import Delivered, Skipped, statements_topic
from comity_node.db.received import Volume
from comity_node.services.peers.refill import gaps
from comity_node.services.receiving import intake, limits, settle
from comity_node.services.receiving.intake import TakenIn, positions, take_in
from comity_node.services.receiving.limits import QUARANTINE_FULL, find_paused
from comity_node.services.receiving.opening import open_records
from comity_node.services.receiving.subscriptions import subscribe, subscriptions
from comity_schemas.member import Member, MemberStatus
from node_world import NOW, Bench, raws, registry_of

AGENCY = Publisher("agency")
BODY = Publisher("body")
TOPIC = statements_topic("agency")
CHAIN = AGENCY.chain(12)


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds of five records instead of a thousand."""
    for module in (limits, intake):
        monkeypatch.setattr(module, "MOST_PARKED", Volume(5, 10**9))
    for module in (intake, settle):
        monkeypatch.setattr(module, "MOST_QUARANTINED", Volume(5, 10**9))


async def read(
    bench: Bench, records: list[bytes], begin: int = 0, member: Member | None = None, **more: Any
) -> TakenIn:
    """Take records in as a read from an offset on would bring them."""
    entry = member or AGENCY.member()
    batch = [Delivered(TOPIC, begin + n, raw) for n, raw in enumerate(records)]
    opened = open_records([(subscribe(entry).entry, item.value) for item in batch])
    both = registry_of(entry, BODY.member())
    taken = await take_in(bench.database, batch, both, "bus", more.pop("now", NOW), opened, **more)
    assert taken is not None
    return taken


async def position(bench: Bench) -> int:
    return (await positions(bench.database, registry_of(AGENCY.member()), "bus"))[TOPIC]


async def paused(bench: Bench, member: Member | None = None, now: Any = NOW) -> limits.Paused:
    async with bench.database.read() as store:
        return await find_paused(store, subscriptions(registry_of(member or AGENCY.member())), now.date())


async def test_beyond_a_gap_only_so_much_is_parked_and_the_rest_stays_on_the_bus(bench: Bench) -> None:
    taken = await read(bench, raws(CHAIN[1:]))
    assert (taken.settled.waiting, taken.left) == (5, {TOPIC})
    assert await position(bench) == 5
    await bench.settle(AGENCY.member())
    assert (await paused(bench)).parked == {TOPIC}


async def test_when_the_gap_is_filled_reading_goes_on_and_nothing_is_missing(bench: Bench) -> None:
    await read(bench, raws(CHAIN[1:]))
    await bench.settle(AGENCY.member())
    async with bench.database.write() as store:
        await store.received.add("agency", CHAIN[0].raw, None, NOW, None, source="body")
    await bench.settle(AGENCY.member())
    assert not (await paused(bench)).topics
    assert (await read(bench, raws(CHAIN[6:]), begin=5)).settled.accepted == 6
    async with bench.database.read() as store:
        assert (await store.logs.of("agency")).head == 12


async def test_another_log_in_the_same_batch_is_taken_in_whole(bench: Bench) -> None:
    await bench.receive(AGENCY.member(), raws(CHAIN[1:]), registry_of(AGENCY.member(), BODY.member()))
    settled = await bench.receive(BODY.member(), raws(BODY.chain(9)), registry_of(AGENCY.member(), BODY.member()))
    assert settled.accepted == 9


async def test_a_full_quarantine_keeps_offsets_and_counts_only(bench: Bench) -> None:
    junk = [f"junk {n}".encode() for n in range(20)]
    taken = await read(bench, [*junk, CHAIN[0].raw])
    assert (taken.settled.refused, taken.settled.accepted, await position(bench)) == (5, 1, 21)
    async with bench.database.read() as store:
        (skipped,) = await store.skipped.page("agency", before=None, most=10)
        assert (skipped.first, skipped.last, skipped.offsets, skipped.reason) == (5, 19, 15, QUARANTINE_FULL)
        assert (await store.logs.of("agency")).skipped == 15


async def test_spoiled_copies_beyond_it_are_dropped_and_the_honest_one_counts(bench: Bench) -> None:
    spoiled = [CHAIN[0].raw_with([text]) for text in ("AAAA", "BBBB", "CCCC", "DDDD", "EEEE", "FFFF", "GGGG", "HHHH")]
    for start in (0, 4):
        await read(bench, spoiled[start : start + 4], begin=start)
        await bench.settle(AGENCY.member())
    async with bench.database.read() as store:
        assert (await store.received.quarantined())["agency"].records == 5
    assert (await read(bench, [CHAIN[0].raw], begin=8)).settled.accepted == 1


async def test_what_was_not_kept_is_read_again_when_the_registry_changes(bench: Bench) -> None:
    await read(bench, [CHAIN[0].raw, *[f"junk {n}".encode() for n in range(20)]])
    await bench.settle(AGENCY.member(status=MemberStatus.SUSPENDED, closed=CHAIN[0].last()))
    assert await position(bench) == 0


async def test_what_was_dropped_before_a_later_offset_was_skipped_is_noted_and_read_again(bench: Bench) -> None:
    texts = ("AAAA", "BBBB", "CCCC", "DDDD", "EEEE", "FFFF", "GGGG", "HHHH")
    await read(bench, [CHAIN[0].raw_with([text]) for text in texts[:4]])
    await bench.settle(AGENCY.member())
    later = [Skipped(TOPIC, 900, 900, "null value")]
    batch = [Delivered(TOPIC, 4 + n, CHAIN[0].raw_with([text])) for n, text in enumerate(texts[4:])]
    opened = open_records([(subscribe(AGENCY.member()).entry, item.value) for item in batch])
    both = registry_of(AGENCY.member(), BODY.member())
    await take_in(bench.database, [*batch, *later], both, "bus", NOW, [*opened, None])
    await bench.settle(AGENCY.member())
    async with bench.database.read() as store:
        skipped = await store.skipped.page("agency", before=None, most=10)
        assert [(s.first, s.last, s.reason) for s in reversed(skipped)] == [
            (900, 900, "null value"),
            *((offset, offset, QUARANTINE_FULL) for offset in (5, 6, 7)),
        ]
        assert (await store.logs.of("agency")).skipped == 4
    settled = await bench.settle(AGENCY.member(status=MemberStatus.SUSPENDED, closed=CHAIN[0].last()))
    assert (settled.read_again, await position(bench)) == (1, 0)


async def test_what_is_left_on_the_bus_since_too_much_is_undecided_costs_no_budget(bench: Bench) -> None:
    member = AGENCY.member(daily_statements=20)
    await read(bench, raws(CHAIN[1:6]), member=member, ends={TOPIC: 0})
    for _ in range(3):
        assert (await read(bench, raws(CHAIN[6:]), begin=5, member=member, ends={TOPIC: 0})).left == {TOPIC}
    async with bench.database.read() as store:
        assert (await store.logs.of("agency")).counted == 5


async def test_what_stood_there_when_the_node_connected_costs_no_budget(bench: Bench) -> None:
    member = AGENCY.member(daily_statements=3)
    taken = await read(bench, raws(CHAIN), member=member, ends={TOPIC: 10})
    assert (taken.settled.accepted, taken.left) == (12, frozenset())
    assert not (await paused(bench, member)).topics


async def test_beyond_the_budget_of_a_day_the_rest_waits_for_the_next(bench: Bench) -> None:
    member = AGENCY.member(daily_statements=3)
    taken = await read(bench, raws(CHAIN), member=member, ends={TOPIC: 2})
    assert (taken.settled.accepted, taken.left, await position(bench)) == (5, {TOPIC}, 5)
    assert (await paused(bench, member)).over_budget == {TOPIC}
    tomorrow = NOW + timedelta(days=1)
    assert not (await paused(bench, member, tomorrow)).topics
    taken = await read(bench, raws(CHAIN[5:]), begin=5, member=member, ends={TOPIC: 2}, now=tomorrow)
    assert taken.settled.accepted == 3


async def test_what_is_left_for_tomorrow_is_not_fetched_from_peers_today(bench: Bench) -> None:
    member = AGENCY.member(daily_statements=3)
    await read(bench, raws(CHAIN), member=member, ends={TOPIC: 0})
    async with bench.database.write() as store:
        # Its own checkpoint says how far it has gone meanwhile.
        await store.logs.put(replace(await store.logs.of("agency"), announced_seq=12))
    async with bench.database.read() as store:
        today, tomorrow = [
            await gaps(store, registry_of(member), "body", (NOW + timedelta(days=days)).date()) for days in (0, 1)
        ]
    assert (today, [(gap.first, gap.last) for gap in tomorrow]) == ([], [(4, 12)])


async def test_a_restart_gives_no_new_budget(bench: Bench) -> None:
    member = AGENCY.member(daily_statements=3)
    await read(bench, raws(CHAIN[:3]), member=member, ends={TOPIC: 0})
    taken = await read(bench, raws(CHAIN[3:]), begin=3, member=member, ends={TOPIC: 3})
    assert (taken.settled.accepted, taken.left) == (0, {TOPIC})


async def test_a_batch_opened_under_an_older_registry_is_left(bench: Bench) -> None:
    batch = [Delivered(TOPIC, 0, CHAIN[0].raw)]
    registry = registry_of(AGENCY.member())
    assert await take_in(bench.database, batch, registry, "bus", NOW, is_newest=lambda: False) is None
    assert await position(bench) == 0
