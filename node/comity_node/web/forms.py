"""Forms of the pages: from a page of this node only, bounded, kept as they were typed."""

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request

from comity_node.domain.errors import FormRefused

MOST_FORM_BYTES = 64 * 1024
"""Largest form, in bytes. A text of 2,000 Chinese characters takes 18 KiB when it is encoded for a form."""

_MOST_FIELDS = 30
_OWN = frozenset({"same-origin", "none"})


def require_own_page(headers: Mapping[str, str], public_url: str | None) -> None:
    """Let a form pass only if no other site's page has sent it.

    Browsers say where a form comes from: newer ones in `Sec-Fetch-Site` (over TLS and on this machine only), all of
    them in `Origin`. Whoever says neither is no browser that holds somebody's cookie.

    Raises:
        FormRefused: another page has sent it.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        own = site in _OWN
    else:
        ours = {headers.get("host"), urlsplit(public_url or "").netloc or None}
        own = origin is None or urlsplit(origin).netloc in ours - {None}
    if not own:
        raise FormRefused("this form came from another page; nothing was changed")


async def read_form(request: Request) -> dict[str, list[str]]:
    """Return a form's fields.

    Raises:
        FormRefused: it is too large, or none.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise FormRefused("this is no form; nothing was changed")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_FORM_BYTES:
            raise FormRefused("this form is too large; nothing was changed")
    try:
        return parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise FormRefused("this form cannot be read; nothing was changed") from error
