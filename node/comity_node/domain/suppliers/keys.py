"""Under which key a statement's supplier is known here.

Rules:
- The strongest identifier is the key: two statements with the same one are about the same supplier, whatever the names.
- Only one identifier of a statement joins. A member that writes two firms' numbers into one statement joins nobody with
  it: that both numbers are one firm's is shown to a person, who may say so.
- Without an identifier the key is what the publisher wrote, name and place together, and whose word it is: a name alone
  never joins what two members say.
- A key depends on its statement only. So what a node knows does not depend on the order in which things arrive.
"""

from collections.abc import Iterable, Sequence

from comity_federation import strict_json
from comity_federation.encoding import digest
from comity_node.domain.names import lasting_name
from comity_node.domain.spelling import bare
from comity_schemas.identifiers import Identifier

SITE_SCHEMES = ("OSID", "GLN")
"""Registers whose numbers name places, not organisations; the first one decides."""

_STRONGEST = ("XI-LEI", "BR-CNPJ", "CN-USCI", "UNGM", "XI-DUNS")
"""Organisations' schemes in the order in which they decide; all others follow by name."""


def identifier_key(identifier: Identifier) -> str:
    """Return the key of whoever has this identifier."""
    return number_key(identifier.scheme, identifier.id)


def number_key(scheme: str, value: str) -> str:
    """Return the same of an identifier as it is stored."""
    return f"id:{scheme}:{value}"


def strongest(identifiers: Iterable[Identifier], *, sites: bool) -> Identifier | None:
    """Return the identifier that decides, of places or of organisations; None where none does.

    Two numbers of one scheme are two organisations or places, and then neither of them decides.
    """
    fit = [i for i in identifiers if (i.scheme in SITE_SCHEMES) == sites]
    alone = [i for i in fit if [other.scheme for other in fit].count(i.scheme) == 1]
    order = SITE_SCHEMES if sites else _STRONGEST
    return min(
        alone, key=lambda i: (order.index(i.scheme) if i.scheme in order else len(order), i.scheme), default=None
    )


def written_key(publisher: str, names: Sequence[str], *place: str | None) -> str:
    """Return the key of what one publisher writes alike: all its names, and the place."""
    return _digest("written", publisher, _folded(names), *map(_bare, place))


def site_key(organisation: str, names: Sequence[str], *place: str | None) -> str:
    """Return the key of an organisation's site that has no number of its own, whoever writes of it."""
    return _digest("site", organisation, _folded(names), *map(_bare, place))


def listed_key(names: Sequence[str], country: str, address: str) -> str:
    """Return the key of a site as lists write it: name, country and address together, in whichever list."""
    return _digest("listed", _folded(names), country, bare(address))


def _folded(names: Sequence[str]) -> list[str]:
    return sorted({lasting_name(name) for name in names})


def _bare(part: str | None) -> str:
    return bare(part or "")


def _digest(kind: str, *parts: str | list[str]) -> str:
    return f"{kind}:{digest(strict_json.dumps([kind, *parts]))}"
