"""Due process before a release: who could be blamed, whether the supplier is told, how long it may reply. Pure.

Rules: the retaliation check comes first. Its result is to notify the supplier, or to postpone with a reason and a day
on which somebody looks again. A supplier that was notified may reply during its window; then a second person releases.
What is postponed would have to be sealed to its group, and nothing can be sealed yet: it is decided, recorded, shown,
and held back. Combinations that contradict each other are refused before anything is recorded.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from comity_node.domain.errors import Contradictory
from comity_node.domain.minimize import WORKER_SOURCES
from comity_schemas.finding import Extent, Finding, Severity, SourceType, Status
from comity_schemas.handling import Contact, Handling, Onward, Tlp


class AtRisk(StrEnum):
    """Who could be blamed for a finding, as a group; never a person."""

    NOBODY = "nobody"
    WORKERS = "workers"
    REPRESENTATIVES = "worker-representatives"
    INFORMANTS = "informants"
    FAMILIES = "families"
    AUDITORS = "auditors"


class Outcome(StrEnum):
    """What follows from the retaliation check."""

    NOTIFY = "notify"
    POSTPONE = "postpone"


class PostponeReason(StrEnum):
    """Why the supplier is not told yet."""

    RISK_OF_RETALIATION = "risk-of-retaliation"
    SAFETY_OF_PERSONS = "safety-of-persons"
    EVIDENCE_AT_RISK = "evidence-at-risk"
    AUTHORITY_ASKED = "authority-asked"


_NOTICED: Final = frozenset({Contact.ENGAGE, Contact.OPEN})
"""Terms under which the supplier may notice that somebody asks."""

_FOR_SOMEBODY: Final = frozenset({PostponeReason.RISK_OF_RETALIATION, PostponeReason.SAFETY_OF_PERSONS})


@dataclass(frozen=True, slots=True)
class RetaliationCheck:
    """What a person answered: who could be blamed, and what follows."""

    blamed: frozenset[AtRisk]
    outcome: Outcome
    contact: Contact
    reason: PostponeReason | None = None
    review_by: date | None = None


@dataclass(frozen=True, slots=True)
class Windows:
    """How long each step may take. Production has the values of `FIXED` and no others."""

    reply: timedelta
    extension: timedelta
    postponed: timedelta
    dispute: timedelta
    escalation: timedelta = timedelta(hours=4)
    """After so long without a look at it a case of people at risk goes on to the next deputy."""

    def differences(self) -> list[str]:
        """Return in words which differ from what production fixes."""
        return [
            f"{what} {_span(mine)} instead of {_span(fixed)}"
            for what, mine, fixed in (
                ("reply window", self.reply, FIXED.reply),
                ("its extension", self.extension, FIXED.extension),
                ("postponed for at most", self.postponed, FIXED.postponed),
                ("dispute decided within", self.dispute, FIXED.dispute),
                ("passed on to a deputy after", self.escalation, FIXED.escalation),
            )
            if mine != fixed
        ]


FIXED: Final = Windows(
    reply=timedelta(days=30), extension=timedelta(days=14), postponed=timedelta(days=90), dispute=timedelta(days=30)
)


class Stage(StrEnum):
    """Where a proposal stands on its way to release."""

    CHECK_NEEDED = "check-needed"
    NOTICE_NEEDED = "notice-needed"
    WINDOW_OPEN = "window-open"
    READY = "ready"
    POSTPONED = "postponed"


@dataclass(frozen=True, slots=True)
class Process:
    """What was done so far for one proposal."""

    review_id: str
    check: RetaliationCheck
    checked_by: str
    checked_at: datetime
    notified_by: str | None = None
    notified_at: datetime | None = None
    window_ends: datetime | None = None
    extended_at: datetime | None = None

    def overdue(self, now: datetime) -> bool:
        """Whether a postponement was to be looked at again by now."""
        review_by = self.check.review_by
        return review_by is not None and now.date() > review_by

    def may_extend(self, now: datetime) -> bool:
        """Whether the reply window can be extended: once, and while it runs."""
        return self.window_ends is not None and self.window_ends > now and self.extended_at is None


def stage_of(process: Process | None, exempt: str | None, now: datetime) -> Stage:
    """Return where a proposal stands.

    Args:
        process: What was done so far.
        exempt: In words why nothing of it is needed, if it is not.
        now: The time.
    """
    if exempt is not None:
        return Stage.READY
    if process is None:
        return Stage.CHECK_NEEDED
    if process.check.outcome is Outcome.POSTPONE:
        return Stage.POSTPONED
    if process.window_ends is None:
        return Stage.NOTICE_NEEDED
    return Stage.READY if process.window_ends <= now else Stage.WINDOW_OPEN


def in_words(process: Process | None, exempt: str | None, now: datetime) -> str:
    """Return the clock for people."""
    stage = stage_of(process, exempt, now)
    if exempt is not None:
        return exempt
    if stage is Stage.CHECK_NEEDED or process is None:
        return "the retaliation check is to be made: who could be blamed?"
    if stage is Stage.POSTPONED:
        again = f"{process.check.review_by}" + (", OVERDUE" if process.overdue(now) else "")
        return (
            f"supplier not yet heard ({process.check.reason}): not to be cited in an adverse decision; to be looked "
            f"at again by {again}. It would have to be sealed, and nothing can be sealed yet: held back"
        )
    if stage is Stage.NOTICE_NEEDED or process.window_ends is None:
        return "the supplier is to be notified"
    longer = ", extended once" if process.extended_at is not None else ""
    ended = "ended" if stage is Stage.READY else "runs until"
    return f"reply window {ended} {process.window_ends:%Y-%m-%d %H:%M} UTC{longer}" + (
        "; a second person may release" if stage is Stage.READY else ""
    )


def check_combination(check: RetaliationCheck, tlp: Tlp, today: date, windows: Windows) -> None:
    """Let a check pass only if its parts fit each other.

    Raises:
        Contradictory: the text says which two do not, and what to say instead.
    """
    somebody = check.blamed - {AtRisk.NOBODY}
    if not check.blamed or (somebody and AtRisk.NOBODY in check.blamed):
        raise Contradictory("say who could be blamed: either nobody, or the groups, never both and never nothing")
    if check.outcome is Outcome.NOTIFY:
        if check.contact not in _NOTICED:
            raise Contradictory(f"the supplier is notified, but contact {check.contact} says that it may not notice")
        if check.reason is not None or check.review_by is not None:
            raise Contradictory("a reason and a review date belong to a postponement, and the supplier is notified")
        return
    if check.contact in _NOTICED:
        raise Contradictory(f"postponed, but contact {check.contact} lets readers talk to the supplier: none or desk")
    if check.reason is None or check.review_by is None:
        raise Contradictory("a postponement needs a reason and a date by which somebody looks again")
    if check.reason in _FOR_SOMEBODY and not somebody:
        raise Contradictory(f"postponed for {check.reason}, but nobody could be blamed")
    latest = today + timedelta(days=max(windows.postponed.days, 1))
    if not today < check.review_by <= latest:
        raise Contradictory(f"the review date {check.review_by} lies outside {today} to {latest}")
    if tlp is Tlp.CLEAR:
        raise Contradictory("postponed, but TLP:CLEAR lets anybody read it")


_READ_BY: Final = list(Tlp)
_PASSED_ON_TO: Final = list(Onward)


def reaches_further(before: Handling, after: Handling) -> bool:
    """Tell whether more may read a statement under other terms, or be passed it on."""
    read = _READ_BY.index(after.tlp) > _READ_BY.index(before.tlp)
    return read or _PASSED_ON_TO.index(after.onward) > _PASSED_ON_TO.index(before.onward)


_GRAVITY: Final = list(Severity)


def says_something_graver(before: Finding, after: Finding) -> bool:
    """Tell whether a revision says more against the supplier than what it was heard on, or that others spoke."""
    new_indicators = {i.indicator for i in after.indicators} - {i.indicator for i in before.indicators}
    graver = _GRAVITY.index(after.severity) > _GRAVITY.index(before.severity)
    wider = after.extent is Extent.SYSTEMIC and before.extent is not Extent.SYSTEMIC
    longer = after.valid_until > before.valid_until
    another = _whom(after) != _whom(before)
    others_spoke = _who_spoke(after.source.type) > _who_spoke(before.source.type)
    confirmed = after.status is Status.CONFIRMED and before.status is not Status.CONFIRMED
    reopened = after.status is Status.IN_PROGRESS and before.status in (Status.CLOSED_CLAIMED, Status.CLOSED_VERIFIED)
    more = after.affected != before.affected
    accuses_more = bool(new_indicators) or graver or wider or longer or confirmed or reopened or more
    return accuses_more or another or others_spoke


def _whom(finding: Finding) -> tuple[object, ...]:
    """Return whom a finding accuses, and of which place; not the address, which is spelled anew each time."""
    place = (finding.country, finding.region, finding.municipality)
    return (finding.subject, finding.names, finding.identifiers, finding.supplies_to, *place)


def _who_spoke(source: SourceType) -> int:
    """Return in order of how easily somebody can be blamed: a register, whoever was there, workers themselves."""
    return 0 if source is SourceType.PUBLIC_REGISTER else 2 if source in WORKER_SOURCES else 1


def _span(span: timedelta) -> str:
    return f"{span.days} days" if span >= timedelta(days=1) else f"{span.total_seconds():g} s"
