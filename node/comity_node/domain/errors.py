"""What a person can do wrong or run into at a node, one class per thing they can do about it."""

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar

from comity_schemas.errors import ComityError
from comity_schemas.finding import Status


class NotFound(ComityError):
    """There is no such thing, or it is not for this person: the answer is the same, so that nothing is told."""

    code: ClassVar[str] = "not-found"


class NotAllowed(ComityError):
    """This person's roles do not cover the act."""

    code: ClassVar[str] = "not-allowed"


class NotSignedIn(ComityError):
    """No token, or one that is wrong, expired or revoked."""

    code: ClassVar[str] = "not-signed-in"


class LinkEnd(StrEnum):
    """Why a supplier's link has ended by itself."""

    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    OVERTURNED = "overturned"
    EXPIRED = "expired"


class LinkEnded(ComityError):
    """What a supplier's link was about does not stand any more; the link has ended by itself.

    Attributes:
        why: What became of it.
    """

    code: ClassVar[str] = "link.ended"

    def __init__(self, why: LinkEnd, said: str) -> None:
        super().__init__(f"{said}. This link has ended")
        self.why = why


class FormRefused(ComityError):
    """A form came from another page, is too large, or is none; nothing was changed."""

    code: ClassVar[str] = "web.form-refused"


class WrongPassword(ComityError):
    """Name and password do not fit each other."""

    code: ClassVar[str] = "wrong-password"


class TooManyRequests(ComityError):
    """This caller asked more than one may; nothing was looked up.

    Attributes:
        retry_after_s: when it may ask again, in seconds.
    """

    code: ClassVar[str] = "too-many-requests"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"this is more than one caller may ask; ask again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class NameTaken(ComityError):
    """Somebody has this name already."""

    code: ClassVar[str] = "name-taken"


class LastAdministrator(ComityError):
    """The account is the only open one of an administrator: without it nobody could be added or closed any more."""

    code: ClassVar[str] = "last-administrator"


class SamePerson(ComityError):
    """Two people must act; the one who proposed cannot decide."""

    code: ClassVar[str] = "review.same-person"


class FocalPointNeeded(ComityError):
    """People could be blamed for this finding: one of the two must be a focal point."""

    code: ClassVar[str] = "review.focal-point-needed"


class SampleNotOpened(ComityError):
    """A batch is released when each of the two people has opened a sample of it."""

    code: ClassVar[str] = "batch.sample-not-opened"


class ObjectionStands(ComityError):
    """The auditor objects to this release; it waits until they withdraw that, or two people overrule it."""

    code: ClassVar[str] = "review.objection-stands"


class BasisWithdrawn(ComityError):
    """Whoever allowed sharing has withdrawn that; nothing more leaves of the report."""

    code: ClassVar[str] = "review.basis-withdrawn"


class AlreadyDecided(ComityError):
    """The proposal was decided before; nothing was changed."""

    code: ClassVar[str] = "review.already-decided"


class AlreadyProposed(ComityError):
    """The same thing is proposed or released already."""

    code: ClassVar[str] = "review.already-proposed"


class CannotPropose(ComityError):
    """The report or observation cannot yield a finding; the text says why."""

    code: ClassVar[str] = "review.cannot-propose"


class NotIndependent(ComityError):
    """The evidence is no source beside the finding's own: the same audit, the same member, or a relayed register."""

    code: ClassVar[str] = "review.not-independent"


class AlreadyAudited(ComityError):
    """Another member's audit covers all that this one would; a person can want it all the same."""

    code: ClassVar[str] = "review.already-audited"


class HandlingRefused(ComityError):
    """Under these handling terms nothing can be released."""

    code: ClassVar[str] = "review.handling-refused"


class NotPublished(ComityError):
    """Only what this node has published, and not taken back yet, can be corrected or withdrawn."""

    code: ClassVar[str] = "review.not-published"


class Contradictory(ComityError):
    """Two parts of what was said do not fit each other; the text says which."""

    code: ClassVar[str] = "review.contradictory"


class NotYet(ComityError):
    """A step of due process comes before; the text says which, and when."""

    code: ClassVar[str] = "review.not-yet"


class HeldBack(ComityError):
    """It is postponed: it would have to be sealed to its group, and nothing can be sealed yet."""

    code: ClassVar[str] = "review.held-back"


class StepMayNotFollow(ComityError):
    """A step of a case comes before, or something belongs to it; the text says which."""

    code: ClassVar[str] = "case.step-may-not-follow"


class TextRefused(ComityError):
    """A reply's text tells something that must not leave, or nobody could check it.

    Attributes:
        problems: Where, and what kind; never the text itself.
    """

    code: ClassVar[str] = "reply.text-refused"

    def __init__(self, problems: Sequence[tuple[str, int, int]]) -> None:
        kinds = ", ".join(sorted({kind for kind, _, _ in problems}))
        super().__init__(
            f"the text tells what must not leave ({kinds}); `errors` says where. Say it otherwise or with codes; "
            "nothing was recorded"
        )
        self.problems = tuple(problems)


class StatusMayNotFollow(ComityError):
    """A finding cannot start in this status, or it may not follow the one before.

    Attributes:
        allowed: The statuses that could be said instead.
    """

    code: ClassVar[str] = "review.status-may-not-follow"

    def __init__(self, why: str, allowed: frozenset[Status]) -> None:
        super().__init__(f"{why}; nothing was changed")
        self.allowed = tuple(status for status in Status if status in allowed)


class PlanMayNot(ComityError):
    """What was asked of a corrective-action plan may not follow where it stands; the text says why and what may."""

    code: ClassVar[str] = "plan.may-not"


class ContractMayNot(ComityError):
    """What was asked of a contract or a duty does not fit where it stands; the text says why."""

    code: ClassVar[str] = "contract.may-not"


class ExitPlanMissing(ComityError):
    """No contract is cut before a responsible-exit plan; the text names the checks that are open."""

    code: ClassVar[str] = "contract.exit-plan-missing"


class ReferenceTaken(ComityError):
    """A contract with this reference is in the register already."""

    code: ClassVar[str] = "contract.reference-taken"


class AuditorOfAnotherFirm(ComityError):
    """The report was signed by another audit firm than the person submits for."""

    code: ClassVar[str] = "report.another-firm"


class AuditorNotActive(ComityError):
    """The audit firm that signed is not an active member now."""

    code: ClassVar[str] = "report.auditor-not-active"


class SupersedesUnknown(ComityError):
    """The report that this one stands in place of was not submitted here by the same firm, or is replaced already."""

    code: ClassVar[str] = "report.supersedes-unknown"


class FollowUpRefused(ComityError):
    """The report closes or reopens an observation that is not here, or that it does not fit."""

    code: ClassVar[str] = "report.follow-up-refused"


class ReportExpired(ComityError):
    """The report's time was over and its key is shredded; its hash and what was published of it stay."""

    code: ClassVar[str] = "report.expired"


class ReportKeyGone(ComityError):
    """The report's key is lost, or its bytes were changed in the database; its hash stays."""

    code: ClassVar[str] = "report.key-gone"


class RegistryMissing(ComityError):
    """This node has no registry yet, so it can trust nobody."""

    code: ClassVar[str] = "registry.missing"


class RowChanged(ComityError):
    """Something changed while it was being worked on; repeat."""

    code: ClassVar[str] = "conflict"
