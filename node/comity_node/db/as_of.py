"""Reading the supplier view as it was at log positions: what came later is left out, and taken off what came before.

Statements change only what stands before them in their own log, so positions name a view, whenever it is read. It is
what can be read today of the statements up to there: a disclosure that arrived late is read too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_
from sqlalchemy import select as sa_select
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.hashes import has_hash
from comity_node.db.rows.bus import ReceivedRow
from comity_node.domain.supplier_view import A, as_then

_CHUNK = 500

Heads = Mapping[str, int]
"""Member to the last place of its log that counts; a log that is not named had not begun."""


def reached(heads: Heads) -> ColumnElement[bool]:
    """Return the condition that a received record stands at or before its log's position."""
    return _at_or_before(ReceivedRow, heads)


def record_reached(number: Any, heads: Heads) -> ColumnElement[bool]:
    """Return the condition that the record of a number does, where records are not joined."""
    record = aliased(ReceivedRow)
    return exists().where(col(record.id) == col(number), _at_or_before(record, heads))


def _at_or_before(record: type[ReceivedRow], heads: Heads) -> ColumnElement[bool]:
    places = [and_(col(record.member) == member, col(record.seq) <= head) for member, head in sorted(heads.items())]
    return or_(false(), *places)


async def as_they_were(session: AsyncSession, heads: Heads, entries: Sequence[A]) -> list[A]:
    """Return those of these entries that were there, as they were."""
    there = [entry for entry in entries if entry.seq <= heads.get(entry.member, 0)]
    places = await _places(session, {name for entry in there for name in (entry.by, entry.earlier_by) if name})
    return [as_then(entry, places.get, heads[entry.member]) for entry in there]


async def _places(session: AsyncSession, hashes: set[str]) -> dict[str, int]:
    """Return hash to place of statements that count."""
    found: dict[str, int] = {}
    wanted, connection = sorted(hashes), await session.connection()
    for start in range(0, len(wanted), _CHUNK):
        among = has_hash(wanted[start : start + _CHUNK])
        query = sa_select(col(ReceivedRow.hash), col(ReceivedRow.seq)).where(
            among, col(ReceivedRow.state) == "accepted"
        )
        found.update({name: seq for name, seq in await connection.execute(query) if name and seq})
    return found
