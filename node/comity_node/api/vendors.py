"""An officer's own list of firms, and whom each row of it means. It stays here; nobody else's rows are ever shown."""

import asyncio
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field, model_validator

from comity_node.api.bodies import Body, Id, Unfit, refuse_nobody
from comity_node.api.contract import refuses
from comity_node.api.given_files import (
    A_FILE,
    Columns,
    Delimiter,
    Encoding,
    RowProblemOut,
    file_sent,
    open_sent,
    told_of,
)
from comity_node.api.once import Onced
from comity_node.api.pages import Cursor, Limit, Page, page, read_cursor
from comity_node.api.suppliers import Which
from comity_node.auth import Officer, ThisNode
from comity_node.db import Store
from comity_node.domain.errors import NotFound
from comity_node.domain.matching.party import Party
from comity_node.domain.tables.lines import MAX_FILE_BYTES
from comity_node.domain.trail import Event
from comity_node.domain.watching.judging import VendorJudged
from comity_node.domain.watching.vendors import MOST_ROW, MOST_VENDORS, Vendor, party_to_parsed
from comity_node.services.screening_files.jobs import TOLD_PROBLEMS
from comity_node.services.screening_files.portfolio import read_portfolio
from comity_node.services.suppliers.following import catch_up
from comity_node.services.watching import judging
from comity_node.services.watching.answers import describe_alike, describe_weighed
from comity_node.services.watching.noticing import rows_touched
from comity_node.services.watching.vendors import Kept, keep_vendors, own_vendor, remove_vendor
from comity_node.vocabulary import countries
from comity_schemas.countries import Country
from comity_schemas.identifiers import Identifier
from comity_schemas.wire import Digest, text

router = APIRouter(tags=["watching"])

MOST_WAITING = 200


class RowIn(Body):
    """One row: `row` is its name in your own system, by which it is changed and removed."""

    row: text(MOST_ROW)  # type: ignore[valid-type]
    name: text(300)  # type: ignore[valid-type]
    other_names: Annotated[tuple[text(300), ...], Field(max_length=20)] = ()  # type: ignore[valid-type]
    country: Country | None = None
    addresses: Annotated[tuple[text(300), ...], Field(max_length=5)] = ()  # type: ignore[valid-type]
    identifiers: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        refuse_nobody((self.name, *self.other_names), self.identifiers)
        return self


class RowsIn(Body):
    """Rows to be kept; with `replace`, instead of all that are there."""

    rows: Annotated[tuple[RowIn, ...], Field(max_length=MOST_VENDORS)]
    replace: bool = False

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({row.row for row in self.rows}) < len(self.rows):
            raise Unfit("a row stands there twice")
        return self


class KeptOut(BaseModel):
    """What became of the rows that were given, and how many you keep now."""

    added: int
    changed: int
    unchanged: int
    removed: int
    rows: int


class KeptFileOut(KeptOut):
    """What became of the rows of a file, and what of it is to be looked at."""

    problems: list[RowProblemOut]
    further_problems: int


class VendorOut(BaseModel):
    """One row of yours."""

    id: str
    row: str
    names: list[str]
    country: str | None
    addresses: list[str]
    identifiers: list[dict[str, str]]
    at: str


class TouchedOut(BaseModel):
    """Rows of yours that a statement may concern, the strongest first."""

    rows: list[dict[str, Any]]


class VendorJudgementIn(Body):
    """Whether a row means a supplier, and why in words that stay here."""

    supplier: Which
    judged: VendorJudged
    words: text(500) | None = None  # type: ignore[valid-type]


class VendorJudgementOut(BaseModel):
    """What was judged of a row and a supplier, whether it counts now, and if not, why."""

    id: str
    supplier: int
    judged: str
    holds: str
    why: str | None
    words: str | None
    by: str
    at: str
    confirmed_by: str | None
    undone_by: str | None


class MeantOut(BaseModel):
    """Whom a row may mean. What is already decided takes no place from what is not, and is never hidden."""

    recognised: list[dict[str, Any]]
    to_judge: list[dict[str, Any]]
    already_decided: list[dict[str, Any]]


@router.post("/vendors", responses=refuses(403, 409))
async def keep_rows(body: RowsIn, person: Officer, node: ThisNode, once: Onced) -> KeptOut:
    """Keep rows of your own list, by their names: new ones are added, known ones changed."""
    given = [(r.row, Party((r.name, *r.other_names), r.country, r.addresses, r.identifiers)) for r in body.rows]

    async def keep(store: Store) -> KeptOut:
        return KeptOut(**_kept(await keep_vendors(store, person, given, node.clock(), replace=body.replace)))

    return await once.write(keep)


@router.post("/vendors/file", responses=refuses(403, 409, 415), openapi_extra=A_FILE, max_body_size=MAX_FILE_BYTES)
async def keep_file_of_rows(
    request: Request,
    person: Officer,
    node: ThisNode,
    once: Onced,
    replace: bool = False,
    columns: Columns = [],  # noqa: B006
    encoding: Encoding = None,
    delimiter: Delimiter = None,
) -> KeptFileOut:
    """Keep the rows of a CSV or XLSX, each under its own id. Nothing is screened: see `POST /screening-files`."""
    raw, told = await file_sent(request), told_of(columns, encoding, delimiter)
    found = await asyncio.to_thread(lambda: read_portfolio(open_sent(raw, told), countries().read, whole=replace))
    problems = [RowProblemOut(row=p.number, what=p.what) for p in found.problems[:TOLD_PROBLEMS]]
    further = len(found.problems) - len(problems)

    async def keep(store: Store) -> KeptFileOut:
        # A file of which nothing can be kept is a mistake, and never removes what is there.
        rows = await keep_vendors(store, person, found.rows, node.clock(), replace=replace and bool(found.rows))
        return KeptFileOut(**_kept(rows), problems=problems, further_problems=further)

    return await once.write(keep)


@router.get("/vendors", responses=refuses(403))
async def list_rows(person: Officer, node: ThisNode, cursor: Cursor = None, limit: Limit = 50) -> Page[VendorOut]:
    """Your own rows, newest first; nobody else's."""
    async with node.database.read() as store:
        rows = await store.vendors.page(person.id, before=read_cursor(cursor), most=limit + 1)
    return page(rows, limit, lambda v: v.number, _out)


@router.get("/vendors/touched", responses=refuses(403, 404))
async def list_touched_rows(person: Officer, node: ThisNode, statement: Annotated[Digest, Query()]) -> TouchedOut:
    """Which of your rows a statement may concern, and why."""
    await catch_up(node.database)
    async with node.database.read() as store:
        concerns = await rows_touched(store, person.id, statement, node.clock())
    if concerns is None:
        raise NotFound("no such statement in the view")
    rows = [
        {
            "row": concern.vendor.row,
            "vendor": concern.vendor.id,
            "supplier": concern.supplier.number,
            "verdict": concern.verdict,
            "why": concern.reason,
        }
        for concern in concerns
    ]
    return TouchedOut(rows=rows)


@router.delete("/vendors/{vendor_id}", status_code=204, responses=refuses(403, 404))
async def remove_row(vendor_id: Id, person: Officer, node: ThisNode, once: Onced) -> None:
    """Remove a row, with its alerts, what was judged of it, and watches of it alone."""

    async def remove(store: Store) -> None:
        await remove_vendor(store, person, vendor_id, node.clock())

    await once.write(remove)


@router.get("/vendors/{vendor_id}/suppliers", responses=refuses(403, 404))
async def list_meant_suppliers(vendor_id: Id, person: Officer, node: ThisNode) -> MeantOut:
    """Which suppliers a row may mean: recognised, to be judged, already decided against."""
    await catch_up(node.database)
    async with node.database.read() as store:
        meant = await judging.whom_it_means(store, person, vendor_id)
    async with node.database.write() as store:
        await store.trail.add(node.clock(), person.id, Event.SUPPLIER_SHOWN, "suppliers", what="list")
    return MeantOut(
        recognised=[describe_alike(each) for each in meant.recognised],
        to_judge=[describe_alike(each) for each in meant.to_judge],
        already_decided=[describe_alike(each) for each in meant.decided],
    )


@router.post("/vendors/{vendor_id}/judgements", status_code=201, responses=refuses(403, 404))
async def judge_row(
    vendor_id: Id, body: VendorJudgementIn, person: Officer, node: ThisNode, once: Onced
) -> VendorJudgementOut:
    """Judge whether a row means a supplier. It outlives screenings, joins and splits, and can be undone."""

    async def judge(store: Store) -> VendorJudgementOut:
        made = await judging.judge_vendor(
            store, person, vendor_id, body.supplier, body.judged, body.words, node.clock()
        )
        return VendorJudgementOut(**describe_weighed(made))

    return await once.write(judge)


@router.get("/vendors/{vendor_id}/judgements", responses=refuses(403, 404))
async def list_row_judgements(vendor_id: Id, person: Officer, node: ThisNode) -> list[VendorJudgementOut]:
    """All that was judged of a row, newest first, undone judgements too."""
    async with node.database.read() as store:
        vendor = await own_vendor(store, person, vendor_id)
        made = await store.vendor_judgements.of_vendors([vendor.number], undone=True)
        found = await judging.weighed(store, made, {vendor.number: vendor})
    return [VendorJudgementOut(**describe_weighed(each)) for each in found]


@router.get("/vendor-judgements/waiting", responses=refuses(403))
async def list_waiting_judgements(person: Officer, node: ThisNode) -> list[dict[str, Any]]:
    """What another officer judged not to be the same, and a second person has to say too: the row and the supplier."""
    async with node.database.read() as store:
        found = await judging.waiting(store, person, MOST_WAITING)
        known = await store.suppliers.find(sorted({each.judgement.supplier for each, _ in found}))
    return [
        {
            **describe_weighed(each),
            "row": {"row": vendor.row, **party_to_parsed(vendor.party)},
            "name": known[each.judgement.supplier].name,
        }
        for each, vendor in found
    ]


@router.post("/vendor-judgements/{judgement_id}/confirm", responses=refuses(403, 404, 409))
async def confirm_row_judgement(judgement_id: Id, person: Officer, node: ThisNode, once: Onced) -> VendorJudgementOut:
    """Say as a second person that a row does not mean a supplier."""

    async def confirm(store: Store) -> VendorJudgementOut:
        made = await judging.confirm_judgement(store, person, judgement_id, node.clock())
        return VendorJudgementOut(**describe_weighed(made))

    return await once.write(confirm)


@router.post("/vendor-judgements/{judgement_id}/undo", responses=refuses(403, 404))
async def undo_row_judgement(judgement_id: Id, person: Officer, node: ThisNode, once: Onced) -> VendorJudgementOut:
    """Undo a judgement of a row of yours: the supplier stands to be judged again."""

    async def undo(store: Store) -> VendorJudgementOut:
        made = await judging.undo_vendor_judgement(store, person, judgement_id, node.clock())
        return VendorJudgementOut(**describe_weighed(made))

    return await once.write(undo)


def _kept(kept: Kept) -> dict[str, int]:
    return {name: getattr(kept, name) for name in KeptOut.model_fields}


def _out(vendor: Vendor) -> VendorOut:
    return VendorOut(id=vendor.id, row=vendor.row, at=vendor.at.isoformat(), **party_to_parsed(vendor.party))
