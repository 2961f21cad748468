"""What equal, differing and related numbers of registers say. Pure.

The numbers of some registers contain the number of the company: equal parents are one company, whatever follows. Which
registers, and which part, stands in the lexicon's `register-parents.tsv`.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from comity_node.domain.matching.likeness import Part, PartKind, Verdict
from comity_node.domain.matching.thresholds import ANOTHER_NUMBER, EQUAL_NUMBER, SAME_PARENT
from comity_node.lexicon.reading import read_single
from comity_schemas.identifiers import Identifier

SITE_SCHEMES: Final = frozenset({"OSID", "GLN"})
"""Registers of places: a company has many such numbers, so that another one speaks against no company."""


def weigh_numbers(asked: Sequence[Identifier], known: Sequence[Identifier]) -> tuple[Verdict, Part | None]:
    """Return what the numbers alone say, and the line that tells it; none where they say nothing.

    An equal number decides. Of the rest an equal parent decides; another number is told, and speaks against a match.
    """
    if not asked or not known:
        return Verdict.NONE, None
    for mine in asked:
        if mine in known:
            said = f"the same {mine.scheme} {mine.id}"
            return Verdict.MATCH, Part(PartKind.IDENTIFIER, mine.id, mine.id, said, EQUAL_NUMBER)
    pairs = [(mine, theirs) for mine in asked for theirs in known if mine.scheme == theirs.scheme]
    for mine, theirs in pairs:
        parent = parent_of(mine)
        if parent is not None and parent == parent_of(theirs):
            # A SIREN is no branch's number: it says the company and not which site.
            how = "only one number says which branch" if parent in (mine.id, theirs.id) else "another branch"
            said = f"the same company by {mine.scheme} {parent}, {how}: {theirs.id}"
            return Verdict.OTHER_SITE, Part(PartKind.IDENTIFIER, mine.id, theirs.id, said, SAME_PARENT)
    for mine, theirs in pairs:
        if mine.scheme not in SITE_SCHEMES:
            said = f"but another {theirs.scheme}: {theirs.id}"
            return Verdict.NONE, Part(PartKind.IDENTIFIER, mine.id, theirs.id, said, ANOTHER_NUMBER)
    return Verdict.NONE, None


def other_site_number(asked: Iterable[Identifier], known: Iterable[Identifier]) -> tuple[str, str] | None:
    """Return two numbers of one register of places that differ; None where no two do."""
    pairs = ((m, t) for m in asked for t in known if m.scheme == t.scheme and m.scheme in SITE_SCHEMES)
    return next(((mine.id, theirs.id) for mine, theirs in pairs if mine != theirs), None)


def parent_of(identifier: Identifier) -> str | None:
    """Return the part of a number that names the company; None where its register has no such part."""
    patterns = _parents().get(identifier.scheme, ())
    matched = (pattern.fullmatch(identifier.id) for pattern in patterns)
    return next((found[1] for found in matched if found is not None), None)


MOST_DIGITS: Final = 60
"""Of an identifier, by its schema."""


def numbers_of_company(identifier: Identifier) -> tuple[str, str]:
    """Return the first and last number that can be the same company's, to look them up in an index.

    Where the register has no parent parts both are the number itself. Comparing says which of them really are.
    """
    parent = parent_of(identifier)
    if parent is None or not identifier.id.startswith(parent):
        return identifier.id, identifier.id
    return parent, parent.ljust(MOST_DIGITS, "Z")


@lru_cache(maxsize=1)
def _parents() -> dict[str, list[re.Pattern[str]]]:
    patterns: dict[str, list[re.Pattern[str]]] = {}
    for row in read_single("register-parents.tsv"):
        patterns.setdefault(row.written, []).append(re.compile(row.means))
    return patterns
