"""Texts of the vocabulary in the other UN languages: written by a machine until a person has reviewed them.

Rules:
- The English text is the original. A translation names the original it was made from; when the original changes, the
  translation is no longer used until somebody has looked at it again.
- On a release, a reply or a decision the original leads, whatever the language of the reader. A translation may stand
  beside it, never in its place.
- What no person has reviewed says so wherever it is shown.
"""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from comity_federation import strict_json
from comity_federation.encoding import digest
from comity_node.domain.vocabulary.languages import Language
from comity_schemas.indicators import CrosswalkOnly, Indicator
from comity_schemas.meanings import CROSSWALK_ONLY, MEANINGS, Area, Meaning
from comity_schemas.wire import PRINTABLE, Wire

Line = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=PRINTABLE)]
Lines = Annotated[tuple[Line, ...], Field(min_length=1, max_length=10)]


class Page(StrEnum):
    """Where a text is shown."""

    GUIDANCE = "guidance"
    RELEASE = "release"
    REPLY = "reply"
    DECISION = "decision"


ORIGINAL_LEADS = frozenset({Page.RELEASE, Page.REPLY, Page.DECISION})
"""Where somebody decides, or is held to what was said: the English original counts and stands first."""


@dataclass(frozen=True, slots=True)
class Translated:
    """One text in another language. No string, so that it cannot slip in where the original belongs."""

    text: str
    language: Language
    reviewed: str | None
    """Who has reviewed it, and when; None while only a machine has written it."""


@dataclass(frozen=True, slots=True)
class Worded:
    """How one text is shown: what leads, and what stands beside it."""

    original: str
    translated: Translated | None
    leads: str

    @property
    def beside(self) -> str | None:
        """The other of the two."""
        if self.translated is None:
            return None
        return self.translated.text if self.leads == self.original else self.original


def worded(original: str, translated: Translated | None, page: Page) -> Worded:
    """Return how a text is shown on a page: on a release, a reply or a decision the original always leads."""
    if translated is None or page in ORIGINAL_LEADS:
        return Worded(original, translated, leads=original)
    return Worded(original, translated, leads=translated.text)


class Phrases(Wire):
    """Words that stand around the codes."""

    forced_labour_reported: Line
    reported: Line
    machine_written: Line
    look_for: Line
    ask: Line


class Entry(Wire):
    """One indicator's texts."""

    original: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8}$")]
    """Of which English text this is the translation."""
    reviewed: Line
    """`no`, or who has reviewed it and when."""
    name: Line
    sentence: Line
    look_for: Lines
    ask: Lines


class _File(Wire):
    language: Language
    phrases: Phrases
    crosswalk_only: dict[CrosswalkOnly, Line]
    text: dict[Indicator, Entry]


class MailTexts(Wire):
    """What a supplier is written: `{member}`, `{address}` and `{code}` are put in."""

    reviewed: Line
    """`original`, `no`, or who has reviewed it and when."""
    subject: Line
    body: Line
    care: Line
    machine_written: Line


class _MailFile(Wire):
    ar: MailTexts
    zh: MailTexts
    en: MailTexts
    fr: MailTexts
    ru: MailTexts
    es: MailTexts


def parse_mail_texts(toml: str) -> dict[Language, MailTexts]:
    """Return what a file holds.

    Raises:
        ValueError: a language or a text is missing.
    """
    found = _MailFile.from_parsed(tomllib.loads(toml))
    return {language: getattr(found, language.value) for language in Language}


@dataclass(frozen=True, slots=True)
class Texts:
    """All texts of one language."""

    language: Language
    phrases: Phrases
    entries: dict[Indicator, Entry]
    names: dict[CrosswalkOnly, str]

    def of(self, code: Indicator) -> Entry | None:
        """Return an indicator's texts; None where the original has changed since they were made."""
        entry = self.entries.get(code)
        return entry if entry is not None and entry.original == fingerprint(MEANINGS[code]) else None

    def translated(self, code: Indicator, text: str) -> Translated | None:
        """Return one text of an indicator (`name` or `sentence`) with its mark."""
        entry = self.of(code)
        return None if entry is None else Translated(getattr(entry, text), self.language, _reviewed(entry))

    def reported(self, code: Indicator) -> Translated | None:
        """Return how an indicator is said of a supplier in this language: "reported", never "found"."""
        entry = self.of(code)
        if entry is None:
            return None
        forced = MEANINGS[code].area is Area.FORCED_LABOUR
        said = self.phrases.forced_labour_reported if forced else self.phrases.reported
        return Translated(f"{said}: {entry.name}", self.language, _reviewed(entry))


def fingerprint(meaning: Meaning) -> str:
    """Return eight characters that change whenever the English text does."""
    return digest(strict_json.dumps([meaning.name, meaning.sentence, list(meaning.look_for), list(meaning.ask)]))[:8]


def parse_texts(toml: str) -> Texts:
    """Return the texts that a file holds.

    Raises:
        ValueError: it does not fit, or lacks a code, or has another number of lines than the original.
    """
    found = _File.from_parsed(tomllib.loads(toml))
    missing = [code for code in Indicator if code not in found.text]
    missing_names = [code for code in CROSSWALK_ONLY if code not in found.crosswalk_only]
    if missing or missing_names:
        raise ValueError(f"{found.language} lacks {', '.join([*missing, *missing_names])}")
    for code, entry in found.text.items():
        meaning = MEANINGS[code]
        if (len(entry.look_for), len(entry.ask)) != (len(meaning.look_for), len(meaning.ask)):
            raise ValueError(f"{found.language} {code} has another number of lines than the original")
    return Texts(found.language, found.phrases, found.text, found.crosswalk_only)


def _reviewed(entry: Entry) -> str | None:
    return None if entry.reviewed == "no" else entry.reviewed
