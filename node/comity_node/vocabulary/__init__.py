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
from comity_node.vocabulary.texts import (
    answers,
    codes,
    country_in_words,
    describe_answers,
    describe_said,
    glossary,
    indicator_by_name,
    indicator_in_words,
    letter_words,
    machine_mark,
    mail_texts,
    page_words,
    texts,
)

__all__ = [
    "CodeText",
    "TranslatedCode",
    "answers",
    "bundled_crosswalks",
    "codes",
    "countries",
    "country_in_words",
    "crosswalks_with",
    "describe_answers",
    "describe_clause",
    "describe_codes",
    "describe_crosswalk",
    "describe_said",
    "glossary",
    "indicator_by_name",
    "indicator_in_words",
    "letter_words",
    "machine_mark",
    "mail_texts",
    "page_words",
    "read_crosswalk",
    "texts",
]
