"""Screening suppliers: POST, so that nobody's name stands in a URL or a log."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Self

from fastapi import APIRouter
from pydantic import BaseModel, Field, model_validator

from comity_node.api.bodies import Body, Unfit, refuse_nobody
from comity_node.api.contract import refuses
from comity_node.api.risks import WHOSE, RankedOut, ranked_rows, risk_list
from comity_node.auth import Officer, ThisNode
from comity_node.domain.inherent_risk import Sourced
from comity_node.domain.screening import Question
from comity_node.domain.watching.vendors import MOST_ROW
from comity_node.services.answering.answers import describe
from comity_node.services.answering.screen import screen_and_note
from comity_node.services.watching.judging import judged_of_rows
from comity_node.wiring import Node
from comity_schemas.countries import Country
from comity_schemas.identifiers import Identifier
from comity_schemas.wire import text

router = APIRouter(prefix="/screenings", tags=["screening"])

MOST_ASKED = 500


class SupplierIn(Body):
    """Whom you ask about: a name, numbers, or both."""

    name: text(300) | None = None  # type: ignore[valid-type]
    country: Country | None = None
    identifiers: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()
    addresses: Annotated[tuple[text(500), ...], Field(max_length=5)] = ()  # type: ignore[valid-type]
    other_names: Annotated[tuple[text(300), ...], Field(max_length=20)] = ()  # type: ignore[valid-type]
    """Under which it is known too."""
    goods: Annotated[tuple[text(100), ...], Field(max_length=20)] = ()  # type: ignore[valid-type]
    """What it would supply: only for the inherent risk of goods, which is shown beside and changes no answer."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.name is None and not self.identifiers:
            raise Unfit("give a name or an identifier")
        refuse_nobody((*([] if self.name is None else [self.name]), *self.other_names), self.identifiers)
        return self

    @property
    def question(self) -> Question:
        """What is asked."""
        return Question(self.name, self.country, self.identifiers, self.addresses, self.other_names)


class RowAskedIn(SupplierIn):
    """Whom you ask about, and which row of your own list that is."""

    row: text(MOST_ROW) | None = None  # type: ignore[valid-type]
    """Its id: what you judged of it counts, unless you ask under another name, country or number than you judged by."""


class ScreeningIn(Body):
    """Up to 500 suppliers, all asked at the same log positions."""

    suppliers: Annotated[tuple[RowAskedIn, ...], Field(min_length=1, max_length=MOST_ASKED)]


class InherentRisk(BaseModel):
    """What a state's list says of country and goods, each line with whose word it is."""

    words: str
    rows: list[RankedOut]


class ScreeningOut(BaseModel):
    """What this node knew at one moment. Absence is never clearance: see `coverage`."""

    as_of: datetime
    registry_version: int
    positions: dict[str, int]
    coverage: dict[str, Any]
    answers: list[dict[str, Any]]
    inherent_risk: InherentRisk | None = None
    """Of the goods, in the order of the suppliers; null where this member has set no list. Nothing about a supplier."""


@router.post("", responses=refuses(403))
async def screen_suppliers(body: ScreeningIn, person: Officer, node: ThisNode) -> ScreeningOut:
    """Screen suppliers against the local supplier view; no query leaves the node."""
    registry = await node.registry()
    questions = [supplier.question for supplier in body.suppliers]
    rows = [(supplier.row, supplier.question.party) for supplier in body.suppliers]
    judged_in = partial(judged_of_rows, owner=person.id, asked=rows)
    answers = await screen_and_note(node.database, questions, registry, person.id, node.clock(), judged_in)
    return ScreeningOut(**describe(answers), inherent_risk=await _risk_of(body, node))


async def _risk_of(body: ScreeningIn, node: Node) -> InherentRisk | None:
    listed = await risk_list(node)
    if listed is None or not any(s.goods for s in body.suppliers):
        return None
    rows = [Sourced(str(place), s.country, s.goods) for place, s in enumerate(body.suppliers)]
    placed = {int(each.row): each for each in ranked_rows(rows, listed)}
    return InherentRisk(words=WHOSE, rows=[placed[place] for place in range(len(rows))])
