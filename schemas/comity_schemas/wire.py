"""Base type and small value types of everything that travels or is signed.

Rules: frozen, closed (unknown fields are refused), strict (no coercion), and no U+0000 anywhere, because PostgreSQL
refuses it and a signed record could then jam a receiver.
"""

import json
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError


class Wire(BaseModel):
    """A frozen, closed, strict type of the wire or of a signed file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @classmethod
    def from_parsed(cls, value: Any) -> Self:
        """Validate a value that strict JSON parsing gave, with JSON's rules for dates, enums and arrays.

        Raises:
            pydantic.ValidationError: the value does not fit the schema.
        """
        return cls.model_validate_json(json.dumps(value, ensure_ascii=False))

    def to_parsed(self) -> dict[str, Any]:
        """Return the JSON value: absent fields left out, arrays as lists."""
        return self.model_dump(mode="json", exclude_none=True)


PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$"
"""No control characters, and none that reorder the text around them: a name could be made to read as another."""


def text(most: int, *, least: int = 1) -> Any:
    """Return the type of a short text of at most `most` characters, without control characters."""
    return Annotated[str, StringConstraints(min_length=least, max_length=most, pattern=PRINTABLE)]


Digest = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
"""SHA-256, base64url without padding."""

Did = Annotated[str, StringConstraints(pattern=r"^did:web:[a-zA-Z0-9.%:_-]{1,200}$")]
"""A member's name in signatures. Never resolved: what it may do stands in the registry."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?$")]
"""A member's short name; part of its topics' names."""

KeyId = Annotated[str, StringConstraints(pattern=r"^did:web:[a-zA-Z0-9.%:_-]{1,200}#[a-zA-Z0-9_-]{1,64}$")]
"""`<did>#<key>`."""

Month = Annotated[str, StringConstraints(pattern=r"^[12][0-9]{3}(-(0[1-9]|1[0-2]))?$")]
"""`YYYY-MM`, or `YYYY` where the source has no more."""

CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""


def misfits(error: Exception, *, words: bool = False) -> str:
    """Return which fields do not fit and why, without their content: it may name somebody.

    Args:
        error: what validation raised.
        words: tell our own rules in their words, which may name references; only for whoever holds the file anyway.
    """
    if not isinstance(error, ValidationError):
        return type(error).__name__
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(
        f"{'.'.join(map(str, e['loc'])) or 'the whole'}: "
        + (e["msg"].removeprefix("Value error, ") if words and e["type"] == "value_error" else e["type"])
        for e in found[:5]
    )
