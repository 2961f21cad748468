"""`comity screen` as an officer at a running node: judgements of own rows count, and a file is a job there."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
import typer
from typer.testing import CliRunner

from comity_node.app import create_app
from comity_node.cli import screening, screening_remote
from comity_node.cli.node import screen
from comity_node.domain.watching.judging import VendorJudged
from comity_node.remote import Remote
from comity_node.services.accounts import make_token
from comity_node.services.watching.judging import judge_vendor
from comity_node.workers.screening_files import FileScreener
from node_world import House, Town
from peer_world import free_port, serving
from supplier_desk import LEI
from watch_room import WatchRoom, row, watch_room_at


@dataclass
class Desk:
    """An officer at a served node, who dismissed one supplier for the row V1 of the own list."""

    house: House
    room: WatchRoom
    environment: dict[str, str | None]
    supplier: int

    async def run(
        self, *words: str, of: typer.Typer | None = None, code: int = 0, pasted: bytes | None = None
    ) -> tuple[str, str]:
        command = of
        if command is None:
            command = typer.Typer()
            command.command()(screen)
        ran = await asyncio.to_thread(CliRunner().invoke, command, list(words), pasted, self.environment)
        assert ran.exit_code == code, ran.output
        return ran.stdout, ran.stderr


@pytest_asyncio.fixture
async def desk(town: Town, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(screening_remote, "_LOOK_EVERY_S", 0.05)
    house = await town.found("agency")
    await town.refresh()
    room = await watch_room_at(house.node.database)
    await room.keep(V1=row("Exemplar Gloves"))
    supplier = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI))
    async with room.database.write() as store:
        token = await make_token(store, room.officer, label="test", now=house.node.clock())
        await judge_vendor(
            store, room.officer, await room.vendor("V1"), supplier, VendorJudged.NOT_SAME, None, house.node.clock()
        )
    port = free_port()
    url: dict[str, str | None] = {"COMITY_URL": f"http://127.0.0.1:{port}", "COMITY_TOKEN": token.secret}
    async with serving(create_app(house.node), port):
        yield Desk(house, room, {**url, "COMITY_HOME": None, "COLUMNS": "200"}, supplier)


async def test_one_name_is_asked_of_the_running_node_and_a_row_as_it_was_judged(desk: Desk) -> None:
    plain, _ = await desk.run("Exemplar Gloves")
    assert "identity not confirmed" in plain
    dismissed, _ = await desk.run("Exemplar Gloves", "--row", "V1")
    assert "Exemplar Gloves: no supplier by this name\n" in dismissed
    assert "  left out: judged on " in dismissed and f"not to be supplier {desk.supplier}\n" in dismissed
    told = json.loads((await desk.run("Exemplar Gloves", "--row", "V1", "--json"))[0])
    assert told["answers"][0]["judged_not_to_be"][0]["supplier"] == desk.supplier
    _, said = await desk.run("Exemplar Gloves", "--row", "V1", "--home", "/nowhere", code=2)
    assert "leave --home and --names out" in said


async def test_a_pasted_list_is_asked_at_one_moment_and_filed_as_it_is(desk: Desk, tmp_path: Path) -> None:
    pasted = b"1. Exemplar Gloves\tMalaysia\r\n\r\n2. Acme, Inc.\r\n"
    said, _ = await desk.run("--names", "-", pasted=pasted)
    assert "Exemplar Gloves: findings shared under a like name, identity not confirmed\n" in said
    assert "Acme, Inc.: no supplier by this name\n" in said and said.count("Asked at log positions") == 1
    (tmp_path / "bidders.txt").write_bytes(pasted)
    filing = ("file", "RFP/1", "--stage", "tender", "--names", str(tmp_path / "bidders.txt"))
    assert "Filed as RFP/1 (tender), 2 asked" in (await desk.run(*filing, of=screening.app))[0]
    (tmp_path / "bidders.csv").write_text("Vendor;Firm\nExemplar Gloves;x\n\nAcme;y\n")
    filing = ("file", "RFP/2", "--stage", "tender", "--file", str(tmp_path / "bidders.csv"))
    filed, read = await desk.run(*filing, of=screening.app)
    assert "2 asked" in filed and "name: 'Vendor'\nnot read: 'Firm'\n" in read
    _, refused = await desk.run("--names", "-", pasted=b"Exemplar Gloves\nLtd\n", code=1)
    assert "1 rows cannot be asked about, so nothing was done: row 2: " in refused
    _, refused = await desk.run("Exemplar Gloves", "--names", "-", pasted=pasted, code=2)
    assert "goes with nobody else" in refused


async def test_what_asks_all_rows_again_has_the_time_that_takes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.run("file", "RFP/3", "--stage", "award", "Exemplar Gloves", of=screening.app)
    monkeypatch.setitem(Remote.__init__.__kwdefaults__, "timeout_s", 1e-6)
    assert "unreachable" in (await desk.run("show", "RFP/3", of=screening.app, code=1))[1]
    assert "the same answer follows" in (await desk.run("verify", "RFP/3", of=screening.app))[0]


async def test_a_file_is_listed_cancelled_gone_on_with_and_forgotten(desk: Desk) -> None:
    given = {"params": {"name": "vendors.csv"}, "content": b"name\nExemplar Gloves\n"}
    async with desk.house.api(None, Authorization=f"Bearer {desk.environment['COMITY_TOKEN']}") as api:
        media = {"Content-Type": "application/octet-stream"}
        job = (await api.post("/api/v1/screening-files", headers=media, **given)).json()["id"]
    (listed, _) = await desk.run("files", of=screening.app)
    assert listed.startswith(job) and listed.endswith("vendors.csv: running, 0 of 1 rows\n")
    for word, said in (("cancel", f"comity screening resume {job}"), ("resume", "It goes on"), ("forget", "Forgotten")):
        assert said in (await desk.run(word, job, of=screening.app))[0]
    assert "No file of yours" in (await desk.run("files", of=screening.app))[0]
    assert "no such job" in (await desk.run("forget", job, of=screening.app, code=1))[1]


async def test_a_file_is_a_job_at_the_running_node_and_can_be_fetched_again(desk: Desk, tmp_path: Path) -> None:
    given, out, again = tmp_path / "in.csv", tmp_path / "out.csv", tmp_path / "again.xlsx"
    given.write_text("Number;Firm\nV1;Exemplar Gloves\nV9;Exemplar Gloves\nV3;\n")
    columns = ("--column", "id=Number", "--column", "name=Firm")
    running = asyncio.create_task(FileScreener(desk.house.node).run())
    try:
        stdout, said = await desk.run("--file", str(given), "--out", str(out), *columns, "--candidates")
        rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8")), delimiter=";"))
        assert [(each["Number"], each["verdict"]) for each in rows] == [("V1", "none"), ("V9", "review"), ("V3", "")]
        assert f"judged not to be supplier {desk.supplier}" in rows[0]["reason"] and "candidates" in rows[0]
        assert "\nBegun as " in said and said.startswith("CSV with semicolons in utf-8\n") and "name: 'Firm'" in said
        assert stdout == "" and "row 4: it has no name and no number" in said
        assert "3 rows: 1 none, 1 review; 1 could not be asked about" in said and "All asked at log positions" in said
        job = said.rpartition("--job ")[2].strip()
        await desk.run("--job", job, "--out", str(again))
        assert again.read_bytes().startswith(b"PK")
        _, refused = await desk.run("--job", "nothing", "--out", str(again), code=1)
        assert "no such job" in refused
    finally:
        running.cancel()
