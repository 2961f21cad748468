"""The texts and the glossary that come with Comity."""

from functools import cache
from importlib.resources import files

from comity_node.domain.vocabulary import (
    ANSWERS,
    AnswerWords,
    Glossary,
    Language,
    MailTexts,
    Texts,
    answer_in_words,
    parse_answers,
    parse_glossary,
    parse_mail_texts,
    parse_texts,
)

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
def answers() -> dict[Language, AnswerWords]:
    """Return the words of suppliers' and reviewers' answers."""
    return parse_answers((_BUNDLED / "answers.toml").read_text("utf-8"))


def describe_answers(language: Language) -> list[dict[str, str | None]]:
    """Return every code of an answer in words: the English original, and a translation with its mark beside it."""
    found: list[dict[str, str | None]] = []
    mark = None if language is Language.ENGLISH else mail_texts(language).machine_written
    for answer in ANSWERS:
        said = answer_in_words(answers(), answer, language)
        kind, _, code = answer.partition(".")
        unreviewed = said.translated is not None and said.translated.reviewed is None
        found.append(
            {
                "kind": kind,
                "code": code,
                "says": said.leads,
                "beside": said.beside,
                "mark": mark if unreviewed else None,
            }
        )
    return found


@cache
def glossary() -> Glossary:
    """Return the locked terms."""
    return parse_glossary((_BUNDLED / "glossary.toml").read_text("utf-8"))
