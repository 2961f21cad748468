"""What came into the supplier view and the suppliers have not followed yet, so that whoever searches misses nobody.

While much is being received there are ten thousands of them, so a process keeps what it has read: reading on costs what
is new since. Only names and identifiers are kept, never what is said under them: that is read anew, in the reader's own
transaction.
"""

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from comity_node.db.kept_index import KeptIndex
from comity_node.db.reading import Reading
from comity_node.db.suppliers import ENDS, FOLLOWED_BY
from comity_node.domain.matching.identifiers import numbers_of_company
from comity_node.domain.matching.laying import Laid
from comity_schemas.identifiers import Identifier


@dataclass(frozen=True, slots=True)
class Names:
    """Names in the order in which they came into the view."""

    followed: int = 0
    """The change behind which they begin: of those before it none are left."""
    newest: int = 0
    """The last change that was read."""
    changes: Sequence[int] = ()
    entries: Sequence[int] = ()
    """The number of its record, of each name."""
    laid: Laid = field(default_factory=lambda: Laid.of(()))
    identified: Mapping[tuple[str, str], Sequence[tuple[int, int]]] = field(default_factory=dict)
    """Scheme and value to (change, number of its record)."""

    def after(self, change: int) -> "Names":
        """Return those that came after a change."""
        start = bisect_right(self.changes, change)
        if not start:
            return replace(self, followed=change)
        left = {
            identifier: [each for each in some if each[0] > change]
            for identifier, some in self.identified.items()
            if some[-1][0] > change
        }
        return Names(change, self.newest, self.changes[start:], self.entries[start:], self.laid.part(start), left)

    def with_identifiers(self, identifiers: Iterable[Identifier]) -> set[int]:
        """Return the numbers of the records that carry one of these, or one of another branch's."""
        return {number for i in identifiers for key in self._of_company(i) for _, number in self.identified[key]}

    def _of_company(self, identifier: Identifier) -> list[tuple[str, str]]:
        first, last = numbers_of_company(identifier)
        if first == last:
            return [key for key in [(identifier.scheme, first)] if key in self.identified]
        return [key for key in self.identified if key[0] == identifier.scheme and first <= key[1] <= last]


class Kept:
    """What one process keeps."""

    def __init__(self) -> None:
        self.names = Names()
        self.index = KeptIndex()


class Behind:
    """Repository of names that were not followed."""

    def __init__(self, session: AsyncSession, kept: Kept) -> None:
        self._session = session
        self._kept = kept

    async def names(self) -> Names:
        """Return the names of all entries that came or changed since the suppliers followed the view."""
        followed, newest = (await Reading(self._session).rows(ENDS, (), (FOLLOWED_BY,)))[0]
        kept = self._kept.names
        if newest < kept.newest or followed < kept.followed:
            # Read before by somebody whose view was newer; or the database's past came back, with other entries.
            kept = Names(followed, followed)
        kept = kept.after(followed)
        if kept.newest < newest:
            kept = await self._read_on(await self._session.connection(), kept, max(kept.newest, followed), newest)
        self._kept.names = kept
        return kept

    async def _read_on(self, connection: AsyncConnection, kept: Names, after: int, newest: int) -> Names:
        changes, entries, names = [*kept.changes], [*kept.entries], list[str]()
        identified = {identifier: [*some] for identifier, some in kept.identified.items()}
        for change, entry, said in await connection.execute(_SAID, {"after": after}):
            body = json.loads(said)
            for name in body.get("names") or ():
                changes.append(change)
                entries.append(entry)
                names.append(name["text"])
            for each in body.get("identifiers") or ():
                identified.setdefault((each["scheme"], each["id"]), []).append((change, entry))
        return Names(kept.followed, newest, changes, entries, kept.laid.with_names(names), identified)


_OF_ONE_KIND = "select change.id, change.entry, {0}.{1} from change join {0} on {0}.id = change.entry"
_SAID = text(
    " union all ".join(
        f"{_OF_ONE_KIND.format(table, body)} where change.id > :after and named"
        for table, body in (("entry", "finding"), *((kind, kind) for kind in ("decision", "pointer", "notice")))
    )
    + " order by 1"
)
