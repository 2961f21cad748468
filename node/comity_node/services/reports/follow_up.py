"""Follow-ups: what a report must fit to close or reopen an earlier observation, and which finding it then revises."""

from comity_node.db import Store
from comity_node.domain.errors import CannotPropose
from comity_node.domain.follow_up import check_follow_up
from comity_node.services.reports.stored import open_stored
from comity_schemas.report import EarlierObservation, Report


async def check_follow_ups(store: Store, report: Report) -> None:
    """Let a report pass whose observations follow up only what is here and fits.

    Raises:
        FollowUpRefused: one does not; the text says which and why.
    """
    for observation in report.observations:
        if observation.follows_up is not None:
            stored = await store.reports.find(observation.follows_up.report)
            is_here = stored is not None and stored.expired_at is None
            check_follow_up(report, observation, open_stored(stored) if is_here and stored is not None else None)


async def followed_up_statement(store: Store, report: Report, observation: str) -> str | None:
    """Return the hash of the finding that an observation's follow-up revises; None where nothing was released.

    Raises:
        CannotPropose: the earlier observation is proposed or on its way; nobody knows yet what there is to revise.
    """
    named = next((o.follows_up for o in report.observations if o.ref == observation), None)
    return None if named is None else await _released(store, named)


async def _released(store: Store, earlier: EarlierObservation) -> str | None:
    statement = None
    for review in await store.reviews.of_report(earlier.report):
        if review.observation != earlier.observation or review.state == "rejected":
            continue
        item = await store.outbox.of_review(review.id)
        if item is None or item.hash is None:
            raise CannotPropose(
                f"the earlier observation {earlier.observation} is {review.state} and not published yet "
                f"(review {review.id}); nothing was proposed. Wait until it is published, or decide it"
            )
        statement = item.hash
    return statement
