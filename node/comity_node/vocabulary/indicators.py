"""Codes with their words, the same for the command line and the API."""

from dataclasses import dataclass

from comity_node.domain.vocabulary import Language
from comity_node.vocabulary.texts import texts
from comity_schemas.indicators import Indicator
from comity_schemas.meanings import CROSSWALK_ONLY, MEANINGS, reported


@dataclass(frozen=True, slots=True)
class TranslatedCode:
    """A code in another language, beside the original and never in its place."""

    language: str
    reviewed: str | None
    """Who has reviewed it, and when; None while only a machine has written it."""
    mark: str | None
    """What must be shown with it, in its own language, while nobody has."""
    name: str
    reported: str
    sentence: str
    look_for: tuple[str, ...]
    ask: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CodeText:
    """One code. What only the crosswalk knows has a name and nothing else, since nobody reports under it."""

    code: str
    published: bool
    """Whether a finding may carry it."""
    name: str
    area: str | None = None
    reported: str | None = None
    """How it is said of a supplier."""
    sentence: str | None = None
    look_for: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    source: str | None = None
    translation: TranslatedCode | None = None


def describe_codes(language: Language = Language.ENGLISH) -> list[CodeText]:
    """Return all codes in their order: those that a finding may carry, then those of the crosswalk only.

    Args:
        language: In which a translation shall stand beside the English original.
    """
    only = [CodeText(code.value, published=False, name=name) for code, name in CROSSWALK_ONLY.items()]
    return [*(_published(code, language) for code in Indicator), *only]


def _published(code: Indicator, language: Language) -> CodeText:
    meaning = MEANINGS[code]
    return CodeText(
        code=code.value,
        published=True,
        name=meaning.name,
        area=meaning.area.value,
        reported=reported(code),
        sentence=meaning.sentence,
        look_for=meaning.look_for,
        ask=meaning.ask,
        source=meaning.source,
        translation=_translated(code, language),
    )


def _translated(code: Indicator, language: Language) -> TranslatedCode | None:
    known = texts(language)
    entry, reported_so = (None, None) if known is None else (known.of(code), known.reported(code))
    if known is None or entry is None or reported_so is None:
        return None
    return TranslatedCode(
        language=language.value,
        reviewed=reported_so.reviewed,
        mark=None if reported_so.reviewed else known.phrases.machine_written,
        name=entry.name,
        reported=reported_so.text,
        sentence=entry.sentence,
        look_for=entry.look_for,
        ask=entry.ask,
    )
