"""Whether two descriptions are of one party: by a number that both have, or by a name in one country. Pure.

A company's number and name are those of all its sites: what tells two sites apart is that in some register they have
different numbers.
"""

from collections.abc import Sequence
from typing import Protocol

from comity_node.domain.names import fold_name
from comity_schemas.identifiers import Identifier
from comity_schemas.subject import Name


class Described(Protocol):
    """A party as a report or a statement describes it."""

    @property
    def names(self) -> Sequence[Name] | None:
        """In any script."""

    @property
    def identifiers(self) -> Sequence[Identifier] | None:
        """Of any register."""

    @property
    def country(self) -> str:
        """Where it is."""


def is_same(one: Described, other: Described, *, site: bool) -> bool:
    """Tell whether two descriptions are of one party, as far as they show it.

    Args:
        one: The one.
        other: The other, of the same type.
        site: Whether both are sites.
    """
    ours, theirs = set(one.identifiers or ()), set(other.identifiers or ())
    both = ours & theirs
    registers = {number.scheme for number in ours} & {number.scheme for number in theirs}
    if site and registers - {number.scheme for number in both}:
        return False
    return bool(both) or (one.country == other.country and not _names(one).isdisjoint(_names(other)))


def _names(described: Described) -> set[str]:
    return {fold_name(name.text) for name in described.names or ()}
