"""The full audit report: private. Report, Observation and Evidence never leave the node.

A report is signed over a Merkle root of salted sections, so that later one section can be shown with proof while
nothing can be learned of the others.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from comity_schemas.countries import Country
from comity_schemas.finding import (
    Access,
    Clause,
    Extent,
    Notice,
    Remedy,
    SchemeCode,
    Severity,
    SourceType,
    Status,
    Verified,
)
from comity_schemas.indicators import Indicator, IndicatorFound
from comity_schemas.subject import Identifiers, Names, Party, Sector, SubjectType
from comity_schemas.wire import Did, Digest, Month, Wire, text

MAX_REPORT_BYTES = 4 * 1024 * 1024
"""Largest signed report accepted, in bytes; evidence files are not in it."""

Ref = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""A report's or an observation's own reference."""

People = Annotated[int, Field(ge=0, le=10_000_000)]
LongText = Annotated[str, StringConstraints(max_length=20_000)]


class SharingBasis(StrEnum):
    """Why the report may yield findings at all."""

    AUDITEE_CONSENT = "auditee-consent"
    CONTRACT_CLAUSE = "contract-clause"
    LEGAL_MANDATE = "legal-mandate"
    PUBLIC_REGISTER = "public-register"


class Premises(StrEnum):
    """What an inspected place is. Only a confirmed business site's address may ever leave."""

    BUSINESS = "business"
    HOUSING = "housing"
    NOT_CONFIRMED = "not-confirmed"


class AuditedParty(Wire):
    """The supplier, site or labour provider as the auditor met it."""

    ref: Ref | None = None
    """By which observations name it; every further site and labour provider has one."""
    type: SubjectType
    names: Names
    identifiers: Identifiers | None = None
    supplies_to: Annotated[tuple[Party, ...], Field(min_length=1, max_length=20)] | None = None
    country: Country
    region: text(100) | None = None  # type: ignore[valid-type]
    municipality: text(100) | None = None  # type: ignore[valid-type]
    address: text(300) | None = None  # type: ignore[valid-type]
    premises: Premises = Premises.NOT_CONFIRMED
    sector: Sector | None = None
    named_after_person: bool = False


class Evidence(Wire):
    """A file kept beside the report."""

    ref: Ref
    media_type: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9.+-]{1,80}$")]
    bytes: Annotated[int, Field(ge=0)]
    sha256: Digest
    caption: text(300) | None = None  # type: ignore[valid-type]
    keep_until: date | None = None
    """Sooner than the report's own; afterwards its key is shredded."""


class Consent(Wire):
    """Whose agreement it is stands in the field that holds it."""

    given: date
    scope: text(300)  # type: ignore[valid-type]
    """What was agreed, in words."""


class WhyNotAssessed(StrEnum):
    """Why the audit says nothing about an indicator."""

    NOT_IN_SCHEME = "not-in-scheme"
    NOT_IN_THIS_AUDIT = "not-in-this-audit"
    ACCESS_DENIED = "access-denied"
    NO_SAFE_WAY_TO_ASK = "no-safe-way-to-ask"


class NotAssessed(Wire):
    """An indicator the audit says nothing about."""

    indicator: Indicator
    why: WhyNotAssessed


class Scope(Wire):
    """What was looked for. An indicator in neither list: not stated."""

    assessed: Annotated[tuple[Indicator, ...], Field(max_length=100)] = ()
    not_assessed: Annotated[tuple[NotAssessed, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _once(self) -> Self:
        named = [*self.assessed, *(each.indicator for each in self.not_assessed)]
        if len(set(named)) != len(named):
            raise ValueError("an indicator is assessed or not assessed, and named once")
        return self


class EarlierObservation(Wire):
    """An observation of an earlier report, that a follow-up found again as it now says."""

    report: Digest
    """The earlier report's id, from its receipt."""
    observation: Ref


class Observation(Wire):
    """One thing the audit recorded, in the auditor's words and with the people concerned. Stays."""

    ref: Ref
    about: Ref | None = None
    """The further site or labour provider it concerns; absent: the report's `party`."""
    follows_up: EarlierObservation | None = None
    """Closes or reopens this earlier observation, by the status given here."""
    clause: Clause
    description: LongText
    testimony: LongText | None = None
    """What workers said; who said it may be told from it."""
    place: text(300) | None = None  # type: ignore[valid-type]
    indicators: Annotated[tuple[IndicatorFound, ...], Field(max_length=11)] = ()
    severity: Severity
    extent: Extent
    collaborative_action: bool = False
    affected: People | None = None
    affected_women: People | None = None
    status: Status
    verified: Verified | None = None
    remedies: Annotated[tuple[Remedy, ...], Field(max_length=10)] = ()
    remedy_due: Month | None = None
    evidence: Annotated[tuple[Ref, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _counted(self) -> Self:
        if self.affected_women is not None and (self.affected is None or self.affected_women > self.affected):
            raise ValueError("affected_women needs an equal or larger affected")
        if (self.verified is not None) != (self.status is Status.CLOSED_VERIFIED):
            raise ValueError("a closure is verified somehow, and nothing else is")
        if self.verified is Verified.ON_SITE and self.follows_up is None:
            raise ValueError("only a follow-up that names the earlier observation verifies a closure on site")
        return self


class Report(Wire):
    """A full audit report."""

    v: Literal[1]
    ref: Ref
    source: SourceType
    scheme: SchemeCode
    scheme_version: SchemeCode | None = None
    auditor: Did | None = None
    """The audit firm; absent for an imported register."""
    team: Annotated[tuple[text(200), ...], Field(max_length=50)] = ()  # type: ignore[valid-type]
    client: text(200) | None = None  # type: ignore[valid-type]
    """For whom the audit was made; absent: for the audited party itself."""
    client_did: Did | None = None
    """The client, where it is a member of the network."""
    client_consent: Consent | None = None
    """Needed where the client is another than the member that the report is submitted to."""
    supersedes: Digest | None = None
    """Id of the same firm's earlier report that this one stands in place of."""
    started: date | None = None
    finished: date
    finished_precision: Literal["day", "year"] = "day"
    """`year` where a register tells no more; then only the year of `finished` means anything."""
    notice: Notice
    access: Access
    interviews: People | None = None
    interviewed_women: People | None = None
    workforce: People | None = None
    files_reviewed: People | None = None
    scope: Scope | None = None
    sharing_basis: SharingBasis | None = None
    sharing_scope: text(300) | None = None  # type: ignore[valid-type]
    valid_until: date | None = None
    keep_until: date | None = None
    """How long the report and its evidence are kept; absent: as long as the node's setting says."""
    event: Digest | None = None
    party: AuditedParty
    sites: Annotated[tuple[AuditedParty, ...], Field(max_length=100)] = ()
    """Further sites that were visited."""
    labour_providers: Annotated[tuple[AuditedParty, ...], Field(max_length=100)] = ()
    """Agents and recruiters met; without `supplies_to` they supply labour to `party`."""
    observations: Annotated[tuple[Observation, ...], Field(max_length=500)]
    evidence: Annotated[tuple[Evidence, ...], Field(max_length=500)] = ()
    summary: LongText | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.started is not None and self.started > self.finished:
            raise ValueError("the audit ends before it starts")
        if self.interviewed_women is not None and self.interviewed_women > (self.interviews or 0):
            raise ValueError("interviewed_women needs an equal or larger interviews")
        if self.client is None and (self.client_did, self.client_consent) != (None, None):
            raise ValueError("client_did and client_consent need a client")
        if self.keep_until is not None and self.keep_until < self.finished:
            raise ValueError("the report is to be kept until before the audit ended")
        _check_parties(self)
        _check_observations(self)
        return self

    def party_of(self, observation: Observation) -> AuditedParty:
        """Return whom an observation concerns."""
        further = {party.ref: party for party in (*self.sites, *self.labour_providers)}
        return self.party if observation.about is None else further[observation.about]


def _check_parties(report: Report) -> None:
    for parties, kind in ((report.sites, SubjectType.SITE), (report.labour_providers, SubjectType.LABOUR_PROVIDER)):
        for party in parties:
            if party.type is not kind or party.ref is None:
                raise ValueError(f"each of the {kind}s has this type and a ref")
    refs = [p.ref for p in (report.party, *report.sites, *report.labour_providers) if p.ref is not None]
    if len(set(refs)) != len(refs):
        raise ValueError("two parties have the same ref")


def _check_observations(report: Report) -> None:
    refs = [o.ref for o in report.observations]
    if len(set(refs)) != len(refs):
        raise ValueError("two observations have the same ref")
    files = {e.ref for e in report.evidence}
    if len(files) != len(report.evidence):
        raise ValueError("two files have the same ref")
    parties = {p.ref for p in (*report.sites, *report.labour_providers)}
    skipped = {each.indicator for each in report.scope.not_assessed} if report.scope else set()
    followed = [o.follows_up for o in report.observations if o.follows_up is not None]
    if len({(f.report, f.observation) for f in followed}) != len(followed):
        raise ValueError("two observations follow up the same one")
    for observation in report.observations:
        missing = [ref for ref in observation.evidence if ref not in files]
        if missing:
            raise ValueError(f"observation {observation.ref} names evidence {missing[0]} that is not listed")
        if observation.about is not None and observation.about not in parties:
            raise ValueError(f"observation {observation.ref} is about {observation.about}, which is not listed")
        if skipped & {found.indicator for found in observation.indicators}:
            raise ValueError(f"observation {observation.ref} has an indicator that the scope calls not assessed")


class ReportClaims(Wire):
    """What an auditor signs: the Merkle root over all sections."""

    v: Literal[1]
    iss: Did
    iat: Annotated[int, Field(ge=0, le=2**53 - 1)]
    root: Digest
    sections: Annotated[int, Field(ge=1, le=2_000)]


Section = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$")]
"""Base64url of `[salt, name, value]`."""


class SignedReport(Wire):
    """The file an auditor submits: the signature and every section with its salt."""

    signature: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$", max_length=4_000)]
    sections: Annotated[tuple[Section, ...], Field(min_length=1, max_length=2_000)]


class ShownSection(Wire):
    """One section of a signed report with the proof that it was signed; nothing of the others can be told from it."""

    v: Literal[1]
    signature: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$", max_length=4_000)]
    number: Annotated[int, Field(ge=1, le=2_000)]
    """Place among the sections, from 1."""
    of: Annotated[int, Field(ge=1, le=2_000)]
    section: Section
    beside: Annotated[tuple[Digest, ...], Field(max_length=11)]
    """The hashes beside the section's way to the root, from the section up. Source: RFC 9162 §2.1.3."""
