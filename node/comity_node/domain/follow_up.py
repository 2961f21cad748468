"""When a report may close or reopen what an earlier one observed. Pure.

Rules: it names an observation that is there; it is about the same party; it ends no sooner than the earlier audit
did; and nobody verifies on site where the auditors were not let in.
"""

from comity_node.domain.errors import FollowUpRefused
from comity_node.domain.same_party import is_same
from comity_schemas.finding import Access, Verified
from comity_schemas.report import Observation, Report
from comity_schemas.subject import SubjectType


def check_follow_up(report: Report, observation: Observation, earlier: Report | None) -> None:
    """Let an observation pass that follows up one of an earlier report.

    Raises:
        FollowUpRefused: the text says what does not fit.
    """
    named = observation.follows_up
    if named is None:
        return
    found = None if earlier is None else next((o for o in earlier.observations if o.ref == named.observation), None)
    if earlier is None or found is None:
        raise FollowUpRefused(
            f"observation {observation.ref} follows up {named.observation} of report {named.report}, which is not "
            "here; nothing was stored"
        )
    now, then = report.party_of(observation), earlier.party_of(found)
    if now.type is not then.type or not is_same(now, then, site=now.type is SubjectType.SITE):
        raise FollowUpRefused(
            f"observation {observation.ref} follows up one about another party: they share no identifier, and no "
            "name in one country, or are sites with two numbers in one register; nothing was stored"
        )
    if report.finished < earlier.finished:
        raise FollowUpRefused(
            f"the follow-up ended on {report.finished}, before the audit that it follows up; nothing was stored"
        )
    if observation.verified is Verified.ON_SITE and report.access is Access.DENIED:
        raise FollowUpRefused(
            f"observation {observation.ref} is verified on site, and access was denied; nothing was stored"
        )
