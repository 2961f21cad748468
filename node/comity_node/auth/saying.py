"""Whether this node's member may say a thing at all: its role in the registry decides, whoever of its people asks."""

from typing import Any

from fastapi import Depends

from comity_node.auth.people import SignedIn, ThisNode
from comity_node.domain.saying import require_may_say
from comity_schemas.statement import Kind


def saying(kind: Kind) -> Any:
    """Return a dependency of an operation that proposes a kind of statement; who is not signed in is told that first.

    Raises:
        CannotPropose: a member of this role may not publish it.
        RegistryMissing: nobody knows yet what this member is.
    """

    async def check(_person: SignedIn, node: ThisNode) -> None:
        require_may_say(await node.own_role(), kind)

    return Depends(check)
