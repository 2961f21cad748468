"""Base type of request bodies: closed and strict, as everything that comes from outside."""

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""Names something in a URL; anything else never reaches the database (PostgreSQL fails on U+0000)."""

MOST_ROWS = 2**31 - 1
"""Largest number of a row; PostgreSQL fails on a larger one."""


class Body(BaseModel):
    """A closed request body; an unknown field is refused, since it may be a misspelt one."""

    model_config = ConfigDict(extra="forbid", frozen=True)
