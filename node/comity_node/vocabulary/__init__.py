"""The harmonised vocabulary as this node shows it: the originals of `comity_schemas`, data files beside them."""

from comity_node.vocabulary.countries import countries
from comity_node.vocabulary.crosswalks import (
    bundled_crosswalks,
    crosswalks_with,
    describe_clause,
    describe_crosswalk,
    read_crosswalk,
)
from comity_node.vocabulary.indicators import CodeText, TranslatedCode, describe_codes
from comity_node.vocabulary.texts import answers, describe_answers, glossary, mail_texts, texts

__all__ = [
    "CodeText",
    "TranslatedCode",
    "answers",
    "bundled_crosswalks",
    "countries",
    "crosswalks_with",
    "describe_answers",
    "describe_clause",
    "describe_codes",
    "describe_crosswalk",
    "glossary",
    "mail_texts",
    "read_crosswalk",
    "texts",
]
