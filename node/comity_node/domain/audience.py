"""Who reads a finding, and who should not by default: members of the site's own country. Pure.

Rules: findings of severity S3 and above, from workers, their unions and those they turn to, and of labour that a state
imposes exclude members of the site's own country, since they could be close to whoever would be blamed, or be the state
itself; not so what a public register has itself published. Nothing can be sealed yet, so all members read what is
released: such a finding leaves only with a focal point's consent, and is held back without.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from comity_node.domain.minimize import WORKER_SOURCES, is_grave
from comity_schemas.finding import Finding, SourceType
from comity_schemas.handling import Handling, Onward, Tlp
from comity_schemas.indicators import Indicator
from comity_schemas.member import Member, MemberStatus, PublicAccess

_STATE_IMPOSED: Final = Indicator.STATE_IMPOSED


@dataclass(frozen=True, slots=True)
class Reader:
    """A member that would read a finding."""

    slug: str
    name: str
    country: str
    role: str
    public_access: PublicAccess
    """Whether outsiders can compel it to disclose what it holds."""
    excluded: str | None
    """Why it should not read it, by default."""


def why_excluded(finding: Finding) -> str | None:
    """Return in words why members of the site's own country should not read a finding; None where they may."""
    reasons = []
    if is_grave(finding):
        reasons.append(f"its severity is {finding.severity}")
    if finding.source.type in WORKER_SOURCES:
        reasons.append(f"it comes from workers or those they turn to ({finding.source.type})")
    if any(found.indicator is _STATE_IMPOSED for found in finding.indicators):
        reasons.append("it says that a state imposes labour")
    return None if not reasons else f"of {finding.country}, the site's own country: {', and '.join(reasons)}"


def contradiction(finding: Finding, handling: Handling) -> str | None:
    """Return in words why terms do not fit a finding that excludes its own country; None where they do."""
    why = None if finding.source.type is SourceType.PUBLIC_REGISTER else why_excluded(finding)
    if why is None or (handling.tlp is not Tlp.CLEAR and handling.onward is not Onward.ANYONE):
        return None
    term = f"TLP:{handling.tlp}" if handling.tlp is Tlp.CLEAR else f"onward {handling.onward}"
    return f"{term} lets anybody read it, and members {why} should not"


def readers(members: Iterable[Member], own: str, finding: Finding | None, why: str | None) -> Sequence[Reader]:
    """Return who reads a statement, those who should not first.

    Args:
        members: Of the registry.
        own: This member's slug.
        finding: What they would read; None for what is no finding.
        why: As `why_excluded`, or None where nobody is excluded.
    """
    found = [
        Reader(m.slug, m.names[0], m.country, m.role.value, m.public_access, why if _is_of(m, finding) else None)
        for m in members
        if m.status is MemberStatus.ACTIVE and m.slug != own
    ]
    return sorted(found, key=lambda reader: (reader.excluded is None, reader.slug))


def _is_of(member: Member, finding: Finding | None) -> bool:
    return finding is not None and member.country == finding.country
