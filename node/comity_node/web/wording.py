"""How a page says things to one reader: the English original, and beside it the reader's language."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from markupsafe import Markup, escape

from comity_node.domain.vocabulary import CodeWords, Language, Page, Worded, in_words
from comity_node.vocabulary import answers, codes, country_in_words, indicator_in_words, machine_mark, page_words
from comity_schemas.indicators import Indicator

TAGS = {**{language: language.value for language in Language}, Language.CHINESE: "zh-Hans"}
"""BCP 47 tag of each language."""

OWN_NAMES = {
    Language.ARABIC: "العربية",
    Language.CHINESE: "中文",
    Language.ENGLISH: "English",
    Language.FRENCH: "Français",
    Language.RUSSIAN: "Русский",
    Language.SPANISH: "Español",
}
"""Each language as it names itself, in the order of the United Nations."""


def direction(language: Language) -> str:
    """Return in which direction a language is written."""
    return "rtl" if language is Language.ARABIC else "ltr"


def moment(at: datetime | date) -> Markup:
    """Return a time so that nobody mistakes day for month, or one's own clock for ours."""
    shown = f"{at:%Y-%m-%d %H:%M} UTC" if isinstance(at, datetime) else at.isoformat()
    return Markup('<time datetime="{}" dir="ltr">{}</time>').format(at.isoformat(), shown)


def foreign(text: str) -> Markup:
    """Return a name or code in its own direction, whatever surrounds it."""
    return Markup("<bdi>{}</bdi>").format(text)


@dataclass(frozen=True, slots=True)
class Wording:
    """What a page says to one reader."""

    language: Language
    member: str
    """The node's member, as it names itself."""

    @property
    def tag(self) -> str:
        """The language's tag."""
        return TAGS[self.language]

    @property
    def direction(self) -> str:
        """In which direction the page is written."""
        return direction(self.language)

    @property
    def mark(self) -> str | None:
        """What must be shown with translations that no person has reviewed."""
        return machine_mark(self.language)

    def choices(self) -> list[tuple[str, str, str, bool]]:
        """Return every language to choose: code, tag, its own name, whether it is this one."""
        return [(each.value, TAGS[each], OWN_NAMES[each], each is self.language) for each in Language]

    def say(self, key: str, **given: object) -> Markup:
        """Return one of the page's own sentences."""
        return self._both(self._found(page_words(), key), **given)

    def title(self, key: str) -> str:
        """Return a sentence where no markup can stand."""
        shown = self._found(page_words(), key)
        return " · ".join(text.format(member=self.member) for text in (shown.leads, shown.beside) if text)

    def code(self, kind: str, code: str) -> Markup:
        """Return a code of a finding or decision in words."""
        return self._both(self._found(codes(), f"{kind}.{code}"))

    def answer(self, kind: str, code: str) -> Markup:
        """Return a code of an answer in words."""
        return self._both(self._found(answers(), f"{kind}.{code}"))

    def country(self, code: str) -> Markup:
        """Return a country by its names."""
        return self._both(country_in_words(code, self.language, Page.REPLY))

    def indicator(self, code: str) -> tuple[Markup, Markup]:
        """Return how an indicator is said of a supplier, and what it means."""
        said, means = indicator_in_words(Indicator(code), self.language, Page.REPLY)
        return self._both(said), self._both(means)

    def _found(self, words: dict[Language, CodeWords], key: str) -> Worded:
        return in_words(words, key, self.language, Page.REPLY)

    def _both(self, shown: Worded, **given: object) -> Markup:
        given = {"member": foreign(self.member), **given}
        said = escape(shown.leads).format(**given)
        if shown.beside is None:
            # Elsewhere on the page another language surrounds it.
            return (
                said
                if self.language is Language.ENGLISH
                else Markup('<span lang="en" dir="ltr">{}</span>').format(said)
            )
        beside = escape(shown.beside).format(**given)
        return Markup(
            '<span class="original" lang="en" dir="ltr">{}</span> <span class="beside" lang="{}" dir="{}">{}</span>'
        ).format(said, self.tag, self.direction, beside)


def wanted_language(chosen: str | None, kept: str | None, accepted: str | None) -> Language:
    """Return in which language a reader wants a page.

    Args:
        chosen: What the reader has just chosen.
        kept: What was chosen before.
        accepted: The browser's `Accept-Language`.
    """
    for said in (chosen, kept):
        if said in list(Language):
            return Language(said)
    for tag in _by_weight(accepted or ""):
        first = tag.partition("-")[0]
        if first in list(Language):
            return Language(first)
    return Language.ENGLISH


def _by_weight(accepted: str) -> Iterable[str]:
    weighed: list[tuple[float, str]] = []
    for part in accepted[:500].lower().split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((float(weight or 1), tag))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(weighed, key=lambda each: -each[0]) if weight > 0]
