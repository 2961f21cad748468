"""What a change of the registry means for the logs that were decided before it."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

import vectors
from builders import Publisher, key_of
from comity_federation.decide import decide
from comity_federation.decision import Trust
from comity_node.domain.trail import Event
from comity_node.services.receiving.subscriptions import DECIDES, has_only_new_keys, subscribe, trust_fingerprint
from comity_schemas.member import Last, Member, MemberStatus, PublicAccess, Role
from node_world import Bench, raws

MEMBERS = {n: Member.from_parsed(e) for n, e in json.loads((vectors.FOLDER / "members.json").read_text()).items()}
RECORDS = json.loads((vectors.FOLDER / "records.json").read_text())
AGENCY = Publisher(keys=(key_of("first"), key_of("second"), key_of("third")))
LAST = Last(seq=9, hash="A" * 43)


def with_keys(count: int) -> Member:
    member = AGENCY.member()
    return member.model_copy(update={"signing_keys": member.signing_keys[:count]})


async def redecided(bench: Bench) -> int:
    async with bench.database.read() as store:
        return sum(entry.event is Event.LOG_REDECIDED for _, entry in await store.trail.page(before=None, most=100))


def test_decide_looks_at_nothing_that_the_fingerprint_leaves_out() -> None:
    for vector in RECORDS:
        member = MEMBERS[vector["member"]]
        bare = cast(Member, SimpleNamespace(**{name: getattr(member, name) for name in DECIDES}))
        raw, seen = vectors.read(vector["record"]), vectors.seen_read(vector.get("seen", {}))
        assert decide(raw, Trust(bare), seen) == decide(raw, Trust(member), seen), vector["name"]


@pytest.mark.parametrize(
    "change",
    [
        {"status": MemberStatus.SUSPENDED, "closed": LAST},
        {"role": Role.OBSERVER},
        {"thawed": LAST},
        {"signing_keys": AGENCY.member().signing_keys[:2]},
        {"signing_keys": AGENCY.member(closed_keys={0: LAST}).signing_keys},
    ],
    ids=lambda change: "+".join(change),
)
def test_what_decides_changes_the_fingerprint(change: dict[str, Any]) -> None:
    member = AGENCY.member()
    assert trust_fingerprint(member.model_copy(update=change)) != trust_fingerprint(member)


def test_an_address_and_auditors_change_nothing_for_a_log() -> None:
    member = AGENCY.member()
    moved = member.model_copy(update={"endpoint": "https://new.example", "public_access": PublicAccess.STATUTE})
    assert trust_fingerprint(moved) == trust_fingerprint(member)
    assert subscribe(moved).fingerprint == subscribe(member).fingerprint


def test_further_keys_are_told_from_other_changes() -> None:
    before = trust_fingerprint(with_keys(1))
    assert has_only_new_keys(with_keys(2), before)
    assert has_only_new_keys(with_keys(3), before)
    assert not has_only_new_keys(with_keys(1), before)
    assert not has_only_new_keys(with_keys(1), trust_fingerprint(with_keys(2)))
    assert not has_only_new_keys(AGENCY.member(closed_keys={1: LAST}), before)
    assert not has_only_new_keys(AGENCY.member(closed_keys={0: LAST}), before)
    assert not has_only_new_keys(AGENCY.member(thawed=LAST), before)
    assert not has_only_new_keys(with_keys(2), "")


async def test_a_new_key_lets_what_waited_count_and_nothing_is_decided_anew(bench: Bench) -> None:
    first = AGENCY.chain(2)
    second = AGENCY.chain(2, key=1, after=first[-1])
    await bench.arrive(with_keys(1), *raws(first), *raws(second))
    settled = await bench.settle(with_keys(2))
    assert (settled.accepted, await redecided(bench)) == (2, 0)
    assert (await bench.snapshot(with_keys(2)))["agency"][0] == 4
    assert await bench.check(with_keys(2)) == []


async def test_a_closed_key_lets_the_whole_log_be_decided_anew(bench: Bench) -> None:
    chain = AGENCY.chain(3)
    await bench.arrive(AGENCY.member(), *raws(chain))
    closed = AGENCY.member(closed_keys={0: chain[1].last()})
    await bench.settle(closed)
    assert await redecided(bench) == 1
    assert (await bench.snapshot(closed))["agency"][0] == 2
