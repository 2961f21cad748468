"""The FastAPI application with its unsafe defaults changed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comity_node.api import api_v1, health_router
from comity_node.api.problems import add_problems
from comity_node.wiring import Node
from comity_schemas.report import MAX_REPORT_BYTES

_HEADERS = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]


class SafeHeaders:
    """Outermost pure ASGI middleware, so that errors carry the headers too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to its answer."""

        async def send_safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS]
            await send(message)

        await self._app(scope, receive, send_safe if scope["type"] == "http" else send)


def create_app(node: Node) -> FastAPI:
    """Return the application of one node."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await node.close()

    app = FastAPI(
        title="Comity node",
        version=version("comity"),
        description=__doc__,
        # The documentation pages load scripts from elsewhere; the contract itself stays.
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
        max_body_size=MAX_REPORT_BYTES + 1024,
        redirect_slashes=False,
    )
    app.state.node = node
    app.include_router(api_v1)
    app.include_router(health_router)
    add_problems(app)
    app.add_middleware(SafeHeaders)
    return app
