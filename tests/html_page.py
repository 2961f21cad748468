"""A page as a browser's parser sees it: elements with attributes and text, and what every page must keep."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta", "link", "input", "br", "hr", "img"})
_CONTROLS = ("input", "textarea", "select")


@dataclass
class Element:
    """One element; `parts` are texts and elements in their order."""

    tag: str
    attributes: dict[str, str]
    parent: "Element | None" = None
    parts: list["Element | str"] = field(default_factory=list)

    def all(self, *tags: str, **attributes: str) -> list["Element"]:
        """Every element below with one of these tags and these attributes."""
        found: list[Element] = []
        for part in self.parts:
            if isinstance(part, Element):
                wanted = {name.rstrip("_"): value for name, value in attributes.items()}
                if (not tags or part.tag in tags) and all(part.attributes.get(n) == v for n, v in wanted.items()):
                    found.append(part)
                found += part.all(*tags, **attributes)
        return found

    def one(self, *tags: str, **attributes: str) -> "Element":
        (found,) = self.all(*tags, **attributes)
        return found

    @property
    def text(self) -> str:
        """All text, blanks made one."""
        said = "".join(part if isinstance(part, str) else part.text for part in self.parts)
        return re.sub(r"\s+", " ", said).strip() if self.parent is None else said

    @property
    def said(self) -> str:
        """Its text, blanks made one."""
        return re.sub(r"\s+", " ", self.text).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.top = Element("", {})
        self._open = [self.top]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self._open[-1])
        self._open[-1].parts.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].parts.append(data)

    def done(self) -> Element:
        assert self._open == [self.top], f"<{self._open[-1].tag}> is never closed"
        return self.top


def read_page(html: str) -> Element:
    """Return a page's elements; what is not closed, or closed in another order, fails."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.done()


def faults(page: Element) -> list[str]:
    """Return what hinders people with a screen reader, a keyboard or no script."""
    found: list[str] = []
    ids = [e.attributes["id"] for e in page.all() if "id" in e.attributes]
    found += [f"id {name} twice" for name in {name for name in ids if ids.count(name) > 1}]
    for tag in ("main", "header", "h1", "title", "nav"):
        if len(page.all(tag)) != 1:
            found.append(f"{len(page.all(tag))} {tag}")
    for control in page.all(*_CONTROLS):
        name = control.attributes.get("id")
        if control.attributes.get("type") != "hidden" and len(page.all("label", for_=name or "?")) != 1:
            found.append(f"{control.tag} {name} has no label of its own")
    for control in page.all("button", "a", "label", "legend", "h1", "h2", "th"):
        if not control.said:
            found.append(f"{control.tag} says nothing")
    for element in page.all():
        for name in ("aria-describedby", "aria-labelledby"):
            missing = set(element.attributes.get(name, "").split()) - set(ids)
            found += [f"{element.tag}: {name} names {each}, which is not there" for each in missing]
        if element.tag in ("script", "style", "iframe", "img") or {"style", "onclick"} & element.attributes.keys():
            found.append(f"<{element.tag}> with what no page has")
    for radio in page.all("input", type="radio") + page.all("input", type="checkbox"):
        above = radio.parent
        while above is not None and above.tag != "fieldset":
            above = above.parent
        if above is None or not above.all("legend"):
            found.append("a choice stands in no fieldset with a legend")
    for link in page.all("a"):
        target = link.attributes["href"]
        if target.startswith("#") and target[1:] not in ids:
            found.append(f"{target} leads nowhere")
    return found
