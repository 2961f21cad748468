"""Screening against the local supplier view. No query leaves the node."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from comity_federation.registry import Registry
from comity_node.db import Database, Store
from comity_node.db.entries import E, Entries
from comity_node.domain.matching.likeness import Likeness, Verdict, strongest_verdict
from comity_node.domain.noticing import NOBODY_LOOKED, Assessed
from comity_node.domain.screening import (
    DecisionHit,
    DecisionState,
    Hit,
    NoticeHit,
    PointerHit,
    Question,
    State,
    assessed_of,
    best_verdict,
    close_names,
    decision_state_of,
    likeness_of,
    sort_hits,
    state_of,
)
from comity_node.domain.supplier_view import (
    Standing,
    decision_standing,
    notice_standing,
    pointer_standing,
    standing,
)
from comity_node.domain.trail import Event
from comity_node.services.answering.moment import Coverage, Moment, this_moment
from comity_node.services.answering.voices import with_replies, with_voices
from comity_node.services.suppliers.following import catch_up
from comity_node.services.suppliers.screened import Through, joined_with, through_providers


@dataclass(frozen=True, slots=True)
class Answer:
    """What this node knew about one supplier at one moment."""

    question: Question
    verdict: Verdict
    state: State
    hits: tuple[Hit, ...]
    unreadable: int
    """Findings that count but name nobody this node may read."""
    decision_state: DecisionState
    decisions: tuple[DecisionHit, ...]
    unreadable_decisions: int
    as_of: datetime
    registry_version: int
    positions: dict[str, int]
    """Member to the last statement of its log that this answer rests on."""
    coverage: Coverage
    through: tuple[Through, ...] = ()
    """What is said of its labour providers; never its own, so it makes neither verdict nor state."""
    pointers: tuple[PointerHit, ...] = ()
    """Whom to speak to before contacting the supplier; only those that stand today."""
    unreadable_pointers: int = 0
    audits: tuple[NoticeHit, ...] = ()
    unreadable_audits: int = 0
    assessed: Assessed = NOBODY_LOOKED
    """What audits say by indicator; nothing where nobody looked."""


async def screen(store: Store, questions: Sequence[Question], registry: Registry, now: datetime) -> list[Answer]:
    """Answer questions from one consistent view, so that all are asked at the same log positions."""
    return await _answers(store, questions, await this_moment(store, registry, now))


async def screen_at(store: Store, questions: Sequence[Question], moment: Moment) -> list[Answer]:
    """Answer questions as of a moment, now or later: from the statements up to its positions, on its day.

    What people here judged and entered since, and what the registry says of members since, is not taken off again.
    """
    return await _answers(store.as_of(moment.positions), questions, moment)


async def _answers(store: Store, questions: Sequence[Question], moment: Moment) -> list[Answer]:
    now = moment.at
    findings, decisions = store.view.findings, store.view.decisions
    unreadable, unreadable_decisions = await findings.unnamed(), await decisions.unnamed()
    pointers, unreadable_pointers = store.view.pointers, await store.view.pointers.unnamed()
    notices, unreadable_audits = store.view.notices, await store.view.notices.unnamed()
    by_name = any(question.name for question in questions)
    kinds: tuple[Entries[Any], ...] = (findings, decisions, pointers, notices)
    names, decision_names, pointer_names, notice_names = [await kind.names() if by_name else [] for kind in kinds]
    answers = []
    for question in questions:
        # Verdict and state rest on all that was found, also on what is too much to be shown.
        found = [
            Hit(entry, standing(entry, now.date()), likeness)
            for entry, likeness in await _like(findings, question, names)
        ]
        decided = [
            DecisionHit(entry, decision_standing(entry, now.date()), likeness)
            for entry, likeness in await _like(decisions, question, decision_names)
        ]
        joined = await joined_with(store, [*found, *decided], now.date())
        found, decided = [*found, *joined.findings], [*decided, *joined.decisions]
        pointed = await pointed_at(store, question, pointer_names, now)
        noticed = await audits_of(store, question, notice_names, now)
        # Strongest of all: it says whether it is the same supplier, not what is said of it.
        verdicts = [best_verdict(found), best_verdict(decided), best_verdict(pointed), best_verdict(noticed)]
        answers.append(
            Answer(
                question=question,
                verdict=strongest_verdict(verdicts),
                state=state_of(found, noticed, known_otherwise=bool(decided or pointed)),
                hits=await with_voices(store, sort_hits(found), now.date()),
                unreadable=unreadable,
                decision_state=decision_state_of(decided),
                decisions=await with_replies(store, sort_hits(decided)),
                unreadable_decisions=unreadable_decisions,
                pointers=tuple(sort_hits(pointed)),
                unreadable_pointers=unreadable_pointers,
                audits=tuple(sort_hits(noticed)),
                unreadable_audits=unreadable_audits,
                assessed=assessed_of(found, noticed),
                as_of=now,
                registry_version=moment.registry_version,
                positions=moment.positions,
                coverage=moment.coverage,
                through=await through_providers(store, question),
            )
        )
    return answers


async def audits_of(
    store: Store, question: Question, names: list[tuple[int, str, str, str]], now: datetime
) -> list[NoticeHit]:
    """Return the audits, planned and done, that may be of a supplier."""
    found = await _like(store.view.notices, question, names)
    return [NoticeHit(entry, notice_standing(entry, now.date()), likeness) for entry, likeness in found]


async def pointed_at(
    store: Store, question: Question, names: list[tuple[int, str, str, str]], now: datetime
) -> list[PointerHit]:
    """Return the pointers that stand for a supplier: whom to speak to before contacting it."""
    return [
        PointerHit(entry, Standing.CURRENT, likeness)
        for entry, likeness in await _like(store.view.pointers, question, names)
        if pointer_standing(entry, now.date()) is Standing.CURRENT
    ]


async def screen_and_note(
    database: Database, questions: Sequence[Question], registry: Registry, person: str, now: datetime
) -> list[Answer]:
    """Answer once the trail says that somebody asked and how much; never whom about."""
    await catch_up(database)
    async with database.read() as store:
        answers = await screen(store, questions, registry, now)
    # A transaction of its own: while somebody searches, whoever writes need not wait.
    async with database.write() as store:
        await store.trail.add(
            now, person, Event.SCREENED, "suppliers", asked=len(questions), positions=answers[0].positions
        )
    return answers


async def _like(
    entries: Entries[E], question: Question, names: list[tuple[int, str, str, str]]
) -> list[tuple[E, Likeness]]:
    # In a thread: the search compares every name, and other requests go on meanwhile.
    found = await asyncio.to_thread(close_names, question, names)
    found.update(await entries.with_identifiers(question.identifiers))
    read = (await entries.entries_by_number(sorted(found))).values()
    hits = [(entry, likeness_of(question, entry)) for entry in read]
    return [(entry, likeness) for entry, likeness in hits if likeness.verdict is not Verdict.NONE]
