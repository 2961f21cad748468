"""The pointer: "speak to this member before contacting this supplier", and nothing else.

It says neither why nor how grave: the same statement leaves when people are at risk and when a member is only in talks
with a supplier, so that it gives nobody away. So every one has the same fields, the same terms, and ends with a month.
"""

from calendar import monthrange
from datetime import date
from typing import Final, Self

from pydantic import model_validator

from comity_schemas.countries import Country
from comity_schemas.handling import Contact, Handling, Onward, PermittedUse, Purpose, Tlp
from comity_schemas.subject import Identifiers, Names
from comity_schemas.wire import Digest, Wire


class Pointer(Wire):
    """Whom to speak to first is the member that signed it."""

    replaces: Digest | None = None
    """SHA-256 of the JWT that this one prolongs: an earlier pointer of the same log."""
    names: Names | None = None
    identifiers: Identifiers | None = None
    country: Country
    """Of the supplier, never of a site."""
    valid_until: date
    """The last day of a month: a day of its own choice could tell something."""

    @model_validator(mode="after")
    def _ends_with_a_month(self) -> Self:
        if self.valid_until.day != monthrange(self.valid_until.year, self.valid_until.month)[1]:
            raise ValueError("a pointer ends with a month")
        return self


POINTER_DISCLOSABLE = frozenset({"names", "identifiers"})
"""Travel as open disclosures, so that they can be forgotten later without breaking the chain."""

POINTER_TERMS: Final = Handling(
    tlp=Tlp.GREEN,
    contact=Contact.NONE,
    purpose=Purpose.SUPPLY_CHAIN_DUE_DILIGENCE,
    permitted_use=(PermittedUse.DUE_DILIGENCE, PermittedUse.NOT_SOLE_GROUND_FOR_EXCLUSION),
    onward=Onward.NOBODY,
)
"""The terms of every pointer; any others are refused at every node, since they could tell two apart."""
