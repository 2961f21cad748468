"""What evidence may be: which media types are taken, and how one is told from what it only says it is."""

from typing import ClassVar, Final

from comity_schemas.errors import ComityError

MAX_EVIDENCE_BYTES = 200_000_000
"""Largest evidence file, in bytes."""

_ZIPPED = b"PK\x03\x04"
_BEGINS: Final[dict[str, tuple[bytes, ...]]] = {
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "application/pdf": (b"%PDF-",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (_ZIPPED,),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (_ZIPPED,),
}
"""Taken, and how each begins."""

_TEXTS: Final = frozenset({"text/plain", "text/csv"})
"""Taken if they are UTF-8 without control characters."""

STRIPPABLE: Final = frozenset({"image/jpeg", "image/png", "application/pdf"})
"""Of which a copy without metadata can be made."""


class EvidenceRefused(ComityError):
    """The file is of a type or size that is not taken, or is not what the report says; nothing of it is kept."""

    code: ClassVar[str] = "evidence.refused"


def check_type(media_type: str, more: frozenset[str]) -> None:
    """Let a media type pass that is taken here.

    Args:
        media_type: as the report lists it.
        more: types that the member's settings take besides.

    Raises:
        EvidenceRefused: the text says why.
    """
    if media_type in _BEGINS or media_type in _TEXTS or media_type in more:
        return
    if media_type.startswith(("audio/", "video/")):
        raise EvidenceRefused(
            f"{media_type} is not taken: recordings show and name people, and their voices give them away. Nothing was "
            "stored. Write down what matters without names; where a recording must be kept, the setting "
            "`evidence_more_types` lets it in"
        )
    raise EvidenceRefused(
        f"{media_type} is not taken; {', '.join(sorted([*_BEGINS, *_TEXTS, *more]))} are. Nothing was stored"
    )


def check_size(stated: int) -> None:
    """Let a size pass that is not too large.

    Raises:
        EvidenceRefused: it is.
    """
    if stated > MAX_EVIDENCE_BYTES:
        raise EvidenceRefused(
            f"the file has {stated} bytes; at most {MAX_EVIDENCE_BYTES} are taken. Nothing was stored"
        )


class Looking:
    """Looks at a file that passes by in pieces, for whether it is what it says."""

    def __init__(self, media_type: str) -> None:
        self._type = media_type
        self._begin = b""
        self._cut = b""
        self._fits = True

    def look(self, piece: bytes) -> None:
        """Look at the next piece."""
        if len(self._begin) < 16:
            self._begin += piece[:16]
        if self._type in _TEXTS and self._fits:
            self._look_at_text(self._cut + piece)

    def is_what_it_says(self) -> bool:
        """Tell, at the end, whether the file can be of its type."""
        if self._type in _TEXTS:
            return self._fits and not self._cut
        begins = _BEGINS.get(self._type)
        return begins is None or self._begin.startswith(begins)

    def _look_at_text(self, piece: bytes) -> None:
        try:
            text, self._cut = piece.decode("utf-8"), b""
        except UnicodeDecodeError as error:
            # A character may be cut by the end of a piece; it is looked at together with the next one.
            if len(piece) - error.start > 3:
                self._fits = False
                return
            text, self._cut = piece[: error.start].decode("utf-8"), piece[error.start :]
        self._fits = not any(ord(c) < 32 and c not in "\t\n\r\f" for c in text)
