"""What suppliers replied and disputed, as this node holds it, whether it leaves or not."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.keys import Seals
from comity_node.db.rows.cases import kept_from
from comity_node.db.rows.review import ReviewRow, SupplierWordRow
from comity_schemas.reply import DisputeOutcome, ReplyAct, ReplyCode


@dataclass(frozen=True, slots=True)
class SupplierWord:
    """One reply or dispute."""

    id: str
    review_id: str | None
    """The proposal it is about, whether released or not; or `about`."""
    about: str | None
    """Hash of another member's statement."""
    act: ReplyAct
    codes: tuple[ReplyCode, ...]
    text: str | None
    made_at: datetime
    late: bool
    entered_by: str | None
    """None where the supplier said it through its link."""
    outcome: DisputeOutcome | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    carried: str | None = None
    """The newest proposal to let it leave."""
    number: int = 0

    @property
    def open(self) -> bool:
        """Whether it is a dispute that nobody has decided."""
        return self.act is ReplyAct.DISPUTE and self.outcome is None


class SupplierWords:
    """Repository of replies and disputes."""

    def __init__(self, session: AsyncSession, seals: Seals) -> None:
        self._session = session
        self._seals = seals

    async def add(self, word: SupplierWord) -> None:
        """Store what was said."""
        self._session.add(
            SupplierWordRow(
                id=word.id,
                review_id=word.review_id,
                about=word.about,
                act=word.act.value,
                codes=json.dumps([code.value for code in word.codes]),
                text=self._seals.seal_words(word.text),
                made_at=word.made_at,
                late=word.late,
                entered_by=word.entered_by,
            )
        )
        await self._session.flush()

    async def find(self, word_id: str) -> SupplierWord | None:
        """Return one by its id."""
        row = await self._row(word_id)
        return None if row is None else self._word(row)

    async def of_review(self, review_id: str) -> list[SupplierWord]:
        """Return what was said about a proposal, oldest first."""
        query = select(SupplierWordRow).where(SupplierWordRow.review_id == review_id)
        return [self._word(row) for row in await self._session.exec(query.order_by(col(SupplierWordRow.number)))]

    async def page(self, *, before: int | None, most: int, seen_by: str) -> list[SupplierWord]:
        """Return what suppliers said, newest first, but for what is about reports that are kept from somebody."""
        kept = select(ReviewRow.id).where(col(ReviewRow.report_id).in_(kept_from(seen_by)))
        about = col(SupplierWordRow.review_id)
        query = select(SupplierWordRow).where(or_(about.is_(None), about.not_in(kept)))
        query = query.order_by(col(SupplierWordRow.number).desc()).limit(most)
        if before is not None:
            query = query.where(col(SupplierWordRow.number) < before)
        return [self._word(row) for row in await self._session.exec(query)]

    async def open_disputes(self) -> list[SupplierWord]:
        """Return the disputes that nobody has decided, oldest first."""
        query = select(SupplierWordRow).where(SupplierWordRow.act == "dispute", col(SupplierWordRow.outcome).is_(None))
        return [self._word(row) for row in await self._session.exec(query.order_by(col(SupplierWordRow.made_at)))]

    async def decide(self, word_id: str, outcome: DisputeOutcome, *, by: str, now: datetime) -> None:
        """Record what a third person decided."""
        row = await self._row(word_id)
        assert row is not None
        row.outcome, row.decided_by, row.decided_at = outcome.value, by, now
        await self._session.flush()

    async def carry(self, word_id: str, review_id: str) -> None:
        """Note the proposal to let it leave."""
        row = await self._row(word_id)
        assert row is not None
        row.carried = review_id
        await self._session.flush()

    async def _row(self, word_id: str) -> SupplierWordRow | None:
        return (await self._session.exec(select(SupplierWordRow).where(SupplierWordRow.id == word_id))).first()

    def _word(self, row: SupplierWordRow) -> SupplierWord:
        return SupplierWord(
            row.id,
            row.review_id,
            row.about,
            ReplyAct(row.act),
            tuple(ReplyCode(code) for code in json.loads(row.codes)),
            self._seals.open_words(row.text),
            row.made_at,
            row.late,
            row.entered_by,
            None if row.outcome is None else DisputeOutcome(row.outcome),
            row.decided_by,
            row.decided_at,
            row.carried,
            row.number or 0,
        )
