"""What holds the node up now, in words for `/readyz`: set when it begins, cleared when it is over."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.rows.people import ConditionRow


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is not as it should be."""

    name: str
    since: datetime
    text: str


class Conditions:
    """Repository of conditions."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def set(self, name: str, text: str, now: datetime) -> None:
        """Begin a condition, or change its words; its beginning stays."""
        row = await self._session.get(ConditionRow, name)
        if row is None:
            self._session.add(ConditionRow(name=name, since=now, text=text))
        else:
            row.text = text
        await self._session.flush()

    async def clear(self, name: str) -> None:
        """End a condition; nothing happens when there is none."""
        row = await self._session.get(ConditionRow, name)
        if row is not None:
            await self._session.delete(row)

    async def all(self) -> list[Condition]:
        """Return what holds the node up, the oldest first."""
        rows = await self._session.exec(select(ConditionRow).order_by(col(ConditionRow.since)))
        return [Condition(row.name, row.since, row.text) for row in rows]
