"""Suppliers with all that is said of exactly them, many at a time."""

from collections.abc import Iterable, Sequence
from datetime import date

from comity_node.db import Store
from comity_node.db.mentions import Mention
from comity_node.db.suppliers import Known
from comity_node.domain.conventions.entities import Profile
from comity_node.domain.matching.likeness import Likeness, Verdict
from comity_node.domain.screening import DecisionHit, Hit
from comity_node.domain.supplier_view import decision_standing, standing
from comity_node.services.answering.voices import with_replies, with_voices
from comity_schemas.identifiers import Identifier

MOST_SAID = 2_000
"""Statements that are read of each supplier, the newest first; a topic is given for what was read only."""

_ITSELF = Likeness(Verdict.MATCH)


async def profiles_of(store: Store, wholes: Iterable[int], today: date) -> dict[int, Profile]:
    """Return the suppliers that stand under these numbers, with everybody they are joined with."""
    together = await store.suppliers.of_wholes(sorted(set(wholes)))
    members = [known.number for known in together]
    if not members:
        return {}
    names = await store.suppliers.names(members)
    identifiers = await store.suppliers.identifiers(members)
    mentions = await store.mentions.about(members, MOST_SAID)
    findings, decisions = await _said(store, mentions, today)
    grouped: dict[int, list[Known]] = {}
    for known in together:
        grouped.setdefault(known.whole, []).append(known)
    return {
        whole: _profile(whole, some, names, identifiers, mentions, findings, decisions)
        for whole, some in grouped.items()
    }


async def _said(
    store: Store, mentions: Sequence[Mention], today: date
) -> tuple[dict[int, Hit], dict[int, DecisionHit]]:
    numbers = sorted({mention.entry for mention in mentions})
    found = await store.view.findings.entries_by_number(numbers)
    ordered = await store.view.decisions.entries_by_number(numbers)
    hits = [Hit(entry, standing(entry, today), _ITSELF) for entry in found.values()]
    decided = [DecisionHit(entry, decision_standing(entry, today), _ITSELF) for entry in ordered.values()]
    return (
        dict(zip(found, await with_voices(store, hits, today), strict=True)),
        dict(zip(ordered, await with_replies(store, decided), strict=True)),
    )


def _profile(
    whole: int,
    members: Sequence[Known],
    names: Sequence[tuple[int, str, str]],
    identifiers: Sequence[tuple[int, str, str]],
    mentions: Sequence[Mention],
    findings: dict[int, Hit],
    decisions: dict[int, DecisionHit],
) -> Profile:
    numbers = {known.number for known in members}
    first = next((known for known in members if known.number == whole), members[0])
    said = dict.fromkeys(mention.entry for mention in mentions if mention.supplier in numbers)
    return Profile(
        number=whole,
        others=tuple(sorted(numbers - {whole})),
        kind=first.kind,
        names=tuple(dict.fromkeys([first.name, *(text for number, text, _ in names if number in numbers)])),
        countries=tuple(dict.fromkeys(known.country for known in members if known.country)),
        identifiers=tuple(
            dict.fromkeys(Identifier(scheme=s, id=value) for number, s, value in identifiers if number in numbers)
        ),
        findings=tuple(findings[entry] for entry in said if entry in findings),
        decisions=tuple(decisions[entry] for entry in said if entry in decisions),
    )
