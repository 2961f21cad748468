"""Proposals, and what a second person made of them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.rows.cases import kept_from, of_cases
from comity_node.db.rows.review import ReviewRow


@dataclass(frozen=True, slots=True)
class Review:
    """One proposal to release a finding or decision, or to withdraw a statement."""

    id: str
    act: str
    """`release` or `withdraw`."""
    state: str
    """`proposed`, `approved` or `rejected`."""
    content: str
    """Compact JSON: finding or decision and handling of a release, or body and handling of a withdrawal."""
    proposed_by: str
    proposed_at: datetime
    report_id: str | None = None
    observation: str | None = None
    target: str | None = None
    """Hash of the statement to withdraw or revise."""
    batch: str | None = None
    """Proposals made together and decided together."""
    decided_by: str | None = None
    decided_at: datetime | None = None
    number: int = 0
    ruling_id: str | None = None
    """Of a decision."""


class Reviews:
    """Repository of reviews."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, review: Review) -> None:
        """Store a new proposal."""
        self._session.add(
            ReviewRow(
                id=review.id,
                act=review.act,
                state=review.state,
                content=review.content,
                proposed_by=review.proposed_by,
                proposed_at=review.proposed_at,
                report_id=review.report_id,
                observation=review.observation,
                ruling_id=review.ruling_id,
                target=review.target,
                batch=review.batch,
            )
        )
        await self._session.flush()

    async def find(self, review_id: str) -> Review | None:
        """Return a proposal by its id."""
        row = (await self._session.exec(select(ReviewRow).where(ReviewRow.id == review_id))).first()
        return None if row is None else review_of(row)

    async def decide(self, review_id: str, *, state: str, by: str, now: datetime) -> None:
        """Record the second person's decision; the database refuses the same person twice."""
        row = (await self._session.exec(select(ReviewRow).where(ReviewRow.id == review_id))).one()
        row.state, row.decided_by, row.decided_at = state, by, now
        await self._session.flush()

    async def put_content(self, review_id: str, content: str) -> None:
        """Change what an open proposal lets leave."""
        row = (await self._session.exec(select(ReviewRow).where(ReviewRow.id == review_id))).one()
        row.content = content
        await self._session.flush()

    async def page(
        self, *, state: str | None, before: int | None, most: int, seen_by: str | None = None
    ) -> list[Review]:
        """Return proposals newest first, without those from reports of cases to which `seen_by` is not assigned."""
        query = select(ReviewRow).order_by(col(ReviewRow.number).desc()).limit(most)
        if state is not None:
            query = query.where(ReviewRow.state == state)
        if before is not None:
            query = query.where(col(ReviewRow.number) < before)
        if seen_by is not None:
            report = col(ReviewRow.report_id)
            query = query.where(or_(report.is_(None), report.not_in(kept_from(seen_by))))
        return [review_of(row) for row in await self._session.exec(query)]

    async def of_report(self, report_id: str) -> list[Review]:
        """Return all proposals made from a report, oldest first."""
        query = select(ReviewRow).where(ReviewRow.report_id == report_id).order_by(col(ReviewRow.number))
        return [review_of(row) for row in await self._session.exec(query)]

    async def of_ruling(self, ruling_id: str) -> list[Review]:
        """Return all proposals made from a ruling, oldest first."""
        query = select(ReviewRow).where(ReviewRow.ruling_id == ruling_id).order_by(col(ReviewRow.number))
        return [review_of(row) for row in await self._session.exec(query)]

    async def of_target(self, target: str) -> list[Review]:
        """Return all proposals about a published statement, oldest first."""
        query = select(ReviewRow).where(ReviewRow.target == target).order_by(col(ReviewRow.number))
        return [review_of(row) for row in await self._session.exec(query)]

    async def of_batch(self, batch: str) -> list[Review]:
        """Return the proposals that were made together, oldest first, without those that a case keeps back."""
        query = select(ReviewRow).where(ReviewRow.batch == batch, _AMONG_OTHERS).order_by(col(ReviewRow.number))
        return [review_of(row) for row in await self._session.exec(query)]

    async def proposed_of_batch(self, batch: str, *, after: int, most: int) -> list[Review]:
        """Return what is still proposed of a batch behind a number, oldest first; as `of_batch`."""
        query = select(ReviewRow).where(
            ReviewRow.batch == batch, ReviewRow.state == "proposed", col(ReviewRow.number) > after, _AMONG_OTHERS
        )
        return [review_of(row) for row in await self._session.exec(query.order_by(col(ReviewRow.number)).limit(most))]

    async def all_approved(self) -> set[str]:
        """Return the ids of everything approved: exactly what must be in the outbox."""
        return set(await self._session.exec(select(ReviewRow.id).where(ReviewRow.state == "approved")))


_AMONG_OTHERS = or_(col(ReviewRow.report_id).is_(None), col(ReviewRow.report_id).not_in(of_cases()))
"""What is decided together with others: what a case keeps back is not, and nobody can tell by the others that it is."""


def review_of(row: ReviewRow) -> Review:
    """Return a proposal of its row."""
    return Review(
        row.id,
        row.act,
        row.state,
        row.content,
        row.proposed_by,
        row.proposed_at,
        row.report_id,
        row.observation,
        row.target,
        row.batch,
        row.decided_by,
        row.decided_at,
        row.number or 0,
        row.ruling_id,
    )
