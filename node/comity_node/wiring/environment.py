"""Which `COMITY_` variables there are: a misspelt one must not pass for a setting that is not made."""

from collections.abc import Iterable
from typing import Final

PREFIX: Final = "COMITY_"
OTHERS: Final = frozenset(
    {"HOME", "URL", "TOKEN", "PASSWORD", "NEW_PASSWORD", "KAFKA_USER", "KAFKA_PASSWORD", "PYTHON", "CACHE", "CHECKOUT"}
    | {"TEST_KAFKA", "TEST_POSTGRES", "SHARED_DATA", "BENCH_BUILT", "CAPTURE", "DOCUMENT_EXPORTS"}
)
"""Read by commands, by the starter and by the local servers, and below them by tests; they set nothing."""


def unknown_variables(environment: Iterable[str], settings: Iterable[str]) -> list[str]:
    """Return in words each variable that begins as ours do and is none of them.

    Args:
        environment: the names of all variables.
        settings: the names of all settings.
    """
    known = {name.upper() for name in settings} | OTHERS
    given = sorted({name.upper() for name in environment if name.upper().startswith(PREFIX)})
    return [
        f"{name} is no setting" + _meant(name.removeprefix(PREFIX), known)
        for name in given
        if name.removeprefix(PREFIX) not in known
    ]


def _meant(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 nobody else needs it

    near = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"; is {PREFIX}{near[0]} meant?" if near else ""
