"""Entering what this node itself knows of suppliers, and taking it back."""

import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime

from comity_node.db import Store
from comity_node.db.suppliers import Known, NewSupplier
from comity_node.domain.errors import NotFound
from comity_node.domain.people import Person
from comity_node.domain.suppliers.facts import Fact, FactKind, FactRefused, check_fact
from comity_node.domain.suppliers.keys import identifier_key, strongest
from comity_node.domain.trail import Event
from comity_schemas.identifiers import Identifier
from comity_schemas.subject import SubjectType

MOST_FACTS = 500
"""That concern one supplier."""


@dataclass(frozen=True, slots=True)
class Entered:
    """What somebody enters of a supplier."""

    kind: FactKind
    other: int | None = None
    text: str | None = None
    since: date | None = None
    until: date | None = None
    tier: int | None = None
    words: str | None = None


async def add_supplier(
    store: Store,
    person: Person,
    name: str,
    country: str,
    kind: SubjectType,
    identifiers: tuple[Identifier, ...],
    now: datetime,
) -> Known:
    """Enter a supplier that no statement mentions yet; whoever has its number already is it.

    Raises:
        FactRefused: two of its numbers are of one register.
    """
    deciding = strongest(identifiers, sites=kind is SubjectType.SITE)
    deciding = deciding or strongest(identifiers, sites=kind is not SubjectType.SITE)
    if identifiers and deciding is None:
        raise FactRefused("two of its numbers are of one register, which gives one; nothing was entered")
    key = identifier_key(deciding) if deciding is not None else f"entered:{secrets.token_urlsafe(12)}"
    number = (await store.suppliers.ensure([NewSupplier(key, kind, (name,), identifiers, country)]))[key]
    await _add(store, person, Fact(secrets.token_urlsafe(12), FactKind.ENTERED, number, person.id, now), now)
    return (await store.suppliers.find([number]))[number]


async def enter(store: Store, person: Person, supplier: int, entered: Entered, now: datetime) -> Fact:
    """Enter something of a supplier.

    Raises:
        NotFound: there is no such supplier, or other one.
        FactRefused: it does not fit itself, stands there already, or is more than one supplier can have.
    """
    fact = Fact(
        secrets.token_urlsafe(12), entered.kind, supplier, person.id, now, entered.other, entered.text, entered.since,
        entered.until, entered.tier, entered.words,
    )  # fmt: skip
    check_fact(fact)
    wanted = {supplier} if fact.other is None else {supplier, fact.other}
    if len(await store.suppliers.find(sorted(wanted))) < len(wanted):
        raise NotFound("no such supplier")
    standing = await store.facts.about([supplier], MOST_FACTS)
    if len(standing) >= MOST_FACTS:
        raise FactRefused(f"{MOST_FACTS} things are entered of this supplier; take some back first")
    if any(_says(each) == _says(fact) for each in standing):
        raise FactRefused("the same stands there already; nothing was changed")
    await _add(store, person, fact, now)
    return fact


async def take_back_fact(store: Store, person: Person, fact_id: str, now: datetime) -> Fact:
    """Let something entered count no more; it stays in the trail and in the table.

    Raises:
        NotFound: there is none.
        FactRefused: it was taken back before.
    """
    found = await store.facts.find(fact_id)
    if found is None:
        raise NotFound("nothing was entered under this id")
    if found.taken_back_at is not None:
        raise FactRefused("it was taken back before; nothing was changed")
    await store.facts.take_back(fact_id, person.id, now)
    await store.trail.add(now, person.id, Event.FACT_TAKEN_BACK, fact_id)
    return replace(found, taken_back_by=person.id, taken_back_at=now)


async def _add(store: Store, person: Person, fact: Fact, now: datetime) -> None:
    await store.facts.add(fact)
    await store.trail.add(now, person.id, Event.FACT_ENTERED, fact.id, fact=fact.kind.value, supplier=fact.supplier)


def _says(fact: Fact) -> tuple[object, ...]:
    return fact.kind, fact.supplier, fact.other, fact.text, fact.since, fact.until, fact.tier
