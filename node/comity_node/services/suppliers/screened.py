"""What people judged of suppliers and what their labour providers did, as screening has to say it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from comity_node.db import Store
from comity_node.db.suppliers import Known
from comity_node.domain.matching.likeness import RANKS, Likeness, Verdict, strongest_verdict
from comity_node.domain.screening import (
    DecisionHit,
    H,
    Hit,
    NoticeHit,
    PointerHit,
    Question,
    audits_of,
    pointed_at,
)
from comity_node.domain.supplier_view import Entry, EntryState, decision_standing, standing
from comity_node.domain.suppliers.judging import Judged
from comity_node.domain.suppliers.mentions import Role
from comity_schemas.finding import Status
from comity_schemas.subject import SubjectType

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
    surer: Mapping[str, Likeness] = field(default_factory=dict)
    """Statement that was found by a like name only to what is known of it by those its supplier is joined with."""

    def with_found(self, found: Sequence[H], more: Sequence[H]) -> list[H]:
        """Return what was found, as it counts now, and what is told beside it."""
        now = [replace(hit, likeness=self.surer.get(hit.entry.hash, hit.likeness)) for hit in found]
        now.extend(more)
        return now


async def whom_about(store: Store, hashes: Iterable[str]) -> dict[str, Known]:
    """Return statement to whom it is about; of pointers and audits whom they name, the site before its operator."""
    numbers = await store.view.numbers(sorted(set(hashes)))
    mentions = await store.mentions.by(sorted(numbers.values()))
    named = await store.said_of.named_by(sorted({*numbers.values()} - {m.entry for m in mentions}))
    about = [*((m.entry, m.supplier) for m in mentions if m.role is Role.SUBJECT), *named]
    known = await store.suppliers.find(sorted({supplier for _, supplier in about}))
    found: dict[int, Known] = {}
    for entry, supplier in sorted(about):
        if supplier in known and (entry not in found or known[supplier].kind is SubjectType.SITE):
            found[entry] = known[supplier]
    return {name: found[number] for name, number in numbers.items() if number in found}


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
    by_hash = {hit.entry.hash: hit for hit in hits}
    about = await whom_about(store, by_hash)
    found = await store.suppliers.find(sorted({*alike, *(known.number for known in about.values())}))
    verdicts = {number: verdict for number, verdict in alike.items() if number in found}
    for name, known in about.items():
        by_now = verdicts.get(known.number, Verdict.NONE)
        verdicts[known.number] = strongest_verdict([by_hash[name].likeness.verdict, by_now])
    together = await store.suppliers.of_wholes(sorted({found[number].whole for number in verdicts}))
    words = await _by_whom(store, together)
    # Whom nobody joined with anybody has said all that is found of it already.
    whole_of = {known.number: known.whole for known in together if known.whole in words}
    best: dict[int, Verdict] = {}
    for number, whole in whole_of.items():
        best[whole] = strongest_verdict([verdicts.get(number, Verdict.NONE), best.get(whole, Verdict.NONE)])
    judged = {
        whole: Likeness.judged(verdict, f"joined with what was found, {words[whole]}")
        for whole, verdict in best.items()
    }
    more = await _more_of(store, sorted(whole_of), set(await _numbers(store, by_hash)))
    read = await store.view.named_by_number(sorted(more))
    likeness = {entry: judged[whole_of[supplier]] for entry, supplier in more.items()}
    return Joined(
        [Hit(e, standing(e, today), likeness[n]) for n, e in read.findings.items()],
        [DecisionHit(e, decision_standing(e, today), likeness[n]) for n, e in read.decisions.items()],
        pointed_at([(e, likeness[n]) for n, e in read.pointers.items()], today),
        audits_of([(e, likeness[n]) for n, e in read.notices.items()], today),
        _surer(by_hash, about, verdicts, whole_of, judged),
    )


def _surer(
    by_hash: Mapping[str, Hit | DecisionHit | PointerHit | NoticeHit],
    about: Mapping[str, Known],
    verdicts: Mapping[int, Verdict],
    whole_of: Mapping[int, int],
    judged: Mapping[int, Likeness],
) -> dict[str, Likeness]:
    """Return the statements found for review whose supplier people joined with one that is surer, and how sure it is.

    What another statement of the same supplier says makes none surer.
    """
    surer: dict[str, Likeness] = {}
    for name, known in about.items():
        likeness = judged.get(whole_of.get(known.number, 0))
        if likeness is None or by_hash[name].likeness.verdict is not Verdict.REVIEW:
            continue
        others = [v for n, v in verdicts.items() if n != known.number and whole_of.get(n) == known.whole]
        if RANKS[strongest_verdict(others)] < RANKS[Verdict.REVIEW]:
            surer[name] = replace(likeness, verdict=strongest_verdict(others))
    return surer


async def _numbers(store: Store, hashes: Iterable[str]) -> Iterable[int]:
    return (await store.view.numbers(sorted(hashes))).values()


async def _more_of(store: Store, suppliers: Sequence[int], there: set[int]) -> dict[int, int]:
    """Return the record of what is said of these suppliers, and was not found, to the supplier."""
    if not suppliers:
        return {}
    mentions = await store.mentions.of(suppliers, MOST + len(there), Role.SUBJECT)
    named = await store.said_of.asides(suppliers)
    return {entry: of for entry, of in [*((m.entry, m.supplier) for m in mentions), *named] if entry not in there}


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
    stands = {n for n, e in (await store.view.findings.entries_by_number(named)).items() if _stands(e)}
    decisions = await store.view.decisions.entries_by_number(named)
    stands |= {n for n, e in decisions.items() if e.state is EntryState.CURRENT}
    subjects = await store.mentions.by(sorted(stands))
    providers = await store.suppliers.find(sorted({m.supplier for m in subjects if m.role is Role.SUBJECT}))
    found = []
    for provider in providers.values():
        numbers = [m.entry for m in await store.mentions.of([provider.number], MOST, Role.SUBJECT)]
        entries = (await store.view.findings.entries_by_number(numbers)).values()
        found.append(Through(provider, tuple(sorted(e.hash for e in entries if _stands(e)))))
    return tuple(found)


def _stands(entry: Entry) -> bool:
    """Tell whether a finding counts or counted: one that was set aside never did."""
    overturned = entry.finding is not None and entry.finding.status is Status.OVERTURNED
    return entry.state is EntryState.CURRENT and not overturned
