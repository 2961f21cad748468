"""Importing a register of decisions: rows become rulings, rulings become proposals in one batch for two people.

Running it again adds nothing twice, and a row that changed revises what was published: an end that was moved, a
lifting that was noted.
"""

from collections.abc import Sequence
from datetime import datetime

from comity_node.db import Store
from comity_node.db.rulings import StoredRuling
from comity_node.domain.errors import AlreadyProposed, HandlingRefused, NotPublished, NotYet
from comity_node.domain.people import Person
from comity_node.domain.register import ImportedRuling, ProblemKind, RowProblem
from comity_node.services.importing.register_import import EARLIER_WAITS, Imported
from comity_node.services.review.decisions import keep_ruling, propose_decision, published_decision, ruling_id


async def take_ruling(
    store: Store, row: ImportedRuling, person: Person, now: datetime, done: Imported, parsed_only: str | None = None
) -> None:
    """Store what is new of a row and propose it; what does not fit is noted, and the rest goes on.

    Args:
        store: The open transaction.
        row: As it was read.
        person: Who imports.
        now: The time.
        done: What became of the file so far.
        parsed_only: Why nothing of this register is kept, if so.
    """
    if parsed_only is not None:
        done.leave_out(RowProblem(row.line, ProblemKind.PARSED_ONLY, parsed_only))
        return
    before = await store.rulings.of_row(row.identity)
    name = ruling_id(row.ruling)
    if before and before[0].id == name:
        done.unchanged += 1
        return
    if await store.rulings.find(name) is not None:
        reason = "the row went back to an earlier content; propose it by hand"
        done.leave_out(RowProblem(row.line, ProblemKind.CONTRADICTORY, reason))
        return
    try:
        revises = await _published_of(store, before)
    except NotYet as error:
        done.leave_out(RowProblem(row.line, ProblemKind.CONTRADICTORY, str(error)))
        return
    stored = await keep_ruling(store, person, row.ruling, now, row.identity)
    if before:
        done.changed += 1
    else:
        done.added += 1
    try:
        await propose_decision(store, person, stored, now=now, revises=revises, batch=done.batch)
        done.proposed += 1
    except (AlreadyProposed, HandlingRefused, NotPublished) as error:
        done.leave_out(RowProblem(row.line, ProblemKind.DOES_NOT_FIT, str(error)))


async def _published_of(store: Store, contents: Sequence[StoredRuling]) -> str | None:
    """Return the statement that came of a row's newest content of which any came, if it stands.

    Args:
        store: The open transaction.
        contents: What the row said so far, the newest first; the newest may have been rejected.

    Raises:
        NotYet: nobody knows yet what comes of one of them.
    """
    for stored in contents:
        reviews = [review for review in await store.reviews.of_ruling(stored.id) if review.state != "rejected"]
        for review in reviews:
            item = None if review.state == "proposed" else await store.outbox.of_review(review.id)
            if item is None or item.hash is None:
                raise NotYet(EARLIER_WAITS.format(review=review.id))
        if reviews:
            return await published_decision(store, stored.id)
    return None
