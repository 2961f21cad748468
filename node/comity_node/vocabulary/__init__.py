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
from comity_node.vocabulary.texts import glossary, mail_texts, texts

__all__ = [
    "CodeText",
    "TranslatedCode",
    "bundled_crosswalks",
    "countries",
    "crosswalks_with",
    "describe_clause",
    "describe_codes",
    "describe_crosswalk",
    "glossary",
    "mail_texts",
    "read_crosswalk",
    "texts",
]
