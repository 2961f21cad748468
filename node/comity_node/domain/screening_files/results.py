"""What is written beside each row. The columns, their names and their order are a contract."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from comity_node.domain.matching.likeness import Likeness, Verdict
from comity_node.domain.tables.table import Value

COLUMNS: Final = (
    "verdict", "score", "supplier_id", "supplier_name", "reason", "state", "findings_current", "findings_closed",
    "decisions", "risk", "next_step", "as_of",
)  # fmt: skip
CANDIDATES: Final = "candidates"
MOST_CANDIDATES: Final = 5

NOT_SEARCHED: Final = "not searched yet"
"""The state of what nobody was asked about: the network knows nothing of the question."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be meant."""

    id: str
    name: str
    score: int
    """Sorts; no percentage and no probability."""
    verdict: Verdict

    def to_parsed(self) -> dict[str, Any]:
        """Return it as it stands in the column."""
        return {"id": self.id, "name": self.name, "score": self.score, "verdict": self.verdict.value}


@dataclass(frozen=True, slots=True)
class Result:
    """What is said of one row."""

    verdict: Verdict | None
    """None: nobody was asked about."""
    reason: str
    state: str
    next_step: str
    as_of: datetime
    score: int | None = None
    supplier_id: str = ""
    supplier_name: str = ""
    findings_current: int | None = None
    """None: nobody looked, which is not zero."""
    findings_closed: int | None = None
    """Closed or expired."""
    decisions: int | None = None
    risk: str = ""
    candidates: Sequence[Candidate] = field(default=())
    whole: Mapping[str, Any] | None = None
    """The whole answer as JSON values, where it was asked for."""

    def cells(self, *, candidates: bool) -> list[Value]:
        """Return the cells in the order of the columns."""
        cells: list[Value] = [
            "" if self.verdict is None else self.verdict.value,
            self.score,
            self.supplier_id,
            self.supplier_name,
            self.reason,
            self.state,
            self.findings_current,
            self.findings_closed,
            self.decisions,
            self.risk,
            self.next_step,
            self.as_of.isoformat(timespec="seconds"),
        ]
        if candidates:
            told = [each.to_parsed() for each in self.candidates[:MOST_CANDIDATES]]
            cells.append(json.dumps(told, ensure_ascii=False))
        return cells


def likest_first(likeness: Likeness) -> tuple[bool, bool, int]:
    """Return what sorts: equal numbers, then by points whoever may be meant, then the rest.

    An equal name says more than a sister branch of the same company.
    """
    return likeness.verdict is not Verdict.MATCH, likeness.verdict is Verdict.NONE, -likeness.score


def headings_with(headings: Sequence[str], *, candidates: bool) -> tuple[tuple[str, ...], int]:
    """Return the headings of the result, and how many columns of the file stay.

    The columns of an earlier result at the end of a file are written anew, not beside the old ones.
    """
    added = (*COLUMNS, CANDIDATES) if candidates else COLUMNS
    for earlier in ((*COLUMNS, CANDIDATES), COLUMNS):
        if tuple(headings[-len(earlier) :]) == earlier and len(headings) > len(earlier):
            headings = headings[: -len(earlier)]
            break
    return (*headings, *added), len(headings)


def answered_in(headings: Sequence[str]) -> frozenset[int]:
    """Return the places of the columns of earlier results, wherever they stand."""
    size = len(COLUMNS)
    starts = [at for at in range(len(headings)) if tuple(headings[at : at + size]) == COLUMNS]
    behind = {at + size for at in starts if tuple(headings[at + size : at + size + 1]) == (CANDIDATES,)}
    return frozenset(behind.union(*(range(at, at + size) for at in starts)))


def not_asked(reason: str, as_of: datetime) -> Result:
    """Return what is said of a row that asks about nobody."""
    return Result(
        verdict=None,
        reason=f"not screened: {reason}",
        state=NOT_SEARCHED,
        next_step="Correct this row and screen it again: nothing was searched for.",
        as_of=as_of,
    )


def reason_with(reason: str, notes: Sequence[str]) -> str:
    """Return why, and what of the row was not used for it."""
    return "; ".join((reason, *dict.fromkeys(notes)))
