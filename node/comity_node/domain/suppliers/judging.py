"""What a person judges of two suppliers: that they are one, that they are not, that the node put two together.

Rules:
- A judgement never touches a statement. It says how this node shows them, and can be undone; both are kept.
- Judgements may not contradict each other: who would join what somebody kept apart undoes that first, and the other
  way round.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from comity_schemas.errors import ComityError


class Judged(StrEnum):
    """What was judged."""

    SAME = "same"
    """Two suppliers are one."""
    DIFFERENT = "different"
    """Two suppliers are not one, however alike they look."""
    APART = "apart"
    """Statements that this node took for one supplier's are another's."""


class Because(StrEnum):
    """Why, as a code; what else there is to say stays in private words."""

    SAME_IDENTIFIER = "same-identifier"
    REGISTER_EXTRACT = "register-extract"
    SAME_ADDRESS = "same-address"
    RENAMED = "renamed"
    SUPPLIER_SAYS_SO = "supplier-says-so"
    OTHER_IDENTIFIER = "other-identifier"
    OTHER_PLACE = "other-place"
    OTHER_OWNER = "other-owner"
    NAMESAKE = "namesake"
    WRONG_IDENTIFIER = "wrong-identifier"
    """A statement carries somebody else's number."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One judgement, and what became of it."""

    id: str
    judged: Judged
    first: int
    second: int
    because: Because
    words: str | None
    """Private: they never leave the node."""
    by: str
    at: datetime
    undone_by: str | None = None
    undone_at: datetime | None = None
    undone_words: str | None = None


class AlreadyJudged(ComityError):
    """It is so already; nothing was changed."""

    code: ClassVar[str] = "supplier.already-judged"


class JudgementContradicts(ComityError):
    """Another judgement that stands says the opposite; undo it first. Nothing was changed."""

    code: ClassVar[str] = "supplier.judgement-contradicts"


def wholes(pairs: Iterable[tuple[int, int]], among: Iterable[int]) -> Mapping[int, int]:
    """Return supplier to the smallest number among those it is joined with.

    Args:
        pairs: What was judged to be the same and was not undone.
        among: The suppliers to answer for.
    """
    root = {number: number for number in among}

    def find(number: int) -> int:
        while root[number] != number:
            root[number] = root[root[number]]
            number = root[number]
        return number

    for first, second in pairs:
        root.setdefault(first, first)
        root.setdefault(second, second)
        low, high = sorted((find(first), find(second)))
        root[high] = low
    return {number: find(number) for number in root}
