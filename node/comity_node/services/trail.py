"""Exporting the trail with proof, and fixing it by checkpoints that everybody sees.

An export is an entry of the trail itself: what was selected, and the digest of all that was. The relay then signs a
checkpoint without delay, so that nobody can take anything out of the file unseen.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from comity_node.db import Database, Store
from comity_node.domain.errors import NotFound
from comity_node.domain.people import Person
from comity_node.domain.trail import START, Event
from comity_node.domain.trail_export import Manifest, Selection, ending, heading, lines_of, select

_AT_ONCE = 500
"""Entries in one reading. Each is a view of its own: entries never change, and a slow reader holds nothing up."""

_ANCHOR_EVERY = timedelta(hours=1)
"""How often a checkpoint is kept as an anchor while the trail grows."""


async def prepare_export(database: Database, selection: Selection) -> Manifest:
    """Go through the trail as it stands and return what an export would bind."""
    async with database.read() as store:
        last, _ = await store.trail.head()
    number, first, counted, binds = 0, None, 0, START
    while number < last:
        async with database.read() as store:
            rows = await store.trail.after(number, upto=last, most=_AT_ONCE)
        if not rows:
            break
        counted, binds, found = select(rows, selection, counted, binds)
        first = found if first is None else first
        number = rows[-1].number
    return Manifest(selection, last + 1 if first is None else first, last, counted, binds)


async def note_export(store: Store, person: Person, manifest: Manifest, now: datetime) -> int:
    """Put an export on the trail and ask for a checkpoint; return its number."""
    number = await store.trail.add(now, person.id, Event.TRAIL_EXPORTED, "trail", **manifest.to_detail())
    await store.trail.want_anchor(number)
    return number


async def find_export(store: Store, number: int) -> Manifest:
    """Return what an export bound.

    Raises:
        NotFound: there is no such export.
    """
    entry = await store.trail.at(number)
    if entry is None or entry.entry.event is not Event.TRAIL_EXPORTED:
        raise NotFound("no such export")
    return Manifest.of_entry(entry.entry)


async def is_fixed(store: Store, number: int) -> bool:
    """Tell whether a signed checkpoint fixes the trail up to a place."""
    return bool(await store.trail.anchors(number, most=1))


async def export_lines(database: Database, number: int, member: str) -> AsyncIterator[bytes]:
    """Give the lines of an export, to the first checkpoint behind it; the same however often it is asked for.

    Args:
        database: The node's.
        number: Of the export's entry.
        member: DID of this node's member.
    """
    async with database.read() as store:
        manifest = await find_export(store, number)
        fixed = await store.trail.anchors(number, most=1)
        before = await store.trail.at(manifest.first - 1)
    last = fixed[0].number if fixed else number
    place, lines = manifest.first - 1, 2
    yield heading(member, number, place, START if before is None else before.hash)
    while place < last:
        async with database.read() as store:
            rows = await store.trail.after(place, upto=last, most=_AT_ONCE)
            if not rows:
                break
            anchors = await store.trail.anchors(rows[0].number, upto=rows[-1].number)
        place = rows[-1].number
        for line in lines_of(rows, anchors, manifest, number):
            lines += 1
            yield line
    yield ending(place, lines)


async def is_anchor_wanted(store: Store) -> bool:
    """Tell whether an export waits for a checkpoint."""
    wanted = await store.trail.last_wanted()
    last = await store.trail.last_anchor()
    return wanted > (0 if last is None else last.number)


async def is_anchor_due(store: Store, number: int, now: datetime) -> bool:
    """Tell whether a checkpoint that is signed now has to be kept as an anchor of the trail at this place."""
    last = await store.trail.last_anchor()
    if last is None:
        return number > 0
    return number > last.number and (now - last.at >= _ANCHOR_EVERY or await is_anchor_wanted(store))
