"""Folding names, so that spellings that differ only in case, accents, script marks or legal form become equal.

First honest form: transliteration by anyascii and a short list of legal forms. The screening engine brings lexicons.
"""

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

FOLDING = 1
"""Stored with folded names; a change of folding raises it and the index is rebuilt."""

_LEGAL_FORMS = frozenset(
    "ag bhd bv co company corp corporation eireli epp fzco fze gmbh group inc incorporated kk limited llc llp ltd "
    "ltda me mei nv oy plc private pte pty pvt sa sarl sas sdn sl spa srl sro tbk the youxiangongsi".split()
)
_ATTACHED_FORM = re.compile("(股份)?有限(责任|責任)?公司")
"""Chinese has no blanks: the legal form is cut off while it can still be seen."""
_NOT_WORD = re.compile(r"[^0-9a-z]+")


@lru_cache(maxsize=32_768)
def fold_name(text: str) -> str:
    """Return the folded form: lower-case ASCII words without legal forms; never empty, unless the text is blank."""
    decomposed = plain = text.lower()
    if not text.isascii():
        decomposed = _ATTACHED_FORM.sub(" youxiangongsi ", unicodedata.normalize("NFKD", text).casefold())
        plain = anyascii("".join(c for c in decomposed if not unicodedata.combining(c))).lower()
    # Dots first: "S.A." is one word, "S A" are two.
    words = _NOT_WORD.sub(" ", plain.replace(".", "").replace("'", "")).split()
    kept = [word for word in words if word not in _LEGAL_FORMS]
    # Some 27,000 letters (rare ideographs, cuneiform) have no transliteration: "" would equal every other such name.
    return " ".join(kept or words) or " ".join(decomposed.split())
