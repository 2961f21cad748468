"""Which member's node is calling: a peer token for this node, of an active member, and not too often.

A caller that is none is told nothing but that: no reason, no name.
"""

from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from comity_federation.peer_tokens import PeerTokenRefused, open_peer_token
from comity_node.auth.people import ThisNode
from comity_node.domain.errors import NotSignedIn
from comity_node.services.peers.limits import Limits
from comity_schemas.member import Member

_peer_token = HTTPBearer(
    auto_error=False,
    scheme_name="PeerToken",
    bearerFormat="JWT",
    description="A token that an active member's node has signed for this node, at most a minute ago",
)

log = structlog.get_logger(__name__)


def peer_limits(request: Request) -> Limits:
    """Return the allowances of callers, kept by the app."""
    limits: Limits = request.app.state.peer_limits
    return limits


PeerLimits = Annotated[Limits, Depends(peer_limits)]


async def calling_member(
    node: ThisNode,
    limits: PeerLimits,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_peer_token)],
) -> Member:
    """Return the member whose node calls.

    Raises:
        NotSignedIn: no token of an active member for this node now.
        TooManyRequests: this member's nodes asked too much.
    """
    refusal = NotSignedIn("this needs a token that an active member has signed for this node")
    if credentials is None:
        raise refusal
    registry = await node.registry()
    audience = node.own_member(registry).did
    try:
        member = open_peer_token(credentials.credentials, registry.by_did, audience, node.clock())
    except PeerTokenRefused as error:
        log.info("peer.not_let_in", reason=error.reason)
        raise refusal from error
    limits.take_one(member.slug)
    return member


CallingMember = Annotated[Member, Depends(calling_member)]
"""An active member's node. A route that depends on this answers nobody else, no person either."""
