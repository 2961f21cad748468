"""A member's list of its vendors' contacts: to whom a supplier's code may be mailed. It stays, and is personal data.

Rules:
- What is not needed is not kept: vendor, mail address, a number, a language. Other columns are named and passed over.
- A number that both name finds a vendor; an equal name alone never does by itself, since two firms can share one and a
  code in the wrong hands tells a competitor. Where a vendor has several addresses a person chooses.
- A file is taken whole or not at all; what is refused is told by row and column, never by content.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final

from pydantic import ValidationError

from comity_node.domain.names import fold_name
from comity_node.domain.tables.csv_table import open_csv
from comity_node.domain.tables.table import Row, Table, text_of
from comity_node.domain.tables.workbook import open_workbook_table
from comity_node.domain.vocabulary import Language
from comity_schemas.errors import ComityError
from comity_schemas.identifiers import Identifier
from comity_schemas.wire import PRINTABLE

MAIL_ADDRESS = r"^[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"
"""An address that no header can be smuggled into."""

MOST_VENDORS: Final = 5_000
MOST_BYTES: Final = 2 * 1024 * 1024
_MOST_FAULTS: Final = 50
_COLUMNS: Final = ("vendor", "mail", "identifier_scheme", "identifier", "language")
_LONGEST: Final = {"vendor": 200, "mail": 254, "identifier_scheme": 40, "identifier": 100, "language": 2}


class ContactsRefused(ComityError):
    """The file is no list of vendors' contacts, or rows of it do not fit; the text names each. Nothing was changed."""

    code: ClassVar[str] = "vendor-contacts.refused"


class NoContact(ComityError):
    """The list names no contact of this supplier for certain; the text says why, and the code is handed on."""

    code: ClassVar[str] = "vendor-contacts.none"


class FoundBy(StrEnum):
    """By what a vendor was found."""

    IDENTIFIER = "identifier"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class VendorContact:
    """To whom one vendor's codes go."""

    vendor: str
    mail: str
    identifier: Identifier | None = None
    language: Language | None = None


def read_contacts(raw: bytes) -> tuple[list[VendorContact], list[str]]:
    """Return the contacts of a CSV or workbook, and the columns that were not read.

    Raises:
        ContactsRefused: rows do not fit, or there are too many.
        TableRefused: it is no table.
    """
    if len(raw) > MOST_BYTES:
        raise ContactsRefused(f"the file has {len(raw)} bytes; at most {MOST_BYTES} are read. Nothing was changed")
    workbook = raw.startswith(b"PK\x03\x04")
    table = open_workbook_table(io.BytesIO(raw)) if workbook else open_csv(io.BytesIO(raw))
    places = {heading.casefold(): place for place, heading in enumerate(table.headings)}
    missing = [name for name in ("vendor", "mail") if name not in places]
    if missing:
        raise ContactsRefused(f"the columns are {', '.join(_COLUMNS)}; missing: {', '.join(missing)}")
    found, faults = _read(table, places)
    if faults:
        listed = "\n".join(faults[:_MOST_FAULTS])
        raise ContactsRefused(f"{len(faults)} cells do not fit; nothing was changed:\n{listed}")
    if not found:
        raise ContactsRefused("no vendor stands below the headings; nothing was changed. To have none, delete the list")
    return found, [heading for heading in table.headings if heading.casefold() not in _COLUMNS]


def find_contact(
    contacts: Sequence[VendorContact], names: Sequence[str], identifiers: Sequence[Identifier]
) -> list[tuple[VendorContact, FoundBy]]:
    """Return the contacts that may be a supplier's: by a number that both name, else by an equal name.

    A vendor of the same name with another number of the same register is somebody else.
    """
    known = {(i.scheme, i.id) for i in identifiers}
    by_number = [c for c in contacts if c.identifier is not None and (c.identifier.scheme, c.identifier.id) in known]
    if by_number:
        return [(contact, FoundBy.IDENTIFIER) for contact in by_number]
    folded, schemes = {fold_name(name) for name in names}, {i.scheme for i in identifiers}
    return [
        (contact, FoundBy.NAME)
        for contact in contacts
        if fold_name(contact.vendor) in folded
        and (contact.identifier is None or contact.identifier.scheme not in schemes)
    ]


def require_certain(found: Sequence[tuple[VendorContact, FoundBy]]) -> VendorContact:
    """Return the one contact that a code may be mailed to without a person's look.

    Raises:
        NoContact: none, several, or found by name only.
    """
    if not found:
        raise NoContact("the list of vendors' contacts has none of this supplier; hand the code on yourself")
    if any(by is FoundBy.NAME for _, by in found):
        raise NoContact(
            "the list has a vendor of an equal name, but no number that both name: look whether it is the same "
            "(comity vendor-contacts find REVIEW) and give its address yourself; nothing was made or mailed"
        )
    if len({contact.mail.casefold() for contact, _ in found}) > 1:
        raise NoContact(
            "the list has several addresses of this supplier: choose one (comity vendor-contacts find REVIEW) and give "
            "it yourself; nothing was made or mailed"
        )
    return found[0][0]


def to_parsed(contact: VendorContact) -> dict[str, Any]:
    """Return a contact as it is kept."""
    return {
        "vendor": contact.vendor,
        "mail": contact.mail,
        "identifier": None if contact.identifier is None else contact.identifier.to_parsed(),
        "language": contact.language,
    }


def of_parsed(parsed: Mapping[str, Any]) -> VendorContact:
    """Return a contact that was kept."""
    number, language = parsed["identifier"], parsed["language"]
    return VendorContact(
        parsed["vendor"],
        parsed["mail"],
        None if number is None else Identifier.from_parsed(number),
        None if language is None else Language(language),
    )


def _read(table: Table, places: Mapping[str, int]) -> tuple[list[VendorContact], list[str]]:
    found: list[VendorContact] = []
    faults: list[str] = []
    for row in table.rows:
        if row.is_empty:
            continue
        if len(found) + len(faults) >= MOST_VENDORS:
            raise ContactsRefused(f"a list has at most {MOST_VENDORS} vendors; nothing was changed")
        cells, wrong = _cells(row, places)
        if wrong:
            faults += wrong
            continue
        number = cells["identifier"]
        found.append(
            VendorContact(
                cells["vendor"],
                cells["mail"],
                Identifier.of(cells["identifier_scheme"], number) if number else None,
                Language(cells["language"].lower()) if cells["language"] else None,
            )
        )
    return found, faults


def _cells(row: Row, places: Mapping[str, int]) -> tuple[dict[str, str], list[str]]:
    cells = {name: text_of(row.cells[places[name]]).strip() if name in places else "" for name in _COLUMNS}
    return cells, [f"  row {row.number}, {column}: {why}" for column, why in _faults(row, cells, places)]


def _faults(row: Row, cells: Mapping[str, str], places: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    if row.reason is not None:
        yield "all", row.reason
        return
    for name, most in _LONGEST.items():
        if name in places and places[name] in row.formulas:
            yield name, "a formula or an error stands here: write its result"
        elif len(cells[name]) > most or not re.fullmatch(PRINTABLE, cells[name]):
            yield name, f"write at most {most} characters, without control characters"
    if not cells["vendor"]:
        yield "vendor", "this is required"
    if not re.fullmatch(MAIL_ADDRESS, cells["mail"]):
        yield "mail", "write one mail address"
    if cells["language"] and cells["language"].lower() not in list(Language):
        yield "language", f"write one of: {', '.join(Language)}"
    if cells["identifier"] or cells["identifier_scheme"]:
        try:
            Identifier.of(cells["identifier_scheme"], cells["identifier"])
        except ValidationError:
            yield "identifier", "scheme and number do not fit each other, or one is missing"
