"""Suppliers as this node knows them: who says what, who is the same, who is not. No statement is changed by it."""

import asyncio
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from comity_node.api.bodies import MOST_ROWS, Body, Id
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.pages import Cursor, Limit, Page, page, read_cursor
from comity_node.auth import Reviewer, SupplierReader, ThisNode
from comity_node.db import Store
from comity_node.db.suppliers import Wanted
from comity_node.domain.export import csv_of, workbook_of
from comity_node.domain.suppliers.account import Sorting
from comity_node.domain.suppliers.judging import Because, Judgement
from comity_node.domain.trail import Event
from comity_node.services.suppliers import exporting, judging
from comity_node.services.suppliers.answers import describe_judgement, describe_known, describe_shown, person_names
from comity_node.services.suppliers.following import catch_up
from comity_node.services.suppliers.showing import MOST_READ, show
from comity_schemas.countries import Country
from comity_schemas.identifiers import Identifier
from comity_schemas.subject import SubjectType
from comity_schemas.wire import Digest, text

router = APIRouter(tags=["suppliers"])

MOST_SKIPPED = 1_000_000
Number = Annotated[int, Path(ge=1, le=MOST_ROWS)]
Which = Annotated[int, Field(ge=1, le=MOST_ROWS)]


class SuppliersIn(Body):
    """Which suppliers to list. A POST, so that nobody's name stands in a URL or a log."""

    name: text(300) | None = None  # type: ignore[valid-type]
    """Names that begin so, in any case, accents and script."""
    country: Country | None = None
    identifier: Identifier | None = None
    kind: SubjectType | None = None
    newest_first: bool = False
    skip: Annotated[int, Field(ge=0, le=MOST_SKIPPED)] = 0
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class KnownOut(BaseModel):
    """A supplier, site or labour provider; `joined_as` is the number under which it stands with others."""

    number: int
    kind: str
    name: str
    country: str | None
    joined_as: int | None
    newest: str | None
    """The newest month that a statement about it tells of."""
    findings: int
    findings_of_sites: int
    findings_through_providers: int
    decisions: int
    """Statements, not events and not people: several may tell of one thing."""


class SuppliersOut(BaseModel):
    """A part of the list; `not_yet_taken_in` statements will come into it."""

    suppliers: list[KnownOut]
    further: bool
    not_yet_taken_in: int


class Why(Body):
    """Why: a code, and words that stay at this node."""

    because: Because
    words: text(500) | None = None  # type: ignore[valid-type]


class Pair(Why):
    """Two suppliers."""

    first: Which
    second: Which


class Apart(Why):
    """Statements that are not about this supplier."""

    statements: Annotated[tuple[Digest, ...], Field(min_length=1, max_length=200)]


class Undoing(Body):
    """Why a judgement is undone."""

    words: text(500) | None = None  # type: ignore[valid-type]


class JudgementOut(BaseModel):
    """What somebody judged; an undone judgement stays."""

    id: str
    judged: str
    first: int
    second: int
    because: str
    words: str | None
    by: str
    at: str
    undone: dict[str, Any] | None
    in_words: str


@router.post("/suppliers/search", responses=refuses(403))
async def list_suppliers(body: SuppliersIn, person: SupplierReader, node: ThisNode) -> SuppliersOut:
    """Suppliers, sites and labour providers that statements mention, by name or the newest first."""
    await catch_up(node.database)
    wanted = Wanted(body.name, body.country, body.identifier, body.kind, body.newest_first)
    async with node.database.read() as store:
        found = await store.suppliers.page(wanted, skip=body.skip, most=body.limit + 1)
        counted = await store.mentions.counted(sorted({known.whole for known in found}))
        behind = await store.suppliers.behind()
    async with node.database.write() as store:
        await store.trail.add(node.clock(), person.id, Event.SUPPLIER_SHOWN, "suppliers", what="list")
    shown = [
        KnownOut(
            **describe_known(known),
            newest=known.newest or None,
            **asdict(counted[known.whole]),
        )
        for known in found[: body.limit]
    ]
    return SuppliersOut(suppliers=shown, further=len(found) > body.limit, not_yet_taken_in=behind)


class FactOut(BaseModel):
    """What somebody here entered of a supplier, and who."""

    id: str
    fact: str
    supplier: int
    other: int | None
    text: str | None
    since: str | None
    until: str | None
    tier: int | None
    words: str | None
    by: str
    at: str
    in_words: str


class SupplierOut(BaseModel):
    """What this node knows of one supplier. Absence is never clearance: see `coverage`."""

    supplier: dict[str, Any]
    known_by: str
    joined: list[dict[str, Any]]
    judgements: list[JudgementOut]
    names: list[dict[str, Any]]
    identifiers: list[dict[str, Any]]
    identifiers_disagree: list[str]
    pointers: list[dict[str, Any]]
    """Whom to speak to before contacting it; says nothing about the supplier."""
    audits: list[dict[str, Any]]
    """Planned and done, as members tell of them under its names and numbers."""
    assessed: dict[str, list[str]]
    """By indicator: where nothing is open by an audit that stands, and where nobody looked or told."""
    perhaps_the_same: list[dict[str, Any]]
    operated_by: list[dict[str, Any]]
    sites: list[dict[str, Any]]
    labour_providers: list[dict[str, Any]]
    supplies_labour_to: list[dict[str, Any]]
    entered: list[FactOut]
    on_lists: list[dict[str, Any]]
    listed_sites: list[dict[str, Any]]
    further_listed_sites: bool
    publishers: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    further_findings: bool
    older_left_out: bool
    disagreements: list[dict[str, Any]]
    perhaps_one_source: list[list[str]]
    decisions: list[dict[str, Any]]
    not_yet_taken_in: int
    as_of: str
    registry_version: int
    positions: dict[str, int]
    coverage: dict[str, Any]
    words: str


@router.get("/suppliers/{number}", responses=refuses(403, 404))
async def show_supplier(
    number: Number,
    person: SupplierReader,
    node: ThisNode,
    sort: Sorting = Sorting.NEWEST,
    skip: Annotated[int, Query(ge=0, le=MOST_SKIPPED)] = 0,
    limit: Limit = 50,
) -> SupplierOut:
    """Who says what of a supplier, how recently, how surely, and who disagrees; decisions apart."""
    return SupplierOut(**await shown_to(node, person.id, number, sort, skip, limit))


async def shown_to(
    node: ThisNode, person: str, number: int, sort: Sorting, skip: int, limit: int, what: str = "one"
) -> dict[str, Any]:
    """Return an answer once the trail says that somebody asked; never about whom."""
    await catch_up(node.database)
    registry, now = await node.registry(), node.clock()
    async with node.database.read() as store:
        shown = await show(store, number, registry, now)
        people = await person_names(store, shown.judgements, shown.facts)
    async with node.database.write() as store:
        await store.trail.add(now, person, Event.SUPPLIER_SHOWN, "suppliers", what=what, positions=shown.positions)
    return describe_shown(shown, people, sorting=sort, skip=skip, most=limit)


class Form(StrEnum):
    """How an export is written; a CSV holds findings or decisions, a workbook both, a sheet each."""

    FINDINGS_CSV = "findings.csv"
    DECISIONS_CSV = "decisions.csv"
    WORKBOOK = "xlsx"


_CSV, _XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get(
    "/suppliers/{number}/export",
    response_class=Response,
    responses=refuses(403, 404) | {200: {"description": "a file", "content": {_CSV: {}, _XLSX: {}}}},
)
async def export_supplier(number: Number, person: SupplierReader, node: ThisNode, form: Form) -> Response:
    """What is known of a supplier as a file, with the terms of every statement; no cell can run as a formula."""
    shown = await shown_to(node, person.id, number, Sorting.NEWEST, 0, 2 * MOST_READ, what="export")
    return await asyncio.to_thread(_file, shown, form)


def _file(shown: dict[str, Any], form: Form) -> Response:
    if form is Form.WORKBOOK:
        tables = {
            "About": exporting.about_table(shown),
            "Findings": exporting.findings_table(shown),
            "Decisions (orders)": exporting.decisions_table(shown),
        }
        return Response(workbook_of(tables), media_type=_XLSX)
    one = exporting.findings_table if form is Form.FINDINGS_CSV else exporting.decisions_table
    return Response(csv_of(one(shown), exporting.notes(shown)), media_type=_CSV)


@router.post("/suppliers/join", status_code=201, responses=refuses(403, 404, 409))
async def join_suppliers(body: Pair, person: Reviewer, node: ThisNode, once: Onced) -> JudgementOut:
    """Judge that two suppliers are one: they are shown together from now on. It can be undone."""
    why = judging.Reason(body.because, body.words)

    async def join(store: Store) -> JudgementOut:
        made = await judging.judge_same(store, person, body.first, body.second, why, node.clock())
        return await _out(store, made)

    return await once.write(join)


@router.post("/suppliers/keep-apart", status_code=201, responses=refuses(403, 404, 409))
async def keep_suppliers_apart(body: Pair, person: Reviewer, node: ThisNode, once: Onced) -> JudgementOut:
    """Judge that two suppliers are not the same, however alike they look. It can be undone."""
    why = judging.Reason(body.because, body.words)

    async def keep(store: Store) -> JudgementOut:
        made = await judging.judge_different(store, person, body.first, body.second, why, node.clock())
        return await _out(store, made)

    return await once.write(keep)


@router.post("/suppliers/{number}/split", status_code=201, responses=refuses(403, 404, 409))
async def split_supplier(number: Number, body: Apart, person: Reviewer, node: ThisNode, once: Onced) -> JudgementOut:
    """Judge that statements are about another supplier, which gets a number of its own. It can be undone."""
    why = judging.Reason(body.because, body.words)

    async def split(store: Store) -> JudgementOut:
        made = await judging.put_apart(store, person, number, body.statements, why, node.clock())
        return await _out(store, made)

    return await once.write(split)


@router.get("/judgements", responses=refuses(403))
async def list_judgements(
    person: SupplierReader, node: ThisNode, cursor: Cursor = None, limit: Limit = 50
) -> Page[JudgementOut]:
    """What people here judged to be the same or not, newest first; undone judgements too."""
    async with node.database.read() as store:
        rows = await store.judgements.page(before=read_cursor(cursor), most=limit + 1)
        people = await person_names(store, [row.judgement for row in rows])
    return page(rows, limit, lambda r: r.number, lambda r: JudgementOut(**describe_judgement(r.judgement, people)))


@router.post("/judgements/{judgement_id}/undo", responses=refuses(403, 404, 409))
async def undo_judgement(
    judgement_id: Id, body: Undoing, person: Reviewer, node: ThisNode, once: Onced
) -> JudgementOut:
    """Undo a judgement: all is shown as if it had never been made; it stays in the list."""

    async def take_back(store: Store) -> JudgementOut:
        return await _out(store, await judging.undo(store, person, judgement_id, body.words, node.clock()))

    return await once.write(take_back)


async def _out(store: Store, judgement: Judgement) -> JudgementOut:
    return JudgementOut(**describe_judgement(judgement, await person_names(store, [judgement])))
