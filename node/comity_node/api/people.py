"""People and tokens."""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, SecretStr

from comity_node.api.bodies import Body, Id
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.auth import Admin, SignedIn, ThisNode
from comity_node.db import Store
from comity_node.domain.people import Person, PersonRole
from comity_node.services import accounts
from comity_schemas.wire import Slug, text

router = APIRouter(tags=["people"])


class SignIn(Body):
    """A local account's name and password."""

    name: text(100)  # type: ignore[valid-type]
    password: Annotated[SecretStr, Field(min_length=1, max_length=200)]
    label: text(60) = "signed in"  # type: ignore[valid-type]
    hours: Annotated[int, Field(ge=1, le=24 * 90, strict=True)] = 12


class NewTokenOut(BaseModel):
    """A token; its secret is shown this once."""

    id: str
    token: str
    expires_at: datetime


class TokenOut(BaseModel):
    """A token without its secret."""

    id: str
    label: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class NewPerson(Body):
    """An account to add."""

    name: text(100)  # type: ignore[valid-type]
    roles: Annotated[tuple[PersonRole, ...], Field(min_length=1, max_length=5)]
    firm: Slug | None = None
    password: Annotated[SecretStr, Field(min_length=12, max_length=200)]


class PersonOut(BaseModel):
    """An account."""

    id: str
    name: str
    roles: list[PersonRole]
    firm: str | None


@router.post("/tokens", status_code=201, responses=refuses(401))
async def sign_in(body: SignIn, node: ThisNode) -> NewTokenOut:
    """Exchange name and password for an opaque token."""
    async with node.database.read() as store:
        person, stored = await accounts.known_password(store, body.name)
    found = await asyncio.to_thread(accounts.require_password, person, stored, body.password.get_secret_value())
    async with node.database.write() as store:
        token = await accounts.make_token(
            store, found, label=body.label, now=node.clock(), lifetime=timedelta(hours=body.hours)
        )
    return NewTokenOut(id=token.id, token=token.secret, expires_at=token.expires_at)


@router.get("/tokens")
async def list_tokens(person: SignedIn, node: ThisNode) -> list[TokenOut]:
    """Your own tokens, newest first."""
    async with node.database.read() as store:
        tokens = await store.accounts.tokens(person.id)
    return [
        TokenOut(id=t.id, label=t.label, made_at=t.made_at, expires_at=t.expires_at, revoked_at=t.revoked_at)
        for t in tokens
    ]


@router.delete("/tokens/{token_id}", status_code=204, responses=refuses(404))
async def revoke_token(token_id: Id, person: SignedIn, node: ThisNode) -> Response:
    """End one of your own tokens at once."""
    async with node.database.write() as store:
        await accounts.revoke_token(store, person, token_id, node.clock())
    return Response(status_code=204)


@router.get("/me")
async def who_am_i(person: SignedIn) -> PersonOut:
    """Your own account."""
    return _person(person)


@router.get("/people", responses=refuses(403))
async def list_people(person: Admin, node: ThisNode) -> list[PersonOut]:
    """All open accounts."""
    async with node.database.read() as store:
        return [_person(p) for p in await store.accounts.people()]


@router.post("/people", status_code=201, responses=refuses(403, 409))
async def add_person(body: NewPerson, person: Admin, node: ThisNode, once: Onced) -> PersonOut:
    """Add an account."""
    password_hash = await asyncio.to_thread(accounts.hash_password, body.password.get_secret_value())

    async def add(store: Store) -> PersonOut:
        added = await accounts.add_person(
            store,
            name=body.name,
            roles=body.roles,
            firm=body.firm,
            password_hash=password_hash,
            by=person.id,
            now=node.clock(),
        )
        return _person(added)

    return await once.write(add)


@router.delete("/people/{person_id}", status_code=204, responses=refuses(403, 404, 409))
async def close_person(person_id: Id, person: Admin, node: ThisNode, once: Onced) -> Response:
    """Close an account; its tokens end at once."""

    async def close(store: Store) -> None:
        await accounts.close_person(store, person_id, by=person.id, now=node.clock())

    await once.write(close)
    return Response(status_code=204)


def _person(person: Person) -> PersonOut:
    return PersonOut(id=person.id, name=person.name, roles=sorted(person.roles), firm=person.firm)
