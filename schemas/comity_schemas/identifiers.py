"""Identifiers `{scheme, id}` of organisations and sites, with check digits where the scheme has them.

Schemes come from the closed list of `identifier_schemes`.

An identifier is stored in one normal form, so that equal means equal: upper case, without blanks and punctuation.
"""

import re
from collections.abc import Callable
from operator import mul
from typing import Annotated
from unicodedata import decimal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from comity_schemas.identifier_schemes import SCHEMES
from comity_schemas.wire import Wire

_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS_AS_NUMBERS = str.maketrans({c: str(n) for n, c in enumerate(_ALPHANUMERIC)})
_LEI = re.compile(r"[0-9A-Z]{18}[0-9]{2}")
_CNPJ = re.compile(r"[0-9A-Z]{12}[0-9]{2}")
_CNPJ_WEIGHTS = tuple(tuple(2 + (length - 1 - i) % 8 for i in range(length)) for length in (12, 13))
_PUNCTUATION = re.compile(r"[\s./\\:_\u00ad\u2010-\u2015\u2212\uff0d\uff0e\uff0f\uff1a-]")
"""What people write between the parts of a number, as a keyboard, a PDF or a Chinese or Japanese page has it."""
_FULL_WIDTH = {ord(c) + 0xFEE0: c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"}
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def lei_checks(value: str) -> bool:
    """Tell whether a Legal Entity Identifier's check digits fit. Source: ISO 17442, ISO/IEC 7064 MOD 97-10."""
    if not _LEI.fullmatch(value):
        return False
    return int(value.translate(_LETTERS_AS_NUMBERS)) % 97 == 1


def cnpj_checks(value: str) -> bool:
    """Tell whether a Brazilian company number's two check digits fit, alphanumeric ones (2026) included.

    Source: Receita Federal, Instrução Normativa RFB 2.229/2024 (values are ASCII codes minus 48, modulo 11).
    """
    if not _CNPJ.fullmatch(value) or len(set(value)) == 1:
        return False
    codes = value.encode("ascii")
    for weights in _CNPJ_WEIGHTS:
        rest = (sum(map(mul, codes, weights)) - 48 * sum(weights)) % 11
        if codes[len(weights)] - 48 != (0 if rest < 2 else 11 - rest):
            return False
    return True


def gln_checks(value: str) -> bool:
    """Tell whether a GS1 location number's check digit fits. Source: GS1 General Specifications 7.9."""
    digits = [int(c) for c in value if c.isascii() and c.isdigit()]
    return (
        len(digits) == len(value) == 13
        and sum(d * (3 if i % 2 else 1) for i, d in enumerate(reversed(digits))) % 10 == 0
    )


def osid_checks(value: str) -> bool:
    """Tell whether an Open Supply Hub id's check character fits; a transposition passes, so this is no proof."""
    if not re.fullmatch(r"[A-Z]{2}[0-9]{7}[0-9A-HJKMNP-TV-Z]{6}", value):
        return False
    total = ord(value[0]) + ord(value[1]) + sum(_CROCKFORD.index(c) for c in value[2:-1])
    return _CROCKFORD[total % 32] == value[-1]


def uscc_checks(value: str) -> bool:
    """Tell whether a Chinese unified social credit code's check character fits. Source: GB 32100-2015."""
    if not re.fullmatch(f"[{_USCC}]{{18}}", value):
        return False
    total = sum(_USCC.index(c) * pow(3, i, 31) for i, c in enumerate(value[:17]))
    return _USCC[(31 - total % 31) % 31] == value[17]


def ungm_checks(value: str) -> bool:
    """Tell whether a UNGM vendor number has digits only; no check digit is published."""
    return re.fullmatch(r"[0-9]{4,9}", value) is not None


CHECKS: dict[str, Callable[[str], bool]] = {
    "BR-CNPJ": cnpj_checks,
    "CN-USCI": uscc_checks,
    "GLN": gln_checks,
    "OSID": osid_checks,
    "UNGM": ungm_checks,
    "XI-LEI": lei_checks,
}


def _listed(scheme: str) -> str:
    if scheme not in SCHEMES:
        raise ValueError(f"{scheme} is no org-id list code and none of GLN, OSID, UNGM")
    return scheme


class Identifier(Wire):
    """One identifier in normal form; its check digit fits where the scheme has one."""

    scheme: Annotated[str, AfterValidator(_listed), Field(json_schema_extra={"enum": sorted(SCHEMES)})]
    id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{1,60}$")]

    @model_validator(mode="after")
    def _check_digit(self) -> "Identifier":
        check = CHECKS.get(self.scheme)
        if check is not None and not check(self.id):
            raise ValueError(f"{self.id} is not a valid {self.scheme}: its form or check digit does not fit")
        return self

    @classmethod
    def of(cls, scheme: str, written: str) -> "Identifier":
        """Return the identifier for a number as people write it (`54.951.803/0001-50`), with any dash and any digits.

        Raises:
            pydantic.ValidationError: the scheme is unknown or the number does not fit it.
        """
        bare = _PUNCTUATION.sub("", written).translate(_FULL_WIDTH)
        return cls(scheme=scheme, id="".join(str(decimal(c)) if c.isdecimal() else c for c in bare).upper())
