"""Migrations, on SQLite and on PostgreSQL: the models' schema in the end, whole or not at all, no row orphaned."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, inspect
from sqlalchemy.exc import IntegrityError

from comity_node.db import Database, migrate, rows
from comity_node.db.migrate import migrate_async
from filled_database import ROOM, count, fill, migrated, run


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
    assert [await count(filled, table) for table in ("person", "token", "outbox", "entry")] == [2, 1, 1, 1]


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
