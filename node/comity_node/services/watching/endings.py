"""What ends by itself: kept with its last day while it stands, told as a change once that day is over.

Expiry is computed whenever somebody looks; this is only so that nobody has to look. Each part is one transaction with
its cursor in it: a crash repeats nothing and loses nothing.
"""

from datetime import datetime

from comity_node.db import Store
from comity_node.domain.changing import Change, last_day
from comity_node.domain.supplier_view import EntryState
from comity_node.services.watching.feed import SUPPLIERS

PART = 500
"""Changes or endings in one transaction."""

_NAME = "endings"


async def note_endings(store: Store, now: datetime) -> bool:
    """Keep when new entries end, and tell what has ended; return whether there is more to do now."""
    # Behind the suppliers, who wait while much is being received.
    upto = await store.changes.followed(SUPPLIERS)
    place = await store.changes.followed(_NAME)
    changes = await store.changes.after(place, upto=upto, most=PART)
    added = {c.entry: c.kind for c in changes if c.what is Change.ADDED and c.kind is not None}
    entries = await store.view.entries_by_number(added)
    days = [(day.isoformat(), number) for number, entry in entries.items() if (day := last_day(entry)) is not None]
    await store.changes.put_endings(days)
    if changes:
        await store.changes.set_followed(_NAME, changes[-1].number)
    over = await store.changes.ended(now.date().isoformat(), PART)
    if over:
        await _tell(store, over, now)
    return len(changes) == PART or len(over) == PART


async def _tell(store: Store, over: list[tuple[str, int]], now: datetime) -> None:
    numbers = sorted({number for _, number in over})
    kinds = await store.changes.kinds(numbers)
    entries = await store.view.entries_by_number(kinds)
    # What was revised or taken back has been told already.
    stood = sorted(number for number, entry in entries.items() if entry.state is EntryState.CURRENT)
    await store.changes.note(stood, Change.EXPIRED, now)
    await store.changes.drop_endings(over)
