"""Bringing a database to the newest schema with Alembic."""

import asyncio
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from comity_node.db.database import take_over_begin
from comity_node.db.outages import answering

_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(url: str) -> None:
    """Bring the database to the newest schema; a database already there is left alone.

    The engine carries none of the pragmas of `Database`: with foreign keys on, rebuilding a table on SQLite would
    empty its children by cascade, without an error.
    """
    asyncio.run(migrate_async(url))


async def migrate_async(url: str, revision: str = "head") -> None:
    """As `migrate`, from async code.

    Raises:
        DatabaseUnavailable: it does not answer or cannot be written; nothing is half done.
    """
    engine = create_async_engine(url)
    if engine.dialect.name == "sqlite":
        take_over_begin(engine)
    try:
        async with answering(), engine.begin() as connection:
            await connection.run_sync(run_on, revision)
    finally:
        await engine.dispose()


def run_on(connection: Connection, revision: str, *, down: bool = False) -> None:
    """Migrate over an open connection, and check that no row lost its parent.

    Raises:
        RuntimeError: a foreign key points nowhere; the transaction must be rolled back.
    """
    # A tenth of a command's start, and most commands migrate nothing.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    (command.downgrade if down else command.upgrade)(config, revision)
    if connection.dialect.name == "sqlite":
        orphans = connection.execute(text("PRAGMA foreign_key_check")).all()
        if orphans:
            raise RuntimeError(f"migration would leave {len(orphans)} rows without their parent; nothing was changed")
