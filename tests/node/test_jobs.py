"""Imports and releases of many: a little at a time, nothing twice, cancelled, gone on with; two see a sample each."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import count, islice
from typing import Any

import pytest
import pytest_asyncio

from api_world import Office, furnish
from comity_node.domain.register import ProblemKind, RowProblem
from comity_node.mappings import mapping_text
from comity_node.services.importing import jobs, register_import
from comity_node.services.importing.batches import draw
from comity_node.workers.jobs import JobRunner
from heard import open_sample
from node_world import Town

ROWS = 45
"""More than two steps do at least."""


@pytest_asyncio.fixture(scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A node on which every step stops as soon as it may."""
    town = Town(tmp_path_factory.mktemp("jobs"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(jobs, "STEP_S", 0.0)
        patched.setattr("comity_node.workers.jobs.STEP_S", 0.0)
        yield await furnish(town)
    await town.close()


@pytest_asyncio.fixture
async def imported(office: Office) -> dict[str, Any]:
    return dict(await office.made("reviewer", "POST", "imports", json=register()))


_firms = count(10_000_000)
LETTERS = str.maketrans("0123456789", "ABCDEFGHIJ")


def register(rows: int = ROWS) -> dict[str, str]:
    """Firms that no register named before, and a row that does not fit."""
    head = "documentFormatted,name,year,state,address,workersAffected,cnae,inclusionDate"
    lines = []
    for firm in islice(_firms, rows):
        number = tax_number(f"{firm}0001")
        name = str(firm).translate(LETTERS)
        lines.append(f'{number},CERAMICA {name} LTDA,2024,PE,"RUA {name}, IPOJUCA/PE",7,4120-4/00,06/10/2025')
    table = "\n".join([head, *lines, "x,BROKEN,2024,PE,,7,,06/10/2025"]).encode()
    return {"mapping": mapping_text("br_lista_suja"), "table": base64.b64encode(table).decode("ascii")}


def tax_number(digits: str) -> str:
    for weights in ((5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)):
        rest = sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11
        digits += str(0 if rest < 2 else 11 - rest)
    return digits


async def job(office: Office, job_id: str) -> dict[str, Any]:
    return dict(await office.made("reviewer", "GET", f"jobs/{job_id}"))


async def run(office: Office, steps: int = 99) -> int:
    """Let a runner that has just started do some steps, as after a restart."""
    runner, done = JobRunner(office.house.node), 0
    while done < steps and await runner.step():
        done += 1
    return done


async def open_all(office: Office, batch: str, *who: str) -> None:
    for person in who:
        await open_sample(lambda path, person=person: office.made(person, "GET", path), batch)  # type: ignore[misc]


async def test_an_import_goes_on_step_by_step_also_after_a_restart_and_nothing_is_there_twice(office: Office) -> None:
    given = register()
    imported = await office.made("reviewer", "POST", "imports", json=given)
    assert (imported["state"], imported["done"], imported["total"]) == ("running", 20, ROWS + 1)
    assert await run(office, 1) == 1
    assert (await job(office, imported["id"]))["done"] == 40
    assert await run(office) == 1
    done = await job(office, imported["id"])
    counts = {name: done["result"][name] for name in ("rows", "added", "proposed", "left_out")}
    assert counts == {"rows": ROWS + 1, "added": ROWS, "proposed": ROWS, "left_out": {"natural-person": 1}}
    assert (done["state"], [problem["line"] for problem in done["result"]["problems"]]) == ("done", [ROWS + 2])
    async with office.house.node.database.read() as store:
        assert len(await store.reviews.of_batch(done["batch"])) == ROWS
        assert await store.jobs.input(done["id"]) is None, "what was imported is forgotten"
    again = await office.made("reviewer", "POST", "imports", json=given)
    await run(office)
    assert (await job(office, again["id"]))["result"]["unchanged"] == ROWS


async def test_an_import_is_cancelled_where_it_is_and_gone_on_with(office: Office, imported: dict[str, Any]) -> None:
    cancelled = await office.made("focal", "POST", f"jobs/{imported['id']}/cancel")
    assert (cancelled["state"], cancelled["done"]) == ("cancelled", 20)
    assert await run(office) == 0
    again = await office.ask("reviewer", "POST", f"jobs/{imported['id']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "review.already-decided")
    await office.made("reviewer", "POST", f"jobs/{imported['id']}/resume")
    await run(office)
    done = await job(office, imported["id"])
    assert (done["state"], done["result"]["added"]) == ("done", ROWS)
    events = [e["event"] for e in (await office.made("admin", "GET", "trail?limit=200"))["items"]]
    told = [event for event in reversed(events) if event.startswith(("job.", "report.imported"))]
    assert told[-4:] == ["job.started", "job.cancelled", "job.resumed", "report.imported"]


async def test_the_file_of_an_import_that_was_left_off_is_forgotten_in_time(
    office: Office, imported: dict[str, Any]
) -> None:
    await office.made("reviewer", "POST", f"jobs/{imported['id']}/cancel")
    database, now = office.house.node.database, office.house.node.clock()
    left = []
    for days in (29, 31):
        await jobs.forget_files(database, now + timedelta(days=days))
        async with database.read() as store:
            left.append(await store.jobs.input(imported["id"]) is not None)
    assert left == [True, False]
    again = await office.ask("reviewer", "POST", f"jobs/{imported['id']}/resume")
    assert (again.status_code, again.json()["code"]) == (409, "review.already-decided")
    found = await job(office, imported["id"])
    assert (found["state"], found["result"]["added"]) == ("cancelled", 20)


async def test_a_batch_is_released_in_steps_when_each_of_the_two_has_opened_another_sample(
    office: Office, imported: dict[str, Any]
) -> None:
    batch = imported["batch"]
    under_way = await office.ask("reviewer 2", "POST", f"batches/{batch}/approve")
    assert (under_way.status_code, under_way.json()["code"]) == (409, "review.not-yet")
    await run(office)
    seen = {who: await office.made(who, "GET", f"batches/{batch}") for who in ("reviewer", "reviewer 2")}
    assert seen["reviewer"]["counts"] == {"S3": ROWS}
    assert {who: len(each["sample"]) for who, each in seen.items()} == {"reviewer": 10, "reviewer 2": 10}
    assert seen["reviewer"]["sample"] != seen["reviewer 2"]["sample"]
    for who in ("reviewer 2", "reviewer"):
        refused = await office.ask("reviewer 2", "POST", f"batches/{batch}/approve")
        assert (refused.status_code, refused.json()["code"]) == (409, "batch.sample-not-opened")
        await open_all(office, batch, who)
    alone = await office.ask("reviewer", "POST", f"batches/{batch}/approve")
    assert alone.json()["code"] == "review.same-person"
    started = await office.made("reviewer 2", "POST", f"batches/{batch}/approve")
    assert (started["state"], started["done"], started["result"]["decided"]) == ("running", 20, 20)
    same = await office.made("reviewer 2", "POST", f"batches/{batch}/approve")
    assert same["id"] == started["id"], "asked again it is the same release"
    await office.made("reviewer 2", "POST", f"jobs/{started['id']}/cancel")
    half = (await office.made("reviewer", "GET", f"batches/{batch}"))["states"]
    assert half == {"approved": 40, "proposed": ROWS - 40}
    # Whoever goes on begins with what is still proposed.
    rest = await office.made("reviewer 2", "POST", f"batches/{batch}/approve")
    assert (rest["state"], rest["total"], rest["result"]["decided"]) == ("done", ROWS - 40, ROWS - 40)
    assert (await office.made("reviewer", "GET", f"batches/{batch}"))["states"] == {"approved": ROWS}
    async with office.house.node.database.read() as store:
        assert await store.reviews.all_approved() == await store.outbox.review_ids()
    noted = [e for e in (await office.made("admin", "GET", "trail?limit=200"))["items"] if batch in e["detail"]]
    assert [e["event"] for e in noted].count("proposal.opened") == 20


async def test_what_cannot_be_released_stays_proposed_and_the_rest_is(office: Office, imported: dict[str, Any]) -> None:
    await run(office)
    batch = imported["batch"]
    await open_all(office, batch, "reviewer", "reviewer 2")
    async with office.house.node.database.write() as store:
        held = (await store.reviews.of_batch(batch))[7]
        # Its terms are none that can be released.
        await store.reviews.put_content(held.id, held.content.replace('"CLEAR"', '"AMBER"'))
    started = await office.made("reviewer 2", "POST", f"batches/{batch}/approve")
    await run(office)
    done = (await job(office, started["id"]))["result"]
    assert (done["decided"], done["not_decided"]) == (ROWS - 1, 1)
    assert (done["problems"][0]["review"], done["problems"][0]["code"]) == (held.id, "review.cannot-propose")
    left = await office.made("reviewer 2", "GET", f"batches/{batch}")
    assert left["states"] == {"approved": ROWS - 1, "proposed": 1}


async def test_what_a_case_keeps_back_is_in_no_batch_and_no_release_tells_of_it(
    office: Office, imported: dict[str, Any]
) -> None:
    await run(office)
    batch = imported["batch"]
    sample = (await office.made("reviewer 2", "GET", f"batches/{batch}"))["sample"]
    async with office.house.node.database.read() as store:
        report = next(review.report_id for review in await store.reviews.of_batch(batch) if review.id == sample[0])
    body = {"names": ["CERAMICA"], "country": "BR", "report": report}
    await office.made("reviewer", "POST", "cases", json=body)
    # Who is not assigned could not open it: the batch would wait for ever, and tell why.
    await open_all(office, batch, "reviewer 2", "reviewer")
    started = await office.made("reviewer 2", "POST", f"batches/{batch}/approve")
    await run(office)
    done = await job(office, started["id"])
    assert (done["state"], done["total"], done["done"]) == ("done", ROWS - 1, ROWS - 1)
    assert done["result"] == {"decided": ROWS - 1, "problems": [], "not_decided": 0}
    assert (await office.made("reviewer 2", "GET", f"batches/{batch}"))["states"] == {"approved": ROWS - 1}
    held = await office.made("reviewer", "GET", f"reviews/{sample[0]}")
    assert held["state"] == "proposed"


async def test_a_release_that_is_gone_on_with_asks_again_what_has_come_into_its_batch(
    office: Office, imported: dict[str, Any]
) -> None:
    await run(office, 1)
    await office.made("reviewer", "POST", f"jobs/{imported['id']}/cancel")
    batch = imported["batch"]
    await open_all(office, batch, "reviewer", "reviewer 2")
    release = await office.made("reviewer 2", "POST", f"batches/{batch}/approve")
    assert (release["state"], release["done"]) == ("running", 20)
    # The import does not go on beside its release, nor the release beside the import.
    beside = await office.ask("reviewer", "POST", f"jobs/{imported['id']}/resume")
    assert (beside.status_code, beside.json()["code"]) == (409, "review.not-yet")
    await office.made("reviewer 2", "POST", f"jobs/{release['id']}/cancel")
    await office.made("reviewer", "POST", f"jobs/{imported['id']}/resume")
    beside = await office.ask("reviewer 2", "POST", f"jobs/{release['id']}/resume")
    assert (beside.status_code, beside.json()["code"]) == (409, "review.not-yet")
    await run(office)
    async with office.house.node.database.write() as store:
        newest = (await store.reviews.of_batch(batch))[-1]
        # The only one so grave: it stands in every sample.
        await store.reviews.put_content(newest.id, newest.content.replace('"S3"', '"S4"'))
    refused = await office.ask("reviewer 2", "POST", f"jobs/{release['id']}/resume")
    assert (refused.status_code, refused.json()["code"]) == (409, "batch.sample-not-opened")
    assert (await job(office, release["id"]))["state"] == "cancelled"
    await open_all(office, batch, "reviewer", "reviewer 2")
    await office.made("reviewer 2", "POST", f"jobs/{release['id']}/resume")
    await run(office)
    assert (await job(office, release["id"]))["result"]["decided"] == ROWS


async def test_a_job_whose_person_has_left_fails_in_words_and_what_is_done_stays(office: Office) -> None:
    await office.house.hire("leaving", "reviewer")
    imported = await office.made("leaving", "POST", "imports", json=register())
    person = office.person("leaving").person.id
    assert (await office.ask("admin", "DELETE", f"people/{person}")).status_code == 204
    assert await run(office) == 1
    found = await office.made("reviewer 2", "GET", f"jobs/{imported['id']}")
    assert (found["state"], found["done"]) == ("failed", 20)
    assert "has no account any more" in found["why"]
    async with office.house.node.database.read() as store:
        assert len(await store.reviews.of_batch(found["batch"])) == 20


async def test_a_fault_of_ours_ends_the_job_and_not_the_runner(office: Office, imported: dict[str, Any]) -> None:
    async with office.house.node.database.write() as store:
        found = await store.jobs.find(imported["id"])
        assert found is not None
        await store.jobs.put(replace(found, result={"not": "ours"}))
    assert await run(office) == 1
    assert "a fault of this program" in (await job(office, imported["id"]))["why"]


def test_problems_beyond_a_bound_are_counted_and_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register_import, "MOST_PROBLEMS", 2)
    done = register_import.Imported("batch")
    for line in range(1, 5):
        done.leave_out(RowProblem(line, ProblemKind.UNREADABLE, "why"))
        done = register_import.Imported.of_parsed(done.to_parsed("finding"))
    said = done.to_parsed("finding")
    assert (said["left_out"], [each["line"] for each in said["problems"]]) == ({"unreadable": 4}, [1, 2])


def test_a_sample_has_one_of_every_kind_is_always_the_same_and_differs_by_person() -> None:
    kinds = {f"r{number}": "S2" for number in range(500)} | {"a": "S3", "b": "S4"}
    mine = draw("batch", "ana", kinds)
    assert (len(mine), {"a", "b"} <= set(mine)) == (10, True)
    assert mine == draw("batch", "ana", dict(reversed(kinds.items()))) != draw("batch", "ben", kinds)
    assert draw("other", "ana", kinds) != mine
    assert sorted(draw("batch", "ana", {"x": "S2", "y": "S2"})) == ["x", "y"]
    assert len(draw("batch", "ana", {f"r{n}": f"measure {n}" for n in range(12)})) == 12
