"""The harmonised vocabulary beside its originals: what a scheme's clauses propose, how law articles are read.

Rules:
- A clause only proposes. What counts is what a person picks for an observation; the rest is "not assessed".
- Scheme and version together are the key: one code means different things in two versions.
- A file that does not fit is refused as a whole, with line and reason. Nothing of it is used.
"""

from comity_node.domain.vocabulary.articles import Articles, read_articles
from comity_node.domain.vocabulary.code_words import ANSWERS, CODES, CodeWords, in_words, parse_code_words
from comity_node.domain.vocabulary.countries import Countries, CountryName, parse_countries
from comity_node.domain.vocabulary.crosswalk import (
    Clause,
    Crosswalk,
    CrosswalkRefused,
    Proposed,
    parse_crosswalk,
)
from comity_node.domain.vocabulary.glossary import Glossary, parse_glossary
from comity_node.domain.vocabulary.languages import Language
from comity_node.domain.vocabulary.proposing import Crosswalks, CrosswalkUnknown, Proposal, proposals_of
from comity_node.domain.vocabulary.texts import (
    MailTexts,
    Page,
    Texts,
    Translated,
    Worded,
    parse_mail_texts,
    parse_texts,
    worded,
)

__all__ = [
    "ANSWERS",
    "CODES",
    "Articles",
    "Clause",
    "CodeWords",
    "Countries",
    "CountryName",
    "Crosswalk",
    "CrosswalkRefused",
    "CrosswalkUnknown",
    "Crosswalks",
    "Glossary",
    "Language",
    "MailTexts",
    "Page",
    "Proposal",
    "Proposed",
    "Texts",
    "Translated",
    "Worded",
    "in_words",
    "parse_code_words",
    "parse_countries",
    "parse_crosswalk",
    "parse_glossary",
    "parse_mail_texts",
    "parse_texts",
    "proposals_of",
    "read_articles",
    "worded",
]
