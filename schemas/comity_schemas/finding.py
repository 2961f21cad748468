"""The finding: the minimized, harmonised statement about one subject. Everything in it may leave the node.

There is no free text, no person, no exact small count, no price, volume or buyer list. Fields in `DISCLOSABLE`
travel as salted disclosures or stay withheld behind their digest; all others stand in clear in the signed body.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from comity_schemas.bands import SMALL, Band, ShareBand
from comity_schemas.countries import Country
from comity_schemas.indicators import IndicatorFound
from comity_schemas.subject import Identifiers, Names, Party, Sector, SubjectType
from comity_schemas.wire import Did, Digest, Month, Wire, text


class Severity(StrEnum):
    """S0 improvement, S1 minor, S2 major, S3 critical or systemic, S4 zero tolerance or imminent harm."""

    S0 = "S0"
    S1 = "S1"
    S2 = "S2"
    S3 = "S3"
    S4 = "S4"


class Status(StrEnum):
    """Where a finding stands. Withdrawn, superseded and expired follow from the log and the date, never from here."""

    ALLEGED = "alleged"
    UNDER_ENGAGEMENT = "under-engagement"
    CONFIRMED = "confirmed"
    PLAN_AGREED = "plan-agreed"
    IN_PROGRESS = "in-progress"
    CLOSED_CLAIMED = "closed-claimed"
    CLOSED_VERIFIED = "closed-verified"
    OVERTURNED = "overturned"
    CONTRACT_ENDED = "contract-ended"


CLOSED = frozenset({Status.CLOSED_CLAIMED, Status.CLOSED_VERIFIED})
"""Statuses that no longer count against the subject today; shown as closing credit. What was overturned never did."""


class Verified(StrEnum):
    """How a closure was verified."""

    DESK = "desk"
    ON_SITE = "on-site"
    BY_WORKERS = "by-workers"


class Remedy(StrEnum):
    """What was done for the people concerned."""

    FEES_REPAID = "fees-repaid"
    WAGES_PAID = "wages-paid"
    DOCUMENTS_RETURNED = "documents-returned"
    CONTRACTS_REISSUED = "contracts-reissued"
    RECRUITER_REPLACED = "recruiter-replaced"
    MOVEMENT_RESTORED = "movement-restored"
    HOUSING_IMPROVED = "housing-improved"
    HOURS_REDUCED = "hours-reduced"
    COMPENSATION_PAID = "compensation-paid"
    REFERRED_TO_SERVICES = "referred-to-services"


class SourceType(StrEnum):
    """Who saw it. Worker and union evidence stands equal to audits."""

    AUDIT = "audit"
    INSPECTION = "inspection"
    UNION = "union"
    NGO = "ngo"
    GRIEVANCE_BODY = "grievance-body"
    COURT = "court"
    PUBLIC_REGISTER = "public-register"


class Notice(StrEnum):
    """Whether the visit was announced."""

    ANNOUNCED = "announced"
    SEMI_ANNOUNCED = "semi-announced"
    UNANNOUNCED = "unannounced"
    NOT_STATED = "not-stated"


class Access(StrEnum):
    """How far the visitors were let in."""

    FULL = "full"
    PARTIAL = "partial"
    DENIED = "denied"
    NOT_STATED = "not-stated"


class Extent(StrEnum):
    """Systemic or isolated."""

    SYSTEMIC = "systemic"
    ISOLATED = "isolated"
    NOT_STATED = "not-stated"


SchemeCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,63}$")]
"""A scheme's short name, such as `SMETA`."""


class Source(Wire):
    """Where the finding comes from, to the month (the year where the source has no more)."""

    type: SourceType
    scheme: SchemeCode
    scheme_version: SchemeCode | None = None
    notice: Notice
    access: Access
    when: Month
    event: Digest | None = None
    """For registers: a random reference that findings of one raid share."""


CLAUSE = r"^[A-Za-z0-9(][A-Za-z0-9 .()/-]{0,31}$"
"""A clause's own number or letters, such as `10A`, `1.2` or `(b)(4)`."""


class Clause(Wire):
    """The original clause and label of the scheme."""

    clause: Annotated[str, StringConstraints(pattern=CLAUSE)]
    label: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z -]{0,39}$")] | None = None


class Commitment(Wire):
    """Proof that a signed report stands behind the finding; always withheld, since it would link findings."""

    root: Digest
    signature: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,2000}$")]


class Finding(Wire):
    """One finding. A disclosable field that is absent was withheld or erased, or was never there: nobody can tell."""

    replaces: Digest | None = None
    """SHA-256 of the JWT that this one revises: an earlier finding of the same log."""
    subject: SubjectType
    names: Names | None = None
    identifiers: Identifiers | None = None
    supplies_to: Annotated[tuple[Party, ...], Field(min_length=1, max_length=20)] | None = None
    country: Country
    region: text(100) | None = None  # type: ignore[valid-type]
    municipality: text(100) | None = None  # type: ignore[valid-type]
    site_address: text(300) | None = None  # type: ignore[valid-type]
    sector: Sector | None = None
    named_after_person: bool = False
    """A sole trader, or a firm that bears a person's name: never CLEAR."""
    indicators: Annotated[tuple[IndicatorFound, ...], Field(min_length=1, max_length=11)]
    source: Source
    auditor: Did | None = None
    clause: Clause | None = None
    severity: Severity
    extent: Extent
    collaborative_action: bool = False
    sample: Band | None = None
    affected: Band | None = None
    women_share: ShareBand | None = None
    status: Status
    verified: Verified | None = None
    remedies: Annotated[tuple[Remedy, ...], Field(max_length=10)] = ()
    remedy_due: Month | None = None
    valid_until: date
    commitment: Commitment | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        codes = [found.indicator for found in self.indicators]
        if len(set(codes)) != len(codes):
            raise ValueError("an indicator is named twice")
        # Absent is fine: `affected` may be withheld, and whoever strips its disclosure must not refute the rest.
        if self.women_share is not None and self.affected in SMALL:
            raise ValueError("a women's share needs a band of 11 or more")
        if (self.verified is not None) != (self.status is Status.CLOSED_VERIFIED):
            raise ValueError("a closure is verified somehow, and nothing else is")
        if self.supplies_to is not None and self.subject is not SubjectType.LABOUR_PROVIDER:
            raise ValueError("only a labour provider supplies labour to somebody")
        return self


ALWAYS_DISCLOSED = frozenset({"names", "identifiers", "supplies_to"})
"""Travel as open disclosures, so that they can be forgotten later without breaking the chain."""

WITHHELD_BY_DEFAULT = frozenset(
    {"site_address", "auditor", "clause", "sample", "affected", "women_share", "commitment"}
)
"""Stay at the node; only a digest among decoys travels."""

DISCLOSABLE = ALWAYS_DISCLOSED | WITHHELD_BY_DEFAULT
"""The only names a disclosure may have under GREEN and CLEAR."""
