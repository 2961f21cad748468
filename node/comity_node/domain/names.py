"""Folded names, so that spellings that differ only in case, accents, script marks or legal form become equal."""

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

from comity_node.domain.matching.folding import FOLDING, fold

__all__ = ["FOLDING", "fold_name", "lasting_name"]


def fold_name(text: str) -> str:
    """Return the folded words with blanks between them; never empty, unless the text is blank."""
    return " ".join(fold(text).words)


_LASTING_FORMS = frozenset(
    "ag bhd bv co company corp corporation eireli epp fzco fze gmbh group inc incorporated kk limited llc llp ltd "
    "ltda me mei nv oy plc private pte pty pvt sa sarl sas sdn sl spa srl sro tbk the youxiangongsi".split()
)
_ATTACHED_FORM = re.compile("(股份)?有限(责任|責任)?公司")
"""Chinese has no blanks: the legal form is cut off while it can still be seen."""
_NOT_WORD = re.compile(r"[^0-9a-z]+")


@lru_cache(maxsize=32_768)
def lasting_name(text: str) -> str:
    """Return a name folded in a way that never changes: for what is stored as a key.

    A supplier's number hangs on its key, and people's judgements on that number. So keys do not learn with the lexicon:
    when it grows, suppliers are found by more names, and none becomes another.
    """
    decomposed = plain = text.lower()
    if not text.isascii():
        decomposed = _ATTACHED_FORM.sub(" youxiangongsi ", unicodedata.normalize("NFKD", text).casefold())
        plain = anyascii("".join(c for c in decomposed if not unicodedata.combining(c))).lower()
    # Dots first: "S.A." is one word, "S A" are two.
    words = _NOT_WORD.sub(" ", plain.replace(".", "").replace("'", "")).split()
    kept = [word for word in words if word not in _LASTING_FORMS]
    # Some 27,000 letters (rare ideographs, cuneiform) have no transliteration: "" would equal every other such name.
    return " ".join(kept or words) or " ".join(decomposed.split())
