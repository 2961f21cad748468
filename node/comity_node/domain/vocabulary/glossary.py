"""Locked terms: how a term of the ILO or the United Nations must be said in each language."""

import re
import tomllib
from typing import Annotated

from pydantic import Field

from comity_node.domain.vocabulary.languages import Language
from comity_node.domain.vocabulary.texts import Line
from comity_schemas.wire import Wire

Forms = Annotated[tuple[Line, ...], Field(min_length=1, max_length=20)]
"""The term as it stands alone, then its inflections."""


class Term(Wire):
    """One locked term."""

    en: Forms
    ar: Forms
    zh: Forms
    fr: Forms
    ru: Forms
    es: Forms
    source: Line

    def forms(self, language: Language) -> tuple[str, ...]:
        """Return how the term may be written in a language."""
        found: tuple[str, ...] = getattr(self, language.value)
        return found


class Glossary(Wire):
    """All locked terms, and forms that stand in no text."""

    term: Annotated[tuple[Term, ...], Field(min_length=1)]
    never: dict[Language, tuple[Line, ...]]

    def faults(self, original: str, translation: str, language: Language) -> list[str]:
        """Return where a translation departs from the glossary: a locked term otherwise said, a word never used."""
        said = translation.casefold()
        found = [
            f"{language}: “{original}” has “{term.en[0]}”, the translation none of {', '.join(term.forms(language))}"
            for term in self.term
            if any(re.search(rf"\b{re.escape(form)}\b", original, re.IGNORECASE) for form in term.en)
            and not any(form.casefold() in said for form in term.forms(language))
        ]
        banned = [word for word in self.never.get(language, ()) if word.casefold() in said]
        return found + [f"{language}: “{word}” is never said, and stands in “{translation}”" for word in banned]


def parse_glossary(toml: str) -> Glossary:
    """Return the glossary that a file holds.

    Raises:
        ValueError: it does not fit.
    """
    return Glossary.from_parsed(tomllib.loads(toml))
