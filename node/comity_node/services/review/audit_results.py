"""When the result of an audit may be told: once everything grave that is open in it stands in a finding that is out."""

from comity_node.db import Store
from comity_node.domain.errors import NotYet
from comity_node.domain.noticing import grave_and_open, parties_noticed
from comity_node.services.publishing.published import is_taken_back, newest_hash
from comity_node.services.reports.stored import open_stored
from comity_schemas.audit_notice import AuditNotice
from comity_schemas.report import Report


async def require_told(store: Store, report_id: str, report: Report, about: str | None) -> None:
    """Let a result pass only if its supplier was heard on everything grave that it counts as open.

    Args:
        store: The open transaction.
        report_id: Of the audit.
        report: The same as it was signed.
        about: Which further site or labour provider of it; None for its party.

    Raises:
        NotYet: something of it stands in no published finding, or was taken back; the text names it.
    """
    released = await _released_observations(store, report_id)
    waiting = [o.ref for o in grave_and_open(report, about) if o.ref not in released]
    if waiting:
        raise NotYet(
            f"a result would tell of {', '.join(waiting)} before the supplier was heard: each must stand in a finding "
            "that is published and was not taken back. Without a result the notice can leave now; nothing was changed"
        )


async def require_still_told(store: Store, report_id: str | None, notice: AuditNotice) -> None:
    """Ask the same again of a proposed notice when it is released: a finding may have been taken back meanwhile.

    Raises:
        NotYet: as `require_told`.
    """
    stored = None if report_id is None or notice.result is None else await store.reports.find(report_id)
    if stored is None:
        return
    report = open_stored(stored)
    for about in parties_noticed(report, notice):
        await require_told(store, stored.id, report, about)


async def _released_observations(store: Store, report_id: str) -> set[str | None]:
    """Return the observations of a report that stand in a signed finding of this node, in whatever form."""
    found: set[str | None] = set()
    for review in await store.reviews.of_report(report_id):
        item = await store.outbox.of_review(review.id) if review.state == "approved" else None
        newest = None if item is None or item.hash is None else await newest_hash(store, item.hash)
        if newest is not None and not await is_taken_back(store, newest):
            found.add(review.observation)
    return found
