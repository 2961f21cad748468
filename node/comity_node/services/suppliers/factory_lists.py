"""Taking in a list of factories, and taking it back: one transaction each; every row stays with what became of it."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from comity_federation.encoding import b64encode
from comity_node.db import Store
from comity_node.db.suppliers import NewSupplier
from comity_node.domain.errors import NotFound
from comity_node.domain.people import Person
from comity_node.domain.suppliers.factory_list import Column, ListedRow, Outcome
from comity_node.domain.trail import Event
from comity_schemas.errors import ComityError
from comity_schemas.subject import SubjectType


class ListAlreadyHere(ComityError):
    """This very file is here already for the same supplier, or the list was taken back before; nothing was changed."""

    code: ClassVar[str] = "factory-list.already"


@dataclass(frozen=True, slots=True)
class GivenList:
    """A list that was read."""

    id: str
    title: str
    owner: int | None
    tier: int | None
    file: str
    columns: Mapping[Column, str]
    unread: Sequence[str]
    rows: Sequence[ListedRow]


def new_list_id() -> str:
    """Return the id of a list that is about to be read."""
    return secrets.token_urlsafe(12)


def file_digest(raw: bytes) -> str:
    """Return by what a file is known again."""
    return b64encode(hashlib.sha256(raw).digest())


async def take_in(store: Store, person: Person, given: GivenList, now: datetime) -> Counter[str]:
    """Keep a list and every row of it; sites that nobody knew yet get a number. Return outcome to how many rows.

    Raises:
        NotFound: there is no such supplier as its owner.
        ListAlreadyHere: the same file is here for the same supplier.
    """
    if given.owner is not None and not await store.suppliers.find([given.owner]):
        raise NotFound("no such supplier")
    same = await store.factory_lists.of_file(given.file, given.owner)
    if same is not None:
        raise ListAlreadyHere(f"this file is here already as list {same.id}; take that back first. Nothing was added")
    columns = {column.value: heading for column, heading in given.columns.items()}
    number = await store.factory_lists.add(
        given.id, given.title, given.owner, given.tier, given.file, columns, given.unread, person.id, now
    )
    sites = [_site(row) for row in given.rows if row.key is not None]
    await store.factory_lists.add_rows(number, given.rows, await store.suppliers.ensure(sites))
    counted = Counter(row.outcome.value for row in given.rows)
    detail = {"rows": len(given.rows), "sites": counted[Outcome.SITE], "refused": counted[Outcome.REFUSED]}
    await store.trail.add(now, person.id, Event.FACTORY_LIST_TAKEN_IN, given.id, **detail)
    return counted


async def take_back(store: Store, person: Person, list_id: str, now: datetime) -> None:
    """Let a list count no more: its sites stand under nobody by its word. Its rows stay.

    Raises:
        NotFound: there is none.
        ListAlreadyHere: it was taken back before.
    """
    found = await store.factory_lists.find(list_id)
    if found is None:
        raise NotFound("no such list")
    if found.taken_back_at is not None:
        raise ListAlreadyHere("it was taken back before; nothing was changed")
    await store.factory_lists.take_back(list_id, person.id, now)
    await store.trail.add(now, person.id, Event.FACTORY_LIST_TAKEN_BACK, list_id)


def _site(row: ListedRow) -> NewSupplier:
    assert row.key is not None
    identifiers = () if row.os_id is None else (row.os_id,)
    return NewSupplier(row.key, SubjectType.SITE, (row.name,), identifiers, row.country)
