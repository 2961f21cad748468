"""What people here enter of suppliers: who is who's site, owner or labour provider, and what it was called before.

It stays at this node, is shown with who entered it, and can be taken back. It is no statement of the network.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from comity_schemas.errors import ComityError


class FactKind(StrEnum):
    """What is entered."""

    ENTERED = "entered"
    """The supplier itself, which no statement mentions yet."""
    FORMER_NAME = "former-name"
    ALIAS = "also-called"
    """A spelling by which an officer recognised it in the own list; taken back with that judgement."""
    OWNED_BY = "owned-by"
    IN_CONSORTIUM = "in-consortium"
    SITE_OF = "site-of"
    SUPPLIES_LABOUR_TO = "supplies-labour-to"


NAMES = frozenset({FactKind.FORMER_NAME, FactKind.ALIAS})
"""Facts that are a name."""

RELATIONS = frozenset(FactKind) - NAMES - {FactKind.ENTERED}
"""Facts about two suppliers."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something entered, and whether it still counts."""

    id: str
    kind: FactKind
    supplier: int
    by: str
    at: datetime
    other: int | None = None
    text: str | None = None
    since: date | None = None
    until: date | None = None
    tier: int | None = None
    words: str | None = None
    """Private: how somebody knows."""
    taken_back_by: str | None = None
    taken_back_at: datetime | None = None


class FactRefused(ComityError):
    """What was entered does not fit itself or what stands there; nothing was changed."""

    code: ClassVar[str] = "supplier.fact-refused"


def check_fact(fact: Fact) -> None:
    """Refuse a fact that does not fit itself.

    Raises:
        FactRefused: a part is missing or too many, or its days are in the wrong order.
    """
    if (fact.kind in RELATIONS) != (fact.other is not None):
        raise FactRefused(f"{fact.kind} {'needs' if fact.kind in RELATIONS else 'has no'} other supplier")
    if (fact.kind in NAMES) != (fact.text is not None):
        raise FactRefused("a former name has a text, and nothing else does")
    if fact.other == fact.supplier:
        raise FactRefused("a supplier is nothing to itself; give two")
    if fact.tier is not None and fact.kind is not FactKind.SITE_OF:
        raise FactRefused("only a site has a tier")
    if fact.since is not None and fact.until is not None and fact.until < fact.since:
        raise FactRefused("it ends before it begins")
