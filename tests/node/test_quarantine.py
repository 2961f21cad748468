"""Records that do not count: found by member, step and code, explained in words, and decided anew when asked."""

import inspect
import json
from pathlib import Path

import pytest
from sqlalchemy import text

from builders import Publisher
from comity_federation import decide
from comity_node.db.quarantine import Chosen
from comity_node.db.received import Received
from comity_node.domain.errors import NotFound
from comity_node.domain.refusals import BY_CODE, BY_STEP, UNKNOWN, explain
from comity_node.services.receiving.quarantine import retry
from comity_node.services.receiving.settle import Settled
from node_world import NOW, Bench, raws

AGENCY, BODY = Publisher("agency"), Publisher("body")
VECTORS = Path(__file__).parent.parent.parent / "schemas" / "vectors"


async def quarantined(bench: Bench, **chosen: str | int) -> list[Received]:
    async with bench.database.read() as store:
        return await store.quarantine.page(Chosen(**chosen), before=None, most=10)  # type: ignore[arg-type]


async def ask_again(bench: Bench, record: Received) -> None:
    async with bench.database.write() as store:
        await retry(store, record.id, "admin", NOW)


def test_every_step_is_explained_and_every_finer_code_is_one_that_decide_gives() -> None:
    assert set(BY_STEP) == set(range(1, 14))
    source = inspect.getsource(decide)
    assert [code for code in BY_CODE if f'"{code}"' not in source] == []
    assert explain(9, "fork") is BY_STEP[9]
    assert explain(7, "key-closed") is BY_CODE["key-closed"]
    assert explain(None, None) is UNKNOWN


def test_every_refusal_of_the_test_vectors_is_explained() -> None:
    expected = [vector["expect"] for vector in json.loads((VECTORS / "records.json").read_text())]
    refused = [(e["step"], e["code"]) for e in expected if "step" in e]
    assert len(refused) > 40
    assert [pair for pair in refused if explain(*pair) is UNKNOWN] == []


async def test_records_are_found_by_member_step_and_code(bench: Bench) -> None:
    kept = AGENCY.make(kind="group-key", clear={})
    await bench.arrive(AGENCY.member(), kept.raw, b"junk")
    await bench.arrive(BODY.member(), b"x" * 70_000)
    assert {(r.member, r.step) for r in await quarantined(bench)} == {("agency", 10), ("agency", 2), ("body", 1)}
    assert [r.step for r in await quarantined(bench, member="body")] == [1]
    assert [r.member for r in await quarantined(bench, step=2)] == ["agency"]
    assert [r.hash for r in await quarantined(bench, code="unknown-kind")] == [kept.hash]
    assert await quarantined(bench, member="body", step=2) == []
    async with bench.database.read() as store:
        assert await store.quarantine.counts() == {("agency", 10): 1, ("agency", 2): 1, ("body", 1): 1}


async def test_a_refused_record_that_is_good_after_all_counts_when_it_is_decided_anew(bench: Bench) -> None:
    one, two = AGENCY.chain(2)
    member = AGENCY.member()
    await bench.arrive(member, one.raw)
    bench.opens = False
    await bench.receive(member, [two.raw])
    async with bench.database.write() as store:
        # As an older release with a mistake would have left it.
        connection = await store._session.connection()
        await connection.execute(
            text("update received set state = 'refused', step = 8, code = 'box' where state = 'new'")
        )
    assert await bench.settle(member) == Settled()
    (record,) = await quarantined(bench)
    await ask_again(bench, record)
    assert await bench.settle(member) == Settled(accepted=1)
    assert await quarantined(bench) == []
    assert await bench.check(member) == []


async def test_what_is_refused_for_a_good_reason_is_refused_again_and_the_trail_says_who_asked(bench: Bench) -> None:
    await bench.arrive(AGENCY.member(), b"junk")
    (record,) = await quarantined(bench)
    await ask_again(bench, record)
    assert await quarantined(bench) == []
    assert await bench.settle(AGENCY.member()) == Settled(refused=1)
    (again,) = await quarantined(bench)
    assert (again.id, again.step, again.raw) == (record.id, record.step, b"junk")
    async with bench.database.read() as store:
        ((_, entry),) = await store.trail.page(before=None, most=1)
    assert (entry.event, entry.actor, entry.subject) == ("record.retried", "admin", f"record {record.id}")
    assert json.loads(entry.detail) == {"member": "agency", "step": 2, "code": record.code}


async def test_a_kept_record_is_decided_anew_with_its_whole_log_and_the_rest_of_it_stays(bench: Bench) -> None:
    member = AGENCY.member()
    one = AGENCY.finding()
    kept = AGENCY.make(kind="reply", clear={}, **AGENCY.after(one))
    three = AGENCY.finding(**AGENCY.after(one, kept))
    await bench.arrive(member, *raws([one, kept, three]))
    before = await bench.snapshot(member)
    (record,) = await quarantined(bench)
    assert record.state == "kept"
    await ask_again(bench, record)
    assert await bench.settle(member) == Settled(accepted=2, refused=1)
    assert await bench.snapshot(member) == before
    assert [r.id for r in await quarantined(bench)] == [record.id]
    assert await bench.check(member) == []


async def test_a_record_that_counts_cannot_be_decided_anew_by_this_way(bench: Bench) -> None:
    await bench.arrive(AGENCY.member(), AGENCY.finding().raw)
    async with bench.database.write() as store:
        for number in (1, 77):
            with pytest.raises(NotFound):
                await retry(store, number, "admin", NOW)
