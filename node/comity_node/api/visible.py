"""Which reports somebody may see."""

from comity_node.db import Store
from comity_node.db.reports import StoredReport
from comity_node.domain.errors import NotFound
from comity_node.domain.people import Person, PersonRole

SEE_ALL = frozenset({PersonRole.REVIEWER, PersonRole.FOCAL_POINT})


async def visible_report(store: Store, report_id: str, person: Person) -> StoredReport:
    """Return a report that this person may see: an auditor those of the own firm, reviewers and focal points all.

    Raises:
        NotFound: there is none, or it is not for them.
    """
    stored = await store.reports.find(report_id)
    if stored is None or not (person.roles & SEE_ALL or (person.firm is not None and stored.firm == person.firm)):
        raise NotFound("no such report")
    return stored
