"""The path when people are at risk: coded steps in one order, with nobody's name in any. Pure.

Rules: safety plan and referral come first, and before them nothing is told to anybody. Where children are concerned
their best interests are judged before all else, and the case closes only once dismissal is ruled out and schooling and
income are seen to. It closes only after it is said whether referral was offered with consent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from comity_node.domain.errors import StepMayNotFollow
from comity_node.domain.pointing import Whom
from comity_schemas.finding import Severity
from comity_schemas.indicators import Indicator


class Step(StrEnum):
    """What is done, in words that say nothing of whom."""

    REVIEWED = "reviewed"
    """A focal point has looked at it."""
    BEST_INTERESTS = "best-interests"
    """Judged for the children concerned, before anything is done for or to them."""
    SAFETY_PLAN = "safety-plan"
    REFERRAL_CONTACTED = "referral-contacted"
    """A local contact was spoken to."""
    NO_DISMISSAL = "no-dismissal"
    """The children's work ends without punishing them."""
    SCHOOLING_AND_INCOME = "schooling-and-income"
    """Seen to before the work ends."""
    REFERRAL_OFFERED = "referral-offered"
    """With consent: yes or no."""
    CLOSED = "closed"


ADULTS: Final = (Step.REVIEWED, Step.SAFETY_PLAN, Step.REFERRAL_CONTACTED, Step.REFERRAL_OFFERED, Step.CLOSED)
CHILDREN: Final = (
    Step.REVIEWED,
    Step.BEST_INTERESTS,
    Step.SAFETY_PLAN,
    Step.REFERRAL_CONTACTED,
    Step.NO_DISMISSAL,
    Step.SCHOOLING_AND_INCOME,
    Step.REFERRAL_OFFERED,
    Step.CLOSED,
)

_BEFORE_ANYTHING_IS_TOLD: Final = frozenset({Step.SAFETY_PLAN, Step.REFERRAL_CONTACTED})


@dataclass(frozen=True, slots=True)
class Done:
    """One step that was taken."""

    step: Step
    by: str
    at: datetime
    contact: str | None = None
    """Which local contact was spoken to."""
    consent: bool | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """What focal points of other members would be told, sealed to them: decided, and held back until groups exist."""

    indicators: tuple[Indicator, ...]
    severity: Severity
    members: tuple[str, ...]
    """Slugs of those whose focal points would read it."""
    decided_by: str
    decided_at: datetime


HELD_BACK: Final = (
    "decided and held back: it would go sealed to focal points only, and there are no sharing groups yet. Nothing left"
)


PEOPLE_AT_RISK: Final = (
    "people are at risk: what the report says would go sealed to focal points only, and there are no sharing groups "
    "yet: held back"
)
"""Of a proposal from a report of a case; only assigned staff are told."""


@dataclass(frozen=True, slots=True)
class Case:
    """People at risk at one supplier, as far as this node holds it. Stays; only assigned staff can tell it exists."""

    id: str
    whom: Whom
    """As a pointer would name the supplier."""
    place: str
    """Country where the people are: of the local contacts, and of members who must not read it."""
    children: bool
    report_id: str | None
    reference: str | None
    """The number of the member's own file on it."""
    opened_by: str
    opened_at: datetime
    passed_on_at: datetime
    """When it was last handed to somebody."""
    passed_on: int = 0
    """How often, because nobody had looked."""
    pointer: str | None = None
    """The proposal of the supplier's pointer, made for this or for anything else."""
    detail: Detail | None = None
    steps: tuple[Done, ...] = ()
    staff: tuple[str, ...] = ()
    """Who is assigned."""
    number: int = 0

    @property
    def path(self) -> tuple[Step, ...]:
        """All steps of this case, in their order."""
        return CHILDREN if self.children else ADULTS

    @property
    def next_step(self) -> Step | None:
        """What comes next; None once it is closed."""
        return self.path[len(self.steps)] if len(self.steps) < len(self.path) else None

    @property
    def is_closed(self) -> bool:
        """Whether its path is done."""
        return self.next_step is None

    @property
    def is_reviewed(self) -> bool:
        """Whether a focal point has looked at it."""
        return bool(self.steps)

    @property
    def may_be_told(self) -> bool:
        """Whether safety plan and referral are under way, so that others may be asked to speak to us first."""
        return {done.step for done in self.steps} >= _BEFORE_ANYTHING_IS_TOLD


def check_step(case: Case, done: Done) -> None:
    """Let a step pass only in its order, and with what belongs to it.

    Raises:
        StepMayNotFollow: the text says which step comes next, or what is missing.
    """
    due = case.next_step
    if due is None:
        raise StepMayNotFollow("this case is closed; take its last step back to go on. Nothing was recorded")
    if done.step is not due:
        raise StepMayNotFollow(f"{done.step} may not follow now: {due} comes next. Nothing was recorded")
    if (done.step is Step.REFERRAL_OFFERED) != (done.consent is not None):
        raise StepMayNotFollow(f"consent, yes or no, belongs to {Step.REFERRAL_OFFERED} and to nothing else")
    if (done.step is Step.REFERRAL_CONTACTED) != (done.contact is not None):
        raise StepMayNotFollow(f"a local contact belongs to {Step.REFERRAL_CONTACTED} and to nothing else")


class ContactKind(StrEnum):
    """What a local contact is."""

    REFERRAL_MECHANISM = "referral-mechanism"
    HOTLINE = "hotline"
    INTERNATIONAL = "international-organisation"
    NGO = "ngo"
    CHILD_PROTECTION = "child-protection"
    LABOUR_INSPECTORATE = "labour-inspectorate"
    POLICE = "specialised-police"


@dataclass(frozen=True, slots=True)
class Contact:
    """An organisation to which people can be referred. Local data: it never leaves."""

    id: str
    country: str
    name: str
    kind: ContactKind
    reach: str
    """How: telephone, address, hours."""
    review_by: date
    """Until when this is taken to be right."""

    def overdue(self, today: date) -> bool:
        """Whether somebody should have looked whether it is still right."""
        return self.review_by < today


def whose_turn(duty: Sequence[str], staff: Sequence[str]) -> str | None:
    """Return the first on duty who is not assigned yet; None once everybody is.

    Args:
        duty: Focal point and deputies, in their order, of whom the account is open.
        staff: Who is assigned.
    """
    return next((person for person in duty if person not in staff), None)
