"""Reading past SQLAlchemy, for answers that take many short questions: its work on one costs more than the database's.

On SQLite a question is one step of the driver's thread in place of four. On PostgreSQL the first question of a
transaction goes through SQLAlchemy, which begins it there; the driver is asked all others.

A statement is written once for both: `?` stands for a value, `{these}` for the condition that a number is one of those
given. Only names of our own tables and columns stand in it.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

_DRIVER = "driver of the transaction"
_ARGUMENT = re.compile(r"(invalid input for query argument \$\d+): .*", re.DOTALL)


def forget_values(*errors: BaseException | None) -> None:
    """Take out of the database's errors what they quote: a logged traceback would show it.

    PostgreSQL puts the whole row into an error's DETAIL, and its driver an argument that does not fit into its text.
    """
    for error in errors:
        if error is not None:
            error.args = tuple(_ARGUMENT.sub(r"\1", a) if isinstance(a, str) else a for a in error.args)
            if getattr(error, "detail", None):
                error.detail = None  # type: ignore[attr-defined]


def is_postgres(session: AsyncSession) -> bool:
    """Tell whether a session's database is PostgreSQL."""
    return session.get_bind().dialect.name == "postgresql"


async def driver_of(session: AsyncSession) -> Any:
    """Return SQLite's driver, within the transaction of a session."""
    driver: Any = session.info.get(_DRIVER)
    if driver is None:
        driver = (await (await session.connection()).get_raw_connection()).driver_connection
        session.info[_DRIVER] = driver
    return driver


async def write_first(session: AsyncSession) -> None:
    """Write what a session still holds back, before anything goes past it."""
    if session.new or session.dirty or session.deleted:
        await session.flush()


class Reading:
    """Asks within the transaction of a session."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def rows(self, statement: str, these: Sequence[int] = (), values: Sequence[Any] = ()) -> Sequence[Any]:
        """Return the rows of a question; what the session still holds back is written first.

        Args:
            statement: as the module says. Where `{these}` stands in it, no `?` stands before.
            these: whole numbers, any number of them.
            values: as the database stores them, times as text.
        """
        session = self._session
        await write_first(session)
        if self.is_postgres:
            placed = of_postgres(statement)
            given = (list(these), *values) if "{these}" in statement else tuple(values)
            return await self._ask_postgres(placed, given)
        driver = await driver_of(session)
        asked = statement.replace("{these}", f"in ({', '.join(map(str, map(int, these)))})")
        return list(await driver.execute_fetchall(asked, tuple(values)))

    async def _ask_postgres(self, placed: str, given: Sequence[Any]) -> Sequence[Any]:
        session = self._session
        driver: Any = session.info.get(_DRIVER)
        if driver is None:
            connection = await session.connection()
            rows = (await connection.exec_driver_sql(placed, tuple(given))).all()
            session.info[_DRIVER] = (await connection.get_raw_connection()).driver_connection
            return rows
        try:
            found: Sequence[Any] = await driver.fetch(placed, *given)
        except Exception as error:
            forget_values(error)
            if driver.is_closed():
                # What the driver says of it is none of the errors by which an outage is known.
                raise ConnectionError("the connection to the database broke") from error
            raise
        return found

    @property
    def is_postgres(self) -> bool:
        """Whether the database is PostgreSQL."""
        return is_postgres(self._session)


@lru_cache(maxsize=256)
def of_postgres(statement: str) -> str:
    """Return a statement with numbered places; numbers that are looked for come first, as one array."""
    first = 1
    if "{these}" in statement:
        statement, first = statement.replace("{these}", "= any($1)"), 2
    begin, *rest = statement.split("?")
    return begin + "".join(f"${place}{text}" for place, text in zip(count(first), rest, strict=False))
