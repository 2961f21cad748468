"""Decisions of authorities: proposed by one person, released by a second. They are orders, not findings."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator

from comity_node.api.bodies import Body, Id
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.reviews import ReviewOut, Terms, describe_review
from comity_node.auth import Releaser, Reviewer, ThisNode, saying
from comity_node.db import Store
from comity_node.domain.errors import NotFound
from comity_node.domain.ruling import Ruling
from comity_node.services.review import decisions
from comity_schemas.decision import Decision
from comity_schemas.statement import Kind
from comity_schemas.wire import Digest

router = APIRouter(tags=["decisions"])


def _read_decision(value: Any) -> Any:
    # As for terms: what came as JSON must be read as JSON.
    return Decision.from_parsed(value) if isinstance(value, dict) else value


class DecisionProposal(Body):
    """Propose that a decision is released; `revises` corrects or lifts an own published one."""

    decision: Annotated[Decision, BeforeValidator(_read_decision)]
    handling: Terms | None = None
    revises: Digest | None = None


class RulingOut(BaseModel):
    """What this node holds of a decision: the source's own words stay, the decision may leave."""

    id: str
    publication: str | None
    written: list[dict[str, str]]
    decision: dict[str, Any]


@router.post("/decisions", status_code=201, dependencies=[saying(Kind.DECISION)], responses=refuses(403, 409))
async def propose_decision(body: DecisionProposal, person: Reviewer, node: ThisNode, once: Onced) -> ReviewOut:
    """Propose that a decision is released. Nothing leaves before a second person approves."""

    async def propose(store: Store) -> ReviewOut:
        now = node.clock()
        stored = await decisions.keep_ruling(store, person, Ruling(v=1, decision=body.decision), now)
        review = await decisions.propose_decision(
            store, person, stored, now=now, handling=body.handling, revises=body.revises
        )
        return await describe_review(store, review, node)

    return await once.write(propose)


@router.get("/rulings/{ruling_id}", responses=refuses(403, 404))
async def get_ruling(ruling_id: Id, person: Releaser, node: ThisNode) -> RulingOut:
    """The source's own words beside the decision that would leave."""
    async with node.database.read() as store:
        stored = await store.rulings.find(ruling_id)
    if stored is None:
        raise NotFound("no such ruling")
    ruling = Ruling.model_validate_json(stored.raw)
    return RulingOut(
        id=stored.id,
        publication=ruling.publication,
        written=[{"what": w.what, "words": w.words} for w in ruling.written],
        decision=ruling.decision.to_parsed(),
    )
