"""From changes to alerts: each change asks the vendors whom it may concern, and the watches who wants to know.

Rules:
- Alerts are stored in the transaction that moves the cursor. A crash before it repeats the part, a crash after it has
  told all of it: nothing is lost, and the name of each alert keeps it from being told twice.
- Comparing happens before that transaction: whoever writes meanwhile does not wait.
- Whoever was told of a statement is told when it does not stand any more, whatever became of their row and of the
  supplier meanwhile, and when its revision is nothing that they would be told of: a milder one, or one about somebody
  else.
- A row that was judged not to be this supplier is not told of it. One that was judged to be is told of all, whatever
  the two are called; where that judgement lapsed, as of what a person must look at.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime

from comity_federation.encoding import digest
from comity_node.db import Database, Store
from comity_node.db.watches import NewAlert, Told
from comity_node.domain.changing import News, Said, body_of
from comity_node.domain.matching.comparing import compare
from comity_node.domain.matching.likeness import RANKS, Likeness, Verdict
from comity_node.domain.matching.party import Party
from comity_node.domain.supplier_view import AnyEntry, EntryState
from comity_node.domain.suppliers.mentions import Role
from comity_node.domain.watching.judging import as_judged, as_recognised
from comity_node.domain.watching.portfolio import Touched
from comity_node.domain.watching.vendors import Vendor
from comity_node.domain.watching.watches import Facts, Interest, Watch, answers_to
from comity_node.services.accounts import new_id
from comity_node.services.watching.feed import SUPPLIERS, Concerned, Item, item_of, items_of
from comity_node.services.watching.judging import judged_wholes
from comity_node.services.watching.vendors import Portfolios
from comity_schemas.finding import Finding
from comity_schemas.identifiers import Identifier

PART = 200
"""Changes in one transaction."""

MOST_LOOKED_AT = 1_000
"""Statements about suppliers that were joined or parted, the newest first."""

ALERTS = "alerts"
"""Under which it is kept how far they follow the view."""

_NO_MORE = {
    News.WITHDRAWN: "you were told of it, and its publisher took it back",
    News.EXPIRED: "you were told of it, and its last day is over",
    News.REMOVED: "you were told of it, and it does not count any more",
    News.SUPERSEDED: "you were told of it, and what stands in its place does not answer to what you watch",
}

_THROUGH = {
    Role.SUBJECT.value: "",
    Role.OPERATOR.value: "about its site: ",
    Role.CLIENT.value: "through its labour provider: ",
}


@dataclass(frozen=True, slots=True)
class _Part:
    """What was found for some changes, before it is stored."""

    after: int
    upto: int
    alerts: list[NewAlert]
    rows: int | None = None
    """As of which writing of officers' rows; None where nobody's were asked."""


async def note_alerts(database: Database, portfolios: Portfolios, now: datetime) -> bool:
    """Look at the next changes and store who is told of them; return whether there is more to do now."""
    async with database.read() as store:
        part = await _look(store, portfolios)
    if part is None:
        return False
    async with database.write() as store:
        # Rows were written or removed meanwhile: what was found may be about one that is gone, or lack a new one.
        if part.rows is not None and await store.vendors.version() != part.rows:
            return True
        # Somebody else looked meanwhile: what they have told is told.
        if await store.changes.followed(ALERTS) == part.after:
            await store.watches.tell(part.alerts, now)
            await store.changes.set_followed(ALERTS, part.upto)
    return True


async def _look(store: Store, portfolios: Portfolios) -> _Part | None:
    after, upto = await store.changes.followed(ALERTS), await store.changes.followed(SUPPLIERS)
    if after >= upto:
        return None
    watches = await store.watches.standing() if await store.watches.any_stands() else []
    if not watches:
        # Whoever begins to watch is told of what comes then.
        return _Part(after, upto, [])
    changes = await store.changes.after(after, upto=upto, most=PART)
    last = changes[-1].number if changes else upto
    await portfolios.refresh(store)
    items = await items_of(store, changes)
    concerns = _Concerns(store, portfolios)
    wholes = await _watched_wholes(store, watches)
    alerts: list[NewAlert] = []
    for item in items:
        facts = await _all_facts(store, item)
        asking = [w for w in watches if any(answers_to(w.interest, each, wholes.get(w.number)) for each in facts)]
        touched = await concerns.of(item) if any(_needs_rows(w.interest) for w in asking) else []
        for watch in asking:
            alerts += _alerts_of(watch, item, touched)
        if item.news in _NO_MORE:
            alerts += await _no_more(store, item, watches, alerts)
    return _Part(after, last, alerts, portfolios.version)


async def _watched_wholes(store: Store, watches: Sequence[Watch]) -> Mapping[int, int]:
    """Return watch to the number under which its supplier stands now."""
    asked = {w.number: w.interest.supplier for w in watches if w.interest.supplier is not None}
    known = await store.suppliers.find(sorted(set(asked.values())))
    return {number: known[supplier].whole for number, supplier in asked.items() if supplier in known}


def facts_of(item: Item) -> Facts:
    """Return what of a change a watch can look at; of what stands beside a statement, the statement's."""
    member = None if item.entry is None else item.entry.member
    wholes = frozenset(each.whole for each in item.suppliers)
    return _facts(item.news, member, wholes, item.spoken_of or item.entry)


def _facts(news: News, member: str | None, wholes: frozenset[int], entry: AnyEntry | None) -> Facts:
    said: Said | None = None if entry is None else body_of(entry)
    sector = getattr(said, "sector", None)
    finding = said if isinstance(said, Finding) else None
    return Facts(
        news,
        member,
        getattr(said, "country", None),
        None if sector is None else f"{sector.scheme.value}:{sector.code}",
        frozenset() if finding is None else frozenset(found.indicator.value for found in finding.indicators),
        None if finding is None else finding.severity.value,
        wholes,
    )


async def _all_facts(store: Store, item: Item) -> list[Facts]:
    """Return the same of each statement that stands about suppliers which people joined or parted: whoever watches for
    one of them is told that it may concern other rows now."""
    own = facts_of(item)
    if item.kind != "supplier":
        return [own]
    numbers = [known.number for known in await store.suppliers.of_wholes(sorted(own.wholes))]
    about = await store.mentions.of(numbers, MOST_LOOKED_AT, Role.SUBJECT)
    named = await store.view.named_by_number(sorted({mention.entry for mention in about}))
    entries: list[AnyEntry] = [*named.findings.values(), *named.decisions.values()]
    standing = [entry for entry in entries if entry.state is EntryState.CURRENT]
    return [own, *(_facts(own.news, entry.member, own.wholes, entry) for entry in standing)]


@dataclass(frozen=True, slots=True)
class Concern:
    """A vendor that a change may concern, the supplier by which it does, and how."""

    vendor: Vendor
    supplier: Concerned
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which vendors a supplier may be: those that are like it, and those that somebody judged to be it."""

    touched: Sequence[Touched]
    recognised: Set[int]


class _Concerns:
    """Which vendors changes concern, asked once for each supplier of a part."""

    def __init__(self, store: Store, portfolios: Portfolios) -> None:
        self._store = store
        self._portfolios = portfolios
        self._found: dict[tuple[int, Party], _Asked] = {}

    async def of(self, item: Item) -> list[Concern]:
        """Return the vendors that a change may concern, each once, the strongest first."""
        found: dict[int, tuple[Likeness, Concern]] = {}
        for supplier in item.suppliers:
            asked = await self._asked(item, supplier)
            some = {t.vendor.number: t for t in asked.touched}
            judged = await judged_wholes(self._store, {number: t.vendor for number, t in some.items()})
            for number, touched in some.items():
                said = judged.get((number, supplier.whole))
                counts = as_recognised if number in asked.recognised else as_judged
                likeness = counts(touched.likeness, said)
                if likeness is None or (number in found and _order(found[number][0]) <= _order(likeness)):
                    continue
                reason = _THROUGH.get(supplier.role, "") + likeness.reason
                found[number] = likeness, Concern(touched.vendor, supplier, likeness.verdict.value, reason)
        return [concern for _, concern in sorted(found.values(), key=lambda each: _order(each[0]))]

    async def _asked(self, item: Item, supplier: Concerned) -> "_Asked":
        entry = item.spoken_of or item.entry
        said = None if entry is None or supplier.role != Role.SUBJECT.value else body_of(entry)
        own = Party.of(said) if said is not None and hasattr(said, "names") else Party(())  # type: ignore[arg-type]
        numbers = [known.number for known in await self._store.suppliers.of_wholes([supplier.whole])]
        party = await _as_known(self._store, numbers, own)
        key = (supplier.whole, party)
        if key not in self._found:
            touched = self._portfolios.touched_by(party)
            recognised = await self._store.vendor_judgements.recognised(numbers)
            missing = self._portfolios.by_number(recognised - {t.vendor.number for t in touched})
            more = [Touched(vendor, compare(vendor.party, party)) for vendor in missing]
            self._found[key] = _Asked([*touched, *more], recognised)
        return self._found[key]


async def _as_known(store: Store, numbers: Sequence[int], said: Party) -> Party:
    """Return what a statement says of suppliers that are one, with all names and numbers that are known here: those
    that people here entered too."""
    described = [each for _, each in sorted((await store.suppliers.described(numbers)).items())]
    names = [name for each in described for name in each.names]
    more = [Identifier(scheme=scheme, id=value) for each in described for scheme, value in each.identifiers]
    return replace(
        said,
        names=tuple(dict.fromkeys([*said.names, *names])),
        identifiers=tuple(dict.fromkeys([*said.identifiers, *more])),
    )


def _order(likeness: Likeness) -> tuple[int, int]:
    return RANKS[likeness.verdict], -likeness.score


def _needs_rows(interest: Interest) -> bool:
    return interest.vendors or interest.vendor is not None


def _alerts_of(watch: Watch, item: Item, concerns: Iterable[Concern]) -> list[NewAlert]:
    if not _needs_rows(watch.interest):
        supplier = item.suppliers[0].number if item.suppliers else None
        return [_alert(watch, item, None, supplier, None, "it answers to what you watch")]
    found = []
    for concern in concerns:
        vendor = concern.vendor
        if vendor.owner == watch.owner and watch.interest.vendor in (None, vendor.id):
            supplier, verdict = concern.supplier.number, concern.verdict
            found.append(_alert(watch, item, vendor.number, supplier, verdict, concern.reason))
    return found


def _alert(
    watch: Watch, item: Item, vendor: int | None, supplier: int | None, verdict: str | None, reason: str
) -> NewAlert:
    # What people do here to suppliers may happen again, what is said in a log happens once.
    what = item.statement if item.kind != "supplier" else f"change {item.number}"
    once = digest(f"{watch.number} {vendor} {what} {item.news.value}")
    return NewAlert(
        new_id(), watch.number, item.number, once, item.news, item.statement, vendor, supplier, verdict, reason
    )


async def _no_more(store: Store, item: Item, watches: Sequence[Watch], noted: Sequence[NewAlert]) -> list[NewAlert]:
    """Return the alerts for whoever was told of a statement that stands no more, and hears nothing else of that.

    Args:
        store: One consistent view.
        item: The change, one of `_NO_MORE`.
        watches: All that stand.
        noted: The alerts of the same part so far; they are not stored yet.
    """
    told = {} if item.statement is None else await _told(store, item.statement, noted)
    if not told:
        return []
    by = None if item.entry is None else item.entry.earlier_by or item.entry.by
    known = {} if by is None else await _told(store, by, noted)
    heard = {(each.watch, each.vendor) for each in noted if each.change == item.number} | known.keys()
    wanting = {w.number: w for w in watches if _wants(w.interest, item.news)}
    rest = [each for place, each in told.items() if place not in heard and each.watch in wanting]
    dismissed = await _dismissed(store, rest)
    return [
        _alert(wanting[each.watch], item, each.vendor, each.supplier, each.verdict, _NO_MORE[item.news])
        for each in rest
        if (each.vendor, each.supplier) not in dismissed
    ]


async def _told(store: Store, statement: str, noted: Iterable[NewAlert]) -> dict[tuple[int, int | None], Told]:
    """Return (watch, row) to what was told of a statement the last time."""
    more = [Told(a.watch, a.vendor, a.supplier, a.verdict) for a in noted if a.statement == statement]
    return {(each.watch, each.vendor): each for each in [*await store.watches.told_of(statement), *more]}


def _wants(interest: Interest, news: News) -> bool:
    # A revision is a change also to whom it does not concern any more.
    asked = {news, News.CHANGED} if news is News.SUPERSEDED else {news}
    return not interest.news or not asked.isdisjoint(interest.news)


async def _dismissed(store: Store, told: Sequence[Told]) -> set[tuple[int | None, int | None]]:
    """Return (row, supplier) of those of which it was judged since that the row is not the supplier."""
    vendors = await store.vendors.by_number(each.vendor for each in told if each.vendor is not None)
    suppliers = sorted({each.supplier for each in told if each.supplier is not None})
    whole_of = {number: known.whole for number, known in (await store.suppliers.find(suppliers)).items()}
    judged = await judged_wholes(store, vendors) if vendors else {}
    return {
        (each.vendor, each.supplier)
        for each in told
        if each.vendor is not None
        and each.supplier in whole_of
        and as_judged(Likeness(Verdict.NONE), judged.get((each.vendor, whole_of[each.supplier]))) is None
    }


async def rows_touched(store: Store, owner: str, statement: str, now: datetime) -> list[Concern] | None:
    """Return which of an officer's rows a statement may concern; None where there is no such statement here."""
    item = await item_of(store, statement, now)
    if item is None:
        return None
    return await _Concerns(store, await Portfolios.of_one(store, owner)).of(item)
