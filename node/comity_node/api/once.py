"""Writes that may be asked for again: an `Idempotency-Key` names a request, and what it did is done once.

The answer is kept for a day, in the transaction that did the work: after a crash either both are there or neither is.
Only what was done is kept; a refused request may be asked again and is judged anew.
Source: draft-ietf-httpapi-idempotency-key-header.
"""

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, ClassVar, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from comity_node.auth import SignedIn, ThisNode
from comity_node.db import Store
from comity_node.db.given_answers import GivenAnswer
from comity_node.domain.people import Person
from comity_node.wiring import Node
from comity_schemas.errors import ComityError

Answer = TypeVar("Answer", bound=BaseModel | None)

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r'^([!#-~]{8,128}|"[!#-~]{8,126}")$',
        description="Names this request, so that asking again does nothing twice; kept for 24 hours.",
    ),
]


class KeyReused(ComityError):
    """This key named another request of yours within a day; nothing was done."""

    code: ClassVar[str] = "idempotency.key-reused"


class KeyInUse(ComityError):
    """The request that this key names is being worked on now; ask again in a moment."""

    code: ClassVar[str] = "idempotency.in-progress"


class AnsweredBefore(Exception):
    """Not an error: the answer was given before, and is given again."""

    def __init__(self, given: GivenAnswer) -> None:
        self.given = given


class Once:
    """One write of one person."""

    def __init__(self, node: Node, person: Person, key: str | None, request: str, status: int) -> None:
        self._node = node
        self._person = person
        self._key = key
        self._request = request
        self._status = status

    async def look(self) -> None:
        """End the request with the answer given before, if there is one.

        Raises:
            AnsweredBefore: caught by the application, which gives the answer again.
            KeyReused: the key named another request.
        """
        if self._key is not None:
            async with self._node.database.read() as store:
                await self._check(store, self._key)

    async def write(self, work: Callable[[Store], Awaitable[Answer]]) -> Answer:
        """Do the work in one transaction together with keeping its answer, unless it was done before.

        Raises:
            AnsweredBefore, KeyReused: as `look`, for whoever came in between.
        """
        async with self._node.database.write() as store:
            if self._key is None:
                return await work(store)
            await self._check(store, self._key)
            answer = await work(store)
            body = "" if answer is None else answer.model_dump_json()
            given = GivenAnswer(self._request, self._status, body)
            await store.given_answers.keep(self._person.id, self._key, given, self._node.clock())
            return answer

    async def _check(self, store: Store, key: str) -> None:
        given = await store.given_answers.find(self._person.id, key, self._node.clock())
        if given is None:
            return
        if given.request != self._request:
            raise KeyReused("this Idempotency-Key named another request of yours; nothing was done. Use a new one")
        raise AnsweredBefore(given)


async def _once(request: Request, node: ThisNode, person: SignedIn, key: Key = None) -> AsyncIterator[Once]:
    status = request.scope["route"].status_code or 200
    if key is None:
        yield Once(node, person, None, "", status)
        return
    at_work: set[tuple[str, str]] = request.app.state.at_work
    mine = (person.id, key.strip('"'))
    if mine in at_work:
        raise KeyInUse("the request of this Idempotency-Key is being worked on; ask again in a moment")
    at_work.add(mine)
    try:
        once = Once(node, person, mine[1], await _name(request, node), status)
        await once.look()
        yield once
    finally:
        at_work.discard(mine)


Onced = Annotated[Once, Depends(_once)]
"""To stand last among an operation's parameters: who may not ask is told that first."""


def again(given: GivenAnswer) -> Response:
    """Return an answer as it was given before."""
    media_type = "application/json" if given.body else None
    return Response(given.body, given.status, {"Idempotency-Replayed": "true"}, media_type)


async def _name(request: Request, node: Node) -> str:
    # Keyed: a body can hold a password, and a bare digest of it could be guessed from a copy of the database.
    keyed = hmac.new(node.home.secret.read_bytes(), digestmod="sha256")
    for part in (request.method, request.url.path, request.url.query):
        keyed.update(part.encode() + b"\0")
    keyed.update(await request.body())
    return keyed.hexdigest()
