"""Which reports somebody may see, and that every reading of one is on the trail."""

from datetime import datetime

from comity_node.db import Store
from comity_node.db.reports import StoredReport
from comity_node.db.reviews import Review
from comity_node.domain.errors import NotFound
from comity_node.domain.people import Person, PersonRole
from comity_node.domain.trail import Event

SEE_ALL = frozenset({PersonRole.REVIEWER, PersonRole.FOCAL_POINT})


async def visible_report(store: Store, report_id: str, person: Person) -> StoredReport:
    """Return a report that this person may see.

    An auditor sees those of the own firm, reviewers and focal points all but those of cases of people at risk, which
    are for the assigned staff.

    Raises:
        NotFound: there is none, or it is not for them.
    """
    stored = await store.reports.find(report_id)
    if stored is not None and person.firm is not None and stored.firm == person.firm:
        return stored
    if stored is None or not person.roles & SEE_ALL or await store.cases.keeps_report_from(report_id, person.id):
        raise NotFound("no such report")
    return stored


async def visible_review(store: Store, review_id: str, person: Person) -> Review:
    """Return a proposal that this person may see: all but those from reports that are kept from them.

    Raises:
        NotFound: there is none, or it is not for them.
    """
    review = await store.reviews.find(review_id)
    report = None if review is None else review.report_id
    if review is None or (report is not None and await store.cases.keeps_report_from(report, person.id)):
        raise NotFound("no such review")
    return review


async def read_report(store: Store, report_id: str, person: Person, now: datetime, *, what: str) -> StoredReport:
    """Return a report that this person may see, and put the reading on the trail.

    Args:
        store: The open transaction: a reading writes.
        report_id: Which report.
        person: Who reads.
        now: The time.
        what: Which part of it, as the catalogue of the trail names them.

    Raises:
        NotFound: there is none, or it is not for them.
    """
    stored = await visible_report(store, report_id, person)
    await store.trail.add(now, person.id, Event.REPORT_READ, report_id, what=what)
    return stored


async def note_list(store: Store, person: Person, now: datetime, of: str, shown: int, cursor: str | None) -> None:
    """Put on the trail that somebody went through a list of reports, or of what was made from them."""
    page = {} if cursor is None else {"page": cursor}
    await store.trail.add(now, person.id, Event.REPORTS_LISTED, of, shown=shown, **page)
