"""Whom somebody asks about, and who is known: the two sides of every comparison."""

from collections.abc import Callable
from dataclasses import dataclass

from comity_schemas.audit_notice import AuditNotice
from comity_schemas.decision import Decision
from comity_schemas.finding import Finding
from comity_schemas.identifiers import Identifier
from comity_schemas.pointer import Pointer

Rarity = Callable[[str], float]
"""Folded word to its weight: how much it tells that two names share it. From the counts of the index."""


def all_alike(_word: str) -> float:
    """Return the same weight for every word: where nobody has counted yet."""
    return 5.0


@dataclass(frozen=True, slots=True)
class Party:
    """What identity is judged by; nothing else about a party is looked at."""

    names: tuple[str, ...]
    """As written, in any script; each is another way to name the same party."""
    country: str | None = None
    addresses: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    has_places_only: bool = False
    """The addresses are towns and districts: they say near whom it is, and of no house."""

    @classmethod
    def of(cls, said: Finding | Decision | Pointer | AuditNotice | None) -> "Party":
        """Return whom a statement is about, as far as it says; nobody where it cannot be read."""
        if said is None:
            return cls(())
        places = [p for p in (getattr(said, "municipality", None), getattr(said, "region", None)) if p]
        return cls(
            names=tuple(name.text for name in said.names or ()),
            country=said.country,
            addresses=(", ".join(places),) if places else (),
            identifiers=said.identifiers or (),
            has_places_only=True,
        )
