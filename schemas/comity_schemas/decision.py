"""The decision: an authority's exclusion, suspension or condition, or its lifting. Never a finding.

A finding says what was seen; a decision says what an authority ordered. It carries no indicator, no severity and no
free text. Whoever publishes it says how it stands to it: its own act, one it recognises, or one it only relays.
Names and identifiers travel as disclosures, so that they can be forgotten; all else stands in clear in the signed body.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from comity_schemas.countries import Country
from comity_schemas.subject import Identifiers, Names, Party, Sector, SubjectType
from comity_schemas.wire import Digest, Wire, text


class Measure(StrEnum):
    """What the authority ordered."""

    EXCLUSION = "exclusion"
    """Also called debarment: no contracts, or no part in a programme."""
    SUSPENSION = "suspension"
    """Until the authority has decided."""
    CONDITION = "condition"
    """Contracts go on while conditions are kept."""


class Stand(StrEnum):
    """How the publisher stands to the act. Relaying is not recognising."""

    OWN = "own"
    RECOGNISES = "recognises"
    RELAYS = "relays"


class Ground(StrEnum):
    """What the authority named as its reason. No ground is an indicator of forced labour."""

    FRAUD = "fraud"
    CORRUPTION = "corruption"
    COLLUSION = "collusion"
    COERCION = "coercion"
    OBSTRUCTION = "obstruction"
    CONTROLLED_AFFILIATE = "controlled-affiliate"
    """Not for what it did: it controls, or is controlled by, somebody excluded."""
    LABOUR_PROGRAMME = "labour-programme"
    """Broke the rules of a programme under which foreign workers are hired."""
    FORCED_LABOUR = "forced-labour"
    TRAFFICKING = "trafficking"
    OTHER = "other"
    """The authority names a ground that has no code here; its words stay at the publisher."""


class End(StrEnum):
    """What the source says of the end. They are different words of an authority, so none stands for another."""

    DATE = "date"
    ONGOING = "ongoing"
    INDEFINITE = "indefinite"
    PERMANENT = "permanent"
    PLACEHOLDER = "placeholder"
    """The source has a date that is none, such as 2999-12-31."""
    NOT_STATED = "not-stated"


class Lifted(StrEnum):
    """Why it does not stand any more although its time may not be over."""

    RESCINDED = "rescinded"
    """The authority took it back itself."""
    OVERTURNED = "overturned"
    """A court or an appeal did."""


AuthorityCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9-]{1,29}$")]
"""An authority's short name, such as `WBG`."""

SourceCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
"""A document of the source, where several say different things."""


class Authority(Wire):
    """Who decided."""

    code: AuthorityCode
    country: Country | Literal["international"]


class Act(Wire):
    """Whether the authority decided the case itself, or recognised what another one had decided."""

    type: Literal["original", "recognition"]
    of: Authority | None = None
    """Whose decision is recognised."""
    reference: Digest | None = None
    """`Decision.reference` of the decision that is recognised, where it is known."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.type == "recognition") != (self.of is not None):
            raise ValueError("a recognition names whose decision it recognises, and nothing else does")
        if self.reference is not None and self.of is None:
            raise ValueError("only a recognition refers to another decision")
        return self


class Term(Wire):
    """Start and end to the day, as one source tells them."""

    source: SourceCode | None = None
    """Which document, where several disagree."""
    start: date | None = None
    end: End
    until: date | None = None
    """The last day, with `end` = `date` and nothing else."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.end is End.DATE) != (self.until is not None):
            raise ValueError("an end that is a date has one, and no other end does")
        if self.until is not None and self.start is not None and self.until < self.start:
            raise ValueError("a term ends before it starts")
        return self


class Decision(Wire):
    """One decision of one authority about one subject."""

    replaces: Digest | None = None
    """SHA-256 of the JWT that this one revises: an earlier decision of the same log."""
    reference: Digest
    """A random name of the decision, by which recognitions refer to it; the publisher chooses it."""
    subject: SubjectType
    names: Names | None = None
    identifiers: Identifiers | None = None
    supplies_to: Annotated[tuple[Party, ...], Field(min_length=1, max_length=20)] | None = None
    country: Country | None = None
    """Absent where the source names none."""
    region: text(100) | None = None  # type: ignore[valid-type]
    sector: Sector | None = None
    named_after_person: bool = False
    """A sole trader, or a firm that bears a person's name: never CLEAR."""
    authority: Authority
    measure: Measure
    act: Act
    stand: Stand
    grounds: Annotated[tuple[Ground, ...], Field(max_length=10)] = ()
    """Empty where the source names none."""
    terms: Annotated[tuple[Term, ...], Field(min_length=1, max_length=10)]
    lifted: Lifted | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.grounds)) != len(self.grounds):
            raise ValueError("a ground is named twice")
        sources = {term.source for term in self.terms}
        if len(self.terms) > 1 and (None in sources or len(sources) != len(self.terms)):
            raise ValueError("where sources disagree, each term names another one")
        if self.act.of is not None and self.act.of.code == self.authority.code:
            raise ValueError("an authority does not recognise its own decision")
        if self.act.reference == self.reference:
            raise ValueError("a decision does not recognise itself")
        if self.supplies_to is not None and self.subject is not SubjectType.LABOUR_PROVIDER:
            raise ValueError("only a labour provider supplies labour to somebody")
        return self


DECISION_DISCLOSABLE = frozenset({"names", "identifiers", "supplies_to"})
"""Travel as open disclosures, so that they can be forgotten later without breaking the chain."""
