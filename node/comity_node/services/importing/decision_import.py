"""Importing a register of decisions: rows become rulings, rulings become proposals in one batch for two people.

Running it again adds nothing twice, and a row that changed revises what was published: an end that was moved, a
lifting that was noted.
"""

from datetime import datetime

from comity_node.db import Store
from comity_node.domain.errors import AlreadyProposed, HandlingRefused, NotPublished
from comity_node.domain.people import Person
from comity_node.domain.register import ImportedRuling, ProblemKind, RowProblem
from comity_node.services.importing.register_import import Imported
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
        done.problems.append(RowProblem(row.line, ProblemKind.PARSED_ONLY, parsed_only))
        return
    before = await store.rulings.latest_of_row(row.identity)
    name = ruling_id(row.ruling)
    if before is not None and before.id == name:
        done.unchanged += 1
        return
    if await store.rulings.find(name) is not None:
        reason = "the row went back to an earlier content; propose it by hand"
        done.problems.append(RowProblem(row.line, ProblemKind.CONTRADICTORY, reason))
        return
    revises = None if before is None else await published_decision(store, before.id)
    stored = await keep_ruling(store, person, row.ruling, now, row.identity)
    if before is None:
        done.added += 1
    else:
        done.changed += 1
    try:
        await propose_decision(store, person, stored, now=now, revises=revises, batch=done.batch)
        done.proposed += 1
    except (AlreadyProposed, HandlingRefused, NotPublished) as error:
        done.problems.append(RowProblem(row.line, ProblemKind.DOES_NOT_FIT, str(error)))
