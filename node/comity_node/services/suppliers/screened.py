"""What people judged of suppliers and what their labour providers did, as screening has to say it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from comity_node.db import Store
from comity_node.db.suppliers import Known
from comity_node.domain.matching.likeness import Likeness, Verdict, strongest_verdict
from comity_node.domain.screening import (
    DecisionHit,
    Hit,
    NoticeHit,
    PointerHit,
    Question,
    audits_of,
    pointed_at,
)
from comity_node.domain.supplier_view import EntryState, decision_standing, standing
from comity_node.domain.suppliers.judging import Judged
from comity_node.domain.suppliers.mentions import Role

MOST = 200
"""Statements of joined suppliers, and of labour providers, that one answer brings."""


@dataclass(frozen=True, slots=True)
class Through:
    """What is said of a labour provider of the supplier asked about; never the supplier's own."""

    provider: Known
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """What is said of whoever people here joined with those found."""

    findings: list[Hit]
    decisions: list[DecisionHit]
    pointers: list[PointerHit]
    audits: list[NoticeHit]


async def joined_with(
    store: Store,
    hits: Sequence[Hit | DecisionHit | PointerHit | NoticeHit],
    today: date,
    alike: Mapping[int, Verdict],
) -> Joined:
    """Return what is said of suppliers that are one with those found, by whose judgement; no stronger than the find.

    Args:
        store: Of one consistent view.
        hits: What was found.
        today: By which it stands or not.
        alike: Suppliers that were found, also those of which nobody says anything.
    """
    nobody = Joined([], [], [], [])
    if not (hits or alike) or not await store.judgements.any_same():
        return nobody
    numbers = await store.view.numbers([hit.entry.hash for hit in hits])
    by_number = {numbers[hit.entry.hash]: hit for hit in hits if hit.entry.hash in numbers}
    subjects = [m for m in await store.mentions.by(sorted(by_number)) if m.role is Role.SUBJECT]
    found = await store.suppliers.find(sorted({*alike, *(m.supplier for m in subjects)}))
    verdicts: dict[int, Verdict] = {}
    for number, verdict in alike.items():
        whole = found[number].whole
        verdicts[whole] = strongest_verdict([verdict, verdicts.get(whole, Verdict.NONE)])
    for mention in subjects:
        whole = found[mention.supplier].whole
        verdict = by_number[mention.entry].likeness.verdict
        verdicts[whole] = strongest_verdict([verdict, verdicts.get(whole, Verdict.NONE)])
    together = await store.suppliers.of_wholes(sorted(verdicts))
    words = await _by_whom(store, together)
    # Whom nobody joined with anybody has said all that is found of it already.
    whole_of = {known.number: known.whole for known in together if known.whole in words}
    more = await store.mentions.of(sorted(whole_of), MOST + len(by_number), Role.SUBJECT) if whole_of else []
    named = await store.said_of.asides(sorted(whole_of)) if whole_of else []
    new = {entry: of for entry, of in [*((m.entry, m.supplier) for m in more), *named] if entry not in by_number}
    if not new:
        return nobody
    likeness = {
        entry: Likeness.judged(verdicts[whole_of[s]], f"joined with what was found, {words[whole_of[s]]}")
        for entry, s in new.items()
    }
    read = await store.view.named_by_number(sorted(new))
    return Joined(
        [Hit(e, standing(e, today), likeness[n]) for n, e in read.findings.items()],
        [DecisionHit(e, decision_standing(e, today), likeness[n]) for n, e in read.decisions.items()],
        pointed_at([(e, likeness[n]) for n, e in read.pointers.items()], today),
        audits_of([(e, likeness[n]) for n, e in read.notices.items()], today),
    )


async def _by_whom(store: Store, together: Iterable[Known]) -> dict[int, str]:
    """Return whole to the words that say who joined it, when, and how it is undone; the newest judgement."""
    whole_of = {known.number: known.whole for known in together}
    words: dict[int, str] = {}
    standing_ones = [j for j in await store.judgements.standing(whole_of) if j.judged is Judged.SAME]
    people = await store.accounts.names(sorted({j.by for j in standing_ones}))
    for judgement in standing_ones:
        who = people.get(judgement.by, "somebody whose account is gone")
        undo = f"comity supplier undo {judgement.id}"
        words[whole_of[judgement.first]] = f"by {who} on {judgement.at:%Y-%m-%d}; to undo it: {undo}"
    return words


async def through_providers(store: Store, question: Question) -> tuple[Through, ...]:
    """Return what is said of labour providers that supply labour to whoever has these identifiers."""
    if not question.identifiers:
        return ()
    wanted = [(i.scheme, i.id) for i in question.identifiers]
    if not await store.said_of.are_clients(wanted):
        return ()
    clients = await store.suppliers.find(sorted({s for s, _, _ in await store.suppliers.with_identifier(wanted, MOST)}))
    together = await store.suppliers.of_wholes(sorted({known.whole for known in clients.values()}))
    named = [m.entry for m in await store.mentions.of([k.number for k in together], MOST, Role.CLIENT)]
    if not named:
        return ()
    stands = {n for n, e in (await store.view.findings.entries_by_number(named)).items() if _stands(e.state)}
    stands |= {n for n, e in (await store.view.decisions.entries_by_number(named)).items() if _stands(e.state)}
    subjects = await store.mentions.by(sorted(stands))
    providers = await store.suppliers.find(sorted({m.supplier for m in subjects if m.role is Role.SUBJECT}))
    found = []
    for provider in providers.values():
        numbers = [m.entry for m in await store.mentions.of([provider.number], MOST, Role.SUBJECT)]
        entries = (await store.view.findings.entries_by_number(numbers)).values()
        found.append(Through(provider, tuple(sorted(e.hash for e in entries if _stands(e.state)))))
    return tuple(found)


def _stands(state: EntryState) -> bool:
    return state is EntryState.CURRENT
