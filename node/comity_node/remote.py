"""A person at a running node: `COMITY_URL` and `COMITY_TOKEN`, for everything that somebody answers for."""

import os
import time
import uuid
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import httpx2

from comity_schemas.errors import ComityError

_PAUSE_S = 0.5
_PAGE = 200


class NodeUnreachable(ComityError):
    """The node at COMITY_URL does not answer. Nothing was changed."""

    code: ClassVar[str] = "remote.unreachable"


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
        self._url = (url or os.environ.get("COMITY_URL") or "http://127.0.0.1:8400").rstrip("/")
        token = token or os.environ.get("COMITY_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx2.Client(base_url=self._url, headers=headers, timeout=timeout_s)

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
        return self._ask("GET", path, params={k: v for k, v in params.items() if v is not None}).json()

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
                if response.is_error:
                    response.read()
                    raise NodeRefused(response.status_code, _problem(response))
                yield from response.iter_bytes()
        except httpx2.HTTPError as error:
            raise self._unreachable() from error

    def patch_bytes(self, path: str, content: bytes, *, offset: int) -> Any:
        """Return the JSON of a PATCH of a file's piece; the offset makes that asking again does nothing twice."""
        headers = {"Content-Type": "application/octet-stream"}
        return self._ask("PATCH", path, content=content, headers=headers, params={"offset": offset}).json()

    def post(self, path: str, body: Any = None) -> Any:
        """Return the JSON of a POST with a JSON body; asked again if no answer came, yet done once."""
        return self._ask_once(path, json=body).json()

    def patch(self, path: str, body: Any) -> Any:
        """Return the JSON of a PATCH with a JSON body; as `post`."""
        return self._ask_once(path, method="PATCH", json=body).json()

    def post_for_nothing(self, path: str) -> None:
        """Send a POST that is answered without content; as `post`."""
        self._ask_once(path)

    def post_bytes(self, path: str, content: bytes, media_type: str) -> Any:
        """Return the JSON of a POST of exact bytes; as `post`."""
        return self._ask_once(path, content=content, headers={"Content-Type": media_type}).json()

    def put(self, path: str, body: Any) -> Any:
        """Return the JSON of a PUT of a JSON body; what is put is the same however often."""
        return self._ask("PUT", path, json=body).json()

    def delete(self, path: str) -> None:
        """Send a DELETE."""
        self._ask("DELETE", path)

    def _ask_once(
        self, path: str, headers: dict[str, str] | None = None, method: str = "POST", **more: Any
    ) -> httpx2.Response:
        given = {**(headers or {}), "Idempotency-Key": str(uuid.uuid4())}
        for last in (False, True):
            try:
                return self._ask(method, path, headers=given, **more)
            except NodeUnreachable:
                if last:
                    raise
                time.sleep(_PAUSE_S)
        raise AssertionError("unreachable")

    def _ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        try:
            response = self._client.request(method, f"/api/v1{path}", **more)
        except httpx2.HTTPError as error:
            raise self._unreachable() from error
        if response.is_error:
            raise NodeRefused(response.status_code, _problem(response))
        return response

    def _unreachable(self) -> NodeUnreachable:
        return NodeUnreachable(f"no node answers at {self._url}; is `comity serve` running there?")


def _problem(response: httpx2.Response) -> dict[str, Any]:
    try:
        problem = response.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
