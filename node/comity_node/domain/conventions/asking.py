"""Reading whom others' clients ask about: an example of an entity, as a schema and its properties.

Rules:
- Nothing is dropped silently: what is not compared is named in a warning, never with its value.
- An example that names nobody is refused; an empty answer would read as "nothing found".
- A number counts as an identifier only under a scheme that is certain: its own property, `SCHEME:NUMBER`, or check
  digits that fit. Any other number is looked for under every list of its country and speaks against nobody; so is one
  that fits a register of places, since one in ten of any register's numbers of 13 digits does by chance.

Source: FollowTheMoney 4.11 (schemata, properties); yente 5.5 `EntityExample`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from comity_node.domain.asked_names import why_nobody
from comity_node.domain.matching.identifiers import SITE_SCHEMES
from comity_node.domain.screening import Question
from comity_schemas.errors import ComityError
from comity_schemas.identifier_schemes import SCHEMES
from comity_schemas.identifiers import CHECKS, Identifier
from comity_schemas.wire import text

SCHEMATA: Mapping[str, str] = {
    "Thing": "Anything",
    "LegalEntity": "Legal entities",
    "Organization": "Organizations",
    "Company": "Companies",
    "PublicBody": "Public bodies",
}
"""Schema to its words, for which somebody here may be found. Nobody here is a natural person."""

NAMES = ("name", "alias", "weakAlias", "previousName", "abbreviation")
COUNTRIES = ("country", "jurisdiction", "mainCountry")
OWN_SCHEMES: Mapping[str, str] = {
    "leiCode": "XI-LEI",
    "dunsCode": "XI-DUNS",
    "uniqueEntityId": "US-SAM",
    "uscCode": "CN-USCI",
    "innCode": "RU-INN",
    "ogrnCode": "RU-OGRN",
}
"""Property to the one scheme whose numbers it holds."""

NUMBERS = ("registrationNumber", "taxNumber", "vatCode", "idNumber")
"""Properties that hold a number of any scheme."""

PROPERTIES: Mapping[str, str] = {
    "name": "Name",
    "alias": "Other name",
    "weakAlias": "Weak alias",
    "previousName": "Previous name",
    "abbreviation": "Abbreviation",
    "country": "Country",
    "jurisdiction": "Jurisdiction",
    "mainCountry": "Country of origin",
    "address": "Address",
    "registrationNumber": "Registration number, alone or as SCHEME:NUMBER",
    "taxNumber": "Tax number, alone or as SCHEME:NUMBER",
    "vatCode": "V.A.T. identifier",
    "idNumber": "Any number, as SCHEME:NUMBER",
    "leiCode": "LEI",
    "dunsCode": "DUNS",
    "uniqueEntityId": "UEI",
    "uscCode": "USCC",
    "innCode": "INN",
    "ogrnCode": "OGRN",
}
"""Property to its words: all that is compared."""

ROW = "row"
"""A property of ours, which OpenRefine fills from a column: the row of the officer's own list that is asked about."""

MOST_VALUES = 20
"""Values of one property; as many as a finding has names."""

_LONG: Mapping[str, int] = {"BR-CNPJ": 14, "CN-USCI": 18, "XI-LEI": 20}
"""Scheme with check digits to how many letters its numbers have: a slip of the pen must not read as nothing found."""

_NAME: TypeAdapter[str] = TypeAdapter(text(300))
_NUMBER: TypeAdapter[str] = TypeAdapter(text(80))


class ExampleRefused(ComityError):
    """A client of another convention asked what cannot be answered so; nothing was looked up."""

    code: ClassVar[str] = "convention.refused"


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A number whose scheme nobody gave."""

    number: str
    """In normal form."""
    countries: tuple[str, ...]
    places: tuple[str, ...] = ()
    """Registers of places whose check digit it fits."""

    def may_be(self) -> list[Identifier]:
        """Return it on the lists it may stand on: those of its countries without a check digit of their own, also as it
        is there without the country's letters before it."""
        lists = sorted(s for s in SCHEMES if s not in CHECKS and s[:2] in self.countries and s[2:3] in ("-", "_"))
        forms = dict.fromkeys([self.number, self.number[2:] if self.number[:2] in self.countries else self.number])
        on_lists = [Identifier(scheme=scheme, id=form) for form in forms if form for scheme in lists]
        return [*(Identifier(scheme=scheme, id=self.number) for scheme in self.places), *on_lists]


@dataclass(frozen=True, slots=True)
class Example:
    """Whom somebody asks about, read."""

    schema: str
    properties: Mapping[str, tuple[str, ...]]
    """As they are compared; what is not compared is not here."""
    question: Question
    unplaced: tuple[Unplaced, ...]
    warnings: tuple[str, ...]


def read_example(schema: str, properties: Mapping[str, Any], read_country: Callable[[str], str | None]) -> Example:
    """Return whom an example asks about.

    Args:
        schema: FollowTheMoney's.
        properties: Property to a value or values, as anybody may send them.
        read_country: The ISO code of a spelling; None where nobody can tell.

    Raises:
        ExampleRefused: it names nobody who could be found here, or a value cannot be one.
    """
    if schema not in SCHEMATA:
        raise ExampleRefused(f"nobody here is of the schema asked for; ask for one of {', '.join(SCHEMATA)}")
    warnings: list[str] = []
    known = {name: _values(name, given) for name, given in properties.items() if name in PROPERTIES}
    unknown = sorted(name for name in properties if name not in PROPERTIES)
    if unknown:
        # How a property is called can tell whom somebody asks about as little as a column's name.
        shown = ", ".join(name for name in unknown if name.isidentifier() and len(name) <= 40)
        warnings.append(f"{len(unknown)} properties are not compared: {shown or 'none with a name of that form'}")
    names = tuple(dict.fromkeys(_name(v) for prop in NAMES for v in known.get(prop, ())))
    countries = _countries(known, read_country, warnings)
    identifiers, unplaced = _identifiers(known, countries, warnings)
    if not names and not identifiers and not unplaced:
        raise ExampleRefused("give a name or a number that can be compared: an empty question finds nobody")
    whys = [why_nobody(name) for name in names]
    if names and all(whys) and not identifiers and not unplaced:
        raise ExampleRefused(f"{whys[0]}: give the whole name, or a number")
    addresses = tuple(_name(v) for v in known.get("address", ()))
    question = Question(
        name=names[0] if names else None,
        country=countries[0] if countries else None,
        identifiers=identifiers,
        addresses=addresses,
        other_names=names[1:],
    )
    if len(countries) > 1:
        warnings.append("only the first of several countries is compared")
    return Example(schema, {k: tuple(v) for k, v in known.items() if v}, question, unplaced, tuple(warnings))


def _values(name: str, given: Any) -> list[str]:
    values = given if isinstance(given, list) else [given]
    if len(values) > MOST_VALUES:
        raise ExampleRefused(f"at most {MOST_VALUES} values of one property; {name} has more")
    said = []
    for value in values:
        if isinstance(value, dict):
            # OpenRefine's form of a value that was reconciled itself.
            value = value.get("name") or value.get("id")
        if isinstance(value, bool) or not isinstance(value, str | int | float | None):
            raise ExampleRefused(f"a value of {name} is neither text nor a number")
        if isinstance(value, str) and has_half_characters(value):
            raise ExampleRefused(
                f"a value of {name} has characters that cannot be seen, or are none: halves of a surrogate pair"
            )
        if value is not None and str(value).strip():
            said.append(str(value).strip())
    return said


def has_half_characters(text: str) -> bool:
    """Tell whether a text cannot be sent back as UTF-8: JSON can write half a character."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def _name(written: str) -> str:
    try:
        return _NAME.validate_python(written)
    except ValidationError as error:
        raise ExampleRefused(
            "a name or address has more than 300 characters, or some that cannot be seen (control, direction)"
        ) from error


def _countries(
    known: Mapping[str, Sequence[str]], read_country: Callable[[str], str | None], warnings: list[str]
) -> tuple[str, ...]:
    found = []
    for spelling in (v for prop in COUNTRIES for v in known.get(prop, ())):
        code = read_country(spelling)
        if code is None:
            warnings.append("a country is none that the list of countries can read; it is not compared")
        else:
            found.append(code)
    return tuple(dict.fromkeys(found))


def _identifiers(
    known: Mapping[str, Sequence[str]], countries: Sequence[str], warnings: list[str]
) -> tuple[tuple[Identifier, ...], tuple[Unplaced, ...]]:
    placed: list[Identifier] = []
    unplaced: list[Unplaced] = []
    for prop, scheme in OWN_SCHEMES.items():
        placed += [i for v in known.get(prop, ()) if (i := _placed(scheme, v, warnings)) is not None]
    for written in (v for prop in NUMBERS for v in known.get(prop, ())):
        scheme, _, number = written.partition(":")
        if number and scheme.strip().upper() in SCHEMES:
            named = _placed(scheme.strip().upper(), number, warnings)
            placed += [] if named is None else [named]
            continue
        checked = [i for s in CHECKS if (i := _fits(s, written, countries)) is not None]
        certain = [i for i in checked if i.scheme not in SITE_SCHEMES]
        placed += certain
        if certain:
            continue
        loose, places = _fits_any(written), tuple(i.scheme for i in checked)
        if loose is None or not (countries or places):
            warnings.append("a number without country or scheme is not compared; write it as SCHEME:NUMBER")
            continue
        unplaced.append(Unplaced(loose, tuple(countries), places))
        warnings += [
            f"a number is as long as a {scheme} and its check digit does not fit: look whether it is written rightly"
            for scheme, letters in _LONG.items()
            if len(loose) == letters and scheme[:2] in ("XI", *countries)
        ]
    return tuple(dict.fromkeys(placed)), tuple(unplaced)


def _placed(scheme: str, written: str, warnings: list[str]) -> Identifier | None:
    try:
        return Identifier.of(scheme, _NUMBER.validate_python(written))
    except ValidationError:
        # A slip of the pen must not read as "nothing found".
        warnings.append(f"a number is no valid {scheme}, and is not compared: its form or check digit does not fit")
        return None


def _fits(scheme: str, written: str, countries: Sequence[str]) -> Identifier | None:
    """Return a number as one of a scheme with check digits of these countries, or of all countries."""
    if scheme == "UNGM" or (scheme[2:3] == "-" and scheme[:2] not in ("XI", *countries)):
        return None
    try:
        return Identifier.of(scheme, _NUMBER.validate_python(written))
    except ValidationError:
        return None


def _fits_any(written: str) -> str | None:
    try:
        return Identifier.of("XI-DUNS", _NUMBER.validate_python(written)).id
    except ValidationError:
        return None
