"""Base type of request bodies: closed and strict, as everything that comes from outside."""

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """A closed request body; an unknown field is refused, since it may be a misspelt one."""

    model_config = ConfigDict(extra="forbid", frozen=True)
