"""Base type of request bodies: closed and strict, as everything that comes from outside."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict

from comity_node.domain.asked_names import why_nobody

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""Names something in a URL; anything else never reaches the database (PostgreSQL fails on U+0000)."""

MOST_ROWS = 2**31 - 1
"""Largest number of a row; PostgreSQL fails on a larger one."""


class Body(BaseModel):
    """A closed request body; an unknown field is refused, since it may be a misspelt one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Unfit(ValueError):
    """What of a body does not fit, in words that repeat nothing of it: they are told to whoever sent it."""


def refuse_nobody(names: Sequence[str], identifiers: Sequence[object]) -> None:
    """Refuse names by which nobody can be found, where no identifier stands beside them.

    Raises:
        Unfit: none of them names anybody.
    """
    whys = [why_nobody(name) for name in names]
    if not identifiers and all(whys):
        raise Unfit(f"{whys[0]}: give the whole name, or an identifier")
