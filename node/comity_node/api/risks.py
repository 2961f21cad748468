"""Inherent risk of goods by country: a state's list that this member has chosen to read. Local; never published."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from comity_node.api.bodies import Body
from comity_node.api.contract import refuses
from comity_node.auth import Officer, ThisNode
from comity_node.domain.inherent_risk import GoodsRisk, Ranked, RiskList, Sourced, rank, read_goods_risks
from comity_node.vocabulary import countries
from comity_node.wiring import Node
from comity_schemas.countries import Country
from comity_schemas.wire import text

router = APIRouter(prefix="/risks", tags=["risk"])

OFF = "no list of risks is set at this node; it is off unless a member sets goods_risk_file"
WHOSE = "the word of a state about goods from a country; not this node's opinion, and nothing about any supplier"


class RiskOut(BaseModel):
    """One good from one country, and whose word it is."""

    good: str
    sector: str
    country: str
    says: list[str]
    according_to: str


class RisksOut(BaseModel):
    """What the list says. Empty lines are no clearance of anything."""

    on: bool
    words: str
    risks: list[RiskOut]


@router.get("", responses=refuses(403))
async def list_risks(
    person: Officer,
    node: ThisNode,
    country: Country | None = None,
    good: Annotated[str | None, Query(max_length=100)] = None,
) -> RisksOut:
    """Lines of the list of goods by country that this member has set; off by default."""
    listed = await risk_list(node)
    if listed is None:
        return RisksOut(on=False, words=OFF, risks=[])
    return RisksOut(on=True, words=WHOSE, risks=[_said(risk) for risk in listed.find(country, good or None)])


async def risk_list(node: Node) -> RiskList | None:
    """Return the list that this member has set; None where it is off."""
    path = node.settings.goods_risk_file
    return None if path is None else await asyncio.to_thread(_read, path)


class SourcedIn(Body):
    """A row of your own list, and the goods that it supplies. Without a country, that of your watched row so named."""

    row: text(100)  # type: ignore[valid-type]
    country: Country | None = None
    goods: Annotated[tuple[text(100), ...], Field(max_length=20)] = ()  # type: ignore[valid-type]


class RowsToRank(Body):
    """Up to 2,000 rows."""

    rows: Annotated[tuple[SourcedIn, ...], Field(min_length=1, max_length=2_000)]


class RankedOut(BaseModel):
    """A row, why it stands where it does, and the lines that say so; at most ten are shown."""

    rank: int
    row: str
    country: str | None
    goods: list[str]
    because: str
    lines: list[RiskOut]
    further_lines: int


class RankedRowsOut(BaseModel):
    """Your rows by the inherent risk of what they supply; nothing about any supplier."""

    on: bool
    words: str
    rows: list[RankedOut]


@router.post("/rank", responses=refuses(403))
async def rank_rows(body: RowsToRank, person: Officer, node: ThisNode) -> RankedRowsOut:
    """Rows of a list by the inherent risk of country and good, each with the reason; off by default."""
    listed = await risk_list(node)
    if listed is None:
        return RankedRowsOut(on=False, words=OFF, rows=[])
    unplaced = [each.row for each in body.rows if each.country is None]
    async with node.database.read() as store:
        watched = await store.vendors.of_rows(person.id, unplaced) if unplaced else {}
    rows = [
        Sourced(each.row, each.country or (known.party.country if known is not None else None), each.goods)
        for each in body.rows
        for known in (watched.get(each.row),)
    ]
    return RankedRowsOut(on=True, words=WHOSE, rows=await asyncio.to_thread(ranked_rows, rows, listed))


def ranked_rows(rows: Sequence[Sourced], listed: RiskList) -> list[RankedOut]:
    """Return rows ranked, with the lines of the list that place them."""
    return [_row(place, each) for place, each in enumerate(rank(rows, listed), 1)]


MOST_LINES = 10


def _row(place: int, ranked: Ranked) -> RankedOut:
    return RankedOut(
        rank=place,
        row=ranked.row.row,
        country=ranked.row.country,
        goods=list(ranked.row.goods),
        because=ranked.level.value,
        lines=[_said(line) for line in ranked.lines[:MOST_LINES]],
        further_lines=max(0, len(ranked.lines) - MOST_LINES),
    )


def _read(path: Path) -> RiskList:
    with path.open("rb") as stream:
        return read_goods_risks(stream, countries().read)


def _said(risk: GoodsRisk) -> RiskOut:
    return RiskOut(
        good=risk.good,
        sector=risk.sector,
        country=risk.country,
        says=[what.value for what in risk.says],
        according_to=risk.according_to,
    )
