"""Inherent risk of goods by country: a state's list that this member has chosen to read. Local; never published."""

import asyncio
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from comity_node.api.contract import refuses
from comity_node.auth import Officer, ThisNode
from comity_node.domain.inherent_risk import GoodsRisk, RiskList, read_goods_risks
from comity_node.vocabulary import countries
from comity_schemas.countries import Country

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
    path = node.settings.goods_risk_file
    if path is None:
        return RisksOut(on=False, words=OFF, risks=[])
    found = (await asyncio.to_thread(_read, path)).find(country, good)
    return RisksOut(on=True, words=WHOSE, risks=[_said(risk) for risk in found])


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
