"""What people judged of suppliers; an undone judgement stays, with who undid it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.reading import Reading
from comity_node.db.rows.suppliers import ApartRow, JudgementRow
from comity_node.domain.suppliers.judging import Because, Judged, Judgement


@dataclass(frozen=True, slots=True)
class Numbered:
    """A judgement as it stands in the list."""

    number: int
    judgement: Judgement


class Judgements:
    """Repository of judgements."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, judgement: Judgement, statements: Sequence[str] = ()) -> None:
        """Store a new judgement; of one that puts statements apart, which."""
        j = judgement
        row = JudgementRow(
            id=j.id, judged=j.judged.value, first=j.first, second=j.second, because=j.because.value, words=j.words,
            by=j.by, at=j.at,
        )  # fmt: skip
        self._session.add(row)
        await self._session.flush()
        self._session.add_all(ApartRow(statement=s, judgement=j.id, supplier=j.second) for s in statements)
        await self._session.flush()

    async def find(self, judgement_id: str) -> Judgement | None:
        """Return a judgement, undone or not."""
        row = (await self._session.exec(select(JudgementRow).where(JudgementRow.id == judgement_id))).first()
        return None if row is None else _judgement(row)

    async def undo(self, judgement_id: str, by: str, at: datetime, words: str | None) -> list[str]:
        """Note that a judgement does not stand any more; return the statements it had put apart."""
        row = (await self._session.exec(select(JudgementRow).where(JudgementRow.id == judgement_id))).one()
        row.undone_by, row.undone_at, row.undone_words = by, at, words
        await self._session.flush()
        apart = col(ApartRow.judgement) == judgement_id
        statements = list(await self._session.exec(select(ApartRow.statement).where(apart)))
        await self._session.exec(delete(ApartRow).where(apart))
        return statements

    async def standing(self, suppliers: Iterable[int]) -> list[Judgement]:
        """Return the judgements that stand and concern one of these suppliers, in their order."""
        some = sorted(set(suppliers))
        concerns = or_(col(JudgementRow.first).in_(some), col(JudgementRow.second).in_(some))
        query = select(JudgementRow).where(concerns, col(JudgementRow.undone_at).is_(None))
        return [_judgement(row) for row in await self._session.exec(query.order_by(col(JudgementRow.number)))]

    async def any_same(self) -> bool:
        """Tell whether anybody is joined at all."""
        return bool(await Reading(self._session).rows(_ANY_SAME))

    async def page(self, *, before: int | None, most: int) -> list[Numbered]:
        """Return judgements, the newest first, undone ones too."""
        query = select(JudgementRow).order_by(col(JudgementRow.number).desc()).limit(most)
        if before is not None:
            query = query.where(col(JudgementRow.number) < before)
        return [Numbered(row.number or 0, _judgement(row)) for row in await self._session.exec(query)]

    async def apart(self, statements: Iterable[str]) -> dict[str, int]:
        """Return statement to the supplier that a judgement took it for."""
        query = select(ApartRow.statement, ApartRow.supplier)
        query = query.where(col(ApartRow.statement).in_(sorted(set(statements))))
        return dict((await self._session.exec(query)).all())

    async def follow_apart(self, statement: str, earlier: str) -> None:
        """Let a revision of a statement that was put apart go with it."""
        row = await self._session.get(ApartRow, earlier)
        if row is not None and await self._session.get(ApartRow, statement) is None:
            self._session.add(ApartRow(statement=statement, judgement=row.judgement, supplier=row.supplier))
            await self._session.flush()


_ANY_SAME = f"select 1 from judgement where judged = '{Judged.SAME}' and undone_at is null limit 1"  # noqa: S608


def _judgement(row: JudgementRow) -> Judgement:
    return Judgement(
        row.id,
        Judged(row.judged),
        row.first,
        row.second,
        Because(row.because),
        row.words,
        row.by,
        row.at,
        row.undone_by,
        row.undone_at,
        row.undone_words,
    )
