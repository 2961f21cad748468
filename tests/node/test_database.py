"""The database, on SQLite and on PostgreSQL: nothing is lost, half done, orphaned or said aloud without an error."""

import asyncio
import sqlite3
import threading
import time
import traceback
from contextlib import closing
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from comity_node.db import Database, DatabaseUnavailable
from comity_node.db import database as database_module
from comity_node.domain.changing import Change
from comity_node.domain.people import Person
from comity_node.domain.trail import Event
from filled_database import NOW, add_people, count, proposal, run, stored_report

# --- many rows at once


@pytest.mark.parametrize("many", [0, 1, 99, 100, 101, 250])
async def test_rows_written_together_are_all_there_once_and_in_their_order(database: Database, many: int) -> None:
    entries = [7 * n + 1 for n in range(many)]
    async with database.write() as store:
        await store.changes.note(entries, Change.ADDED, NOW)
    async with database.read() as store:
        noted = await store.changes.after(0, upto=1_000, most=1_000)
    assert [(change.number, change.entry) for change in noted] == list(enumerate(entries, start=1))


# --- transactions


async def test_twenty_parallel_read_modify_writes_lose_nothing(database: Database) -> None:
    async with database.write() as store:
        await store.conditions.set("counter", "0", NOW)

    async def add_one() -> None:
        async with database.write() as store:
            counted = int((await store.conditions.all())[0].text)
            await asyncio.sleep(0.002)
            await store.conditions.set("counter", str(counted + 1), NOW)

    await asyncio.gather(*(add_one() for _ in range(20)))
    async with database.read() as store:
        assert (await store.conditions.all())[0].text == "20"


async def test_parallel_writers_keep_the_trail_one_chain(database: Database) -> None:
    async def note(number: int) -> None:
        async with database.write() as store:
            await store.trail.add(NOW, "ana", Event.SCREENED, "suppliers", asked=number, positions={})

    await asyncio.gather(*(note(number) for number in range(12)))
    async with database.read() as store:
        assert await store.trail.first_break() is None
        assert len(await store.trail.page(before=None, most=50)) == 12


async def test_who_writes_soon_gets_a_turn_between_somebodys_many_transactions(sqlite: Database) -> None:
    async with sqlite.write() as store:
        await store.conditions.set("somebody", "0", NOW)
    ends, rounds = threading.Event(), 0

    def go_on_writing() -> None:
        nonlocal rounds
        with closing(sqlite3.connect(sqlite.url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)) as other:
            while not ends.is_set():
                other.execute("BEGIN IMMEDIATE")
                time.sleep(0.1)
                other.execute("COMMIT")
                rounds += 1
                time.sleep(0.001)

    busy = asyncio.create_task(asyncio.to_thread(go_on_writing))
    waited = []
    try:
        for _ in range(4):
            await asyncio.sleep(0.05)
            before = rounds
            async with sqlite.write() as store:
                await store.conditions.set("somebody", "waited", NOW)
            waited.append(rounds - before)
    finally:
        ends.set()
        await busy
    # With SQLite's own way of waiting hardly anybody gets in within its hundred rounds.
    assert max(waited) < 25


async def test_writers_of_a_process_wait_for_each_other_and_say_so_when_it_takes_too_long(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_WAITS_MS", 200)
    hasty = Database(sqlite.url)
    async with hasty.write() as store:
        await store.conditions.set("somebody", "first", NOW)
        with pytest.raises(DatabaseUnavailable, match="too many wait for the database at once"):
            async with hasty.write():
                pytest.fail("two write at once")
    async with hasty.write() as store:
        await store.conditions.set("somebody", "second", NOW)
    async with hasty.read() as store:
        assert [(c.name, c.text) for c in await store.conditions.all()] == [("somebody", "second")]
    await hasty.close()


async def test_an_error_in_a_write_rolls_back_everything(database: Database) -> None:
    with pytest.raises(LookupError):
        async with database.write() as store:
            await add_people(store, "ana")
            await store.conditions.set("half", "done", NOW)
            raise LookupError
    assert await count(database, "person") == await count(database, "condition") == 0


async def test_a_cancelled_write_rolls_back_everything(database: Database) -> None:
    begun = asyncio.Event()

    async def write() -> None:
        async with database.write() as store:
            await add_people(store, "ana")
            begun.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(write())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await count(database, "person") == 0
    async with database.write() as store:
        await add_people(store, "ana")
    assert await count(database, "person") == 1


async def test_a_rehearsal_sees_what_it_did_and_keeps_nothing(database: Database) -> None:
    async with database.rehearse() as store:
        await add_people(store, "ana")
        assert [person.name for person in await store.accounts.people()] == ["ana"]
    assert await count(database, "person") == 0


async def test_a_rehearsal_that_fails_keeps_nothing_and_blocks_nobody(database: Database) -> None:
    with pytest.raises(LookupError):
        async with database.rehearse() as store:
            await add_people(store, "ana")
            raise LookupError
    async with database.write() as store:
        await add_people(store, "ben")
    async with database.read() as store:
        assert [person.name for person in await store.accounts.people()] == ["ben"]


async def test_nothing_done_in_a_read_is_kept(database: Database) -> None:
    async with database.read() as store:
        await add_people(store, "ana")
    assert await count(database, "person") == 0


async def test_a_read_sees_one_state_while_somebody_writes(database: Database) -> None:
    async with database.read() as before:
        assert await before.accounts.people() == []
        async with database.write() as store:
            await add_people(store, "ana")
        assert await before.accounts.people() == []
    assert await count(database, "person") == 1


# --- what the database itself refuses

REFUSED = {
    "one person proposing and deciding": "update review set decided_by = proposed_by where id = 'v1'",
    "decided without a person": "update review set decided_by = null where id = 'v1'",
    "proposed and decided at once": "update review set state = 'proposed' where id = 'v1'",
    "unknown state of a review": "update review set state = 'half-approved' where id = 'v1'",
    "unknown act of a review": "update review set act = 'hide' where id = 'v1'",
    "unknown origin of a report": "update report set origin = 'rumour'",
    "unknown state of the outbox": "update outbox set state = 'lost', seq = 1",
    "signed without a place": "update outbox set state = 'signed'",
    "queued with a place": "update outbox set seq = 1",
    "unknown state of an entry": "update entry set state = 'hidden'",
    "unknown state of a received record": (
        "insert into received (id, member, raw, state, received_at) values (1, 'm', '', 'believed', '')"
    ),
    "a token of nobody": "update token set person_id = 'nobody'",
    "a review of no report": "update review set report_id = 'none'",
    "a decision by nobody": "update review set decided_by = 'nobody' where id = 'v1'",
    "a statement of no review": "update outbox set review_id = 'none'",
    "a person with tokens taken away": "delete from person where id = 'ana'",
    "two people of one name": "update person set name = 'ana'",
    "one review said twice": (
        "insert into outbox (review_id, state, outgoing) values ('v1', 'queued', '{}')"
    ),
}  # fmt: skip


async def test_the_database_refuses_what_the_code_must_never_do_also_from_raw_sql(filled: Database) -> None:
    kept = []
    for claim, statement in REFUSED.items():
        try:
            async with filled.rehearse() as store:
                await run(store, statement)
        except IntegrityError:
            continue
        kept.append(claim)
    assert kept == []


TAKEN = [
    "update review set decided_by = 'cid' where id = 'v1'",
    "update review set state = 'rejected' where id = 'v1'",
    "update review set state = 'proposed', decided_by = null where id = 'v1'",
    "update outbox set state = 'sent', seq = 1",
    "update entry set state = 'superseded'",
    "update report set origin = 'register'",
]


async def test_the_database_takes_what_differs_from_that_in_one_thing(filled: Database) -> None:
    for statement in TAKEN:
        async with filled.rehearse() as store:
            await add_people(store, "cid")
            assert (await run(store, statement)).rowcount == 1


async def test_the_repository_cannot_let_one_person_be_both(database: Database) -> None:
    async with database.write() as store:
        await add_people(store, "ana")
        await store.reports.add(stored_report())
        await store.reviews.add(proposal())
    with pytest.raises(IntegrityError, match="two_people"):
        async with database.write() as store:
            await store.reviews.decide("v1", state="approved", by="ana", now=NOW)
    async with database.read() as store:
        review = await store.reviews.find("v1")
    assert review is not None
    assert (review.state, review.decided_by) == ("proposed", None)


# --- times


async def test_naive_times_are_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="a time without a zone"):
        async with database.write() as store:
            await store.conditions.set("naive", "x", NOW.replace(tzinfo=None))
    assert await count(database, "condition") == 0


async def test_times_come_back_aware_in_utc_to_the_microsecond(database: Database) -> None:
    delhi = timezone(timedelta(hours=5, minutes=30))
    written = datetime(2026, 10, 1, 2, 0, 0, 7, tzinfo=delhi)
    async with database.write() as store:
        await store.conditions.set("when", "x", written)
    async with database.read() as store:
        (found,) = await store.conditions.all()
    assert found.since == written
    assert found.since.utcoffset() == timedelta(0)
    assert found.since.microsecond == 7


async def test_the_order_of_stored_times_is_the_order_of_time(database: Database) -> None:
    zones = [timezone(timedelta(hours=hours)) for hours in (-11, 0, 14)]
    spans = [timedelta(0), timedelta(microseconds=1), timedelta(seconds=1), timedelta(hours=13)]
    times = [(NOW + span).astimezone(zone) for span, zone in zip(spans, [*zones, zones[0]], strict=True)]
    async with database.write() as store:
        for number, time in reversed(list(enumerate(times))):
            await store.conditions.set(str(number), "x", time)
    async with database.read() as store:
        assert [condition.name for condition in await store.conditions.all()] == ["0", "1", "2", "3"]


# --- what errors say


CANARY = "Maria dos Santos"


FAILING = {
    "unique": "insert into person (id, name, roles) values ('x', :canary, '[]')",
    "not null": "insert into person (id, name) values ('x', :canary)",
    "check": "update report set origin = :canary",
    "foreign key": "update report set submitted_by = :canary",
    "check beside other fields of the row": "update report set origin = 'rumour', firm = :canary",
}


FAILING_ON_POSTGRES = {"wrong type": "update outbox set seq = :canary"}
"""Without strict types SQLite stores a text in a column of numbers."""


async def test_a_logged_error_holds_no_value_of_any_row(filled: Database) -> None:
    async with filled.write() as store:
        await store.accounts.add_person(Person("cid", CANARY, frozenset()), None)
        await run(store, "update report set marks = :canary", canary=CANARY)
    for claim, statement in (FAILING | ({} if "sqlite" in filled.url else FAILING_ON_POSTGRES)).items():
        with pytest.raises(DBAPIError) as caught:
            async with filled.write() as store:
                await run(store, statement, canary=CANARY)
        said = str(caught.value) + "".join(traceback.format_exception(caught.value))
        assert not [word for word in (*CANARY.split(), "Failing row", "Key (") if word in said], claim


async def test_an_error_still_says_which_rule_was_broken(filled: Database) -> None:
    with pytest.raises(IntegrityError, match="ck_report_origin"):
        async with filled.write() as store:
            await run(store, "update report set origin = 'rumour'")


# --- SQLite's settings


async def test_every_sqlite_connection_keeps_foreign_keys_and_survives_a_power_cut(sqlite: Database) -> None:
    wanted = {"foreign_keys": 1, "journal_mode": "wal", "busy_timeout": 10_000, "synchronous": 2}
    async with sqlite.read() as first, sqlite.read() as second, sqlite.write() as third:
        for store in (first, second, third):
            found = {name: (await run(store, f"pragma {name}")).scalar_one() for name in wanted}
            assert found == wanted
