"""Names that somebody asks for, as they are written: read, or why nobody can be found by them. Pure.

A name that names nobody is refused wherever one can ask: an empty answer would read as "nothing found".
"""

import unicodedata
from dataclasses import dataclass
from typing import Final

from comity_node.domain.matching.folding import LEGAL_FORM_ALONE, is_legal_form_alone
from comity_node.domain.spelling import tidy

MOST_NAME: Final = 300

_INVISIBLE_AND_MEANT: Final = "\t\n\r\u200c\u200d"
_LOOK_ALIKE: Final = frozenset({"LATIN", "CYRILLIC", "GREEK"})


@dataclass(frozen=True, slots=True)
class AskedName:
    """A name as it was written, read."""

    name: str | None
    why: str | None = None
    """Why nobody can be found by it; None where somebody can."""
    notes: tuple[str, ...] = ()
    """What was read otherwise than it is written, and what somebody should look at."""


def read_name(written: str) -> AskedName:
    """Return a name without what cannot be seen, or why nobody can be found by it."""
    if any(unicodedata.category(c) == "Cs" for c in written):
        return AskedName(None, "a name that is not written in UTF-8 cannot be read")
    name = tidy("".join(" " if unicodedata.category(c) == "Cc" else c for c in written))
    if len(name) > MOST_NAME:
        return AskedName(None, f"a name of more than {MOST_NAME} characters is nobody's")
    if (why := why_nobody(name)) is not None:
        return AskedName(None, why)
    notes = []
    if any(unicodedata.category(c) in ("Cc", "Cf") and c not in _INVISIBLE_AND_MEANT for c in written):
        notes.append("a name holds control or direction-changing characters; it was read without them")
    if any(map(_mixes_scripts, name.split())):
        notes.append("a word of the name mixes letters of two alphabets that look alike")
    return AskedName(name, notes=tuple(notes))


def why_nobody(name: str) -> str | None:
    """Return in words why a name names nobody; None where it may name somebody."""
    if not any(c.isalnum() for c in name):
        return "a name without a letter or digit names nobody"
    return LEGAL_FORM_ALONE if is_legal_form_alone(name) else None


def _mixes_scripts(word: str) -> bool:
    scripts = {unicodedata.name(c, "").split(" ")[0] for c in word if c.isalpha()}
    return len(scripts & _LOOK_ALIKE) > 1
