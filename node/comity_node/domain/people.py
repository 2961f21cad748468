"""People and what their roles let them do."""

from dataclasses import dataclass
from enum import StrEnum


class PersonRole(StrEnum):
    """What somebody does at this node; a person may have several."""

    AUDITOR = "auditor"
    REVIEWER = "reviewer"
    FOCAL_POINT = "focal-point"
    OFFICER = "officer"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account at this node."""

    id: str
    name: str
    roles: frozenset[PersonRole]
    firm: str | None = None
    """For auditors: the slug of the audit firm they submit for."""
