"""Answers given to writes, under the key that the asker chose: so that asking again does nothing twice."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.keys import Seals
from comity_node.db.rows.people import GivenAnswerRow

KEPT_FOR = timedelta(hours=24)
MOST_A_PERSON = 1_000
"""Of one person; the oldest go first."""


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """What was answered, and to which request."""

    request: str
    """A keyed digest of it; the request itself is not kept."""
    status: int
    body: str


class GivenAnswers:
    """Repository of given answers."""

    def __init__(self, session: AsyncSession, seals: Seals) -> None:
        self._session = session
        self._seals = seals

    async def find(self, person_id: str, key: str, now: datetime) -> GivenAnswer | None:
        """Return what was answered to this person under this key within a day."""
        row = await self._session.get(GivenAnswerRow, (person_id, key))
        if row is None or row.at <= now - KEPT_FOR:
            return None
        return GivenAnswer(row.request, row.status, self._seals.open_words(row.body) or "")

    async def keep(self, person_id: str, key: str, answer: GivenAnswer, now: datetime) -> None:
        """Keep an answer, in the transaction that did what it tells of; let go of what is too old or too much."""
        await self._session.exec(delete(GivenAnswerRow).where(col(GivenAnswerRow.at) <= now - KEPT_FOR))
        newest_first = (
            select(GivenAnswerRow.key)
            .where(GivenAnswerRow.person_id == person_id)
            .order_by(col(GivenAnswerRow.at).desc(), col(GivenAnswerRow.key))
            .offset(MOST_A_PERSON - 1)
        )
        surplus = list(await self._session.exec(newest_first))
        if surplus:
            await self._session.exec(
                delete(GivenAnswerRow).where(
                    col(GivenAnswerRow.person_id) == person_id, col(GivenAnswerRow.key).in_(surplus)
                )
            )
        # An answer may hold what lies sealed elsewhere.
        body = self._seals.seal_words(answer.body) or ""
        self._session.add(
            GivenAnswerRow(
                person_id=person_id, key=key, request=answer.request, status=answer.status, body=body, at=now
            )
        )
        await self._session.flush()
