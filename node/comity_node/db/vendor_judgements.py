"""What officers judged of their rows and suppliers; an undone judgement stays, with who undid it."""

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.keys import Seals
from comity_node.db.rows.people import PersonRow
from comity_node.db.rows.suppliers import SupplierMentionRow, SupplierRow
from comity_node.db.rows.watching import VendorJudgementRow
from comity_node.domain.watching.judging import VendorJudged, VendorJudgement
from comity_node.domain.watching.vendors import party_from_parsed, party_to_parsed
from comity_schemas.finding import Severity

_CHUNK = 500


class VendorJudgements:
    """Repository of what was judged of vendors."""

    def __init__(self, session: AsyncSession, seals: Seals) -> None:
        self._session = session
        self._seals = seals

    async def add(self, judgement: VendorJudgement) -> None:
        """Store a new judgement."""
        j = judgement
        row = VendorJudgementRow(
            id=j.id,
            vendor=j.vendor,
            supplier=j.supplier,
            judged=j.judged.value,
            words=self._seals.seal_words(j.words),
            vendor_facts=self._seals.seal_words(json.dumps(party_to_parsed(j.vendor_facts), ensure_ascii=False)) or "",
            supplier_facts=json.dumps(party_to_parsed(j.supplier_facts), ensure_ascii=False),
            by=j.by,
            at=j.at,
        )
        self._session.add(row)
        await self._session.flush()

    async def find(self, judgement_id: str) -> VendorJudgement | None:
        """Return a judgement, undone or not."""
        row = await self._row(judgement_id)
        return None if row is None else self._judgement(row)

    async def of_vendors(self, vendors: Iterable[int], *, undone: bool = False) -> list[VendorJudgement]:
        """Return what was judged of these rows, the newest first; also what was undone, if that is asked for."""
        query = select(VendorJudgementRow).where(col(VendorJudgementRow.vendor).in_(sorted(set(vendors))))
        if not undone:
            query = query.where(col(VendorJudgementRow.undone_at).is_(None))
        rows = await self._session.exec(query.order_by(col(VendorJudgementRow.number).desc()))
        return [self._judgement(row) for row in rows]

    async def recognised(self, suppliers: Iterable[int]) -> set[int]:
        """Return the rows that were judged to be one of these suppliers, whether or not that counts still."""
        row, found, some = VendorJudgementRow, set[int](), sorted(set(suppliers))
        for start in range(0, len(some), _CHUNK):
            query = select(row.vendor).where(
                col(row.supplier).in_(some[start : start + _CHUNK]),
                row.judged == VendorJudged.SAME.value,
                col(row.undone_at).is_(None),
            )
            found |= set(await self._session.exec(query))
        return found

    async def unconfirmed(self, but: str, *, after: int, most: int) -> list[VendorJudgement]:
        """Return who was judged not to be the same by one person, another one than this, behind a number.

        Only where anything of the gravest kind is said of the supplier or whom it is joined with: of all others one
        person's word is enough, and they are many.
        """
        row, one, other, mention = VendorJudgementRow, aliased(SupplierRow), aliased(SupplierRow), SupplierMentionRow
        grave = (
            select(mention.entry)
            .join(other, col(other.number) == col(mention.supplier))
            .join(one, col(one.whole) == col(other.whole))
            .where(col(one.number) == col(row.supplier), col(mention.severity) == Severity.S4.value)
            .exists()
        )
        # Whoever is here no more is told nothing, so nobody need look at their rows.
        here = select(PersonRow.id).where(col(PersonRow.closed_at).is_(None))
        query = select(row).where(
            row.judged == VendorJudged.NOT_SAME.value,
            col(row.by).in_(here),
            col(row.undone_at).is_(None),
            col(row.confirmed_at).is_(None),
            row.by != but,
            col(row.number) > after,
            grave,
        )
        return [self._judgement(each) for each in await self._session.exec(query.order_by(col(row.number)).limit(most))]

    async def confirm(self, judgement_id: str, by: str, at: datetime) -> None:
        """Note that a second person says so too."""
        row = await self._row(judgement_id)
        assert row is not None
        row.confirmed_by, row.confirmed_at = by, at
        await self._session.flush()

    async def undo(self, judgement_id: str, by: str, at: datetime) -> None:
        """Note that a judgement does not stand any more."""
        row = await self._row(judgement_id)
        assert row is not None
        row.undone_by, row.undone_at = by, at
        await self._session.flush()

    async def move(self, supplier: int, to: int) -> None:
        """Let what was judged of a supplier be about another one, with the facts on which it rests as they were."""
        row = VendorJudgementRow
        stands = col(row.supplier) == supplier, col(row.undone_at).is_(None)
        await self._session.exec(update(row).where(*stands).values(supplier=to))
        self._session.expire_all()

    async def _row(self, judgement_id: str) -> VendorJudgementRow | None:
        query = select(VendorJudgementRow).where(VendorJudgementRow.id == judgement_id)
        return (await self._session.exec(query)).first()

    def _judgement(self, row: VendorJudgementRow) -> VendorJudgement:
        return VendorJudgement(
            row.number or 0,
            row.id,
            row.vendor,
            row.supplier,
            VendorJudged(row.judged),
            self._seals.open_words(row.words),
            party_from_parsed(json.loads(self._seals.open_words(row.vendor_facts) or "{}")),
            party_from_parsed(json.loads(row.supplier_facts)),
            row.by,
            row.at,
            row.confirmed_by,
            row.confirmed_at,
            row.undone_by,
            row.undone_at,
        )
