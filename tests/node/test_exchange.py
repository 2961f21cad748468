"""The exchange as a whole: one process a node, what holds it up said in words, and what goes on meanwhile."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from comity_federation import strict_json
from comity_federation.bus import checkpoints_topic, statements_topic
from comity_federation.checkpoints import open_checkpoint
from comity_federation.encoding import digest
from comity_federation.keys import KeyFileUnreadable, new_signing_pair
from comity_federation.registry import Lifetimes, publish
from comity_federation.registry.changes import enter
from comity_node.db.reports import StoredReport
from comity_node.domain.minimize import Policy
from comity_node.domain.people import PersonRole
from comity_node.domain.screening import Question, State
from comity_node.services.accounts import add_person
from comity_node.services.answering.moment import Coverage, cover
from comity_node.services.answering.screen import screen
from comity_node.services.review.release import approve, propose_release
from comity_node.workers.exchange import Exchange, ExchangeRuns, Part
from comity_schemas.member import Member, MemberStatus, Role, SigningKey
from heard import hear
from node_world import House, Town, audit_report, clean_environment, exchanging, until

QUICK: dict[str, object] = {"registry_every_s": 0.3}


BOTH = tuple(Part)


async def release(house: House, ref: str) -> None:
    """Let two people of a node release one finding."""
    now = house.node.clock()
    raw = strict_json.dumps(audit_report(ref=ref).to_parsed())
    async with house.node.database.write() as store:
        one, two = [
            await add_person(store, name=f"{ref} {n}", roles=roles, firm=None, password_hash=None, by="test", now=now)
            for n, roles in enumerate([[PersonRole.REVIEWER], [PersonRole.FOCAL_POINT]])
        ]
        await store.reports.add(
            StoredReport(digest(raw), "register", raw, None, None, None, None, ref, (), one.id, now)
        )
        review = await propose_release(store, one, digest(raw), "O1", policy=Policy(), now=now)
        await hear(store, one, review.id, now)
        await approve(store, two, review.id, now, Role.AGENCY)


async def conditions(house: House) -> dict[str, str]:
    async with house.node.database.read() as store:
        return {condition.name: condition.text for condition in await store.conditions.all()}


def held_up(house: House, name: str) -> Callable[[], Awaitable[str | None]]:
    async def ask() -> str | None:
        return (await conditions(house)).get(name)

    return ask


def clear_of(house: House, name: str) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return name not in await conditions(house)

    return ask


def outbox_is(house: House, **expected: int) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        async with house.node.database.read() as store:
            return await store.outbox.counts() == expected

    return ask


def records_are(house: House, slug: str, **expected: int) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        async with house.node.database.read() as store:
            return (await store.received.counts()).get(slug, {}) == expected

    return ask


async def coverage(house: House) -> Coverage:
    registry = house.node.trusted_registry()
    async with house.node.database.read() as store:
        return cover(registry, {log.member: log for log in await store.logs.all()}, house.node.clock())


async def on_topic(town: Town, topic: str) -> list[bytes]:
    log = town.log()
    try:
        return [delivered.value for delivered in await log.tail(topic, most=1_000)]
    finally:
        await log.stop()


def own_entry(house: House) -> Member:
    return Member.from_parsed(strict_json.loads(house.node.home.member_file.read_bytes()))


async def test_a_second_exchange_of_one_home_is_refused_with_exit_code_3_and_says_why(town: Town) -> None:
    house = await town.found("agency", more=QUICK)
    async with exchanging(house):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "comity_node.workers", str(house.home)),
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=clean_environment(),
        )
        _, stderr = await process.communicate()
    assert process.returncode == 3
    assert b"this node's exchange runs" in stderr


async def test_the_lock_is_free_again_when_an_exchange_ends(town: Town) -> None:
    house = await town.found("agency", more=QUICK)
    async with exchanging(house):
        with pytest.raises(ExchangeRuns):
            await Exchange(house.node, house.node.bus()).run()
    async with exchanging(house):
        await until("it publishes", lambda: on_topic(town, checkpoints_topic("agency")))


@pytest.mark.parametrize("part", BOTH)
async def test_a_part_that_runs_alone_cannot_run_a_second_time_and_the_other_can(town: Town, part: Part) -> None:
    house = await town.found("agency", more=QUICK)
    (other,) = set(Part) - {part}
    async with exchanging(house, part):
        for refused in (BOTH, (part,)):
            with pytest.raises(ExchangeRuns, match=part):
                await Exchange(house.node, house.node.bus(), refused).run()
        async with exchanging(house, other):
            await until("it publishes", lambda: on_topic(town, checkpoints_topic("agency")))


async def test_parts_in_two_processes_do_what_one_exchange_does(town: Town) -> None:
    house = await town.found("agency", more=QUICK)
    await release(house, "a")
    async with exchanging(house, Part.RECEIVER), exchanging(house, Part.RELAY):
        await until("it is out, read and counted", records_are(house, "agency", accepted=1))
        assert await outbox_is(house, sent=1)()
        assert await conditions(house) == {}


async def test_the_receiver_needs_no_signing_key_and_the_relay_alone_receives_nothing(town: Town) -> None:
    house = await town.found("agency", more=QUICK)
    await town.refresh()
    await release(house, "a")
    async with exchanging(house, Part.RELAY):
        await until("it is out", outbox_is(house, sent=1))
    assert await records_are(house, "agency")()
    house.node.home.signing_key.unlink()
    async with exchanging(house, Part.RECEIVER):
        await until("it is read and counted", records_are(house, "agency", accepted=1))
    with pytest.raises(KeyFileUnreadable):
        Exchange(house.node, house.node.bus(), (Part.RELAY,))


async def test_the_relay_alone_notices_a_log_that_is_lost_and_sends_it_again(town: Town) -> None:
    house = await town.found("agency", more=QUICK)
    await town.refresh()
    await release(house, "a")
    async with exchanging(house, Part.RELAY):
        await until("it is out", outbox_is(house, sent=1))
        before = await on_topic(town, statements_topic("agency"))
        for left in town.directory.glob("log.db*"):
            left.unlink()

        async def again() -> bool:
            return await on_topic(town, statements_topic("agency")) == before

        await until("it is sent again unchanged", again, seconds=20)


async def test_a_bus_that_is_away_holds_up_the_relay_alone_under_its_own_name(tmp_path: Path) -> None:
    later = tmp_path / "later"
    town = Town(tmp_path, bus=f"local:{later / 'log.db'}")
    house = await town.found("agency", more=QUICK)
    await town.refresh()
    async with exchanging(house, Part.RELAY):
        assert str(later) in await until("it says so", held_up(house, "relay"))
        later.mkdir()
        await until("the condition clears", clear_of(house, "relay"))
        assert await conditions(house) == {}
    await town.close()


async def test_an_exchange_ends_with_the_process_that_started_it(town: Town) -> None:
    house = await town.found("agency", more=QUICK)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "comity_node.workers", str(house.home)),
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=clean_environment(),
    )
    await until("it runs", lambda: on_topic(town, checkpoints_topic("agency")))
    assert process.returncode is None
    assert process.stdin is not None
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 20) == 0


async def test_a_bus_that_is_away_is_said_in_words_signs_nothing_and_clears_by_itself(tmp_path: Path) -> None:
    later = tmp_path / "later"
    town = Town(tmp_path, bus=f"local:{later / 'log.db'}")
    house = await town.found("agency", more=QUICK)
    await release(house, "a")
    async with exchanging(house):
        text = await until("it says so", held_up(house, "bus"))
        assert str(later) in text
        assert await outbox_is(house, queued=1)()
        later.mkdir()
        await until("the condition clears", clear_of(house, "bus"))
        await until("what waited goes out", outbox_is(house, sent=1))
        assert await conditions(house) == {}
    await town.close()


async def test_a_registry_that_is_away_is_said_in_words_and_clears_by_itself(town: Town) -> None:
    house = await town.found("agency", more=QUICK)
    async with exchanging(house):
        await until("it runs", lambda: on_topic(town, checkpoints_topic("agency")))
        away = town.world.path.rename(town.directory / "away")
        text = await until("it says so", held_up(house, "registry"))
        assert text
        await release(house, "a")
        await until("the last good list goes on", outbox_is(house, sent=1))
        away.rename(town.world.path)
        await until("the condition clears", clear_of(house, "registry"))


async def test_a_registry_away_from_the_start_signs_nothing_until_it_is_there(town: Town) -> None:
    house = await town.found("agency", more=QUICK)
    await release(house, "a")
    away = town.world.path.rename(town.directory / "away")
    async with exchanging(house):
        await until("it says so", held_up(house, "registry"))
        assert await outbox_is(house, queued=1)()
        away.rename(town.world.path)
        await until("what waited goes out", outbox_is(house, sent=1))
        assert await conditions(house) == {}


async def test_a_condition_of_an_earlier_run_is_cleared_by_the_first_success(town: Town) -> None:
    house = await town.found("agency", more=QUICK)
    async with house.node.database.write() as store:
        for name in ("bus", "registry", "relay", "topics", "exchange"):
            await store.conditions.set(name, "of an earlier run", house.node.clock())

    async def none() -> bool:
        return await conditions(house) == {}

    async with exchanging(house):
        await until("all is clear", none)


async def test_a_node_without_a_trusted_root_says_what_to_do(town: Town) -> None:
    house = await town.found("agency", more=QUICK)
    house.node.registry_client = None
    async with exchanging(house):
        assert "place root.json" in await until("it says so", held_up(house, "registry"))


async def test_a_node_that_the_registry_does_not_list_signs_nothing_and_says_so(town: Town) -> None:
    house = await town.found("agency", admit=False, more=QUICK)
    await release(house, "a")
    async with exchanging(house):
        text = await until("it says so", held_up(house, "relay"))
        assert "does not list agency" in text
        assert await outbox_is(house, queued=1)()
        assert await on_topic(town, checkpoints_topic("agency")) == []
        town.admit(own_entry(house))
        await until("what waited goes out", outbox_is(house, sent=1))
        await until("the condition clears", clear_of(house, "relay"))


async def test_a_node_whose_key_is_not_the_listed_one_signs_nothing_and_says_so(town: Town) -> None:
    house = await town.found("agency", admit=False, more=QUICK)
    entry = own_entry(house)
    other = new_signing_pair(f"{entry.did}#signing-2")
    listed = (*entry.signing_keys, SigningKey(kid=other.kid, key=other.public.key))
    town.admit(entry.model_copy(update={"signing_keys": listed}))
    await release(house, "a")
    async with exchanging(house):
        text = await until("it says so", held_up(house, "relay"))
        assert f"{entry.did}#signing-1" in text
        assert await outbox_is(house, queued=1)()
        assert await on_topic(town, statements_topic("agency")) == []


async def test_a_node_whose_member_is_pending_signs_nothing_and_says_so(town: Town) -> None:
    house = await town.found("agency", admit=False, more=QUICK)
    members = enter(town.world.directory.members(), own_entry(house), MemberStatus.PENDING)
    town.world.change(members, 0, 1)
    await release(house, "a")
    async with exchanging(house):
        assert "as pending" in await until("it says so", held_up(house, "relay"))
        assert await outbox_is(house, queued=1)()


async def test_a_checkpoint_makes_the_member_heard_at_a_peer(town: Town) -> None:
    agency, body = await town.found("agency", more=QUICK), await town.found("body", more=QUICK)
    await town.refresh()
    async with exchanging(body):

        async def body_heard() -> bool:
            return "body" in (await coverage(body)).heard

        await until("it hears itself", body_heard)
        assert ("agency", None) in (await coverage(body)).not_heard

        async def agency_heard() -> bool:
            return (await coverage(body)).complete

        async with exchanging(agency):
            await until("it hears the agency", agency_heard)
    assert set((await coverage(body)).heard) == {"agency", "body"}


async def test_a_new_head_is_announced_at_once_and_a_peer_that_lacks_it_knows(town: Town) -> None:
    agency, body = await town.found("agency", more=QUICK), await town.found("body", more=QUICK)
    await town.refresh()
    await release(agency, "a")

    async def announced() -> bool:
        said = await on_topic(town, checkpoints_topic("agency"))
        return bool(said) and open_checkpoint(said[-1], town.entry("agency")).seq == 1

    async with exchanging(agency):
        await until("it is out", outbox_is(agency, sent=1))
        await until("it is announced", announced)
    # What the bus now holds back from the peer.
    missing = town.log()
    town.bus = f"local:{town.directory / 'withheld.db'}"
    other = town.log()
    for raw in [d.value for d in await missing.tail(checkpoints_topic("agency"), most=10)]:
        await other.publish(checkpoints_topic("agency"), raw, {})
    await missing.stop()
    await other.stop()
    body.node.settings = body.node.settings.model_copy(update={"bus": town.bus})

    async def behind() -> bool:
        return (await coverage(body)).behind == (("agency", 1),)

    async with exchanging(body):
        await until("it knows that one is missing", behind)
    assert not (await coverage(body)).complete


async def test_a_log_that_is_lost_while_the_node_runs_gets_everything_again(town: Town) -> None:
    house = await town.found("agency", more=QUICK)
    await release(house, "a")
    async with exchanging(house):
        await until("it is out and read", records_are(house, "agency", accepted=1))
        before = await on_topic(town, statements_topic("agency"))
        for left in town.directory.glob("log.db*"):
            left.unlink()

        async def again() -> bool:
            return await on_topic(town, statements_topic("agency")) == before

        await until("it is sent again unchanged", again, seconds=20)


async def test_under_an_expired_registry_nothing_is_decided_or_lost_and_screening_goes_on(town: Town) -> None:
    agency, body = await town.found("agency", more=QUICK), await town.found("body", more=QUICK)
    await release(agency, "before")
    async with exchanging(agency), exchanging(body):
        await until("the first is accepted", records_are(body, "agency", accepted=1))
        town.world.directory.lifetimes = Lifetimes(hub=timedelta(seconds=3))
        publish(town.world.directory, town.world.hub)

        async def expired() -> bool:
            return (await coverage(body)).registry_expired is not None

        await until("the registry runs out", expired)
        assert "expired" in await until("it says so", held_up(body, "registry"))
        await release(agency, "during")
        await until("the second is in the inbox", records_are(body, "agency", accepted=1, new=1))
        # Longer than the settling of a record takes.
        await asyncio.sleep(1.5)
        assert await records_are(body, "agency", accepted=1, new=1)()
        async with body.node.database.read() as store:
            question = Question("Fazenda Exemplo Ltda", "BR")
            (answer,) = await screen(store, [question], body.node.trusted_registry(), datetime.now(UTC))
        assert answer.state is State.POSSIBLE
        assert answer.positions["agency"] == 1
        assert "nothing new is accepted" in answer.coverage.in_words()
        assert not answer.coverage.complete
        town.world.directory.lifetimes = Lifetimes()
        publish(town.world.directory, town.world.hub)
        await until("what waited is decided", records_are(body, "agency", accepted=2))
        await until("the condition clears", clear_of(body, "registry"))
    assert (await coverage(body)).registry_expired is None
