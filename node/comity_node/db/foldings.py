"""Names that are stored folded, made anew under another folding: a part at a time, from a place that is stored.

What a node writes meanwhile is folded as it is today, so each table is gone through once. Names of suppliers are the
name index's to fold anew: it begins with them.
"""

from typing import Any, Final

from sqlalchemy import bindparam, update
from sqlalchemy import select as sa_select
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.rows.suppliers import FactRow, FollowedRow, SupplierRow
from comity_node.domain.names import FOLDING, fold_name

_DONE: Final = -1
_TABLES: Final[tuple[tuple[type[Any], str, str, str], ...]] = (
    (SupplierRow, "number", "name", "sorting"),
    (FactRow, "number", "text", "folded"),
)
"""Row, and its columns: the number by which the table is gone through, the name, the folded name."""


class Foldings:
    """Repository of what is stored folded."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def fold_anew(self, most: int) -> bool:
        """Fold the next names anew where that changes them, at most so many; False where all are as of today."""
        for columns in _TABLES:
            reached = await self._reached(columns[0])
            if reached.change != _DONE:
                reached.change = await self._fold_part(*columns, reached.change, most)
                self._session.add(reached)
                await self._session.flush()
                return True
        return False

    async def _fold_part(self, row: type[Any], number: str, text: str, folded: str, after: int, most: int) -> int:
        """Return the number up to which it was done, or that all is."""
        numbers, texts = getattr(row, number), getattr(row, text)
        query = sa_select(numbers, texts, getattr(row, folded)).where(numbers > after).order_by(numbers).limit(most)
        connection = await self._session.connection()
        found = (await connection.execute(query)).all()
        # The last entry may have names that are not among these; one alone has fewer than a part.
        last = found[-1][0] if len(found) == most and found[0][0] < found[-1][0] else None
        whole = [each for each in found if each[0] != last]
        stale = {(n, name): now for n, name, stored in whole if name is not None and (now := fold_name(name)) != stored}
        if stale:
            values = [{"of": n, "named": name, "now": now} for (n, name), now in stale.items()]
            change = update(row).where(numbers == bindparam("of"), texts == bindparam("named"))
            await connection.execute(change.values({folded: bindparam("now")}), values)
            self._session.expire_all()
        return int(whole[-1][0]) if len(found) == most else _DONE

    async def _reached(self, row: type[Any]) -> FollowedRow:
        name = f"folding {FOLDING} of {row.__tablename__}"
        found = (await self._session.exec(select(FollowedRow).where(FollowedRow.name == name))).first()
        return found or FollowedRow(name=name, change=0)
