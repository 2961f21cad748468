"""Vendors: the rows of an officer's own list of firms, as the officer writes them. They stay at this node. Pure."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from comity_federation import strict_json
from comity_federation.encoding import digest
from comity_node.domain.matching.party import Party
from comity_node.domain.spelling import bare
from comity_schemas.errors import ComityError
from comity_schemas.identifiers import Identifier

MOST_VENDORS = 20_000
"""Rows that one officer may keep."""

MOST_ROW = 100
"""Characters of a row's own id."""

MOST_ADDRESS = 300
"""Characters of an address that a row keeps."""


class TooManyVendors(ComityError):
    """One officer keeps at most so many rows; nothing was changed."""

    code: ClassVar[str] = "vendor.too-many"


@dataclass(frozen=True, slots=True)
class Vendor:
    """One row; `row` is its name in the officer's own system."""

    number: int
    id: str
    owner: str
    row: str
    party: Party
    at: datetime
    version: int = 0
    """Rises whenever any row is written: who has read up to one knows all rows below it."""


def fingerprint(party: Party) -> str:
    """Return what stands for all that identity is judged by: another spelling is another fact, an order is none."""
    facts = [
        sorted({name.strip() for name in party.names}),
        party.country or "",
        sorted({bare(address) for address in party.addresses}),
        sorted([i.scheme, i.id] for i in party.identifiers),
    ]
    return digest(strict_json.dumps(facts))


def party_to_parsed(party: Party) -> dict[str, Any]:
    """Return a party as a JSON value."""
    return {
        "names": list(party.names),
        "country": party.country,
        "addresses": list(party.addresses),
        "identifiers": [i.to_parsed() for i in party.identifiers],
    }


def party_from_parsed(given: dict[str, Any]) -> Party:
    """Return the party of a JSON value."""
    identifiers = tuple(Identifier.from_parsed(i) for i in given["identifiers"])
    return Party(tuple(given["names"]), given["country"], tuple(given["addresses"]), identifiers)


def differing(before: Party, after: Party) -> list[str]:
    """Return in words which identifying facts differ."""
    sides: Sequence[tuple[str, object, object]] = (
        ("name", sorted({n.strip() for n in before.names}), sorted({n.strip() for n in after.names})),
        ("country", before.country, after.country),
        ("address", sorted(map(bare, before.addresses)), sorted(map(bare, after.addresses))),
        ("identifiers", set(before.identifiers), set(after.identifiers)),
    )
    return [word for word, one, other in sides if one != other]


def beyond(known: Party, asked: Party) -> list[str]:
    """Return in words which identifying facts are asked for and are not among those known."""
    sides: Sequence[tuple[str, Set[object], Set[object]]] = (
        ("name", {n.strip() for n in asked.names}, {n.strip() for n in known.names}),
        ("country", {asked.country} - {None}, {known.country}),
        ("address", set(map(_as_kept, asked.addresses)), set(map(_as_kept, known.addresses))),
        ("number", set(asked.identifiers), set(known.identifiers)),
    )
    return [word for word, one, other in sides if one - other]


def _as_kept(address: str) -> str:
    return bare(address[:MOST_ADDRESS])
