"""What changed in the supplier view, in the order in which this node came to know it, for whoever follows the view.

A change names a record and what became of it, never its content: that is read from the view when somebody looks.
Writers take turns, so numbers become visible in their order: whoever has read up to one has missed nothing below it.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Select, bindparam, delete, func
from sqlalchemy import select as sa_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.bulk import insert_rows, put_rows, stored_time
from comity_node.db.reading import Reading
from comity_node.db.rows.bus import ReceivedRow
from comity_node.db.rows.suppliers import FollowedRow
from comity_node.db.rows.view import ChangeRow, EndingRow
from comity_node.domain.changing import Change


@dataclass(frozen=True, slots=True)
class Changed:
    """One change, and which record or supplier it is about."""

    number: int
    what: Change
    at: datetime
    entry: int
    """The number of the record; 0 where it is about a supplier."""
    supplier: int | None
    kind: str | None
    """The kind of the statement; None where it is about a supplier, or the record is gone."""
    statement: str | None


async def note_changes(session: AsyncSession, changes: Iterable[tuple[int, Change]], now: datetime) -> None:
    """Note what became of records, by their numbers."""
    at = stored_time(now)
    rows = [(entry, at, what.value) for entry, what in changes]
    await insert_rows(session, ChangeRow, ("entry", "at", "what"), rows)


async def note_same(session: AsyncSession, entries: Iterable[int], what: Change, now: datetime) -> None:
    """Note what became of several records, by their numbers: the same of all."""
    at, said = stored_time(now), what.value
    await insert_rows(session, ChangeRow, ("entry", "at", "what"), [(entry, at, said) for entry in entries])


async def stamps(
    session: AsyncSession,
    entries: Select[*tuple[Any, ...]],
    number: Any,
    opened: Callable[[Any], Hashable],
    member: str,
) -> dict[int, int]:
    """Return what the view holds of one member's log: number of the record to what stands for its entry.

    What is stored is read, since the same may be written in two ways; what cannot be read is like nothing else.
    """
    found: dict[int, int] = {}
    rows = await session.stream(entries.add_columns(number).where(col(ReceivedRow.member) == member))
    async for row in rows:
        try:
            found[row[-1]] = hash(opened(row[:-1]))
        except ValueError:
            found[row[-1]] = hash(tuple(row))
    return found


class Changes:
    """Repository of what changed in the view."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def note(self, entries: Sequence[int], what: Change, now: datetime) -> None:
        """Note the same of several records."""
        await note_same(self._session, entries, what, now)

    async def note_supplier(self, supplier: int, what: Change, now: datetime) -> None:
        """Note that a person joined or parted a supplier."""
        columns = ("entry", "at", "what", "supplier")
        await insert_rows(self._session, ChangeRow, columns, [(0, stored_time(now), what.value, supplier)])

    async def keep_what_is_news(self, number: int, known: Set[int]) -> None:
        """Of the changes behind a number drop those of these records, which stand as they stood; in the transaction
        that noted them, so that nobody has read them."""
        query = select(ChangeRow.entry, ChangeRow.at, ChangeRow.what, ChangeRow.supplier)
        noted = await self._session.exec(query.where(col(ChangeRow.id) > number).order_by(col(ChangeRow.id)))
        rows = [(entry, stored_time(at), *what) for entry, at, *what in noted if entry not in known]
        await self._session.exec(delete(ChangeRow).where(col(ChangeRow.id) > number))
        self._session.expire_all()
        await insert_rows(self._session, ChangeRow, ("entry", "at", "what", "supplier"), rows)

    async def after(self, number: int, *, upto: int, most: int) -> list[Changed]:
        """Return the changes behind a number, in their order, at most so many."""
        query = _CHANGED.where(col(ChangeRow.id) > number, col(ChangeRow.id) <= upto)
        rows = await (await self._session.connection()).execute(query.order_by(col(ChangeRow.id)).limit(most))
        return [_changed(row) for row in rows]

    async def page(self, place: int, *, follower: str, most: int) -> list[Changed]:
        """Return the change at a place, if there is one, and those behind it up to where somebody has followed.

        One step to the database, since whoever follows the feed asks often: at most so many behind the place.
        """
        asked = {"place": place, "follower": follower, "most": most + 1}
        found = [_changed(row) for row in await (await self._session.connection()).execute(_PAGE, asked)]
        return found if found and found[0].number == place else found[:most]

    async def by_number(self, numbers: Iterable[int]) -> dict[int, Changed]:
        """Return the changes of these numbers."""
        connection, wanted = await self._session.connection(), sorted(set(numbers))
        found: dict[int, Changed] = {}
        for start in range(0, len(wanted), _CHUNK):
            rows = await connection.execute(_CHANGED.where(col(ChangeRow.id).in_(wanted[start : start + _CHUNK])))
            found.update({changed.number: changed for changed in map(_changed, rows)})
        return found

    async def at(self, number: int) -> datetime | None:
        """Return when a change was noted; None where there is none of this number."""
        return (await self._session.exec(select(ChangeRow.at).where(ChangeRow.id == number))).first()

    async def newest(self) -> int:
        """Return the number of the last change; 0 before the first."""
        return (await self._session.exec(select(func.max(ChangeRow.id)))).one() or 0

    async def any_of(self, what: Change) -> bool:
        """Tell whether this ever became of something here."""
        query = select(ChangeRow.id).where(col(ChangeRow.what) == what.value).limit(1)
        return (await self._session.exec(query)).first() is not None

    async def kinds(self, entries: Sequence[int]) -> dict[int, str | None]:
        """Return number to kind of the records that are there."""
        row, found = ReceivedRow, dict[int, str | None]()
        for start in range(0, len(entries), _CHUNK):
            query = select(row.id, row.kind).where(col(row.id).in_(entries[start : start + _CHUNK]))
            found.update({number or 0: kind for number, kind in await self._session.exec(query)})
        return found

    async def followed(self, name: str) -> int:
        """Return up to which change something has followed the view."""
        rows = await Reading(self._session).rows("select change from followed where name = ?", (), [name])
        return rows[0][0] if rows else 0

    async def set_followed(self, name: str, change: int) -> None:
        """Note how far something has followed the view; in the transaction that does what follows from it."""
        await put_rows(self._session, FollowedRow, "name", ("name", "change"), [(name, change)])

    # --- what ends by itself

    async def put_endings(self, endings: Iterable[tuple[str, int]]) -> None:
        """Keep (last day, number of the record) of what stands until a day; a day that is kept already stays."""
        wanted = sorted(set(endings))
        known: set[tuple[str, int]] = set()
        for start in range(0, len(wanted), _CHUNK):
            numbers = [entry for _, entry in wanted[start : start + _CHUNK]]
            query = select(EndingRow.day, EndingRow.entry).where(
                col(EndingRow.day).in_(sorted({day for day, _ in wanted[start : start + _CHUNK]})),
                col(EndingRow.entry).in_(numbers),
            )
            known |= set((await self._session.exec(query)).all())
        await insert_rows(self._session, EndingRow, ("day", "entry"), [each for each in wanted if each not in known])

    async def ended(self, before: str, most: int) -> list[tuple[str, int]]:
        """Return (last day, number of the record) of what ended before a day, the earliest first."""
        query = f"select day, entry from ending where day < ? order by day, entry limit {most:d}"  # noqa: S608 (a number)
        return [(day, entry) for day, entry in await Reading(self._session).rows(query, (), [before])]

    async def drop_endings(self, endings: Sequence[tuple[str, int]]) -> None:
        """Forget what has been told to be over."""
        for day in sorted({day for day, _ in endings}):
            numbers = [entry for of, entry in endings if of == day]
            await self._session.exec(
                delete(EndingRow).where(col(EndingRow.day) == day, col(EndingRow.entry).in_(numbers))
            )


_CHUNK = 300

_CHANGED = sa_select(
    col(ChangeRow.id),
    col(ChangeRow.what),
    col(ChangeRow.at),
    col(ChangeRow.entry),
    col(ChangeRow.supplier),
    col(ReceivedRow.kind),
    col(ReceivedRow.hash),
).outerjoin(ReceivedRow, col(ReceivedRow.id) == col(ChangeRow.entry))

_PLACE, _NUMBER = bindparam("place", type_=Integer), col(ChangeRow.id)
_UPTO = sa_select(col(FollowedRow.change)).where(col(FollowedRow.name) == bindparam("follower")).scalar_subquery()
_PAGE = (
    _CHANGED.where(_NUMBER >= _PLACE, (_NUMBER == _PLACE) | (_NUMBER <= _UPTO))
    .order_by(_NUMBER)
    .limit(bindparam("most", type_=Integer))
)


def _changed(row: Any) -> Changed:
    number, what, at, entry, supplier, kind, statement = row
    return Changed(number, Change(what), at, entry, supplier, kind, statement)
