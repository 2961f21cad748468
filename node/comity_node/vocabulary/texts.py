"""The texts and the glossary that come with Comity."""

from functools import cache
from importlib.resources import files

from comity_node.domain.vocabulary import (
    ANSWERS,
    CODES,
    CodeWords,
    Glossary,
    Language,
    MailTexts,
    Page,
    Texts,
    Translated,
    Worded,
    in_words,
    parse_code_words,
    parse_glossary,
    parse_mail_texts,
    parse_texts,
    worded,
)
from comity_node.vocabulary.countries import countries
from comity_schemas.indicators import Indicator
from comity_schemas.meanings import MEANINGS, reported

_BUNDLED = files("comity_node.vocabulary") / "texts"


@cache
def texts(language: Language) -> Texts | None:
    """Return the texts of a language; None for English, which is the original."""
    if language is Language.ENGLISH:
        return None
    return parse_texts((_BUNDLED / f"{language}.toml").read_text("utf-8"))


@cache
def mail_texts(language: Language) -> MailTexts:
    """Return what a supplier is written in a language."""
    return parse_mail_texts((_BUNDLED / "mail.toml").read_text("utf-8"))[language]


@cache
def answers() -> dict[Language, CodeWords]:
    """Return the words of suppliers' and reviewers' answers."""
    return parse_code_words((_BUNDLED / "answers.toml").read_text("utf-8"), ANSWERS)


@cache
def codes() -> dict[Language, CodeWords]:
    """Return the words of what findings and decisions say."""
    return parse_code_words((_BUNDLED / "codes.toml").read_text("utf-8"), CODES)


@cache
def page_words() -> dict[Language, CodeWords]:
    """Return what the supplier's page says around the codes."""
    return parse_code_words((_BUNDLED / "page.toml").read_text("utf-8"))


@cache
def letter_words() -> dict[Language, CodeWords]:
    """Return what a letter to a supplier says around the indicators."""
    return parse_code_words((_BUNDLED / "letter.toml").read_text("utf-8"))


def describe_answers(language: Language) -> list[dict[str, str | None]]:
    """Return every code of an answer in words: the English original, and a translation with its mark beside it."""
    return [
        _described(answers(), key, language, Page.REPLY if key.startswith(("act.", "code.")) else Page.DECISION)
        for key in ANSWERS
    ]


def describe_said(language: Language) -> list[dict[str, str | None]]:
    """Return every code of a finding or decision in words, the English original first."""
    return [_described(codes(), key, language, Page.RELEASE) for key in CODES]


def _described(words: dict[Language, CodeWords], key: str, language: Language, page: Page) -> dict[str, str | None]:
    said = in_words(words, key, language, page)
    unreviewed = said.translated is not None and said.translated.reviewed is None
    kind, _, code = key.partition(".")
    mark = mail_texts(language).machine_written if unreviewed else None
    return {"kind": kind, "code": code, "says": said.leads, "beside": said.beside, "mark": mark}


def country_in_words(code: str, language: Language, page: Page) -> Worded:
    """Return how a country or area is named on a page; its code where the list does not have it."""
    found = countries().find(code)
    if found is None:
        return worded(code, None, page)
    other = None if language is Language.ENGLISH else Translated(found.names[language], language, found.reviewed)
    return worded(found.names[Language.ENGLISH], other, page)


def indicator_in_words(code: Indicator, language: Language, page: Page) -> tuple[Worded, Worded]:
    """Return how an indicator is said of a supplier on a page, and what it means."""
    other = texts(language)
    said = None if other is None else other.reported(code)
    means = None if other is None else other.translated(code, "sentence")
    return worded(reported(code), said, page), worded(MEANINGS[code].sentence, means, page)


def indicator_by_name(code: Indicator, language: Language, page: Page) -> tuple[Worded, Worded]:
    """Return the name of an indicator, of which nothing is said to have been reported, and what it means."""
    other = texts(language)
    name = None if other is None else other.translated(code, "name")
    return worded(MEANINGS[code].name, name, page), indicator_in_words(code, language, page)[1]


def machine_mark(language: Language) -> str | None:
    """Return what a page must say in a language while no person has reviewed all that it shows in it."""
    other = texts(language)
    if other is None:
        return None
    files = (page_words(), letter_words(), codes(), answers())
    unreviewed = any(file[language].reviewed == "no" for file in files) or any(
        entry.reviewed == "no" for entry in other.entries.values()
    )
    return mail_texts(language).machine_written if unreviewed else None


@cache
def glossary() -> Glossary:
    """Return the locked terms."""
    return parse_glossary((_BUNDLED / "glossary.toml").read_text("utf-8"))
