"""Watches: news reaches whom it concerns once, and nobody else; what is sent is signed and never strays."""

import hashlib
import hmac
import json
import socket
from base64 import b64decode
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from comity_node.db import Database
from comity_node.db.suppliers import Wanted
from comity_node.domain.changing import News
from comity_node.domain.errors import NotFound, SamePerson
from comity_node.domain.matching.party import Party
from comity_node.domain.trail import Event
from comity_node.domain.watching.judging import Holds, VendorJudged, VendorJudgementRefused
from comity_node.domain.watching.vendors import MOST_VENDORS, TooManyVendors, fingerprint
from comity_node.domain.watching.watches import Channel, Timing, WatchRefused
from comity_node.services.receiving.settle import redecide
from comity_node.services.watching import judging, noticing, webhooks
from comity_node.services.watching.endings import note_endings
from comity_node.services.watching.noticing import rows_touched
from comity_node.services.watching.retention import forget_old
from comity_node.services.watching.sending import (
    RETRIES,
    Outward,
    compose,
    make_deliveries,
    make_test,
    try_delivery,
    try_due,
)
from comity_node.services.watching.vendors import Portfolios, keep_vendors
from comity_node.services.watching.watches import end_watch
from comity_node.services.watching.webhooks import NotDelivered, call, check_url
from filled_database import run
from node_world import NOW
from supplier_desk import CNPJ, LEI, OTHER_CNPJ
from watch_room import INSIDE, LOCAL, WatchRoom, receiver, row, watch_room_at


@pytest_asyncio.fixture
async def room(sqlite: Database) -> WatchRoom:
    return await watch_room_at(sqlite)


# --- whom news concerns


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


async def test_which_of_my_rows_a_statement_touches_is_answered_for_my_rows_only(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"), V2=row("Another Firm"))
    await room.keep(X=row("Exemplar Gloves"), whose=room.other)
    made = await room.desk.say("Exemplar Gloves", "agency", LEI)
    await room.look()
    async with room.database.read() as store:
        touched = await rows_touched(store, Portfolios(), room.officer.id, made.hash)
        assert touched is not None
        assert [(c.vendor.row, c.verdict) for c in touched] == [("V1", "review")]
        assert await rows_touched(store, Portfolios(), room.officer.id, "N" * 43) is None


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


# --- judgements


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
    assert await meant(room) == {"recognised": [], "to_judge": [(one, None)], "decided": []}


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


async def test_nobody_judges_or_undoes_for_the_rows_of_somebody_else(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    number = await room.desk.number(await room.desk.say("Exemplar Gloves", "agency", LEI))
    made, vendor = await judge(room, number, VendorJudged.SAME), await room.vendor("V1")
    async with room.database.write() as store:
        with pytest.raises(NotFound):
            await judging.judge_vendor(store, room.other, vendor, number, VendorJudged.SAME, None, NOW)
        with pytest.raises(NotFound):
            await judging.undo_vendor_judgement(store, room.other, made, NOW)


# --- sending


async def test_a_webhook_is_called_once_signed_and_says_what_the_feed_says(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    async with receiver() as taken:
        _, secret = await room.watch(Channel.WEBHOOK, taken.url)
        made = await room.desk.say("Exemplar Gloves", "agency", LEI)
        await room.look()
        for _ in range(2):
            await make_deliveries(room.database, NOW)
            await try_due(room.database, INSIDE, NOW)
    ((headers, body),) = taken.calls
    (alert,) = taken.bodies[0]["alerts"]
    assert (alert["row"], alert["change"]["statement"]) == ("V1", made.hash)
    assert secret is not None
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = hmac.new(b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert b64decode(headers["webhook-signature"].removeprefix("v1,")) == expected
    assert int(headers["webhook-timestamp"]) == int(NOW.timestamp())


async def test_what_is_not_taken_is_tried_again_under_its_id_with_growing_pauses_and_given_up(
    room: WatchRoom,
) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    refusal = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with receiver() as taken:
        watch, _ = await room.watch(Channel.WEBHOOK, taken.url)
        await room.desk.say("Exemplar Gloves", "agency", LEI)
        await room.look()
        await make_deliveries(room.database, NOW)
        taken.answers = [refusal] * 20
        now = NOW
        for pause in RETRIES:
            assert await try_due(room.database, INSIDE, now) == 1
            assert await try_due(room.database, INSIDE, now + pause - timedelta(seconds=1)) == 0
            now += pause
        assert await try_due(room.database, INSIDE, now) == 1
        assert await try_due(room.database, INSIDE, now + timedelta(days=9)) == 0
    assert len({headers["webhook-id"] for headers, _ in taken.calls}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in taken.calls}) == len(taken.calls) == len(RETRIES) + 1
    async with room.database.read() as store:
        (delivery,) = await store.deliveries_of_watches.page(watch.number, before=None, most=10)
    assert (delivery.state, delivery.tries) == ("given-up", 9)
    assert delivery.said == "it answered 302, and a redirect is not followed"
    assert len(await room.alerts()) == 1, "the alert is there for whoever looks"


async def test_a_crash_after_a_call_tries_again_under_the_same_id(
    room: WatchRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    async with receiver() as taken:
        await room.watch(Channel.WEBHOOK, taken.url)
        await room.desk.say("Exemplar Gloves", "agency", LEI)
        await room.look()
        await make_deliveries(room.database, NOW)
        async with room.database.read() as store:
            repository = type(store.deliveries_of_watches)

        async def dies(*_: Any) -> None:
            raise KeyError

        with monkeypatch.context() as patched:
            patched.setattr(repository, "put", dies)
            with pytest.raises(KeyError):
                await try_due(room.database, INSIDE, NOW)
        await try_due(room.database, INSIDE, NOW)
        await try_due(room.database, INSIDE, NOW)
    assert [headers["webhook-id"] for headers, _ in taken.calls] == [taken.bodies[0]["delivery"]] * 2


async def test_a_digest_waits_for_its_day_and_then_tells_all_at_once(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    async with receiver() as taken:
        await room.watch(Channel.WEBHOOK, taken.url, Timing.DAILY)
        for _ in range(3):
            await room.desk.say("Exemplar Gloves", "agency", LEI)
        await room.look()
        for hours in (0, 23, 24, 25, 47):
            await make_deliveries(room.database, NOW + timedelta(hours=hours))
            await try_due(room.database, INSIDE, NOW + timedelta(hours=hours))
            assert len(taken.calls) == (0 if hours < 24 else 1)
    assert len(taken.bodies[0]["alerts"]) == 3


async def test_a_watch_that_was_ended_sends_nothing_that_waited(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    async with receiver() as taken:
        watch, _ = await room.watch(Channel.WEBHOOK, taken.url)
        await room.desk.say("Exemplar Gloves", "agency", LEI)
        await room.look()
        await make_deliveries(room.database, NOW)
        async with room.database.write() as store:
            await end_watch(store, room.officer, watch.id, NOW)
        assert await try_due(room.database, INSIDE, NOW) == 0
        await room.desk.say("Exemplar Gloves", "agency", LEI)
        assert len(await room.told()) == 1
    assert taken.calls == []


async def test_a_mail_names_rows_by_the_officers_own_ids_and_nobody_by_name(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    watch, _ = await room.watch(Channel.MAIL, "ove@agency.example")
    await room.desk.say("Exemplar Gloves", "agency", LEI)
    (alert,) = await room.alerts()
    async with room.database.write() as store:
        vendors = await store.vendors.by_number([alert.vendor or 0])
        number = await make_test(store, watch, NOW)
        delivery = await store.deliveries_of_watches.find(number)
    assert delivery is not None
    message = compose("node@agency.example", watch, delivery, [alert], vendors, "agency", NOW)
    said = message.as_string()
    assert "new, your row V1 (review)" in said and message["To"] == "ove@agency.example"
    assert "Gloves" not in said
    assert delivery.id in message["Message-ID"], "the same however often it is tried"


async def test_without_a_mail_server_the_log_says_why_and_the_alert_stays(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    watch, _ = await room.watch(Channel.MAIL, "ove@agency.example")
    await room.desk.say("Exemplar Gloves", "agency", LEI)
    await room.look()
    await make_deliveries(room.database, NOW)
    await try_due(room.database, Outward(None, (), "agency"), NOW)
    async with room.database.read() as store:
        (delivery,) = await store.deliveries_of_watches.page(watch.number, before=None, most=10)
    assert delivery.state == "waiting" and "mail_host" in (delivery.said or "")


async def test_a_test_is_tried_by_whoever_asked_for_it_and_not_by_the_exchange_beside(room: WatchRoom) -> None:
    async with receiver() as taken:
        watch, _ = await room.watch(Channel.WEBHOOK, taken.url)
        async with room.database.write() as store:
            number = await make_test(store, watch, NOW)
        assert await try_due(room.database, INSIDE, NOW) == 0
        assert (await try_delivery(room.database, INSIDE, number, NOW)).state == "sent"
        assert await try_due(room.database, INSIDE, NOW + RETRIES[0]) == 0
    assert len(taken.calls) == 1


async def test_old_alerts_and_deliveries_are_forgotten_and_nothing_is_told_a_second_time(database: Database) -> None:
    room = await watch_room_at(database)
    await room.keep(V1=row("Exemplar Gloves"), V2=row("Exemplar Gloves"))
    async with receiver() as taken:
        await room.watch(Channel.WEBHOOK, taken.url)
        await room.watch()
        old = await room.desk.say("Exemplar Gloves", "agency", LEI)
        assert len(await room.told()) == 4
        late = NOW + timedelta(days=500)
        assert await forget_old(database, 13, late) == 2, "what waits to be sent is kept"
        await make_deliveries(database, NOW)
        await try_due(database, INSIDE, NOW)
        assert await forget_old(database, 13, NOW + timedelta(days=390)) == 0, "never too soon"
        assert (await forget_old(database, 13, late), await forget_old(database, 13, late)) == (2, 1)
        assert await forget_old(database, 13, late) == 0
    async with database.write() as store:
        await redecide(store, room.desk.publishers["agency"].member(), late, why="registry")
    assert await room.told() == [], "decided anew, and told before"
    await room.desk.withdraw("agency", old)
    assert [what for what, *_ in await room.told()] == ["withdrawn"] * 4
    async with database.read() as store:
        page = await store.trail.page(before=None, most=50)
    assert [json.loads(e.detail) for _, e in page if e.event is Event.ALERTS_FORGOTTEN] == [
        {"alerts": 0, "deliveries": 1},
        {"alerts": 2, "deliveries": 0},
        {"alerts": 2, "deliveries": 0},
    ]
    await room.keep(V1=row("Exemplar Gloves"), replace=True)
    async with database.read() as store:
        left = (await run(store, "select distinct vendor from forgotten_alert")).all()
    assert left == [(1,)], "it goes with its row"


# --- where webhooks may not go


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hooks.example/",
        "https:///nohost",
        "https://user:pass@hooks.example/",
        "https://hooks.example/#part",
        "https://hooks.example:0/",
        "https://hooks.example/a b",
        "https://hooks.example/" + "a" * 500,
        "https://[::1",
        "file:///etc/passwd",
    ],
)
def test_a_url_that_is_none_to_call_is_refused(url: str) -> None:
    with pytest.raises(NotDelivered):
        check_url(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fc00::1", "fe80::1", "ff02::1", "::ffff:10.0.0.1",
        "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:a00:1::",
    ],
)  # fmt: skip
async def test_no_webhook_reaches_the_organisations_own_network_however_its_host_is_written(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    asked = []

    async def resolves(_self: Any, host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(family, 1, 6, "", ("93.184.215.14", port)), (family, 1, 6, "", (address, port))]

    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", resolves)
    with pytest.raises(NotDelivered, match="webhook_networks"):
        await call("https://hooks.example/", "whsec_QQ==", "d1", {}, NOW, ())
    assert asked == ["hooks.example"]


async def test_a_name_that_resolves_to_another_address_a_moment_later_gains_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]

    async def resolves(_self: Any, host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, 1, 6, "", (each, port)) for each in answers.pop(0)]

    async with receiver() as taken:
        monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", resolves)
        said = await call(f"http://hooks.example:{taken.port}/x", "whsec_QQ==", "d1", {"a": 1}, NOW, LOCAL)
    assert said == "it answered 204"
    assert taken.calls[0][0]["host"] == f"hooks.example:{taken.port}"


async def test_plain_http_is_for_this_machine_only_and_only_if_it_is_allowed() -> None:
    async with receiver() as taken:
        with pytest.raises(NotDelivered, match="called by https"):
            await call(taken.url, "whsec_QQ==", "d1", {}, NOW, ())
    assert taken.calls == []


async def test_an_answer_that_never_ends_is_left_after_a_bounded_time_and_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhooks, "_MOST_ANSWER", 1_000)
    async with receiver() as taken:
        taken.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 5_000]
        assert await call(taken.url, "whsec_QQ==", "d1", {}, NOW, LOCAL) == "it answered 200"


@pytest.mark.parametrize(
    ("channel", "target", "timing"),
    [
        (Channel.FEED, "https://hooks.example/", Timing.AT_ONCE),
        (Channel.MAIL, None, Timing.AT_ONCE),
        (Channel.FEED, None, Timing.DAILY),
    ],
)
async def test_a_watch_that_does_not_fit_itself_is_refused(
    room: WatchRoom, channel: Channel, target: str | None, timing: Timing
) -> None:
    with pytest.raises(WatchRefused, match="nothing was changed"):
        await room.watch(channel, target, timing)


async def test_whom_somebody_watches_lies_sealed_in_the_database(town: Any) -> None:
    house = await town.found("agency")
    await town.refresh()
    officer = await house.hire("officer", "officer")
    async with house.node.database.write() as store:
        await keep_vendors(store, officer.person, [("V1", row("Secretly Watched Gloves"))], NOW)
    async with house.api(officer) as api:
        assert (await api.get("/api/v1/vendors")).json()["items"][0]["names"] == ["Secretly Watched Gloves"]
        made = await api.post("/api/v1/watches", json={"title": "mine", "mail": "ove@secret.example"})
        assert made.status_code == 201, made.text
    path = Path(house.node.settings.database.partition("///")[2])
    await house.node.database.close()
    content = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert b"ix_vendor_version" in content, "this is the database"
    assert b"Secretly Watched" not in content and b"secret.example" not in content
