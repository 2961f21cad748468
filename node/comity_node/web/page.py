"""One visit to a page: who reads it in which language, what it answers, and what it says when something is wrong."""

import functools
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from typing import Any

import structlog
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from comity_node.auth import link_holder
from comity_node.db.supplier_links import SupplierLink
from comity_node.domain.errors import (
    Contradictory,
    FormRefused,
    LinkEnded,
    NotFound,
    NotSignedIn,
    TextRefused,
    TooManyRequests,
)
from comity_node.services.review import supplier_links
from comity_node.web.forms import read_form, require_own_page
from comity_node.web.wording import Wording, foreign, moment, wanted_language
from comity_node.wiring import Node
from comity_schemas.errors import ComityError

log = structlog.get_logger(__name__)

KEPT_S = 12 * 3600
"""How long a page that nobody touches stays open, in seconds."""

_CODE, _LANGUAGE = "comity-code", "comity-language"
_A_YEAR_S = 365 * 86_400
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "vary": "Accept-Language, Cookie",
}

STYLE = (files("comity_node.web") / "static" / "comity.css").read_bytes()
STYLE_ADDRESS = f"/static/comity-{sha256(STYLE).hexdigest()[:16]}.css"
"""A changed style has another address, so that browsers may keep it for ever."""

_templates = Environment(
    loader=PackageLoader("comity_node.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals.update(style=STYLE_ADDRESS, moment=moment, foreign=foreign)


@dataclass
class Visit:
    """One request of a supplier's browser."""

    request: Request
    node: Node
    words: Wording
    link: SupplierLink | None = None
    form: dict[str, list[str]] = field(default_factory=dict)
    places: list[tuple[str, Markup]] = field(default_factory=list)
    """Words of a text that are refused, each with what is wrong with it."""

    @property
    def secret(self) -> str | None:
        """The code that the browser keeps."""
        return self.request.cookies.get(self._cookie)

    @property
    def _secure(self) -> bool:
        public = self.node.settings.public_url or ""
        return public.startswith("https://") or self.request.url.scheme == "https"

    @property
    def _cookie(self) -> str:
        # The prefix lets browsers refuse a cookie that another host of the same domain has set.
        return f"__Host-{_CODE}" if self._secure else _CODE

    async def holder(self) -> SupplierLink:
        """Return the link whose code the browser keeps.

        Raises:
            NotSignedIn: none, a wrong or a revoked one.
            TooManyRequests: more than one supplier may ask.
        """
        if self.secret is None:
            raise NotSignedIn("this page is closed")
        self.link = await link_holder(self.request, self.node, self.secret)
        return self.link

    def first(self, name: str) -> str:
        """Return a field of the form, or nothing."""
        return self.form.get(name, [""])[0]

    def show(self, template: str, status: int = 200, **more: Any) -> Response:
        """Return a whole page."""
        given = {"w": self.words, "path": self.request.url.path, "problems": [], "inside": self.link is not None}
        page = _templates.get_template(f"{template}.html").render({**given, **more})
        answer = HTMLResponse(page, status, {**_HEADERS, "content-language": self.words.tag})
        if self.request.query_params.get("lang") == self.words.language.value:
            self._set(answer, _LANGUAGE, self.words.language.value, _A_YEAR_S)
        if self.link is not None and self.secret is not None:
            self._set(answer, self._cookie, self.secret, KEPT_S)
        return answer

    def go(self, path: str) -> Response:
        """Return a redirect, so that going back or reloading does nothing twice."""
        return RedirectResponse(path, 303, _HEADERS)

    def open(self, answer: Response, secret: str) -> Response:
        """Let the browser keep the code."""
        self._set(answer, self._cookie, secret, KEPT_S)
        return answer

    def close(self, answer: Response) -> Response:
        """Let the browser forget the code."""
        answer.delete_cookie(self._cookie, "/", secure=self._secure, httponly=True, samesite="lax")
        return answer

    def _set(self, answer: Response, name: str, value: str, seconds: int) -> None:
        answer.set_cookie(name, value, seconds, path="/", secure=self._secure, httponly=True, samesite="lax")


View = Callable[[Visit], Awaitable[Response]]


def page(view: View) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint: a visit, with everything that can go wrong told as a page."""

    @functools.wraps(view)
    async def endpoint(request: Request) -> Response:
        visit = await _begin(request)
        try:
            if request.method == "POST":
                require_own_page(request.headers, visit.node.settings.public_url)
                visit.form = await read_form(request)
            return await view(visit)
        except LinkEnded as error:
            return await _ended(visit, error)
        except NotSignedIn:
            return _closed(visit)
        except TooManyRequests as error:
            answer = visit.show("problem", 429, key="error.often")
            answer.headers["Retry-After"] = str(error.retry_after_s)
            return answer
        except FormRefused:
            return visit.show("problem", 400, key="error.form")
        except (Contradictory, NotFound, TextRefused) as error:
            log.warning("page.refused", code=error.code, page=request.url.path)
            return visit.show("problem", 409, key="error.gone")
        except Exception:
            reference = secrets.token_hex(4)
            log.exception("page.failed", reference=reference, page=request.url.path)
            return visit.show("problem", 500, key="error.ours", reference=reference)

    return endpoint


async def _begin(request: Request) -> Visit:
    node: Node = request.app.state.node
    chosen = request.query_params.get("lang")
    language = wanted_language(chosen, request.cookies.get(_LANGUAGE), request.headers.get("accept-language"))
    try:
        member = str(node.own_member(await node.registry()).names[0])
    except ComityError:
        # Without its registry a node does not know its own name; suppliers read on all the same.
        member = node.settings.member
    return Visit(request, node, Wording(language, member))


async def _ended(visit: Visit, error: LinkEnded) -> Response:
    assert visit.link is not None
    async with visit.node.database.read() as store:
        said = await supplier_links.said_through(store, visit.link)
    return visit.show("ended", 410, why=error.why, said=said, now=visit.node.clock(), within=_within(visit), left=())


def _within(visit: Visit) -> Any:
    return visit.node.settings.windows.dispute


def _closed(visit: Visit) -> Response:
    """Ask for the code again; what was typed meanwhile is shown, so that it is not lost."""
    visit.link = None
    if visit.request.method == "GET":
        return visit.close(visit.go("/supplier"))
    problems = [("code", visit.words.say("error.closed"))]
    return visit.close(visit.show("code", 401, problems=problems, yours=visit.first("text"), closed=False))
