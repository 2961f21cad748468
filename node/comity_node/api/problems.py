"""Errors as RFC 9457 problem details: the only place that knows which error has which HTTP status.

A problem tells what happened and what is safe; never the body that was sent: it could hold what must stay.
"""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from comity_node.api.misfits import in_words, without_followers
from comity_node.api.once import AnsweredBefore, again
from comity_node.domain.errors import StatusMayNotFollow, TextRefused, TooManyRequests
from comity_schemas.errors import ComityError

STATUS: dict[str, int] = {
    "not-signed-in": 401,
    "wrong-password": 401,
    "not-allowed": 403,
    "not-found": 404,
    "link.ended": 410,
    "web.form-refused": 400,
    "mail.not-sent": 503,
    "vendor-contacts.refused": 422,
    "vendor-contacts.none": 409,
    "too-many-requests": 429,
    "name-taken": 409,
    "last-administrator": 409,
    "conflict": 409,
    "review.same-person": 409,
    "review.focal-point-needed": 409,
    "review.already-decided": 409,
    "review.already-proposed": 409,
    "review.cannot-propose": 409,
    "review.not-independent": 409,
    "review.already-audited": 409,
    "review.handling-refused": 422,
    "review.not-published": 409,
    "reply.text-refused": 422,
    "review.contradictory": 422,
    "review.not-yet": 409,
    "review.held-back": 409,
    "review.status-may-not-follow": 409,
    "plan.may-not": 409,
    "supplier.already-judged": 409,
    "supplier.judgement-contradicts": 409,
    "case.step-may-not-follow": 409,
    "supplier.fact-refused": 409,
    "factory-list.already": 409,
    "contract.may-not": 409,
    "contract.exit-plan-missing": 409,
    "contract.reference-taken": 409,
    "screening.reference-taken": 409,
    "screening.may-not": 409,
    "screening.nothing-to-raise": 409,
    "contract.sheet-refused": 422,
    "table.refused": 422,
    "screening-file.too-many": 409,
    "screening-file.process-ended": 503,
    "report.expired": 404,
    "report.key-gone": 404,
    "report.too-large": 413,
    "report.malformed": 422,
    "report.altered": 422,
    "report.bad-signature": 422,
    "report.unknown-auditor": 403,
    "report.auditor-not-active": 403,
    "report.another-firm": 403,
    "report.supersedes-unknown": 409,
    "report.section-not-shown": 409,
    "review.objection-stands": 409,
    "review.basis-withdrawn": 409,
    "batch.sample-not-opened": 409,
    "evidence.refused": 422,
    "evidence.wrong-offset": 409,
    "evidence.unreadable": 409,
    "evidence.not-here": 404,
    "evidence.scanner-unavailable": 503,
    "report.follow-up-refused": 409,
    "crosswalk.unknown": 404,
    "crosswalk.refused": 422,
    "import.mapping-refused": 422,
    "import.file-unreadable": 422,
    "idempotency.key-reused": 422,
    "idempotency.in-progress": 409,
    "database.unavailable": 503,
    "database.key-gone": 503,
    "registry.missing": 503,
    "registry.expired": 503,
    "request.malformed": 422,
    "convention.refused": 400,
    "request.content-type": 415,
    "request.too-large": 413,
    "request.cursor": 422,
    "changes.cursor-lost": 409,
    "vendor.too-many": 409,
    "vendor.judgement-refused": 409,
    "watch.refused": 409,
    "delivery.not-taken": 503,
}
"""Stable code to status. A code that is not here is our fault and answers 500."""

_HTTP_CODES = {404: "not-found", 405: "request.method", 413: "request.too-large", 415: "request.content-type"}
_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}
"""By status; 503 goes away by itself or is soon seen to, so a client may ask again after seconds."""


class Problem(JSONResponse):
    """An `application/problem+json` answer."""

    media_type = "application/problem+json"

    def __init__(self, status: int, code: str, detail: str, **more: Any) -> None:
        body = {"type": f"urn:comity:problem:{code}", "title": code, "status": status, "code": code, "detail": detail}
        super().__init__({**body, **more}, status_code=status, headers=_HEADERS.get(status))


def too_large() -> Problem:
    """Return the answer to a body that is too large to be looked at."""
    return Problem(413, "request.too-large", "the request is too large; nothing of it was read or stored")


def add_problems(app: FastAPI) -> None:
    """Let the app answer every error as a problem."""
    app.add_exception_handler(ComityError, _comity)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(AnsweredBefore, _again)
    app.add_exception_handler(Exception, _unexpected)


async def _comity(_request: Request, error: Exception) -> Problem:
    assert isinstance(error, ComityError)
    status = STATUS.get(error.code, 500)
    more: dict[str, Any] = {}
    if isinstance(error, StatusMayNotFollow):
        # What could be said instead, for programs; people find it in the text.
        more["allowed"] = [each.value for each in error.allowed]
    elif isinstance(error, TextRefused):
        more["errors"] = [{"loc": ["text", str(start), str(end)], "type": kind} for kind, start, end in error.problems]
    answer = Problem(status, error.code, str(error) if status != 500 else "something went wrong at this node", **more)
    if isinstance(error, TooManyRequests):
        answer.headers["Retry-After"] = str(error.retry_after_s)
    return answer


async def _again(_request: Request, before: Exception) -> Response:
    assert isinstance(before, AnsweredBefore)
    return again(before.given)


async def _malformed(_request: Request, error: Exception) -> Problem:
    assert isinstance(error, RequestValidationError)
    # Where and what kind, never the input: FastAPI's own answer sends the whole body back.
    errors = without_followers(error.errors())
    places = [{"loc": [str(part) for part in e["loc"]], "type": e["type"]} for e in errors[:20]]
    return Problem(422, "request.malformed", in_words(errors), errors=places)


async def _http(_request: Request, error: Exception) -> Problem:
    assert isinstance(error, HTTPException)
    code = _HTTP_CODES.get(error.status_code, "request.refused")
    detail = "the body is no JSON in UTF-8; nothing was changed" if _is_unreadable(error) else str(error.detail)
    problem = Problem(error.status_code, code, detail)
    # Such as `Allow`, which says what would be answered.
    problem.headers.update(error.headers or {})
    return problem


def _is_unreadable(error: HTTPException) -> bool:
    # What the framework says of a body that it stumbles over tells nobody what to do.
    return error.status_code == 400 and isinstance(error.__cause__, UnicodeDecodeError)


async def _unexpected(_request: Request, _error: Exception) -> Problem:
    return Problem(500, "unexpected", "something went wrong at this node; nothing is known to have been changed")
