"""Many rows at once, past the ORM: it costs ten times what the database does.

SQLite takes prepared statements of many rows each, PostgreSQL its COPY. Values go in as the database stores them (times
as text), so only repositories call this.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.reading import driver_of, is_postgres, write_first

_TOGETHER: Final = 100
"""Rows of one statement on SQLite. Its driver lets go of the interpreter for each statement and asks for it back: a row
a statement costs a third more, and waits each time for whatever else this process does."""

_FEW: Final = 8
"""So many rows go as one statement: with few, what costs is each step of the driver's thread, not what it does."""


def stored_time(at: datetime) -> str:
    """Return a time as `rows.UtcTime` stores it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


async def insert_rows(
    session: AsyncSession, table: type[SQLModel], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Add rows in this transaction; what the session still holds back is written first."""
    if not rows:
        return
    await write_first(session)
    name = str(table.__tablename__)
    if is_postgres(session):
        # The driver is in the transaction only once SQLAlchemy has executed something: `Database.write` has.
        driver = (await (await session.connection()).get_raw_connection()).driver_connection
        assert driver is not None
        await driver.copy_records_to_table(name, records=rows, columns=columns)
        return
    if len(rows) <= _FEW:
        await _in_one_step(session, _insert(name, tuple(columns), len(rows)), rows)
        return
    connection = await session.connection()
    left = len(rows) % _TOGETHER
    together = [
        tuple(chain.from_iterable(rows[start : start + _TOGETHER])) for start in range(0, len(rows) - left, _TOGETHER)
    ]
    if together:
        await connection.exec_driver_sql(_insert(name, tuple(columns), _TOGETHER), together)
    if left:
        await connection.exec_driver_sql(_insert(name, tuple(columns), 1), [tuple(row) for row in rows[-left:]])


async def put_rows(
    session: AsyncSession, table: type[SQLModel], key: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Add rows, or change those that are there, by one column, each given once, in this transaction."""
    if not rows:
        return
    await write_first(session)
    changes = ", ".join(f'"{column}" = excluded."{column}"' for column in columns if column != key)
    put = f" on conflict ({key}) do update set {changes}"
    name = str(table.__tablename__)
    if is_postgres(session):
        places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
        statement = _insert(name, tuple(columns), 0) + f"({places})" + put
        await (await session.connection()).exec_driver_sql(statement, [tuple(row) for row in rows])
        return
    for start in range(0, len(rows), _FEW):
        some = rows[start : start + _FEW]
        await _in_one_step(session, _insert(name, tuple(columns), len(some)) + put, some)


async def _in_one_step(session: AsyncSession, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Execute a statement with the values of some rows in one step of SQLite's thread, not the four of SQLAlchemy."""
    await (await driver_of(session)).execute_fetchall(statement, tuple(chain.from_iterable(rows)))


@lru_cache(maxsize=256)
def _insert(table: str, columns: tuple[str, ...], rows: int) -> str:
    """Return SQLite's statement for so many rows."""
    places = f"({', '.join('?' * len(columns))})"
    named = ", ".join(f'"{column}"' for column in columns)
    return f"insert into {table} ({named}) values {', '.join([places] * rows)}"  # noqa: S608 (our own names)


async def update_rows(
    session: AsyncSession, table: type[SQLModel], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Change rows by their `id`, which follows the columns' values in each, in this transaction."""
    if not rows:
        return
    await write_first(session)
    connection = await session.connection()
    of_postgres = is_postgres(session)
    places = [f"${number}" if of_postgres else "?" for number in range(1, len(columns) + 2)]
    named = ", ".join(f'"{column}" = {place}' for column, place in zip(columns, places, strict=False))
    statement = f"update {table.__tablename__} set {named} where id = {places[-1]}"  # noqa: S608 (our own names)
    await connection.exec_driver_sql(statement, [tuple(row) for row in rows])


def values_of(of: Any) -> dict[str, Any]:
    """Return the fields of a flat dataclass with slots; `asdict` copies every value in depth."""
    return {name: getattr(of, name) for name in of.__slots__}
