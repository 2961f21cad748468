"""A ruling: what this node holds of an authority's decision. It stays; only the `Decision` inside it may leave.

The source's own words (an address, a ground in a sentence, a note, a country's spelling) are kept beside it, so that a
reviewer can compare, and are in no statement.
"""

from typing import Annotated, Literal

from pydantic import Field

from comity_federation.statements import Outgoing
from comity_node.domain.terms import proposed_terms
from comity_schemas.decision import DECISION_DISCLOSABLE, Decision
from comity_schemas.handling import Contact, Handling
from comity_schemas.report import LongText
from comity_schemas.statement import Kind
from comity_schemas.wire import Wire, text


class Written(Wire):
    """One cell or remark of the source, as it is written there. Stays."""

    what: text(100)  # type: ignore[valid-type]
    words: LongText


class Ruling(Wire):
    """A decision with what its source says of it."""

    v: Literal[1]
    publication: text(300) | None = None  # type: ignore[valid-type]
    """Title of the register it was taken from."""
    written: Annotated[tuple[Written, ...], Field(max_length=50)] = ()
    decision: Decision


def decision_handling(decision: Decision) -> Handling:
    """Return the terms proposed for a decision: an authority published it, so it is open unless it bears a name."""
    clear = not decision.named_after_person
    return proposed_terms(clear=clear, contact=Contact.OPEN)


def outgoing_decision(decision: Decision, handling: Handling) -> Outgoing:
    """Return what the statement will say: in clear and as disclosures; nothing of a decision is withheld."""
    fields = decision.to_parsed()
    return Outgoing(
        kind=Kind.DECISION,
        handling=handling,
        body={name: value for name, value in fields.items() if name not in DECISION_DISCLOSABLE},
        disclosed={name: value for name, value in fields.items() if name in DECISION_DISCLOSABLE},
        withheld={},
    )
