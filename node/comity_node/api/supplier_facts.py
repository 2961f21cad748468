"""What people here enter of suppliers, and lists of factories. It stays at this node and can be taken back."""

import asyncio
import io
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Base64Bytes, BaseModel, Field, StringConstraints

from comity_node.api.bodies import MOST_ROWS, Body, Id
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.pages import Cursor, Limit, Page, page, read_cursor
from comity_node.api.suppliers import FactOut, Number, Which
from comity_node.auth import Reviewer, SupplierReader, ThisNode
from comity_node.db import Store
from comity_node.db.factory_lists import FactoryList, KeptRow
from comity_node.domain.errors import NotFound
from comity_node.domain.register.mapping import FileForm
from comity_node.domain.suppliers.factory_list import Column, Outcome, is_workbook, map_columns, read_list
from comity_node.domain.suppliers.facts import Fact, FactKind
from comity_node.services.suppliers import factory_lists, facts
from comity_node.services.suppliers.answers import describe_fact, describe_known, person_names
from comity_node.vocabulary import countries
from comity_schemas.countries import Country
from comity_schemas.identifiers import Identifier
from comity_schemas.subject import SubjectType
from comity_schemas.wire import text

router = APIRouter(tags=["suppliers"])

Heading = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Tier = Annotated[int, Field(ge=1, le=9)]


class NewSupplierIn(Body):
    """A supplier that no statement mentions yet."""

    name: text(200)  # type: ignore[valid-type]
    country: Country
    kind: SubjectType = SubjectType.SUPPLIER
    identifiers: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()


class NewSupplierOut(BaseModel):
    """The supplier, under the number that it has or got."""

    supplier: dict[str, Any]


class FactIn(Body):
    """What you know of a supplier: a former name, its owner, a consortium, whose site it is, whom it supplies."""

    fact: Literal["former-name", "owned-by", "in-consortium", "site-of", "supplies-labour-to"]
    other: Which | None = None
    name: text(200) | None = None  # type: ignore[valid-type]
    """The former one."""
    since: date | None = None
    until: date | None = None
    tier: Tier | None = None
    words: text(500) | None = None  # type: ignore[valid-type]


class ListIn(Body):
    """A list of factories as a CSV, and how to read it, or as a workbook; usual headings need not be told."""

    title: text(200)  # type: ignore[valid-type]
    table: Annotated[Base64Bytes, Field(max_length=4_000_000)]
    owner: Which | None = None
    """The supplier whose sites these are."""
    tier: Tier | None = None
    """Of rows that say none."""
    columns: Annotated[dict[Column, Heading], Field(max_length=6, default_factory=dict)]
    delimiter: Literal[",", ";", "|", "\t"] = ","
    encoding: Literal["utf-8", "windows-1252", "iso-8859-1", "shift_jis"] = "utf-8"


class ListOut(BaseModel):
    """A list and what became of its rows."""

    id: str
    title: str
    owner: int | None
    tier: int | None
    columns: dict[str, str]
    unread: list[str]
    """Columns that were not read and are not kept."""
    rows: dict[str, int]
    """Outcome to how many."""
    by: str
    at: str
    taken_back: dict[str, str] | None


class ListRowOut(BaseModel):
    """One row as it was written, and what became of it."""

    line: int
    outcome: str
    supplier: int | None
    tier: int | None
    cells: dict[str, str]
    reason: str | None


class ListRowsOut(BaseModel):
    """Rows of a list in its order; `next_after` fetches what follows and is null at the end."""

    factory_list: ListOut
    items: list[ListRowOut]
    next_after: int | None


@router.post("/suppliers", status_code=201, responses=refuses(403, 409))
async def add_supplier(body: NewSupplierIn, person: Reviewer, node: ThisNode, once: Onced) -> NewSupplierOut:
    """Enter a supplier that no statement mentions yet, such as the owner of a list. Nothing of it is published."""

    async def add(store: Store) -> NewSupplierOut:
        known = await facts.add_supplier(
            store, person, body.name, body.country, body.kind, body.identifiers, node.clock()
        )
        return NewSupplierOut(supplier=describe_known(known))

    return await once.write(add)


@router.post("/suppliers/{number}/facts", status_code=201, responses=refuses(403, 404, 409))
async def enter_fact(number: Number, body: FactIn, person: Reviewer, node: ThisNode, once: Onced) -> FactOut:
    """Enter what you know of a supplier. It is shown with your name, and can be taken back."""
    entered = facts.Entered(FactKind(body.fact), body.other, body.name, body.since, body.until, body.tier, body.words)

    async def enter(store: Store) -> FactOut:
        return await _fact_out(store, await facts.enter(store, person, number, entered, node.clock()))

    return await once.write(enter)


@router.post("/facts/{fact_id}/take-back", responses=refuses(403, 404, 409))
async def take_back_fact(fact_id: Id, person: Reviewer, node: ThisNode, once: Onced) -> FactOut:
    """Let something entered count no more."""

    async def take_back(store: Store) -> FactOut:
        return await _fact_out(store, await facts.take_back_fact(store, person, fact_id, node.clock()))

    return await once.write(take_back)


async def _fact_out(store: Store, fact: Fact) -> FactOut:
    numbers = [n for n in (fact.supplier, fact.other) if n is not None]
    people = await person_names(store, (), [fact])
    return FactOut(**describe_fact(fact, people, await store.suppliers.find(numbers)))


@router.post("/factory-lists", status_code=201, responses=refuses(403, 404, 409))
async def take_in_list(body: ListIn, person: Reviewer, node: ThisNode, once: Onced) -> ListOut:
    """Take in a list of factories: rows become sites, or stay with the reason why not. Nothing is published."""
    given = await asyncio.to_thread(_read, body)

    async def take_in(store: Store) -> ListOut:
        await factory_lists.take_in(store, person, given, node.clock())
        found = await store.factory_lists.find(given.id)
        assert found is not None
        return await _list_out(store, found)

    return await once.write(take_in)


def _read(body: ListIn) -> factory_lists.GivenList:
    form = None if is_workbook(body.table) else FileForm(delimiter=body.delimiter, encoding=body.encoding)
    columns, unread = map_columns(io.BytesIO(body.table), form, body.columns)
    list_id = factory_lists.new_list_id()
    rows = list(read_list(io.BytesIO(body.table), form, columns, countries().read, list_id))
    file = factory_lists.file_digest(body.table)
    return factory_lists.GivenList(list_id, body.title, body.owner, body.tier, file, columns, unread, rows)


@router.get("/factory-lists", responses=refuses(403))
async def list_factory_lists(
    person: SupplierReader, node: ThisNode, cursor: Cursor = None, limit: Limit = 50
) -> Page[ListOut]:
    """Lists of factories, newest first; those that were taken back too."""
    async with node.database.read() as store:
        rows = await store.factory_lists.page(before=read_cursor(cursor), most=limit + 1)
        shown = {row.number: await _list_out(store, row) for row in rows}
    return page(rows, limit, lambda r: r.number, lambda r: shown[r.number])


@router.get("/factory-lists/{list_id}", responses=refuses(403, 404))
async def show_factory_list(
    list_id: Id,
    person: SupplierReader,
    node: ThisNode,
    outcome: Outcome | None = None,
    after: Annotated[int, Query(ge=0, le=MOST_ROWS)] = 0,
    limit: Limit = 50,
) -> ListRowsOut:
    """The rows of a list as they were written, with what became of each; all, or of one outcome."""
    async with node.database.read() as store:
        found = await store.factory_lists.find(list_id)
        if found is None:
            raise NotFound("no such list")
        chosen = None if outcome is None else outcome.value
        rows = await store.factory_lists.rows(found.number, after=after, most=limit + 1, outcome=chosen)
        shown = await _list_out(store, found)
    more = len(rows) > limit
    return ListRowsOut(
        factory_list=shown,
        items=[_row_out(row) for row in rows[:limit]],
        next_after=rows[limit - 1].line if more else None,
    )


@router.post("/factory-lists/{list_id}/take-back", status_code=204, responses=refuses(403, 404, 409))
async def take_back_list(list_id: Id, person: Reviewer, node: ThisNode, once: Onced) -> Response:
    """Let a list count no more: its sites stand under nobody by its word. Its rows stay."""
    await once.write(lambda store: factory_lists.take_back(store, person, list_id, node.clock()))
    return Response(status_code=204)


async def _list_out(store: Store, found: FactoryList) -> ListOut:
    people = await store.accounts.names([p for p in (found.by, found.taken_back_by) if p is not None])
    taken_back = None
    if found.taken_back_at is not None:
        taken_back = {"by": people.get(found.taken_back_by or "", ""), "at": found.taken_back_at.isoformat()}
    return ListOut(
        id=found.id,
        title=found.title,
        owner=found.owner,
        tier=found.tier,
        columns=dict(found.columns),
        unread=list(found.unread),
        rows=(await store.factory_lists.counted([found.number]))[found.number],
        by=people.get(found.by, "somebody whose account is gone"),
        at=found.at.isoformat(),
        taken_back=taken_back,
    )


def _row_out(row: KeptRow) -> ListRowOut:
    return ListRowOut(
        line=row.line, outcome=row.outcome, supplier=row.supplier, tier=row.tier, cells=dict(row.cells),
        reason=row.reason,
    )  # fmt: skip
