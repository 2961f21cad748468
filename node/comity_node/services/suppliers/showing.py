"""One supplier as this node knows it: everything that is said, by whom, and what people here judged of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from comity_federation.registry import Registry
from comity_node.db import Store
from comity_node.db.factory_lists import Standing
from comity_node.db.mentions import Mention
from comity_node.db.suppliers import Known
from comity_node.domain.errors import NotFound
from comity_node.domain.matching.likeness import Likeness, Verdict
from comity_node.domain.noticing import NOBODY_LOOKED, Assessed
from comity_node.domain.screening import (
    DecisionHit,
    Hit,
    NoticeHit,
    PointerHit,
    Question,
    assessed_of,
    audits_of,
    pointed_at,
    sort_hits,
)
from comity_node.domain.supplier_view import (
    DecisionEntry,
    Entry,
    EntryState,
    decision_standing,
    standing,
)
from comity_node.domain.suppliers.account import Told, Way
from comity_node.domain.suppliers.facts import Fact, FactKind
from comity_node.domain.suppliers.judging import Judged, Judgement
from comity_node.domain.suppliers.mentions import Role
from comity_node.services.answering.concerned import concerned
from comity_node.services.answering.moment import Coverage, cover
from comity_node.services.answering.voices import with_replies, with_voices
from comity_node.services.suppliers.facts import MOST_FACTS
from comity_schemas.identifiers import Identifier
from comity_schemas.subject import SubjectType

MOST_READ = 500
"""Statements that are read for one answer, the newest first; the answer says when there are more."""

MOST_ALIKE = 50
MOST_LISTED = 200
"""Sites on its lists that are shown; the lists themselves show all."""

_WAYS = {Role.SUBJECT: Way.ITSELF, Role.OPERATOR: Way.SITE, Role.CLIENT: Way.PROVIDER}
_KNOWN_ONE = Likeness(Verdict.MATCH)


@dataclass(frozen=True, slots=True)
class Alike:
    """Somebody who may be the same, and why; only a person can tell."""

    known: Known
    why: str


@dataclass(frozen=True, slots=True)
class Related:
    """Somebody beside the supplier, and by whose word."""

    known: Known
    statements: tuple[str, ...]


@dataclass(slots=True)
class Shown:
    """What this node knew of one supplier at one moment."""

    known: Known
    joined: list[Known]
    """Everybody who is one with it by people's word, itself included."""
    judgements: list[Judgement]
    told: list[Told] = field(default_factory=list)
    decided: list[tuple[DecisionHit, Way, int]] = field(default_factory=list)
    more: bool = False
    """Whether older statements were left out."""
    whom: dict[int, Known] = field(default_factory=dict)
    """Whoever is named in this answer, by number."""
    names: list[tuple[int, str, str]] = field(default_factory=list)
    identifiers: list[tuple[int, str, str]] = field(default_factory=list)
    alike: list[Alike] = field(default_factory=list)
    sites: list[Related] = field(default_factory=list)
    operators: list[Related] = field(default_factory=list)
    providers: list[Related] = field(default_factory=list)
    clients: list[Related] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    on_lists: list[Standing] = field(default_factory=list)
    listed_sites: list[Standing] = field(default_factory=list)
    events: dict[str, list[tuple[str, Known]]] = field(default_factory=dict)
    """Statement to the statements about others that tell of the same event."""
    pointers: list[PointerHit] = field(default_factory=list)
    """Whom to speak to before contacting it."""
    audits: list[NoticeHit] = field(default_factory=list)
    """Planned and done, as members tell of them under its names and numbers."""
    assessed: Assessed = NOBODY_LOOKED
    behind: int = 0
    as_of: datetime | None = None
    registry_version: int = 0
    positions: dict[str, int] = field(default_factory=dict)
    coverage: Coverage | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """Statements by the numbers of their records, and whom they mention."""

    findings: dict[int, Entry]
    decisions: dict[int, DecisionEntry]
    mentioned: dict[int, list[Mention]]

    def stands(self, number: int) -> bool:
        entry = self.findings.get(number) or self.decisions.get(number)
        return entry is not None and entry.state is EntryState.CURRENT

    def hash(self, number: int) -> str:
        return (self.findings.get(number) or self.decisions[number]).hash

    def whom(self, number: int, role: Role) -> list[int]:
        return [m.supplier for m in self.mentioned.get(number, ()) if m.role is role]


async def show(store: Store, number: int, registry: Registry, now: datetime) -> Shown:
    """Return all that is known of a supplier, with everybody it is joined with.

    Raises:
        NotFound: there is none of this number.
    """
    known = (await store.suppliers.find([number])).get(number)
    if known is None:
        raise NotFound("no such supplier")
    joined = await store.suppliers.of_wholes([known.whole])
    members = [each.number for each in joined]
    shown = Shown(known, joined, await store.judgements.standing(members))
    mentions = await store.mentions.of(members, MOST_READ + 1)
    ways = {m.entry: _WAYS[m.role] for m in sorted(mentions, key=lambda m: list(Role).index(m.role), reverse=True)}
    read = await _read(store, list(ways))
    await _relate(store, shown, read, set(members), ways)
    await _enter(store, shown, members)
    ways = await _through_others(store, shown, set(members), ways)
    read = await _read(store, list(ways))
    shown.more = len(ways) > MOST_READ
    await _say(store, shown, read, ways, now)
    shown.names = await store.suppliers.names(members)
    shown.identifiers = await store.suppliers.identifiers(members)
    await _ask(store, shown, now.date())
    shown.assessed = assessed_of([each.hit for each in shown.told], shown.audits)
    shown.alike = await _alike(store, shown, set(members))
    await _rest_on(store, shown, registry, now)
    return shown


async def _rest_on(store: Store, shown: Shown, registry: Registry, now: datetime) -> None:
    logs = {log.member: log for log in await store.logs.all()}
    shown.behind = await store.suppliers.behind()
    shown.as_of, shown.registry_version = now, registry.version
    shown.positions = {slug: log.head for slug, log in sorted(logs.items())}
    shown.coverage = cover(registry, logs, now)


async def _read(store: Store, numbers: Sequence[int]) -> _Read:
    mentioned: dict[int, list[Mention]] = {}
    for mention in await store.mentions.by(numbers):
        mentioned.setdefault(mention.entry, []).append(mention)
    findings = await store.view.findings.entries_by_number(numbers)
    return _Read(findings, await store.view.decisions.entries_by_number(numbers), mentioned)


async def _relate(store: Store, shown: Shown, read: _Read, members: set[int], ways: dict[int, Way]) -> None:
    """Find who stands beside it; what was taken back relates nobody."""
    found: dict[str, dict[int, set[str]]] = {"sites": {}, "operators": {}, "providers": {}, "clients": {}}
    beside = {
        Way.ITSELF: (("operators", Role.OPERATOR), ("clients", Role.CLIENT)),
        Way.SITE: (("sites", Role.SUBJECT),),
        Way.PROVIDER: (("providers", Role.SUBJECT),),
    }
    for number, way in ways.items():
        if not read.stands(number):
            continue
        for what, role in beside[way]:
            for other in read.whom(number, role):
                if other not in members:
                    found[what].setdefault(other, set()).add(read.hash(number))
    others = await store.suppliers.find(sorted({n for some in found.values() for n in some}))
    for what, some in found.items():
        related = [Related(others[n], tuple(sorted(said))) for n, said in sorted(some.items())]
        setattr(shown, what, related)


async def _enter(store: Store, shown: Shown, members: Sequence[int]) -> None:
    """Add what people here entered, and what lists say."""
    shown.facts = await store.facts.about(members, MOST_FACTS)
    shown.on_lists = await store.factory_lists.naming(members, MOST_LISTED)
    shown.listed_sites = await store.factory_lists.of_owner(members, MOST_LISTED + 1)
    others = {n for fact in shown.facts for n in (fact.supplier, fact.other) if n is not None}
    others |= {s.supplier for s in shown.listed_sites} | {s.owner for s in shown.on_lists if s.owner is not None}
    shown.whom = await store.suppliers.find(sorted(others))


async def _through_others(store: Store, shown: Shown, members: set[int], ways: dict[int, Way]) -> dict[int, Way]:
    """Return what is said with what is said of its sites and labour providers, whether or not it names this one."""

    def entered(kind: FactKind) -> set[int]:
        return {f.supplier for f in shown.facts if f.kind is kind and f.other in members} - members

    sites = {each.known.number for each in shown.sites} | entered(FactKind.SITE_OF)
    providers = {each.known.number for each in shown.providers} | entered(FactKind.SUPPLIES_LABOUR_TO)
    on_lists = await store.factory_lists.mentions_of_sites(sorted(members), MOST_READ)
    return {
        **dict.fromkeys(await _about(store, providers), Way.PROVIDER),
        **dict.fromkeys([*on_lists, *await _about(store, sites)], Way.SITE),
        **ways,
    }


async def _about(store: Store, suppliers: set[int]) -> list[int]:
    """Return the statements about these suppliers, and about whoever is joined with them."""
    found = await store.suppliers.find(sorted(suppliers))
    together = await store.suppliers.of_wholes(sorted({known.whole for known in found.values()}))
    return [m.entry for m in await store.mentions.of([each.number for each in together], MOST_READ, Role.SUBJECT)]


async def _say(store: Store, shown: Shown, read: _Read, ways: dict[int, Way], now: datetime) -> None:
    subjects = {number: (read.whom(number, Role.SUBJECT) or [shown.known.number])[0] for number in ways}
    found = await store.suppliers.find(sorted({*subjects.values()}))
    shown.whom |= found | {k.number: k for k in shown.joined}
    about = {number: found[subject].whole if subject in found else subject for number, subject in subjects.items()}
    today = now.date()
    hits = [Hit(entry, standing(entry, today), _KNOWN_ONE) for entry in read.findings.values()]
    orders = [DecisionHit(entry, decision_standing(entry, today), _KNOWN_ONE) for entry in read.decisions.values()]
    places = zip(read.findings, await with_voices(store, hits, today), strict=True)
    shown.told = [Told(hit, ways[number], about[number]) for number, hit in places]
    placed = zip(read.decisions, await with_replies(store, orders), strict=True)
    shown.decided = [(hit, ways[number], about[number]) for number, hit in placed]
    shown.whom |= await store.suppliers.find(sorted({*about.values()} - shown.whom.keys()))
    shown.events = await _events(store, read)


async def _ask(store: Store, shown: Shown, today: date) -> None:
    """Add the audits and pointers that are told under any of its names and numbers."""
    numbers = tuple(Identifier(scheme=scheme, id=value) for _, scheme, value in shown.identifiers)
    names = tuple(dict.fromkeys(name for _, name, _ in shown.names))
    question = Question(shown.known.name, shown.known.country or None, numbers, other_names=names)
    found = await concerned(store, question, await store.behind.names(), only_asides=True)
    shown.pointers = sort_hits(pointed_at(found.pointers, today))
    shown.audits = sort_hits(audits_of(found.notices, today))


async def _events(store: Store, read: _Read) -> dict[str, list[tuple[str, Known]]]:
    of = {n: m.event for n, some in read.mentioned.items() for m in some if m.event is not None}
    if not of:
        return {}
    met = await store.mentions.of_events(of.values(), MOST_READ)
    known = await store.suppliers.find(sorted({m.supplier for m in met}))
    entries = await store.view.findings.entries_by_number(sorted({m.entry for m in met}))
    found: dict[str, list[tuple[str, Known]]] = {}
    for number, event in of.items():
        others = [m for m in met if m.event == event and m.entry != number and m.entry in entries]
        if others:
            found[read.hash(number)] = [(entries[m.entry].hash, known[m.supplier]) for m in others]
    return found


async def _alike(store: Store, shown: Shown, members: set[int]) -> list[Alike]:
    """Return who may be the same: the same number, or an equal name; not whom somebody judged to be another."""
    why: dict[int, str] = {}
    numbers = {(scheme, value) for _, scheme, value in shown.identifiers}
    for number, scheme, value in await store.suppliers.with_identifier(numbers, MOST_ALIKE):
        why.setdefault(number, f"the same {scheme} {value}")
    for number, folded in await store.suppliers.with_name({f for _, _, f in shown.names}, MOST_ALIKE):
        why.setdefault(number, f"the name is equal: {folded}")
    others = {
        n: known for n, known in (await store.suppliers.find(sorted(why.keys() - members))).items() if n not in members
    }
    spoken_of = await store.said_of.spoken_of(sorted(others))
    apart = _kept_apart(shown.judgements)
    is_site = shown.known.kind is SubjectType.SITE
    seen: dict[int, Alike] = {}
    for number, known in sorted(others.items()):
        if (known.kind is SubjectType.SITE) is is_site and number not in apart and number in spoken_of:
            seen.setdefault(known.whole, Alike(known, why[number]))
    return list(seen.values())[:MOST_ALIKE]


def _kept_apart(judgements: Iterable[Judgement]) -> set[int]:
    return {n for j in judgements if j.judged is not Judged.SAME for n in (j.first, j.second)}
