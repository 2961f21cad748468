"""Inherent risk: what a state's own list says of a good from a country. Local, attributed, and nobody's finding.

Rules:
- A risk is about a good and a country, never about a supplier. It has a type of its own from which no statement can be
  made, so it is never published.
- It is off until a member sets the file. Every line names whose list it is: it is not the node's opinion.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from comity_node.domain.register.mapping import FileForm
from comity_node.domain.register.table import Cells, ProblemKind, RowProblem, open_table
from comity_node.domain.spelling import plain

TVPRA = "United States Department of Labor, List of Goods Produced by Child Labor or Forced Labor"
"""Whose word every line of the list is. Source: Trafficking Victims Protection Reauthorization Act of 2005."""

_COLUMNS = ("good", "sector", "country", "child_labor", "forced_labor", "forced_child_labor", "derived_exploitation")
_FORM = FileForm(delimiter=",")


class Exploitation(StrEnum):
    """What the list says of a good from a country."""

    CHILD_LABOUR = "child labour"
    FORCED_LABOUR = "forced labour"
    FORCED_CHILD_LABOUR = "forced child labour"
    IN_WHAT_IT_IS_MADE_OF = "in what it is made of"


@dataclass(frozen=True, slots=True)
class GoodsRisk:
    """One good from one country, as one state's list has it."""

    good: str
    sector: str
    country: str
    says: tuple[Exploitation, ...]
    according_to: str


@dataclass(frozen=True, slots=True)
class RiskList:
    """A whole list."""

    risks: tuple[GoodsRisk, ...]
    refused: tuple[RowProblem, ...]

    def find(self, country: str | None = None, good: str | None = None) -> list[GoodsRisk]:
        """Return the lines of a country, of goods whose name holds these words, or both."""
        words = plain(good or "").split()
        return [
            risk
            for risk in self.risks
            if country in (None, risk.country) and all(word in plain(risk.good) for word in words)
        ]


def read_goods_risks(stream: BinaryIO, read_country: Callable[[str], str | None]) -> RiskList:
    """Return the list of goods by country.

    Args:
        stream: The file, opened for bytes.
        read_country: The ISO code of a source's spelling; None where nobody can tell.

    Raises:
        RegisterUnreadable: it is no such list.
    """
    risks: list[GoodsRisk] = []
    refused: list[RowProblem] = []
    for row in open_table(stream, _FORM, _COLUMNS):
        read = _risk(row, read_country) if isinstance(row, Cells) else row
        if isinstance(read, GoodsRisk):
            risks.append(read)
        else:
            refused.append(read)
    return RiskList(tuple(risks), tuple(refused))


def _risk(row: Cells, read_country: Callable[[str], str | None]) -> GoodsRisk | RowProblem:
    cells = row.by_column
    country = read_country(cells["country"])
    if country is None:
        return RowProblem(row.line, ProblemKind.DOES_NOT_FIT, "country is none that the list of countries can read")
    said = [cells[column] for column in _COLUMNS[3:]]
    if not cells["good"] or set(said) - {"Yes", "No"}:
        return RowProblem(row.line, ProblemKind.DOES_NOT_FIT, "a good has a name, and Yes or No in each column")
    says = tuple(what for what, word in zip(Exploitation, said, strict=True) if word == "Yes")
    if not says:
        return RowProblem(row.line, ProblemKind.DOES_NOT_FIT, "the list says nothing of this good")
    return GoodsRisk(cells["good"], cells["sector"], country, says, TVPRA)
