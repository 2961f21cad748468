"""Which person is asking, or whether a monitoring system: opaque bearer tokens and roles."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from comity_node.domain.errors import NotAllowed, NotSignedIn
from comity_node.domain.people import Person, PersonRole
from comity_node.services.accounts import bearer
from comity_node.wiring import Node

_bearer = HTTPBearer(auto_error=False, description="An opaque token from `POST /api/v1/tokens`")


def this_node(request: Request) -> Node:
    """Return the node that the app serves."""
    node: Node = request.app.state.node
    return node


ThisNode = Annotated[Node, Depends(this_node)]


def _api_key(request: Request) -> str | None:
    """Return the token as yente's clients send it: the same header, another word before it."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "apikey" else None


async def current_person(
    request: Request, node: ThisNode, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Person:
    """Return who holds the request's token.

    Raises:
        NotSignedIn: no token, or one that is wrong, expired or revoked.
    """
    return await _holder(node, _api_key(request) if credentials is None else credentials.credentials)


async def _holder(node: Node, token: str | None) -> Person:
    if token is None:
        raise NotSignedIn("this needs a token: `Authorization: Bearer ...`")
    async with node.database.read() as store:
        person = await bearer(store, token, node.clock())
    if person is None:
        raise NotSignedIn("this token is wrong, expired or revoked")
    return person


SignedIn = Annotated[Person, Depends(current_person)]


async def reconciling_officer(
    request: Request,
    node: ThisNode,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    api_key: Annotated[
        str | None, Query(max_length=200, description="A token, for clients that send no header")
    ] = None,
) -> Person:
    """Return the officer who reconciles: OpenRefine sends no header, and has the token in the service's address.

    Raises:
        NotSignedIn: no token, or one that is wrong, expired or revoked.
        NotAllowed: somebody else's.
    """
    in_header = _api_key(request) if credentials is None else credentials.credentials
    return _checked(await _holder(node, in_header or api_key), (PersonRole.OFFICER,))


def _checked(person: Person, roles: tuple[PersonRole, ...]) -> Person:
    if not person.roles & set(roles):
        raise NotAllowed(f"this needs one of the roles: {', '.join(sorted(roles))}")
    return person


ReconcilingOfficer = Annotated[Person, Depends(reconciling_officer)]


def person_with(*roles: PersonRole) -> Callable[[Person], Awaitable[Person]]:
    """Return a dependency that lets in people with one of these roles."""

    async def check(person: SignedIn) -> Person:
        return _checked(person, roles)

    return check


async def metrics_reader(
    node: ThisNode, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> None:
    """Let a monitoring system in, by the one token of the setting `metrics_token_file`.

    Raises:
        NotSignedIn: no such token is set, or it is another one.
    """
    expected = await asyncio.to_thread(node.settings.metrics_token)
    if expected is None:
        raise NotSignedIn("this node shows its numbers to nobody: `metrics_token_file` is not set")
    # Any client may be on this machine once a proxy stands before the node, so an address proves nothing.
    if credentials is None or not hmac.compare_digest(credentials.credentials.encode(), expected.encode()):
        raise NotSignedIn("this needs the token of `metrics_token_file`")


MetricsReader = Annotated[None, Depends(metrics_reader)]

Auditor = Annotated[Person, Depends(person_with(PersonRole.AUDITOR))]
Reviewer = Annotated[Person, Depends(person_with(PersonRole.REVIEWER))]
Releaser = Annotated[Person, Depends(person_with(PersonRole.REVIEWER, PersonRole.FOCAL_POINT))]
FocalPoint = Annotated[Person, Depends(person_with(PersonRole.FOCAL_POINT))]
Officer = Annotated[Person, Depends(person_with(PersonRole.OFFICER))]
Staff = Annotated[Person, Depends(person_with(PersonRole.REVIEWER, PersonRole.FOCAL_POINT, PersonRole.OFFICER))]
SupplierReader = Staff
Admin = Annotated[Person, Depends(person_with(PersonRole.ADMIN))]
AuditReader = Annotated[
    Person, Depends(person_with(PersonRole.AUDITOR, PersonRole.REVIEWER, PersonRole.FOCAL_POINT, PersonRole.OFFICER))
]
ContractKeeper = Annotated[
    Person, Depends(person_with(PersonRole.OFFICER, PersonRole.REVIEWER, PersonRole.FOCAL_POINT))
]
ReportReader = Annotated[Person, Depends(person_with(PersonRole.AUDITOR, PersonRole.REVIEWER, PersonRole.FOCAL_POINT))]
RecordReader = Annotated[
    Person, Depends(person_with(PersonRole.REVIEWER, PersonRole.FOCAL_POINT, PersonRole.OFFICER, PersonRole.ADMIN))
]
