"""What watches send: once, signed, tried again under one id, and never to where it must not go."""

import asyncio
import hashlib
import hmac
import json
import socket
import time
from base64 import b64decode
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from comity_node.db import Database
from comity_node.domain.trail import Event
from comity_node.domain.watching.watches import Channel, Timing, WatchRefused
from comity_node.services.receiving.settle import redecide
from comity_node.services.watching import sending, webhooks
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
from comity_node.services.watching.vendors import keep_vendors
from comity_node.services.watching.watches import end_watch
from comity_node.services.watching.webhooks import NotDelivered, call, check_url
from filled_database import run
from node_world import NOW
from supplier_desk import LEI
from watch_room import INSIDE, LOCAL, Receiver, WatchRoom, receiver, row, watch_room_at


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


async def test_a_digest_is_not_followed_by_another_for_what_was_being_stored_while_it_was_made(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    async with receiver() as taken:
        await room.watch(Channel.WEBHOOK, taken.url, Timing.DAILY)
        for looked, made in ((0, 1_440), (1_439, 1_441), (2_800, 2_880)):
            await room.desk.say("Exemplar Gloves", "agency", LEI)
            await room.look(NOW + timedelta(minutes=looked))
            await make_deliveries(room.database, NOW + timedelta(minutes=made))
            await try_due(room.database, INSIDE, NOW + timedelta(minutes=made))
    assert [len(body["alerts"]) for body in taken.bodies] == [1, 2]


async def test_a_digest_of_more_than_one_delivery_holds_waits_for_no_second_day(
    room: WatchRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MOST_TOLD", 2)
    await room.keep(V1=row("Exemplar Gloves"))
    async with receiver() as taken:
        await room.watch(Channel.WEBHOOK, taken.url, Timing.WEEKLY)
        for _ in range(5):
            await room.desk.say("Exemplar Gloves", "agency", LEI)
        await room.look()
        for minutes in range(4):
            now = NOW + timedelta(days=7, minutes=minutes)
            await make_deliveries(room.database, now)
            await try_due(room.database, INSIDE, now)
    assert [len(body["alerts"]) for body in taken.bodies] == [2, 2, 1]


@pytest.mark.parametrize(("timing", "sent"), [(Timing.AT_ONCE, 3), (Timing.DAILY, 2)])
async def test_a_clock_that_was_days_ahead_for_a_while_holds_up_nothing(
    room: WatchRoom, timing: Timing, sent: int
) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    async with receiver() as taken:
        await room.watch(Channel.WEBHOOK, taken.url, timing)
        for hours in (48, 1, 2):
            now = NOW + timedelta(hours=hours)
            await room.desk.say("Exemplar Gloves", "agency", LEI)
            await room.look(now)
            await make_deliveries(room.database, now)
            await try_due(room.database, INSIDE, now)
    assert len(taken.calls) == sent


@pytest.mark.parametrize("tried", [True, False])
async def test_what_was_made_or_not_taken_while_the_clock_was_ahead_does_not_wait_for_that_day(
    room: WatchRoom, tried: bool
) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    async with receiver() as taken:
        taken.answers = [b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"] if tried else []
        await room.watch(Channel.WEBHOOK, taken.url)
        await room.desk.say("Exemplar Gloves", "agency", LEI)
        ahead = NOW + (timedelta(days=300) if tried else timedelta(hours=5))
        await room.look(ahead)
        await make_deliveries(room.database, ahead)
        if tried:
            await try_due(room.database, INSIDE, ahead)
        assert await try_due(room.database, INSIDE, NOW) == 1
        assert await try_due(room.database, INSIDE, NOW) == 0
    assert len(taken.calls) == (2 if tried else 1)


async def test_many_that_do_not_answer_hold_up_nobody(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    async with receiver() as taken:
        for _ in range(10):
            await room.watch(Channel.WEBHOOK, "http://127.0.0.1:1/")
        for turn in range(2):
            await room.desk.say("Exemplar Gloves", "agency", LEI)
            await room.look()
            await make_deliveries(room.database, NOW)
            await try_due(room.database, INSIDE, NOW)
            if not turn:
                await room.watch(Channel.WEBHOOK, taken.url)
    assert len(taken.calls) == 1, "before ten of whom something was not taken"


async def test_alerts_that_went_with_their_rows_are_no_test_and_nothing_is_sent(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    async with receiver() as taken:
        watch, _ = await room.watch(Channel.WEBHOOK, taken.url)
        await room.desk.say("Exemplar Gloves", "agency", LEI)
        await room.look()
        await make_deliveries(room.database, NOW)
        await room.keep(replace=True)
        await try_due(room.database, INSIDE, NOW)
    assert taken.calls == []
    async with room.database.read() as store:
        (delivery,) = await store.deliveries_of_watches.page(watch.number, before=None, most=10)
    assert (delivery.state, delivery.said) == ("dropped", "the rows that it was about were removed")


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


async def test_what_was_taken_while_its_watch_was_ended_stands_in_the_log_as_sent(room: WatchRoom) -> None:
    await room.keep(V1=row("Exemplar Gloves"))
    taken = Receiver()

    async def ends_and_takes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with room.database.write() as store:
            await end_watch(store, room.officer, watch.id, NOW)
        await taken.serve(reader, writer)

    async with await asyncio.start_server(ends_and_takes, "127.0.0.1", 0) as server:
        watch, _ = await room.watch(Channel.WEBHOOK, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        await room.desk.say("Exemplar Gloves", "agency", LEI)
        await room.look()
        await make_deliveries(room.database, NOW)
        await try_due(room.database, INSIDE, NOW)
    async with room.database.read() as store:
        (delivery,) = await store.deliveries_of_watches.page(watch.number, before=None, most=10)
    assert (len(taken.calls), delivery.state, delivery.tries) == (1, "sent", 1)


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
        "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "fec0::1", "::a00:1", "64:ff9b:1::a00:1",
        "::ffff:0:a00:1",
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


async def test_who_answered_has_taken_it_however_slow_or_endless_the_rest_of_the_answer_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhooks, "_WITHIN_S", 5.0)
    begun = time.monotonic()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 5_000)
        await writer.drain()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        assert await call(url, "whsec_QQ==", "d1", {}, NOW, LOCAL) == "it answered 200"
    assert time.monotonic() - begun < 4


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example", ".example"])
async def test_a_host_that_no_resolver_is_asked_for_is_not_delivered_to_as_any_other(host: str) -> None:
    with pytest.raises(NotDelivered, match="no address"):
        await call(f"https://{host}/", "whsec_QQ==", "d1", {}, NOW, ())


async def test_looking_up_a_host_takes_no_longer_than_the_call_may(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolves(*_: Any, **__: Any) -> list[Any]:
        await asyncio.sleep(5)
        return []

    monkeypatch.setattr(webhooks, "_WITHIN_S", 0.1)
    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", resolves)
    with pytest.raises(NotDelivered, match="no answer within"):
        await call("https://hooks.example/", "whsec_QQ==", "d1", {}, NOW, ())


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
