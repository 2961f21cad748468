"""Records that do not count, kept with their bytes and the reason: `refused`, or `kept` with their place used up."""

from dataclasses import dataclass

from sqlalchemy import func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.received import Received, ReceivedRecords, in_state
from comity_node.db.rows.bus import LogRow, ReceivedRow

STATES = ("refused", "kept")
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which records of the quarantine: all, or those of a member, a step, a code."""

    member: str | None = None
    step: int | None = None
    code: str | None = None


class Quarantine:
    """Repository of what was refused."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def page(self, chosen: Chosen, *, before: int | None, most: int) -> list[Received]:
        """Return records, newest first."""
        query = select(ReceivedRow.id).where(in_state(*STATES))
        if chosen.member is not None:
            query = query.where(ReceivedRow.member == chosen.member)
        if chosen.step is not None:
            query = query.where(ReceivedRow.step == chosen.step)
        if chosen.code is not None:
            query = query.where(ReceivedRow.code == chosen.code)
        if before is not None:
            query = query.where(col(ReceivedRow.id) < before)
        found = await self._session.exec(query.order_by(col(ReceivedRow.id).desc()).limit(most))
        return await self._records([number for number in found if number is not None])

    async def find(self, record_id: int) -> Received | None:
        """Return one record, if it is in quarantine."""
        return next((r for r in await self._records([record_id]) if r.state in STATES), None)

    async def counts(self) -> dict[tuple[str, int], int]:
        """Return (member, step) to how many were refused there."""
        query = (
            select(ReceivedRow.member, ReceivedRow.step, func.count())
            .where(in_state(*STATES))
            .group_by(ReceivedRow.member, col(ReceivedRow.step))
        )
        return {(member, step or 0): count for member, step, count in await self._session.exec(query)}

    async def reopen(self, record_id: int) -> None:
        """Put a refused record back in the inbox; it has no place that others rest on."""
        await self._session.exec(
            update(ReceivedRow)
            .where(col(ReceivedRow.id) == record_id, col(ReceivedRow.state) == "refused")
            .values(state="new", step=None, code=None, detail=None, key=None)
        )

    async def reopen_log(self, member: str) -> None:
        """Let a whole log be decided anew: what is kept has a place, and what follows rests on it."""
        await self._session.exec(update(LogRow).where(col(LogRow.member) == member).values(decided_under="retried"))

    async def _records(self, ids: list[int]) -> list[Received]:
        received = ReceivedRecords(self._session)
        return [r for at in range(0, len(ids), _CHUNK) for r in await received.by_ids(ids[at : at + _CHUNK])]
