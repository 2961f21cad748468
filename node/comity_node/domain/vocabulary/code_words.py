"""Codes and the words around them in six languages: the English leads, a translation stands beside it, marked."""

import tomllib
from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import get_args

from comity_node.domain.vocabulary.languages import Language
from comity_node.domain.vocabulary.texts import Line, Page, Translated, Worded, worded
from comity_schemas.decision import Act, End, Ground, Lifted, Measure, Stand
from comity_schemas.finding import Access, Extent, Notice, Remedy, Severity, SourceType, Status, Verified
from comity_schemas.handling import Contact, Onward, PermittedUse, Purpose
from comity_schemas.indicators import Basis
from comity_schemas.reply import DisputeOutcome, ReplyAct, ReplyCode
from comity_schemas.statement import WithdrawalReason
from comity_schemas.subject import NameKind, SubjectType
from comity_schemas.wire import Wire


def _keys(kind: str, codes: Iterable[StrEnum]) -> list[str]:
    return [f"{kind}.{code.value}" for code in codes]


ANSWERS = (
    *_keys("act", ReplyAct),
    *_keys("code", ReplyCode),
    *_keys("outcome", DisputeOutcome),
    *_keys("withdrawal", WithdrawalReason),
)
"""Kind and code of everything with which suppliers answer and people decide."""

CODES = (
    *_keys("status", Status),
    *_keys("verified", Verified),
    *_keys("remedy", Remedy),
    *_keys("severity", Severity),
    *_keys("basis", Basis),
    *_keys("source", SourceType),
    *_keys("notice", Notice),
    *_keys("access", Access),
    *_keys("extent", Extent),
    *_keys("subject", SubjectType),
    *_keys("name", NameKind),
    *_keys("contact", Contact),
    *_keys("purpose", Purpose),
    *_keys("use", PermittedUse),
    *_keys("onward", Onward),
    *_keys("measure", Measure),
    *(f"decided.{code}" for code in get_args(Act.model_fields["type"].annotation)),
    *_keys("stand", Stand),
    *_keys("ground", Ground),
    *_keys("end", End),
    *_keys("lifted", Lifted),
)
"""Kind and code of everything that a finding or decision says, and its terms of handling."""


class CodeWords(Wire):
    """The words of one language."""

    reviewed: Line
    """`original`, `no`, or who has reviewed them and when."""
    words: dict[str, Line]


class _File(Wire):
    ar: CodeWords
    zh: CodeWords
    en: CodeWords
    fr: CodeWords
    ru: CodeWords
    es: CodeWords


def parse_code_words(toml: str, keys: Collection[str] | None = None) -> dict[Language, CodeWords]:
    """Return what a file holds.

    Args:
        toml: The file.
        keys: What every language must have words for, neither more nor less; None: what the English has.

    Raises:
        ValueError: it does not fit, or a language lacks a key or has one that there is not.
    """
    found = _File.from_parsed(tomllib.loads(toml))
    by_language: dict[Language, CodeWords] = {language: getattr(found, language.value) for language in Language}
    wanted = set(by_language[Language.ENGLISH].words if keys is None else keys)
    for language, each in by_language.items():
        if set(each.words) != wanted:
            raise ValueError(f"{language} has other keys than there are: {set(each.words) ^ wanted}")
    return by_language


def in_words(words: dict[Language, CodeWords], key: str, language: Language, page: Page) -> Worded:
    """Return how a key is said on a page, with what leads and what stands beside it."""
    original = words[Language.ENGLISH].words[key]
    if language is Language.ENGLISH:
        return worded(original, None, page)
    other = words[language]
    reviewed = None if other.reviewed == "no" else other.reviewed
    return worded(original, Translated(other.words[key], language, reviewed), page)
