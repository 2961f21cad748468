"""The contract register: what suppliers promised this member, until when, and what must come before a contract is cut.

Nothing of it ever leaves. Its types live here and not among what travels; no statement has room for a supplier list,
and who buys from whom is nobody's business (competition law). Rules: a duty has one day on which it is due; what is
waived, and what is taken back, has a reason; no contract is cut before every check of a responsible exit is answered,
by two people. Pure.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from comity_node.domain.errors import ContractMayNot, ExitPlanMissing
from comity_schemas.identifiers import Identifier

REMIND_BEFORE: Final = timedelta(days=30)
"""How long before a duty is due it is said."""

ENDS_SOON: Final = timedelta(days=60)
"""How long before a contract ends it is said, so that a new one can ask for the same clauses."""


class LabourClause(StrEnum):
    """What a contract says about labour."""

    AUDIT_REPORTS = "audit-reports"
    FACTORIES_NAMED = "factories-named"
    SITE_ACCESS = "site-access"
    NO_RECRUITMENT_FEES = "no-recruitment-fees"
    NO_DOCUMENTS_KEPT = "no-documents-kept"
    FREEDOM_OF_ASSOCIATION = "freedom-of-association"
    LABOUR_PROVIDERS_NAMED = "labour-providers-named"
    SUBCONTRACTORS_BOUND = "subcontractors-bound"
    GRIEVANCE_CHANNEL = "grievance-channel"
    CORRECTIVE_ACTION = "corrective-action"
    REMEDY = "remedy"
    RESPONSIBLE_EXIT = "responsible-exit"
    TERMINATION_FOR_FORCED_LABOUR = "termination-for-forced-labour"


class DutyKind(StrEnum):
    """What a supplier has to do by a day."""

    GIVE_AUDIT_REPORT = "give-audit-report"
    LIST_FACTORIES = "list-factories-by-tier"
    LIST_LABOUR_PROVIDERS = "list-labour-providers"
    NAME_SUBCONTRACTORS = "name-subcontractors"
    LET_IN_AUDITORS = "let-in-auditors"
    REPORT_ON_PLAN = "report-on-plan"
    REPORT_ON_GRIEVANCES = "report-on-grievances"
    PROVE_REMEDY = "prove-remedy"
    SELF_ASSESSMENT = "self-assessment"
    TRAIN_STAFF = "train-staff"


class DutyState(StrEnum):
    """Where a duty stands."""

    OPEN = "open"
    DONE = "done"
    WAIVED = "waived"


class ContractState(StrEnum):
    """Where a contract stands; that its end has passed follows from the date."""

    RUNNING = "running"
    TERMINATED = "terminated"


class TerminationReason(StrEnum):
    """Why a contract is cut."""

    LABOUR_RIGHTS = "labour-rights"
    OTHER_BREACH = "other-breach"
    NO_LONGER_NEEDED = "no-longer-needed"


class ExitCheck(StrEnum):
    """What must be looked at before a contract is cut, so that those who were harmed are not harmed again."""

    ENGAGEMENT_TRIED = "engagement-tried"
    WORKERS_HEARD = "workers-heard"
    WAGES_SECURED = "wages-and-severance-secured"
    REMEDY_SECURED = "remedy-secured"
    PEOPLE_REFERRED = "people-at-risk-referred"
    CHILD_PATH = "child-path-followed"
    RETALIATION_LOOKED_AT = "retaliation-looked-at"
    NOTICE_LONG_ENOUGH = "notice-long-enough"


ALWAYS_APPLIES: Final = frozenset(
    {ExitCheck.ENGAGEMENT_TRIED, ExitCheck.WORKERS_HEARD, ExitCheck.WAGES_SECURED, ExitCheck.RETALIATION_LOOKED_AT}
)
"""Checks that cannot be called not applicable."""


class Answer(StrEnum):
    """What somebody says to a check."""

    YES = "yes"
    NO = "no"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to one check, with words that stay here."""

    answer: Answer
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a contract says, as it is kept here."""

    reference: str
    supplier: str
    ends: date
    clauses: frozenset[LabourClause] = frozenset()
    identifier: Identifier | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """One contract of this member."""

    id: str
    terms: Terms
    made_by: str
    made_at: datetime
    state: ContractState = ContractState.RUNNING
    exit_plan: Mapping[ExitCheck, Answered] = field(default_factory=dict)
    exit_by: str | None = None
    """Who answered the checks last."""
    exit_at: datetime | None = None
    terminated_by: str | None = None
    terminated_at: datetime | None = None
    termination: TerminationReason | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class Duty:
    """Something a supplier has to do by a day."""

    id: str
    contract_id: str
    kind: DutyKind
    due: date
    made_by: str
    made_at: datetime
    state: DutyState = DutyState.OPEN
    note: str | None = None
    ended_by: str | None = None
    ended_at: datetime | None = None
    number: int = 0


def is_overdue(duty: Duty, today: date) -> bool:
    """Tell whether a duty was to be fulfilled by now and is not."""
    return duty.state is DutyState.OPEN and today > duty.due


def duty_in_words(duty: Duty, today: date) -> str:
    """Return where a duty stands, for people."""
    if duty.state is not DutyState.OPEN:
        return duty.state.value
    if today > duty.due:
        return f"due {duty.due}, OVERDUE for {(today - duty.due).days} days"
    left = (duty.due - today).days
    return f"due {duty.due}" + (f", in {left} days" if left <= REMIND_BEFORE.days else "")


def contract_in_words(contract: Contract, today: date) -> str:
    """Return where a contract stands, for people."""
    if contract.state is ContractState.TERMINATED:
        return f"terminated ({contract.termination})"
    if today > contract.terms.ends:
        return f"ended {contract.terms.ends}"
    left = (contract.terms.ends - today).days
    return f"until {contract.terms.ends}" + (f", ends in {left} days" if left <= ENDS_SOON.days else "")


def check_duty_move(duty: Duty, to: DutyState, reason: str | None) -> None:
    """Let a duty be fulfilled, waived or reopened; what is waived or reopened says why.

    Raises:
        ContractMayNot: the text says what is missing.
    """
    if to is duty.state:
        raise ContractMayNot(f"this duty is {to} already; nothing was changed")
    if duty.state is not DutyState.OPEN and to is not DutyState.OPEN:
        raise ContractMayNot(f"this duty is {duty.state}: reopen it first; nothing was changed")
    if to is not DutyState.DONE and not reason:
        raise ContractMayNot("what is waived or reopened has a reason, which stays here; nothing was changed")


def check_answer(check: ExitCheck, answered: Answered) -> None:
    """Let an answer to a check of the exit plan pass.

    Raises:
        ContractMayNot: it cannot be called not applicable, or lacks the words why.
    """
    if answered.answer is not Answer.NOT_APPLICABLE:
        return
    if check in ALWAYS_APPLIES:
        raise ContractMayNot(f"{check} applies whenever a contract is cut: answer yes or no; nothing was changed")
    if not answered.words:
        raise ContractMayNot(f"{check} does not apply: say why, in words that stay here; nothing was changed")


def open_checks(contract: Contract, *, remedies_owed: bool) -> list[ExitCheck]:
    """Return what must be answered yes, or not applicable, before a contract is cut.

    Args:
        contract: with the answers so far.
        remedies_owed: whether items of a corrective-action plan hang on it that nobody has done.
    """

    def is_open(check: ExitCheck) -> bool:
        answered = contract.exit_plan.get(check)
        if answered is None or answered.answer is Answer.NO:
            return True
        return check is ExitCheck.REMEDY_SECURED and remedies_owed and answered.answer is not Answer.YES

    return [check for check in ExitCheck if is_open(check)]


def require_exit_plan(missing: Collection[ExitCheck]) -> None:
    """Let a contract be cut only when every check is answered.

    Raises:
        ExitPlanMissing: the text names what is open.
    """
    if missing:
        raise ExitPlanMissing(
            f"no contract is cut before a responsible-exit plan: still open are {', '.join(missing)}. The contract "
            "runs on; answer them first (comity contract exit-plan)"
        )
