"""An audit outside its firm's authorisations: stored, marked, and yielding findings only when two reviewers say why."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints

from comity_node.api.bodies import Body, Id
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.visible import read_report, visible_report
from comity_node.auth import Releaser, Reviewer, ThisNode
from comity_node.db import Store
from comity_node.domain.allowing import Allowance, AllowanceCode, Why
from comity_node.services.review import allowances
from comity_schemas.wire import PRINTABLE

router = APIRouter(tags=["review"])


class WhyIn(Body):
    """Why, as a code and in words that stay at this node."""

    code: AllowanceCode
    words: Annotated[str, StringConstraints(min_length=3, max_length=1_000, pattern=PRINTABLE, strip_whitespace=True)]


class SecondWhyIn(WhyIn):
    """What the second reviewer decides, and why."""

    allow: bool


class WhyOut(BaseModel):
    """What one reviewer said."""

    by: str
    at: datetime
    code: AllowanceCode
    words: str


class AllowanceOut(BaseModel):
    """What two reviewers say to an audit: `proposed`, `allowed` or `declined`."""

    id: str
    report: str
    state: str
    first: WhyOut
    second: WhyOut | None

    @classmethod
    def of(cls, allowance: Allowance) -> Self:
        """Return an allowance as the API shows it."""
        second = None if allowance.second is None else _why(allowance.second)
        first = _why(allowance.first)
        return cls(id=allowance.id, report=allowance.report_id, state=allowance.state, first=first, second=second)


class AllowancesOut(BaseModel):
    """All that was said, oldest first."""

    items: list[AllowanceOut]


@router.post("/reports/{report_id}/allowances", status_code=201, responses=refuses(403, 404, 409))
async def propose_allowance(report_id: Id, body: WhyIn, person: Reviewer, node: ThisNode, once: Onced) -> AllowanceOut:
    """Propose that it may yield findings all the same. Nothing changes before a second reviewer says why too."""

    async def write(store: Store) -> AllowanceOut:
        report = await visible_report(store, report_id, person)
        made = await allowances.propose_allowance(store, person, report, body.code, body.words, node.clock())
        return AllowanceOut.of(made)

    return await once.write(write)


@router.get("/reports/{report_id}/allowances", responses=refuses(403, 404))
async def list_allowances(report_id: Id, person: Releaser, node: ThisNode) -> AllowancesOut:
    """What reviewers said to an audit outside its firm's authorisations. Each reading is on the trail."""
    async with node.database.write() as store:
        await read_report(store, report_id, person, node.clock(), what="allowances")
        found = await store.allowances.of_report(report_id)
    return AllowancesOut(items=[AllowanceOut.of(each) for each in found])


@router.post("/allowances/{allowance_id}/decide", responses=refuses(403, 404, 409))
async def decide_allowance(
    allowance_id: Id, body: SecondWhyIn, person: Reviewer, node: ThisNode, once: Onced
) -> AllowanceOut:
    """Allow or decline it as the second reviewer."""

    async def write(store: Store) -> AllowanceOut:
        decided = await allowances.decide_allowance(
            store, person, allowance_id, body.code, body.words, node.clock(), allow=body.allow
        )
        return AllowanceOut.of(decided)

    return await once.write(write)


def _why(why: Why) -> WhyOut:
    return WhyOut(by=why.by, at=why.at, code=why.code, words=why.words)
