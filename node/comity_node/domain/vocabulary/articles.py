"""Reading law articles as Japan's publications write them: `労働基準法第104条の２ 労働安全衛生規則第97条`."""

import re
import unicodedata
from dataclasses import dataclass

from comity_node.domain.vocabulary.crosswalk import Crosswalk

_ARTICLE = re.compile(r"([^\d第]+)第?(\d+)条(?:の(\d+))?(?:第?\d+[項号](?:の\d+)?)?")

_JOINED = re.compile(r"^[、,・]+|^及び|^並びに")


@dataclass(frozen=True, slots=True)
class Articles:
    """What a cell of law articles says."""

    clauses: tuple[str, ...]
    """Clause codes in the order of the cell, each once, whether the crosswalk lists them or not."""
    unread: tuple[str, ...]
    """What could not be read: laws that the crosswalk does not know, and anything that is no article."""


def read_articles(cell: str, crosswalk: Crosswalk) -> Articles:
    """Return the clause codes of the articles in a cell.

    Full-width digits and blanks inside a number are read as they are meant. Regulations that only detail an Act's
    article are passed over; an Act named once counts for the articles that follow it (`第32条、120条`).
    """
    text = re.sub(r"\s", "", unicodedata.normalize("NFKC", cell))
    written = {_folded(name): act for name, act in crosswalk.written.items()}
    details = {_folded(name) for name in crosswalk.details}
    clauses: dict[str, None] = {}
    unread: list[str] = []
    act, position = "", 0
    for found in _ARTICLE.finditer(text):
        unread.append(text[position : found.start()])
        position = found.end()
        name = _JOINED.sub("", _folded(found[1]))
        act = written.get(name, "" if name else act)
        if act:
            clauses[f"{act} {found[2]}{'-' + found[3] if found[3] else ''}"] = None
        elif name not in details:
            unread.append(found[0])
    unread.append(text[position:])
    return Articles(tuple(clauses), tuple(part for part in unread if part.strip("、,・")))


def _folded(name: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", name))
