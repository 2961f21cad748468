"""Screening against the local supplier view. No query leaves the node."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from comity_federation.registry import Registry
from comity_node.db import Database, Store
from comity_node.db.entries import E, Entries
from comity_node.db.logs import LogStatus
from comity_node.domain.noticing import NOBODY_LOOKED, Assessed
from comity_node.domain.screening import (
    DecisionHit,
    DecisionState,
    Hit,
    Likeness,
    NoticeHit,
    PointerHit,
    Question,
    State,
    Verdict,
    assessed_of,
    best_verdict,
    close_names,
    decision_state_of,
    sort_hits,
    state_of,
    weigh_identifiers,
)
from comity_node.domain.supplier_view import (
    Standing,
    decision_standing,
    notice_standing,
    pointer_standing,
    standing,
)
from comity_node.domain.trail import Event
from comity_node.services.answering.voices import with_replies, with_voices
from comity_node.services.suppliers.following import catch_up
from comity_node.services.suppliers.screened import Through, joined_with, through_providers
from comity_schemas.member import MemberStatus, Role

SILENT_AFTER = timedelta(hours=1)
"""A member that publishes is expected to send a checkpoint every 15 minutes; after four missed ones it is not heard."""

_SILENT_ROLES = frozenset({Role.OBSERVER})


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whom the answer rests on: absence of a finding means little when members were not heard."""

    members: int
    heard: tuple[str, ...]
    not_heard: tuple[tuple[str, datetime | None], ...]
    """Slug, and since when; None for never."""
    behind: tuple[tuple[str, int], ...]
    """Slug, and how many statements were announced that have not arrived."""
    frozen: tuple[str, ...]
    """Members whose log forked: what they said from there on does not count."""
    registry_expired: datetime | None
    newer_registry: tuple[str, ...] = ()
    """Members that follow a newer registry than this node was shown: somebody holds it back."""

    @property
    def complete(self) -> bool:
        """Whether everybody was heard and nothing announced is missing."""
        return not (self.not_heard or self.behind or self.frozen or self.registry_expired or self.newer_registry)

    def in_words(self) -> str:
        """Return one sentence for people."""
        if self.complete:
            return f"complete: all {self.members} members heard"
        parts = []
        if self.not_heard:
            since = [when for _, when in self.not_heard if when is not None]
            ago = f" since {min(since):%Y-%m-%d %H:%M} UTC" if since else " yet"
            parts.append(f"{len(self.not_heard)} of {self.members} members not heard{ago}")
        parts += [f"{count} statements of {slug} announced but not received" for slug, count in self.behind]
        parts += [f"the log of {slug} contradicts itself and is frozen" for slug in self.frozen]
        if self.registry_expired is not None:
            parts.append(f"the registry expired {self.registry_expired:%Y-%m-%d %H:%M} UTC: nothing new is accepted")
        if self.newer_registry:
            parts.append(f"{', '.join(self.newer_registry)} follow a newer registry than this node was shown")
        return "incomplete: " + "; ".join(parts)


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
    logs = {log.member: log for log in await store.logs.all()}
    coverage = cover(registry, logs, now)
    positions = {slug: log.head for slug, log in sorted(logs.items())}
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
        verdicts = {best_verdict(found), best_verdict(decided), best_verdict(pointed), best_verdict(noticed)}
        answers.append(
            Answer(
                question=question,
                verdict=next((v for v in (Verdict.MATCH, Verdict.REVIEW) if v in verdicts), Verdict.NONE),
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
                registry_version=registry.version,
                positions=positions,
                coverage=coverage,
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


def cover(registry: Registry, logs: dict[str, LogStatus], now: datetime) -> Coverage:
    """Return who was heard and what is missing."""
    expected = [m for m in registry.members if m.status is MemberStatus.ACTIVE and m.role not in _SILENT_ROLES]
    heard, silent, behind = [], [], []
    for member in expected:
        log = logs.get(member.slug, LogStatus(member.slug))
        if _is_heard(log, now):
            heard.append(member.slug)
        else:
            silent.append((member.slug, log.heard_at))
        if log.announced_seq is not None and log.announced_seq > log.head and log.frozen_from is None:
            behind.append((member.slug, log.announced_seq - log.head))
    return Coverage(
        members=len(expected),
        heard=tuple(heard),
        not_heard=tuple(silent),
        behind=tuple(behind),
        frozen=tuple(slug for slug in sorted(logs) if logs[slug].frozen_from is not None),
        registry_expired=registry.expires if registry.expires <= now else None,
        newer_registry=tuple(m.slug for m in expected if _announced(logs, m.slug) > registry.version),
    )


def _announced(logs: dict[str, LogStatus], slug: str) -> int:
    log = logs.get(slug)
    return 0 if log is None or log.announced_registry is None else log.announced_registry


def _is_heard(log: LogStatus, now: datetime) -> bool:
    return log.heard_at is not None and now - log.heard_at <= SILENT_AFTER


async def _like(
    entries: Entries[E], question: Question, names: list[tuple[int, str, str, str]]
) -> list[tuple[E, Likeness]]:
    # In a thread: the search compares every name, and other requests go on meanwhile.
    found: dict[int, Likeness] = await asyncio.to_thread(close_names, question, names)
    for key, identifier in (await entries.with_identifiers(question.identifiers)).items():
        found[key] = Likeness(Verdict.MATCH, f"the same {identifier.scheme} {identifier.id}", 100)
    hits = []
    for number, entry in (await entries.entries_by_number(sorted(found))).items():
        hits.append((entry, weigh_identifiers(question, found[number], entry)))
    return hits
