"""What the contract says about refusals: every status an operation may answer, each with a problem.

An operation names what it can refuse (`responses=refuses(404, 409)`); what all have in common is added here. Tests
hold the contract to what the node really answers.
"""

from typing import Any

_WORDS: dict[int, str] = {
    400: "the request cannot be read at all",
    401: "no token, or one that is wrong, expired or revoked",
    403: "your roles, or your firm, do not cover this",
    404: "no such thing, or not for you: the answer is the same",
    409: "it does not fit what was done before; nothing was changed",
    410: "what this was about does not stand any more",
    413: "the body is larger than any request may be",
    415: "the body is of another media type",
    422: "the request does not fit; nothing was changed",
    429: "too often; `Retry-After` says when to ask again",
    503: "the database or the registry is not there; try again in a moment",
}
_PROBLEM = "application/problem+json"
_METHODS = ("get", "post", "put", "patch", "delete")

_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "description": "RFC 9457. Switch on `code`; docs/errors.md lists them. What was sent is never repeated.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "allowed": {
            "type": "array",
            "description": "With `review.status-may-not-follow`: what could be said instead.",
            "items": {"type": "string"},
        },
        "errors": {
            "type": "array",
            "description": "With `request.malformed`: where, and what kind.",
            "items": {
                "type": "object",
                "required": ["loc", "type"],
                "properties": {"loc": {"type": "array", "items": {"type": "string"}}, "type": {"type": "string"}},
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


def refuses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return, for an operation's `responses`, what it can refuse beside what all can."""
    return {status: {"description": _WORDS[status]} for status in statuses}


def sends(media_type: str) -> dict[int | str, dict[str, Any]]:
    """Return, for an operation's `responses`, that it answers bytes of this media type."""
    return {200: {"description": "as they are", "content": {media_type: {}}}}


def complete(contract: dict[str, Any]) -> dict[str, Any]:
    """Add to FastAPI's contract the refusals that operations have in common, and the form of them all."""
    schemas = contract["components"]["schemas"]
    for framework in ("HTTPValidationError", "ValidationError"):
        schemas.pop(framework, None)
    schemas["Problem"] = _SCHEMA
    for path, item in contract["paths"].items():
        for method in _METHODS:
            if method in item:
                _complete(item[method], path)
    return contract


def _complete(operation: dict[str, Any], path: str) -> None:
    answers = operation["responses"]
    common = []
    if operation.get("security"):
        common.append(401)
    if "requestBody" in operation:
        common += [400, 413, 422]
    if path != "/healthz":
        common.append(503)
    for status in common:
        answers.setdefault(str(status), {"description": _WORDS[status]})
    if "422" in answers:
        answers["422"] = {"description": _WORDS[422]}
    for status, answer in answers.items():
        if status.startswith(("4", "5")):
            answer.setdefault("content", {_PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}})
