"""What of a request does not fit, in words: where and what kind, never what was sent."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from comity_node.api.bodies import Unfit
from comity_schemas.wire import PRINTABLE

MOST_TOLD: Final = 3
_PLAIN = re.compile(r"^[A-Za-z0-9_-]{1,40}$")
_WORDS: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "string_unicode": "is no Unicode text",
    "string_too_long": "has more than {max_length} characters",
    "too_short": "has fewer than {min_length} entries",
    "too_long": "has more than {max_length} entries",
    "greater_than_equal": "is less than {ge}",
    "less_than_equal": "is more than {le}",
    "int_parsing": "is no whole number",
    "json_invalid": "is no JSON",
    "extra_forbidden": "is nothing that is asked for here",
    "string_pattern_mismatch": "has another form",
    "value_error": "has a form or a check digit that does not fit",
}
"""Kind of misfit to its words; what they hold comes from the contract."""


def without_followers(errors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the misfits without lists that are too short only because an entry of theirs does not fit."""
    places = [tuple(error["loc"]) for error in errors]
    return [
        error
        for error, place in zip(errors, places, strict=True)
        if error["type"] != "too_short" or not any(len(p) > len(place) and p[: len(place)] == place for p in places)
    ]


def in_words(errors: Sequence[Mapping[str, Any]]) -> str:
    """Return the first misfits as a sentence for whoever asked."""
    told = list(dict.fromkeys(map(_one, errors)))
    further = f"; and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    return f"the request does not fit: {'; '.join(told[:MOST_TOLD])}{further}. Nothing was changed"


def _one(error: Mapping[str, Any]) -> str:
    """Return one misfit. Only plain names stand in it: the name of a field is somebody's word too."""
    _, *inner = error["loc"] or ("",)
    place = ".".join(str(part) if _PLAIN.match(str(part)) else "…" for part in inner) or "it"
    given = error.get("ctx") or {}
    if isinstance(given.get("error"), Unfit):
        return f"{place}: {given['error']}"
    kind = error["type"]
    if kind == "json_invalid":
        return "it is no JSON"
    if kind == "string_too_short" and given.get("min_length") == 1:
        return f"{place} is empty"
    if kind == "string_pattern_mismatch" and given.get("pattern") == PRINTABLE:
        return f"{place} holds control characters, or some that change the direction of writing"
    try:
        return f"{place} {_WORDS.get(kind, 'does not fit').format(**given)}"
    except (KeyError, IndexError):
        return f"{place} does not fit"
