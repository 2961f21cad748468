"""The texts and the glossary that come with Comity."""

from functools import cache
from importlib.resources import files

from comity_node.domain.vocabulary import Glossary, Language, Texts, parse_glossary, parse_texts

_BUNDLED = files("comity_node.vocabulary") / "texts"


@cache
def texts(language: Language) -> Texts | None:
    """Return the texts of a language; None for English, which is the original."""
    if language is Language.ENGLISH:
        return None
    return parse_texts((_BUNDLED / f"{language}.toml").read_text("utf-8"))


@cache
def glossary() -> Glossary:
    """Return the locked terms."""
    return parse_glossary((_BUNDLED / "glossary.toml").read_text("utf-8"))
