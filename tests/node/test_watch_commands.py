"""`comity watch` and `comity alerts` as an officer runs them: all that was told, and all that was sent."""

import asyncio
import csv
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from comity_node import remote
from comity_node.app import create_app
from comity_node.cli import vendors
from comity_node.cli import watch as commands
from comity_node.domain.watching.watches import Channel
from comity_node.services.accounts import make_token
from comity_node.services.watching.sending import make_deliveries, try_due
from node_world import NOW, Town
from peer_world import free_port, serving
from watch_room import INSIDE, WatchRoom, receiver, row, watch_room_at


@dataclass
class Desk:
    """An officer's room at a served node, and a way to run commands as the officer."""

    room: WatchRoom
    environment: dict[str, str]

    async def run(self, command: object, *words: str, code: int = 0) -> str:
        ran = await asyncio.to_thread(CliRunner().invoke, command, list(words), env=self.environment)
        assert ran.exit_code == code, ran.output
        return ran.output


@pytest_asyncio.fixture
async def desk(town: Town) -> AsyncIterator[Desk]:
    house = await town.found("agency")
    await town.refresh()
    room = await watch_room_at(house.node.database)
    async with room.database.write() as store:
        token = await make_token(store, room.officer, label="test", now=house.node.clock())
    port = free_port()
    async with serving(create_app(house.node), port):
        url = {"COMITY_URL": f"http://127.0.0.1:{port}", "COMITY_TOKEN": token.secret, "COLUMNS": "200"}
        yield Desk(room, url)


async def test_the_log_of_a_watch_is_written_whole_and_its_cells_run_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_PAGE", 1)
    await desk.room.keep(V1=row("Exemplar Gloves"))
    out, refusal = tmp_path / "log.csv", b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with receiver() as taken:
        made, _ = await desk.room.watch(Channel.WEBHOOK, taken.url)
        for answers in ([], [refusal]):
            taken.answers = list(answers)
            await desk.room.desk.say("Exemplar Gloves", "agency")
            await desk.room.look()
            await make_deliveries(desk.room.database, NOW)
            await try_due(desk.room.database, INSIDE, NOW)
    said = await desk.run(commands.app, "log", made.id, "--csv", str(out))
    assert said == f"2 deliveries are in {out}\n"
    *lines, note = out.read_text(encoding="utf-8-sig").splitlines()
    assert made.id in note, "which watch it is stands below the table"
    table = list(csv.DictReader(lines))
    assert list(table[0]) == list(commands.DELIVERY)
    told = [(each["state"], each["test"], each["alerts"], each["tries"], each["said"]) for each in table]
    assert told == [("waiting", "no", "1", "1", "it answered 503"), ("sent", "no", "1", "1", "it answered 204")]
    assert table[0]["next_at"] and not table[1]["next_at"]
    assert "Exemplar" not in out.read_text(encoding="utf-8"), "what was sent stands nowhere"


async def test_alerts_are_listed_to_the_oldest_before_they_can_be_marked_as_seen(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_PAGE", 2)
    await desk.room.keep(V1=row("Exemplar Gloves"))
    await desk.room.watch()
    made = [await desk.room.desk.say("Exemplar Gloves", "agency") for _ in range(3)]
    alerts = await desk.room.alerts()
    listed = await desk.run(commands.alerts, "--unseen")
    assert [listed.count(each.hash) for each in made] == [1, 1, 1]
    assert f"comity alerts seen {alerts[-1].number}" in listed
    assert await desk.run(commands.alerts, "seen", str(alerts[-1].number)) == "3 marked as seen.\n"
    assert "That is no clearance" in await desk.run(commands.alerts, "--unseen")


async def test_a_list_that_stands_in_place_of_another_removes_no_row_that_could_not_be_read(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.room.keep(V1=row("Exemplar Gloves"), V2=row("Northwind Medical"))
    given = tmp_path / "list.csv"
    given.write_text("id,name\nV1,Exemplar Gloves Ltd\n\nV2,-\n")
    refused = await desk.run(vendors.app, "keep", str(given), "--replace", code=1)
    assert "row 4" in refused and "nothing was changed" in refused and "[table.refused]" in refused
    async with desk.room.database.read() as store:
        kept = await store.vendors.of_rows(desk.room.officer.id, ["V1", "V2"])
    assert sorted(each.party.names[0] for each in kept.values()) == ["Exemplar Gloves", "Northwind Medical"]
    given.write_text("id,name\nV1,Exemplar Gloves Ltd\n\n")
    assert "1 changed, 0 as they were, 1 removed" in await desk.run(vendors.app, "keep", str(given), "--replace")


async def test_who_was_shown_the_alerts_of_one_watch_is_not_told_to_mark_those_of_all_as_seen(desk: Desk) -> None:
    await desk.room.keep(V1=row("Exemplar Gloves"))
    one, _ = await desk.room.watch()
    await desk.room.watch(vendors=False)
    await desk.room.desk.say("Exemplar Gloves", "agency")
    await desk.room.look()
    assert "Seen all of them" not in await desk.run(commands.alerts, "--watch", one.id)
    assert "Seen all of them: comity alerts seen 2" in await desk.run(commands.alerts, "--unseen")
