"""The names in the supplier view that the suppliers have not followed yet, so that whoever searches misses none.

While much is being received there are ten thousands of them, so a process keeps what it has read: reading on costs what
is new since. Only names are kept, never what is said under them: that is read anew, in the reader's own transaction.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.suppliers import FOLLOWED_BY
from comity_node.domain.matching.laying import Laid


@dataclass(frozen=True, slots=True)
class Names:
    """Names in the order in which they came into the view."""

    newest: int = 0
    """The last change that was read."""
    changes: Sequence[int] = ()
    entries: Sequence[int] = ()
    """The number of its record, of each name."""
    laid: Laid = field(default_factory=lambda: Laid.of(()))

    def after(self, change: int) -> "Names":
        """Return those that came after a change."""
        start = bisect_right(self.changes, change)
        return Names(self.newest, self.changes[start:], self.entries[start:], self.laid.part(start))


class Kept:
    """What one process keeps."""

    def __init__(self) -> None:
        self.names = Names()


class Behind:
    """Repository of names that were not followed."""

    def __init__(self, session: AsyncSession, kept: Kept) -> None:
        self._session = session
        self._kept = kept

    async def names(self) -> Names:
        """Return the names of all entries that came or changed since the suppliers followed the view."""
        connection = await self._session.connection()
        followed, newest = (await connection.execute(_ENDS, {"name": FOLLOWED_BY})).one()
        kept = self._kept.names
        if newest < kept.newest:
            # Read before by somebody whose view was newer; or the database's past came back, with other entries.
            kept = Names(followed)
        kept = kept.after(followed)
        if kept.newest < newest:
            kept = await self._read_on(connection, kept, max(kept.newest, followed), newest)
        self._kept.names = kept
        return kept

    async def _read_on(self, connection: AsyncConnection, kept: Names, after: int, newest: int) -> Names:
        rows = (await connection.execute(_NAMES, {"after": after})).all()
        return Names(
            newest,
            [*kept.changes, *(change for change, _, _ in rows)],
            [*kept.entries, *(entry for _, entry, _ in rows)],
            kept.laid.with_names([name for _, _, name in rows]),
        )


_ENDS = text(
    "select coalesce((select change from followed where name = :name), 0), coalesce((select max(id) from change), 0)"
)
_OF_ONE_KIND = "select change.id, name.entry, name.text from change join {} name on name.entry = change.entry"
_NAMES = text(
    " union all ".join(
        f"{_OF_ONE_KIND.format(table)} where change.id > :after"
        for table in ("entry_name", "decision_name", "pointer_name", "notice_name")
    )
    + " order by 1"
)
