"""The database, on SQLite and on PostgreSQL: nothing is lost, half done, orphaned or said aloud without an error."""

import asyncio
import shutil
import traceback
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from comity_federation.statements import Outgoing
from comity_node.db import Database, Store, migrate, rows
from comity_node.db.accounts import Token
from comity_node.db.migrate import migrate_async, run_on
from comity_node.db.reports import StoredReport
from comity_node.db.reviews import Review
from comity_node.domain.people import Person, PersonRole
from comity_node.domain.trail import Event
from comity_schemas.handling import Handling

ROOM = Path(migrate.__file__).parent
NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
HANDLING = Handling.from_parsed(
    {
        "tlp": "GREEN",
        "contact": "none",
        "purpose": "supply-chain-due-diligence",
        "permitted_use": ["due-diligence"],
        "onward": "members",
    }
)


async def run(store: Store, statement: str, **values: Any) -> Any:
    """Raw SQL inside the store's transaction, for what no repository would ever do."""
    return await (await connection_of(store)).execute(text(statement), values)


async def connection_of(store: Store) -> AsyncConnection:
    return await store._session.connection()


async def add_people(store: Store, *names: str) -> None:
    for name in names:
        await store.accounts.add_person(Person(name, name, frozenset({PersonRole.REVIEWER})), "hash")


def stored_report(**changes: Any) -> StoredReport:
    given = {
        "id": "r1",
        "origin": "signed",
        "raw": b"{}",
        "firm": None,
        "kid": None,
        "root": None,
        "signature": None,
        "identity": None,
        "marks": (),
        "submitted_by": "ana",
        "received_at": NOW,
    }
    return StoredReport(**{**given, **changes})  # type: ignore[arg-type]


def proposal(**changes: Any) -> Review:
    given = {"id": "v1", "act": "release", "state": "proposed", "content": "{}", "proposed_by": "ana"}
    return Review(**{**given, "proposed_at": NOW, "report_id": "r1", **changes})  # type: ignore[arg-type]


async def fill(database: Database) -> None:
    """A row in every table that is a parent, and its children."""
    async with database.write() as store:
        await add_people(store, "ana", "ben")
        await store.accounts.add_token(Token("t1", "ana", "laptop", NOW, NOW + timedelta(days=1), None), "digest")
        await store.reports.add(stored_report())
        await store.reviews.add(proposal())
        await store.reviews.decide("v1", state="approved", by="ben", now=NOW)
        await store.outbox.add("v1", Outgoing("finding", HANDLING, {}, {}, {}))
        await run(store, "insert into entry (id, handling, named, state) values (1, '{}', true, 'current')")
        await run(store, "insert into entry_name (entry, number, text, folded, country) values (1, 0, 'A', 'a', 'BR')")
        await run(store, "insert into entry_identifier (entry, scheme, value) values (1, 'GLN', '1')")


@pytest_asyncio.fixture
async def filled(database: Database) -> AsyncIterator[Database]:
    await fill(database)
    yield database


async def count(database: Database, table: str) -> int:
    async with database.read() as store:
        return int((await run(store, f"select count(*) from {table}")).scalar_one())


async def migrated(url: str, *steps: tuple[str, bool], scan: Callable[[Connection], Any] | None = None) -> Any:
    """Run migrations up and down over one connection of a bare engine, then look."""
    engine = create_async_engine(url)
    try:
        for revision, down in steps:
            async with engine.begin() as connection:
                await connection.run_sync(lambda c, r=revision, d=down: run_on(c, r, down=d))
        async with engine.connect() as connection:
            return await connection.run_sync(scan) if scan else None
    finally:
        await engine.dispose()


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


# --- migrations


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    found = list(compare_metadata(context, rows.metadata))
    # Autogenerate does not see CHECK constraints, nor whether a foreign key is there under its name.
    inspector = inspect(connection)
    for table in rows.metadata.sorted_tables:
        meant = {str(c.name): str(c.sqltext) for c in table.constraints if isinstance(c, CheckConstraint)}
        real = {str(c["name"]): c["sqltext"] for c in inspector.get_check_constraints(table.name)}
        if connection.dialect.name == "postgresql":
            # PostgreSQL rewrites the text; the values named in it stay.
            meant, real = ({name: quoted(sql) for name, sql in checks.items()} for checks in (meant, real))
        if meant != real:
            found.append((table.name, meant, real))
        keys = {key["name"] for key in inspector.get_foreign_keys(table.name)}
        if keys != {str(key.constraint.name) for key in table.foreign_keys if key.constraint is not None}:
            found.append((table.name, keys))
    return found


def quoted(sql: str) -> str:
    return " ".join(sql.split("'")[1::2])


async def test_the_migrated_schema_is_the_one_of_the_models_with_its_checks(empty_url: str) -> None:
    await migrate_async(empty_url)
    assert await migrated(empty_url, scan=differences) == []


async def test_a_migration_that_forgets_a_check_is_seen_as_a_difference(
    empty_url: str, next_migration: Callable[[str], None]
) -> None:
    next_migration('with op.batch_alter_table("report") as batch:\n    batch.drop_constraint("ck_report_origin")')
    found = await migrated(empty_url, ("head", False), scan=differences)
    assert [difference[0] for difference in found] == ["report"]


async def test_up_down_up_ends_in_the_schema_of_the_models(empty_url: str) -> None:
    steps = [("head", False), ("base", True)]
    tables = await migrated(empty_url, *steps, scan=lambda c: inspect(c).get_table_names())
    assert tables == ["alembic_version"]
    assert await migrated(empty_url, ("head", False), scan=differences) == []


async def test_a_filled_database_goes_down_and_up_and_can_be_filled_again(filled: Database) -> None:
    await filled.close()
    assert await migrated(filled.url, ("base", True), ("head", False), scan=differences) == []
    assert await count(filled, "person") == 0
    await fill(filled)
    assert await count(filled, "outbox") == 1


async def test_migrating_a_migrated_database_leaves_it_alone(filled: Database) -> None:
    await migrate_async(filled.url)
    assert [await count(filled, table) for table in ("person", "token", "outbox", "entry_name")] == [2, 1, 1, 1]


def newest() -> str:
    """The revision that this release migrates to."""
    revision = ScriptDirectory(str(ROOM / "migrations")).get_current_head()
    assert revision is not None
    return revision


@pytest.fixture
def next_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give the next release a migration whose `upgrade` runs these lines."""
    scripts = tmp_path / "migrations"
    shutil.copytree(migrate._SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(migrate, "_SCRIPTS", scripts)

    def write(lines: str) -> None:
        body = "".join(f"    {line}\n" for line in lines.splitlines())
        (scripts / "versions" / "9999_next.py").write_text(
            "import sqlalchemy as sa\nfrom alembic import op\n"
            f'revision = "9999"\ndown_revision = "{newest()}"\nbranch_labels = None\ndepends_on = None\n'
            f"def upgrade():\n{body}\ndef downgrade():\n    pass\n"
        )

    return write


REBUILD = """recreate = "always" if op.get_bind().dialect.name == "sqlite" else "auto"
with op.batch_alter_table("person", recreate=recreate) as batch:
    batch.add_column(sa.Column("phone", sa.String(), nullable=True))"""


async def test_a_failed_migration_leaves_nothing_behind(
    filled: Database, next_migration: Callable[[str], None]
) -> None:
    next_migration(
        'op.create_table("half", sa.Column("id", sa.Integer(), primary_key=True))\n'
        'op.execute("insert into half values (1)")\n'
        "op.execute(\"update person set firm = 'half done'\")\n"
        'op.drop_table("trail")\n'
        "raise LookupError"
    )
    with pytest.raises(LookupError):
        await migrate_async(filled.url)
    assert await migrated(filled.url, scan=differences) == []
    async with filled.read() as store:
        assert (await run(store, "select version_num from alembic_version")).scalar_one() == newest()
        assert (await run(store, "select count(*) from person where firm is null")).scalar_one() == 2


async def test_rebuilding_a_parent_table_keeps_its_children(
    filled: Database, next_migration: Callable[[str], None]
) -> None:
    next_migration(REBUILD)
    await filled.close()
    await migrate_async(filled.url)
    assert [await count(filled, table) for table in ("person", "token", "report", "review")] == [2, 1, 1, 1]
    async with filled.read() as store:
        assert (await run(store, "select phone from person")).all() == [(None,), (None,)]


async def test_the_engine_that_migrates_carries_no_foreign_keys_pragma(
    sqlite: Database, next_migration: Callable[[str], None]
) -> None:
    next_migration("op.execute(\"insert into condition select 'pragma', '', foreign_keys from pragma_foreign_keys\")")
    await migrate_async(sqlite.url)
    async with sqlite.read() as store:
        assert (await run(store, "select text from condition")).scalar_one() == "0"
        assert (await run(store, "pragma foreign_keys")).scalar_one() == 1


async def test_a_migration_that_orphans_rows_is_refused_and_changes_nothing(
    filled: Database, next_migration: Callable[[str], None]
) -> None:
    next_migration("op.execute(\"delete from person where id = 'ana'\")")
    with pytest.raises((RuntimeError, IntegrityError)) as caught:
        await migrate_async(filled.url)
    if "sqlite" in filled.url:
        assert "rows without their parent; nothing was changed" in str(caught.value)
    assert await count(filled, "person") == 2
    async with filled.read() as store:
        assert (await run(store, "select version_num from alembic_version")).scalar_one() == newest()


def test_the_command_migrates_from_code_without_a_loop(tmp_path: Path) -> None:
    migrate.migrate(f"sqlite+aiosqlite:///{tmp_path / 'own.db'}")
    assert (tmp_path / "own.db").stat().st_size > 0


# --- SQLite's settings


async def test_every_sqlite_connection_keeps_foreign_keys_and_survives_a_power_cut(sqlite: Database) -> None:
    wanted = {"foreign_keys": 1, "journal_mode": "wal", "busy_timeout": 10_000, "synchronous": 2}
    async with sqlite.read() as first, sqlite.read() as second:
        for store in (first, second):
            found = {name: (await run(store, f"pragma {name}")).scalar_one() for name in wanted}
            assert found == wanted
