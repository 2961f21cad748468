"""Screenings on file: kept whole under keys of their own, and destroyed key first when their time is over."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.keys import Seals
from comity_node.db.rows.filing import FiledPartRow, FilingRow
from comity_node.domain.filing import Filing, Stage

PART = 100
"""Answers that are sealed together."""


class Filings:
    """Repository of screenings on file."""

    def __init__(self, session: AsyncSession, seals: Seals) -> None:
        self._session = session
        self._seals = seals

    async def add(self, filing: Filing) -> Filing:
        """Store a new one, without answers yet; return it with its number."""
        row = FilingRow(
            id=filing.id,
            reference=filing.reference,
            stage=filing.stage.value,
            by=filing.by,
            at=filing.at,
            keep_until=filing.keep_until,
            moment=json.dumps(filing.moment),
            engine=filing.engine,
            asked=filing.asked,
        )
        self._session.add(row)
        await self._session.flush()
        return self._filing(row)

    async def add_answers(self, filing: Filing, first: int, answers: Sequence[dict[str, Any]]) -> None:
        """Store answers in the order of the questions, each with its question in it.

        Args:
            filing: to which they belong.
            first: the row of the first of them, from 1.
            answers: as `describe` gives them.
        """
        for start in range(0, len(answers), PART):
            some = list(answers[start : start + PART])
            key, content = self._seals.seal(json.dumps(some, ensure_ascii=False).encode(), _about(filing.id))
            self._session.add(
                FiledPartRow(filing=filing.number, first=first + start, rows=len(some), key=key, content=content)
            )
        await self._session.flush()

    async def find(self, filing_id: str) -> Filing | None:
        """Return a screening on file by its id."""
        row = (await self._session.exec(select(FilingRow).where(FilingRow.id == filing_id))).first()
        return None if row is None else self._filing(row)

    async def by_reference(self, reference: str) -> Filing | None:
        """Return a screening on file by its reference."""
        row = (await self._session.exec(select(FilingRow).where(FilingRow.reference == reference))).first()
        return None if row is None else self._filing(row)

    async def page(self, *, reference: str | None, stage: Stage | None, before: int | None, most: int) -> list[Filing]:
        """Return what is on file, newest first.

        Args:
            reference: only those whose reference contains it.
            stage: only these.
            before: only those with a smaller number.
            most: how many.
        """
        query = select(FilingRow).order_by(col(FilingRow.number).desc()).limit(most)
        if reference is not None:
            query = query.where(col(FilingRow.reference).icontains(reference, autoescape=True))
        if stage is not None:
            query = query.where(FilingRow.stage == stage.value)
        if before is not None:
            query = query.where(col(FilingRow.number) < before)
        return [self._filing(row) for row in await self._session.exec(query)]

    async def answers(self, filing: Filing, *, after: int, most: int) -> list[tuple[int, dict[str, Any]]]:
        """Return (row, answer) of a screening on file, from behind a row on.

        Raises:
            KeyGone: it was destroyed, or changed.
        """
        query = select(FiledPartRow).where(FiledPartRow.filing == filing.number)
        query = query.where(col(FiledPartRow.first) + col(FiledPartRow.rows) > after + 1)
        found: list[tuple[int, dict[str, Any]]] = []
        parts = query.order_by(col(FiledPartRow.first)).limit(most // PART + 2)
        for part in await self._session.exec(parts):
            opened = json.loads(self._seals.open(part.key, part.content, _about(filing.id)))
            found += [(row, each) for row, each in enumerate(opened, part.first) if row > after]
        return found[:most]

    async def take_back(self, filing: Filing, by: str, at: datetime, why: str) -> None:
        """Note that it was filed in error."""
        row = await self._row(filing)
        row.taken_back_by, row.taken_back_at, row.taken_back_why = by, at, self._seals.seal_words(why)
        await self._session.flush()

    async def keep_until(self, filing: Filing, day: str) -> None:
        """Note a later last day."""
        (await self._row(filing)).keep_until = day
        await self._session.flush()

    async def past(self, today: str, *, most: int) -> list[Filing]:
        """Return those past their last day that are not destroyed."""
        query = select(FilingRow).where(col(FilingRow.keep_until) < today, col(FilingRow.destroyed_at).is_(None))
        return [
            self._filing(row) for row in await self._session.exec(query.order_by(col(FilingRow.number)).limit(most))
        ]

    async def destroy(self, filing: Filing, at: datetime) -> None:
        """Destroy what was asked and answered, its keys first; that it was on file stays."""
        parts = col(FiledPartRow.filing) == filing.number
        for key in await self._session.exec(select(FiledPartRow.key).where(parts)):
            self._seals.shred(key)
        await self._session.exec(delete(FiledPartRow).where(parts))
        (await self._row(filing)).destroyed_at = at
        await self._session.flush()

    async def _row(self, filing: Filing) -> FilingRow:
        return (await self._session.exec(select(FilingRow).where(FilingRow.number == filing.number))).one()

    def _filing(self, row: FilingRow) -> Filing:
        return Filing(
            number=row.number or 0,
            id=row.id,
            reference=row.reference,
            stage=Stage(row.stage),
            by=row.by,
            at=row.at,
            keep_until=row.keep_until,
            moment=json.loads(row.moment),
            engine=row.engine,
            asked=row.asked,
            taken_back_by=row.taken_back_by,
            taken_back_at=row.taken_back_at,
            taken_back_why=self._seals.open_words(row.taken_back_why),
            destroyed_at=row.destroyed_at,
        )


def _about(filing_id: str) -> str:
    return f"filing {filing_id}"
