"""A browser at the page behind a supplier's link, without a script."""

from typing import Any
from urllib.parse import urlencode

import httpx2

from comity_node.domain.vocabulary import Language
from html_page import Element, read_page
from link_world import Desk


class Browser:
    """What a supplier's browser does: keeps cookies, follows redirects, sends the forms that it is shown."""

    def __init__(self, desk: Desk, language: Language = Language.ENGLISH) -> None:
        self._api = desk.house.api(**{"Accept-Language": language.value})
        self.last: httpx2.Response | None = None
        self.secret = ""
        self._desk = desk

    async def known(self) -> dict[str, Any]:
        """What the API tells whoever has the same code."""
        return dict((await self._desk.through(self.secret, "GET")).json())

    async def get(self, path: str) -> Element:
        self.last = await self._api.get(path, follow_redirects=True)
        return read_page(self.last.text)

    async def post(self, path: str, **fields: Any) -> Element:
        # As a browser does, a form without a field is a form too.
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await self._api.post(path, content=urlencode(fields, doseq=True), headers=form)
        self.last = answer
        if answer.status_code == 303:
            return await self.get(answer.headers["location"])
        return read_page(answer.text)

    async def raw(self, method: str, path: str, **more: Any) -> httpx2.Response:
        return await self._api.request(method, path, **more)

    @property
    def status(self) -> int:
        assert self.last is not None
        return self.last.status_code

    @property
    def at(self) -> str:
        assert self.last is not None
        return self.last.url.path


async def inside(desk: Desk, language: Language = Language.ENGLISH, secret: str | None = None) -> Browser:
    """Return a browser that has opened a link of its own."""
    browser = Browser(desk, language)
    browser.secret = secret or (await desk.link())["secret"]
    await browser.post("/supplier/open", code=browser.secret)
    assert (browser.status, browser.at) == (200, "/supplier")
    return browser
