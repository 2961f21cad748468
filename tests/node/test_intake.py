"""Ordinary statements are accepted at once; that is quicker, and must never be anything else."""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import DECISION_IN_CLEAR, FINDING_IN_CLEAR, IAT, Made, Publisher, key_of
from comity_node.db import Database
from comity_node.services.receiving.opening import Judged, Opened, Openers, open_records
from comity_node.services.receiving.settle import Settled
from comity_node.services.receiving.subscriptions import subscribe
from comity_schemas.member import Last, Member
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
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
async def test_taking_ordinary_statements_at_once_ends_as_deciding_each_with_all_that_is_known(
    batches: list[list[bytes]], folder: object, scratch: Path
) -> None:
    directory = scratch / str(folder)
    directory.mkdir(exist_ok=True)
    quick, slow = await both_ways(directory, batches, AGENCY.member(), LATER.member())
    assert quick == slow


async def test_a_log_of_which_the_registry_names_another_beginning_has_nothing_that_counts(tmp_path: Path) -> None:
    nowhere = AGENCY.member(thawed=Last(seq=0, hash="A" * 43))
    quick, slow = await both_ways(tmp_path, [list(raws(HONEST))], nowhere, AGENCY.member())
    assert quick == slow


def in_order(*making: Callable[[dict[str, Any], list[Made]], Made]) -> list[Made]:
    """A log, each statement made with its place and those before it."""
    made: list[Made] = []
    for make in making:
        made.append(make(AGENCY.after(made[-1]) if made else {}, made))
    return made


def _finding(clear: dict[str, Any] | None = None, **more: Any) -> Callable[[dict[str, Any], list[Made]], Made]:
    return lambda place, _: AGENCY.finding(clear={**FINDING_IN_CLEAR, **(clear or {})}, **more, **place)


def _revising(which: int, kind: str) -> Callable[[dict[str, Any], list[Made]], Made]:
    def make(place: dict[str, Any], made: list[Made]) -> Made:
        replaces = {"replaces": made[which].hash}
        match kind:
            case "finding":
                return AGENCY.finding(clear={**FINDING_IN_CLEAR, **replaces}, **place)
            case "decision":
                return AGENCY.decision(clear={**DECISION_IN_CLEAR, **replaces}, **place)
            case "pointer":
                return AGENCY.pointer(more=replaces, **place)
            case "corroboration":
                return AGENCY.corroboration(made[0].hash, more=replaces, **place)
        return AGENCY.notice(more=replaces, **place)

    return make


def _withdrawing(which: int) -> Callable[[dict[str, Any], list[Made]], Made]:
    return lambda place, made: AGENCY.withdrawal(made[which].hash, **place)


STORIES: dict[str, list[Made]] = {
    "every kind": in_order(
        _finding(),
        lambda place, made: AGENCY.reply(made[0].hash, text="We do not agree.", **place),
        lambda place, made: AGENCY.corroboration(made[0].hash, **place),
        lambda place, _: AGENCY.decision(**place),
        lambda place, _: AGENCY.pointer(**place),
        lambda place, _: AGENCY.notice(**place),
        _finding(disclosed={}),
    ),
    "each revised, and both taken back": in_order(
        _finding(),
        _revising(0, "finding"),
        lambda place, _: AGENCY.decision(**place),
        _revising(2, "decision"),
        lambda place, _: AGENCY.pointer(**place),
        _revising(4, "pointer"),
        lambda place, _: AGENCY.notice(**place),
        _revising(6, "notice"),
        lambda place, made: AGENCY.corroboration(made[0].hash, **place),
        _revising(8, "corroboration"),
        *(_withdrawing(n) for n in (1, 3, 5, 7, 9, 0)),
    ),
    "a finding that revises a decision": in_order(
        lambda place, _: AGENCY.decision(**place), _revising(0, "finding"), _finding()
    ),
    "a withdrawal of a withdrawal": in_order(_finding(), _withdrawing(0), _withdrawing(1), _finding()),
    "taken back twice": in_order(_finding(), _withdrawing(0), _withdrawing(0), _revising(0, "finding")),
    "a withdrawal of what is not there": in_order(
        _finding(), lambda place, _: AGENCY.withdrawal("C" * 43, **place), _finding()
    ),
    "a later key, and the earlier one again": in_order(_finding(), _finding(key=1), _finding(), _finding(key=1)),
    "what follows something else": [
        *(first := AGENCY.chain(2)),
        AGENCY.finding(seq=3, prev="B" * 43),
        AGENCY.finding(**AGENCY.after(*first)),
    ],
    "two firsts": [AGENCY.finding(), AGENCY.finding(clear={**FINDING_IN_CLEAR, "municipality": "elsewhere"})],
    "a gap": [HONEST[0], HONEST[2], HONEST[1], HONEST[3]],
}


@pytest.mark.parametrize("story", STORIES)
async def test_every_story_ends_alike_whether_it_is_taken_at_once_or_decided(tmp_path: Path, story: str) -> None:
    records = list(raws(STORIES[story]))
    # What a statement refers to lies in its own batch for some, in one before for others.
    batches = [records[start : start + 4] for start in range(0, len(records), 4)]
    quick, slow = await both_ways(tmp_path, batches, AGENCY.member(), AGENCY.member())
    assert quick == slow


@pytest.mark.parametrize(
    ("story", "at_once"),
    [
        ("every kind", 7),
        ("each revised, and both taken back", 16),
        ("a finding that revises a decision", 1),
        ("a withdrawal of a withdrawal", 2),
        ("a withdrawal of what is not there", 1),
        ("a later key, and the earlier one again", 2),
        ("what follows something else", 2),
        ("two firsts", 1),
        ("a gap", 2),
    ],
)
async def test_all_is_taken_at_once_up_to_the_first_statement_that_is_not_plainly_next(
    quick: Bench, story: str, at_once: int
) -> None:
    assert (await quick.receive(AGENCY.member(), raws(STORIES[story]))).accepted == at_once


async def test_a_log_ends_with_what_was_taken_last_and_its_member_was_heard_when_the_newest_says(quick: Bench) -> None:
    first = AGENCY.finding(iat=IAT + 50)
    older = AGENCY.finding(key=1, iat=IAT, **AGENCY.after(first))
    assert await quick.receive(AGENCY.member(), raws([first, older])) == Settled(accepted=2)
    async with quick.database.read() as store:
        log = await store.logs.of("agency")
    assert (log.head, log.head_hash, log.head_key, log.repeats) == (2, older.hash, 1, 0)
    assert log.heard_at == datetime.fromtimestamp(IAT + 50, UTC)
    await quick.receive(AGENCY.member(), [older.raw])
    async with quick.database.read() as store:
        assert (await store.logs.of("agency")) == replace(log, repeats=1)


async def test_what_is_somebody_elses_is_kept_with_its_reason_and_with_what_it_claims(quick: Bench) -> None:
    theirs = BODY.finding()
    await quick.receive(AGENCY.member(), [b"junk", theirs.raw])
    async with quick.database.read() as store:
        junk, claiming = await store.received.by_ids([1, 2])
    assert (junk.state, junk.step, junk.code, junk.detail, junk.seq, junk.hash, junk.prev) == (
        ("refused", 2, "syntax", None, None, None, None)
    )
    reason = "signed by a key of another member than agency"
    assert (claiming.state, claiming.step, claiming.code, claiming.detail) == ("refused", 4, "another-log", reason)
    assert (claiming.seq, claiming.hash, claiming.prev) == (1, theirs.hash, BODY.genesis)
    assert (claiming.bus_offset, claiming.raw, claiming.member) == (2, theirs.raw, "agency")


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


async def test_two_batches_outlive_a_killed_process_and_neither_ends_the_others_new_ones(openers: Openers) -> None:
    await openers.open(many(300))
    assert openers._pool is not None
    # More than lies with the processes at once: what does not is cancelled when they end.
    opening = [asyncio.create_task(openers.open(many(1_500))) for _ in range(2)]
    await asyncio.sleep(0)
    for process in list(openers._pool._processes.values()):
        os.kill(process.pid, signal.SIGKILL)
    told = await asyncio.gather(*opening, return_exceptions=True)
    assert told == [open_records(many(1_500))] * 2


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
