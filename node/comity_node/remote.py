"""A person at a running node: `COMITY_URL` and `COMITY_TOKEN`, for everything that somebody answers for."""

import os
import time
import uuid
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import httpx2

from comity_schemas.errors import ComityError

_PAUSE_S = 0.5
_PATIENCE_S = 60.0
"""How long to wait for the answer to something that the node says it is working on."""
_PAGE = 200
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


class NodeUnreachable(ComityError):
    """No node answers at COMITY_URL, or no answer of one came.

    Attributes:
        sent: whether the request may have reached a node, and been done.
    """

    code: ClassVar[str] = "remote.unreachable"

    def __init__(self, text: str, *, sent: bool) -> None:
        super().__init__(text)
        self.sent = sent


class TokenUnfit(ComityError):
    """COMITY_TOKEN holds what can be no token. Nothing was sent."""

    code: ClassVar[str] = "remote.token"


class NodeRefused(ComityError):
    """The node answered no; its own code and words are passed on."""

    code: ClassVar[str] = "remote.refused"

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{problem.get('detail', 'the node refused')} ({problem.get('code', status)})")
        self.status = status
        self.problem = problem


class Remote:
    """One node's API as one person."""

    def __init__(self, url: str | None = None, token: str | None = None, *, timeout_s: float = 60) -> None:
        """Connect to nothing yet.

        Raises:
            NodeUnreachable, TokenUnfit: see there.
        """
        self._url = (url or os.environ.get("COMITY_URL") or "http://127.0.0.1:8400").rstrip("/")
        token = token or os.environ.get("COMITY_TOKEN")
        if token and not (token.isascii() and token.isprintable()):
            raise TokenUnfit(
                "COMITY_TOKEN holds what can be no token; nothing was sent. Sign in: comity token new NAME"
            )
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            # A proxy of the environment is for https only, of which it sees nothing: over http it would read the token
            # and whom is asked about, also of a node on this machine.
            through_proxy = self._url.startswith("https:")
            self._client = httpx2.Client(
                base_url=self._url, headers=headers, timeout=timeout_s, trust_env=through_proxy
            )
        except httpx2.InvalidURL as error:
            raise NodeUnreachable(f"{self._url} is no address, such as http://127.0.0.1:8400", sent=False) from error

    def __enter__(self) -> Self:
        """Begin with nothing sent."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def get(self, path: str, **params: Any) -> Any:
        """Return the JSON of a GET.

        Raises:
            NodeUnreachable, NodeRefused: see there.
        """
        return self._json(self._ask("GET", path, params={k: v for k, v in params.items() if v is not None}))

    def every(self, path: str, **wanted: Any) -> Iterator[dict[str, Any]]:
        """Give the items of a list from its first page to its last, each page once it is needed."""
        cursor: str | None = None
        while True:
            page = self.get(path, **wanted, limit=_PAGE, cursor=cursor)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def get_bytes(self, path: str) -> bytes:
        """Return the exact bytes of a GET."""
        return self._ask("GET", path).content

    def stream(self, path: str) -> Iterator[bytes]:
        """Give the bytes of a GET as they come; nothing is kept in memory."""
        try:
            with self._client.stream("GET", f"/api/v1{path}") as response:
                if not response.is_success:
                    response.read()
                    raise self._refusal(response)
                yield from response.iter_bytes()
        except httpx2.HTTPError as error:
            raise self._unreachable(error) from error

    def patch_bytes(self, path: str, content: bytes, *, offset: int) -> Any:
        """Return the JSON of a PATCH of a file's piece; the offset makes that asking again does nothing twice."""
        headers = {"Content-Type": "application/octet-stream"}
        return self._json(self._ask("PATCH", path, content=content, headers=headers, params={"offset": offset}))

    def post(self, path: str, body: Any = None) -> Any:
        """Return the JSON of a POST with a JSON body; asked again if no answer came, yet done once."""
        return self._json(self._ask_once(path, json=body))

    def patch(self, path: str, body: Any) -> Any:
        """Return the JSON of a PATCH with a JSON body; as `post`."""
        return self._json(self._ask_once(path, method="PATCH", json=body))

    def post_for_nothing(self, path: str) -> None:
        """Send a POST that is answered without content; as `post`."""
        self._ask_once(path)

    def post_bytes(self, path: str, content: bytes, media_type: str) -> Any:
        """Return the JSON of a POST of exact bytes; as `post`."""
        return self._json(self._ask_once(path, content=content, headers={"Content-Type": media_type}))

    def put(self, path: str, body: Any) -> Any:
        """Return the JSON of a PUT of a JSON body; what is put is the same however often."""
        return self._json(self._ask("PUT", path, json=body))

    def delete(self, path: str) -> None:
        """Send a DELETE."""
        self._ask("DELETE", path)

    def _ask_once(
        self, path: str, headers: dict[str, str] | None = None, method: str = "POST", **more: Any
    ) -> httpx2.Response:
        """Ask under one key, once more where no answer came, and until it is there where the node still works on it.

        Raises:
            NodeUnreachable: no answer came; the text says whether it may have been done.
            NodeRefused: see there.
        """
        given = {**(headers or {}), "Idempotency-Key": str(uuid.uuid4())}
        sent, unanswered, until = False, 0, time.monotonic() + _PATIENCE_S
        while True:
            try:
                return self._ask(method, path, headers=given, **more)
            except NodeUnreachable as error:
                sent, unanswered = sent or error.sent, unanswered + 1
                if unanswered == 2:
                    if sent:
                        raise self._unanswered() from error
                    raise
            except NodeRefused as error:
                if error.problem.get("code") != "idempotency.in-progress":
                    raise
                if time.monotonic() > until:
                    raise self._unanswered() from error
            time.sleep(_PAUSE_S)

    def _ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        try:
            response = self._client.request(method, f"/api/v1{path}", **more)
        except httpx2.HTTPError as error:
            raise self._unreachable(error) from error
        if not response.is_success:
            raise self._refusal(response)
        return response

    def _json(self, response: httpx2.Response) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise self._no_node(response) from error

    def _refusal(self, response: httpx2.Response) -> NodeRefused | NodeUnreachable:
        try:
            problem = response.json()
        except ValueError:
            problem = None
        if response.is_error and isinstance(problem, dict) and "code" in problem:
            return NodeRefused(response.status_code, problem)
        return self._no_node(response)

    def _no_node(self, response: httpx2.Response) -> NodeUnreachable:
        # A proxy that waits no longer for the node answers so too: then the node may have done it.
        return NodeUnreachable(
            f"what answers at {self._url} is no node: it says {response.status_code}. Is COMITY_URL the node's own "
            "address, with https if a proxy wants it, and does the node run?",
            sent=response.is_server_error,
        )

    def _unreachable(self, error: httpx2.HTTPError) -> NodeUnreachable:
        return NodeUnreachable(
            f"no node answers at {self._url}; is `comity serve` running there?",
            sent=not isinstance(error, _NEVER_SENT),
        )

    def _unanswered(self) -> NodeUnreachable:
        return NodeUnreachable(
            f"no answer came from {self._url}, so it may have been done or not: look before you ask for it again",
            sent=True,
        )
