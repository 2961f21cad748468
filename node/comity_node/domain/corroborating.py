"""Whether evidence is independent of what it speaks of, and of other evidence. Pure.

Rules: the same audit seen twice is one source: the same report, or the same scheme, site and month. Where a source
tells only a year, any month of it may be the same. A member's own finding is not corroborated by itself, and a
register that is only relayed corroborates nothing. Support and contradiction are counted apart and never made into
one number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from comity_federation.statements import Outgoing
from comity_node.domain.minimize import PROTECTED_SCHEME, WORKER_SOURCES
from comity_node.domain.supplier_view import CorroborationEntry
from comity_node.domain.terms import proposed_terms
from comity_schemas.corroboration import Corroboration, Says
from comity_schemas.finding import Finding, Source, SourceType
from comity_schemas.handling import Contact, Handling
from comity_schemas.indicators import Indicator
from comity_schemas.report import Report
from comity_schemas.statement import Kind


@dataclass(frozen=True, slots=True)
class Voice:
    """Who says it, and from what."""

    member: str
    source: Source


@dataclass(frozen=True, slots=True)
class Weighed:
    """One corroboration beside a finding."""

    entry: CorroborationEntry
    said: Corroboration
    not_counted: str | None
    """Why it is no further source today, if it is none."""


def why_not_independent(finding: Voice, evidence: Voice) -> str | None:
    """Return in words why evidence is no source beside the finding's own; None where it is one."""
    if evidence.member == finding.member:
        return "a member's own finding cannot be corroborated by itself"
    if evidence.source.type is SourceType.PUBLIC_REGISTER:
        return "a public register that is relayed corroborates nothing"
    if _same_audit(finding.source, evidence.source):
        return (
            f"it is the same audit seen twice: {evidence.source.scheme} {evidence.source.when}, and the finding rests "
            f"on {finding.source.scheme} {finding.source.when} of the same site"
        )
    return None


def weigh(publisher: str, finding: Finding, entries: Sequence[CorroborationEntry], today: date) -> tuple[Weighed, ...]:
    """Return what stands beside a finding, each with why it is no further source, if it is none.

    Args:
        publisher: Whose finding it is.
        finding: In its newest form.
        entries: Corroborations of it that stand, in any order.
        today: The day on which somebody asks.
    """
    own = Voice(publisher, finding.source)
    reported = {found.indicator for found in finding.indicators}
    weighed: list[Weighed] = []
    counted: list[tuple[Says, Voice]] = []
    for entry in sorted(entries, key=_order):
        said = entry.corroboration
        if said is None:
            continue
        voice = Voice(entry.member, said.source)
        why = why_not_independent(own, voice) or _repeats(voice, [v for says, v in counted if says is said.says])
        if reported.isdisjoint(said.indicators):
            why = "it speaks of no indicator that this finding reports"
        if said.valid_until < today:
            why = f"it expired on {said.valid_until}"
        if why is None:
            counted.append((said.says, voice))
        weighed.append(Weighed(entry, said, why))
    return tuple(weighed)


def sources(weighed: Sequence[Weighed], says: Says) -> int:
    """Return how many independent sources say so, beside the finding's own."""
    return sum(each.not_counted is None and each.said.says is says for each in weighed)


def _repeats(voice: Voice, before: Sequence[Voice]) -> str | None:
    for other in before:
        if other.member == voice.member:
            return f"{voice.member} has said so already: one member is one voice"
        if _same_audit(other.source, voice.source):
            return f"{other.member} told of the same audit: {voice.source.scheme} {voice.source.when} of the same site"
    return None


def _same_audit(one: Source, other: Source) -> bool:
    """Tell whether two sources may be one audit; both are about the same site, since both speak of one finding."""
    same_scheme = one.scheme.casefold() == other.scheme.casefold()
    if one.scheme == PROTECTED_SCHEME:
        # What a protected source did is not told; its type is.
        same_scheme = same_scheme and one.type is other.type
    return same_scheme and (one.when.startswith(other.when) or other.when.startswith(one.when))


def _order(entry: CorroborationEntry) -> tuple[str, str]:
    """The same at every node, whenever it arrived."""
    return (entry.member, entry.hash)


def backed_by(report: Report, observation: str | None, says: Says) -> frozenset[Indicator]:
    """Return on which indicators a report supports or contradicts a finding about whom it is about.

    It supports by an observation. It contradicts where it looked for the indicator and observed nothing of it; that
    nobody looked contradicts nothing.
    """
    observed = {o.ref: {found.indicator for found in o.indicators} for o in report.observations}
    if says is Says.SUPPORTS:
        return frozenset(observed.get(observation or "", set()))
    assessed = set() if report.scope is None else set(report.scope.assessed)
    return frozenset(assessed.difference(*observed.values()))


def endangers_source(said: Corroboration) -> bool:
    """Tell whether a focal point must be one of the two who release it: somebody could be blamed for having spoken."""
    return said.source.type in WORKER_SOURCES or said.source.scheme == PROTECTED_SCHEME


def corroboration_terms() -> Handling:
    """Return the terms proposed for a corroboration: its subject is not to notice who else has spoken."""
    return proposed_terms(clear=False, contact=Contact.NONE)


def outgoing_corroboration(said: Corroboration, handling: Handling) -> Outgoing:
    """Return what the statement will say: all of it in clear, since nothing in it names anybody."""
    return Outgoing(Kind.CORROBORATION, handling, said.to_parsed(), {}, {})
