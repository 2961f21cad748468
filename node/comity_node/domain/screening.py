"""Screening: what is known of whoever is like the one asked about. Pure.

Findings, decisions, audits and pointers are lists with words of their own. Verdicts speak of identity only, never of
guilt. A name alone never gives `match`: at most `review`. Absence is never clearance, so every answer carries a state
in words, and none of them is green.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeVar

from comity_node.domain.corroborating import Weighed
from comity_node.domain.matching.comparing import compare
from comity_node.domain.matching.identifiers import SITE_SCHEMES, parent_of
from comity_node.domain.matching.likeness import RANKS, Likeness, PartKind, Verdict, strongest_verdict
from comity_node.domain.matching.party import Party
from comity_node.domain.noticing import Assessed, assessed
from comity_node.domain.supplier_view import (
    DecisionEntry,
    DecisionStanding,
    Entry,
    NoticeEntry,
    PointerEntry,
    ReplyEntry,
    Standing,
    notice_standing,
    pointer_standing,
)
from comity_schemas.audit_notice import AuditNotice, AuditStage
from comity_schemas.decision import Decision
from comity_schemas.finding import Finding
from comity_schemas.identifiers import Identifier
from comity_schemas.pointer import Pointer
from comity_schemas.subject import SubjectType

MOST_CANDIDATES = 50


class State(StrEnum):
    """What the network knows under this name or number, as far as these states apply yet."""

    NO_SUPPLIER = "no supplier by this name"
    NEVER_AUDITED = "known, never audited"
    """As far as these members say."""
    NOTHING_SHARED = "known, no finding shared"
    NOTHING_OPEN = "assessed, nothing open in scope"
    """Of what an audit that still stands looked for; nothing about any other indicator."""
    POSSIBLE = "findings shared under a like name, identity not confirmed"
    OTHER_SITE = "findings shared on another site of the same company"
    SHARED = "findings shared"


class DecisionState(StrEnum):
    """Which decisions of authorities the network knows under this name or number."""

    NOTHING_SHARED = "no decision shared"
    POSSIBLE = "decisions shared under a like name, identity not confirmed"
    OTHER_SITE = "decisions shared on another site of the same company"
    SHARED = "decisions shared"


@dataclass(frozen=True, slots=True)
class Question:
    """Whom somebody asks about."""

    name: str | None = None
    country: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    addresses: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()
    """Under which it is known too, where somebody says so."""

    @property
    def names(self) -> tuple[str, ...]:
        """All its names, the first one first."""
        return (() if self.name is None else (self.name,)) + self.other_names

    @property
    def party(self) -> Party:
        """What identity is judged by."""
        return Party(self.names, self.country, self.addresses, self.identifiers)


@dataclass(frozen=True, slots=True)
class Hit:
    """One finding that may concern the supplier asked about."""

    entry: Entry
    standing: Standing
    likeness: Likeness
    replies: tuple[ReplyEntry, ...] = ()
    """What its supplier answered and disputes, whoever carries it, also of its earlier forms."""
    decided_here: Mapping[str, date] = field(default_factory=dict)
    """Disputes that a person of this node has decided and that the network is not told of yet, by hash."""
    corroborations: tuple[Weighed, ...] = ()
    """What other members' own evidence says of it, also of its earlier forms."""


@dataclass(frozen=True, slots=True)
class DecisionHit:
    """One decision that may concern the supplier asked about. It is an order, not a finding."""

    entry: DecisionEntry
    standing: DecisionStanding
    likeness: Likeness
    replies: tuple[ReplyEntry, ...] = ()
    decided_here: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PointerHit:
    """A member to speak to before the supplier asked about is contacted. It says nothing about the supplier."""

    entry: PointerEntry
    standing: Standing
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class NoticeHit:
    """An audit, planned or done, that may concern the supplier asked about."""

    entry: NoticeEntry
    standing: Standing
    likeness: Likeness


H = TypeVar("H", Hit, DecisionHit, PointerHit, NoticeHit)
R = TypeVar("R", Hit, DecisionHit)
"""To what suppliers reply; a pointer says nothing to reply to."""

_ORDER: tuple[Standing | DecisionStanding, ...] = (*Standing, *DecisionStanding)
"""What counts today comes first."""


def likeness_of(question: Question, entry: Entry | DecisionEntry | PointerEntry | NoticeEntry) -> Likeness:
    """Return how alike whoever an entry is about is to the one asked about."""
    return compare(question.party, party_of(entry))


def party_of(entry: Entry | DecisionEntry | PointerEntry | NoticeEntry) -> Party:
    """Return whom an entry is about, as far as it says."""
    match entry:
        case Entry():
            said: Finding | Decision | Pointer | AuditNotice | None = entry.finding
        case DecisionEntry():
            said = entry.decision
        case PointerEntry():
            said = entry.pointer
        case NoticeEntry():
            said = entry.notice
    return Party.of(said)


def sort_hits(hits: Iterable[H]) -> list[H]:
    """Return matches first, then the more similar, then what counts today; at most `MOST_CANDIDATES`.

    Of too many with one verdict those stay that count today: a spelling that comes nearer hides nothing current.
    """

    def ranked(hit: H) -> tuple[int, int, int, str]:
        return RANKS[hit.likeness.verdict], -hit.likeness.score, _ORDER.index(hit.standing), hit.entry.hash

    def kept(hit: H) -> tuple[int, int, tuple[int, int, int, str]]:
        return RANKS[hit.likeness.verdict], _ORDER.index(hit.standing), ranked(hit)

    return sorted(sorted(hits, key=kept)[:MOST_CANDIDATES], key=ranked)


def audits_of(notices: Iterable[tuple[NoticeEntry, Likeness]], today: date) -> list[NoticeHit]:
    """Return the audits, planned and done, that may be of a supplier."""
    return [NoticeHit(entry, notice_standing(entry, today), likeness) for entry, likeness in notices]


def pointed_at(pointers: Iterable[tuple[PointerEntry, Likeness]], today: date) -> list[PointerHit]:
    """Return the pointers that stand for a supplier: whom to speak to before contacting it."""
    return [
        PointerHit(entry, Standing.CURRENT, likeness)
        for entry, likeness in pointers
        if pointer_standing(entry, today) is Standing.CURRENT
    ]


_GONE = frozenset({Standing.WITHDRAWN, Standing.SUPERSEDED, Standing.OVERTURNED})


def state_of(hits: Sequence[Hit], audits: Sequence[NoticeHit] = (), *, known_otherwise: bool = False) -> State:
    """Return in words what is known: a finding that counts, or counted until it was closed or expired, is shared.

    Args:
        hits: All findings that may concern the supplier.
        audits: All audit notices that may.
        known_otherwise: A decision or pointer names somebody like it, so the name is not unknown.
    """
    if not (hits or audits or known_otherwise):
        return State.NO_SUPPLIER
    shared = [hit for hit in hits if hit.standing not in _GONE]
    if not shared:
        if assessed_of(hits, audits).nothing_open:
            return State.NOTHING_OPEN
        done = any(_says(audit, AuditStage.DONE) and audit.standing not in _GONE for audit in audits)
        # A finding that was taken back speaks of an audit too.
        return State.NOTHING_SHARED if hits or done else State.NEVER_AUDITED
    # Findings of somebody with a like name must not read as findings on this supplier.
    states = {Verdict.MATCH: State.SHARED, Verdict.OTHER_SITE: State.OTHER_SITE}
    return states.get(best_verdict(shared), State.POSSIBLE)


def assessed_of(hits: Sequence[Hit], audits: Sequence[NoticeHit]) -> Assessed:
    """Return what audits say of exactly this supplier; a like name is not enough to say that nothing is open."""
    standing = [a for a in audits if _says(a, AuditStage.DONE) and a.standing is Standing.CURRENT]
    exactly = [a.entry.notice for a in standing if a.entry.notice is not None and _is_of_exactly(a.entry.notice, a)]
    # Also of a like name, or of one site of several: when in doubt, it is open.
    grave = [a.entry.notice for a in standing if a.entry.notice is not None and _tells_something_grave(a.entry.notice)]
    open_ones = [hit.entry.finding for hit in hits if hit.standing is Standing.CURRENT]
    reported = [found.indicator for finding in open_ones if finding is not None for found in finding.indicators]
    return assessed(exactly, reported, grave)


def _is_of_exactly(notice: AuditNotice, hit: NoticeHit) -> bool:
    """Tell whether an audit is of exactly the one asked about: that of a site is not of its whole company.

    Numbers of places name a site, and so do those of which a part is the company's.
    """
    if hit.likeness.verdict is not Verdict.MATCH:
        return False
    equal = {part.known for part in hit.likeness.parts if part.about is PartKind.IDENTIFIER}
    return (
        notice.subject is not SubjectType.SITE
        or not equal
        or any(
            i.id in equal and (i.scheme in SITE_SCHEMES or parent_of(i) not in (None, i.id))
            for i in notice.identifiers or ()
        )
    )


def _tells_something_grave(notice: AuditNotice) -> bool:
    return notice.result is not None and not notice.result.nothing_grave


def _says(audit: NoticeHit, stage: AuditStage) -> bool:
    return audit.entry.notice is not None and audit.entry.notice.stage is stage


def decision_state_of(hits: Sequence[DecisionHit]) -> DecisionState:
    """Return in words which decisions are known; one that ended or was lifted is shared too, and says so."""
    gone = {DecisionStanding.WITHDRAWN, DecisionStanding.SUPERSEDED}
    shared = [hit for hit in hits if hit.standing not in gone]
    if not shared:
        return DecisionState.NOTHING_SHARED
    states = {Verdict.MATCH: DecisionState.SHARED, Verdict.OTHER_SITE: DecisionState.OTHER_SITE}
    return states.get(best_verdict(shared), DecisionState.POSSIBLE)


def recognitions_of(hits: Sequence[DecisionHit]) -> dict[str, list[DecisionHit]]:
    """Return hash of a decision to the decisions that recognise it: they follow one case and are no further one."""
    by_reference = {h.entry.decision.reference: h.entry.hash for h in hits if h.entry.decision is not None}
    tied: dict[str, list[DecisionHit]] = {}
    for hit in hits:
        reference = None if hit.entry.decision is None else hit.entry.decision.act.reference
        if reference in by_reference:
            tied.setdefault(by_reference[reference], []).append(hit)
    return tied


def best_verdict(
    hits: Sequence[Hit] | Sequence[DecisionHit] | Sequence[PointerHit] | Sequence[NoticeHit],
) -> Verdict:
    """Return the strongest verdict among the hits."""
    return strongest_verdict(h.likeness.verdict for h in hits)
