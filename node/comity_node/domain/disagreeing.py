"""Members that say different things of one decision of an authority: shown side by side, none is chosen. Pure."""

from collections.abc import Sequence
from datetime import date

from comity_node.domain.names import fold_name
from comity_node.domain.screening import DecisionHit
from comity_node.domain.supplier_view import EntryState
from comity_schemas.decision import Decision, Lifted


def contradictions(hits: Sequence[DecisionHit]) -> dict[str, list[str]]:
    """Return statement to the other members' statements that say otherwise of the same decision.

    One decision: the same authority, measure and kind of act, of one subject, from the same day on. Otherwise: another
    end, or lifted by the word of one only. What was taken back or corrected contradicts nobody.
    """
    told = [(hit, hit.entry.decision) for hit in hits if hit.entry.state is EntryState.CURRENT]
    found: dict[str, list[str]] = {}
    for hit, decision in told:
        others = [
            other.entry.hash
            for other, said in told
            if decision is not None
            and said is not None
            and other.entry.member != hit.entry.member
            and _same_decision(decision, said)
            and _says(decision) != _says(said)
        ]
        if others:
            found[hit.entry.hash] = others
    return found


def _same_decision(one: Decision, other: Decision) -> bool:
    same_act = (one.authority.code, one.measure, one.act.type) == (other.authority.code, other.measure, other.act.type)
    return same_act and not _starts(one).isdisjoint(_starts(other)) and _same_subject(one, other)


def _same_subject(one: Decision, other: Decision) -> bool:
    if set(one.identifiers or ()) & set(other.identifiers or ()):
        return True
    ours, theirs = ({fold_name(name.text) for name in said.names or ()} for said in (one, other))
    return one.country == other.country and not ours.isdisjoint(theirs)


def _starts(decision: Decision) -> set[date | None]:
    return {term.start for term in decision.terms}


def _says(decision: Decision) -> tuple[Lifted | None, frozenset[tuple[str, date | None]]]:
    return decision.lifted, frozenset((term.end.value, term.until) for term in decision.terms)
