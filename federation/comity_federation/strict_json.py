"""JSON on which no two readers can disagree.

No duplicate keys, no floats, integers within 2^53, at most 32 levels, valid UTF-8 without a byte order mark, no lone
surrogates, no U+0000 (PostgreSQL refuses it: a signed record could jam a receiver).
"""

import json
from typing import Any, ClassVar

import orjson

from comity_schemas.errors import ComityError

MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1


class NotStrict(ComityError):
    """The bytes are not JSON, or JSON that readers could take in two ways.

    Attributes:
        reason: a stable word: `syntax`, `encoding`, `duplicate-key`, `float`, `integer`, `depth`, `nul`, `surrogate`.
    """

    code: ClassVar[str] = "json.not-strict"

    def __init__(self, reason: str) -> None:
        super().__init__(f"not strict JSON: {reason}")
        self.reason = reason


def loads(raw: bytes) -> Any:
    """Return the value.

    Raises:
        NotStrict: see the module's rules.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotStrict("encoding") from error
    if text.startswith("\ufeff"):
        raise NotStrict("encoding")
    # Before parsing: a deep value would exhaust the parser's stack.
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(text)
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise NotStrict("syntax") from error
    if "\\u" in text or "\x00" in text:
        _check_text(value)
    return value


def dumps(value: Any) -> bytes:
    """Return compact UTF-8 JSON of a value that strict JSON can say, in its own key order."""
    try:
        return orjson.dumps(value)
    except TypeError:  # Some values that it does not know, such as larger integers, json does.
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise NotStrict("duplicate-key")
    return value


def _integer(text: str) -> int:
    # Length first: int() of a million digits is slow.
    # Minus zero: some readers keep the sign.
    if len(text) > 17 or text == "-0" or not -MAX_INTEGER <= int(text) <= MAX_INTEGER:
        raise NotStrict("integer")
    return int(text)


def _no_float(text: str) -> Any:
    raise NotStrict("float")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_no_float, parse_int=_integer, parse_constant=_no_float
)


def _check_depth(text: str) -> None:
    depth, in_string, escaped = 0, False, False
    for c in text:
        if in_string:
            if escaped:
                escaped = False
            elif c == "\\":
                escaped = True
            elif c == '"':
                in_string = False
        elif c == '"':
            in_string = True
        elif c in "{[":
            depth += 1
            if depth > MAX_DEPTH:
                raise NotStrict("depth")
        elif c in "}]":
            depth -= 1


def _check_text(value: Any) -> None:
    if isinstance(value, str):
        if "\x00" in value:
            raise NotStrict("nul")
        if any("\ud800" <= c <= "\udfff" for c in value):
            raise NotStrict("surrogate")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key)
            _check_text(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_text(inner)
