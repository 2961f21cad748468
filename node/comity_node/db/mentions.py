"""Which statements mention which suppliers, in which role, and how many there are. It follows the supplier view."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, text
from sqlalchemy import select as sa_select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.bulk import insert_rows
from comity_node.db.rows.suppliers import SupplierMentionRow, SupplierRow
from comity_node.domain.suppliers.mentions import Role

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Mention:
    """That a finding or decision mentions somebody."""

    entry: int
    """The number of its record."""
    supplier: int
    role: Role
    decision: bool
    told: str
    severity: str
    event: str | None


@dataclass(frozen=True, slots=True)
class Counted:
    """How many statements concern somebody, apart by how they do; several may tell of one thing."""

    findings: int
    findings_of_sites: int
    findings_through_providers: int
    decisions: int


class Mentions:
    """Repository of the statements that mention suppliers."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(self, entries: Sequence[int], mentions: Sequence[Mention]) -> None:
        """Write whom these statements mention, in place of what was there."""
        for start in range(0, len(entries), _CHUNK):
            of_these = col(SupplierMentionRow.entry).in_(entries[start : start + _CHUNK])
            await self._session.exec(delete(SupplierMentionRow).where(of_these))
        columns = ("entry", "supplier", "role", "decision", "told", "severity", "event")
        rows = [(m.entry, m.supplier, m.role.value, m.decision, m.told, m.severity, m.event) for m in mentions]
        await insert_rows(self._session, SupplierMentionRow, columns, rows)
        newest: dict[int, str] = {}
        for mention in mentions:
            newest[mention.supplier] = max(mention.told[:7], newest.get(mention.supplier, ""))
        if newest:
            rows_told = [{"s": s, "n": told} for s, told in newest.items()]
            await self._session.flush()
            await (await self._session.connection()).execute(_NEWEST, rows_told)
            self._session.expire_all()

    async def of(self, suppliers: Sequence[int], most: int, role: Role | None = None) -> list[Mention]:
        """Return the statements that mention these suppliers, the newest first, at most so many; of one role those that
        mention them as that only."""
        row = SupplierMentionRow
        query = _MENTIONS.where(col(row.supplier).in_(suppliers)).order_by(col(row.told).desc(), col(row.entry).desc())
        if role is not None:
            query = query.where(col(row.role) == role.value)
        return await self._mentions(query.limit(most))

    async def about(self, suppliers: Sequence[int], most: int) -> list[Mention]:
        """Return the statements about these suppliers, the newest first, at most so many of each."""
        row, found = SupplierMentionRow, list[Mention]()
        newest = func.row_number().over(
            partition_by=col(row.supplier), order_by=[col(row.told).desc(), col(row.entry).desc()]
        )
        for start in range(0, len(suppliers), _CHUNK):
            these = col(row.supplier).in_(suppliers[start : start + _CHUNK]), col(row.role) == Role.SUBJECT.value
            placed = _MENTIONS.add_columns(newest.label("place")).where(*these).subquery()
            columns = [column for column in placed.c if column.name != "place"]
            found += await self._mentions(sa_select(*columns).where(placed.c.place <= most))
        return sorted(found, key=lambda mention: (mention.told, mention.entry), reverse=True)

    async def by(self, entries: Sequence[int]) -> list[Mention]:
        """Return whom these statements mention."""
        found: list[Mention] = []
        for start in range(0, len(entries), _CHUNK):
            query = _MENTIONS.where(col(SupplierMentionRow.entry).in_(entries[start : start + _CHUNK]))
            found += await self._mentions(query)
        return found

    async def of_events(self, events: Iterable[str], most: int) -> list[Mention]:
        """Return the statements about whoever was met in one of these events."""
        row = SupplierMentionRow
        query = _MENTIONS.where(col(row.event).in_(sorted(set(events))), col(row.role) == Role.SUBJECT.value)
        return await self._mentions(query.order_by(col(row.entry)).limit(most))

    async def counted(self, wholes: Sequence[int]) -> dict[int, Counted]:
        """Return how many statements there are about each, joined ones together."""
        mention, row = SupplierMentionRow, SupplierRow
        query = (
            sa_select(col(row.whole), col(mention.role), col(mention.decision), func.count())
            .join(row, col(row.number) == col(mention.supplier))
            .where(col(row.whole).in_(wholes))
            .group_by(col(row.whole), col(mention.role), col(mention.decision))
        )
        found: dict[int, dict[tuple[Role, bool], int]] = {whole: {} for whole in wholes}
        for whole, role, decision, count in await (await self._session.connection()).execute(query):
            found[whole][Role(role), bool(decision)] = count
        return {
            whole: Counted(
                findings=said.get((Role.SUBJECT, False), 0),
                findings_of_sites=said.get((Role.OPERATOR, False), 0),
                findings_through_providers=said.get((Role.CLIENT, False), 0),
                decisions=said.get((Role.SUBJECT, True), 0),
            )
            for whole, said in found.items()
        }

    async def severities(self, wholes: Sequence[int]) -> dict[int, set[str]]:
        """Return how grave the findings are that mention each, in whatever role, joined ones together, however many."""
        mention, row, found = SupplierMentionRow, SupplierRow, dict[int, set[str]]()
        query = (
            sa_select(col(row.whole), col(mention.severity))
            .join(row, col(row.number) == col(mention.supplier))
            .where(col(row.whole).in_(wholes), col(mention.severity) != "")
            .distinct()
        )
        for whole, severity in await (await self._session.connection()).execute(query):
            found.setdefault(whole, set()).add(severity)
        return found

    async def _mentions(self, query: Any) -> list[Mention]:
        rows = await (await self._session.connection()).execute(query)
        return [Mention(entry, supplier, Role(role), *rest) for entry, supplier, role, *rest in rows]


_MENTIONS = sa_select(
    *(
        col(column)
        for column in (
            SupplierMentionRow.entry,
            SupplierMentionRow.supplier,
            SupplierMentionRow.role,
            SupplierMentionRow.decision,
            SupplierMentionRow.told,
            SupplierMentionRow.severity,
            SupplierMentionRow.event,
        )
    )
)
_NEWEST = text(
    "update supplier set newest = :n where newest < :n "
    "and (number = :s or number = (select whole from supplier where number = :s))"
)
