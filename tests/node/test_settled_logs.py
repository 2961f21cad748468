"""What is kept of a log that was decided: where it ends, why each record counts or not, and what the trail says of it.

All goes through the inbox here, the way of everything that is not ordinary.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from builders import FINDING_IN_CLEAR, IAT, Made, Publisher, key_of
from comity_node.db import Database
from comity_node.db.logs import LogStatus
from comity_node.db.received import Volume
from comity_node.domain.changing import Change
from comity_node.services.receiving import settle as settling
from comity_node.services.receiving.settle import Settled, settle, settle_log
from comity_node.services.receiving.subscriptions import trust_fingerprint
from comity_schemas.member import Member, MemberStatus, Role
from honest_log import AGENCY, BODY, HONEST
from node_world import NOW, Bench, raws, registry_of

MEMBER = AGENCY.member()
HEARD = datetime.fromtimestamp(IAT, UTC)
OTHER = AGENCY.chain(3, after=HONEST[0], salt="other")
"""Another history from the second place on."""


@pytest.fixture
def bench(sqlite: Database) -> Bench:
    return Bench(sqlite, opens=False)


async def log_of(bench: Bench) -> LogStatus:
    async with bench.database.read() as store:
        return await store.logs.of("agency")


async def trail(bench: Bench) -> list[tuple[Any, ...]]:
    """Its entries, oldest first."""
    async with bench.database.read() as store:
        page = await store.trail.page(before=None, most=50)
    return [(e.at, e.actor, e.event.value, e.subject, json.loads(e.detail)) for _, e in reversed(page)]


async def kept(bench: Bench, made: Made) -> tuple[Any, ...]:
    """What is written beside the one copy of a record."""
    async with bench.database.read() as store:
        (row,) = await store.received.of_hash("agency", made.hash)
    return row.state, row.seq, row.prev, row.kind, row.step, row.code, row.detail


def ends_with(made: Made, member: Member = MEMBER, **more: Any) -> LogStatus:
    given = {"decided_under": trust_fingerprint(member), "heard_at": HEARD, **more}
    return LogStatus("agency", made.seq, made.hash, **given)


def corrected(publisher: Publisher) -> list[Made]:
    """Return two findings, the first revised twice, the second withdrawn, and then all that is left of the first."""
    log = publisher.chain(2)
    for _ in range(2):
        clear = {**FINDING_IN_CLEAR, "replaces": log[0].hash if len(log) == 2 else log[-1].hash}
        log.append(publisher.finding(clear=clear, **publisher.after(log[-1])))
    for statement in (log[1], log[3]):
        log.append(publisher.withdrawal(statement.hash, **publisher.after(log[-1])))
    return log


# Where a log ends


async def test_a_log_ends_with_the_statement_and_the_key_that_were_accepted_last(bench: Bench) -> None:
    rotated = AGENCY.finding(key=1, **AGENCY.after(HONEST[1]))
    await bench.arrive(MEMBER, *raws(HONEST[:2]), rotated.raw)
    assert await log_of(bench) == ends_with(rotated, head_key=1)


async def test_what_waits_for_a_place_is_let_in_though_somebody_else_claims_that_place(bench: Bench) -> None:
    # Signed by a key that nobody listed: looked at when its place comes, it waits still, and so does what follows it.
    stranger = Publisher("agency", keys=tuple(key_of(f"stranger {n}") for n in range(3)))
    claimed = stranger.finding(key=2, **AGENCY.after(HONEST[1]))
    await bench.arrive(MEMBER, HONEST[0].raw)
    assert await bench.arrive(MEMBER, claimed.raw, *raws(HONEST[3:])) == Settled(waiting=4)
    await bench.arrive(MEMBER, *raws(HONEST[1:3]))
    assert await log_of(bench) == ends_with(HONEST[-1])


async def test_whatever_waits_it_stands_for_the_same_once_what_was_missing_has_come(bench: Bench) -> None:
    members = []
    for number, waits in enumerate(({4}, {2}, {3}, {5}, {2, 4}, {3, 5}, {2, 3, 5}, {2, 5})):
        publisher = Publisher(f"agency-{number}")
        member, log = publisher.member(), corrected(publisher)
        members.append(member)
        await bench.arrive(member, log[0].raw)
        for waiting in (True, False):
            await bench.arrive(member, *(made.raw for n, made in enumerate(log[1:], 1) if (n in waits) is waiting))
        assert (await bench.snapshot(member))[member.slug][0] == len(log), waits
    # Deciding and folding all of it anew, in order, says the same.
    assert await bench.check(*members) == []


async def test_what_does_not_count_leaves_the_end_where_it_was(bench: Bench) -> None:
    rotated = AGENCY.finding(key=1, **AGENCY.after(HONEST[1]))
    await bench.arrive(MEMBER, *raws(HONEST[:2]), rotated.raw)
    for _ in range(2):
        assert await bench.arrive(MEMBER, b"junk", HONEST[0].raw_with(["AAAA"])) == Settled(refused=2)
        assert await log_of(bench) == ends_with(rotated, head_key=1)
    async with bench.database.write() as store:
        assert await settle_log(store, MEMBER, NOW) == Settled()
    assert await log_of(bench) == ends_with(rotated, head_key=1)


async def test_a_log_that_is_frozen_from_its_first_place_on_has_no_end(bench: Bench) -> None:
    first = AGENCY.finding(clear={**FINDING_IN_CLEAR, "municipality": "elsewhere"})
    await bench.arrive(MEMBER, HONEST[0].raw, HONEST[1].raw, first.raw)
    frozen = LogStatus("agency", frozen_from=1, decided_under=trust_fingerprint(MEMBER))
    assert await log_of(bench) == frozen


async def test_a_member_was_heard_when_its_newest_statement_says_and_never_after_now(bench: Bench) -> None:
    older = AGENCY.finding(iat=IAT - 500, **AGENCY.after(HONEST[0]))
    await bench.arrive(MEMBER, HONEST[0].raw, older.raw)
    assert (await log_of(bench)).heard_at == HEARD
    ahead = AGENCY.finding(iat=int(NOW.timestamp()) + 500, **AGENCY.after(older))
    await bench.arrive(MEMBER, ahead.raw)
    assert (await log_of(bench)).heard_at == NOW
    # What waits says nothing yet of when its author was there.
    far = AGENCY.finding(iat=IAT, seq=99, prev="A" * 43)
    await bench.arrive(MEMBER, far.raw)
    assert (await log_of(bench)).heard_at == NOW


async def test_every_repeat_is_counted_once_also_when_the_log_is_decided_anew_for_a_fork(bench: Bench) -> None:
    await bench.arrive(MEMBER, *raws(HONEST[:3]))
    again = [HONEST[0].raw, HONEST[1].raw, OTHER[0].raw, HONEST[0].raw]
    assert (await bench.arrive(MEMBER, *again)).repeated in (0, 1)
    assert await log_of(bench) == ends_with(HONEST[0], frozen_from=2, repeats=3)


async def test_a_repeat_is_counted_also_where_a_changed_registry_and_a_fork_come_at_once(bench: Bench) -> None:
    await bench.arrive(MEMBER, *raws(HONEST[:3]))
    await bench.receive(MEMBER, [HONEST[0].raw, OTHER[0].raw])
    changed = AGENCY.member(role=Role.AUTHORITY)
    await bench.settle(changed)
    assert await log_of(bench) == ends_with(HONEST[0], changed, frozen_from=2, repeats=1)


async def test_how_many_were_accepted_waited_were_refused_and_repeated_is_told(bench: Bench) -> None:
    told = await bench.arrive(MEMBER, HONEST[0].raw, HONEST[0].raw, b"junk", HONEST[3].raw, HONEST[2].raw, b"1", b"2")
    assert told == Settled(accepted=1, waiting=2, refused=3, repeated=1)
    assert told + Settled(1, 2, 3, 4) == Settled(2, 4, 6, 5)


# Why each record counts or not


async def test_beside_each_record_stands_where_it_belongs_and_why_it_counts_or_not(bench: Bench) -> None:
    severe = AGENCY.finding(clear={**FINDING_IN_CLEAR, "severity": "S9"}, **AGENCY.after(HONEST[0]))
    bare = AGENCY.withdrawal(HONEST[0].hash, **AGENCY.after(severe))
    stripped = AGENCY.finding(**AGENCY.after(bare)).stripped("names", "identifiers")
    beyond = AGENCY.finding(seq=9, prev="A" * 43)
    await bench.arrive(MEMBER, HONEST[0].raw, severe.raw, bare.raw, stripped.raw, beyond.raw)
    assert await kept(bench, HONEST[0]) == ("accepted", 1, AGENCY.genesis, "finding", None, None, None)
    assert await kept(bench, severe) == ("kept", 2, HONEST[0].hash, "finding", 12, "body", "severity: enum")
    assert await kept(bench, bare) == ("accepted", 3, severe.hash, "withdrawal", None, None, None)
    missing = ("accepted", 4, bare.hash, "finding", None, None, "2 disclosures missing")
    assert await kept(bench, stripped) == missing
    assert await kept(bench, beyond) == ("waiting", 9, "A" * 43, None, None, "gap", None)


async def test_a_refused_copy_keeps_its_reason_and_leaves_its_place_to_the_true_one(bench: Bench) -> None:
    await bench.arrive(MEMBER, HONEST[0].raw_with(["AAAA"]))
    reason = "a disclosure was altered or added"
    assert await kept(bench, HONEST[0]) == ("refused", 1, AGENCY.genesis, "finding", 8, "disclosure", reason)
    assert (await log_of(bench)).head == 0


# Forks, and what the registry says: the trail


async def test_a_fork_is_on_the_trail_once_however_often_the_log_is_decided_anew(bench: Bench) -> None:
    await bench.arrive(MEMBER, *raws(HONEST[:3]), OTHER[0].raw)
    decided = (NOW, "exchange", "log.redecided", "agency", {"why": "fork", "frozen_from": 2})
    frozen = (NOW, "exchange", "log.frozen", "agency", {"frozen_from": 2})
    assert await trail(bench) == [decided, frozen]
    await bench.settle(AGENCY.member(role=Role.AUTHORITY))
    anew = (NOW, "exchange", "log.redecided", "agency", {"why": "registry", "frozen_from": 2})
    assert await trail(bench) == [decided, frozen, anew]


async def test_a_fuller_copy_is_a_reason_to_decide_anew_and_says_so(bench: Bench) -> None:
    made = AGENCY.finding()
    await bench.arrive(MEMBER, made.stripped("names").raw)
    assert await trail(bench) == []
    await bench.arrive(MEMBER, made.raw)
    why = {"why": "fuller copy", "frozen_from": None}
    assert await trail(bench) == [(NOW, "exchange", "log.redecided", "agency", why)]
    assert (await kept(bench, made))[-1] is None


async def test_a_copy_that_is_no_fuller_is_none(bench: Bench) -> None:
    made = AGENCY.finding()
    await bench.arrive(MEMBER, made.raw)
    await bench.arrive(MEMBER, made.stripped("names").raw, made.raw)
    assert await trail(bench) == []
    assert (await log_of(bench)).repeats == 2


async def test_a_further_key_decides_what_waited_for_it_and_nothing_else(bench: Bench) -> None:
    before = MEMBER.model_copy(update={"signing_keys": MEMBER.signing_keys[:1]})
    rotated = AGENCY.chain(2, key=1, after=HONEST[1])
    await bench.arrive(before, *raws(HONEST[:2]), *raws(rotated))
    assert await bench.settle(MEMBER) == Settled(accepted=2)
    assert await log_of(bench) == ends_with(rotated[1], head_key=1)
    assert await trail(bench) == []


async def test_a_member_of_whom_nothing_is_known_is_not_decided_anew(bench: Bench) -> None:
    assert await settle(bench.database, registry_of(MEMBER, BODY.member()), NOW) == Settled()
    assert (await trail(bench), await log_of(bench)) == ([], LogStatus("agency"))


async def test_what_no_longer_counts_is_told_to_those_who_follow_the_view(bench: Bench) -> None:
    await bench.arrive(MEMBER, *raws(HONEST[:4]))
    async with bench.database.read() as store:
        numbers = await store.view.stamps_of_log("agency")
        newest = await store.changes.newest()
    await bench.settle(AGENCY.member(status=MemberStatus.SUSPENDED, closed=HONEST[1].last()))
    async with bench.database.read() as store:
        told = await store.changes.after(newest, upto=await store.changes.newest(), most=50)
    removed = [each.entry for each in told if each.what is Change.REMOVED]
    assert removed == sorted(numbers)[2:]
    assert all(each.at == NOW for each in told)


async def test_after_a_thaw_what_continues_the_other_history_is_refused_whenever_it_comes(bench: Bench) -> None:
    thawed = AGENCY.member(thawed=HONEST[1].last())
    await bench.arrive(thawed, *raws(HONEST[:3]), OTHER[0].raw)
    await bench.arrive(thawed, OTHER[1].raw)
    await bench.arrive(thawed, OTHER[2].raw)
    said = [(await kept(bench, each))[0:2] + (await kept(bench, each))[4:6] for each in OTHER]
    assert said == [("refused", made.seq, 7, "other-branch") for made in OTHER]
    assert await log_of(bench) == ends_with(HONEST[2], thawed)


async def test_until_the_named_history_is_there_what_may_belong_to_it_waits(bench: Bench) -> None:
    thawed = AGENCY.member(thawed=HONEST[3].last())
    await bench.arrive(thawed, HONEST[0].raw, OTHER[0].raw)
    assert (await kept(bench, OTHER[0]))[0::5] == ("waiting", "branch")
    await bench.arrive(thawed, *raws(HONEST[2:]))
    assert (await log_of(bench)).head == 0
    await bench.arrive(thawed, HONEST[1].raw)
    assert await log_of(bench) == ends_with(HONEST[5], thawed)
    assert (await kept(bench, OTHER[0]))[0::5] == ("refused", "other-branch")
    assert await bench.check(thawed) == []


# Bounded transactions


@pytest.mark.parametrize("arrival", ["in order", "backwards", "a gap is closed last"])
async def test_however_small_the_transactions_all_is_decided_and_ends_alike(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, arrival: str
) -> None:
    monkeypatch.setattr(settling, "_CHUNK", 2)
    taken_back = AGENCY.withdrawal(HONEST[1].hash, **AGENCY.after(HONEST[5]))
    chain = [*HONEST, taken_back]
    order = {"in order": chain, "backwards": chain[::-1], "a gap is closed last": [*chain[1:], chain[0]]}[arrival]
    body = BODY.chain(3)
    both = registry_of(MEMBER, BODY.member())
    await bench.receive(MEMBER, raws(order), both)
    await bench.receive(BODY.member(), raws(body), both)
    assert await settle(bench.database, both, NOW) == Settled(accepted=10)
    assert await log_of(bench) == ends_with(taken_back)
    entries = (await bench.snapshot(MEMBER))["agency"][3]
    assert {name for name, entry in entries.items() if entry.state == "withdrawn"} == {HONEST[1].hash}
    assert await bench.check(MEMBER, BODY.member()) == []


async def test_a_fork_is_seen_across_transactions_and_freezes_once_for_all(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "_CHUNK", 2)
    await bench.arrive(MEMBER, *raws(HONEST), *raws(OTHER))
    assert await log_of(bench) == ends_with(HONEST[0], frozen_from=2)
    assert set((await bench.snapshot(MEMBER))["agency"][3]) == {HONEST[0].hash}


async def test_under_a_registry_that_was_replaced_meanwhile_nothing_more_is_decided(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "_CHUNK", 2)
    await bench.receive(MEMBER, raws(HONEST))
    answers = iter([True, False])
    registry = registry_of(MEMBER)
    assert await settle(bench.database, registry, NOW, lambda: next(answers)) == Settled(accepted=2)
    assert (await log_of(bench)).head == 2
    assert await settle(bench.database, registry, NOW, lambda: False) == Settled()
    assert (await log_of(bench)).head == 2
    assert await settle(bench.database, registry, NOW) == Settled(accepted=4)


# A full quarantine


async def test_beyond_a_full_quarantine_a_place_that_was_used_is_kept_and_a_peers_copy_leaves_no_offset(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "MOST_QUARANTINED", Volume(2, 10**9))
    await bench.arrive(MEMBER, *(HONEST[0].raw_with([text]) for text in ("AAAA", "BBBB")))
    severe = AGENCY.finding(clear={**FINDING_IN_CLEAR, "severity": "S9"})
    async with bench.database.write() as store:
        await store.received.add("agency", HONEST[0].raw_with(["CCCC"]), None, NOW, None, source="body")
    await bench.arrive(MEMBER, severe.raw)
    assert (await kept(bench, severe))[0] == "kept"
    async with bench.database.read() as store:
        assert (await store.received.quarantined())["agency"].records == 2
        assert await store.skipped.page("agency", before=None, most=10) == []
    await bench.arrive(MEMBER, HONEST[0].raw_with(["DDDD"]))
    async with bench.database.read() as store:
        (skipped,) = await store.skipped.page("agency", before=None, most=10)
    assert (skipped.first, skipped.last, skipped.reason) == (6, 6, settling.QUARANTINE_FULL)
    assert replace(await log_of(bench), skipped=0) == ends_with(severe, heard_at=None)
