"""Pointers as they leave: the same whatever they are made for. Pure.

Nothing here is told why somebody points at a supplier, so nothing that leaves can depend on it.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Final

from comity_federation.statements import Outgoing
from comity_node.domain.names import lasting_name
from comity_schemas.handling import Handling
from comity_schemas.identifiers import Identifier
from comity_schemas.pointer import POINTER_DISCLOSABLE, Pointer
from comity_schemas.statement import Kind
from comity_schemas.subject import Name

STANDS_MONTHS: Final = 6
"""How long every pointer stands, beside what is left of its first month."""


@dataclass(frozen=True, slots=True)
class Whom:
    """A supplier as a pointer names it: never a site."""

    country: str
    names: tuple[Name, ...]
    identifiers: tuple[Identifier, ...] = ()

    @property
    def marks(self) -> frozenset[str]:
        """What tells that another pointer is about the same supplier."""
        named = {f"name {self.country} {lasting_name(name.text)}" for name in self.names}
        return frozenset(named | {f"{identifier.scheme} {identifier.id}" for identifier in self.identifiers})


def pointer_to(whom: Whom, today: date, replaces: str | None = None) -> Pointer:
    """Return the pointer that leaves for a supplier on a day."""
    return Pointer(
        replaces=replaces,
        names=whom.names,
        identifiers=whom.identifiers or None,
        country=whom.country,
        valid_until=_ends(today),
    )


def whom_of(pointer: Pointer) -> Whom:
    """Return whom a pointer is about."""
    return Whom(pointer.country, pointer.names or (), pointer.identifiers or ())


def outgoing_pointer(pointer: Pointer, handling: Handling) -> Outgoing:
    """Return what the statement will say: the supplier as disclosures, so that it can be forgotten."""
    fields = pointer.to_parsed()
    return Outgoing(
        kind=Kind.POINTER,
        handling=handling,
        body={name: value for name, value in fields.items() if name not in POINTER_DISCLOSABLE},
        disclosed={name: value for name, value in fields.items() if name in POINTER_DISCLOSABLE},
        withheld={},
    )


def _ends(today: date) -> date:
    months = today.year * 12 + today.month - 1 + STANDS_MONTHS
    year, month = divmod(months, 12)
    return date(year, month + 1, monthrange(year, month + 1)[1])
