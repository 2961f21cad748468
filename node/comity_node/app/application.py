"""The FastAPI application with its unsafe defaults changed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comity_node import web
from comity_node.api import api_v1, health_router, metrics_router, reconcile_router, yente_router
from comity_node.api.contract import complete
from comity_node.api.problems import add_problems, too_large
from comity_node.services.peers.limits import Limits
from comity_node.wiring import Node
from comity_node.workers.jobs import JobRunner
from comity_node.workers.screening_files import FileScreener
from comity_schemas.report import MAX_REPORT_BYTES

_HEADERS = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
_MOST_BYTES = MAX_REPORT_BYTES + 1024


class SafeHeaders:
    """Outermost of all, the framework's own answers included: all carry the headers, and every error is a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to its answer."""

        replaced = False

        async def send_safe(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and _is_bare_limit(message):
                # The body limit stands before the application and answers in its own words.
                replaced = True
                await too_large()(scope, receive, send_with_headers)
            elif not replaced:
                await send_with_headers(message)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message.get("headers", [])}
                # A page says itself which style it may load; what says nothing may load nothing and is not kept.
                message["headers"] = [*message.get("headers", []), *(each for each in _HEADERS if each[0] not in own)]
            await send(message)

        await self._app(scope, receive, send_safe if scope["type"] == "http" else send)


def _is_bare_limit(message: Message) -> bool:
    headers = {name.lower(): bytes(value) for name, value in message.get("headers", [])}
    return message["status"] == 413 and headers.get(b"content-type", b"").startswith(b"text/plain")


class Application(FastAPI):
    """FastAPI with the safe headers around everything, its own error pages included."""

    def openapi(self) -> dict[str, Any]:
        """Return the contract with all refusals in it; made once."""
        if self.openapi_schema is None:
            self.openapi_schema = complete(super().openapi())
        return self.openapi_schema

    def build_middleware_stack(self) -> ASGIApp:
        """Wrap the whole stack; `add_middleware` would leave the outermost error page bare."""
        return SafeHeaders(super().build_middleware_stack())


def create_app(node: Node) -> FastAPI:
    """Return the application of one node."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        running = [asyncio.create_task(each.run()) for each in (JobRunner(node), FileScreener(node))]
        yield
        for each in running:
            each.cancel()
            with suppress(asyncio.CancelledError):
                await each
        await node.close()

    app = Application(
        title="Comity node",
        version=version("comity"),
        description=__doc__,
        # The documentation pages load scripts from elsewhere; the contract itself stays.
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
        generate_unique_id_function=_name,
        max_body_size=_MOST_BYTES,
        redirect_slashes=False,
    )
    app.state.node = node
    app.state.peer_limits = Limits()
    app.state.link_limits = Limits(at_once=60, a_second=0.5)
    # Of one proposal: three mails at once, then one in ten minutes.
    app.state.mail_limits = Limits(at_once=3, a_second=1 / 600)
    app.state.at_work = set()
    app.router.routes.extend(_routes())
    add_problems(app)
    return app


@cache
def _routes() -> list[BaseRoute]:
    """Return what every application answers; made once: working out what each route takes costs half a second."""
    everything = APIRouter(generate_unique_id_function=_name, max_body_size=_MOST_BYTES)
    for each in (api_v1, health_router, metrics_router):
        everything.include_router(each)
    everything.routes.extend(web.routes)
    for each in (yente_router, reconcile_router):
        everything.include_router(each)
    return everything.routes


def _name(route: APIRoute) -> str:
    return route.name
