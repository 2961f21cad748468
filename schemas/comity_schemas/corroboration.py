"""The corroboration: this member's own evidence supports or contradicts what another member found.

It names the finding and says on which of its indicators, from what kind of source, and when; no free text, no person,
no count. It stands beside the finding and is never added up with it. A register that is only relayed is no evidence of
one's own. Whether it is independent of the finding, whoever reads both tells for itself: the finding may lie in any
log and arrive later.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from comity_schemas.finding import Source, SourceType
from comity_schemas.indicators import Indicator
from comity_schemas.wire import Digest, Wire


class Says(StrEnum):
    """What the evidence says of the finding. One never makes up for the other."""

    SUPPORTS = "supports"
    CONTRADICTS = "contradicts"


class Corroboration(Wire):
    """What one member's own evidence says of another member's finding."""

    replaces: Digest | None = None
    """SHA-256 of the JWT that this one revises: an earlier corroboration of the same log."""
    about: Digest
    """SHA-256 of the finding's JWT, in another member's log; it may arrive later than this."""
    says: Says
    indicators: Annotated[tuple[Indicator, ...], Field(min_length=1, max_length=11)]
    """On which of the finding's indicators; of the others nothing is said."""
    source: Source
    valid_until: date

    @model_validator(mode="after")
    def _own_evidence(self) -> Self:
        if len(set(self.indicators)) != len(self.indicators):
            raise ValueError("an indicator is named twice")
        if self.source.type is SourceType.PUBLIC_REGISTER or self.source.event is not None:
            raise ValueError("a public register that is relayed corroborates nothing")
        return self
