"""Screenings put on file: what was asked and answered at one moment, and what differs when it is answered again. Pure.

Answers are compared as they were written down, by the statements they name: which were found, how sure it was that they
speak of this supplier, and what they meant. A score is never compared: it may move while the answer stays.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from comity_schemas.errors import ComityError

SHORT = 300
"""Characters of a reason that stays here."""


class Stage(StrEnum):
    """At which point of a procurement somebody asked."""

    TENDER = "tender"
    EVALUATION = "evaluation"
    AWARD = "award"


class ReferenceInUse(ComityError):
    """Another screening is on file under this reference; nothing was filed."""

    code: ClassVar[str] = "screening.reference-taken"


class FilingMayNot(ComityError):
    """What is on file cannot be changed so; the text says why. Nothing was changed."""

    code: ClassVar[str] = "screening.may-not"


class NothingToRaise(ComityError):
    """Nothing that was found may be raised with the supplier; the text says why. No letter was written."""

    code: ClassVar[str] = "screening.nothing-to-raise"


@dataclass(frozen=True, slots=True)
class Filing:
    """A screening on file, without what was asked and answered."""

    number: int
    id: str
    reference: str
    stage: Stage
    by: str
    at: datetime
    keep_until: str
    """Last day, ISO 8601."""
    moment: Mapping[str, Any]
    """As `Moment.to_parsed` wrote it."""
    engine: str
    """By what names were compared."""
    asked: int
    taken_back_by: str | None = None
    taken_back_at: datetime | None = None
    taken_back_why: str | None = None
    destroyed_at: datetime | None = None


KINDS: Mapping[str, str] = {
    "findings": "finding",
    "decisions": "decision",
    "pointers": "pointer",
    "audits": "audit",
}
"""Where statements stand in an answer, and how one of them is called."""


@dataclass(frozen=True, slots=True)
class Said:
    """One statement in an answer, as far as answers are compared."""

    kind: str
    statement: str
    member: str
    verdict: str
    standing: str
    disputed: str | None
    corroborated: frozenset[str]


def said_in(answer: Mapping[str, Any]) -> dict[str, Said]:
    """Return statement to what an answer says of it."""
    found: dict[str, Said] = {}
    for place, kind in KINDS.items():
        for hit in answer[place]:
            member = hit.get("published_by") or hit["speak_to"]
            found[hit["statement"]] = Said(
                kind,
                hit["statement"],
                member,
                hit["verdict"],
                hit.get("standing", "current"),
                hit.get("disputed"),
                frozenset(each["statement"] for each in hit.get("corroborations", ())),
            )
    return found


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is otherwise in a later answer."""

    row: int
    """Which of the suppliers asked about, from 1."""
    what: str
    kind: str | None = None
    statement: str | None = None
    member: str | None = None


FOUND_NO_MORE = "found no more"
FOUND_NEWLY = "found newly"
"""With this begins what is said of a statement that was not found then."""
IDENTITY = "identity"
"""With this begins what is said of a verdict."""


def differences(row: int, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield what a later answer to the same question says otherwise, statement by statement, then as a whole."""
    then, now = said_in(before), said_in(after)
    for name in sorted(then.keys() | now.keys()):
        old, new = then.get(name), now.get(name)
        if new is None and old is not None:
            yield Difference(row, FOUND_NO_MORE, old.kind, name, old.member)
        elif old is None and new is not None:
            # What came and went again meanwhile must not read as if it stood.
            since = FOUND_NEWLY if new.standing == "current" else f"{FOUND_NEWLY}, is {new.standing}"
            yield Difference(row, since, new.kind, name, new.member)
        elif old is not None and new is not None:
            for what in _otherwise(old, new):
                yield Difference(row, what, new.kind, name, new.member)
    for field, what in (("verdict", IDENTITY), ("state", "findings"), ("decision_state", "decisions")):
        if before[field] != after[field]:
            yield Difference(row, f"{what}: was “{before[field]}”, is “{after[field]}”")


def _otherwise(old: Said, new: Said) -> Iterator[str]:
    if old.verdict != new.verdict:
        yield f"{IDENTITY}: was {old.verdict}, is {new.verdict}"
    if old.standing != new.standing:
        yield f"was {old.standing}, is {new.standing}"
    if old.disputed != new.disputed:
        yield f"{new.disputed or 'its dispute is gone'} (was {old.disputed or 'not disputed'})"
    if new.corroborated - old.corroborated:
        yield "another member tells its own evidence of it"
    if old.corroborated - new.corroborated:
        yield "another member's evidence of it is gone"
