"""The codes of suppliers' and reviewers' answers in words: the English leads, a translation stands beside it."""

import tomllib
from collections.abc import Iterable
from enum import StrEnum

from comity_node.domain.vocabulary.languages import Language
from comity_node.domain.vocabulary.texts import Line, Page, Translated, Worded, worded
from comity_schemas.reply import DisputeOutcome, ReplyAct, ReplyCode
from comity_schemas.statement import WithdrawalReason
from comity_schemas.wire import Wire


def _keys(kind: str, codes: Iterable[StrEnum]) -> list[str]:
    return [f"{kind}.{code.value}" for code in codes]


ANSWERS = (
    *_keys("act", ReplyAct),
    *_keys("code", ReplyCode),
    *_keys("outcome", DisputeOutcome),
    *_keys("withdrawal", WithdrawalReason),
)
"""Kind and code of everything that is said in words."""


class AnswerWords(Wire):
    """The words of one language."""

    reviewed: Line
    """`original`, `no`, or who has reviewed them and when."""
    words: dict[str, Line]


class _File(Wire):
    ar: AnswerWords
    zh: AnswerWords
    en: AnswerWords
    fr: AnswerWords
    ru: AnswerWords
    es: AnswerWords


def parse_answers(toml: str) -> dict[Language, AnswerWords]:
    """Return what a file holds.

    Raises:
        ValueError: it does not fit, or a language lacks a code or has one that there is not.
    """
    found = _File.from_parsed(tomllib.loads(toml))
    by_language: dict[Language, AnswerWords] = {language: getattr(found, language.value) for language in Language}
    for language, each in by_language.items():
        if set(each.words) != set(ANSWERS):
            raise ValueError(f"{language} has other codes than there are: {set(each.words) ^ set(ANSWERS)}")
    return by_language


def answer_in_words(words: dict[Language, AnswerWords], answer: str, language: Language) -> Worded:
    """Return how an answer is said: as on a reply or a decision, the English original always leads."""
    page = Page.REPLY if answer.startswith(("act.", "code.")) else Page.DECISION
    original = words[Language.ENGLISH].words[answer]
    if language is Language.ENGLISH:
        return worded(original, None, page)
    other = words[language]
    reviewed = None if other.reviewed == "no" else other.reviewed
    return worded(original, Translated(other.words[answer], language, reviewed), page)
