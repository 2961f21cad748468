"""Watches: news reaches whom it concerns once, and nobody else."""

from datetime import timedelta
from typing import Any

import pytest

from builders import FINDING_IN_CLEAR, Publisher
from comity_node.db import Database, Store
from comity_node.domain.changing import News
from comity_node.domain.matching.party import Party
from comity_node.domain.trail import Event
from comity_node.domain.watching.judging import VendorJudged
from comity_node.domain.watching.portfolio import Portfolio
from comity_node.domain.watching.vendors import MOST_VENDORS, TooManyVendors, Vendor, fingerprint
from comity_node.services.accounts import close_person
from comity_node.services.receiving.settle import redecide
from comity_node.services.watching import noticing
from comity_node.services.watching.endings import note_endings
from comity_node.services.watching.judging import judge_vendor
from comity_node.services.watching.noticing import rows_touched
from comity_node.services.watching.vendors import Portfolios, remove_vendor
from filled_database import run
from node_world import NOW
from supplier_desk import CNPJ, LEI, OTHER_CNPJ
from watch_room import WatchRoom, row, watch_room_at

# --- whom news concerns


async def test_an_officer_is_told_of_another_branch_of_a_company_as_screening_finds_it(room: WatchRoom) -> None:
    branch = {"scheme": "BR-CNPJ", "id": "00000000000272"}
    await room.keep(V1=row("Whatever it is called", branch), V2=row("Somebody else", OTHER_CNPJ))
    await room.watch()
    made = await room.desk.say("Fazenda Exemplo", "city", CNPJ)
    assert await room.told() == [("new", made.hash, "V1")]
    await room.keep(V1=row("Whatever it is called"))
    await room.desk.say("Fazenda Exemplo", "city", CNPJ)
    assert len(await room.told()) == 1


def test_every_name_by_which_a_supplier_is_known_asks() -> None:
    names = [f"Zuotian Kaixinda {number}" for number in range(100, 130)]
    vendors = [Vendor(n, f"{n}", "ove", name, Party((name,)), NOW) for n, name in enumerate([*names, "Klang Rubber"])]
    touched = Portfolio(vendors).touched_by(Party((*names, "Klang Rubber")))
    assert "Klang Rubber" in {each.vendor.row for each in touched}


async def test_an_officer_is_told_of_what_happens_to_the_firms_of_the_own_list_and_of_nothing_else(
    database: Database,
) -> None:
    room = await watch_room_at(database)
    await room.keep(V1=row("Exemplar Gloves", country="MY"), V2=row("Whatever it is called", CNPJ))
    await room.keep(V1=row("Exemplar Gloves"), whose=room.other)
    before = await room.desk.say("Exemplar Gloves", "agency", LEI, country="MY")
    await room.look()
    await room.watch()
    gloves = await room.desk.say("Exemplar Gloves Sdn. Bhd.", "city", LEI, country="MY")
    await room.desk.say("Nobody We Know", "city", OTHER_CNPJ)
    numbered = await room.desk.say("Fazenda Exemplo", "city", CNPJ)
    assert await room.told() == [("new", gloves.hash, "V1"), ("new", numbered.hash, "V2")]
    assert [a.verdict for a in await room.alerts()] == ["review", "match"]
    assert await room.told(room.other) == [], "who watches nothing is told nothing"
    await room.desk.withdraw("city", gloves)
    assert (await room.told())[2:] == [("withdrawn", gloves.hash, "V1")]
    await room.desk.withdraw("agency", before)
    assert (await room.told())[3:] == [("withdrawn", before.hash, "V1")], "also of what was there before the watch"


async def test_each_kind_of_news_is_told_once_even_when_a_log_is_decided_anew(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    await room.watch()
    desk = room.desk
    made = await desk.say("Exemplar Gloves", "agency", LEI, valid_until="2026-10-31")
    agency = desk.publishers["agency"]
    dispute = await desk.arrive("agency", agency.reply(made.hash, **agency.after(desk.last["agency"])))
    revised = await desk.say("Exemplar Gloves", "agency", LEI, replaces=made.hash, valid_until="2026-10-31")
    other = await desk.number(await desk.say("Somebody Else", "city", CNPJ))
    expected = [("new", made.hash, "V1"), ("disputed", dispute.hash, "V1"), ("changed", revised.hash, "V1")]
    assert await room.told() == expected
    await desk.join(await desk.number(made), other)
    expected += [("merged", None, "V1")]
    assert await room.told() == expected
    async with room.database.write() as store:
        await note_endings(store, NOW + timedelta(days=60))
    expected += [("expired", revised.hash, "V1")]
    assert await room.told() == expected
    async with room.database.write() as store:
        await redecide(store, agency.member(), NOW, why="registry")
    assert await room.told() == expected


async def test_a_log_that_is_decided_anew_tells_a_later_watch_or_row_nothing_that_was_known_before(
    room: WatchRoom,
) -> None:
    agency = room.desk.publishers.setdefault("agency", Publisher("agency"))
    disclosed = {"names": [{"text": "Exemplar Gloves"}], "identifiers": [LEI]}
    whole = agency.make(clear=FINDING_IN_CLEAR, disclosed=disclosed)
    await room.desk.arrive("agency", whole.stripped("names"))
    known = await room.desk.say("Exemplar Gloves", "agency", LEI)
    await room.look()
    await room.watch(vendors=False)
    await room.watch()
    await room.keep(V1=row("Exemplar Gloves"))
    async with room.database.write() as store:
        await redecide(store, agency.member(), NOW, why="registry")
    assert await room.told() == []
    await room.desk.bench.arrive(agency.member(), whole.raw)
    assert known.hash not in {name for _, name, _ in await room.told()}
    assert await room.told() == [("new", whole.hash, None), ("new", whole.hash, "V1")], "named only now"


@pytest.mark.parametrize(
    ("interest", "answers"),
    [
        ({"countries": ("BR",)}, True),
        ({"countries": ("MY",)}, False),
        ({"members": ("agency",)}, True),
        ({"members": ("city",)}, False),
        ({"indicators": ("FL08",)}, True),
        ({"indicators": ("FL01",)}, False),
        ({"least_severity": "S3"}, True),
        ({"least_severity": "S4"}, False),
        ({"countries": ("BR",), "least_severity": "S4"}, False),
        ({"news": (News.WITHDRAWN,)}, False),
    ],
)
async def test_a_watch_without_rows_is_told_of_what_fits_all_that_it_asks(
    room: WatchRoom, interest: dict[str, Any], answers: bool
) -> None:
    await room.watch(vendors=False, **interest)
    made = await room.desk.say("Anybody", "agency", severity="S3")
    assert await room.told() == ([("new", made.hash, None)] if answers else [])


async def test_a_watch_of_one_supplier_goes_on_after_it_is_joined(room: WatchRoom) -> None:
    one = await room.desk.number(await room.desk.say("A", "agency", LEI))
    two = await room.desk.number(await room.desk.say("B", "city", CNPJ))
    await room.look()
    await room.watch(vendors=False, supplier=two)
    await room.desk.join(one, two)
    made = await room.desk.say("A", "agency", LEI)
    assert [(what, name) for what, name, _ in await room.told()] == [("merged", None), ("new", made.hash)]


async def test_what_concerns_a_client_through_its_labour_provider_says_so(room: WatchRoom) -> None:
    await room.keep(V1=row("Client Ltd", CNPJ))
    await room.watch()
    supplies = {"supplies_to": [{"names": [{"text": "Client Ltd"}], "identifiers": [CNPJ]}]}
    await room.desk.say("Agent Ltd", "city", LEI, subject="labour-provider", more=supplies)
    (alert,) = await room.alerts()
    assert alert.reason.startswith("through its labour provider: ")


async def test_a_row_is_told_by_the_supplier_that_it_is_surest_to_be_and_the_surest_row_stands_first(
    room: WatchRoom,
) -> None:
    await room.keep(V1=row("Agent Ltd"), V2=row("Client Ltd"), V3=row("Client Ltd", LEI), V4=row("Agent Ltd", CNPJ))
    await room.watch()
    supplies = {"supplies_to": [{"names": [{"text": "Client Ltd"}], "identifiers": [CNPJ]}]}
    made = await room.desk.say("Agent Ltd", "city", LEI, subject="labour-provider", more=supplies)
    assert [alert.verdict for alert in await room.alerts()] == ["match", "match", "review", "review"]
    async with room.database.read() as store:
        touched = await rows_touched(store, room.officer.id, made.hash, NOW)
    assert touched is not None
    through = "through its labour provider: "
    told = [(c.vendor.row, c.verdict, c.reason.startswith(through)) for c in touched]
    assert sorted(told[:2]) == [("V3", "match", False), ("V4", "match", True)]
    assert sorted(told[2:]) == [("V1", "review", False), ("V2", "review", True)]


async def test_which_of_my_rows_a_statement_touches_is_answered_for_my_rows_only(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"), V2=row("Another Firm"))
    await room.keep(X=row("Exemplar Gloves"), whose=room.other)
    made = await room.desk.say("Exemplar Gloves", "agency", LEI)
    await room.look()
    async with room.database.read() as store:
        touched = await rows_touched(store, room.officer.id, made.hash, NOW)
        assert touched is not None
        assert [(c.vendor.row, c.verdict) for c in touched] == [("V1", "review")]
        assert await rows_touched(store, room.officer.id, "N" * 43, NOW) is None


# --- crashes


async def test_a_crash_anywhere_between_looking_and_moving_the_cursor_loses_no_alert_and_doubles_none(
    room: WatchRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    await room.watch()
    made = [await room.desk.say("Exemplar Gloves", "agency", LEI) for _ in range(3)]
    monkeypatch.setattr(noticing, "PART", 1)

    class Died(Exception):
        pass

    for place in ("tell", "set_followed"):
        async with room.database.read() as store:
            owner = type(store.watches) if place == "tell" else type(store.changes)
        real = getattr(owner, place)
        for after in (False, True):

            async def dies(self: Any, *given: Any, real: Any = real, after: bool = after) -> Any:
                if after:
                    await real(self, *given)
                raise Died

            with monkeypatch.context() as patched:
                patched.setattr(owner, place, dies)
                with pytest.raises(Died):
                    await room.look()
    assert [name for _, name, _ in await room.told()] == [m.hash for m in made]


async def test_two_that_look_at_once_tell_each_once(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    await room.watch()
    made = await room.desk.say("Exemplar Gloves", "agency", LEI)
    await room.desk.number(made)
    async with room.database.read() as store:
        part = await noticing._look(store, Portfolios())
    assert part is not None
    assert await room.told() == [("new", made.hash, "V1")]
    async with room.database.write() as store:
        assert await store.watches.tell(part.alerts, NOW) == 0


# --- the list


async def test_rows_are_added_changed_replaced_and_removed_with_all_that_was_told_of_them(room: WatchRoom) -> None:
    assert vars_of(await room.keep(A=row("One"), B=row("Two"))) == (2, 0, 0, 0, 2)
    assert vars_of(await room.keep(A=row("One"), B=row("Two Ltd", country="SE"))) == (0, 1, 1, 0, 2)
    await room.watch()
    await room.desk.say("Two Ltd", "agency", country="SE")
    assert len(await room.told()) == 1
    assert vars_of(await room.keep(A=row("One"), C=row("Three"), replace=True)) == (1, 0, 1, 1, 2)
    assert await room.told() == []
    await room.desk.say("Two Ltd", "agency", country="SE")
    await room.desk.say("Three", "agency")
    assert [named for *_, named in await room.told()] == ["C"], "what was removed is not in memory either"


def vars_of(kept: Any) -> tuple[int, ...]:
    return (kept.added, kept.changed, kept.unchanged, kept.removed, kept.rows)


async def test_more_rows_than_one_officer_keeps_are_refused_as_a_whole(
    room: WatchRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comity_node.services.watching.vendors.MOST_VENDORS", 2)
    with pytest.raises(TooManyVendors, match="nothing changed"):
        await room.keep(A=row("One"), B=row("Two"), C=row("Three"))
    assert MOST_VENDORS == 20_000
    async with room.database.read() as store:
        assert await store.vendors.count(room.officer.id) == 0


def test_a_fingerprint_stands_for_all_that_identity_is_judged_by_and_for_no_order() -> None:
    one = row("A", LEI, CNPJ, country="MY")
    assert fingerprint(one) == fingerprint(Party(("A ",), "MY", (), one.identifiers[::-1]))
    others = [row("B", LEI, CNPJ, country="MY"), row("A", LEI, country="MY"), row("A", LEI, CNPJ)]
    assert fingerprint(one) not in {fingerprint(each) for each in others}


# --- rows that change while somebody looks


@pytest.mark.parametrize("whole", [True, False])
async def test_a_row_that_stands_in_the_place_of_the_newest_is_told_of_what_comes(room: WatchRoom, whole: bool) -> None:
    await room.keep(V1=row("Aaa Mining"), V2=row("Bbb Mining"), V3=row("Ccc Mining"))
    await room.watch()
    await room.desk.say("Whoever", "agency")
    assert await room.told() == []
    left = {} if whole else {"V1": row("Aaa Mining"), "V2": row("Bbb Mining")}
    await room.keep(replace=True, **left)
    await room.keep(V4=row("Exemplar Gloves"))
    made = await room.desk.say("Exemplar Gloves", "agency", LEI)
    assert await room.told() == [("new", made.hash, "V4")]


async def test_a_list_replaced_between_looking_and_telling_is_looked_at_anew(
    room: WatchRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    await room.watch()
    made = await room.desk.say("Exemplar Gloves", "agency", LEI)
    look = noticing._look

    async def looks(store: Store, portfolios: Portfolios) -> Any:
        found = await look(store, portfolios)
        monkeypatch.undo()
        await room.keep(replace=True)
        await room.keep(SECRET=row("Nobody We Know"), whose=room.other)
        await room.keep(V2=row("Exemplar Gloves"))
        return found

    monkeypatch.setattr(noticing, "_look", looks)
    assert await room.told() == [("new", made.hash, "V2")]


async def test_an_account_that_is_closed_is_told_no_more(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    await room.watch()
    first = await room.desk.say("Exemplar Gloves", "agency", LEI)
    assert await room.told() == [("new", first.hash, "V1")]
    async with room.database.write() as store:
        await close_person(store, room.officer.id, by="test", now=NOW)
        assert await store.watches.standing() == []
    await room.desk.say("Exemplar Gloves", "agency", LEI)
    assert len(await room.told()) == 1


async def test_a_watch_of_one_row_ends_when_that_is_removed_and_the_others_go_on(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"), V2=row("Exemplar Gloves"), V3=row("Exemplar Gloves"))
    of = [(await room.watch(vendor=await room.vendor(named)))[0] for named in ("V1", "V2", "V3")]
    every, _ = await room.watch()
    await room.keep(replace=True, V2=row("Exemplar Gloves"), V3=row("Exemplar Gloves"))
    vendor = await room.vendor("V2")
    async with room.database.write() as store:
        await remove_vendor(store, room.officer, vendor, NOW)
        assert [w.id for w in await store.watches.of_owner(room.officer.id)] == [of[2].id, every.id]
        ended = [e.subject for _, e in await store.trail.page(before=None, most=50) if e.event is Event.WATCH_ENDED]
    assert ended == [of[1].id, of[0].id]


# --- each officer's rows as if they were alone


def test_no_officer_is_left_out_since_many_keep_the_same_firm() -> None:
    party = row("Exemplar Gloves Sdn Bhd")
    portfolio = Portfolio(Vendor(n, f"{n}", "Ove", f"V{n}", party, NOW, n) for n in range(30))
    assert len(portfolio.touched_by(party)) == 30


async def test_what_one_officer_is_told_does_not_depend_on_the_rows_of_others(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves Sendirian"))
    await room.keep(whose=room.other, **{f"X{n}": row("Exemplar Gloves", LEI) for n in range(20)})
    await room.watch()
    made = await room.desk.say("Exemplar Gloves", "agency", LEI)
    assert await room.told() == [("new", made.hash, "V1")]


def test_a_row_with_one_of_many_names_is_found_beside_one_with_all_of_them() -> None:
    names = ("Exemplar Gloves", "Northwind Rubber", "Fazenda Santa Rosa", "Kowalski Trading", "Zephyr Quarry")
    parties = [Party(names), row("Zephyr Quarry")]
    portfolio = Portfolio(Vendor(n, f"{n}", "Ove", f"V{n}", party, NOW, n) for n, party in enumerate(parties))
    assert {touched.vendor.row for touched in portfolio.touched_by(Party(names))} == {"V0", "V1"}
    portfolio.remove(0)
    assert [touched.vendor.row for touched in portfolio.touched_by(Party(names))] == ["V1"]
    portfolio.remove(1)
    assert portfolio.touched_by(Party(names)) == [] and not portfolio._postings, "nothing is left of it"


# --- what was told and stands no more


async def test_whoever_was_told_of_a_statement_is_told_when_it_does_not_count_any_more(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"), V2=row("Exemplar Gloves"))
    await room.keep(X=row("Exemplar Gloves"), whose=room.other)
    await room.watch(least_severity="S3")
    await room.watch(whose=room.other, news=(News.NEW,))
    await room.desk.say("Whoever", "agency")
    made = await room.desk.say("Exemplar Gloves", "agency", LEI, severity="S3")
    new = [("new", made.hash, "V1"), ("new", made.hash, "V2")]
    assert await room.told() == new
    agency = room.desk.publishers["agency"].member()
    removed = [("removed", made.hash, "V1"), ("removed", made.hash, "V2")]
    for raw, told in ((b"altered", [*new, *removed]), (made.raw, [*new, *removed, *new])):
        async with room.database.write() as store:
            await run(store, "update received set raw = :raw where seq = 2", raw=raw)
        for _ in range(2):
            async with room.database.write() as store:
                await redecide(store, agency, NOW, why="registry")
            assert await room.told() == told
    assert len(await room.told(room.other)) == 1, "who asks for what is new only"


@pytest.mark.parametrize(
    ("revision", "told"),
    [
        ({"severity": "S1"}, "superseded"),
        ({"name": "Zephyr Quarry"}, "superseded"),
        ({"severity": "S3"}, "changed"),
    ],
)
@pytest.mark.parametrize("part", [1, 200])
async def test_whoever_was_told_of_a_statement_is_told_of_its_revision_whatever_that_says(
    room: WatchRoom, revision: dict[str, Any], told: str, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noticing, "PART", part)
    await room.keep(V1=row("Exemplar Gloves"))
    await room.watch(least_severity="S3")
    made = await room.desk.say("Exemplar Gloves", "agency", severity="S4")
    later = {"name": "Exemplar Gloves", "severity": "S4", **revision}
    revised = await room.desk.say(by="agency", replaces=made.hash, **later)
    about = made if told == "superseded" else revised
    assert await room.told() == [("new", made.hash, "V1"), (told, about.hash, "V1")]


@pytest.mark.parametrize("what", ["withdrawn", "expired"])
async def test_whoever_was_told_of_a_statement_is_told_of_its_end_whatever_became_of_row_and_supplier(
    room: WatchRoom, what: str
) -> None:
    await room.keep(V1=row("Exemplar Gloves"), V2=row("Exemplar Gloves"))
    made = await room.desk.say("Exemplar Gloves", "agency", LEI, valid_until="2026-10-31")
    await room.desk.say("Exemplar Gloves", "agency", LEI)
    number = await room.desk.number(made)
    await room.look()
    await room.watch(news=(News.NEW, News(what)))
    await room.watch(vendors=False, supplier=number)
    apart = await room.desk.say("Exemplar Gloves", "agency", LEI, valid_until="2026-10-31")
    told = [("new", apart.hash, "V1"), ("new", apart.hash, "V2"), ("new", apart.hash, None)]
    assert await room.told() == told
    await room.keep(V1=row("Exemplar Glove Works Sdn. Bhd. of Klang"), V2=row("Zephyr Quarry"))
    await room.desk.split(number, apart)
    await room.look()
    if what == "withdrawn":
        await room.desk.withdraw("agency", apart)
    else:
        async with room.database.write() as store:
            await note_endings(store, NOW + timedelta(days=60))
    ends = [each for each in await room.told() if each[:2] == (what, apart.hash)]
    assert sorted(named or "" for *_, named in ends) == ["", "V1", "V2"]


async def test_a_row_that_was_judged_to_be_somebody_else_hears_nothing_more_of_a_revision(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    await room.watch()
    made = await room.desk.say("Exemplar Gloves", "agency", LEI)
    assert len(await room.told()) == 1
    vendor, number = await room.vendor("V1"), await room.desk.number(made)
    async with room.database.write() as store:
        await judge_vendor(store, room.officer, vendor, number, VendorJudged.NOT_SAME, None, NOW)
    await room.desk.say("Zephyr Quarry", "agency", CNPJ, replaces=made.hash)
    assert len(await room.told()) == 1
