"""Cutting findings from a full report: by allow-list, pure, and with an account of every field.

Rules: what is not on the allow-list stays. What is sent does not depend on what stays. Counts become bands, dates
become months, and years where the source is protected. The place of an inspection is not the supplier's address: it
leaves only where a person confirmed a business site, and then it is withheld by default.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from comity_federation.statements import Outgoing
from comity_node.domain.terms import proposed_terms
from comity_node.domain.validity import protected_until, valid_until
from comity_schemas.bands import SMALL, band_of, share_of
from comity_schemas.finding import (
    ALWAYS_DISCLOSED,
    WITHHELD_BY_DEFAULT,
    Access,
    Commitment,
    Finding,
    Notice,
    Severity,
    Source,
    SourceType,
)
from comity_schemas.handling import Contact, Handling
from comity_schemas.report import AuditedParty, Observation, Premises, Report
from comity_schemas.statement import Kind
from comity_schemas.subject import Party, SubjectType

_ORDER = list(Severity)
WORKER_SOURCES = frozenset({SourceType.UNION, SourceType.NGO, SourceType.GRIEVANCE_BODY})
"""Whoever gathered it there is often the only one there: what tells when and how it was gathered tells who spoke."""

PROTECTED_SCHEME = "protected"
"""Stands where a protected source's own method would name it."""


class Fate(StrEnum):
    """What becomes of a field of the report."""

    LEAVES = "leaves"
    WITHHELD = "withheld"
    """Its digest leaves, among decoys; the value stays until it is shown to somebody on purpose."""
    STAYS = "stays"


@dataclass(frozen=True, slots=True)
class FieldFate:
    """One field of the report, where it goes, and why."""

    path: str
    fate: Fate
    becomes: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What a member lets leave."""

    least_severity: Severity = Severity.S2
    validity_months: int = 12
    """Where neither the scheme nor the report says how long."""
    protect_sources: bool = False
    """Whether all sources are protected, as those of worker organisations always are."""

    def protects(self, source: SourceType) -> bool:
        """Tell whether nothing that identifies such a source may leave; a public register has published itself."""
        return source in WORKER_SOURCES or (self.protect_sources and source is not SourceType.PUBLIC_REGISTER)


@dataclass(frozen=True, slots=True)
class Draft:
    """A finding as it would leave, withheld fields included, not yet released."""

    observation: str
    finding: Finding
    handling: Handling


@dataclass(frozen=True, slots=True)
class Minimized:
    """All that would leave of a report, and the account of every field."""

    drafts: tuple[Draft, ...]
    fates: tuple[FieldFate, ...]


_PERSONS = "could tell who spoke or who was there"
_BUYER = "would tell who buys from whom"
_COUNTS = "exact counts of people never leave"
_EARLIER = "only tells which finding is corrected"
_NOT_ABOUT_IT = "no observation about it yields a finding"
_SUPPLIED = ("names", "identifiers")
_PARTIES = ("party", "sites", "labour_providers")
_ALLOWED: dict[str, tuple[Fate, str, str]] = {
    "source": (Fate.LEAVES, "source.type", "says what kind of evidence it is"),
    "scheme": (Fate.LEAVES, "source.scheme", "says by which rules"),
    "scheme_version": (Fate.LEAVES, "source.scheme_version", "says by which rules"),
    "notice": (Fate.LEAVES, "source.notice", "says how sure it is"),
    "access": (Fate.LEAVES, "source.access", "says how sure it is"),
    "finished": (Fate.LEAVES, "source.when", "to the month only: a day could tell who spoke"),
    "finished_precision": (Fate.LEAVES, "source.when", "says whether the month is known"),
    "valid_until": (Fate.LEAVES, "valid_until", "everything expires; to the month only: a day could tell who spoke"),
    "event": (Fate.LEAVES, "source.event", "a random reference"),
    "auditor": (Fate.WITHHELD, "auditor", "shown by audience"),
    "interviews": (Fate.WITHHELD, "sample", "as a band"),
    "party.type": (Fate.LEAVES, "subject", "whom it is about"),
    "party.names.*.text": (Fate.LEAVES, "names", "whom it is about; can be forgotten"),
    "party.names.*.kind": (Fate.LEAVES, "names", "whom it is about; can be forgotten"),
    "party.identifiers.*.scheme": (Fate.LEAVES, "identifiers", "whom it is about; can be forgotten"),
    "party.identifiers.*.id": (Fate.LEAVES, "identifiers", "whom it is about; can be forgotten"),
    "party.supplies_to.*.names.*.text": (Fate.LEAVES, "supplies_to", "whom a labour provider supplies"),
    "party.supplies_to.*.names.*.kind": (Fate.LEAVES, "supplies_to", "whom a labour provider supplies"),
    "party.supplies_to.*.identifiers.*.scheme": (Fate.LEAVES, "supplies_to", "whom a labour provider supplies"),
    "party.supplies_to.*.identifiers.*.id": (Fate.LEAVES, "supplies_to", "whom a labour provider supplies"),
    "party.country": (Fate.LEAVES, "country", "whom it is about"),
    "party.region": (Fate.LEAVES, "region", "whom it is about"),
    "party.municipality": (Fate.LEAVES, "municipality", "whom it is about"),
    "party.address": (Fate.WITHHELD, "site_address", "a confirmed business site; shown by audience"),
    "party.sector.scheme": (Fate.LEAVES, "sector", "whom it is about"),
    "party.sector.code": (Fate.LEAVES, "sector", "whom it is about"),
    "party.named_after_person": (Fate.LEAVES, "named_after_person", "so that it is handled with care"),
    "observations.*.about": (Fate.LEAVES, "subject", "whom it is about"),
    "observations.*.clause.clause": (Fate.WITHHELD, "clause", "shown by audience"),
    "observations.*.clause.label": (Fate.WITHHELD, "clause", "shown by audience"),
    "observations.*.indicators.*.indicator": (Fate.LEAVES, "indicators", "what was seen, as a code"),
    "observations.*.indicators.*.basis": (Fate.LEAVES, "indicators", "what was seen, as a code"),
    "observations.*.severity": (Fate.LEAVES, "severity", "what was seen, as a code"),
    "observations.*.extent": (Fate.LEAVES, "extent", "what was seen, as a code"),
    "observations.*.collaborative_action": (Fate.LEAVES, "collaborative_action", "what was seen, as a code"),
    "observations.*.affected": (Fate.WITHHELD, "affected", "as a band"),
    "observations.*.affected_women": (Fate.WITHHELD, "women_share", "as a band, never below 11 people"),
    "observations.*.status": (Fate.LEAVES, "status", "closing credit travels with the finding"),
    "observations.*.verified": (Fate.LEAVES, "verified", "closing credit travels with the finding"),
    "observations.*.remedies.*": (Fate.LEAVES, "remedies", "closing credit travels with the finding"),
    "observations.*.remedy_due": (Fate.LEAVES, "remedy_due", "closing credit travels with the finding"),
}
"""The allow-list: path in the report, its fate, the finding's field, and why. Everything else stays."""

_REASONS_TO_STAY: dict[str, str] = {
    "team": "names people",
    "client": _BUYER,
    "client_did": _BUYER,
    "client_consent": _BUYER,
    "supersedes": "names another report, and reports stay",
    "started": "exact dates could tell who spoke when",
    "interviewed_women": _COUNTS,
    "workforce": _COUNTS,
    "files_reviewed": _COUNTS,
    "scope": "is told in an audit notice, not in a finding",
    "keep_until": "how long a report is kept is settled where it lies",
    "party.ref": "only a name inside the report",
    "observations.*.follows_up.report": _EARLIER,
    "observations.*.follows_up.observation": _EARLIER,
    "observations.*.description": "free text never leaves",
    "observations.*.testimony": _PERSONS,
    "observations.*.place": _PERSONS,
    "party.premises": "only decides whether the address may leave",
    "sharing_scope": "the agreement stays between its parties",
    "sharing_basis": "decides whether anything may leave",
    "summary": "free text never leaves",
}

_PROTECTED = frozenset(
    {"scheme", "scheme_version", "notice", "access", "auditor", "interviews", "finished_precision", "event"}
)
"""What also stays where the source is protected: it could tell who gathered it, or in whose company."""


def minimize(report: Report, policy: Policy, commitment: Commitment | None = None) -> Minimized:
    """Return the drafts of a report and what becomes of each of its fields.

    Args:
        report: The full report.
        policy: What this member lets leave.
        commitment: Root and signature of the signed report; None where no auditor signed.
    """
    chosen = [o for o in report.observations if _may_leave(o, policy)]
    drafts = tuple(
        Draft(o.ref, _finding(report, o, policy, commitment), default_handling(report, report.party_of(o)))
        for o in chosen
    )
    return Minimized(drafts, tuple(_fates(report, chosen, policy)))


def default_handling(report: Report, party: AuditedParty) -> Handling:
    """Return the terms proposed for a report's findings about a party; the reviewer may change them."""
    public = report.source is SourceType.PUBLIC_REGISTER
    clear = public and not party.named_after_person
    return proposed_terms(clear=clear, contact=Contact.OPEN if public else Contact.DESK)


def outgoing_finding(finding: Finding, handling: Handling) -> Outgoing:
    """Return what the statement will say: in clear, as disclosures, and withheld."""
    fields = finding.to_parsed()
    return Outgoing(
        kind=Kind.FINDING,
        handling=handling,
        body={k: v for k, v in fields.items() if k not in ALWAYS_DISCLOSED | WITHHELD_BY_DEFAULT},
        disclosed={k: v for k, v in fields.items() if k in ALWAYS_DISCLOSED},
        withheld={k: v for k, v in fields.items() if k in WITHHELD_BY_DEFAULT},
    )


def endangers_people(finding: Finding) -> bool:
    """Tell whether a focal point must be one of the two who release it, since people could be blamed for it.

    What a public register has itself published is excepted.
    """
    if finding.source.type is SourceType.PUBLIC_REGISTER:
        return False
    return is_grave(finding) or finding.source.type in WORKER_SOURCES


def is_grave(finding: Finding) -> bool:
    """Tell whether a finding is of severity S3 or above."""
    return _ORDER.index(finding.severity) >= _ORDER.index(Severity.S3)


def source_of(report: Report, policy: Policy) -> Source:
    """Return what may be told of where a report comes from; a protected source tells its type and the year."""
    if policy.protects(report.source):
        return Source(
            type=report.source,
            scheme=PROTECTED_SCHEME,
            notice=Notice.NOT_STATED,
            access=Access.NOT_STATED,
            when=report.finished.strftime("%Y"),
        )
    return plain_source(report)


def plain_source(report: Report) -> Source:
    """Return where a report comes from, to the month, as this node knows it."""
    precise = report.finished_precision == "day"
    return Source(
        type=report.source,
        scheme=report.scheme,
        scheme_version=report.scheme_version,
        notice=report.notice,
        access=report.access,
        when=report.finished.strftime("%Y-%m" if precise else "%Y"),
        event=report.event,
    )


def stands_until(report: Report, policy: Policy) -> date:
    """Return the last day on which something from a report stands; of a protected source only its year is told."""
    rule = protected_until if policy.protects(report.source) else valid_until
    return rule(report, policy.validity_months)


def _may_leave(observation: Observation, policy: Policy) -> bool:
    grave = _ORDER.index(observation.severity) >= _ORDER.index(policy.least_severity)
    return grave and bool(observation.indicators)


def _finding(report: Report, observation: Observation, policy: Policy, commitment: Commitment | None) -> Finding:
    party, affected = report.party_of(observation), observation.affected
    women, protected = observation.affected_women, policy.protects(report.source)
    return Finding(
        subject=party.type,
        names=party.names,
        identifiers=party.identifiers,
        supplies_to=party.supplies_to or _supplied(report, party),
        country=party.country,
        region=party.region,
        municipality=party.municipality,
        site_address=party.address if party.premises is Premises.BUSINESS else None,
        sector=party.sector,
        named_after_person=party.named_after_person,
        indicators=observation.indicators,
        source=source_of(report, policy),
        auditor=None if protected else report.auditor,
        clause=observation.clause,
        severity=observation.severity,
        extent=observation.extent,
        collaborative_action=observation.collaborative_action,
        sample=None if protected or report.interviews is None else band_of(report.interviews),
        affected=None if affected is None else band_of(affected),
        women_share=None if women is None or affected is None else share_of(women, affected),
        status=observation.status,
        verified=observation.verified,
        remedies=observation.remedies,
        remedy_due=observation.remedy_due,
        valid_until=stands_until(report, policy),
        # Its signature names whose auditor signed.
        commitment=None if protected else commitment,
    )


def _supplied(report: Report, party: AuditedParty) -> tuple[Party, ...] | None:
    # What a provider did shows on its clients as "through its labour provider", never as their own.
    if party.type is not SubjectType.LABOUR_PROVIDER or party is report.party:
        return None
    return (Party(names=report.party.names, identifiers=report.party.identifiers),)


def _fates(report: Report, chosen: Sequence[Observation], policy: Policy) -> Iterator[FieldFate]:
    for path, pattern in _leaves(report.to_parsed()):
        top = pattern.split(".")[0]
        if top == "observations" and pattern != "observations":
            yield _fate_of_observation(report, path, pattern, chosen, policy)
        elif not chosen:
            yield FieldFate(path, Fate.STAYS, None, "no observation of this report yields a finding")
        elif top in _PARTIES and pattern != top:
            yield _fate_of_party(report, path, pattern, chosen)
        elif policy.protects(report.source) and pattern in _PROTECTED:
            yield FieldFate(path, Fate.STAYS, None, "the source is protected: it could tell who spoke to whom")
        elif policy.protects(report.source) and pattern == "finished":
            yield FieldFate(path, Fate.LEAVES, "source.when", "to the year only: the source is protected")
        else:
            yield _listed(path, pattern)


def _fate_of_observation(
    report: Report, path: str, pattern: str, chosen: Sequence[Observation], policy: Policy
) -> FieldFate:
    observation = report.observations[int(path.split(".")[1])]
    if observation not in chosen:
        why = (
            "no indicator was picked for this observation"
            if not observation.indicators
            else f"below {policy.least_severity}: only findings from there on leave"
        )
        return FieldFate(path, Fate.STAYS, None, why)
    if pattern.endswith(".affected_women") and band_of(observation.affected or 0) in SMALL:
        return FieldFate(path, Fate.STAYS, None, "a share of fewer than 11 people could reveal each of them")
    return _listed(path, pattern)


def _fate_of_party(report: Report, path: str, pattern: str, chosen: Sequence[Observation]) -> FieldFate:
    top, *rest = path.split(".")
    party = report.party if top == "party" else getattr(report, top)[int(rest[0])]
    pattern = pattern if top == "party" else f"party.{pattern.split('.', 2)[2]}"
    subjects = [report.party_of(observation) for observation in chosen]
    if party not in subjects:
        supplied = party is report.party and any(_supplied(report, s) and not s.supplies_to for s in subjects)
        if supplied and pattern.split(".")[1] in _SUPPLIED:
            return FieldFate(path, Fate.LEAVES, "supplies_to", "whom a labour provider supplies")
        return FieldFate(path, Fate.STAYS, None, _NOT_ABOUT_IT)
    if pattern == "party.address" and party.premises is not Premises.BUSINESS:
        return FieldFate(path, Fate.STAYS, None, "nobody confirmed that this is a business site and no housing")
    return _listed(path, pattern)


def _listed(path: str, pattern: str) -> FieldFate:
    allowed = _ALLOWED.get(pattern) or _ALLOWED.get(f"{pattern}.*")  # the latter for a list without members
    if allowed is None:
        return FieldFate(path, Fate.STAYS, None, _REASONS_TO_STAY.get(pattern, _stay_reason(pattern)))
    return FieldFate(path, *allowed)


def _stay_reason(pattern: str) -> str:
    top = pattern.split(".")[0]
    if top == "evidence" or pattern.startswith("observations.*.evidence"):
        return "evidence never leaves"
    return _REASONS_TO_STAY.get(top, "not on the allow-list")


def _leaves(value: Any, path: str = "", pattern: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else key, f"{pattern}.{key}" if pattern else key)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{index}", f"{pattern}.*")
    else:
        yield path, pattern
