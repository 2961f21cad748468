"""Joining, keeping apart and undoing: one person, with a reason, at once; no statement is touched."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from comity_node.db import Store
from comity_node.db.suppliers import Known, NewSupplier
from comity_node.domain.changing import Change
from comity_node.domain.errors import NotFound
from comity_node.domain.people import Person
from comity_node.domain.suppliers.facts import FactKind
from comity_node.domain.suppliers.judging import (
    AlreadyJudged,
    Because,
    Judged,
    Judgement,
    JudgementContradicts,
    wholes,
)
from comity_node.domain.suppliers.mentions import Role, mentions
from comity_node.domain.trail import Event
from comity_node.services.suppliers.following import derive
from comity_schemas.subject import SubjectType

MOST_JOINED = 200
"""Suppliers that can be one; more is a mistake."""

MOST_SPELLINGS = 10_000
"""Spellings of one supplier by which officers recognised it."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody judges so: a code, and perhaps words that stay here."""

    because: Because
    words: str | None = None


async def judge_same(store: Store, person: Person, first: int, second: int, why: Reason, now: datetime) -> Judgement:
    """Join two suppliers, with everybody each of them is joined with already.

    Raises:
        NotFound: one of them does not exist.
        AlreadyJudged: they are joined.
        JudgementContradicts: one is a site and the other is not, or somebody judged that two of them are not the same.
    """
    one, other = await _two(store, first, second)
    if one.whole == other.whole:
        raise AlreadyJudged(f"{first} and {second} are joined already; nothing was changed")
    if (one.kind is SubjectType.SITE) is not (other.kind is SubjectType.SITE):
        raise JudgementContradicts(
            f"a site and an organisation are not one: note that it is its site (site-of). {first} and {second} "
            "stay as they are"
        )
    left, right = await _joined(store, one), await _joined(store, other)
    if len(left) + len(right) > MOST_JOINED:
        raise JudgementContradicts(f"more than {MOST_JOINED} suppliers would become one; nothing was changed")
    for standing in await store.judgements.standing(left):
        if standing.judged is not Judged.SAME and {standing.first, standing.second} <= left | right:
            sides = {standing.first in left, standing.second in left}
            if len(sides) == 2:
                raise JudgementContradicts(
                    f"{standing.first} and {standing.second} were judged not to be the same: undo judgement "
                    f"{standing.id} first. Nothing was changed"
                )
    made = await _add(store, person, Judged.SAME, first, second, why, now)
    await store.suppliers.set_whole(dict.fromkeys(left | right, min(left | right)))
    await store.changes.note_supplier(min(left | right), Change.JOINED, now)
    return made


async def judge_different(
    store: Store, person: Person, first: int, second: int, why: Reason, now: datetime
) -> Judgement:
    """Note that two suppliers are not the same, so that nobody is asked again and nobody joins them by mistake.

    Raises:
        NotFound: one of them does not exist.
        AlreadyJudged: it was said before.
        JudgementContradicts: they are joined.
    """
    one, other = await _two(store, first, second)
    if one.whole == other.whole:
        raise JudgementContradicts(
            f"{first} and {second} are joined: undo the judgement that joins them first. Nothing was changed"
        )
    for standing in await store.judgements.standing([first]):
        if standing.judged is not Judged.SAME and {standing.first, standing.second} == {first, second}:
            raise AlreadyJudged(f"it stands in judgement {standing.id}; nothing was changed")
    return await _add(store, person, Judged.DIFFERENT, first, second, why, now)


async def put_apart(
    store: Store, person: Person, supplier: int, statements: Sequence[str], why: Reason, now: datetime
) -> Judgement:
    """Take statements about a supplier for another one's, who gets a number of its own; revisions go with them.

    Raises:
        NotFound: no such supplier, or one of the statements is not about it.
        JudgementContradicts: nothing would be left, or some were put apart before.
    """
    known = (await store.suppliers.find([supplier])).get(supplier)
    if known is None:
        raise NotFound("no such supplier")
    # With whatever revised them since.
    numbers = await store.view.numbers(sorted({*statements, *await store.view.load(statements)}))
    about = {
        m.entry
        for m in await store.mentions.by(list(numbers.values()))
        if m.supplier == supplier and m.role is Role.SUBJECT
    }
    if not statements or any(numbers.get(name) not in about for name in statements):
        raise NotFound("no such statement about this supplier")
    put = sorted(name for name, number in numbers.items() if number in about)
    if await store.judgements.apart(put):
        (before,) = [
            j for j in await store.judgements.standing([supplier]) if (j.judged, j.second) == (Judged.APART, supplier)
        ]
        raise JudgementContradicts(
            f"judgement {before.id} put it apart from {before.first}: undo that first. Nothing was changed"
        )
    others = [m for m in await store.mentions.of([supplier], len(about) + 1) if m.entry not in about]
    if not others:
        raise JudgementContradicts("nothing would be left of this supplier; nothing was changed")
    key = f"apart:{secrets.token_urlsafe(12)}"
    new = NewSupplier(key, known.kind, await _named_in(store, sorted(about), known), (), known.country)
    second = (await store.suppliers.ensure([new]))[key]
    made = await _add(store, person, Judged.APART, supplier, second, why, now, put)
    await derive(store, sorted(about))
    await store.changes.note_supplier(supplier, Change.PARTED, now)
    return made


async def undo(store: Store, person: Person, judgement_id: str, words: str | None, now: datetime) -> Judgement:
    """Undo a judgement: all is shown as if it had never been made, and it stays in the list with who undid it.

    Raises:
        NotFound: there is none.
        AlreadyJudged: it was undone before.
        JudgementContradicts: a later judgement rests on it.
    """
    made = await store.judgements.find(judgement_id)
    if made is None:
        raise NotFound("no such judgement")
    if made.undone_at is not None:
        raise AlreadyJudged("it was undone before; nothing was changed")
    if made.judged is Judged.APART:
        resting = [j for j in await store.judgements.standing([made.second]) if j.id != judgement_id]
        if resting:
            raise JudgementContradicts(f"judgement {resting[-1].id} rests on it: undo that first. Nothing was changed")
    affected = set[int]()
    if made.judged is Judged.SAME:
        affected = await _joined(store, (await store.suppliers.find([made.first]))[made.first])
    statements = await store.judgements.undo(judgement_id, person.id, now, words)
    if affected:
        pairs = [(j.first, j.second) for j in await store.judgements.standing(affected) if j.judged is Judged.SAME]
        await store.suppliers.set_whole(wholes(pairs, affected))
    if statements:
        await derive(store, sorted((await store.view.numbers(statements)).values()))
    for number in (made.first, made.second) if made.judged is Judged.SAME else ():
        await store.changes.note_supplier(number, Change.PARTED, now)
    if made.judged is Judged.APART:
        await _take_along(store, person, made.second, made.first, now)
        await store.changes.note_supplier(made.first, Change.JOINED, now)
    await store.trail.add(now, person.id, Event.JUDGEMENT_UNDONE, judgement_id)
    undone = await store.judgements.find(judgement_id)
    assert undone is not None
    return undone


async def _take_along(store: Store, person: Person, gone: int, to: int, now: datetime) -> None:
    """Let what officers judged of a number of which nothing is said any more be about whom it is again: to be looked
    at, since that one has other facts. So the spellings that it taught go."""
    await store.vendor_judgements.move(gone, to)
    for fact in await store.facts.about([gone], MOST_SPELLINGS):
        if fact.kind is FactKind.ALIAS:
            await store.facts.take_back(fact.id, person.id, now)
            await store.trail.add(now, person.id, Event.FACT_TAKEN_BACK, fact.id)


async def _named_in(store: Store, entries: Sequence[int], known: Known) -> tuple[str, ...]:
    found = {**await store.view.findings.entries_by_number(entries)}
    some = [m for e in found.values() for m in mentions(e)]
    some += [m for e in (await store.view.decisions.entries_by_number(entries)).values() for m in mentions(e)]
    named = [name.text for m in some if m.role is Role.SUBJECT for name in m.names]
    return tuple(dict.fromkeys(named)) or (known.name,)


async def _two(store: Store, first: int, second: int) -> tuple[Known, Known]:
    if first == second:
        raise AlreadyJudged("this is one supplier; give two")
    found = await store.suppliers.find([first, second])
    if len(found) < 2:
        raise NotFound("no such supplier")
    return found[first], found[second]


async def _joined(store: Store, known: Known) -> set[int]:
    return {each.number for each in await store.suppliers.of_wholes([known.whole])}


async def _add(
    store: Store,
    person: Person,
    judged: Judged,
    first: int,
    second: int,
    why: Reason,
    now: datetime,
    statements: Sequence[str] = (),
) -> Judgement:
    made = Judgement(secrets.token_urlsafe(12), judged, first, second, why.because, why.words, person.id, now)
    await store.judgements.add(made, statements)
    detail = {"judged": judged.value, "because": why.because.value, "first": first, "second": second}
    await store.trail.add(now, person.id, Event.SUPPLIERS_JUDGED, made.id, **detail)
    return made
