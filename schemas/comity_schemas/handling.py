"""Handling terms: they travel with every statement and bind its readers."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from comity_schemas.wire import Wire


class Tlp(StrEnum):
    """Who may read it. Source: FIRST, Traffic Light Protocol 2.0."""

    RED = "RED"
    AMBER_STRICT = "AMBER+STRICT"
    AMBER = "AMBER"
    GREEN = "GREEN"
    CLEAR = "CLEAR"


class Contact(StrEnum):
    """May the supplier notice that somebody asks? The protection against tipping off."""

    NONE = "none"
    DESK = "desk"
    ENGAGE = "engage"
    OPEN = "open"


class Purpose(StrEnum):
    """What the statement was shared for."""

    SUPPLY_CHAIN_DUE_DILIGENCE = "supply-chain-due-diligence"
    PROTECTION_OF_PERSONS = "protection-of-persons"


class PermittedUse(StrEnum):
    """What a reader may do with it."""

    ENGAGEMENT = "engagement"
    DUE_DILIGENCE = "due-diligence"
    NOT_SOLE_GROUND_FOR_EXCLUSION = "not-sole-ground-for-exclusion"


class Onward(StrEnum):
    """To whom a reader may pass it on."""

    NOBODY = "nobody"
    MEMBERS = "members"
    ANYONE = "anyone"


class Handling(Wire):
    """The terms under which a statement is shared."""

    tlp: Tlp
    contact: Contact
    purpose: Purpose
    permitted_use: Annotated[tuple[PermittedUse, ...], Field(min_length=1, max_length=3)]
    onward: Onward
