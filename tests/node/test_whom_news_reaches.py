"""Whom news reaches: by every name under which a supplier is known here, and by whatever kind of statement it comes."""

from typing import Any

import pytest

from comity_node.domain.suppliers.facts import FactKind
from comity_node.services.suppliers.facts import Entered, enter, take_back_fact
from comity_node.services.watching.feed import describe_item, tell_changes
from comity_node.services.watching.judging import whom_it_means
from comity_node.services.watching.noticing import rows_touched
from node_world import NOW
from supplier_desk import CNPJ, LEI
from watch_room import WatchRoom, row


@pytest.mark.parametrize("kind", ["pointer", "notice"])
async def test_whoever_is_to_be_spoken_to_or_was_audited_is_news_about_the_row_as_a_finding_is(
    room: WatchRoom, kind: str
) -> None:
    await room.keep(V1=row("Exemplar Gloves", LEI), V2=row("Somebody Else"))
    number = await room.desk.number(await room.desk.say("Exemplar Gloves", "city", LEI))
    await room.look()
    await room.watch()
    await room.watch(vendors=False, supplier=number)
    city = room.desk.publishers["city"]
    about = {"names": [{"text": "Exemplar Gloves"}], "identifiers": [LEI]}
    place = city.after(room.desk.last["city"])
    made = city.pointer(disclosed=about, **place) if kind == "pointer" else city.notice(disclosed=about, **place)
    await room.desk.arrive("city", made)
    assert await room.told() == [("new", made.hash, "V1"), ("new", made.hash, None)]
    async with room.database.read() as store:
        told = await tell_changes(store, None, 9)
        touched = await rows_touched(store, room.officer.id, made.hash, NOW)
    suppliers = describe_item(told.items[-1], NOW.date())["suppliers"]
    role = "subject" if kind == "pointer" else "operator"
    assert {"number": number, "joined_as": number, "role": role} in suppliers
    assert [c.vendor.row for c in touched or ()] == ["V1"]


async def test_a_dispute_touches_the_rows_of_what_it_disputes(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    made = await room.desk.say("Exemplar Gloves", "agency", LEI)
    agency = room.desk.publishers["agency"]
    dispute = await room.desk.arrive("agency", agency.reply(made.hash, **agency.after(made)))
    await room.look()
    async with room.database.read() as store:
        touched = await rows_touched(store, room.officer.id, dispute.hash, NOW)
    assert [c.vendor.row for c in touched or ()] == ["V1"]


async def test_a_former_name_that_was_entered_here_reaches_the_row_as_long_as_it_counts(room: WatchRoom) -> None:
    await room.keep(V1=row("Old Client Ltd"))
    await room.watch()
    number = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI))
    await room.look()
    desk = room.desk
    async with room.database.write() as store:
        fact = await enter(store, desk.person, number, Entered(FactKind.FORMER_NAME, text="Old Client Ltd"), NOW)
    made = await desk.say("Exemplar Gloves", "agency", LEI)
    assert await room.told() == [("new", made.hash, "V1")]
    vendor = await room.vendor("V1")
    async with room.database.read() as store:
        meant = await whom_it_means(store, room.officer, vendor)
    assert [each.known.number for each in meant.to_judge] == [number]
    async with room.database.write() as store:
        await take_back_fact(store, desk.person, fact.id, NOW)
    await desk.say("Exemplar Gloves", "agency", LEI)
    assert await room.told() == [("new", made.hash, "V1")]


@pytest.mark.parametrize(
    ("interest", "told"),
    [
        ({"least_severity": "S4"}, True),
        ({"members": ("city",)}, True),
        ({"countries": ("BR",), "least_severity": "S4"}, True),
        ({"countries": ("MY",)}, False),
        ({"members": ("agency",), "least_severity": "S4"}, False),
    ],
)
async def test_a_join_is_news_to_who_watches_for_what_stands_about_the_joined(
    room: WatchRoom, interest: dict[str, Any], told: bool
) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    one = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI, severity="S1"))
    grave = await room.desk.number(await room.desk.say("Zephyr Quarry", "city", CNPJ, severity="S4"))
    gone = await room.desk.say("Zephyr Quarry", "city", CNPJ, country="MY")
    await room.desk.withdraw("city", gone)
    await room.look()
    await room.watch(**interest)
    await room.desk.join(one, grave)
    assert await room.told() == ([("merged", None, "V1")] if told else [])
