"""The finding of another member that something is said of: in its newest form, and still standing."""

from comity_node.db import Store
from comity_node.domain.errors import CannotPropose
from comity_node.domain.supplier_view import Entry, EntryState
from comity_schemas.finding import Finding, Status


async def finding_spoken_of(store: Store, about: str) -> tuple[Entry, Finding]:
    """Return a finding of which evidence may speak now, as this node has it.

    Raises:
        CannotPropose: none is known here, or it does not stand in this form; the text says what became of it.
    """
    entry = (await store.view.load([about])).get(about)
    if not isinstance(entry, Entry) or entry.finding is None:
        raise CannotPropose("no finding with this hash is known here; nothing was proposed")
    if entry.state is EntryState.SUPERSEDED:
        raise CannotPropose(f"this finding was revised; its newer form is {entry.by}. Nothing was proposed")
    if entry.state is EntryState.WITHDRAWN or entry.finding.status is Status.OVERTURNED:
        raise CannotPropose("this finding was taken back or overturned: there is nothing to speak of")
    return entry, entry.finding
