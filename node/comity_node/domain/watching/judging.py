"""What an officer judges of a row of the own list and a supplier: it is the same, it is not, nobody can tell. Pure.

Not to be mixed up with judgements of two suppliers (`domain.suppliers.judging`): those change how everybody at this
node is shown suppliers, these say whom one row of one officer's list means.

Rules:
- A judgement is about a row and a supplier's number, and holds for all that the supplier is joined with. So it outlives
  screenings, joins and splits. One that contradicts it takes its place once somebody judges the joined as one.
- It lapses when facts change by which identity is judged, and says which: of the row any of them; of the supplier its
  country and numbers, and, unless it was judged to be the same, its names. A further spelling of somebody who was
  recognised is no reason to ask again.
- "Not the same" on a supplier with a finding of the gravest kind needs a second person; until then nothing is hidden.
- It hides nothing that is found later about a supplier that was recognised, and never deletes: what was dismissed is
  listed as decided.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from comity_node.domain.matching.likeness import Likeness, Verdict
from comity_node.domain.matching.party import Party
from comity_node.domain.watching.vendors import beyond, differing
from comity_schemas.errors import ComityError
from comity_schemas.finding import Severity


class VendorJudged(StrEnum):
    """What was judged."""

    SAME = "same"
    NOT_SAME = "not-same"
    UNSURE = "unsure"


class Holds(StrEnum):
    """Whether a judgement counts now."""

    HOLDS = "holds"
    NEEDS_SECOND = "needs a second person"
    LAPSED = "lapsed"
    UNDONE = "undone"
    ASKED_OTHERWISE = "asked about otherwise"
    """Of one screening: whoever it asks about under the row's id need not be the row."""


@dataclass(frozen=True, slots=True)
class VendorJudgement:
    """One judgement, the facts it rests on, and what became of it."""

    number: int
    id: str
    vendor: int
    supplier: int
    judged: VendorJudged
    words: str | None
    vendor_facts: Party
    supplier_facts: Party
    by: str
    at: datetime
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None
    undone_by: str | None = None
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Weighed:
    """A judgement, whether it counts now, and why not."""

    judgement: VendorJudgement
    holds: Holds
    why: str | None = None


class VendorJudgementRefused(ComityError):
    """It does not fit what stands; nothing was changed."""

    code: ClassVar[str] = "vendor.judgement-refused"


def weigh(judgement: VendorJudgement, vendor: Party, supplier: Party, severities: Iterable[str]) -> Weighed:
    """Return whether a judgement counts now.

    Args:
        judgement: As it was made.
        vendor: The row's facts now.
        supplier: The supplier's own facts now.
        severities: Of what is found about the supplier and all it is joined with.
    """
    if judgement.undone_at is not None:
        return Weighed(judgement, Holds.UNDONE)
    changed = differing(judgement.vendor_facts, vendor)
    if changed:
        return Weighed(judgement, Holds.LAPSED, f"of the row {_and(changed)} changed since")
    changed = differing(judgement.supplier_facts, supplier)
    if judgement.judged is VendorJudged.SAME:
        changed = [each for each in changed if each != "name"]
    if changed:
        return Weighed(judgement, Holds.LAPSED, f"of the supplier {_and(changed)} changed since")
    if needs_second(judgement.judged, severities) and judgement.confirmed_by is None:
        why = "a finding of the gravest kind stands about it: a second person has to say so too"
        return Weighed(judgement, Holds.NEEDS_SECOND, why)
    return Weighed(judgement, Holds.HOLDS)


def needs_second(judged: VendorJudged, severities: Iterable[str]) -> bool:
    """Tell whether one person is not enough."""
    return judged is VendorJudged.NOT_SAME and Severity.S4.value in set(severities)


def of_joined(judged: Sequence[Weighed]) -> Weighed:
    """Return what counts of all that was judged of a row and of suppliers that are one.

    Where people joined one that the row is, or once was, with one that it is not, neither counts: a person has to look.
    What lapsed and "unsure" stand in the way of nothing.

    Args:
        judged: All that stands, the newest first.
    """
    once = [each for each in judged if each.judgement.judged is VendorJudged.SAME]
    same = [each for each in once if each.holds is Holds.HOLDS]
    against = [
        each
        for each in judged
        if each.judgement.judged is VendorJudged.NOT_SAME and each.holds in (Holds.HOLDS, Holds.NEEDS_SECOND)
    ]
    if once and against:
        return Weighed(
            (same or once)[0].judgement, Holds.LAPSED, "it is joined now with one that was judged not to be it"
        )
    return (same or against or judged)[0]


def as_asked(weighed: Weighed, kept: Party, asked: Party) -> Weighed:
    """Return what was judged of a row, where it is asked about as somebody writes it now.

    Who says less of it than the row does asks about the same; another name, country or number is somebody else.

    Args:
        weighed: What was judged, and whether it counts.
        kept: The row as it is kept.
        asked: The row as it is asked about.
    """
    holds = weighed.holds is Holds.HOLDS
    other = beyond(weighed.judgement.vendor_facts if holds else kept, asked)
    if not other:
        return weighed
    why = f"it is asked about with another {_and(other)}" if holds else weighed.why
    return Weighed(weighed.judgement, Holds.ASKED_OTHERWISE, why)


def as_judged(likeness: Likeness, said: Weighed | None) -> Likeness | None:
    """Return how alike a row and a supplier are once what was judged of the two counts; None where it is not the row.

    Args:
        likeness: By what was compared.
        said: What was judged of the two; None where nothing was.
    """
    if said is None:
        return likeness
    words = said.judgement.judged.value
    # What is no likeness is no reason either.
    alike = "" if likeness.verdict is Verdict.NONE else f"{likeness.reason}; "
    if said.holds is not Holds.HOLDS:
        return replace(likeness, reason=f"{alike}it was judged {words}, but {said.why}")
    if said.judgement.judged is VendorJudged.NOT_SAME:
        return None
    on = f"{said.judgement.at:%Y-%m-%d}"
    if said.judgement.judged is VendorJudged.UNSURE:
        return replace(likeness, reason=f"{alike}judged {words} on {on}")
    if likeness.verdict is Verdict.MATCH:
        return replace(likeness, reason=f"{likeness.reason}; judged to be the same on {on}")
    return Likeness.judged(Verdict.MATCH, f"judged to be the same on {on}")


def as_recognised(likeness: Likeness, said: Weighed | None) -> Likeness | None:
    """Return the same of a row that somebody judged to be the supplier.

    Where that counts no more and nothing else is alike, a person has to look: nothing said of somebody who was once
    recognised goes by in silence.
    """
    found = as_judged(likeness, said)
    if found is None or found.verdict is not Verdict.NONE:
        return found
    return Likeness.judged(Verdict.REVIEW, found.reason)


def _and(words: list[str]) -> str:
    return " and ".join(words)
