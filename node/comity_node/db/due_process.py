"""What was done for a proposal before its release."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.rows.review import DueProcessRow, ReviewRow
from comity_node.domain.due_process import AtRisk, Outcome, PostponeReason, Process, RetaliationCheck
from comity_schemas.handling import Contact


class DueProcess:
    """Repository of retaliation checks, notices and reply windows, one row a proposal."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(self, process: Process) -> None:
        """Store what was done so far for a proposal."""
        row = await self._session.get(DueProcessRow, process.review_id)
        fields = _fields(process)
        if row is None:
            self._session.add(DueProcessRow(review_id=process.review_id, **fields))
        else:
            for name, value in fields.items():
                setattr(row, name, value)
        await self._session.flush()

    async def find(self, review_id: str) -> Process | None:
        """Return what was done for a proposal."""
        return (await self.of_reviews([review_id])).get(review_id)

    async def of_reviews(self, review_ids: Sequence[str]) -> dict[str, Process]:
        """Return what was done for some proposals, at most one page of them."""
        query = select(DueProcessRow).where(col(DueProcessRow.review_id).in_(review_ids))
        return {row.review_id: _process(row) for row in await self._session.exec(query)}

    async def open(self) -> list[Process]:
        """Return what was done for all proposals that nobody has decided yet, the oldest check first."""
        query = (
            select(DueProcessRow)
            .join(ReviewRow, col(ReviewRow.id) == col(DueProcessRow.review_id))
            .where(ReviewRow.state == "proposed")
            .order_by(col(DueProcessRow.checked_at))
        )
        return [_process(row) for row in await self._session.exec(query)]


def _fields(process: Process) -> dict[str, Any]:
    check = process.check
    return {
        "blamed": json.dumps(sorted(check.blamed)),
        "outcome": check.outcome.value,
        "contact": check.contact.value,
        "reason": None if check.reason is None else check.reason.value,
        "review_by": None if check.review_by is None else check.review_by.isoformat(),
        "checked_by": process.checked_by,
        "checked_at": process.checked_at,
        "notified_by": process.notified_by,
        "notified_at": process.notified_at,
        "window_ends": process.window_ends,
        "extended_at": process.extended_at,
    }


def _process(row: DueProcessRow) -> Process:
    check = RetaliationCheck(
        frozenset(AtRisk(group) for group in json.loads(row.blamed)),
        Outcome(row.outcome),
        Contact(row.contact),
        None if row.reason is None else PostponeReason(row.reason),
        None if row.review_by is None else date.fromisoformat(row.review_by),
    )
    return Process(
        row.review_id,
        check,
        row.checked_by,
        row.checked_at,
        row.notified_by,
        row.notified_at,
        row.window_ends,
        row.extended_at,
    )
