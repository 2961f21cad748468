"""Codes with their words, the same for the command line and the API."""

from dataclasses import dataclass

from comity_schemas.indicators import Indicator
from comity_schemas.meanings import CROSSWALK_ONLY, MEANINGS, reported


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


def describe_codes() -> list[CodeText]:
    """Return all codes in their order: those that a finding may carry, then those of the crosswalk only."""
    only = [CodeText(code.value, published=False, name=name) for code, name in CROSSWALK_ONLY.items()]
    return [*map(_published, Indicator), *only]


def _published(code: Indicator) -> CodeText:
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
    )
