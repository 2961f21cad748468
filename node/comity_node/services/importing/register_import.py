"""Importing a public register: rows become reports, reports become proposals in one batch for two people.

Identity is the source row: running it again adds nothing twice, and a row that changed revises what was published.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from comity_federation import strict_json
from comity_federation.encoding import digest
from comity_node.db import Store
from comity_node.db.reports import StoredReport
from comity_node.domain.errors import (
    AlreadyProposed,
    CannotPropose,
    HandlingRefused,
    NotPublished,
    NotYet,
    StatusMayNotFollow,
)
from comity_node.domain.minimize import Policy
from comity_node.domain.people import Person
from comity_node.domain.register import ImportedRow, ProblemKind, RowProblem
from comity_node.services.review.release import minimize_stored, propose_release
from comity_node.services.review.report_status import report_status

EARLIER_WAITS = (
    "an earlier content of this row is proposed or on its way (review {review}): both would stand side by side. "
    "Nothing of the row was taken in; decide that one, and import again"
)

MOST_PROBLEMS = 5_000
"""So many rows or proposals that could not be done are named; more are only counted."""

_COUNTS = ("rows", "added", "changed", "unchanged", "proposed")


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
    left_out: Counter[str] = field(default_factory=Counter)
    """Kind of problem to how many, also of those that are not named."""

    def leave_out(self, problem: RowProblem) -> None:
        """Note a row, or a proposal of one, that could not be done."""
        self.left_out[problem.kind.value] += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)

    def to_parsed(self, kind: str) -> dict[str, Any]:
        """Return it as JSON says it; `kind` is what the rows became."""
        counts = {name: getattr(self, name) for name in _COUNTS}
        problems = [{"line": p.line, "kind": p.kind.value, "reason": p.reason} for p in self.problems]
        return {"kind": kind, "batch": self.batch, **counts, "left_out": dict(self.left_out), "problems": problems}

    @classmethod
    def of_parsed(cls, parsed: Mapping[str, Any]) -> "Imported":
        """Return what JSON says."""
        problems = [RowProblem(p["line"], ProblemKind(p["kind"]), p["reason"]) for p in parsed["problems"]]
        counts = {name: parsed[name] for name in _COUNTS}
        return cls(batch=parsed["batch"], problems=problems, left_out=Counter(parsed["left_out"]), **counts)


async def take_row(
    store: Store, row: ImportedRow, person: Person, policy: Policy, now: datetime, done: Imported
) -> None:
    """Store what is new of a row and propose it; what does not fit is noted, and the rest goes on."""
    raw = strict_json.dumps(row.report.to_parsed())
    name = digest(raw)
    before = await store.reports.of_row(row.identity)
    if before and before[0].id == name:
        done.unchanged += 1
        return
    if await store.reports.find(name) is not None:
        done.leave_out(
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
    try:
        revises = await _published_of(store, before)
    except NotYet as error:
        done.leave_out(RowProblem(row.line, ProblemKind.CONTRADICTORY, str(error)))
        return
    if before:
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
        except (AlreadyProposed, CannotPropose, HandlingRefused, NotPublished, StatusMayNotFollow) as error:
            done.leave_out(RowProblem(row.line, ProblemKind.DOES_NOT_FIT, str(error)))


async def _published_of(store: Store, contents: Sequence[StoredReport]) -> dict[str, str | None]:
    """Return observation to the statement that came of a row's newest content of which any came; None where that was
    withdrawn.

    Args:
        store: The open transaction.
        contents: What the row said so far, the newest first; the newest may have been rejected.

    Raises:
        NotYet: nobody knows yet what comes of one of them.
    """
    found: dict[str, str | None] = {}
    for stored in contents:
        for status in await report_status(store, stored):
            if status.observation in found:
                continue
            if status.state in ("proposed", "released"):
                raise NotYet(EARLIER_WAITS.format(review=f"of report {stored.id}"))
            if status.statement is not None:
                found[status.observation] = None if status.state == "withdrawn" else status.statement
    return found
