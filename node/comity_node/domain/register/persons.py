"""Natural persons in a register: who is never imported, and which firms bear a person's name.

The first rule must not miss: whatever looks like a personal number refuses the row. The second may err, and errs
towards the flag: a flagged firm's finding is shared among members only (never CLEAR), an unflagged one openly.
"""

import re
import unicodedata
from itertools import pairwise

from comity_node.domain.register.mapping import Persons
from comity_node.domain.spelling import plain

LONGEST_NUMBER_IN_A_NAME = 4
"""Digits; `POSTO 1000` is a firm, longer runs are numbers of persons or of sole traders' registrations."""

_BETWEEN_DIGITS = re.compile(r"(?<=[\d*])[\s./\\_,:–-]+(?=[\d*])")
_NUMBER = re.compile(rf"[\d*]{{{LONGEST_NUMBER_IN_A_NAME + 1},}}")
_MASKED = re.compile(r"\*|\bX{2,3}[.\s]?\d|\d-?X{2}\b")
_WORD = re.compile(r"[^\W_]+")


def is_person_number(written: str, most_digits: int | None) -> bool:
    """Tell whether a tax number is a person's: short, labelled and short, or masked as only persons' numbers are."""
    if most_digits is None:
        return False
    folded = unicodedata.normalize("NFKC", written).upper()
    # Letters inside count: a company's number may hold some (Brazil, from 2026). A label in front does not.
    number = re.sub(r"^[^\W\d]+[\W_]*(?=[\d\W_]+$)", "", folded)
    return "*" in number or 0 < sum(c.isalnum() for c in number) <= most_digits


def names_a_person_by_number(name: str) -> bool:
    """Tell whether a name carries a number as sole traders' names do, in front or behind, masked or not.

    `JOSE DA SILVA 12345678900`, `12.345.678 JOSE DA SILVA`, `JOSE DA SILVA ***456789**`.
    """
    folded = plain(name)
    return bool(_NUMBER.search(_BETWEEN_DIGITS.sub("", folded)) or _MASKED.search(folded))


def bears_a_persons_name(name: str, words: Persons) -> bool:
    """Tell whether a firm is a sole trader or seems to be named after a person.

    So it seems if nothing in its name says what it does and two words or more remain, if it begins with initials and
    a name, or if it holds a usual given name or surname that does not follow a saint's title. Without a list of words
    for what firms do nothing can be told, and every firm is flagged.
    """
    if not words.business_words:
        return True
    found: list[str] = _WORD.findall(plain(name).replace("'", ""))
    if words.sole_trader_forms & set(found):
        return True
    core = [word for word in found if word not in words.legal_forms]
    if any(word in words.person_names and before not in words.saints_titles for before, word in pairwise(["", *core])):
        return True
    naming = [word for word in core if word not in words.particles and not word.isdigit()]
    if not words.business_words & set(naming):
        return len(naming) > 1
    initials = next((n for n, word in enumerate(naming) if len(word) > 1), 0)
    return initials > 0 and naming[initials] not in words.business_words
