"""The six languages of the United Nations."""

from enum import StrEnum


class Language(StrEnum):
    """By their ISO 639-1 codes, in the order of the United Nations."""

    ARABIC = "ar"
    CHINESE = "zh"
    ENGLISH = "en"
    FRENCH = "fr"
    RUSSIAN = "ru"
    SPANISH = "es"
