"""Screenings on file: kept as answered, and answered again."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from api_place import problem
from comity_node.db import Database, Store
from comity_node.domain.filing import Stage, differences
from comity_node.domain.people import PersonRole
from comity_node.domain.trail import Event
from comity_node.services.accounts import add_person
from comity_node.services.answering.moment import Coverage, Moment
from comity_node.services.filing.exporting import lines
from comity_node.services.filing.keeping import Answered, destroy_past, put_on_file
from comity_node.workers.screening_files import FileScreener
from filing_desk import Desk, filing_house
from node_world import House, comity, served


@pytest_asyncio.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async for made in filing_house(tmp_path_factory.mktemp("filing")):
        yield made


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


@pytest_asyncio.fixture
async def own_desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk at a node of its own, which can be closed."""
    async for made in filing_house(tmp_path):
        yield Desk(made)


async def test_what_is_filed_stays_as_it_was_answered_and_is_found_by_a_part_of_its_reference(desk: Desk) -> None:
    await desk.hears(desk.finding())
    filed = await desk.file()
    await desk.file("0043", stage="award")
    await desk.hears(desk.body.withdrawal(desk.said[0].hash, **desk.after))
    answers = (await desk.get(f"/{filed['id']}/answers"))["answers"]
    assert [answer["state"] for answer in answers] == ["findings shared", "no supplier by this name"]
    assert (filed["positions"][desk.body.name], filed["asked"], filed["keep_until"]) == (1, 2, "2033-11-30")
    part = f"{desk.name.upper()}/2026"
    assert [each["reference"][-4:] for each in (await desk.get(reference=part))["items"]] == ["0043", "0042"]
    assert [each["id"] for each in (await desk.get(reference=part, stage="tender"))["items"]] == [filed["id"]]


async def test_a_reference_is_used_once_and_nothing_is_filed_a_second_time(desk: Desk) -> None:
    reference = (await desk.file())["reference"]
    answer = await desk.ask("POST", reference=reference, stage="award", suppliers=[{"name": "Other"}])
    problem(answer, 409, "screening.reference-taken")
    assert len((await desk.get(reference=reference))["items"]) == 1


async def test_verifying_says_that_the_same_answer_follows_and_what_has_changed_since(desk: Desk) -> None:
    first = desk.finding()
    await desk.hears(first)
    filed = await desk.file()
    assert (await desk.post(f"/{filed['id']}/verify"))["since"] == []
    second = desk.finding(**desk.after)
    await desk.hears(second)
    await desk.hears(desk.body.reply(second.hash, **desk.after))
    await desk.hears(desk.body.withdrawal(first.hash, **desk.after))
    told = await desk.post(f"/{filed['id']}/verify")
    assert (told["same"], told["at_the_same_positions"], told["logs"]) == (True, [], {})
    assert {(each["statement"], each["what"]) for each in told["since"]} == {
        (first.hash, "was current, is withdrawn"),
        (second.hash, "found newly"),
    }
    entry, _ = await desk.trail(Event.SCREENING_VERIFIED, filed)
    assert json.loads(entry.detail) == {"same": True}


async def test_a_dispute_that_came_since_is_told(desk: Desk) -> None:
    await desk.hears(desk.finding())
    filed = await desk.file()
    await desk.hears(desk.body.reply(desk.said[0].hash, more={"made": "2026-10-31"}, **desk.after))
    (only,) = (await desk.post(f"/{filed['id']}/verify"))["since"]
    assert only["what"] == "disputed (was not disputed)"


async def test_a_log_that_contradicts_itself_since_is_named_and_the_answer_does_not_follow(desk: Desk) -> None:
    await desk.hears(desk.finding())
    filed = await desk.file()
    await desk.bench.arrive(desk.body.member(), desk.finding(withheld={}).raw)
    told = await desk.post(f"/{filed['id']}/verify")
    assert told["same"] is False
    assert "contradicts itself" in told["logs"][desk.body.name]
    lost = told["at_the_same_positions"][0]
    assert (lost["what"], lost["statement"]) == ("found no more", desk.said[0].hash)
    assert "its record counts no more" in lost["cause"]


async def test_what_could_not_be_read_then_and_can_be_now_is_named(desk: Desk) -> None:
    made = desk.finding()
    await desk.hears(made.stripped("names", "identifiers"))
    filed = await desk.file()
    await desk.bench.arrive(desk.body.member(), made.raw)
    told = await desk.post(f"/{filed['id']}/verify")
    found = told["at_the_same_positions"][0]
    assert (told["same"], found["what"], found["statement"]) == (False, "found newly", made.hash)
    assert "read or found only since" in found["cause"]


async def test_another_folding_and_another_registry_are_told_beside_it(desk: Desk) -> None:
    await desk.hears(desk.finding())
    filed = await desk.file()
    async with desk.house.node.database.write() as store:
        row = await store.filings._row(await store.filings.find(filed["id"]))
        row.engine, row.moment = "folding 0", row.moment.replace('"registry_version": ', '"registry_version": 9')
    told = await desk.post(f"/{filed['id']}/verify")
    assert told["same"] and len(told["notes"]) == 2
    assert told["notes"][0].startswith("Names were compared by folding 0 then")


async def test_what_is_filed_in_error_is_taken_back_once_and_can_still_be_read(desk: Desk) -> None:
    filed = await desk.file()
    done = await desk.post(f"/{filed['id']}/take-back", why="another tender's bidders")
    assert done["taken_back"].endswith("another tender's bidders")
    problem(await desk.ask("POST", f"/{filed['id']}/take-back", why="again"), 409, "screening.may-not")
    assert len((await desk.get(f"/{filed['id']}/answers"))["answers"]) == 2


async def test_it_is_kept_longer_and_never_shorter_and_destroyed_key_first_when_its_time_is_over(desk: Desk) -> None:
    filed, database = await desk.file(), desk.house.node.database
    problem(await desk.ask("POST", f"/{filed['id']}/keep", until="2030-01-01"), 409, "screening.may-not")
    await desk.post(f"/{filed['id']}/keep", until="2035-01-01")
    while await destroy_past(database, datetime(2035, 1, 1, tzinfo=UTC)):
        pass
    assert (await desk.get(f"/{filed['id']}"))["destroyed_at"] is None
    assert await destroy_past(database, datetime(2035, 1, 2, tzinfo=UTC)) == 1
    problem(await desk.ask("GET", f"/{filed['id']}/answers"), 404, "not-found")
    assert (await desk.get(f"/{filed['id']}"))["destroyed_at"].startswith("2035-01-02")
    assert len(await desk.trail(Event.SCREENING_DESTROYED, filed)) == 1


async def test_what_is_kept_longer_while_others_are_destroyed_stays(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, over = desk.house.node.database, datetime(2040, 1, 1, tzinfo=UTC)
    while await destroy_past(database, over):
        pass
    filed = await desk.file()
    begin, kept = database.write, []

    @asynccontextmanager
    async def keep_first() -> AsyncIterator[Store]:
        if not kept:
            kept.append(filed)
            await desk.post(f"/{filed['id']}/keep", until="2041-01-01")
        async with begin() as store:
            yield store

    monkeypatch.setattr(database, "write", keep_first)
    assert await destroy_past(database, over) == 0
    assert kept and (await desk.get(f"/{filed['id']}"))["destroyed_at"] is None
    assert len((await desk.get(f"/{filed['id']}/answers"))["answers"]) == 2


async def test_a_copy_of_the_database_alone_does_not_tell_whom_anybody_asked_about(desk: Desk) -> None:
    filed = await desk.file()
    kept = b"".join(path.read_bytes() for path in desk.house.home.glob("node.db*"))
    assert filed["id"].encode() in kept
    assert b"Zzyzx" not in kept and desk.number["id"].encode() not in kept
    (entry,) = await desk.trail(Event.SCREENING_FILED, filed)
    assert json.loads(entry.detail).keys() == {"stage", "asked", "positions"}


async def test_the_table_has_a_line_for_each_statement_and_runs_no_formula(desk: Desk) -> None:
    await desk.hears(desk.finding())
    filed = await desk.file()
    written = (await desk.ask("GET", f"/{filed['id']}/csv")).content.decode("utf-8-sig").splitlines()
    assert written[0].startswith("row,asked name") and len(written) == 7
    assert f"finding,{desk.said[0].hash},{desk.body.name},match" in written[1]
    assert ",'=Zzyzx,," in written[2]


def test_the_table_says_where_there_is_more_than_it_lists() -> None:
    asked = {"name": "Exemplar", "country": None, "identifiers": []}
    nothing: dict[str, Any] = {"findings": [], "decisions": [], "pointers": [], "audits": []}
    states = {"verdict": "review", "state": "seen", "decision_state": "none"}
    (line,) = lines([(1, {"asked": asked, **nothing, **states, "further": {"findings": 7, "decisions": 0}})])
    assert line[5] == "seen; 7 further findings are not listed"


async def test_a_long_file_is_kept_in_parts_and_read_from_any_row(database: Database) -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    moment = Moment(now, {"body": 3}, {"body": "H"}, 1, Coverage(1, ("body",), (), (), (), None))
    answers = [{"asked": {"name": f"row {number}"}} for number in range(1, 251)]
    async with database.write() as store:
        person = await add_person(
            store, name="o", roles=[PersonRole.OFFICER], firm=None, password_hash=None, by="t", now=now
        )
        filing = await put_on_file(
            store, person, "R_1", Stage.TENDER, Answered(moment, 250, [answers[:200], answers[200:]]), 84, now
        )
    async with database.write() as store:
        found = await store.filings.answers(filing, after=95, most=100)
        assert [(row, each["asked"]["name"]) for row, each in found] == [(n, f"row {n}") for n in range(96, 196)]
        assert await store.filings.page(reference="r_", stage=None, before=None, most=2) == [filing]
        assert await store.filings.page(reference="r%", stage=None, before=None, most=2) == []
        await store.filings.destroy(filing, now)
        assert await store.filings.answers(filing, after=0, most=100) == []


async def _screened(desk: Desk, rows: str) -> str:
    async with desk.house.api(desk.house.people["officer"]) as api:
        octets = {"Content-Type": "application/octet-stream"}
        answer = await api.post("/api/v1/screening-files?name=bidders.csv", content=rows.encode(), headers=octets)
    assert answer.is_success, answer.text
    return str(answer.json()["id"])


async def test_a_screened_file_is_filed_as_it_was_answered_at_its_own_moment(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.hears(desk.finding())
    rows = [f"{desk.name},BR,{desk.number['id']}", *(f"Zzyzx {n},BR," for n in range(101))]
    job = await _screened(desk, "name,country,BR-CNPJ\n" + "\n".join(rows))
    body = {"reference": f"{desk.name}/file", "stage": "evaluation"}
    problem(await desk.ask("POST", f"/of-file/{job}", **body), 409, "review.not-yet")
    await desk.hears(desk.body.withdrawal(desk.said[0].hash, **desk.after))
    assert await FileScreener(desk.house.node).step()
    with monkeypatch.context() as patched:
        patched.setattr("comity_node.services.screening_files.filing.MOST", 100)
        refused = problem(await desk.ask("POST", f"/of-file/{job}", **body), 409, "screening.may-not")
        assert "it has 102 rows; 1 to 100 are put on file together" in refused["detail"]
    with monkeypatch.context() as patched:
        # As after an update that reads fewer names.
        patched.setattr("comity_node.domain.asked_names.MOST_NAME", 8)
        refused = problem(await desk.ask("POST", f"/of-file/{job}", **body), 409, "screening.may-not")
        assert "read otherwise than when it was screened" in refused["detail"]
    filed = await desk.post(f"/of-file/{job}", **body)
    answers = (await desk.get(f"/{filed['id']}/answers"))["answers"]
    answers += (await desk.get(f"/{filed['id']}/answers", after=100))["answers"]
    assert filed["positions"][desk.body.name] == 1
    assert [answer["asked"]["name"] for answer in answers] == [row.partition(",")[0] for row in rows]
    assert [answer["state"] for answer in answers] == ["findings shared", *["no supplier by this name"] * 101]
    told = await desk.post(f"/{filed['id']}/verify")
    assert (told["same"], [each["what"] for each in told["since"] if each["statement"]]) == (
        True,
        ["was current, is withdrawn"],
    )


async def test_a_file_with_rows_that_could_not_be_asked_about_is_not_filed_and_empty_rows_are_none(desk: Desk) -> None:
    job = await _screened(desk, f"id,name\n1,{desk.name}\n\n2,Zzyzx\n")
    assert await FileScreener(desk.house.node).step()
    filed = await desk.post(f"/of-file/{job}", reference=f"{desk.name}/empty", stage="award")
    answers = (await desk.get(f"/{filed['id']}/answers"))["answers"]
    assert [answer["asked"]["name"] for answer in answers] == [desk.name, "Zzyzx"]
    job = await _screened(desk, f"id,name\n1,{desk.name}\n2,\n")
    assert await FileScreener(desk.house.node).step()
    refused = await desk.ask("POST", f"/of-file/{job}", reference=f"{desk.name}/holes", stage="award")
    assert "1 rows could not be asked about" in problem(refused, 409, "screening.may-not")["detail"]


def _answer(verdict: str = "match", **hit: Any) -> dict[str, Any]:
    told = {"statement": "S" * 43, "published_by": "body", "verdict": verdict, "standing": "current", "disputed": None}
    states = {"verdict": verdict, "state": "findings shared", "decision_state": "no decision shared"}
    return {
        **states,
        "findings": [{**told, "corroborations": [], **hit}],
        "decisions": [],
        "pointers": [],
        "audits": [],
    }


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (_answer(), []),
        (_answer("review"), ["identity: was match, is review", "identity: was “match”, is “review”"]),
        (_answer(standing="expired"), ["was current, is expired"]),
        (_answer(disputed="disputed"), ["disputed (was not disputed)"]),
        (_answer(corroborations=[{"statement": "C"}]), ["another member tells its own evidence of it"]),
        ({**_answer(), "findings": []}, ["found no more"]),
    ],
)
def test_answers_differ_by_the_statements_they_name_and_what_those_mean(after: Any, told: list[str]) -> None:
    assert [each.what for each in differences(1, _answer(), after)] == told


async def test_a_lost_key_is_told_with_what_to_do(own_desk: Desk) -> None:
    filed = await own_desk.file()
    for bundle in own_desk.house.node.home.report_keys.iterdir():
        bundle.unlink()
    refused = problem(await own_desk.ask("GET", f"/{filed['id']}/answers"), 503, "database.key-gone")
    assert "from a backup" in refused["detail"]


# --- at the command line


async def test_an_officer_files_shows_and_verifies_at_the_command_line(own_desk: Desk, tmp_path: Path) -> None:
    desk = own_desk
    await desk.hears(desk.finding())
    bidders = tmp_path / "bidders.csv"
    rows = f"name,country,BR-CNPJ\n{desk.name},Brazil,{desk.number['id']}\nZzyzx,BR,\n"
    bidders.write_text(rows, encoding="utf-8")
    await desk.house.node.close()
    with served(desk.house.home) as node:

        def screening(*words: str) -> str:
            token = desk.house.people["officer"].token
            done = comity("screening", *words, COMITY_URL=node.url, COMITY_TOKEN=token)
            assert done.returncode == 0, done.stderr
            return done.stdout

        assert "2 asked, kept until" in screening("file", "RFP/1", "--stage", "award", "--file", str(bidders))
        shown = screening("show", "RFP/1")
        assert "Screening RFP/1 (award), filed by officer" in shown
        assert f"row 1: {desk.name}: findings shared" in shown and "may be raised with the supplier" in shown
        assert f"  asked with: BR; BR-CNPJ:{desk.number['id']}\n" in shown
        assert "row 2: Zzyzx: no supplier by this name\n  asked with: BR\n" in shown
        assert "\n  heard: nobody\n  not heard: agency, never\n" in shown
        assert screening("verify", "RFP/1").startswith("RFP/1: the same answer follows")
        assert "Request for clarification" in screening("letter", "RFP/1", "--language", "ar")
