"""Ordinary statements are accepted at once; that is quicker, and must never be anything else."""

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import FINDING_IN_CLEAR, IAT, Made, Publisher, key_of
from comity_node.db import Database
from comity_node.services.receiving.opening import Judged, Opened, Openers, open_records
from comity_node.services.receiving.settle import Settled
from comity_node.services.receiving.subscriptions import subscribe
from comity_schemas.member import Member
from node_world import Bench, new_sqlite, raws

AGENCY = Publisher("agency")
LATER = Publisher("agency", keys=(*AGENCY.keys, key_of("agency later")))
"""The same member once the registry lists a further key."""
FURTHER = len(AGENCY.keys)
BODY = Publisher("body")


def told(length: int = 12) -> list[Made]:
    """A log with revisions and withdrawals of what stands shortly before them."""
    made: list[Made] = []
    for number in range(length):
        place = AGENCY.after(made[-1]) if made else {}
        if number % 4 == 3:
            made.append(AGENCY.withdrawal(made[-2].hash, **place))
        else:
            revises = {"replaces": made[-1].hash} if number % 4 == 2 else {}
            names = [{"text": f"Supplier {number}"}]
            made.append(AGENCY.finding(clear={**FINDING_IN_CLEAR, **revises}, disclosed={"names": names}, **place))
    return made


HONEST = told()


async def both_ways(directory: Path, batches: list[list[bytes]], member: Member, later: Member) -> list[object]:
    """What a node knows and keeps after these batches, and after a change of the registry; once with ordinary
    statements taken at once, once without."""
    ends: list[object] = []
    for opens in (True, False):
        database = Database(new_sqlite(directory, f"{opens}.db"))
        bench = Bench(database, opens=opens)
        for batch in batches:
            await bench.arrive(member, *batch)
        then = await seen(bench, member)
        await bench.settle(later)
        ends.append((then, await seen(bench, later)))
        await database.close()
    return ends


async def seen(bench: Bench, member: Member) -> tuple[object, ...]:
    assert await bench.check(member) == []
    async with bench.database.read() as store:
        counts, log = await store.received.counts(), await store.logs.of(member.slug)
        gap = await store.received.first_beyond_gap(member.slug, log.head)
    return await bench.snapshot(member), counts, await bench.states(member), log.decided_under, gap


@st.composite
def arrivals(draw: st.DrawFn) -> list[list[bytes]]:
    """Batches of an honest log, disturbed: repeats, strays, spoiled copies, junk, another branch."""
    records = list(raws(HONEST))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(records)))
        made = draw(st.sampled_from(HONEST))
        strange = {
            "repeat": made.raw,
            "stripped": made.stripped("names").raw,
            "spoiled": made.raw_with(["AAAA"]),
            "junk": b"junk",
            "another's": BODY.finding().raw,
            "branch": AGENCY.finding(seq=made.seq, prev=AGENCY.genesis if made.seq == 1 else "B" * 43).raw,
            "kept": AGENCY.make(kind="new-kind", clear={}, **AGENCY.after(made)).raw,
            "by an unlisted key": LATER.finding(key=FURTHER, **AGENCY.after(made)).raw,
            "far ahead": AGENCY.finding(**AGENCY.after(HONEST[-1])).raw,
            "to nothing": AGENCY.withdrawal("C" * 43, **AGENCY.after(HONEST[-1])).raw,
        }
        records.insert(at, strange[draw(st.sampled_from(sorted(strange)))])
    if draw(st.booleans()):
        for _ in range(draw(st.integers(1, 4))):
            stray = records.pop(draw(st.integers(0, len(records) - 1)))
            records.insert(draw(st.integers(0, len(records))), stray)
    cuts = sorted({0, len(records), *draw(st.lists(st.integers(0, len(records)), max_size=3))})
    return [records[a:b] for a, b in pairwise(cuts)]


@given(batches=arrivals(), folder=st.uuids())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
async def test_taking_ordinary_statements_at_once_ends_as_deciding_each_with_all_that_is_known(
    batches: list[list[bytes]], folder: object, scratch: Path
) -> None:
    directory = scratch / str(folder)
    directory.mkdir(exist_ok=True)
    quick, slow = await both_ways(directory, batches, AGENCY.member(), LATER.member())
    assert quick == slow


async def test_a_log_in_order_needs_no_settling(bench: Bench) -> None:
    assert await bench.receive(AGENCY.member(), raws(HONEST)) == Settled(accepted=len(HONEST))
    assert await bench.settle(AGENCY.member()) == Settled()
    async with bench.database.read() as store:
        assert (await store.logs.of("agency")).heard_at == datetime.fromtimestamp(IAT, UTC)


async def test_repeats_of_what_is_held_whole_are_counted_and_dropped_at_once(bench: Bench) -> None:
    member = AGENCY.member()
    await bench.receive(member, raws(HONEST))
    assert await bench.receive(member, raws(HONEST)) == Settled(repeated=len(HONEST))
    async with bench.database.read() as store:
        assert (await store.logs.of("agency")).repeats == len(HONEST)


async def test_junk_in_a_batch_holds_nothing_up(bench: Bench) -> None:
    mixed = [b"junk", HONEST[0].raw, BODY.finding().raw, HONEST[1].raw, b"", HONEST[2].raw]
    assert await bench.receive(AGENCY.member(), mixed) == Settled(accepted=3, refused=3)


async def test_what_waits_for_its_key_or_behind_a_gap_waits_at_once_and_holds_nothing_up(bench: Bench) -> None:
    member, unlisted = AGENCY.member(), LATER.finding(key=FURTHER, **AGENCY.after(HONEST[3])).raw
    arrived = [unlisted, HONEST[6].raw, HONEST[5].raw, *raws(HONEST[:4])]
    assert await bench.receive(member, arrived) == Settled(accepted=4, waiting=3)
    assert await bench.settle(member) == Settled()
    assert await bench.receive(member, [HONEST[4].raw, HONEST[7].raw]) == Settled(accepted=1)
    assert await bench.settle(member) == Settled(accepted=3)
    # A key that is listed later: what waited for it is decided, here that its place is taken.
    await bench.settle(LATER.member())
    async with bench.database.read() as store:
        assert (await store.logs.of("agency")).frozen_from == 5


async def test_what_waits_for_its_key_counts_once_that_is_listed_though_nothing_else_ever_came(bench: Bench) -> None:
    first = LATER.finding(key=FURTHER).raw
    assert await bench.receive(AGENCY.member(), [first]) == Settled(waiting=1)
    assert await bench.settle(LATER.member()) == Settled(accepted=1)


async def test_the_lowest_steps_are_told_without_the_log_and_the_others_are_not() -> None:
    entry = subscribe(AGENCY.member()).entry
    strange = [b"junk", HONEST[0].raw, HONEST[0].raw_with(["AAAA"]), AGENCY.make(kind="new-kind", clear={}).raw]
    junk, ordinary, spoiled, kept = open_records([(entry, raw) for raw in strange])
    assert isinstance(junk, Judged) and (junk.state, junk.step) == ("refused", 2)
    assert isinstance(ordinary, Opened)
    assert spoiled is kept is None


def many(count: int) -> list[tuple[bytes, bytes]]:
    entry = subscribe(AGENCY.member()).entry
    return [(entry, HONEST[0].raw if number % 7 else b"junk") for number in range(count)]


@pytest.fixture
async def openers() -> object:
    opened = Openers(2, idle=timedelta(seconds=0.3))
    yield opened
    opened.close()


async def test_processes_tell_the_same_in_the_same_order(openers: Openers) -> None:
    assert await openers.open(many(700)) == open_records(many(700))


async def test_a_process_that_is_killed_is_replaced_and_nothing_is_lost(openers: Openers) -> None:
    await openers.open(many(300))
    assert openers._pool is not None
    for process in list(openers._pool._processes.values()):
        os.kill(process.pid, signal.SIGKILL)
    assert await openers.open(many(700)) == open_records(many(700))


async def test_processes_end_when_there_is_nothing_to_open(openers: Openers) -> None:
    await openers.open(many(300))
    assert openers._pool is not None
    processes = list(openers._pool._processes.values())
    async with asyncio.timeout(10):
        while any(process.is_alive() for process in processes):
            await asyncio.sleep(0.05)
    assert openers._pool is None


async def test_a_few_records_need_no_process(openers: Openers) -> None:
    await openers.open(many(20))
    assert openers._pool is None
