"""What an officer judges of a row and a supplier: it outlives joins, lapses with facts, and hides nothing new."""

import pytest

from comity_node.db import Database
from comity_node.db.bulk import insert_rows
from comity_node.db.rows.suppliers import SupplierMentionRow
from comity_node.db.suppliers import Wanted
from comity_node.domain.errors import NotFound, SamePerson
from comity_node.domain.watching.judging import Holds, VendorJudged, VendorJudgementRefused
from comity_node.services.accounts import close_person
from comity_node.services.watching import judging
from comity_node.services.watching.vendors import remove_vendor
from node_world import NOW
from supplier_desk import CNPJ, LEI, OTHER_CNPJ
from watch_room import WatchRoom, row, watch_room_at


async def judge(room: WatchRoom, supplier: int, judged: VendorJudged, named: str = "V1") -> str:
    vendor = await room.vendor(named)
    async with room.database.write() as store:
        made = await judging.judge_vendor(store, room.officer, vendor, supplier, judged, "seen in the register", NOW)
    return made.judgement.id


async def meant(room: WatchRoom, named: str = "V1") -> dict[str, list[tuple[int, str | None]]]:
    vendor = await room.vendor(named)
    async with room.database.read() as store:
        found = await judging.whom_it_means(store, room.officer, vendor)
    return {
        part: [(a.known.whole, None if a.judged is None else a.judged.holds.value) for a in getattr(found, part)]
        for part in ("recognised", "to_judge", "decided")
    }


async def test_a_spelling_that_comes_near_is_offered_to_be_judged_too(room: WatchRoom) -> None:
    await room.keep(V1=row("Exmplar Golves Sdn. Bhd."))
    number = await room.desk.number(await room.desk.say("Exemplar Gloves Sdn Bhd", "agency", LEI))
    await room.desk.number(await room.desk.say("Zzyzx Quarry", "city"))
    assert await meant(room) == {"recognised": [], "to_judge": [(number, None)], "decided": []}


async def test_who_was_dismissed_is_told_no_more_stays_listed_and_comes_back_when_that_is_undone(
    room: WatchRoom,
) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    await room.watch()
    number = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI))
    assert await meant(room) == {"recognised": [], "to_judge": [(number, None)], "decided": []}
    made = await judge(room, number, VendorJudged.NOT_SAME)
    assert await meant(room) == {"recognised": [], "to_judge": [], "decided": [(number, "holds")]}
    await room.look()
    told = await room.told()
    await room.desk.say("Exemplar Gloves", "city", LEI)
    assert await room.told() == told
    async with room.database.write() as store:
        await judging.undo_vendor_judgement(store, room.officer, made, NOW)
    again = await room.desk.say("Exemplar Gloves", "city", LEI)
    assert await room.told() == [*told, ("new", again.hash, "V1")]


async def test_new_findings_on_a_recognised_supplier_are_told_as_a_match_whatever_its_spelling(
    room: WatchRoom,
) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    await room.watch()
    number = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI))
    await judge(room, number, VendorJudged.SAME)
    await room.look()
    await room.desk.say("示例手套", "city", LEI)
    assert [a.verdict for a in await room.alerts()][1:] == ["match"]
    assert await meant(room) == {"recognised": [(number, "holds")], "to_judge": [], "decided": []}


async def test_a_spelling_by_which_a_supplier_was_recognised_finds_it_until_that_is_undone(room: WatchRoom) -> None:
    await room.keep(V1=row("Ex. Glove Works", LEI))
    number = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI))
    made = await judge(room, number, VendorJudged.SAME)

    async def found() -> list[int]:
        async with room.database.read() as store:
            return [k.number for k in await store.suppliers.page(Wanted(name="Ex. Glove Works"), skip=0, most=9)]

    assert await found() == [number]
    async with room.database.write() as store:
        await judging.undo_vendor_judgement(store, room.officer, made, NOW)
    assert await found() == []


async def test_a_judgement_outlives_joins_and_lapses_with_facts_and_says_which(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves", country="MY"))
    one = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI, country="MY"))
    two = await room.desk.number(await room.desk.say("Another", "city", OTHER_CNPJ, country="MY"))
    await judge(room, two, VendorJudged.NOT_SAME)
    joined = await room.desk.join(one, two)
    assert (await meant(room))["decided"] == [(min(one, two), "holds")]
    await room.desk.undo(joined)
    assert await meant(room) == {"recognised": [], "to_judge": [(one, None)], "decided": [(two, "holds")]}
    await room.desk.say("Another Name", "city", OTHER_CNPJ, country="MY")
    await room.desk.number(await room.desk.say("Another Name", "city", OTHER_CNPJ, country="MY"))
    lapsed = await meant(room)
    assert lapsed["decided"] == []
    assert await why(room) == "of the supplier name changed since"
    await judge(room, two, VendorJudged.NOT_SAME)
    await room.keep(V1=row("Exemplar Gloves", country="TH"))
    assert await why(room) == "of the row country changed since"


async def why(room: WatchRoom) -> str | None:
    vendor = await room.vendor("V1")
    async with room.database.read() as store:
        found = await store.vendors.find(room.officer.id, vendor)
        assert found is not None
        made = await store.vendor_judgements.of_vendors([found.number])
        return (await judging.weighed(store, made, {found.number: found}))[0].why


async def test_a_recognised_supplier_that_is_joined_with_a_dismissed_one_is_for_a_person_again(
    room: WatchRoom,
) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    one = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI))
    two = await room.desk.number(await room.desk.say("Exemplar Gloves", "city", CNPJ))
    await judge(room, one, VendorJudged.SAME)
    await judge(room, two, VendorJudged.NOT_SAME)
    await room.desk.join(one, two)
    assert await meant(room) == {"recognised": [], "to_judge": [(one, "lapsed")], "decided": []}
    await judge(room, one, VendorJudged.SAME)
    assert (await meant(room))["recognised"] == [(one, "holds")], "who judges the two as one has looked"
    await judge(room, one, VendorJudged.NOT_SAME)
    assert (await meant(room))["decided"] == [(one, "holds")]


@pytest.mark.parametrize("after", [False, True])
async def test_doubt_about_one_and_what_lapsed_take_nothing_from_a_recognised_supplier_it_is_joined_with(
    room: WatchRoom, after: bool
) -> None:
    await room.keep(V1=row("Kowalski Trading House"))
    await room.watch()
    known = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI))
    doubted = await room.desk.number(await room.desk.say("Zephyr Quarry", "city", CNPJ))
    lapsed = await room.desk.number(await room.desk.say("Northwind Rubber", "city", OTHER_CNPJ))
    judged = [(known, VendorJudged.SAME), (doubted, VendorJudged.UNSURE), (lapsed, VendorJudged.NOT_SAME)]
    for supplier, what in reversed(judged) if after else judged:
        await judge(room, supplier, what)
    await room.desk.number(await room.desk.say("Northwind Rubbers", "city", OTHER_CNPJ))
    await room.desk.join(known, doubted)
    await room.desk.join(known, lapsed)
    assert await meant(room) == {"recognised": [(known, "holds")], "to_judge": [], "decided": []}
    assert (await room.alerts())[-1].verdict == "match"


async def test_a_supplier_once_recognised_is_never_silent_since_it_is_joined_with_a_dismissed_one(
    room: WatchRoom,
) -> None:
    await room.keep(V1=row("Kowalski Trading House"))
    await room.watch()
    one = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI))
    two = await room.desk.number(await room.desk.say("Zephyr Quarry", "city", CNPJ))
    await judge(room, one, VendorJudged.SAME)
    await judge(room, two, VendorJudged.NOT_SAME)
    await room.desk.say("Exemplar Gloves", "city", LEI, OTHER_CNPJ)
    await room.desk.join(one, two)
    alert = (await room.alerts())[-1]
    assert (alert.news.value, alert.verdict) == ("merged", "review"), "though what was recognised lapsed before"
    assert alert.reason.endswith("it was judged same, but it is joined now with one that was judged not to be it")


async def test_not_the_same_on_the_gravest_hides_nothing_before_a_second_person_says_so(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    await room.watch()
    number = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI, severity="S4"))
    made = await judge(room, number, VendorJudged.NOT_SAME)
    assert (await meant(room))["to_judge"] == [(number, Holds.NEEDS_SECOND.value)]
    async with room.database.write() as store:
        with pytest.raises(SamePerson):
            await judging.confirm_judgement(store, room.officer, made, NOW)
        ((waits, vendor),) = await judging.waiting(store, room.other, 10)
        assert (waits.judgement.id, vendor.row) == (made, "V1")
        assert await judging.waiting(store, room.officer, 10) == []
        assert (await judging.confirm_judgement(store, room.other, made, NOW)).holds is Holds.HOLDS
        with pytest.raises(VendorJudgementRefused):
            await judging.confirm_judgement(store, room.other, made, NOW)
    assert (await meant(room))["decided"] == [(number, "holds")]


async def test_what_was_judged_takes_no_place_from_what_is_to_be_judged_however_many_are_joined_in_it(
    room: WatchRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "MOST_ALIKE", 1)
    await room.keep(V1=row("Exemplar Gloves"))
    joined = [await room.desk.number(await room.desk.say("Exemplar Gloves", by)) for by in ("agency", "city", "firm")]
    for other in joined[1:]:
        await room.desk.join(joined[0], other)
    await judge(room, joined[0], VendorJudged.NOT_SAME)
    same = await room.desk.number(await room.desk.say("Exemplar Gloves", "city", LEI))
    await judge(room, same, VendorJudged.SAME)
    last = await room.desk.number(await room.desk.say("Exemplar Glove Works", "city", CNPJ))
    assert (await meant(room))["to_judge"] == [(last, None)]


async def test_an_s4_on_its_labour_provider_needs_a_second_person_as_one_on_itself_does(room: WatchRoom) -> None:
    await room.keep(V1=row("Client Ltd"))
    await room.watch()
    supplies = {"supplies_to": [{"names": [{"text": "Client Ltd"}], "identifiers": [CNPJ]}]}
    provider = {"subject": "labour-provider", "more": supplies, "severity": "S4"}
    known = await room.desk.number(await room.desk.say("Client Ltd", "agency", CNPJ, severity="S1"))
    await judge(room, known, VendorJudged.NOT_SAME)
    assert (await meant(room))["decided"] == [(known, "holds")]
    grave = await room.desk.say("Agent Ltd", "city", LEI, **provider)  # type: ignore[arg-type]
    assert ("new", grave.hash, "V1") in await room.told()
    assert (await meant(room))["to_judge"] == [(known, Holds.NEEDS_SECOND.value)]
    async with room.database.read() as store:
        assert len(await judging.waiting(store, room.other, 9)) == 1


async def test_nobody_judges_or_undoes_for_the_rows_of_somebody_else(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    number = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI))
    made, vendor = await judge(room, number, VendorJudged.SAME), await room.vendor("V1")
    async with room.database.write() as store:
        with pytest.raises(NotFound):
            await judging.judge_vendor(store, room.other, vendor, number, VendorJudged.SAME, None, NOW)
        with pytest.raises(NotFound):
            await judging.undo_vendor_judgement(store, room.other, made, NOW)


@pytest.mark.parametrize("judged", [VendorJudged.SAME, VendorJudged.NOT_SAME])
async def test_a_judgement_of_whom_people_put_apart_outlives_the_undoing_and_is_to_be_looked_at(
    room: WatchRoom, judged: VendorJudged
) -> None:
    await room.keep(V1=row("Kowalski Trading House"))
    await room.watch()
    await room.desk.say("Exemplar Gloves", "agency", LEI)
    second = await room.desk.say("Exemplar Gloves", "city", LEI)
    whole = await room.desk.number(second)
    parted = await room.desk.split(whole, second)
    await judge(room, await room.desk.number(second), judged)
    await room.desk.undo(parted)
    await room.look()
    assert await meant(room) == {"recognised": [], "to_judge": [(whole, "lapsed")], "decided": []}
    made = await room.desk.say("Exemplar Gloves", "city", LEI, replaces=second.hash)
    told = [(name, a.verdict) for (_, name, _), a in zip(await room.told(), await room.alerts(), strict=True)]
    assert ((made.hash, "review") in told) is (judged is VendorJudged.SAME)


async def test_a_recognised_supplier_is_told_of_under_a_name_that_is_like_nothing_of_the_row(room: WatchRoom) -> None:
    await room.keep(V1=row("Kowalski Trading House"))
    await room.watch()
    number = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI))
    assert await room.told() == []
    await judge(room, number, VendorJudged.SAME)
    made = await room.desk.say("Exemplar Gloves", "city", LEI)
    assert await room.told() == [("new", made.hash, "V1")]
    assert [a.verdict for a in await room.alerts()] == ["match"]
    more = await room.desk.say("Exemplar Gloves", "city", LEI, OTHER_CNPJ)
    assert (await room.told())[1:] == [("new", more.hash, "V1")], "also once a further number made it lapse"
    alert = (await room.alerts())[1]
    assert (alert.verdict, "identifiers changed since" in alert.reason) == ("review", True)
    other = await room.desk.number(await room.desk.say("Northwind Rubber", "agency", CNPJ))
    await judge(room, other, VendorJudged.NOT_SAME)
    await room.desk.join(number, other)
    last = (await room.alerts())[-1]
    assert (last.news.value, last.verdict) == ("merged", "review"), "and where the two judgements contradict"


async def test_what_waits_for_a_second_person_is_listed_however_much_does_not(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    for n in range(3):
        number = await room.desk.number(await room.desk.say(f"Somebody {n}", "city"))
        await judge(room, number, VendorJudged.NOT_SAME)
    lapses = await room.desk.number(await room.desk.say("Zephyr Quarry", "city", CNPJ, severity="S4"))
    await judge(room, lapses, VendorJudged.NOT_SAME)
    await room.desk.number(await room.desk.say("Zephyr Quarries", "city", CNPJ))
    grave = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI, severity="S4"))
    made = await judge(room, grave, VendorJudged.NOT_SAME)
    async with room.database.read() as store:
        assert [each.judgement.id for each, _ in await judging.waiting(store, room.other, 1)] == [made]
    async with room.database.write() as store:
        await close_person(store, room.officer.id, by="test", now=NOW)
        assert await judging.waiting(store, room.other, 9) == [], "nobody is shown rows of whoever is here no more"


async def test_a_finding_of_the_gravest_kind_counts_however_many_newer_ones_there_are(database: Database) -> None:
    room = await watch_room_at(database)
    one = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI, severity="S4"))
    two = await room.desk.number(await room.desk.say("Exemplar Gloves", "city", CNPJ, severity="S1"))
    await room.desk.join(one, two)
    async with database.write() as store:
        columns = ("entry", "supplier", "role", "decision", "told", "severity", "event")
        minor = [(n, two, "subject", False, "2027-01", "S1", None) for n in range(1_000, 1_600)]
        await insert_rows(store._session, SupplierMentionRow, columns, minor)
    await room.keep(V1=row("Exemplar Gloves"))
    await judge(room, two, VendorJudged.NOT_SAME)
    assert (await meant(room))["to_judge"] == [(min(one, two), Holds.NEEDS_SECOND.value)]
    async with database.read() as store:
        assert len(await judging.waiting(store, room.other, 9)) == 1


@pytest.mark.parametrize("whole", [True, False])
async def test_a_row_that_is_removed_takes_with_it_the_spelling_that_it_taught(room: WatchRoom, whole: bool) -> None:
    await room.keep(V1=row("Ex. Glove Works", LEI))
    number = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI))
    await judge(room, number, VendorJudged.SAME)
    vendor = await room.vendor("V1")
    async with room.database.write() as store:
        assert len(await store.facts.about([number], 9)) == 1
        if not whole:
            await remove_vendor(store, room.officer, vendor, NOW)
    if whole:
        await room.keep(replace=True)
    async with room.database.read() as store:
        assert await store.facts.about([number], 9) == []
