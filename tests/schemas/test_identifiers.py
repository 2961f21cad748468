import re

import pytest
from pydantic import ValidationError

from comity_schemas.identifier_schemes import ORG_ID_LISTS
from comity_schemas.identifiers import CHECKS, Identifier

VALID = {
    "BR-CNPJ": ["00000000000191", "33000167000101", "12ABC34501DE35"],
    "CN-USCI": ["91350100M000100Y43"],
    "GLN": ["5790000435951", "4006381333931"],
    "OSID": ["CN2021250D1DTN7"],
    "XI-LEI": ["5493001KJTIIGC8Y1R12", "506700GE1G29325QX363"],
    "UNGM": ["123456"],
}
PAIRS = [(scheme, value) for scheme, values in VALID.items() for value in values]


def test_every_scheme_with_a_check_has_an_example() -> None:
    assert CHECKS.keys() == VALID.keys()


def test_every_listed_scheme_is_a_whole_code_of_a_register() -> None:
    # The list once was broken over its lines: ID-DJP stood there as "ID-" and "DJP", and its numbers were refused.
    assert [code for code in sorted(ORG_ID_LISTS) if not re.fullmatch("[A-Z]{2}(?:_[A-Z]{2})?-[A-Z0-9_]+", code)] == []


@pytest.mark.parametrize(("scheme", "value"), PAIRS)
def test_a_valid_identifier_is_taken(scheme: str, value: str) -> None:
    assert Identifier(scheme=scheme, id=value).id == value


@pytest.mark.parametrize(("scheme", "value"), [pair for pair in PAIRS if pair[0] != "UNGM"])
def test_one_changed_digit_is_refused(scheme: str, value: str) -> None:
    for at, character in enumerate(value):
        if character.isdigit():
            changed = value[:at] + str((int(character) + 1) % 10) + value[at + 1 :]
            with pytest.raises(ValidationError):
                Identifier(scheme=scheme, id=changed)


@pytest.mark.parametrize(("scheme", "value"), PAIRS)
def test_another_length_is_refused(scheme: str, value: str) -> None:
    for changed in (value[:-1] if scheme != "UNGM" else "123", value + "0" * (1 if scheme != "UNGM" else 9)):
        with pytest.raises(ValidationError):
            Identifier(scheme=scheme, id=changed)


@pytest.mark.parametrize(
    ("scheme", "value"),
    [
        ("BR-CNPJ", "11111111111111"),
        ("BR-CNPJ", "٠٠٠٠٠٠٠٠٠٠٠١٩١"),
        ("GLN", "٥٧٩٠٠٠٠٤٣٥٩٥١"),
        ("GLN", "579000043595²"),
        ("UNGM", "12345a"),
        ("XI-LEI", "5493001kjtiigc8y1r12"),
        ("CN-USCI", "91350100I000100Y43"),
        ("BR-CNPJ", "00.000.000/0001-91"),
        ("br-cnpj", "00000000000191"),
        ("CNPJ", "00000000000191"),
        ("BR-OTHER", ""),
        ("BR-OTHER", "a"),
        ("BR-OTHER", "1\n"),
    ],
)
def test_any_other_form_is_refused(scheme: str, value: str) -> None:
    with pytest.raises(ValidationError):
        Identifier(scheme=scheme, id=value)


@pytest.mark.parametrize(
    ("scheme", "written", "stored"),
    [
        ("BR-CNPJ", "00.000.000/0001-91", "00000000000191"),
        ("BR-CNPJ", " 12.abc.345/01de-35\n", "12ABC34501DE35"),
        ("XI-LEI", "5493 001k jtii gc8y 1r12", "5493001KJTIIGC8Y1R12"),
    ],
)
def test_what_people_write_is_stored_in_one_form(scheme: str, written: str, stored: str) -> None:
    assert Identifier.of(scheme, written) == Identifier(scheme=scheme, id=stored)


def test_a_scheme_without_a_check_is_taken_as_it_is() -> None:
    assert Identifier(scheme="IN-MCA", id="U72200").id == "U72200"


@pytest.mark.parametrize(
    "written",
    [
        "54.951.803/0001-50",
        "54.951.803/0001\u201150",
        "54.951.803/0001 \u2013 50",
        "５４.９５１.８０３／０００１－５０",
        "٥٤٩٥١٨٠٣٠٠٠١٥٠",
        "54951803\u00a00001\u00ad50",
    ],
)
def test_a_number_is_read_with_whatever_dashes_and_digits_it_is_written(written: str) -> None:
    assert Identifier.of("BR-CNPJ", written).id == "54951803000150"


@pytest.mark.parametrize("written", ["5495180300015\u2070", "54951803\u200b000150", "54951803000150\u0130"])
def test_what_is_no_digit_of_a_number_is_not_read_as_one(written: str) -> None:
    with pytest.raises(ValidationError):
        Identifier.of("BR-CNPJ", written)
