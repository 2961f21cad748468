"""What may concern whoever somebody asks about: suppliers by the name index, and what is said of them.

Rules:
- Each statement is compared by what it says itself: another one's words never confirm whom it is about. Where only its
  supplier is alike, by a name or number that other statements give, it is for review.
- What the suppliers have not followed yet is found by its own name and numbers.
- Whose labour provider a statement is about is not told of here: that is not said of them.
- Read as of log positions, a supplier is what the statements up to there say of it, and what people here do.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from comity_node.db import Store
from comity_node.db.behind import Names
from comity_node.db.entries import E
from comity_node.db.suppliers import Known
from comity_node.domain.matching.comparing import compare
from comity_node.domain.matching.first_look import who_may_be
from comity_node.domain.matching.identifiers import weigh_numbers
from comity_node.domain.matching.laying import Laid, nearness
from comity_node.domain.matching.likeness import RANKS, Likeness, Part, PartKind, Verdict
from comity_node.domain.matching.party import Party, Rarity
from comity_node.domain.screening import Question, party_of
from comity_node.domain.supplier_view import DecisionEntry, Entry, NoticeEntry, PointerEntry
from comity_node.domain.suppliers.keys import identifier_key
from comity_node.services.searching.candidates import Candidate, candidates
from comity_node.services.searching.rarity import rarity_of

MOST_BEHIND = 50
"""Of what was not followed yet, so many names that come nearest are compared."""

FEW = 60
"""Candidates that are compared without leaving it to a thread: a few milliseconds."""

AnyNamed = Entry | DecisionEntry | PointerEntry | NoticeEntry


@dataclass(frozen=True, slots=True)
class LikeSupplier:
    """A supplier that may be the one asked about, and why."""

    known: Known
    likeness: Likeness
    is_spoken_of: bool
    """Whether a finding, a decision, a list or somebody here says anything of it, and not only pointers and audits."""


@dataclass(slots=True)
class Concerned:
    """What may concern whoever is asked about."""

    suppliers: list[LikeSupplier] = field(default_factory=list)
    """The likest first."""
    findings: list[tuple[Entry, Likeness]] = field(default_factory=list)
    decisions: list[tuple[DecisionEntry, Likeness]] = field(default_factory=list)
    pointers: list[tuple[PointerEntry, Likeness]] = field(default_factory=list)
    notices: list[tuple[NoticeEntry, Likeness]] = field(default_factory=list)


async def concerned(store: Store, question: Question, behind: Names, *, only_asides: bool = False) -> Concerned:
    """Return what may concern whoever is asked about, of all that this node holds.

    Args:
        store: Of one consistent view, or as of log positions.
        question: Whom somebody asks about.
        behind: What was not followed yet, from `store.behind`.
        only_asides: Whether only pointers and audit notices are looked for.
    """
    party = question.party
    found = await candidates(store, party)
    rarity = await rarity_of(store, [party])
    # In a thread only what takes long: the way there and back is a millisecond on a busy machine.
    many = len(found) > FEW
    likely = await asyncio.to_thread(_likely, party, found, rarity) if many else _likely(party, found, rarity)
    await rarity.count(store, [candidate.party for candidate in likely])
    alike = await asyncio.to_thread(_alike, party, likely, rarity) if many else _alike(party, likely, rarity)
    near = await asyncio.to_thread(_near, party, behind) if behind.entries else _near(party, behind)
    asking, result = _Asking(party, rarity), Concerned()
    said = await store.said_of.all_of([candidate.known.number for candidate in alike])
    about = [*([] if only_asides else said.told), *said.aside]
    read = await store.view.named_by_number(sorted({*(entry for entry, _ in about), *near}))
    findings, decisions = ({}, {}) if only_asides else (read.findings, read.decisions)
    there: dict[int, AnyNamed] = {**findings, **decisions, **read.pointers, **read.notices}
    await rarity.count(store, map(party_of, there.values()))
    result.suppliers = asking.suppliers(alike, about, there, said.here)
    through = asking.through(about, result.suppliers)
    result.findings = asking.weighed(findings, through)
    result.decisions = asking.weighed(decisions, through)
    result.pointers = asking.weighed(read.pointers, through)
    result.notices = asking.weighed(read.notices, through)
    return result


@dataclass(slots=True)
class _Asking:
    party: Party
    rarity: Rarity
    compared: dict[Party, Likeness] = field(default_factory=dict)

    def suppliers(
        self,
        alike: Sequence[Candidate],
        told: Sequence[tuple[int, int]],
        there: Mapping[int, AnyNamed],
        local: set[int],
    ) -> list[LikeSupplier]:
        """Return the suppliers that are alike by what is there, the likest first."""
        said: dict[int, list[Party]] = {}
        spoken_of = set(local)
        for entry, supplier in told:
            if entry in there:
                said.setdefault(supplier, []).append(party_of(there[entry]))
                if isinstance(there[entry], Entry | DecisionEntry):
                    spoken_of.add(supplier)
        own = {identifier_key(identifier) for identifier in self.party.identifiers}
        found = []
        for candidate in alike:
            known = candidate.known
            # A name that only a list or somebody here gives stands in no statement.
            party, by_itself = _together(said.get(known.number, ())), said.get(known.number, [])
            if known.number in local:
                party = candidate.party
                by_itself = [*by_itself, *(replace(party, names=(name,)) for name in party.names)]
            likeness = _as_others_say(self._likest(party, by_itself), deciding=known.key in own)
            if likeness.verdict is not Verdict.NONE:
                found.append(LikeSupplier(known, likeness, known.number in spoken_of))
        return sorted(found, key=lambda s: (RANKS[s.likeness.verdict], -s.likeness.score, s.known.number))

    def _likest(self, together: Party, by_itself: Sequence[Party]) -> Likeness:
        """Return how alike a supplier is by all that is said of it; where that hides it, by what one place says."""
        likeness = self._compare(together)
        if likeness.verdict is not Verdict.NONE:
            return likeness
        return min(map(self._compare, by_itself), key=lambda each: (RANKS[each.verdict], -each.score), default=likeness)

    def through(self, told: Iterable[tuple[int, int]], suppliers: Iterable[LikeSupplier]) -> dict[int, Likeness]:
        """Return entry to how alike its supplier is; the likest of several."""
        alike = {like.known.number: like.likeness for like in suppliers}
        found: dict[int, Likeness] = {}
        for entry, supplier in told:
            likeness = alike.get(supplier)
            if likeness and (entry not in found or RANKS[likeness.verdict] < RANKS[found[entry].verdict]):
                found[entry] = likeness
        return found

    def weighed(self, entries: Mapping[int, E], through: Mapping[int, Likeness]) -> list[tuple[E, Likeness]]:
        """Return the entries that may concern the party, and why."""
        found = [(entry, self._weighed(entry, through.get(number))) for number, entry in entries.items()]
        return [(entry, likeness) for entry, likeness in found if likeness.verdict is not Verdict.NONE]

    def _weighed(self, entry: Any, through: Likeness | None) -> Likeness:
        own = self._compare(party_of(entry))
        if own.verdict is not Verdict.NONE or through is None:
            return own
        weaker = _for_review(through)
        return replace(weaker, reason=f"by what else is said of its supplier: {weaker.reason}")

    def _compare(self, known: Party) -> Likeness:
        likeness = self.compared.get(known)
        if likeness is None:
            likeness = self.compared[known] = compare(self.party, known, self.rarity)
        return likeness


def _likely(party: Party, found: Sequence[Candidate], rarity: Rarity) -> list[Candidate]:
    """Return those whom comparing may show."""
    # A statement may give the very address that is asked for; a supplier is kept without any.
    parties = [replace(candidate.party, addresses=party.addresses) for candidate in found]
    may_be = who_may_be(party, parties, rarity)
    return [candidate for candidate, may in zip(found, may_be, strict=True) if may]


def _alike(party: Party, found: Sequence[Candidate], rarity: Rarity) -> list[Candidate]:
    """Return those of whom some statement may be found by its own words, whatever others say of them.

    Statements are compared one by one afterwards. So here no name that one gives hides another's, no number and no
    country speaks against anybody, and the address is taken to be the one that is asked for.
    """
    asked = Party(party.names, addresses=party.addresses)

    def may_be(known: Party) -> bool:
        if weigh_numbers(party.identifiers, known.identifiers)[0] is not Verdict.NONE:
            return True
        each = (Party((name,), addresses=party.addresses) for name in known.names)
        return any(compare(asked, one, rarity).verdict is not Verdict.NONE for one in each)

    return [candidate for candidate in found if may_be(candidate.party)]


def _together(said: Sequence[Party]) -> Party:
    """Return a supplier as several statements describe it."""
    countries = {party.country for party in said if party.country}
    return Party(
        names=tuple(dict.fromkeys(name for party in said for name in party.names)),
        country=countries.pop() if len(countries) == 1 else None,
        addresses=tuple(dict.fromkeys(address for party in said for address in party.addresses)),
        identifiers=tuple(dict.fromkeys(i for party in said for i in party.identifiers)),
        has_places_only=True,
    )


def _as_others_say(likeness: Likeness, *, deciding: bool) -> Likeness:
    """Return what a number is worth that somebody wrote beside the one that decides who a supplier is."""
    return likeness if deciding or likeness.verdict is not Verdict.MATCH else _for_review(likeness)


def _for_review(likeness: Likeness) -> Likeness:
    """Return what others' words are worth for a statement that does not say so itself."""
    if likeness.verdict is Verdict.REVIEW:
        return likeness
    cap = Part(PartKind.CAP, "", "", "one statement's word is not enough to say so of others", -1)
    return replace(likeness, verdict=Verdict.REVIEW, parts=(*likeness.parts, cap))


def _near(party: Party, behind: Names) -> set[int]:
    """Return the numbers of the records with the nearest names of those that were not followed, or with its number."""
    numbered = behind.with_identifiers(party.identifiers)
    if not party.names or not behind.entries:
        return numbered
    near = nearness(Laid.of(party.names), behind.laid)
    best = near.argsort(kind="stable")[::-1][:MOST_BEHIND]
    return numbered | {behind.entries[place] for place in best.tolist()}
