"""What is left of words without vowels and with like-sounding consonants as one: it bridges scripts. Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

_LIKE_SOUNDS: Final = (
    ("x", "ks"), ("ph", "f"), ("kh", "k"), ("gh", "g"), ("dh", "d"), ("th", "t"), ("sh", "s"), ("ck", "k"), ("q", "k"),
    ("c", "k"), ("z", "s"), ("j", "s"), ("v", "b"),
)  # fmt: skip
_SILENT: Final = str.maketrans("", "", "aeiouywh")
_REPEATED: Final = re.compile(r"(.)\1+")


@lru_cache(maxsize=65_536)
def skeleton_of(word: str) -> str:
    """Return the consonants of a folded word, like-sounding ones as one; empty where fewer than two are left."""
    bones = _REPEATED.sub(r"\1", _sounding(word))
    return bones if len(bones) > 1 else ""


def _sounding(text: str) -> str:
    for letters, sound in _LIKE_SOUNDS:
        text = text.replace(letters, sound)
    return text.translate(_SILENT)


def bones_of_lines(lines: Sequence[str]) -> list[list[str]]:
    """Return the skeletons of the words of each line, as `skeleton_of` does.

    Of many words at once, since hardly two suppliers have the same ones: nothing of them is kept.

    Args:
        lines: folded words with one blank between them.
    """
    if not lines:
        return []
    # Neither letters nor sounds reach over a blank, so all are read as one text.
    text = _sounding("\n".join(lines))
    letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    between = (letters == _BLANK) | (letters == _END)
    repeated = np.zeros(len(letters), dtype=bool)
    repeated[1:] = (letters[1:] == letters[:-1]) & ~between[1:]
    letters, between = letters[~repeated], between[~repeated]
    alone = np.ones(len(letters) + 2, dtype=bool)
    alone[1:-1] = between
    # A letter between two of these is all that is left of its word, and tells nothing.
    kept = letters[between | ~(alone[:-2] & alone[2:])]
    return [line.split(" ") for line in kept.tobytes().decode("utf-32-le", "surrogatepass").split("\n")]


_BLANK: Final = ord(" ")
_END: Final = ord("\n")
