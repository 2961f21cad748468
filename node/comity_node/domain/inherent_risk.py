"""Inherent risk: what a state's own list says of a good from a country. Local, attributed, and nobody's finding.

Rules:
- A risk is about a good and a country, never about a supplier. It has a type of its own from which no statement can be
  made, so it is never published.
- It is off until a member sets the file. Every line names whose list it is: it is not the node's opinion.
"""

import re
from collections.abc import Callable, Sequence
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
_NO_WORD = re.compile(r"[\W_]+")


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
        """Return the lines of a country, of goods whose name holds these words or begins of words, or both; of a good
        without a word none."""
        words = _words(good or "")
        if good is not None and not words:
            return []
        return [risk for risk in self.risks if country in (None, risk.country) and _holds(risk.good, words)]


def _words(good: str) -> list[str]:
    return _NO_WORD.sub(" ", plain(good)).split()


def _holds(good: str, words: Sequence[str]) -> bool:
    """Return whether each of these begins a word of a good's name: coal is no charcoal."""
    named = _words(good)
    return all(any(each.startswith(word) for each in named) for word in words)


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


class Level(StrEnum):
    """What a list says of what somebody supplies, the gravest first. It ranks attention, not suppliers."""

    FORCED_LABOUR = "the list names a good of this country for forced labour"
    CHILD_LABOUR = "the list names a good of this country for child labour"
    MADE_OF = "the list names what a good of this country is made of"
    OTHER_GOODS = "the list names other goods of this country"
    NOTHING = "the list names nothing of it, which is no clearance"
    NOT_ASKED = "no country is known, so the list could not be asked"


@dataclass(frozen=True, slots=True)
class Sourced:
    """A row of somebody's own list: from where it comes and which goods."""

    row: str
    country: str | None
    goods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranked:
    """A row with the lines that place it: country by good, never anything that was found about a supplier."""

    row: Sourced
    level: Level
    lines: tuple[GoodsRisk, ...]
    """Of its goods; of all goods of the country where it is ranked by those."""


def rank(rows: Sequence[Sourced], risks: RiskList) -> list[Ranked]:
    """Return rows by inherent risk, the gravest first; those alike by how many lines say so, then as given."""
    ranked = [_ranked(row, risks) for row in rows]
    order = list(Level)
    return sorted(ranked, key=lambda each: (order.index(each.level), -len(each.lines)))


def _ranked(row: Sourced, risks: RiskList) -> Ranked:
    if row.country is None:
        return Ranked(row, Level.NOT_ASKED, ())
    lines = tuple(dict.fromkeys(line for good in row.goods for line in risks.find(row.country, good)))
    says = {what for line in lines for what in line.says}
    if says & {Exploitation.FORCED_LABOUR, Exploitation.FORCED_CHILD_LABOUR}:
        return Ranked(row, Level.FORCED_LABOUR, lines)
    if Exploitation.CHILD_LABOUR in says:
        return Ranked(row, Level.CHILD_LABOUR, lines)
    if says:
        return Ranked(row, Level.MADE_OF, lines)
    others = tuple(risks.find(row.country))
    return Ranked(row, Level.OTHER_GOODS if others else Level.NOTHING, others)
