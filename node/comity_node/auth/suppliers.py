"""Which supplier is asking: whoever has the secret of a personal link that is good now."""

from fastapi import Request

from comity_node.db.supplier_links import SupplierLink
from comity_node.domain.errors import NotSignedIn
from comity_node.services.peers.limits import Limits
from comity_node.services.review import supplier_links
from comity_node.wiring import Node

_WRONG = "wrong"
"""All wrong secrets together are one caller: a good link is not slowed by them, and no memory grows with them."""


async def link_holder(request: Request, node: Node, secret: str) -> SupplierLink:
    """Return the link of a secret, if its supplier has not asked too much.

    Raises:
        NotSignedIn: wrong or revoked.
        TooManyRequests: more than one supplier may ask.
    """
    limits: Limits = request.app.state.link_limits
    try:
        async with node.database.read() as store:
            link = await supplier_links.open_link(store, secret)
    except NotSignedIn:
        limits.take_one(_WRONG)
        raise
    limits.take_one(link.id)
    return link
