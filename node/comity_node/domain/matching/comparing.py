"""Comparing two parties, first honest form: equal identifiers decide, equal and close names are for review."""

from rapidfuzz import fuzz

from comity_node.domain.matching.likeness import Likeness, Part, PartKind, Verdict
from comity_node.domain.matching.party import Party, Rarity, all_alike
from comity_node.domain.matching.thresholds import ANOTHER_NUMBER, REVIEW, WRONG_COUNTRY
from comity_node.domain.names import fold_name


def compare(asked: Party, known: Party, rarity: Rarity = all_alike) -> Likeness:
    """Return how alike the two are, with every line that leads there."""
    same = next((i for i in asked.identifiers if i in known.identifiers), None)
    if same is not None:
        reason = f"the same {same.scheme} {same.id}"
        return Likeness(Verdict.MATCH, (Part(PartKind.IDENTIFIER, same.id, same.id, reason, 100),), reason)
    named = _by_name(asked, known)
    if named is None or named[0].points < REVIEW:
        return Likeness(Verdict.NONE, named or (), "no name and no number in common")
    parts = [*named, *_other_number(asked, known)]
    return Likeness(Verdict.REVIEW, tuple(parts), "; ".join(part.reason for part in parts))


def _by_name(asked: Party, known: Party) -> tuple[Part, ...] | None:
    pairs = [(a, k) for a in asked.names for k in known.names]
    if not pairs:
        return None
    likest = max(pairs, key=lambda pair: _similarity(*pair))
    points = _similarity(*likest)
    how = "the name is equal" if points == 100 else "the name comes close"
    parts = [Part(PartKind.JOINED, *likest, f"{how}: {likest[1]}", points)]
    if asked.country and known.country and asked.country != known.country:
        said = f"in {known.country}, you asked for {asked.country}"
        parts.append(Part(PartKind.COUNTRY, asked.country, known.country, said, WRONG_COUNTRY))
    return tuple(parts)


def _similarity(one: str, other: str) -> int:
    return round(fuzz.token_sort_ratio(fold_name(one), fold_name(other)))


def _other_number(asked: Party, known: Party) -> list[Part]:
    for mine in asked.identifiers:
        other = next((i for i in known.identifiers if i.scheme == mine.scheme), None)
        if other is not None:
            said = f"but another {other.scheme}: {other.id}"
            return [Part(PartKind.IDENTIFIER, mine.id, other.id, said, ANOTHER_NUMBER)]
    return []
