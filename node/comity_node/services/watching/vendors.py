"""Keeping an officer's own list of firms: rows added, changed, replaced as a whole, removed."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from comity_node.db import Store
from comity_node.domain.errors import NotFound
from comity_node.domain.matching.party import Party
from comity_node.domain.people import Person
from comity_node.domain.trail import Event
from comity_node.domain.watching.portfolio import Portfolio, Touched, asking_keys
from comity_node.domain.watching.vendors import MOST_VENDORS, TooManyVendors, Vendor, fingerprint
from comity_node.services.accounts import end_watches, new_id
from comity_node.services.watching.spellings import forget_spellings

_AT_ONCE = 500
"""Rows that are read into memory in one query."""

_TOGETHER = 50
"""Rows that are taken into memory before others have their turn: 20,000 take seconds."""

_JUDGED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of the rows that were given."""

    added: int
    changed: int
    unchanged: int
    removed: int
    rows: int
    """How many the officer keeps now."""


async def keep_vendors(
    store: Store, person: Person, given: Sequence[tuple[str, Party]], now: datetime, *, replace: bool = False
) -> Kept:
    """Take in rows by the names they have in the officer's own system.

    Args:
        store: The open transaction.
        person: Whose rows they are.
        given: (row, party), no row twice.
        now: The time.
        replace: Whether what is not given is removed.

    Raises:
        TooManyVendors: more than one officer may keep; nothing was changed.
    """
    known = await store.vendors.of_rows(person.id, [row for row, _ in given])
    added = [(new_id(), row, party) for row, party in given if row not in known]
    changed = [
        (known[row].number, party)
        for row, party in given
        if row in known and fingerprint(known[row].party) != fingerprint(party)
    ]
    gone = await _others(store, person, {row for row, _ in given}) if replace else []
    total = await store.vendors.count(person.id) + len(added) - len(gone)
    if total > MOST_VENDORS:
        raise TooManyVendors(f"{total} rows are more than the {MOST_VENDORS} that one officer keeps; nothing changed")
    await _remove(store, person, gone, now)
    await store.vendors.add(person.id, added, now)
    await store.vendors.change(changed, now)
    kept = Kept(len(added), len(changed), len(given) - len(added) - len(changed), len(gone), total)
    detail = {"added": kept.added, "changed": kept.changed, "removed": kept.removed, "rows": kept.rows}
    await store.trail.add(now, person.id, Event.VENDORS_KEPT, "vendors", **detail)
    return kept


async def remove_vendor(store: Store, person: Person, vendor_id: str, now: datetime) -> None:
    """Remove a row, with its alerts, what was judged of it, and watches of it alone.

    Raises:
        NotFound: it is not there, or somebody else's.
    """
    vendor = await own_vendor(store, person, vendor_id)
    await _remove(store, person, [vendor.number], now)
    detail = {"added": 0, "changed": 0, "removed": 1, "rows": await store.vendors.count(person.id)}
    await store.trail.add(now, person.id, Event.VENDORS_KEPT, "vendors", **detail)


async def own_vendor(store: Store, person: Person, vendor_id: str) -> Vendor:
    """Return an officer's own row.

    Raises:
        NotFound: it is not there, or somebody else's.
    """
    vendor = await store.vendors.find(person.id, vendor_id)
    if vendor is None:
        raise NotFound("no such row of yours")
    return vendor


async def _remove(store: Store, person: Person, numbers: Sequence[int], now: datetime) -> None:
    """Remove rows; nobody could take back any more what was judged of them, so what it taught goes with it. A watch of
    such a row alone would never be told anything again: it ends, so that nobody waits for it."""
    gone = {vendor.id for vendor in (await store.vendors.by_number(numbers)).values()}
    theirs = [w for w in await store.watches.of_owner(person.id) if w.interest.vendor in gone]
    await end_watches(store, theirs, person.id, now)
    for start in range(0, len(numbers), _JUDGED_AT_ONCE):
        judged = await store.vendor_judgements.of_vendors(numbers[start : start + _JUDGED_AT_ONCE])
        await forget_spellings(store, judged, person, now)
    await store.vendors.remove(numbers)


async def _others(store: Store, person: Person, rows: set[str]) -> list[int]:
    return [v.number async for some in _all_of(store, person.id) for v in some if v.row not in rows]


async def _all_of(store: Store, owner: str) -> AsyncIterator[Sequence[Vendor]]:
    before: int | None = None
    while some := await store.vendors.page(owner, before=before, most=_AT_ONCE):
        yield some
        before = some[-1].number


class Portfolios:
    """The vendors of all officers of a node in memory, brought up to what is stored before each use."""

    def __init__(self) -> None:
        self._of: dict[str, Portfolio] = {}
        self._owners: dict[int, str] = {}
        self.version = 0
        """Up to which writing or removal of rows it knows them."""

    @classmethod
    async def of_one(cls, store: Store, owner: str) -> "Portfolios":
        """Return those of one officer only, for one question."""
        found = cls()
        async for some in _all_of(store, owner):
            await found._put_all(some)
        return found

    async def refresh(self, store: Store) -> None:
        """Take in what was written and removed since."""
        newest, read = await store.vendors.version(), self.version
        if newest == read:
            return
        for number in self._owners.keys() - await store.vendors.numbers():
            self._of[self._owners.pop(number)].remove(number)
        while some := await store.vendors.written_after(read, _AT_ONCE):
            await self._put_all(some)
            read = some[-1].version
        self.version = newest

    def touched_by(self, party: Party) -> list[Touched]:
        """Return the vendors that may be this party, of whichever officer, each officer's strongest first."""
        asking = asking_keys(party)
        return [touched for portfolio in self._of.values() for touched in portfolio.touched_by(party, asking)]

    def by_number(self, numbers: Iterable[int]) -> list[Vendor]:
        """Return the vendors of these numbers, of whichever officer."""
        found = (self._of[self._owners[number]].get(number) for number in numbers if number in self._owners)
        return [vendor for vendor in found if vendor is not None]

    async def _put_all(self, vendors: Sequence[Vendor]) -> None:
        for place, vendor in enumerate(vendors, 1):
            self._put(vendor)
            if place % _TOGETHER == 0:
                await asyncio.sleep(0)

    def _put(self, vendor: Vendor) -> None:
        # A number may have come back as somebody else's row.
        before = self._owners.get(vendor.number, vendor.owner)
        if before != vendor.owner:
            self._of[before].remove(vendor.number)
        self._owners[vendor.number] = vendor.owner
        self._of.setdefault(vendor.owner, Portfolio()).put(vendor)
