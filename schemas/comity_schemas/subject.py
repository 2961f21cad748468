"""Whom a finding is about, and the words both reports and findings use for it."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from comity_schemas.identifiers import Identifier
from comity_schemas.wire import Wire, text


class SubjectType(StrEnum):
    """What the subject is. What a labour provider did shows on its clients as "through its labour provider"."""

    SUPPLIER = "supplier"
    SITE = "site"
    LABOUR_PROVIDER = "labour-provider"


class NameKind(StrEnum):
    """What a name is to the organisation."""

    REGISTERED = "registered"
    TRADING = "trading"
    FORMER = "former"
    ROMANISED = "romanised"


class Name(Wire):
    """A name in any script, as the source writes it."""

    text: text(200)  # type: ignore[valid-type]
    kind: NameKind = NameKind.REGISTERED


class SectorScheme(StrEnum):
    """Classifications a sector code may come from."""

    ISIC_4 = "ISIC4"
    ISIC_5 = "ISIC5"
    CNAE = "CNAE"
    UNSPSC = "UNSPSC"
    CPV = "CPV"


class Sector(Wire):
    """What the subject does, as a code; titles are looked up, never sent."""

    scheme: SectorScheme
    code: Annotated[str, StringConstraints(pattern=r"^[A-Z]?[0-9][0-9./-]{0,11}$")]


Names = Annotated[tuple[Name, ...], Field(min_length=1, max_length=20)]
Identifiers = Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=20)]


class Party(Wire):
    """An organisation named beside the subject, such as the client of a labour provider."""

    names: Names
    identifiers: Identifiers | None = None
