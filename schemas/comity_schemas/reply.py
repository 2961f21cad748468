"""The supplier's side of a finding or decision: what it answered, what it disputes, and what became of the dispute.

The only text that ever leaves a node is here: checked for persons, numbers, documents and contact data where it was
written, and in four scripts only, because in any other nobody could check it. Any member may carry a reply, also to
what another member said.
"""

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from comity_schemas.wire import Digest, Wire

MOST_TEXT = 2_000
"""Longest text, in characters."""

DECIDED_WITHIN = timedelta(days=30)
"""How long a third person has to decide a dispute; after that it shows as unanswered at every node."""

SCRIPTS = (
    r"A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff"  # Latin
    r"\u0400-\u052f"  # Cyrillic
    r"\u0600-\u06ff\u0750-\u077f"  # Arabic
    r"\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
)
"""The letters a text may have. By number, not by a library's table of scripts: all nodes must decide alike."""

MARKS = (
    r" -@\[-`{-~\u00a0-\u00a9\u00ab-\u00b9\u00bb-\u00bf\u0300-\u036f\u2010-\u2027\u2030-\u205e"
    r"\u20a0-\u20bf\u2116\u3001-\u3004\u3008-\u3020\uff01-\uff5e"
)
"""Beside them: digits, punctuation, accents, currencies, full-width forms."""

READABLE = rf"^[{SCRIPTS}{MARKS}]*$"

ReplyText = Annotated[str, StringConstraints(min_length=1, max_length=MOST_TEXT, pattern=READABLE)]


class ReplyAct(StrEnum):
    """What the supplier does with it."""

    REPLY = "reply"
    DISPUTE = "dispute"


class ReplyCode(StrEnum):
    """What the supplier says, as a code; without a text it is all that leaves."""

    WRONG_COMPANY = "wrong-company"
    WRONG_SITE = "wrong-site"
    FACTS_DISPUTED = "facts-disputed"
    REMEDIED = "remedied"
    NO_LONGER_OPERATOR = "no-longer-operator"


class DisputeOutcome(StrEnum):
    """What a third person decided; what follows from it, its publisher says with a revision or withdrawal."""

    UPHELD = "upheld"
    PARTLY_UPHELD = "partly-upheld"
    DISMISSED = "dismissed"


class Reply(Wire):
    """A supplier's answer to a finding or decision, or its dispute."""

    replaces: Digest | None = None
    """SHA-256 of the JWT that this one revises, such as a dispute that was decided since."""
    about: Digest
    """SHA-256 of the JWT answered to, of any member's log; it may arrive later than this."""
    act: ReplyAct
    codes: Annotated[tuple[ReplyCode, ...], Field(min_length=1, max_length=len(ReplyCode))]
    text: ReplyText | None = None
    made: date
    """The day on which the supplier said it."""
    late: bool = False
    """It came after its window; it counts all the same."""
    outcome: DisputeOutcome | None = None
    decided: date | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.codes)) != len(self.codes):
            raise ValueError("a code is said twice")
        if (self.outcome is None) != (self.decided is None):
            raise ValueError("a dispute is decided on a day, and not without an outcome")
        if self.outcome is not None and self.act is not ReplyAct.DISPUTE:
            raise ValueError("only a dispute is decided")
        if self.decided is not None and self.decided < self.made:
            raise ValueError("decided before it was made")
        return self


REPLY_DISCLOSABLE = frozenset({"text"})
"""Travels as a disclosure, so that it can be forgotten later without breaking the chain."""
