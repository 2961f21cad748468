"""Turning a published register into reports or rulings, by a mapping file and without code.

Rules:
- The mapping is data that a reviewer reads; what it does not name is never read.
- A row that does not fit is listed with line and reason, never with its content; the rest goes on.
- A natural person is never imported. A firm that bears a person's name is flagged.
- What can leave of a place is a region out of a closed list and a municipality out of a gazetteer: never free text.
- The same row has the same identity however the register is exported again.
"""

from comity_node.domain.register.decision_mapping import DecisionMapping, parse_decision_mapping
from comity_node.domain.register.decision_rows import ImportedRuling, read_rulings
from comity_node.domain.register.mapping import Mapping, MappingRefused, Register, parse_mapping
from comity_node.domain.register.place import Gazetteer
from comity_node.domain.register.rows import ImportedRow, read_rows
from comity_node.domain.register.table import ProblemKind, RegisterUnreadable, RowProblem

__all__ = [
    "DecisionMapping",
    "Gazetteer",
    "ImportedRow",
    "ImportedRuling",
    "Mapping",
    "MappingRefused",
    "ProblemKind",
    "Register",
    "RegisterUnreadable",
    "RowProblem",
    "parse_decision_mapping",
    "parse_mapping",
    "read_rows",
    "read_rulings",
]
