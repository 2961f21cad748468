"""How names and the lexicon's own rows are spelled alike before they are compared, and the words they fall into. Pure.

Rules:
- Case, accents, vowel marks of Arabic and Hebrew, invisible and direction-changing signs never tell two names apart.
- Marks of scripts in which they are vowels (Devanagari, Bengali, Thai ...) stay: without them it is another word.
- A word has one script. Where a script has no blanks (Han, Kana, Hangul, Thai) a whole run is one word here.
- A look-alike letter of another script inside a word is read as the letter it looks like, in the script that most of
  the word's letters have.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from anyascii import anyascii

from comity_node.lexicon.reading import read_single

SCRIPTS: Final = (
    ("Latin", "a-zA-Z\u00aa\u00ba\u00c0-\u02af\u1e00-\u1eff\ua720-\ua7ff"),
    ("Cyrillic", "\u0400-\u052f\u1c80-\u1c8f\ua640-\ua69f"),
    ("Greek", "\u0370-\u03ff\u1f00-\u1fff"),
    ("Arabic", "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufeff"),
    ("Hebrew", "\u0590-\u05ff\ufb1d-\ufb4f"),
    ("Kana", "\u3041-\u309f\u30a0-\u30ff\u31f0-\u31ff"),
    ("Han", "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"),
    ("Hangul", "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"),
    ("Devanagari", "\u0900-\u0963\u0966-\u097f"),
    ("Bengali", "\u0980-\u09ff"),
    ("Gurmukhi", "\u0a00-\u0a7f"),
    ("Gujarati", "\u0a80-\u0aff"),
    ("Tamil", "\u0b80-\u0bff"),
    ("Telugu", "\u0c00-\u0c7f"),
    ("Kannada", "\u0c80-\u0cff"),
    ("Malayalam", "\u0d00-\u0d7f"),
    ("Sinhala", "\u0d80-\u0dff"),
    ("Thai", "\u0e00-\u0e7f"),
    ("Lao", "\u0e80-\u0eff"),
    ("Tibetan", "\u0f00-\u0fff"),
    ("Myanmar", "\u1000-\u109f"),
    ("Georgian", "\u10a0-\u10ff\u1c90-\u1cbf"),
    ("Ethiopic", "\u1200-\u139f"),
    ("Khmer", "\u1780-\u17ff"),
    ("Armenian", "\u0530-\u058f"),
)
"""Name of a script and its letters, as the inside of a character class."""

WITHOUT_VOWELS: Final = frozenset({"Arabic", "Hebrew"})
"""Scripts that write consonants and long vowels."""

_SCRIPT: Final = [(name, re.compile(f"[{letters}]")) for name, letters in SCRIPTS]
_OF: Final = dict(SCRIPTS)
_WITH_VOWEL_SIGNS: Final = "\u0900-\u0963\u0966-\u0dff\u0e80-\u109f\u1780-\u17ff"
_WORD: Final = re.compile(
    rf"[{_OF['Han']}{_OF['Kana']}]+|[{_OF['Hangul']}]+|[{_OF['Thai']}]+|"
    rf"[^\W_{_OF['Han']}{_OF['Kana']}{_OF['Hangul']}{_OF['Thai']}{_WITH_VOWEL_SIGNS}]+|"
    rf"[{_WITH_VOWEL_SIGNS}]+"
)
_ASCII_WORD: Final = re.compile("[a-z0-9]+")
_DOTTED: Final = re.compile(r"(?<![^\W_])(?:[^\W\d_]\.){2,}(?:[^\W\d_]\b)?")
"""S.A., L.L.C, S.p.A.: one word. A dot elsewhere parts words: Trading.Ltd."""
_APOSTROPHES: Final = re.compile("['’‘ʼʻ`´״׳]")
_MARK: Final = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]"
)
_LOOKS_LATIN: Final = str.maketrans(
    "аеорсухіјѕһԁԛԝкмтвнүӏѵьгαορτυχκνιεγβζημωոսօ", "aeopcyxijshdqwkmtbhylvbraoptuxkvieybznmwnuo"
)
_CAPITALS: Final = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹАВЕКМНОРСТУХІЈЅԚԜҮӀѴԌ", "ABEZHIKMNOPTYXCABEKMHOPCTYXIJSQWYIVG")
"""Capitals that look like Latin ones; some of them look otherwise when they are small."""
_LOOKS_CYRILLIC: Final = str.maketrans("aeopcyxijskmtbh", "аеорсухіјѕкмтвн")
_LOOKS_GREEK: Final = str.maketrans("aoptuxkvie", "αορτυχκνιε")
_LATIN: Final = re.compile("[a-z]")
_LIKE_LATIN: Final = re.compile(f"[{_OF['Cyrillic']}{_OF['Greek']}{_OF['Armenian']}]")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_PARTED: Final = re.compile(f"(?<=[{_OF['Arabic']}])\u200c+(?=[{_OF['Arabic']}])")
_TRADE_MARKS: Final = "\u2122\u2120\u24c7\u24b8"
"""TM, SM, R and C in a circle: signs that are spelled out as letters, and are no part of the name."""
_BRACKETED: Final = {
    "株": "株式会社",
    "有": "有限会社",
    "合": "合同会社",
    "同": "合同会社",
    "주": "주식회사",
    "유": "유한회사",
}
"""Legal forms that are one letter in brackets: outside its brackets that letter is part of a name."""
_ARTICLES: Final = re.compile("^(?:وال|فال|بال|كال|لل|ال)(?=.{2})")
_GLUED_ARTICLE: Final = re.compile(r"\b[AE]l(?=[A-Z][a-z])")
"""AlMuttahida: the article is told from the word by the capital letter only."""
_AND: Final = re.compile("^و(?=ال)")
_BLANKED: Final = {"Cc", "Zl", "Zp", "Zs"}


def spelled(text: str) -> str:
    """Return the text in lower case and composed, without accents and invisible signs, Chinese simplified."""
    if "l" in text:
        text = _GLUED_ARTICLE.sub(r"\g<0> ", text)
    if text.isascii():
        return text.lower()
    # Invisible signs first: one between two letters keeps them from being composed. Persian parts words by one.
    shown = "".join(map(_shown, _PARTED.sub(" ", text)))
    if _LIKE_LATIN.search(shown):
        shown = _LETTERS.sub(lambda word: _with_latin_capitals(word[0]), shown)
    decomposed = unicodedata.normalize("NFKD", shown).casefold()
    plain = unicodedata.normalize("NFKC", _MARK.sub("", decomposed))
    if "(" in plain:
        for short, long in _BRACKETED.items():
            plain = plain.replace(f"({short})", f" {long} ")
    return plain.translate(_usual_letters())


def words_of(text: str) -> list[str]:
    """Return the words of a text as `spelled` gives it; "S.A." is one word, "S A" are two.

    Latin words are in ASCII, Arabic ones without "and" and the article, which Latin spellings leave out or set apart.
    """
    text = _APOSTROPHES.sub("", text)
    if "." in text:
        text = _DOTTED.sub(lambda dotted: dotted[0].replace(".", "") + " ", text)
    if text.isascii():
        return _ASCII_WORD.findall(text)
    return [_of_one_script(word) for word in _WORD.findall(text)]


@lru_cache(maxsize=32_768)
def script_of(word: str) -> str:
    """Return the script of a word's first letter; "Latin" for digits, "Other" for what is not listed in `SCRIPTS`."""
    if word.isascii():
        return "Latin"
    for letter in word:
        if letter.isalpha():
            return _script_of_letter(letter)
    return "Other"


@lru_cache(maxsize=4_096)
def _script_of_letter(letter: str) -> str:
    return next((name for name, letters in _SCRIPT if letters.match(letter)), "Other")


@lru_cache(maxsize=32_768)
def romanised(word: str) -> str:
    """Return a word of `words_of` in ASCII letters and digits; the word itself where nothing transliterates it."""
    if word.isascii():
        return word
    for letters, latin in _sounds().get(script_of(word), ()):
        word = word.replace(letters, latin)
    return "".join(_ASCII_WORD.findall(anyascii(word).lower())) or word


@lru_cache(maxsize=16_384)
def _shown(letter: str) -> str:
    category = unicodedata.category(letter)
    if category == "Cf" or letter in _TRADE_MARKS:
        return ""
    return " " if category in _BLANKED else letter


def _with_latin_capitals(word: str) -> str:
    """Return a word with Latin letters, and capitals that only look like some, in Latin letters alone."""
    if not _ASCII_LETTER.search(word):
        return word
    latin = word.translate(_CAPITALS)
    return word if _LIKE_LATIN.search(latin) else latin


_ASCII_LETTER: Final = re.compile("[A-Za-z]")


def _of_one_script(word: str) -> str:
    if word.isascii():
        return word
    if _LATIN.search(word) and _LIKE_LATIN.search(word):
        word = _without_like_letters(word)
    match script_of(word):
        case "Latin":
            return romanised(word)
        case "Arabic":
            return _ARTICLES.sub("", _AND.sub("", word))
    return word


def _without_like_letters(word: str) -> str:
    latin = word.translate(_LOOKS_LATIN)
    rest = len(_LIKE_LATIN.findall(latin))
    if not rest:
        return latin
    if 2 * len(_LATIN.findall(word)) > len(word):
        return romanised(latin) if script_of(latin) == "Latin" else anyascii(latin).lower()
    return word.translate(_LOOKS_GREEK if _GREEK.search(word) else _LOOKS_CYRILLIC)


_GREEK: Final = re.compile(f"[{_OF['Greek']}]")


@lru_cache(maxsize=1)
def _usual_letters() -> dict[int, str]:
    rows = [*read_single("han-variants.tsv"), *read_single("letters-alike.tsv")]
    return {ord(row.written): row.means for row in rows} | {ord("&"): " & "}


@lru_cache(maxsize=1)
def _sounds() -> dict[str, list[tuple[str, str]]]:
    """Return script to letters and how they are written in Latin, of those that transliterating one by one misses."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in sorted(read_single("sounds.tsv"), key=lambda row: -len(row.written)):
        letters = unicodedata.normalize("NFKC", row.written)
        found.setdefault(script_of(letters), []).append((letters, row.means))
    return found
