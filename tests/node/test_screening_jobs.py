"""A file is screened as a job at a node: at one moment, cancelled, gone on with, given out whole or not at all."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from api_world import SCREENED, Office, furnish
from builders import Publisher
from comity_node.domain.screening_files.results import (
    CANDIDATES,
    COLUMNS,
)
from comity_node.services.screening_files.opening import open_given
from comity_node.workers.screening_files import FileScreener
from comity_schemas.report import MAX_REPORT_BYTES
from node_world import Bench, Town, comity


@pytest_asyncio.fixture(scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    town = Town(tmp_path_factory.mktemp("files"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("comity_node.services.screening_files.jobs.NOTE_EVERY_S", 0.0)
        yield await furnish(town)
    await town.close()


async def sent(office: Office, raw: bytes = SCREENED["content"], **params: Any) -> dict[str, Any]:
    given = {"params": {"name": "vendors.csv", **params}, "content": raw, "headers": SCREENED["headers"]}
    return dict(await office.made("officer", "POST", "screening-files", **given))


async def file_of(office: Office, file_id: str) -> dict[str, Any]:
    return dict(await office.made("officer", "GET", f"screening-files/{file_id}"))


async def result_of(office: Office, file_id: str, form: str = "csv") -> list[list[Any]]:
    answer = await office.ask("officer", "GET", f"screening-files/{file_id}/result", params={"form": form})
    assert answer.status_code == 200, answer.text
    table = open_given(io.BytesIO(answer.content)).table
    return [list(table.headings), *(list(row.cells) for row in table.rows)]


async def test_a_file_is_a_job_and_its_result_comes_as_csv_and_xlsx(office: Office) -> None:
    made = await sent(office, candidates=True)
    assert (made["state"], made["total"], made["done"]) == ("running", 2, 0)
    early = await office.ask("officer", "GET", f"screening-files/{made['id']}/result")
    assert (early.status_code, early.json()["code"]) == (409, "review.not-yet")
    assert await FileScreener(office.house.node).step()
    done = await file_of(office, made["id"])
    assert (done["state"], done["done"], done["verdicts"], done["not_asked"]) == ("done", 2, {"none": 1}, 1)
    assert done["problems"] == [{"row": 3, "what": "it has no name and no number"}]
    rows, book = [await result_of(office, made["id"], form) for form in ("csv", "xlsx")]
    assert rows[0] == ["id", "name", "country", *COLUMNS, CANDIDATES] == book[0]
    assert [row[:4] for row in rows[1:]] == [["1", "Exemplar Gloves", "MY", "none"], ["2", "", "", ""]]
    assert [row[:4] for row in book[1:]] == [["1", "Exemplar Gloves", "MY", "none"], ["2", None, None, None]]
    assert {row[-2] for row in rows[1:]} == {done["as_of"][:19] + "+00:00"}
    assert not await FileScreener(office.house.node).step()
    newest = (await office.made("admin", "GET", "trail?limit=1"))["items"][0]
    assert newest["event"] == "supplier.screened" and "Exemplar" not in str(newest)


async def test_all_rows_are_asked_at_the_positions_it_began_at_also_after_a_restart(office: Office) -> None:
    publisher, node = Publisher("agency2"), office.house.node
    bench = Bench(node.database, datetime.now(UTC))
    first = publisher.finding(disclosed={"names": [{"text": "Frozen Gloves"}]})
    await bench.arrive(publisher.member(), first.raw)
    raw = b"name\nFrozen Gloves\nLater Gloves\n"
    made = await sent(office, raw)
    later = publisher.finding(disclosed={"names": [{"text": "Later Gloves"}]}, **publisher.after(first))
    await bench.arrive(publisher.member(), later.raw)
    await office.made("officer", "POST", f"screening-files/{made['id']}/cancel")
    assert not await FileScreener(node).step(), "what was cancelled waits"
    await office.made("officer", "POST", f"screening-files/{made['id']}/resume")
    await FileScreener(node).step()
    done = await file_of(office, made["id"])
    assert (done["positions"]["agency2"], done["as_of"]) == (1, made["as_of"])
    assert [row[1] for row in (await result_of(office, made["id"]))[1:]] == ["review", "none"]
    new = await sent(office, raw)
    await FileScreener(node).step()
    assert [row[1] for row in (await result_of(office, new["id"]))[1:]] == ["review", "review"]


async def test_a_run_ends_where_it_is_cancelled_or_removed_and_gives_nothing_out(office: Office) -> None:
    raw = b"name\n" + b"".join(b"Somebody %d\n" % n for n in range(290))
    node = office.house.node
    made = [await sent(office, raw), await sent(office, raw)]
    running = asyncio.create_task(FileScreener(node).step())
    while not (await file_of(office, made[0]["id"]))["done"]:
        await asyncio.sleep(0)
    cancelled = await office.made("officer", "POST", f"screening-files/{made[0]['id']}/cancel")
    await running
    assert 0 < cancelled["done"] < 290 and (await file_of(office, made[0]["id"]))["state"] == "cancelled"
    gone = await office.ask("officer", "GET", f"screening-files/{made[0]['id']}/result")
    assert gone.status_code == 409
    for each in made:
        assert (await office.ask("officer", "DELETE", f"screening-files/{each['id']}")).status_code == 204
        assert (await office.ask("officer", "GET", f"screening-files/{each['id']}")).status_code == 404
    assert not await FileScreener(node).step()


async def test_a_file_is_looked_at_before_and_refused_in_words(office: Office) -> None:
    look = {"content": b"Fournisseur;Pays;Notes\nExemple;Suisse;x\n", "headers": SCREENED["headers"]}
    seen = await office.made("officer", "POST", "screening-files/look", **look)
    assert (seen["columns"], seen["unread"]) == ({"name": ["Fournisseur"], "country": ["Pays"]}, ["Notes"])
    told = await office.made("officer", "POST", "screening-files/look", params={"column": ["name=Notes"]}, **look)
    assert told["columns"]["name"] == ["Notes"]
    for raw, params, words in (
        (b"a,b\n1,2\n", {}, "no column is known to hold a name"),
        ("name\nSociété".encode("windows-1252"), {}, "line 2 is not written in UTF-8"),
        (b'{"version": "1.2", "records": []}', {}, "version 1.1 is read"),
        (b"name\nA\n", {"encoding": "rot13"}, "the encoding is one of"),
    ):
        body = {"content": raw, "headers": SCREENED["headers"], "params": {"name": "x", **params}}
        refused = await office.ask("officer", "POST", "screening-files", **body)
        assert (refused.status_code, refused.json()["code"]) == (422, "table.refused")
        assert words in refused.json()["detail"]


async def test_a_file_larger_than_any_other_body_is_taken(office: Office) -> None:
    raw = b"name,notes\n" + b"Somebody," + b"x" * 60_000 + b"\n"
    raw += b"".join(b"Nobody %d,%s\n" % (n, b"y" * 60_000) for n in range(80))
    assert len(raw) > MAX_REPORT_BYTES + 1024
    made = await sent(office, raw)
    assert made["total"] == 81
    await office.ask("officer", "DELETE", f"screening-files/{made['id']}")


async def test_files_are_forgotten_when_their_time_is_over_and_only_so_many_are_kept(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, node = await sent(office), office.house.node
    await FileScreener(node).step()
    await FileScreener(node).forget_old()
    assert (await file_of(office, made["id"]))["state"] == "done"
    monkeypatch.setattr("comity_node.workers.screening_files.KEPT", timedelta(seconds=-1))
    monkeypatch.setattr("comity_node.workers.screening_files.IDLE_S", 0.0)
    # There is no other file to be screened, then or ever.
    await FileScreener(node)._round()
    assert (await office.ask("officer", "GET", f"screening-files/{made['id']}")).status_code == 404
    monkeypatch.setattr("comity_node.services.screening_files.jobs.MOST_KEPT", 0)
    many = {"params": {"name": "x"}, "content": b"name\nA\n", "headers": SCREENED["headers"]}
    refused = await office.ask("officer", "POST", "screening-files", **many)
    assert (refused.status_code, refused.json()["code"]) == (409, "screening-file.too-many")


async def test_the_command_writes_the_same_rows_and_says_the_rest_on_stderr(office: Office, tmp_path: Path) -> None:
    home = office.house.node.home.path
    vendors, out = tmp_path / "vendors.csv", tmp_path / "out.csv"
    vendors.write_text('id;name;spend\n1;Exemplar Gloves;=1+1\n2;;7\n3;x "y" z;8\n', encoding="utf-8")
    ran = await asyncio.to_thread(
        comity, "screen", "--home", str(home), "--file", str(vendors), "--out", str(out), "--candidates"
    )
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
    rows = list(csv.reader(io.StringIO(out.read_text(encoding="utf-8"), newline=""), delimiter=";"))
    assert rows[0] == ["id", "name", "spend", *COLUMNS, CANDIDATES]
    assert [row[:4] for row in rows[1:]] == [
        ["1", "Exemplar Gloves", "'=1+1", "none"],
        ["2", "", "7", ""],
        ["3", 'x "y" z', "8", "none"],
    ]
    assert all(row[8] for row in rows), "no state is empty"
    for words in ("name: 'name'", "row 3: it has no name and no number", "3 rows: 2 none; 1 could not be asked about"):
        assert words in ran.stderr
    assert "All asked at log positions" in ran.stderr


async def test_what_an_officer_judged_of_a_row_counts_in_a_screening_that_names_it(office: Office) -> None:
    number, _ = await office.supplier()
    name = (await office.made("officer", "GET", f"suppliers/{number}"))["supplier"]["name"]
    rows = [{"row": row, "name": name} for row in ("V1", "V2")]
    await office.made("officer", "POST", "vendors", json={"rows": rows})
    kept = {each["row"]: each["id"] for each in (await office.made("officer", "GET", "vendors"))["items"]}
    for row, judged in (("V1", "same"), ("V2", "not-same")):
        body = {"supplier": number, "judged": judged}
        await office.made("officer", "POST", f"vendors/{kept[row]}/judgements", json=body)
    asked_of = {"suppliers": [*rows, {"name": name}, {"row": "V1", "name": name, "country": "TH"}]}

    async def told(who: str) -> list[tuple[str, list[int]]]:
        answers = (await office.made(who, "POST", "screenings", json=asked_of))["answers"]
        return [(a["verdict"], [each["supplier"] for each in a["judged_not_to_be"]]) for a in answers]

    assert await told("officer") == [("match", []), ("none", [number]), ("review", []), ("review", [])]
    assert await told("officer 2") == [("review", [])] * 4, "nobody else's judgement counts"
    filed = {**office.a_filing(), "suppliers": asked_of["suppliers"][:1]}
    refused = await office.ask("officer", "POST", "filed-screenings", json=filed)
    assert refused.status_code == 422, "what is put on file holds nobody's judgement"
