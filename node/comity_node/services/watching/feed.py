"""The feed of changes: what became of what the network shares, in the order in which this node came to know it.

Whoever follows it keeps a cursor and asks for what is behind it. A change is told with what its statement says **now**:
somebody who was away for a year reads on the day of the withdrawal that it was withdrawn, and needs nothing in between.
A page costs the same wherever the cursor stands. Nothing is told before this node knows which suppliers it concerns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from comity_federation.encoding import NotCanonical, b64decode, b64encode
from comity_node.db import Store
from comity_node.db.changes import Changed
from comity_node.domain.changing import Change, News, about, body_of, news_of, standing_of
from comity_node.domain.supplier_view import AnyEntry, NoticeEntry, PointerEntry
from comity_node.domain.suppliers.mentions import Role, asides
from comity_schemas.errors import ComityError

SUPPLIERS = "suppliers"
"""Who follows the view with whom its statements mention."""


class CursorLost(ComityError):
    """The cursor does not fit what this node holds: it was restored from a backup, or the cursor is another's."""

    code: ClassVar[str] = "changes.cursor-lost"


@dataclass(frozen=True, slots=True)
class Concerned:
    """A supplier that a change concerns, as this node knows it."""

    number: int
    whole: int
    """The number under which it stands with those that people joined with it."""
    role: str


@dataclass(frozen=True, slots=True)
class Item:
    """One change as it is told."""

    number: int
    news: News
    at: datetime
    kind: str
    """Of the statement; `supplier` where a person joined or parted suppliers."""
    statement: str | None
    entry: AnyEntry | None
    """None where it does not count any more, or the change is about a supplier."""
    suppliers: tuple[Concerned, ...]
    spoken_of: AnyEntry | None = None
    """Of a reply or corroboration: what it stands beside, if that is here."""


@dataclass(frozen=True, slots=True)
class Told:
    """A page of the feed, and the cursor to come back with."""

    items: tuple[Item, ...]
    cursor: str
    more: bool
    """Whether there is more behind this page now."""


async def tell_changes(store: Store, cursor: str | None, most: int) -> Told:
    """Return what changed behind a cursor, the oldest first; from the beginning without one.

    Raises:
        CursorLost: the cursor was not made by this node, or by a past of it that did not happen any more.
    """
    place, noted = (0, 0) if cursor is None else _read_cursor(cursor)
    changes = await store.changes.page(place, follower=SUPPLIERS, most=most + 1)
    if place:
        if not changes or changes[0].number != place or _moment(changes[0].at) != noted:
            raise _lost()
        changes = changes[1:]
    shown = changes[:most]
    last = shown[-1] if shown else None
    if last is None:
        # As it came: a cursor of the beginning stays one.
        return Told((), cursor or make_cursor(0, None), False)
    return Told(tuple(await items_of(store, shown)), make_cursor(last.number, last.at), len(changes) > most)


async def cursor_of_now(store: Store) -> str:
    """Return the cursor behind everything that can be told now."""
    upto = await store.changes.followed(SUPPLIERS)
    return make_cursor(upto, await store.changes.at(upto))


async def items_of(store: Store, changes: Sequence[Changed]) -> list[Item]:
    """Return changes with what their statements say now, and whom they concern."""
    entries = await store.view.entries_by_number({c.entry: c.kind for c in changes if c.kind is not None})
    named = {number: name for number, entry in entries.items() if (name := about(entry)) is not None}
    spoken_of = await store.view.load(set(named.values())) if named else {}
    places = await store.view.numbers(sorted(spoken_of)) if spoken_of else {}
    numbers = {number: places.get(name, number) for number, name in named.items()}
    beside_these = {places[name]: each for name, each in spoken_of.items() if name in places}
    whom = await _whom(store, {**entries, **beside_these})
    suppliers = {supplier for some in whom.values() for supplier, _ in some}
    known = await store.suppliers.find(sorted(suppliers | {c.supplier for c in changes if c.supplier is not None}))
    items = []
    for change in changes:
        entry = entries.get(change.entry)
        some = whom.get(numbers.get(change.entry, change.entry), [])
        if change.supplier is not None:
            some = [(change.supplier, "subject")]
        concerned = tuple(Concerned(number, known[number].whole, role) for number, role in some if number in known)
        kind = "supplier" if change.supplier is not None else change.kind or "unknown"
        news = news_of(change.what, entry)
        beside = spoken_of.get(named.get(change.entry, ""))
        items.append(Item(change.number, news, change.at, kind, change.statement, entry, concerned, beside))
    return items


async def item_of(store: Store, statement: str, now: datetime) -> Item | None:
    """Return a statement as if it were new; None where it is not here."""
    number = (await store.view.numbers([statement])).get(statement)
    if number is None:
        return None
    kind = (await store.changes.kinds([number])).get(number)
    (item,) = await items_of(store, [Changed(0, Change.ADDED, now, number, None, kind, statement)])
    return item if item.entry is not None else None


async def _whom(store: Store, entries: Mapping[int, AnyEntry]) -> dict[int, list[tuple[int, str]]]:
    """Return record to the suppliers that it concerns, each with its role; whom pointers and audit notices name too."""
    found: dict[int, list[tuple[int, str]]] = {}
    for mention in await store.mentions.by(sorted(entries)):
        found.setdefault(mention.entry, []).append((mention.supplier, mention.role.value))
    named = {n: entry for n, entry in entries.items() if isinstance(entry, PointerEntry | NoticeEntry)}
    if not named:
        return found
    pairs = await store.said_of.named_by(sorted(named))
    known = await store.suppliers.find(sorted({supplier for _, supplier in pairs}))
    for number, supplier in pairs:
        roles = {each.key: each.role for each in asides(named[number])}
        role = roles.get(known[supplier].key, Role.SUBJECT)
        found.setdefault(number, []).append((supplier, role.value))
    return found


def describe_item(item: Item, today: date) -> dict[str, Any]:
    """Return a change as a JSON value; what it says is as screening shows it, and no more."""
    entry = item.entry
    said = None if entry is None else body_of(entry)
    return {
        "number": item.number,
        "at": item.at.isoformat(),
        "what": item.news.value,
        "kind": item.kind,
        "statement": item.statement,
        "suppliers": [{"number": s.number, "joined_as": s.whole, "role": s.role} for s in item.suppliers],
        "published_by": None if entry is None else entry.member,
        "seq": None if entry is None else entry.seq,
        "handling": None if entry is None else entry.handling.to_parsed(),
        "standing": None if entry is None else standing_of(entry, today),
        "says": None if said is None else said.to_parsed(),
        "about": about(entry),
        "changed_by": None if entry is None else entry.by,
        "taken_back": None if entry is None else entry.reason,
    }


def make_cursor(number: int, at: datetime | None) -> str:
    """Return the cursor behind a change that was noted at a time."""
    # With its time: after a restore the same number may be another change.
    return b64encode(f"{number}.{0 if at is None else _moment(at)}".encode("ascii"))


def _moment(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)


def _lost() -> CursorLost:
    return CursorLost(
        "this cursor does not fit what this node holds: it was restored from a backup, or the cursor is another "
        "node's. Nothing is lost: begin without a cursor, and take what you know already for known"
    )


def _read_cursor(cursor: str) -> tuple[int, int]:
    """Return the number of the change behind which to go on, and when it was noted."""
    try:
        number, _, when = b64decode(cursor).decode("ascii").partition(".")
        place, at = int(number), int(when)
    except (NotCanonical, ValueError) as error:
        raise _lost() from error
    if not 0 <= place < 2**31:
        raise _lost()
    return place, at
