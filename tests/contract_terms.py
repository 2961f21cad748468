"""A contract, a duty, a whole exit plan, and a list of contracts as it is read."""

from datetime import date
from typing import Any

from comity_node.domain.contract_sheet import (
    SheetRow,
)
from comity_node.domain.contracts import (
    Answer,
    Answered,
    Duty,
    DutyKind,
    ExitCheck,
    LabourClause,
    Terms,
)
from node_world import NOW

TERMS = Terms("FC-2026-014", "Exemplar Gloves Sdn. Bhd.", date(2027, 6, 30), frozenset({LabourClause.AUDIT_REPORTS}))
DUTY = Duty("d1", "c1", DutyKind.GIVE_AUDIT_REPORT, date(2026, 12, 31), "ana", NOW)
ALL_YES = {check: Answered(Answer.YES) for check in ExitCheck}
HEADINGS = "reference;supplier;ends;clauses;duty;due;state;note"


def as_read(rows: list[SheetRow]) -> list[tuple[Any, ...]]:
    return [
        (row.terms, row.duty and (row.duty.kind, row.duty.due, row.duty.state, row.duty.note), row.terminated)
        for row in rows
    ]
