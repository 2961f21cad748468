"""The one root of all errors.

Every class is one thing a caller can do something about. `code` is stable and dotted; values are attributes; the
text says what happened and quotes the offending value, never a secret or a person.
"""

from typing import ClassVar


class ComityError(Exception):
    """Root of every error Comity raises on purpose."""

    code: ClassVar[str] = "comity"
    """Stable, dotted; callers switch on it, texts may change."""
