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
from comity_schemas.indicators import IndicatorFound
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


class Observation(Wire):
    """One thing the audit recorded, in the auditor's words and with the people concerned. Stays."""

    ref: Ref
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
    started: date | None = None
    finished: date
    finished_precision: Literal["day", "year"] = "day"
    """`year` where a register tells no more; then only the year of `finished` means anything."""
    notice: Notice
    access: Access
    interviews: People | None = None
    sharing_basis: SharingBasis | None = None
    sharing_scope: text(300) | None = None  # type: ignore[valid-type]
    valid_until: date | None = None
    event: Digest | None = None
    party: AuditedParty
    observations: Annotated[tuple[Observation, ...], Field(max_length=500)]
    evidence: Annotated[tuple[Evidence, ...], Field(max_length=500)] = ()
    summary: LongText | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refs = [o.ref for o in self.observations]
        if len(set(refs)) != len(refs):
            raise ValueError("two observations have the same ref")
        if self.started is not None and self.started > self.finished:
            raise ValueError("the audit ends before it starts")
        known = {e.ref for e in self.evidence}
        for observation in self.observations:
            missing = [ref for ref in observation.evidence if ref not in known]
            if missing:
                raise ValueError(f"observation {observation.ref} names evidence {missing[0]} that is not listed")
        return self


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
