"""Following the supplier view: whom its statements mention, kept beside it, a part at a time.

Each part is one transaction with the cursor in it, so a crash between two repeats nothing and loses nothing. The
received statements are read and never changed.
"""

from collections.abc import Sequence
from dataclasses import replace

from comity_node.db import Database, Store
from comity_node.db.mentions import Mention
from comity_node.db.suppliers import NewSupplier
from comity_node.domain.supplier_view import DecisionEntry, Entry, NoticeEntry, PointerEntry
from comity_node.domain.suppliers.mentions import Mentioned, Role, asides, mentions

PART = 500
"""Changes that are followed in one transaction: people who write meanwhile wait for a moment."""

MOST_AT_ONCE = 4
"""Parts that somebody who asks waits for; what is left is said in the answer."""

Followed = dict[int, Entry | DecisionEntry]


async def follow(store: Store, most: int = PART) -> int:
    """Take in what changed in the view, at most so many changes; return how many there were."""
    changes = await store.suppliers.changes(most)
    if changes:
        await derive(store, sorted({entry for _, entry in changes}))
        await store.suppliers.set_followed(changes[-1][0])
    return len(changes)


async def catch_up(database: Database, *, if_at_most: int | None = None) -> None:
    """Follow the view to its end, or for a bounded number of parts; not at all if there are more changes than given."""
    async with database.read() as store:
        behind = await store.suppliers.behind()
    if if_at_most is not None and behind > if_at_most:
        return
    parts = 0
    while behind and parts < MOST_AT_ONCE:
        async with database.write() as store:
            behind = await follow(store) == PART
        parts += 1


async def derive(store: Store, numbers: Sequence[int]) -> None:
    """Write anew whom these entries mention; one that is not there any more mentions nobody."""
    findings: Followed = {**await store.view.findings.entries_by_number(numbers)}
    entries: Followed = {**findings, **await store.view.decisions.entries_by_number(numbers)}
    apart = await _apart(store, entries)
    keys = {number: each.key for number, each in (await store.suppliers.find(sorted(set(apart.values())))).items()}
    found = {number: mentions(entry) for number, entry in entries.items()}
    for number, some in found.items():
        own = apart.get(entries[number].hash)
        if own is not None:
            found[number] = [_taken_for(each, keys[own]) if each.role is Role.SUBJECT else each for each in some]
    known = await store.suppliers.ensure(_new(each) for some in found.values() for each in some)
    rows = [
        _mention(number, entries[number], known[each.key], each.role) for number, some in found.items() for each in some
    ]
    await store.mentions.put(numbers, rows)
    await _derive_asides(store, numbers)


async def _derive_asides(store: Store, numbers: Sequence[int]) -> None:
    """Write anew whom these pointers and audit notices name, so that they are found by name as statements are."""
    entries: dict[int, PointerEntry | NoticeEntry] = {**await store.view.pointers.entries_by_number(numbers)}
    entries |= await store.view.notices.entries_by_number(numbers)
    found = {number: asides(entry) for number, entry in entries.items()}
    known = await store.suppliers.ensure(_new(each) for some in found.values() for each in some)
    named = [(number, known[each.key]) for number, some in found.items() for each in some]
    await store.said_of.put_asides(numbers, named)


async def _apart(store: Store, entries: Followed) -> dict[str, int]:
    """Return statement to the supplier that somebody took it for; what revises such a statement goes with it."""
    earlier = {e.hash: before for e in entries.values() if (before := _replaces(e)) is not None}
    apart = await store.judgements.apart({*earlier.values(), *(entry.hash for entry in entries.values())})
    # In the order of the log: a revision may itself be revised in the same part.
    for entry in sorted(entries.values(), key=lambda e: (e.member, e.seq)):
        before = earlier.get(entry.hash)
        if before in apart and entry.hash not in apart:
            await store.judgements.follow_apart(entry.hash, before)
            apart[entry.hash] = apart[before]
    return apart


def _replaces(entry: Entry | DecisionEntry) -> str | None:
    said = entry.finding if isinstance(entry, Entry) else entry.decision
    return None if said is None else said.replaces


def _taken_for(mentioned: Mentioned, key: str) -> Mentioned:
    """Return somebody as whom people here take it for: found by these names, and not by numbers that are another's."""
    return replace(mentioned, key=key, identifiers=())


def _new(mentioned: Mentioned) -> NewSupplier:
    names = tuple(dict.fromkeys(name.text for name in mentioned.names))
    return NewSupplier(mentioned.key, mentioned.kind, names, mentioned.identifiers, mentioned.country)


def _mention(number: int, entry: Entry | DecisionEntry, supplier: int, role: Role) -> Mention:
    if isinstance(entry, DecisionEntry):
        starts = [term.start.isoformat() for term in entry.decision.terms if term.start] if entry.decision else []
        return Mention(number, supplier, role, True, max(starts, default=""), "", None)
    finding = entry.finding
    assert finding is not None
    event = None if finding.source.event is None else f"{entry.member} {finding.source.event}"
    return Mention(number, supplier, role, False, finding.source.when, finding.severity.value, event)
