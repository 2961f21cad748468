"""What this node holds of authorities' decisions."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.rows.reports import RulingRow


@dataclass(frozen=True, slots=True)
class StoredRuling:
    """A ruling as it came."""

    id: str
    raw: bytes
    identity: str | None
    """The source row of a register; None for what a person entered."""
    submitted_by: str
    received_at: datetime


class Rulings:
    """Repository of rulings."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, ruling: StoredRuling) -> None:
        """Store a new ruling."""
        self._session.add(
            RulingRow(
                id=ruling.id,
                raw=ruling.raw,
                identity=ruling.identity,
                submitted_by=ruling.submitted_by,
                received_at=ruling.received_at,
            )
        )
        await self._session.flush()

    async def find(self, ruling_id: str) -> StoredRuling | None:
        """Return a ruling by its id."""
        row = (await self._session.exec(select(RulingRow).where(RulingRow.id == ruling_id))).first()
        return None if row is None else _ruling(row)

    async def of_row(self, identity: str) -> list[StoredRuling]:
        """Return the rulings that were imported from one source row, the newest first."""
        query = select(RulingRow).where(RulingRow.identity == identity).order_by(col(RulingRow.number).desc())
        return [_ruling(row) for row in await self._session.exec(query)]


def _ruling(row: RulingRow) -> StoredRuling:
    return StoredRuling(row.id, row.raw, row.identity, row.submitted_by, row.received_at)
