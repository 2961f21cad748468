"""Spellings: the tidy one that is kept, and the bare one by which two writings of a value count as equal."""

import re
import unicodedata
from functools import lru_cache

_BROKEN = re.compile(r"(?<=[\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff])\s+(?=[\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff])")
_JOINERS = {"\u200c", "\u200d"}
"""Zero-width, but part of the spelling in Persian and Indic scripts."""


def tidy(text: str) -> str:
    """Return the text as it is kept: composed, blanks collapsed, without invisible or direction-changing signs."""
    shown = "".join(c for c in text if unicodedata.category(c) != "Cf" or c in _JOINERS)
    return " ".join(unicodedata.normalize("NFC", shown).split())


@lru_cache(maxsize=4_096)
def plain(text: str) -> str:
    """Return the text in upper case without accents, its punctuation kept."""
    decomposed = unicodedata.normalize("NFKD", text)
    # Only the accents of Latin, Greek and Cyrillic: without its marks a Japanese or Indic word is another word.
    kept = "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f" and unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFC", kept).upper()


def joined(text: str) -> str:
    """Return the text without blanks between Chinese or Japanese characters: they come from broken lines."""
    return _BROKEN.sub("", text)


def bare(text: str) -> str:
    """Return letters and digits only, without accents and case: equal for two writings of one address or name."""
    return "".join(c for c in plain(text) if unicodedata.category(c)[0] in "LNM")
