"""The supplier's page behind its link: what is said of it, by when it can answer, and its answer.

Everything is also at the API (`api.supplier`); both use the same services. What is sent is looked at once more before:
the draft goes from page to page, so what was typed is never lost.
"""

import json
import re
from datetime import date, datetime
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comity_federation.encoding import digest
from comity_node.auth import link_holder
from comity_node.domain.errors import Contradictory, NotSignedIn, TextRefused
from comity_node.services.review import supplier_links
from comity_node.services.review.supplier_links import Shown
from comity_node.web.page import STYLE, STYLE_ADDRESS, Visit, page
from comity_node.web.stated import stated, withheld
from comity_schemas.reply import MOST_TEXT, ReplyAct, ReplyCode

Draft = dict[str, Any]
"""What a supplier has begun to say: `act`, `codes`, `text`."""

Problems = list[tuple[str, Markup]]
"""What is to be put right: the id of a field, and the sentence."""

_HOME, _ANSWER, _CHECK, _SENT, _EXTEND = (
    "/supplier",
    "/supplier/answer",
    "/supplier/check",
    "/supplier/sent",
    "/supplier/extend",
)
_MOST_PLACES = 20
_BLANKS = re.compile(r"[\x00-\x20\x7f\u2028\u2029]+")


@page
async def show(visit: Visit) -> Response:
    """What is said of the supplier; or, where the browser has no code, where to enter it."""
    if visit.secret is None:
        closed = "closed" in visit.request.query_params
        return visit.show("code", closed=closed, yours="")
    try:
        shown = await _shown(visit)
    except NotSignedIn:
        visit.link = None
        problems = [("code", visit.words.say("error.code"))]
        return visit.close(visit.show("code", 401, problems=problems, closed=False, yours=""))
    done = visit.request.query_params.get("done")
    windows = visit.node.settings.windows
    return visit.show(
        "shown",
        shown=shown,
        rows=stated(shown.says, shown.handling, visit.words),
        withheld=withheld(shown.says, visit.words),
        exact=json.dumps({**shown.says, "handling": shown.handling}, ensure_ascii=False, indent=2),
        said=shown.words,
        left=shown.left,
        window=_window(shown),
        over=_is_over(shown, visit.node.clock()),
        now=visit.node.clock(),
        within=windows.dispute,
        stands_until=None if "valid_until" not in shown.says else date.fromisoformat(shown.says["valid_until"]),
        done=done if done in ("extended", "saved") else None,
    )


@page
async def open_code(visit: Visit) -> Response:
    """Take a code; the browser keeps it until the page is closed or left alone for long."""
    code = visit.first("code").strip()
    try:
        await link_holder(visit.request, visit.node, code)
    except NotSignedIn:
        problems = [("code", visit.words.say("error.code"))]
        return visit.show("code", 422, problems=problems, closed=False, yours="")
    return visit.open(visit.go(_HOME), code)


@page
async def close(visit: Visit) -> Response:
    """Let this browser forget the code."""
    return visit.close(visit.go(f"{_HOME}?closed"))


@page
async def write_answer(visit: Visit) -> Response:
    """The form of an answer, as far as it was filled in."""
    shown = await _shown(visit)
    return _form(visit, shown.draft or {}, [])


@page
async def take_answer(visit: Visit) -> Response:
    """Keep what was typed, and go on if it can be sent."""
    link = await visit.holder()
    draft = _draft_of(visit)
    if len(draft["text"] or "") > MOST_TEXT:
        return _form(visit, draft, [("text", visit.words.say("error.long"))])
    async with visit.node.database.write() as store:
        await supplier_links.show(store, link, visit.node.clock())
        await supplier_links.save_draft(store, link, draft)
    if visit.first("do") == "save":
        return visit.go(f"{_HOME}?done=saved")
    problems = await _problems(visit, draft)
    return _form(visit, draft, problems) if problems else visit.go(_CHECK)


@page
async def check(visit: Visit) -> Response:
    """Exactly what would be sent."""
    shown = await _shown(visit)
    draft = shown.draft
    if draft is None or await _problems(visit, draft):
        return visit.go(_ANSWER)
    late = draft["act"] == ReplyAct.REPLY.value and _is_over(shown, visit.node.clock())
    return visit.show("check", draft=draft, late=late, seen=_seen(draft))


@page
async def send(visit: Visit) -> Response:
    """Send the draft that was looked at. Sent twice, the second finds none."""
    link = await visit.holder()
    async with visit.node.database.write() as store:
        now = visit.node.clock()
        shown = await supplier_links.show(store, link, now)
        draft = shown.draft
        if draft is None:
            return visit.go(_SENT if shown.words else _ANSWER)
        if visit.first("seen") != _seen(draft) or draft["act"] is None or not draft["codes"]:
            return visit.go(_CHECK)
        codes = tuple(ReplyCode(code) for code in draft["codes"])
        await supplier_links.say(store, link, ReplyAct(draft["act"]), codes, draft["text"], now)
    return visit.go(_SENT)


@page
async def sent(visit: Visit) -> Response:
    """What was sent last, and what comes next."""
    shown = await _shown(visit)
    own = [word for word in shown.words if word.entered_by is None]
    if not own:
        return visit.go(_HOME)
    return visit.show("sent", word=own[-1], decide_by=own[-1].made_at + visit.node.settings.windows.dispute)


@page
async def ask_extension(visit: Visit) -> Response:
    """Until when the supplier could reply instead."""
    shown = await _shown(visit)
    window = _window(shown)
    if not shown.may_extend or window is None:
        return visit.show("problem", 409, key="error.window")
    return visit.show("extend", until=window + visit.node.settings.windows.extension)


@page
async def extend(visit: Visit) -> Response:
    """Extend the window, once."""
    link = await visit.holder()
    try:
        async with visit.node.database.write() as store:
            await supplier_links.extend_window(store, link, visit.node.settings.windows, visit.node.clock())
    except Contradictory:
        return visit.show("problem", 409, key="error.window")
    return visit.go(f"{_HOME}?done=extended")


@page
async def no_such_page(visit: Visit) -> Response:
    """What is not there."""
    return visit.show("problem", 404, key="error.missing")


async def style(_request: Request) -> Response:
    """How all pages look."""
    return Response(STYLE, media_type="text/css", headers={"cache-control": "public, max-age=31536000, immutable"})


async def _shown(visit: Visit) -> Shown:
    link = await visit.holder()
    async with visit.node.database.read() as store:
        return await supplier_links.show(store, link, visit.node.clock())


def _window(shown: Shown) -> datetime | None:
    process = shown.clock.process
    return None if process is None or shown.clock.exempt is not None else process.window_ends


def _is_over(shown: Shown, now: datetime) -> bool:
    ends = _window(shown)
    return ends is not None and ends <= now


def _draft_of(visit: Visit) -> Draft:
    act = visit.first("act")
    codes = [code.value for code in ReplyCode if code.value in visit.form.get("code", [])]
    # A statement's text is one line: other nodes refuse what breaks it.
    text = _BLANKS.sub(" ", visit.first("text")).strip()
    return {"act": act if act in list(ReplyAct) else None, "codes": codes or None, "text": text or None}


def _seen(draft: Draft) -> str:
    return digest(json.dumps(draft, sort_keys=True).encode())


async def _problems(visit: Visit, draft: Draft) -> Problems:
    """Return what hinders a draft from being sent."""
    say = visit.words.say
    problems: Problems = []
    if draft.get("act") is None:
        problems.append((f"act-{ReplyAct.REPLY.value}", say("error.act")))
    if not draft.get("codes"):
        problems.append((f"code-{next(iter(ReplyCode)).value}", say("error.codes")))
    try:
        async with visit.node.database.read() as store:
            codes = tuple(ReplyCode(code) for code in draft.get("codes") or [ReplyCode.FACTS_DISPUTED])
            act, text = ReplyAct(draft.get("act") or ReplyAct.REPLY), draft.get("text")
            assert visit.link is not None
            await supplier_links.require_sendable(store, visit.link, act, codes, text, visit.node.clock())
    except TextRefused as error:
        visit.places = _places(visit, draft["text"], error)
        problems.append(("text", say("error.text")))
    return problems


def _places(visit: Visit, text: str, error: TextRefused) -> list[tuple[str, Markup]]:
    """Return the supplier's own words that are refused, each with what is wrong with it; of nested ones the widest."""
    found = error.problems
    widest = [
        (kind, start, end)
        for kind, start, end in found
        if not any(s <= start and end <= e and (s, e) != (start, end) for _, s, e in found)
    ]
    return [(text[start:end], visit.words.say(f"error.{kind}")) for kind, start, end in widest[:_MOST_PLACES]]


def _form(visit: Visit, draft: Draft, problems: Problems) -> Response:
    return visit.show(
        "answer",
        422 if problems else 200,
        draft={"act": None, "codes": None, "text": None, **draft},
        problems=problems,
        wrong={name.partition("-")[0] for name, _ in problems},
        places=visit.places,
        acts=[act.value for act in ReplyAct],
        codes=[code.value for code in ReplyCode],
    )


routes = [
    Route(_HOME, show),
    Route("/supplier/open", open_code, methods=["POST"]),
    Route("/supplier/close", close, methods=["POST"]),
    Route(_ANSWER, write_answer),
    Route(_ANSWER, take_answer, methods=["POST"]),
    Route(_CHECK, check),
    Route(_CHECK, send, methods=["POST"]),
    Route(_SENT, sent),
    Route(_EXTEND, ask_extension),
    Route(_EXTEND, extend, methods=["POST"]),
    Route("/supplier/{rest:path}", no_such_page, methods=["GET", "POST"]),
    Route(STYLE_ADDRESS, style),
]
