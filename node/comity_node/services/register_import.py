"""Importing a public register: rows become reports, reports become proposals in one batch for two people.

Identity is the source row: running it again adds nothing twice, and a row that changed revises what was published.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from comity_federation import strict_json
from comity_federation.encoding import digest
from comity_node.db import Store
from comity_node.db.reports import StoredReport
from comity_node.domain.errors import CannotPropose
from comity_node.domain.minimize import Policy
from comity_node.domain.people import Person
from comity_node.domain.register import ImportedRow, ProblemKind, RowProblem
from comity_node.domain.trail import Event
from comity_node.services.accounts import new_id
from comity_node.services.release import minimize_stored, propose_release
from comity_node.services.report_status import report_status


@dataclass(slots=True)
class Imported:
    """What became of a file."""

    batch: str
    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    proposed: int = 0
    problems: list[RowProblem] = field(default_factory=list)


async def import_rows(
    store: Store, rows: Iterable[ImportedRow | RowProblem], person: Person, policy: Policy, now: datetime
) -> Imported:
    """Store what is new and propose it; rows that do not fit are listed, the rest goes on."""
    done = Imported(batch=new_id())
    for row in rows:
        done.rows += 1
        if isinstance(row, RowProblem):
            done.problems.append(row)
        else:
            await _take(store, row, person, policy, now, done)
    await store.trail.add(
        now, person.id, Event.REPORT_IMPORTED, done.batch, rows=done.rows, added=done.added, changed=done.changed
    )
    return done


async def _take(store: Store, row: ImportedRow, person: Person, policy: Policy, now: datetime, done: Imported) -> None:
    raw = strict_json.dumps(row.report.to_parsed())
    name = digest(raw)
    before = await store.reports.latest_of_row(row.identity)
    if before is not None and before.id == name:
        done.unchanged += 1
        return
    if await store.reports.find(name) is not None:
        done.problems.append(
            RowProblem(
                row.line, ProblemKind.CONTRADICTORY, "the row went back to an earlier content; release it by hand"
            )
        )
        return
    stored = StoredReport(
        id=name,
        origin="register",
        raw=raw,
        firm=None,
        kid=None,
        root=None,
        signature=None,
        identity=row.identity,
        marks=(),
        submitted_by=person.id,
        received_at=now,
    )
    revises: dict[str, str] = {}
    if before is not None:
        revises = {s.observation: s.statement for s in await report_status(store, before) if s.statement is not None}
        done.changed += 1
    else:
        done.added += 1
    await store.reports.add(stored)
    for draft in minimize_stored(stored, policy).drafts:
        try:
            await propose_release(
                store,
                person,
                stored.id,
                draft.observation,
                policy=policy,
                now=now,
                revises=revises.get(draft.observation),
                batch=done.batch,
            )
            done.proposed += 1
        except CannotPropose as error:
            done.problems.append(RowProblem(row.line, ProblemKind.DOES_NOT_FIT, str(error)))
