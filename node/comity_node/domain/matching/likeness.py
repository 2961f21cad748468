"""How alike two parties are, line by line, so that a person can follow it and contradict it.

Rules:
- A verdict speaks of identity only, never of what anybody did.
- The points are whole, and the score is their sum: what is shown is all there is.
- No score is a percentage or a probability, and none is shown beside a bidder; it sorts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """Whether it is the same supplier; nothing about what it did. The strongest first."""

    MATCH = "match"
    OTHER_SITE = "same company, other site"
    REVIEW = "review"
    NONE = "none"


RANKS = {verdict: rank for rank, verdict in enumerate(Verdict)}


def strongest_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict that says most; none where there is none."""
    return min(verdicts, key=RANKS.__getitem__, default=Verdict.NONE)


class PartKind(StrEnum):
    """What a line of the explanation is about."""

    IDENTIFIER = "identifier"
    WORD = "word"
    JOINED = "joined"
    """The names as a whole, written together."""
    COUNTRY = "country"
    ADDRESS = "address"
    UNIT_NUMBER = "unit number"
    CAP = "cap"
    """Points taken off, since no more can be concluded from what was compared."""
    JUDGEMENT = "judgement"
    """People here said so."""


class Part(NamedTuple):
    """One line of the explanation."""

    about: PartKind
    asked: str
    known: str
    reason: str
    """Such as `equal`, `typo`, `sounds alike`."""
    points: int = 0


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two parties are, and why."""

    verdict: Verdict
    parts: tuple[Part, ...] = ()
    reason: str = ""
    """One sentence in words."""

    @property
    def score(self) -> int:
        """The sum of the points: 100 for an equal name or number. Only for sorting, never shown beside a bidder."""
        return sum(part.points for part in self.parts)

    @classmethod
    def judged(cls, verdict: Verdict, reason: str) -> "Likeness":
        """Return what people here said, in their words; it stands behind what equal numbers say."""
        return cls(verdict, (Part(PartKind.JUDGEMENT, "", "", reason, 99),), reason)
