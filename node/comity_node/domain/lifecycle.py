"""The life of a finding: how it may start, which status may follow which, and what is called closed. Pure.

    alleged → under-engagement → confirmed → plan-agreed → in-progress → closed-claimed → closed-verified

Rules: a finding starts as alleged, or as confirmed where a court or an authority decided so. It moves along the line;
engagement may lead straight to a plan, because agreeing to one is no admission. A closure is claimed or verified, and
a follow-up may reopen it. Overturned ends it: what is true after all is said anew. A contract may end before the
matter does, and what is repaired afterwards still counts. Withdrawn, superseded, expired and disputed are no
statuses: they follow from the log, the date, and what the supplier said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from comity_node.domain.errors import StatusMayNotFollow
from comity_schemas.finding import Finding, Remedy, SourceType, Status, Verified

_STARTS_DECIDED: Final = frozenset({SourceType.COURT, SourceType.PUBLIC_REGISTER})
"""Sources in which somebody with the power to decide has done so, if the status says it."""

_ENDS: Final = frozenset({Status.CONTRACT_ENDED, Status.OVERTURNED})

MAY_FOLLOW: Final[Mapping[Status, frozenset[Status]]] = {
    Status.ALLEGED: frozenset({Status.UNDER_ENGAGEMENT, Status.CONFIRMED}) | _ENDS,
    Status.UNDER_ENGAGEMENT: frozenset({Status.CONFIRMED, Status.PLAN_AGREED}) | _ENDS,
    Status.CONFIRMED: frozenset({Status.PLAN_AGREED}) | _ENDS,
    Status.PLAN_AGREED: frozenset({Status.IN_PROGRESS}) | _ENDS,
    Status.IN_PROGRESS: frozenset({Status.CLOSED_CLAIMED, Status.CLOSED_VERIFIED}) | _ENDS,
    Status.CLOSED_CLAIMED: frozenset({Status.CLOSED_VERIFIED, Status.IN_PROGRESS, Status.OVERTURNED}),
    Status.CLOSED_VERIFIED: frozenset({Status.IN_PROGRESS, Status.OVERTURNED}),
    Status.CONTRACT_ENDED: frozenset({Status.CLOSED_CLAIMED, Status.CLOSED_VERIFIED, Status.OVERTURNED}),
    Status.OVERTURNED: frozenset(),
}
"""Which other status may follow; the same one always may, when something else is corrected."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where a matter stands now. What is None stays as it was said before."""

    status: Status
    verified: Verified | None = None
    remedies: tuple[Remedy, ...] | None = None
    remedy_due: str | None = None


def may_start(source: SourceType) -> frozenset[Status]:
    """Return how a finding from such a source may start."""
    decided = {Status.CONFIRMED} if source in _STARTS_DECIDED else set()
    return frozenset({Status.ALLEGED, *decided})


def check_start(finding: Finding) -> None:
    """Let a first finding pass only in a status in which one may start.

    Raises:
        StatusMayNotFollow: it may not; the text names how it may.
    """
    allowed = may_start(finding.source.type)
    if finding.status not in allowed:
        raise StatusMayNotFollow(
            f"a first finding from the source {finding.source.type} cannot be {finding.status}; it starts as "
            f"{in_words(allowed)}. Where the matter stands now follows as its revision",
            allowed,
        )


def check_step(before: Finding, after: Finding, *, follow_up: bool) -> None:
    """Let a revision pass only with a status that may follow.

    Args:
        before: The newest form that was published.
        after: What would be said instead.
        follow_up: Whether a report stands behind it that an auditor made on site.

    Raises:
        StatusMayNotFollow: it may not; the text names what may.
    """
    allowed = MAY_FOLLOW[before.status]
    if after.status is not before.status and after.status not in allowed:
        raise StatusMayNotFollow(
            f"{after.status} may not follow {before.status}; what may follow is {in_words(allowed)}", allowed
        )
    if after.verified is Verified.ON_SITE and before.verified is not Verified.ON_SITE and not follow_up:
        raise StatusMayNotFollow(
            "only a follow-up report closes a finding as verified on site; verified from the desk or by workers "
            "needs none",
            allowed,
        )


def in_words(statuses: frozenset[Status]) -> str:
    """Return statuses in the order of a finding's life, for people."""
    if not statuses:
        return "nothing: it is over, and what is true after all is published anew"
    ordered = [status.value for status in Status if status in statuses]
    return ordered[0] if len(ordered) == 1 else f"{', '.join(ordered[:-1])} or {ordered[-1]}"
