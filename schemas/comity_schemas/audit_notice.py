"""The audit notice: that a site is audited, or was, by which scheme and with which scope.

It saves the second audit, and tells "assessed, nothing open" from "never audited". What was found in it stands in
findings; of what is too light for one, only how many observations are open leaves, as bands. No free text, no auditor,
no date but a month.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from comity_schemas.bands import Band
from comity_schemas.countries import Country
from comity_schemas.finding import SchemeCode
from comity_schemas.indicators import Indicator
from comity_schemas.subject import Identifiers, Names, Sector, SubjectType
from comity_schemas.wire import Digest, Month, Wire, text

_Scope = Annotated[tuple[Indicator, ...], Field(max_length=len(Indicator))]


class AuditStage(StrEnum):
    """Whether the audit is still to come."""

    PLANNED = "planned"
    DONE = "done"


class OpenObservations(Wire):
    """How many observations were open at the end of the audit, by severity, each as a band."""

    improvement: Band
    minor: Band
    major: Band
    critical: Band
    zero_tolerance: Band

    @property
    def nothing_grave(self) -> bool:
        """Whether nothing was open from which on a finding leaves."""
        return {self.major, self.critical, self.zero_tolerance} == {Band.NONE}


class AuditNotice(Wire):
    """One audit of one site, planned or done."""

    replaces: Digest | None = None
    """SHA-256 of the JWT that this one revises, such as the plan of an audit that is done."""
    subject: SubjectType
    names: Names | None = None
    identifiers: Identifiers | None = None
    country: Country
    region: text(100) | None = None  # type: ignore[valid-type]
    municipality: text(100) | None = None  # type: ignore[valid-type]
    sector: Sector | None = None
    named_after_person: bool = False
    """A sole trader, or a firm that bears a person's name: never CLEAR."""
    scheme: SchemeCode
    scheme_version: SchemeCode | None = None
    month: Month
    """In which it ended, or is planned."""
    stage: AuditStage
    assessed: _Scope = ()
    """What was looked for, or will be. An indicator in neither list: not stated."""
    not_assessed: _Scope = ()
    result: OpenObservations | None = None
    """Absent before the audit, and while something of it may not be told: its absence says nothing."""
    valid_until: date

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = (*self.assessed, *self.not_assessed)
        if len(set(named)) != len(named):
            raise ValueError("an indicator is assessed or not assessed, and named once")
        if self.result is not None and self.stage is AuditStage.PLANNED:
            raise ValueError("an audit that is planned has no result")
        return self


NOTICE_DISCLOSABLE = frozenset({"names", "identifiers"})
"""Travel as open disclosures, so that they can be forgotten later without breaking the chain."""
