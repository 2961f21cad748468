"""Bringing a database to the newest schema with Alembic."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, TypeVar

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from comity_node.db.database import take_over_begin
from comity_node.db.outages import answering
from comity_schemas.errors import ComityError

T = TypeVar("T")

_SCRIPTS = Path(__file__).parent / "migrations"
_NUMBERED = re.compile(r"([0-9]{4})_\w+[.]py")


class DatabaseUnfit(ComityError):
    """The database has no tables, or those of another release of this program. Nothing was changed."""

    code: ClassVar[str] = "database.unfit"


def newest_revision() -> str:
    """Return the schema that this release works on."""
    names = (_NUMBERED.fullmatch(path.name) for path in (_SCRIPTS / "versions").iterdir())
    return max(name[1] for name in names if name)


async def require_tables(url: str, *, of_this_release: bool = True) -> None:
    """Do nothing if a database holds a node's tables.

    Args:
        url: SQLAlchemy's.
        of_this_release: whether they must be this release's; else they may be an earlier one's, to be brought up.

    Raises:
        DatabaseUnfit: it holds none, a later release's, or an earlier one's where that was asked.
        DatabaseUnavailable: it does not answer.
    """
    found, newest = await _look(url, _revision), newest_revision()
    if found is None:
        raise DatabaseUnfit(
            "the database holds no tables, though the home was made: is its disk mounted, was it restored? Nothing "
            "was changed"
        )
    if found > newest:
        raise DatabaseUnfit("a later release has changed the database: run that one again. Nothing was changed")
    if of_this_release and found != newest:
        raise DatabaseUnfit(
            "the database is that of an earlier release; `comity serve` brings it up at its start. Nothing was changed"
        )


async def is_in_use(url: str) -> bool:
    """Tell whether a node has ever written into a database.

    Raises:
        DatabaseUnavailable: it does not answer.
    """
    return await _look(url, _has_trail)


async def _look(url: str, at: Callable[[Connection], T]) -> T:
    engine = create_async_engine(url)
    try:
        async with answering(), engine.connect() as connection:
            return await connection.run_sync(at)
    finally:
        await engine.dispose()


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("select version_num from alembic_version")).scalar()


def _has_trail(connection: Connection) -> bool:
    if not inspect(connection).has_table("trail"):
        return False
    return connection.execute(text("select 1 from trail limit 1")).first() is not None


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
