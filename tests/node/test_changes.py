"""The feed of changes: what became of what is shared, in order, from any cursor, and nothing twice or left out."""

from datetime import timedelta
from typing import Any

import pytest

from comity_node.db import Database
from comity_node.services.receiving.settle import redecide
from comity_node.services.suppliers.following import catch_up
from comity_node.services.watching.endings import note_endings
from comity_node.services.watching.feed import CursorLost, cursor_of_now, describe_item, tell_changes
from filled_database import run
from node_world import NOW, Town
from supplier_desk import LEI, Desk, desk_at


async def feed(desk: Desk, cursor: str | None = None, most: int = 100) -> tuple[list[dict[str, Any]], str]:
    await catch_up(desk.database)
    async with desk.database.read() as store:
        told = await tell_changes(store, cursor, most)
    return [describe_item(item, NOW.date()) for item in told.items], told.cursor


def said(items: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(item["what"], item["statement"]) for item in items]


async def test_each_thing_that_happens_is_told_once_in_order_with_whom_it_concerns(database: Database) -> None:
    desk = await desk_at(database)
    first = await desk.say("Exemplar Gloves", "agency", LEI, severity="S3")
    items, cursor = await feed(desk)
    assert said(items) == [("new", first.hash)]
    assert items[0]["says"]["severity"] == "S3" and items[0]["published_by"] == "agency"
    number = await desk.number(first)
    assert items[0]["suppliers"] == [{"number": number, "joined_as": number, "role": "subject"}]
    agency = desk.publishers["agency"]
    revised = await desk.say("Exemplar Gloves", "agency", LEI, replaces=first.hash, severity="S4")
    dispute = await desk.arrive("agency", agency.reply(revised.hash, **agency.after(desk.last["agency"])))
    await desk.withdraw("agency", revised)
    items, cursor = await feed(desk, cursor)
    assert said(items) == [
        ("changed", revised.hash),
        ("superseded", first.hash),
        ("disputed", dispute.hash),
        ("withdrawn", revised.hash),
    ]
    assert (items[2]["about"], items[2]["suppliers"]) == (revised.hash, items[0]["suppliers"]), "of whom it disputes"
    assert items[3]["taken_back"] == "factual-error" and items[3]["standing"] == "withdrawn"
    assert await feed(desk, cursor) == ([], cursor)


async def test_pages_of_any_size_tell_the_same(database: Database) -> None:
    desk = await desk_at(database)
    made = [await desk.say(f"Supplier {n}", "agency") for n in range(5)]
    cursor, found = None, []
    for _ in range(4):
        items, cursor = await feed(desk, cursor, most=2)
        found += said(items)
    assert found == [("new", each.hash) for each in made]


async def test_what_ends_by_itself_is_told_on_the_day_after_and_only_if_it_still_stood(database: Database) -> None:
    desk = await desk_at(database)
    ends = {"valid_until": (NOW + timedelta(days=10)).date().isoformat()}
    stays, gone = await desk.say("A", "agency", LEI, **ends), await desk.say("B", "agency", **ends)
    await desk.withdraw("agency", gone)
    _, cursor = await feed(desk)
    for day in (10, 11, 12):
        async with database.write() as store:
            assert not await note_endings(store, NOW + timedelta(days=day))
        items, cursor = await feed(desk, cursor)
        assert said(items) == ([("expired", stays.hash)] if day == 11 else [])


async def test_a_join_and_its_undoing_are_told_with_the_number_under_which_they_stand(database: Database) -> None:
    desk = await desk_at(database)
    one, two = await desk.number(await desk.say(by="agency")), await desk.number(await desk.say(by="city"))
    _, cursor = await feed(desk)
    judgement = await desk.join(two, one)
    items, cursor = await feed(desk, cursor)
    assert [(i["what"], i["kind"], i["suppliers"][0]["joined_as"]) for i in items] == [("merged", "supplier", one)]
    await desk.undo(judgement)
    items, _ = await feed(desk, cursor)
    assert {(i["what"], i["suppliers"][0]["joined_as"]) for i in items} == {("split", one), ("split", two)}


async def test_a_log_that_is_decided_anew_tells_what_does_not_count_any_more_and_nothing_that_stands_as_it_stood(
    database: Database,
) -> None:
    desk = await desk_at(database)
    first, gone, taken_back = await desk.say("A"), await desk.say("B"), await desk.say("C")
    agency = desk.publishers["agency"]
    await desk.arrive("agency", agency.reply(first.hash, **agency.after(desk.last["agency"])))
    await desk.withdraw("agency", taken_back)
    _, cursor = await feed(desk)
    async with database.write() as store:
        await redecide(store, agency.member(), NOW, why="registry")
    assert await feed(desk, cursor) == ([], cursor)
    async with database.write() as store:
        await run(store, "update received set raw = :raw where seq = 2", raw=b"altered")
        await redecide(store, agency.member(), NOW, why="registry")
    items, cursor = await feed(desk, cursor)
    assert {what for what, _ in said(items)} == {"removed"} and ("removed", gone.hash) in said(items)
    assert first.hash not in {name for _, name in said(items)}


async def test_a_cursor_of_another_past_is_refused_and_nobody_goes_on_from_it(sqlite: Database) -> None:
    desk = await desk_at(sqlite)
    await desk.say("A")
    _, cursor = await feed(desk)
    async with sqlite.write() as store:
        await run(store, "update change set at = '2026-10-02T00:00:00.000000+00:00'")
    for wrong in (cursor, "bm9uZQ", "x", cursor + "A"):
        with pytest.raises(CursorLost, match="begin without a cursor"):
            await feed(desk, wrong)
    async with sqlite.read() as store:
        now = await cursor_of_now(store)
    assert await feed(desk, now) == ([], now)


async def test_a_page_is_found_by_the_primary_key_wherever_the_cursor_stands(sqlite: Database) -> None:
    async with sqlite.read() as store:
        plan = await run(
            store,
            "explain query plan select change.id, received.hash from change left join received on "
            "received.id = change.entry where change.id > 900000 and change.id <= 1000000 order by change.id limit 101",
        )
        steps = [row[3] for row in plan]
    assert steps == [
        "SEARCH change USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        "SEARCH received USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
    ]


async def test_a_system_follows_over_the_api_and_the_trail_says_what_it_was_shown(town: Town) -> None:
    house = await town.found("agency")
    await town.refresh()
    officer, admin = await house.hire("officer", "officer"), await house.hire("chief", "admin")
    desk = Desk(house.node.database, officer.person)
    made = await desk.say("A", "city", LEI)
    async with house.api(officer) as api:
        page = (await api.get("/api/v1/changes")).json()
        assert [(i["what"], i["statement"]) for i in page["items"]] == [("new", made.hash)]
        again = (await api.get("/api/v1/changes", params={"after": page["next"]})).json()
        assert again == {"items": [], "next": page["next"], "more": False}
        now = (await api.get("/api/v1/changes", params={"after": "now"})).json()
        assert now["next"] == page["next"]
        refused = await api.get("/api/v1/changes", params={"after": "MS4x"})
        assert (refused.status_code, refused.json()["code"]) == (409, "changes.cursor-lost")
    async with house.api(admin) as api:
        trail = (await api.get("/api/v1/trail", params={"limit": 20})).json()["items"]
    assert [e["detail"] for e in trail if e["event"] == "changes.read"] == ['{"first":1,"last":1}']
