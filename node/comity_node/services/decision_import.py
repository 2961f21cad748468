"""Importing a register of decisions: rows become rulings, rulings become proposals in one batch for two people.

Running it again adds nothing twice, and a row that changed revises what was published: an end that was moved, a
lifting that was noted.
"""

from collections.abc import Iterable
from datetime import datetime

from comity_node.db import Store
from comity_node.domain.errors import AlreadyProposed, HandlingRefused, NotPublished
from comity_node.domain.people import Person
from comity_node.domain.register import ImportedRuling, ProblemKind, RowProblem
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id
from comity_node.services.decisions import keep_ruling, propose_decision, published_decision, ruling_id
from comity_node.services.register_import import Imported


async def import_rulings(
    store: Store,
    rows: Iterable[ImportedRuling | RowProblem],
    person: Person,
    now: datetime,
    parsed_only: str | None = None,
) -> Imported:
    """Store what is new and propose it; rows that do not fit are listed, the rest goes on.

    Args:
        store: The open transaction.
        rows: As they were read.
        person: Who imports.
        now: The time.
        parsed_only: Why nothing of this register is kept, if so.
    """
    done = Imported(batch=new_id())
    for row in rows:
        done.rows += 1
        if isinstance(row, RowProblem):
            done.problems.append(row)
        elif parsed_only is not None:
            done.problems.append(RowProblem(row.line, ProblemKind.PARSED_ONLY, parsed_only))
        else:
            await _take(store, row, person, now, done)
    await store.trail.add(
        now, person.id, Event.DECISIONS_IMPORTED, done.batch, rows=done.rows, added=done.added, changed=done.changed
    )
    return done


async def _take(store: Store, row: ImportedRuling, person: Person, now: datetime, done: Imported) -> None:
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
