"""Many rows at once, past the ORM: it costs ten times what the database does.

SQLite takes prepared statements of many rows each, PostgreSQL its COPY. Values go in as the database stores them (times
as text), so only repositories call this.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

_TOGETHER: Final = 100
"""Rows of one statement on SQLite. Its driver lets go of the interpreter for each statement and asks for it back: a row
a statement costs a third more, and waits each time for whatever else this process does."""


def stored_time(at: datetime) -> str:
    """Return a time as `rows.UtcTime` stores it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


async def insert_rows(
    session: AsyncSession, table: type[SQLModel], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Add rows in this transaction; what the session still holds back is written first."""
    if not rows:
        return
    await session.flush()
    name = str(table.__tablename__)
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        # The driver is in the transaction only once SQLAlchemy has executed something: `Database.write` has.
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.copy_records_to_table(name, records=rows, columns=columns)
        return
    places = f"({', '.join('?' * len(columns))})"
    named = ", ".join(f'"{column}"' for column in columns)
    insert = f"insert into {name} ({named}) values "  # noqa: S608 (names of our own tables)
    left = len(rows) % _TOGETHER
    together = [
        tuple(chain.from_iterable(rows[start : start + _TOGETHER])) for start in range(0, len(rows) - left, _TOGETHER)
    ]
    if together:
        await connection.exec_driver_sql(insert + ", ".join([places] * _TOGETHER), together)
    if left:
        await connection.exec_driver_sql(insert + places, [tuple(row) for row in rows[-left:]])


async def update_rows(
    session: AsyncSession, table: type[SQLModel], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Change rows by their `id`, which follows the columns' values in each, in this transaction."""
    if not rows:
        return
    await session.flush()
    connection = await session.connection()
    of_postgres = connection.dialect.name == "postgresql"
    places = [f"${number}" if of_postgres else "?" for number in range(1, len(columns) + 2)]
    named = ", ".join(f'"{column}" = {place}' for column, place in zip(columns, places, strict=False))
    statement = f"update {table.__tablename__} set {named} where id = {places[-1]}"  # noqa: S608 (our own names)
    await connection.exec_driver_sql(statement, [tuple(row) for row in rows])


def values_of(of: Any) -> dict[str, Any]:
    """Return the fields of a flat dataclass with slots; `asdict` copies every value in depth."""
    return {name: getattr(of, name) for name in of.__slots__}
