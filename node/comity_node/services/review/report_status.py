"""What became of a report: for each observation, from nothing yet to published or taken back."""

from dataclasses import dataclass

from comity_node.db import Store
from comity_node.db.reports import StoredReport
from comity_node.services.publishing.published import RELEASE, is_taken_back
from comity_node.services.reports.stored import open_stored


@dataclass(frozen=True, slots=True)
class ObservationStatus:
    """Where one observation stands."""

    observation: str
    state: str
    """`not proposed`, `proposed`, `rejected`, `released`, `signed`, `published` or `withdrawn`."""
    statement: str | None = None
    seq: int | None = None


async def report_status(store: Store, stored: StoredReport) -> list[ObservationStatus]:
    """Return the status of every observation, in the report's order; the newest review of each counts."""
    newest = {
        review.observation: review for review in await store.reviews.of_report(stored.id) if review.act == RELEASE
    }
    statuses = []
    # Of a report that has expired only what was proposed is known.
    expired = stored.expired_at is not None
    refs = [ref for ref in newest if ref] if expired else [o.ref for o in open_stored(stored).observations]
    for ref in refs:
        review = newest.get(ref)
        if review is None:
            statuses.append(ObservationStatus(ref, "not proposed"))
        elif review.state != "approved":
            statuses.append(ObservationStatus(ref, review.state))
        else:
            statuses.append(await _published(store, ref, review.id))
    return statuses


async def _published(store: Store, observation: str, review_id: str) -> ObservationStatus:
    item = await store.outbox.of_review(review_id)
    if item is None or item.hash is None:
        return ObservationStatus(observation, "released")
    taken_back = await is_taken_back(store, item.hash)
    state = "withdrawn" if taken_back else "published" if item.state == "sent" else "signed"
    return ObservationStatus(observation, state, item.hash, item.seq)
