"""Why an audit outside the registry's authorisations may yield findings all the same: codes, for two reviewers."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AllowanceCode(StrEnum):
    """Why, as a code; the words beside it stay at this node."""

    NOBODY_AUTHORISED = "nobody-authorised"
    """The scheme, or the country, has no authorised firm."""
    BETWEEN_TERMS = "between-terms"
    """The authorisation ended, or began, within days of the audit."""
    URGENT = "urgent"
    """Waiting for an authorised firm would have left people in danger."""
    SEEN_BY_OTHERS = "seen-by-others"
    """An authorised firm or an inspection saw the same."""
    REGISTRY_LATE = "registry-late"
    """It was authorised, and the registry did not say so yet."""


@dataclass(frozen=True, slots=True)
class Why:
    """What one reviewer says."""

    by: str
    at: datetime
    code: AllowanceCode
    words: str


@dataclass(frozen=True, slots=True)
class Allowance:
    """An audit outside its firm's authorisations, and what two reviewers say to it."""

    id: str
    report_id: str
    first: Why
    second: Why | None = None
    state: str = "proposed"
    """`proposed`, `allowed` or `declined`."""
