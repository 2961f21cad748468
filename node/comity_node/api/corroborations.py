"""Own evidence beside another member's finding: proposed by one person, released by a second."""

from fastapi import APIRouter

from comity_node.api.bodies import Body
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.reviews import ReviewOut, Terms, describe_review
from comity_node.auth import Reviewer, ThisNode, saying
from comity_node.db import Store
from comity_node.services.review import corroborations
from comity_schemas.corroboration import Says
from comity_schemas.report import Ref
from comity_schemas.statement import Kind
from comity_schemas.wire import Digest

router = APIRouter(tags=["review"])


class CorroborationProposal(Body):
    """Propose that a report of this node is told to support or contradict another member's finding."""

    about: Digest
    """The finding, in its newest form."""
    report: Digest
    says: Says
    observation: Ref | None = None
    """Which observation supports it; absent where the report contradicts it."""
    same_subject: bool = False
    """You made sure that both are about the same one, although neither name nor identifier shows it."""
    handling: Terms | None = None
    revises: Digest | None = None


@router.post(
    "/corroborations", status_code=201, dependencies=[saying(Kind.CORROBORATION)], responses=refuses(403, 404, 409)
)
async def propose_corroboration(
    body: CorroborationProposal, person: Reviewer, node: ThisNode, once: Onced
) -> ReviewOut:
    """Propose a corroboration. What is no source of its own is refused; nothing leaves before a second person."""
    evidence = corroborations.Evidence(body.about, body.report, body.says, body.observation, body.same_subject)

    async def propose(store: Store) -> ReviewOut:
        review = await corroborations.propose_corroboration(
            store,
            person,
            evidence,
            own=node.settings.member,
            policy=node.settings.policy,
            now=node.clock(),
            handling=body.handling,
            revises=body.revises,
        )
        return await describe_review(store, review, node)

    return await once.write(propose)
