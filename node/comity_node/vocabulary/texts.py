"""The texts and the glossary that come with Comity."""

from functools import cache
from importlib.resources import files

from comity_node.domain.vocabulary import (
    Glossary,
    Language,
    MailTexts,
    Texts,
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
def glossary() -> Glossary:
    """Return the locked terms."""
    return parse_glossary((_BUNDLED / "glossary.toml").read_text("utf-8"))
