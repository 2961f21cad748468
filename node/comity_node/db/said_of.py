"""Of whom anything is said, and where: by findings and decisions, by pointers and audit notices, by lists, by people
here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, text
from sqlalchemy import select as sa_select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.bulk import insert_rows
from comity_node.db.reading import Reading
from comity_node.db.rows.suppliers import AsideRow
from comity_node.domain.suppliers.mentions import Role

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of suppliers, each as (number of the record, supplier)."""

    told: list[tuple[int, int]]
    """In findings and decisions about them, or about sites of theirs."""
    aside: list[tuple[int, int]]
    """In pointers and audit notices that name them."""
    here: set[int]
    """Of whom a list, or somebody here, says anything."""


class SaidOf:
    """Repository of what is said of suppliers."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._reading = Reading(session)

    async def put_asides(self, entries: Sequence[int], named: Iterable[tuple[int, int]]) -> None:
        """Write whom these pointers and audit notices name, as (number of its record, supplier), in place of what
        was there."""
        for start in range(0, len(entries), _CHUNK):
            of_these = col(AsideRow.entry).in_(entries[start : start + _CHUNK])
            await self._session.exec(delete(AsideRow).where(of_these))
        await insert_rows(self._session, AsideRow, ("entry", "supplier"), sorted(set(named)))

    async def asides(self, suppliers: Sequence[int]) -> list[tuple[int, int]]:
        """Return (record, supplier) of the pointers and audit notices that name one of these suppliers."""
        return await self._pairs(AsideRow.entry, AsideRow.supplier, col(AsideRow.supplier).in_, suppliers)

    async def named_by(self, entries: Sequence[int]) -> list[tuple[int, int]]:
        """Return (record, supplier) of whom these pointers and audit notices name."""
        return await self._pairs(AsideRow.entry, AsideRow.supplier, col(AsideRow.entry).in_, entries)

    async def all_of(self, suppliers: Sequence[int]) -> Said:
        """Return all that is said of these suppliers."""
        told, aside, here = list[tuple[int, int]](), list[tuple[int, int]](), set[int]()
        for what, entry, supplier in await self._reading.rows(_ALL_OF, suppliers) if suppliers else ():
            if what == _HERE:
                here.add(supplier)
            else:
                (told if what == _TOLD else aside).append((entry, supplier))
        return Said(told, aside, here)

    async def _pairs(self, entry: int, supplier: int, among: Any, values: Sequence[int]) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for start in range(0, len(values), _CHUNK):
            query = sa_select(col(entry), col(supplier)).where(among(values[start : start + _CHUNK]))
            rows = await (await self._session.connection()).execute(query)
            found += [(record, number) for record, number in rows]
        return found

    async def spoken_of(self, suppliers: Sequence[int]) -> set[int]:
        """Return those of whom anybody still says anything, in a finding, a decision, a list, or here."""
        return {number for (number,) in await self._reading.rows(_SPOKEN_OF, suppliers)} if suppliers else set()

    async def are_clients(self, identifiers: Iterable[tuple[str, str]]) -> bool:
        """Tell whether a statement names whoever has one of these identifiers, or is joined with them, as a client."""
        wanted = sorted(set(identifiers))
        asked = _ARE_CLIENTS.format(" or ".join("scheme = ? and value = ?" for _ in wanted))
        return bool(wanted) and bool(await self._reading.rows(asked, (), [part for each in wanted for part in each]))


def says_anything() -> Any:
    """Return the condition that somebody still says anything of a supplier: whose list was taken back, or whose
    putting apart was undone, is nobody any more."""
    return text(_SAYS_ANYTHING)


_SAYS_HERE = """
    exists (
        select 1 from factory_row as listed join factory_list as given on given.number = listed.list
        where listed.supplier = supplier.number and given.taken_back_at is null
    )
    or exists (
        select 1 from supplier_fact as fact
        where (fact.supplier = supplier.number or fact.other = supplier.number) and fact.taken_back_at is null
    )
    or exists (select 1 from factory_list as own where own.owner = supplier.number and own.taken_back_at is null)
"""
"""That a list, or somebody here, says anything of a supplier."""
_SAYS_ANYTHING = f"""(
    exists (select 1 from supplier_mention as mention where mention.supplier = supplier.number) or {_SAYS_HERE}
)"""  # noqa: S608 (names of our own tables)
_SPOKEN_OF = f"select number from supplier where number {{these}} and {_SAYS_ANYTHING}"  # noqa: S608
_TOLD, _ASIDE, _HERE = range(3)
_ALL_OF = f"""
select {_TOLD}, entry, supplier from supplier_mention where supplier {{these}} and role <> '{Role.CLIENT}'
union all select {_ASIDE}, entry, supplier from supplier_aside where supplier {{these}}
union all select {_HERE}, 0, number from supplier where number {{these}} and ({_SAYS_HERE})
"""  # noqa: S608 (names of our own tables, and a number)
_ARE_CLIENTS = f"""
select 1 from supplier_mention as mention join supplier as client on client.number = mention.supplier
where mention.role = '{Role.CLIENT}' and client.whole in (
    select whole from supplier where number in (select supplier from supplier_identifier where {{}})
) limit 1
"""  # noqa: S608 (our own words)
