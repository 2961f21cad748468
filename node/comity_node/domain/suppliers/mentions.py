"""Whom a statement mentions, and as what: the subject, whose site it is, for whom a labour provider works.

Pointers and audit notices name suppliers too, but mention nobody: they say nothing of what anybody did.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from comity_node.domain.supplier_view import DecisionEntry, Entry, NoticeEntry, PointerEntry
from comity_node.domain.suppliers.keys import SITE_SCHEMES, identifier_key, site_key, strongest, written_key
from comity_schemas.audit_notice import AuditNotice
from comity_schemas.decision import Decision
from comity_schemas.finding import Finding
from comity_schemas.identifiers import Identifier
from comity_schemas.pointer import Pointer
from comity_schemas.subject import Name, Party, SubjectType


class Role(StrEnum):
    """As what a statement mentions somebody."""

    SUBJECT = "subject"
    """It is about them."""
    OPERATOR = "operator"
    """It is about a site of theirs."""
    CLIENT = "client"
    """It is about a labour provider that supplies labour to them."""


@dataclass(frozen=True, slots=True)
class Mentioned:
    """Somebody whom a statement mentions."""

    key: str
    role: Role
    kind: SubjectType
    names: tuple[Name, ...]
    identifiers: tuple[Identifier, ...]
    country: str


def mentions(entry: Entry | DecisionEntry) -> list[Mentioned]:
    """Return whom a finding or decision mentions; nobody where this node may not read their names."""
    return _mentions(entry.member, entry.finding if isinstance(entry, Entry) else entry.decision)


def asides(entry: PointerEntry | NoticeEntry) -> list[Mentioned]:
    """Return whom a pointer or an audit notice names, in the same way."""
    return _mentions(entry.member, entry.pointer if isinstance(entry, PointerEntry) else entry.notice)


def _mentions(publisher: str, said: Finding | Decision | Pointer | AuditNotice | None) -> list[Mentioned]:
    if said is None or not said.names:
        return []
    identifiers = said.identifiers or ()
    # A pointer never tells what it is about: it names an organisation.
    subject = SubjectType.SUPPLIER if isinstance(said, Pointer) else said.subject
    region = None if isinstance(said, Pointer) else said.region
    place = (said.country, region, said.municipality if isinstance(said, Finding | AuditNotice) else None)
    of = (said.names, identifiers, said.country or "")
    texts = [name.text for name in said.names]
    organisation, site = strongest(identifiers, sites=False), strongest(identifiers, sites=True)
    found = []
    if subject is SubjectType.SITE:
        if organisation is not None:
            operator = identifier_key(organisation)
            found.append(
                Mentioned(operator, Role.OPERATOR, SubjectType.SUPPLIER, said.names, _organisations(of[1]), of[2])
            )
            key = identifier_key(site) if site is not None else site_key(operator, texts, *place)
            own = tuple(i for i in identifiers if i not in _organisations(identifiers))
            found.append(Mentioned(key, Role.SUBJECT, SubjectType.SITE, said.names, own, of[2]))
        else:
            key = identifier_key(site) if site is not None else written_key(publisher, texts, "site", *place)
            found.append(Mentioned(key, Role.SUBJECT, SubjectType.SITE, *of))
    else:
        deciding = organisation or site
        key = identifier_key(deciding) if deciding is not None else written_key(publisher, texts, *place)
        found.append(Mentioned(key, Role.SUBJECT, subject, *of))
    clients = said.supplies_to if isinstance(said, Finding | Decision) else None
    found += [_client(publisher, party) for party in clients or ()]
    return _each_once(found)


def _client(publisher: str, party: Party) -> Mentioned:
    identifiers = party.identifiers or ()
    deciding = strongest(identifiers, sites=False) or strongest(identifiers, sites=True)
    texts = [name.text for name in party.names]
    key = identifier_key(deciding) if deciding is not None else written_key(publisher, texts)
    return Mentioned(key, Role.CLIENT, SubjectType.SUPPLIER, party.names, identifiers, "")


def _organisations(identifiers: Sequence[Identifier]) -> tuple[Identifier, ...]:
    return tuple(i for i in identifiers if i.scheme not in SITE_SCHEMES)


def _each_once(found: Sequence[Mentioned]) -> list[Mentioned]:
    # A provider that is named as its own client would else stand there twice.
    seen: dict[str, Mentioned] = {}
    for mentioned in found:
        seen.setdefault(mentioned.key, mentioned)
    return list(seen.values())
